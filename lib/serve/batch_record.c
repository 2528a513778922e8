#include "serve/batch_record.h"

#include "base/clock.h"
#include "serve/tapping.h"

enum { TC_OCTET = 2, TC_BIT = FLAG_TC >> 8, NS_PER_US = 1000 };

static const enum counter cookie_counters[] = {
    [COOKIE_NEW] = COUNTER_COOKIES_NEW,
    [COOKIE_WRONG] = COUNTER_COOKIES_WRONG,
    [COOKIE_RIGHT] = COUNTER_COOKIES_RIGHT,
};

static void count_flow(struct batch *batch, const struct exchange *exchange,
                       enum client_class class)
{
    if (batch->flows == NULL || batch->snapshot == NULL || exchange->status != QUERY_READ)
        return;
    flows_add(batch->flows, &(struct flow_reply){.path = &exchange->path,
                                                 .name = &exchange->query.name,
                                                 .name_hash = exchange->hash,
                                                 .verdict = &exchange->verdict,
                                                 .ttl_seconds = exchange->ttl_seconds,
                                                 .type = exchange->query.type,
                                                 .rcode = exchange->rcode,
                                                 .answer_count = exchange->answer_count,
                                                 .class = (uint8_t) class});
}

static void count_particulars(struct batch *batch, const struct exchange *exchange)
{
    if ((exchange->reply[TC_OCTET] & TC_BIT) != 0 &&
        exchange->verdict.situation != SITUATION_OUTSIDER_LIMITED)
        stats_count(batch->stats, COUNTER_TRUNCATED, 1);
    if (exchange->verdict.reason == REASON_REBIND)
        stats_count(batch->stats, COUNTER_FORWARD_REBINDS, 1);
    if (exchange->cookie != COOKIE_NONE)
        stats_count(batch->stats, cookie_counters[exchange->cookie], 1);
    if (exchange->verdict.situation == SITUATION_NO_WEB &&
        exchange->ttl_seconds > exchange->verdict.segment->negative_ttl_seconds)
        stats_count(batch->stats, COUNTER_NEGATIVE_RAISED, 1);
}

/* The time of day at a time of the monotonic clock. */
static int64_t wall_us_at(const struct batch *batch, uint64_t time_ns)
{
    return (int64_t)(time_ns / NS_PER_US) + batch->wall_ahead_us;
}

/* Most replies are not logged: nobody wants more than some hundred a second. */
static void log_reply(struct batch *batch, const struct exchange *exchange, enum reason reason,
                      const struct endpoint *client, uint64_t begun_ns)
{
    enum querylog_kind kind = querylog_kind_of(reason, exchange->rcode);

    const struct querylog_source source = {
        .snapshot = batch->snapshot, .exchange = exchange, .client = client};

    if (batch->log == NULL || !querylog_ring_wants(batch->log, kind, &source))
        return;
    if (!querylog_ring_add(batch->log, batch->snapshot, exchange, kind, client,
                           wall_us_at(batch, begun_ns)))
        stats_count(batch->stats, COUNTER_QUERYLOG_DROPPED, 1);
}

/* The time of day when the replies were ready, which is read once in a batch. */
static int64_t read_answered(struct batch *batch)
{
    if (batch->answered_ns == 0)
        batch->answered_ns = clock_monotonic_ns();
    return wall_us_at(batch, batch->answered_ns);
}

/* Of one request in `dnstap_sample`; `length` is the reply's, 0 without one. */
static void send_to_tap(struct batch *batch, const struct exchange *exchange,
                        const struct endpoint *client, uint64_t begun_ns, size_t length)
{
    if (batch->tap == NULL || !tap_takes_next(batch->tap))
        return;
    const struct tapped tapped = {.client = client,
                                  .begun_us = wall_us_at(batch, begun_ns),
                                  .answered_us = length == 0 ? 0 : read_answered(batch),
                                  .length = length};
    if (!tapping_send(batch->tap, &batch->tap_origin, exchange, &tapped))
        stats_count(batch->stats, COUNTER_DNSTAP_DROPPED, 1);
}

void batch_record_reply(struct batch *batch, const struct exchange *exchange,
                        const struct endpoint *client, uint64_t begun_ns)
{
    enum client_class class = client_class(&exchange->client);
    enum reason reason = verdict_inner_reason(&exchange->verdict);

    count_particulars(batch, exchange);
    stats_count_reply(batch->stats, &(struct stats_reply){.class = class,
                                                          .transport = exchange->transport,
                                                          .rcode = exchange->rcode,
                                                          .reason = reason});
    count_flow(batch, exchange, class);
    log_reply(batch, exchange, reason, client, begun_ns);
    send_to_tap(batch, exchange, client, begun_ns, exchange->reply_length);
}

void batch_record_dropped(struct batch *batch, const struct exchange *exchange,
                          const struct endpoint *client)
{
    if (exchange->is_limited)
        send_to_tap(batch, exchange, client, batch->begun_ns, 0);
    else
        stats_count(batch->stats, COUNTER_DROPPED, 1);
}
