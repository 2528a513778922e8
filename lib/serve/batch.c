#include "serve/batch.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "respond/chain.h"

enum { TC_OCTET = 2, TC_BIT = FLAG_TC >> 8 };

void batch_adopt(struct batch *batch)
{
    if (mailbox_collect(batch->mailbox, &batch->snapshot))
        batch->on_adopted(batch->context);
}

void batch_set_forward(struct batch *batch, struct forward *forward, struct deferred *deferred)
{
    batch->forward = forward;
    batch->deferred = deferred;
    for (size_t i = 0; i < BATCH_MOST; i++)
        batch->exchanges[i].forward = forward;
}

void batch_begin(struct batch *batch, uint64_t now_ms)
{
    batch_adopt(batch);
    if (batch->forward != NULL)
        forward_set_time(batch->forward, now_ms);
    if (batch->log != NULL)
        batch->begun_us = clock_wall_us();
}

void batch_prepare(struct batch *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        batch->exchanges[i].rotation = batch->rotation++;
        respond_prepare(batch->snapshot, &batch->exchanges[i]);
    }
    for (size_t i = 0; i < count; i++)
        respond_prefetch(batch->snapshot, &batch->exchanges[i]);
    for (size_t i = 0; i < count; i++)
        respond_prefetch_text(batch->snapshot, &batch->exchanges[i]);
}

static void count(struct batch *batch, const struct exchange *exchange,
                  const struct endpoint *client, int64_t begun_us)
{
    if ((exchange->reply[TC_OCTET] & TC_BIT) != 0)
        stats_count(batch->stats, COUNTER_TRUNCATED, 1);
    if (exchange->verdict.reason == REASON_REBIND)
        stats_count(batch->stats, COUNTER_FORWARD_REBINDS, 1);
    stats_count_reply(batch->stats, exchange->rcode, verdict_inner_reason(&exchange->verdict));
    if (batch->log != NULL &&
        !querylog_add(batch->log, batch->snapshot, exchange, client, begun_us))
        stats_count(batch->stats, COUNTER_QUERYLOG_DROPPED, 1);
}

/*
 * A request that upstreams are asked for, on its first turn or when an answer has come that it
 * waited for. It may need several: where aliases lead from name to name.
 */
struct pursuit {
    struct batch *batch;
    struct exchange *exchange;
    struct pending_request *pending_request; /* NULL: the first turn; then: */
    size_t number;                           /* of the exchange */
    struct reply_sink *reply_sink;           /* of the client */
    const struct forward_result *settled;    /* for the pending_request's question, or NULL */
};

/* Keeps the request and has a question asked. False, with `found`, when that cannot be. */
static bool defer(struct pursuit *pursuit, const struct question *question, uint8_t route,
                  struct forward_result *found)
{
    struct batch *batch = pursuit->batch;
    struct pending_request *pending_request =
        deferred_keep(batch->deferred, pursuit->exchange, forward_room(batch->forward));

    if (pending_request == NULL) {
        forward_refuse(batch->forward, question, found);
        return false;
    }
    if (!forward_ask(batch->forward, question, route, &pending_request->waiter, found)) {
        deferred_drop(batch->deferred, pending_request);
        return false;
    }
    pending_request->begun_us = batch->begun_us;
    pending_request->since_s = forward_now_s(batch->forward);
    pending_request->asked[0] = question->hash;
    pending_request->asks = 1;
    pending_request->reply_sink = pursuit->reply_sink;
    pending_request->reply_sink->keep(pending_request->reply_sink, pursuit->number,
                                      &pending_request->client);
    return true;
}

/* The same for a request that is kept. */
static bool defer_again(struct pursuit *pursuit, const struct question *question, uint8_t route,
                        struct forward_result *found)
{
    struct pending_request *pending_request = pursuit->pending_request;
    struct batch *batch = pursuit->batch;

    if (pending_request->asks == DEFERRED_ASKS_MOST) {
        forward_refuse(batch->forward, question, found);
        return false;
    }
    if (!forward_ask(batch->forward, question, route, &pending_request->waiter, found))
        return false;
    pending_request->asked[pending_request->asks++] = question->hash;
    return true;
}

/* True when the question is the one that the request has waited for last. */
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

/* What is at hand. False when there is nothing. */
static bool find_kept(const struct pursuit *pursuit, const struct question *question, uint8_t route,
                      struct forward_result *found)
{
    const struct pending_request *pending_request = pursuit->pending_request;
    struct forward *forward = pursuit->batch->forward;

    if (pending_request != NULL && was_awaited(pending_request, question))
        return forward_find_since(forward, question, route, pending_request->since_s, found);
    return forward_find(forward, question, route, found);
}

/* Looks for an answer. False when it has been asked for, and the request waits. */
static bool find(struct pursuit *pursuit, const struct question *question, uint8_t route,
                 struct forward_result *found)
{
    if (pursuit->settled != NULL && was_awaited_last(pursuit->pending_request, question)) {
        *found = *pursuit->settled;
        return true;
    }
    *found = (struct forward_result){.failure = pursuit->batch->is_stopping ? FORWARD_STOPPING
                                                                            : FORWARD_FAILING};
    if (pursuit->batch->forward == NULL || find_kept(pursuit, question, route, found))
        return true;
    bool waits = pursuit->pending_request == NULL ? defer(pursuit, question, route, found)
                                                  : defer_again(pursuit, question, route, found);
    return !waits;
}

static size_t wait(struct exchange *exchange)
{
    exchange->is_deferred = true;
    return 0;
}

/* Goes from name to name; `found` is for the first, if that is not ours. Bounded by chain.h. */
static size_t follow(struct pursuit *pursuit, const struct forward_result *found)
{
    struct exchange *exchange = pursuit->exchange;
    struct forward_result next;
    struct chain chain;

    chain_start(&chain, pursuit->batch->snapshot, exchange);
    if (found != NULL)
        chain_take(&chain, found);
    while (chain_asks(&chain)) {
        if (!find(pursuit, &chain.question, exchange->verdict.route, &next))
            return wait(exchange);
        chain_take(&chain, &next);
    }
    return chain_finish(&chain);
}

/* Writes what is at hand, or has a question asked and writes nothing yet. */
static size_t forward_exchange(struct pursuit *pursuit)
{
    struct exchange *exchange = pursuit->exchange;
    const struct snapshot *snapshot = pursuit->batch->snapshot;
    struct forward_result found;

    if (!find(pursuit, &exchange->question, exchange->verdict.route, &found))
        return wait(exchange);
    if (chain_is_cut(snapshot, exchange, &found))
        return follow(pursuit, &found);
    return respond_relay(snapshot, exchange, &found);
}

/* Writes the reply that was decided on; 0 with `is_deferred` when it has to wait. */
static size_t pursue(struct pursuit *pursuit)
{
    struct exchange *exchange = pursuit->exchange;

    if (exchange->verdict.situation == SITUATION_FORWARD)
        return forward_exchange(pursuit);
    if (exchange->verdict.situation == SITUATION_ALIAS)
        return follow(pursuit, NULL);
    return respond_write(pursuit->batch->snapshot, exchange);
}

/* True when the verdict's answer is not at hand by itself. */
static bool leads_on(const struct exchange *exchange)
{
    return exchange->status == QUERY_READ && (exchange->verdict.situation == SITUATION_FORWARD ||
                                              exchange->verdict.situation == SITUATION_ALIAS);
}

size_t batch_finish(struct batch *batch, size_t number, const struct endpoint *client,
                    struct reply_sink *reply_sink)
{
    struct exchange *exchange = &batch->exchanges[number];
    size_t length;

    exchange->is_deferred = false;
    respond_decide(batch->snapshot, exchange);
    if (leads_on(exchange))
        length = pursue(&(struct pursuit){
            .batch = batch, .exchange = exchange, .number = number, .reply_sink = reply_sink});
    else
        length = respond_write(batch->snapshot, exchange);
    if (exchange->is_deferred)
        return 0;
    if (length == 0) {
        stats_count(batch->stats, COUNTER_DROPPED, 1);
        return 0;
    }
    count(batch, exchange, client, batch->begun_us);
    return length;
}

static void hand_over(struct batch *batch, int64_t begun_us)
{
    int64_t elapsed_us = clock_wall_us() - begun_us;

    querylog_hand_over(batch->log, elapsed_us < 0 ? 0 : (uint32_t)(elapsed_us / 1000));
}

void batch_end(struct batch *batch)
{
    if (batch->log != NULL)
        hand_over(batch, batch->begun_us);
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
        *path = (struct path){.destination = path->destination, .is_ipv6 = true};
}

/* Reads and decides a kept request anew. */
static struct exchange *decide_late(struct batch *batch,
                                    const struct pending_request *pending_request)
{
    struct exchange *exchange = deferred_restore(batch->deferred, pending_request);

    exchange->forward = batch->forward;
    exchange->rotation = batch->rotation++;
    exchange->is_deferred = false;
    respond_prepare(batch->snapshot, exchange);
    respond_decide(batch->snapshot, exchange);
    return exchange;
}

/*
 * Replies to a kept request and gives its room back, or lets it wait for another answer. `settled`
 * is for the question that it has waited for; NULL: nobody has answered that.
 */
static void reply_late(struct batch *batch, struct pending_request *pending_request,
                       const struct forward_result *settled)
{
    struct exchange *exchange = decide_late(batch, pending_request);
    size_t length = pursue(&(struct pursuit){.batch = batch,
                                             .exchange = exchange,
                                             .pending_request = pending_request,
                                             .settled = settled});

    if (exchange->is_deferred)
        return;
    count(batch, exchange, &pending_request->client.endpoint, pending_request->begun_us);
    if (batch->log != NULL)
        hand_over(batch, pending_request->begun_us);
    if (!pending_request->reply_sink->deliver(pending_request->reply_sink, &pending_request->client,
                                              exchange->reply, length))
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
        reply_late(batch, take_first(&waiters), found);
}

void batch_ask_again(struct batch *batch, struct waiter *waiters)
{
    while (waiters != NULL) {
        struct pending_request *pending_request = take_first(&waiters);
        pending_request->asks = 0; /* others are asked now */
        reply_late(batch, pending_request, NULL);
    }
}
