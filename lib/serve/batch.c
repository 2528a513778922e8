#include "serve/batch.h"

#include <arpa/inet.h>

#include "base/clock.h"

enum { TC_OCTET = 2, TC_BIT = FLAG_TC >> 8 };

void batch_adopt(struct batch *batch)
{
    if (mailbox_collect(batch->mailbox, &batch->snapshot))
        batch->on_adopted(batch->context);
}

void batch_begin(struct batch *batch)
{
    batch_adopt(batch);
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

size_t batch_finish(struct batch *batch, size_t number, const struct endpoint *client)
{
    struct exchange *exchange = &batch->exchanges[number];
    size_t length = respond_finish(batch->snapshot, exchange);

    if (length == 0) {
        stats_count(batch->stats, COUNTER_DROPPED, 1);
        return 0;
    }
    if ((exchange->reply[TC_OCTET] & TC_BIT) != 0)
        stats_count(batch->stats, COUNTER_TRUNCATED, 1);
    stats_count_reply(batch->stats, exchange->rcode, exchange->verdict.reason);
    if (batch->log != NULL &&
        !querylog_add(batch->log, batch->snapshot, exchange, client, batch->begun_us))
        stats_count(batch->stats, COUNTER_QUERYLOG_DROPPED, 1);
    return length;
}

void batch_end(struct batch *batch)
{
    if (batch->log == NULL)
        return;
    int64_t elapsed_us = clock_wall_us() - batch->begun_us;
    querylog_hand_over(batch->log, elapsed_us < 0 ? 0 : (uint32_t)(elapsed_us / 1000));
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
