#include "serve/querylog_ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t second_ns = 1000000000;

bool querylog_ring_init(struct querylog_ring *ring, struct querylog_wants *wants)
{
    ring->wants = wants;
    ring->records = calloc(QUERYLOG_RECORDS, sizeof *ring->records);
    if (ring->records == NULL)
        return false;
    querylog_ring_refill(ring);
    return true;
}

void querylog_ring_close(struct querylog_ring *ring)
{
    free(ring->records);
}

void querylog_ring_refill(struct querylog_ring *ring)
{
    const struct querylog_wants *wants = ring->wants;

    ring->version = atomic_load_explicit(&wants->version, memory_order_acquire);
    for (unsigned kind = 0; kind < QUERYLOG_KINDS; kind++) {
        ring->left[kind] = atomic_load_explicit(&wants->rates[kind], memory_order_relaxed);
        ring->is_urgent[kind] = atomic_load_explicit(&wants->is_urgent[kind], memory_order_relaxed);
    }
    ring->second_ends_ns = ring->now_ns + second_ns;
}

/* ---- adding ---- */

static struct querylog_record *claim(struct querylog_ring *ring)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);

    assert(ring->added - written <= QUERYLOG_RECORDS);
    if (ring->added - written == QUERYLOG_RECORDS) {
        uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
        atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_relaxed);
        return NULL;
    }
    if (ring->added - written >= QUERYLOG_RECORDS / 2)
        ring->must_wake = true;
    return &ring->records[ring->added++ % QUERYLOG_RECORDS];
}

static uint8_t copy_text(char *to, size_t room, const char *from, size_t length)
{
    if (length > room)
        length = room;
    memcpy(to, from, length);
    return (uint8_t)length;
}

static void copy_owner(struct querylog_record *record, const struct snapshot *snapshot,
                       const struct exchange *exchange)
{
    const struct verdict *verdict = &exchange->verdict;
    const struct segment *segment = verdict->segment;

    /* A name of no space: the client's own space shows where the question came from. */
    if (segment == NULL && exchange->client.count > 0)
        segment = snapshot->segments[exchange->client.memberships[0].segment];
    record->space_length = 0;
    record->app_length = 0;
    if (segment != NULL)
        record->space_length =
            copy_text(record->space, sizeof record->space, segment->name, strlen(segment->name));
    if (verdict->segment != NULL && verdict->app != NULL)
        record->app_length = copy_text(record->app, sizeof record->app,
                                       segment_text(verdict->segment, verdict->app->name),
                                       verdict->app->name_length);
}

static void copy_upstream(struct querylog_record *record, const struct exchange *exchange)
{
    const char *upstream = exchange->upstream;
    bool is_known = exchange->upstream_use != UPSTREAM_UNUSED && upstream != NULL;

    record->upstream_use = (uint8_t)exchange->upstream_use;
    record->upstream_length =
        is_known ? copy_text(record->upstream, sizeof record->upstream, upstream, strlen(upstream))
                 : 0;
}

static void copy_question(struct querylog_record *record, const struct exchange *exchange)
{
    const struct query *query = &exchange->query;
    bool is_readable = exchange->status == QUERY_READ || exchange->status == QUERY_VERSION;

    record->name_length = is_readable ? query->name.length : 0;
    record->type = is_readable ? query->type : 0;
    memcpy(record->name, query->name.octets, record->name_length);
}

bool querylog_ring_add(struct querylog_ring *ring, const struct snapshot *snapshot,
                       const struct exchange *exchange, enum querylog_kind kind,
                       const struct endpoint *client, int64_t wall_us)
{
    struct querylog_record *record = claim(ring);

    if (record == NULL)
        return false;
    record->wall_us = wall_us;
    record->added_ns = ring->now_ns;
    record->ttl_seconds = exchange->ttl_seconds;
    record->client = *client;
    record->rcode = exchange->rcode;
    record->answer_count = exchange->answer_count;
    record->reply_octets = (uint16_t)exchange->reply_length;
    record->kind = (uint8_t)kind;
    record->transport = (uint8_t)exchange->transport;
    record->class = (uint8_t)client_class(&exchange->client);
    record->reason = (uint8_t)verdict_inner_reason(&exchange->verdict);
    copy_owner(record, snapshot, exchange);
    copy_upstream(record, exchange);
    copy_question(record, exchange);
    ring->must_wake = ring->must_wake || ring->is_urgent[kind];
    return true;
}

void querylog_ring_hand_over(struct querylog_ring *ring, uint32_t service_ms)
{
    static const uint64_t one = 1;
    struct querylog_wants *wants = ring->wants;
    size_t filled = atomic_load_explicit(&ring->filled, memory_order_relaxed);

    if (filled == ring->added)
        return;
    for (; filled != ring->added; filled++)
        ring->records[filled % QUERYLOG_RECORDS].service_ms = service_ms;
    /*
     * Sequentially consistent with the log's last check before it sleeps: one side sees the other.
     */
    atomic_store(&ring->filled, filled);
    if (!ring->must_wake)
        return;
    ring->must_wake = false;
    if (atomic_load(&wants->is_asleep) && atomic_exchange(&wants->is_asleep, false))
        (void)!write(wants->bell, &one, sizeof one);
}
