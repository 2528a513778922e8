#include "serve/batch.h"

#include <arpa/inet.h>

#include "base/clock.h"

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

/* Keeps the request and has its question asked. False, with `found`, when that cannot be. */
static bool defer(struct batch *batch, size_t number, struct carrier *carrier, struct found *found)
{
    struct exchange *exchange = &batch->exchanges[number];
    struct deferral *deferral = deferred_keep(batch->deferred, exchange);

    if (deferral == NULL) {
        forward_refuse(batch->forward, &exchange->question, found);
        return false;
    }
    if (!forward_ask(batch->forward, &exchange->question, exchange->verdict.route,
                     &deferral->waiter, found)) {
        deferred_drop(batch->deferred, deferral);
        return false;
    }
    deferral->begun_us = batch->begun_us;
    deferral->carrier = carrier;
    carrier->keep(carrier, number, &deferral->client);
    return true;
}

/* Writes what is kept, or has the question asked and writes nothing yet. */
static size_t forward_exchange(struct batch *batch, size_t number, struct carrier *carrier)
{
    struct exchange *exchange = &batch->exchanges[number];
    struct found found = {.failure = FORWARD_FAILING};

    exchange->is_deferred =
        batch->forward != NULL &&
        !forward_find(batch->forward, &exchange->question, exchange->verdict.route, &found) &&
        defer(batch, number, carrier, &found);
    return exchange->is_deferred ? 0 : respond_relay(batch->snapshot, exchange, &found);
}

size_t batch_finish(struct batch *batch, size_t number, const struct endpoint *client,
                    struct carrier *carrier)
{
    struct exchange *exchange = &batch->exchanges[number];
    size_t length;

    exchange->is_deferred = false;
    respond_decide(batch->snapshot, exchange);
    if (exchange->status == QUERY_READ && exchange->verdict.situation == SITUATION_FORWARD)
        length = forward_exchange(batch, number, carrier);
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
static struct exchange *decide_late(struct batch *batch, const struct deferral *deferral)
{
    struct exchange *exchange = deferred_restore(batch->deferred, deferral);

    exchange->forward = batch->forward;
    exchange->rotation = batch->rotation++;
    respond_prepare(batch->snapshot, exchange);
    respond_decide(batch->snapshot, exchange);
    return exchange;
}

static size_t write_late(const struct batch *batch, struct exchange *exchange,
                         const struct found *found)
{
    if (exchange->verdict.situation == SITUATION_FORWARD)
        return respond_relay(batch->snapshot, exchange, found);
    return respond_write(batch->snapshot, exchange); /* a reload has made the name ours */
}

/* Replies, and gives the deferral's room back. */
static void reply_late(struct batch *batch, struct deferral *deferral, struct exchange *exchange,
                       const struct found *found)
{
    size_t length = write_late(batch, exchange, found);

    count(batch, exchange, &deferral->client.endpoint, deferral->begun_us);
    if (batch->log != NULL)
        hand_over(batch, deferral->begun_us);
    if (!deferral->carrier->deliver(deferral->carrier, &deferral->client, exchange->reply, length))
        stats_count(batch->stats, COUNTER_FORWARD_LATE, 1);
    deferred_drop(batch->deferred, deferral);
}

static struct deferral *take_first(struct waiter **waiters)
{
    struct deferral *deferral = (struct deferral *)(void *)*waiters;

    *waiters = (*waiters)->next;
    return deferral;
}

void batch_on_found(void *context, struct waiter *waiters, const struct found *found)
{
    struct batch *batch = context;

    while (waiters != NULL) {
        struct deferral *deferral = take_first(&waiters);
        reply_late(batch, deferral, decide_late(batch, deferral), found);
    }
}

/* Returns false, with `found`, when there is something to reply at once. */
static bool ask_late(struct batch *batch, struct deferral *deferral,
                     const struct exchange *exchange, struct found *found)
{
    *found = (struct found){.failure = FORWARD_FAILING};
    return exchange->verdict.situation == SITUATION_FORWARD && batch->forward != NULL &&
           !forward_find(batch->forward, &exchange->question, exchange->verdict.route, found) &&
           forward_ask(batch->forward, &exchange->question, exchange->verdict.route,
                       &deferral->waiter, found);
}

void batch_ask_again(struct batch *batch, struct waiter *waiters)
{
    struct found found;

    while (waiters != NULL) {
        struct deferral *deferral = take_first(&waiters);
        struct exchange *exchange = decide_late(batch, deferral);
        if (!ask_late(batch, deferral, exchange, &found))
            reply_late(batch, deferral, exchange, &found);
    }
}
