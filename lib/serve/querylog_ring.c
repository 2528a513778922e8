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

/* Copies the picks that have changed. Returns false when that would have to wait. */
static bool refill_picks(struct querylog_ring *ring, unsigned version)
{
    if (ring->version == version)
        return true;
    if (!querylog_picks_copy(&ring->wants->picks, ring->picks))
        return false;
    ring->picks_end = QUERYLOG_PICKS;
    while (ring->picks_end > 0 && !ring->picks[ring->picks_end - 1].is_used)
        ring->picks_end--;
    return true;
}

void querylog_ring_refill(struct querylog_ring *ring)
{
    const struct querylog_wants *wants = ring->wants;
    unsigned version = atomic_load_explicit(&wants->version, memory_order_acquire);

    if (refill_picks(ring, version))
        ring->version = version;
    for (size_t i = 0; i < QUERYLOG_PICKS; i++)
        ring->picks_left[i] = QUERYLOG_PICK_RATE;
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

/* The space and the app of a reply. */
static struct querylog_facts owner_of(const struct snapshot *snapshot,
                                      const struct exchange *exchange)
{
    const struct verdict *verdict = &exchange->verdict;
    const struct segment *segment = verdict->segment;
    struct querylog_facts facts = {.space = "", .app = ""};

    /* A name of no space: the client's own space shows where the question came from. */
    if (segment == NULL && exchange->client.count > 0)
        segment = snapshot->segments[exchange->client.memberships[0].segment];
    if (segment != NULL) {
        facts.space = segment->name;
        facts.space_length = strnlen(segment->name, QUERYLOG_SPACE_OCTETS);
    }
    if (verdict->segment != NULL && verdict->app != NULL) {
        facts.app = segment_text(verdict->segment, verdict->app->name);
        facts.app_length = verdict->app->name_length < QUERYLOG_APP_OCTETS
                               ? verdict->app->name_length
                               : QUERYLOG_APP_OCTETS;
    }
    return facts;
}

static void copy_owner(struct querylog_record *record, const struct snapshot *snapshot,
                       const struct exchange *exchange)
{
    const struct querylog_facts owner = owner_of(snapshot, exchange);

    record->space_length =
        copy_text(record->space, sizeof record->space, owner.space, owner.space_length);
    record->app_length = copy_text(record->app, sizeof record->app, owner.app, owner.app_length);
}

/* Takes one of the filter's share in this second; false: it is counted for it. */
static bool take_pick(struct querylog_ring *ring, size_t number)
{
    if (ring->picks_left[number] > 0) {
        ring->picks_left[number]--;
        return true;
    }
    uint64_t skipped = atomic_load_explicit(&ring->picks_skipped[number], memory_order_relaxed);
    atomic_store_explicit(&ring->picks_skipped[number], skipped + 1, memory_order_relaxed);
    return false;
}

/* False for most replies, of which nothing else need be known then. */
static bool may_pass(const struct querylog_pick *pick, enum querylog_kind kind,
                     const struct verdict *verdict)
{
    return pick->is_used && querylog_filter_takes(&pick->filter, kind) &&
           (pick->filter.app == NULL ||
            (verdict->app != NULL && verdict->app->name_length == pick->app_length));
}

bool querylog_ring_picks(struct querylog_ring *ring, enum querylog_kind kind,
                         const struct querylog_source *source)
{
    const struct verdict *verdict = &source->exchange->verdict;
    bool is_picked = false;

    for (size_t i = 0; i < ring->picks_end; i++) {
        if (!may_pass(&ring->picks[i], kind, verdict))
            continue;
        struct querylog_facts facts = owner_of(source->snapshot, source->exchange);
        facts.kind = kind;
        facts.reason = verdict_inner_reason(verdict);
        facts.client = source->client;
        if (querylog_filter_takes_facts(&ring->picks[i].filter, &facts))
            is_picked = take_pick(ring, i) || is_picked;
    }
    return is_picked;
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
