#include "serve/batch.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "respond/chain.h"
#include "serve/batch_record.h"
#include "serve/tapping.h"

enum { WALL_READ_MS = 1000, US_PER_MS = 1000, NS_PER_US = 1000, NS_PER_MS = 1000000 };

void batch_adopt(struct batch *batch)
{
    if (!mailbox_collect(batch->mailbox, &batch->snapshot))
        return;
    dead_apps_adopt(&batch->dead_apps, batch->snapshot);
    tapping_write_origin(batch->snapshot, &batch->tap_origin);
    if (batch->flows != NULL)
        flows_adopt(batch->flows, batch->snapshot);
    batch->on_adopted(batch->context);
}

void batch_set_forward(struct batch *batch, struct forward *forward, struct deferred *deferred)
{
    batch->forward = forward;
    batch->deferred = deferred;
    for (size_t i = 0; i < BATCH_MOST; i++)
        batch->exchanges[i].forward = forward;
}

/* NULL while cookies are off. */
static const struct cookie_server *cookies_of(const struct batch *batch)
{
    return batch->cookies.secrets.count > 0 ? &batch->cookies : NULL;
}

void batch_watch_dead_apps(struct batch *batch, unsigned workers)
{
    dead_apps_init(&batch->dead_apps, workers);
    for (size_t i = 0; i < BATCH_MOST; i++)
        batch->exchanges[i].dead_apps = &batch->dead_apps;
}

void batch_set_cookies(struct batch *batch, const struct cookie_secrets *secrets)
{
    batch->cookies.secrets = *secrets;
    for (size_t i = 0; i < BATCH_MOST; i++)
        batch->exchanges[i].cookies = cookies_of(batch);
}

/* Cookies, the log and dnstap have the time of day, which is read once a second. */
static void read_wall_clock(struct batch *batch, uint64_t now_ms)
{
    if (now_ms < batch->wall_read_ms)
        return;
    int64_t wall_us = clock_wall_us();
    batch->wall_read_ms = now_ms + WALL_READ_MS;
    batch->cookies.now_s = (uint32_t)(wall_us / 1000000);
    batch->wall_ahead_us = wall_us - (int64_t)(clock_monotonic_ns() / NS_PER_US);
}

void batch_set_limits(struct batch *batch, struct limits *limits)
{
    batch->limits = limits;
    for (size_t i = 0; i < BATCH_MOST; i++)
        batch->exchanges[i].limits = limits;
}

void batch_set_flows(struct batch *batch, struct flows *flows)
{
    batch->flows = flows;
}

void batch_begin(struct batch *batch, uint64_t now_ms)
{
    batch_adopt(batch);
    batch->begun_ns = clock_monotonic_ns();
    batch->answered_ns = 0;
    if (batch->flows != NULL)
        flows_set_time(batch->flows, now_ms);
    read_wall_clock(batch, now_ms);
    if (batch->limits != NULL)
        batch->limits->now_us = now_ms * US_PER_MS;
    dead_apps_set_time(&batch->dead_apps, (uint32_t)(now_ms / 1000));
    if (batch->forward != NULL)
        forward_set_time(batch->forward, now_ms);
    if (batch->log != NULL)
        querylog_ring_set_time(batch->log, batch->begun_ns);
}

void batch_prepare(struct batch *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        batch->exchanges[i].rotation = batch->rotation++;
        respond_prepare(batch->snapshot, &batch->exchanges[i]);
    }
    for (size_t i = 0; i < count; i++) {
        struct exchange *exchange = &batch->exchanges[i];
        respond_prefetch(batch->snapshot, exchange);
        if (batch->flows != NULL && exchange->hash != 0)
            flows_prefetch(batch->flows, &exchange->path, exchange->hash, exchange->query.type);
    }
    for (size_t i = 0; i < count; i++)
        respond_prefetch_text(batch->snapshot, &batch->exchanges[i]);
}

/*
 * A request that is forwarded: when it arrives, or when the answer that it waited for has come. It
 * may need several answers, where aliases lead from name to name.
 */
struct resolution {
    struct batch *batch;
    struct exchange *exchange;
    struct pending_request *pending_request; /* NULL: the request has just arrived; then: */
    size_t number;                           /* of the exchange */
    struct carrier *carrier;                 /* of the client */
    const struct forward_result *result;     /* for the pending_request's question, or NULL */
};

/*
 * Keeps the request and forwards a question. Returns false, with `found`, when that is not
 * possible.
 */
static bool defer(struct resolution *resolution, const struct question *question, uint8_t route,
                  struct forward_result *found)
{
    struct batch *batch = resolution->batch;
    struct pending_request *pending_request =
        deferred_keep(batch->deferred, resolution->exchange, forward_room(batch->forward));

    if (pending_request == NULL) {
        forward_refuse(batch->forward, question, found);
        return false;
    }
    if (!forward_ask(batch->forward, question, route, &pending_request->waiter, found)) {
        deferred_drop(batch->deferred, pending_request);
        return false;
    }
    pending_request->begun_ns = batch->begun_ns;
    pending_request->since_s = forward_now_s(batch->forward);
    pending_request->asked[0] = question->hash;
    pending_request->asks = 1;
    pending_request->carrier = resolution->carrier;
    pending_request->carrier->keep(pending_request->carrier, resolution->number,
                                   &pending_request->client);
    return true;
}

/* The same for a request that is kept already. */
static bool defer_again(struct resolution *resolution, const struct question *question,
                        uint8_t route, struct forward_result *found)
{
    struct pending_request *pending_request = resolution->pending_request;
    struct batch *batch = resolution->batch;

    if (pending_request->asks == DEFERRED_ASKS_MOST) {
        forward_refuse(batch->forward, question, found);
        return false;
    }
    if (!forward_ask(batch->forward, question, route, &pending_request->waiter, found))
        return false;
    pending_request->asked[pending_request->asks++] = question->hash;
    return true;
}

/* True when the question is the last one that the request waited for. */
static bool was_awaited_last(const struct pending_request *pending_request,
                             const struct question *question)
{
    return question->hash == pending_request->asked[pending_request->asks - 1];
}

/* True when the request has waited for the question. */
static bool was_awaited(const struct pending_request *pending_request,
                        const struct question *question)
{
    for (unsigned i = 0; i < pending_request->asks; i++)
        if (pending_request->asked[i] == question->hash)
            return true;
    return false;
}

/* Finds an answer in the cache. Returns false when there is none. */
static bool find_at_hand(const struct resolution *resolution, const struct question *question,
                         uint8_t route, struct forward_result *found)
{
    const struct pending_request *pending_request = resolution->pending_request;
    struct forward *forward = resolution->batch->forward;

    if (pending_request != NULL && was_awaited(pending_request, question))
        return forward_find_since(forward, question, route, pending_request->since_s, found);
    return forward_find(forward, question, route, found);
}

/* Finds an answer. Returns false when the question was forwarded and the request waits. */
static bool find_result(struct resolution *resolution, const struct question *question,
                        uint8_t route, struct forward_result *found)
{
    if (resolution->result != NULL && was_awaited_last(resolution->pending_request, question)) {
        *found = *resolution->result;
        return true;
    }
    *found = (struct forward_result){.failure = resolution->batch->is_stopping ? FORWARD_STOPPING
                                                                               : FORWARD_FAILING};
    if (resolution->batch->forward == NULL || find_at_hand(resolution, question, route, found))
        return true;
    bool waits = resolution->pending_request == NULL
                     ? defer(resolution, question, route, found)
                     : defer_again(resolution, question, route, found);
    return !waits;
}

/* As find_result, and notes for the log what was found. */
static bool find(struct resolution *resolution, const struct question *question, uint8_t route,
                 struct forward_result *found)
{
    struct exchange *exchange = resolution->exchange;

    if (!find_result(resolution, question, route, found))
        return false;
    exchange->upstream = found->server;
    if (found->response == NULL || !found->is_cached)
        exchange->upstream_use = UPSTREAM_ASKED;
    else
        exchange->upstream_use = found->is_stale ? UPSTREAM_STALE : UPSTREAM_CACHED;
    return true;
}

static size_t wait(struct exchange *exchange)
{
    exchange->is_deferred = true;
    return 0;
}

/* Follows the aliases; `found` is for the first name, if that is not ours. Bounded by chain.h. */
static size_t follow(struct resolution *resolution, const struct forward_result *found)
{
    struct exchange *exchange = resolution->exchange;
    struct forward_result next;
    struct chain chain;

    chain_start(&chain, resolution->batch->snapshot, exchange);
    if (found != NULL)
        chain_take(&chain, found);
    while (chain_asks(&chain)) {
        if (!find(resolution, &chain.question, exchange->verdict.route, &next))
            return wait(exchange);
        chain_take(&chain, &next);
    }
    return chain_finish(&chain);
}

/* Writes the reply, or forwards a question and writes nothing yet. */
static size_t forward_exchange(struct resolution *resolution)
{
    struct exchange *exchange = resolution->exchange;
    const struct snapshot *snapshot = resolution->batch->snapshot;
    const struct question question = question_of(&exchange->query, exchange->hash);
    struct forward_result found;

    if (!find(resolution, &question, exchange->verdict.route, &found))
        return wait(exchange);
    if (chain_is_cut(snapshot, exchange, &found))
        return follow(resolution, &found);
    return respond_relay(snapshot, exchange, &found);
}

/* Writes the reply that was decided on; returns 0 with `is_deferred` set when it has to wait. */
static size_t resolve(struct resolution *resolution)
{
    struct exchange *exchange = resolution->exchange;

    if (exchange->verdict.situation == SITUATION_FORWARD)
        return forward_exchange(resolution);
    if (exchange->verdict.situation == SITUATION_ALIAS)
        return follow(resolution, NULL);
    return respond_write(resolution->batch->snapshot, exchange);
}

/* True when the verdict needs an upstream's answer or leads to another name. */
static bool needs_resolution(const struct exchange *exchange)
{
    return exchange->status == QUERY_READ && (exchange->verdict.situation == SITUATION_FORWARD ||
                                              exchange->verdict.situation == SITUATION_ALIAS);
}

size_t batch_finish(struct batch *batch, size_t number, const struct endpoint *client,
                    struct carrier *carrier)
{
    struct exchange *exchange = &batch->exchanges[number];
    size_t length;

    exchange->is_deferred = false;
    exchange->upstream_use = UPSTREAM_UNUSED;
    respond_decide(batch->snapshot, exchange);
    if (needs_resolution(exchange))
        length = resolve(&(struct resolution){
            .batch = batch, .exchange = exchange, .number = number, .carrier = carrier});
    else
        length = respond_write(batch->snapshot, exchange);
    if (exchange->is_deferred)
        return 0;
    if (length == 0) {
        batch_record_dropped(batch, exchange, client);
        return 0;
    }
    batch->replies[verdict_is_forwarded(&exchange->verdict) ? STATS_CACHE : STATS_LOCAL]++;
    batch_record_reply(batch, exchange, client, batch->begun_ns);
    return length;
}

void batch_end(struct batch *batch)
{
    uint64_t elapsed_ns = clock_monotonic_ns() - batch->begun_ns;

    for (unsigned source = 0; source < STATS_SOURCES; source++) {
        if (batch->replies[source] > 0)
            stats_count_durations(batch->stats, source, elapsed_ns, batch->replies[source]);
        batch->replies[source] = 0;
    }
    if (batch->log != NULL)
        querylog_ring_hand_over(batch->log, (uint32_t)(elapsed_ns / NS_PER_MS));
}

static void set_ipv6_source(struct path *path, const struct in6_addr *address)
{
    path->source = 0;
    path->is_ipv6 = true;
    memcpy(path->source_ipv6, address->s6_addr, sizeof path->source_ipv6);
}

void path_set_source(struct path *path, const struct endpoint *source)
{
    const struct in6_addr *address = &source->v6.sin6_addr;

    path->is_ipv6 = false;
    if (source->any.sa_family == AF_INET)
        path->source = ntohl(source->v4.sin_addr.s_addr);
    else if (IN6_IS_ADDR_V4MAPPED(address))
        path->source = load32(address->s6_addr + 12);
    else if (IN6_IS_ADDR_LOOPBACK(address))
        path->source = INADDR_LOOPBACK;
    else
        set_ipv6_source(path, address);
}

/* Reads and decides a kept request again. */
static struct exchange *decide_again(struct batch *batch,
                                     const struct pending_request *pending_request)
{
    struct exchange *exchange = deferred_restore(batch->deferred, pending_request);

    exchange->forward = batch->forward;
    exchange->cookies = cookies_of(batch);
    exchange->dead_apps = batch->exchanges[0].dead_apps;
    exchange->rotation = batch->rotation++;
    exchange->is_deferred = false;
    exchange->upstream_use = UPSTREAM_UNUSED;
    respond_prepare(batch->snapshot, exchange);
    respond_decide(batch->snapshot, exchange);
    return exchange;
}

/*
 * Replies to a kept request and frees its slot, or lets it wait for another answer. `result` is for
 * the question that it waited for; NULL: none came.
 */
static void reply_pending(struct batch *batch, struct pending_request *pending_request,
                          const struct forward_result *result)
{
    struct exchange *exchange = decide_again(batch, pending_request);
    struct carrier *carrier = pending_request->carrier;
    size_t length = resolve(&(struct resolution){.batch = batch,
                                                 .exchange = exchange,
                                                 .pending_request = pending_request,
                                                 .result = result});

    if (exchange->is_deferred)
        return;
    const struct endpoint client = carrier->address(&pending_request->client);
    uint64_t now_ns = clock_monotonic_ns(), elapsed_ns = now_ns - pending_request->begun_ns;
    batch->answered_ns = now_ns;
    if (batch->log != NULL)
        querylog_ring_set_time(batch->log, now_ns);
    batch_record_reply(batch, exchange, &client, pending_request->begun_ns);
    stats_count_durations(batch->stats, STATS_UPSTREAM, elapsed_ns, 1);
    if (batch->log != NULL)
        querylog_ring_hand_over(batch->log, (uint32_t)(elapsed_ns / NS_PER_MS));
    if (!carrier->deliver(carrier, &pending_request->client, exchange->reply, length))
        stats_count(batch->stats, COUNTER_FORWARD_LATE, 1);
    deferred_drop(batch->deferred, pending_request);
}

static struct pending_request *take_first(struct waiter **waiters)
{
    struct pending_request *pending_request = (struct pending_request *)(void *)*waiters;

    *waiters = (*waiters)->next;
    return pending_request;
}

void batch_on_result(void *context, struct waiter *waiters, const struct forward_result *found)
{
    struct batch *batch = context;

    while (waiters != NULL)
        reply_pending(batch, take_first(&waiters), found);
}

void batch_decide_again(struct batch *batch, struct waiter *waiters)
{
    while (waiters != NULL) {
        struct pending_request *pending_request = take_first(&waiters);
        pending_request->asks = 0; /* the upstreams are different now */
        reply_pending(batch, pending_request, NULL);
    }
}
