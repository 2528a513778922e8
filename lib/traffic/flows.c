#include "traffic/flows.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "traffic/static_addresses.h"

enum { TABLES = 2, MS_PER_SECOND = 1000 };

static const uint64_t turn_none = UINT64_MAX;

_Static_assert(sizeof(struct flow) == FLOW_OCTETS, "a flow is one cache line");

struct flows {
    flows_on_handed_over *on_handed_over;
    void *context;
    uint64_t now_ms;
    unsigned active; /* the worker's table */
    struct flow_table *tables[TABLES];
    _Atomic bool is_handed_over[TABLES];
    _Atomic uint64_t turns[TABLES]; /* of their snapshots; turn_none: unused */
    _Atomic bool is_requested;
};

/* ---- life ---- */

static struct flow_table *make_table(void)
{
    struct flow_table *table = aligned_alloc(FLOW_OCTETS, sizeof *table);

    _Static_assert(sizeof *table % FLOW_OCTETS == 0, "aligned_alloc wants whole lines");
    if (table != NULL)
        memset(table, 0, sizeof *table);
    return table;
}

struct flows *flows_new(flows_on_handed_over *on_handed_over, void *context)
{
    struct flows *flows = calloc(1, sizeof *flows);

    if (flows == NULL)
        return NULL;
    flows->on_handed_over = on_handed_over;
    flows->context = context;
    for (size_t i = 0; i < TABLES; i++) {
        flows->tables[i] = make_table();
        atomic_init(&flows->turns[i], turn_none);
    }
    if (flows->tables[0] != NULL && flows->tables[1] != NULL)
        return flows;
    flows_free(flows);
    return NULL;
}

void flows_free(struct flows *flows)
{
    if (flows == NULL)
        return;
    for (size_t i = 0; i < TABLES; i++)
        free(flows->tables[i]);
    free(flows);
}

static void empty(struct flow_table *table)
{
    for (uint32_t i = 0; i < table->used; i++)
        table->flows[table->slots[i]].count = 0;
    table->used = 0;
    table->outside = 0;
    table->names_length = 0;
    table->lost = 0;
    table->lost_until_ms = 0;
}

/* ---- losing ---- */

static void raise_lost_until(struct flow_table *table, uint64_t at_ms, uint32_t ttl_seconds)
{
    uint64_t until_ms = at_ms + (uint64_t)ttl_seconds * MS_PER_SECOND;

    if (until_ms > table->lost_until_ms)
        table->lost_until_ms = until_ms;
}

/* A coarse flow may be about any dyno of its app. */
static bool has_dyno(const struct snapshot *snapshot, const struct flow *flow)
{
    if (!flow->is_answered)
        return false;
    if (flow->owner == FLOW_HOST)
        return static_has_address(snapshot, flow->segment, &flow->segment->hosts[flow->number],
                                  flow->type);
    return flow->owner == FLOW_FORMATION || flow->owner == FLOW_DYNO || flow->is_coarse;
}

static bool verdict_has_dyno(const struct snapshot *snapshot, const struct flow_reply *reply)
{
    const struct verdict *verdict = reply->verdict;

    return verdict->formation != NULL || verdict->dyno != NULL ||
           (verdict->segment != NULL && verdict->host != NULL &&
            static_has_address(snapshot, verdict->segment, verdict->host, reply->type));
}

/* What no flow counts. */
static void lose(const struct flows *flows, struct flow_table *table,
                 const struct flow_reply *reply)
{
    bool is_answered = reply->rcode == 0 && reply->answer_count > 0;

    table->lost++;
    if (is_answered && verdict_has_dyno(table->snapshot, reply))
        raise_lost_until(table, flows->now_ms, reply->ttl_seconds);
}

/* Empties a table that nobody takes. */
static void lose_all(struct flow_table *table)
{
    uint64_t lost = table->lost;

    for (uint32_t i = 0; i < table->used; i++) {
        const struct flow *flow = &table->flows[table->slots[i]];
        lost += flow->count;
        if (has_dyno(table->snapshot, flow))
            raise_lost_until(table, table->begun_ms + flow->last_ms, flow->ttl_seconds);
    }
    uint64_t until_ms = table->lost_until_ms;
    empty(table);
    table->lost = lost;
    table->lost_until_ms = until_ms;
}

/* ---- handing over ---- */

/* Makes the other table the worker's. Returns false while the control thread has it. */
static bool hand_over(struct flows *flows)
{
    unsigned other = 1 - flows->active;

    if (atomic_load_explicit(&flows->is_handed_over[other], memory_order_acquire))
        return false;
    flows->tables[other]->snapshot = flows->tables[flows->active]->snapshot;
    atomic_store_explicit(&flows->turns[other],
                          atomic_load_explicit(&flows->turns[flows->active], memory_order_relaxed),
                          memory_order_release);
    atomic_store_explicit(&flows->is_handed_over[flows->active], true, memory_order_release);
    flows->active = other;
    atomic_store(&flows->is_requested, false); /* all that was counted by now is in it */
    flows->on_handed_over(flows->context);
    return true;
}

static bool has_some(const struct flow_table *table)
{
    return table->used > 0 || table->lost > 0;
}

void flows_adopt(struct flows *flows, const struct snapshot *snapshot)
{
    /* The numbers in flows are the former snapshot's; if nobody takes them, they are lost. */
    if (has_some(flows->tables[flows->active]) && !hand_over(flows))
        lose_all(flows->tables[flows->active]);
    flows->tables[flows->active]->snapshot = snapshot;
    atomic_store_explicit(&flows->turns[flows->active],
                          snapshot == NULL ? turn_none : snapshot->turn, memory_order_release);
}

bool flows_answer(struct flows *flows)
{
    if (!atomic_load(&flows->is_requested))
        return true;
    if (has_some(flows->tables[flows->active]))
        return hand_over(flows);
    atomic_store(&flows->is_requested, false);
    return true;
}

void flows_request(struct flows *flows)
{
    atomic_store(&flows->is_requested, true);
}

bool flows_is_requested(const struct flows *flows)
{
    return atomic_load(&flows->is_requested);
}

static unsigned handed_over(const struct flows *flows)
{
    for (unsigned i = 0; i < TABLES; i++)
        if (atomic_load_explicit(&flows->is_handed_over[i], memory_order_acquire))
            return i;
    return TABLES;
}

const struct flow_table *flows_take(struct flows *flows)
{
    unsigned taken = handed_over(flows);

    return taken < TABLES ? flows->tables[taken] : NULL;
}

void flows_return(struct flows *flows)
{
    unsigned taken = handed_over(flows);

    assert(taken < TABLES);
    empty(flows->tables[taken]);
    flows->tables[taken]->snapshot = NULL;
    atomic_store_explicit(&flows->turns[taken], turn_none, memory_order_release);
    atomic_store_explicit(&flows->is_handed_over[taken], false, memory_order_release);
}

uint64_t flows_oldest(const struct flows *flows)
{
    uint64_t oldest = turn_none;

    for (size_t i = 0; i < TABLES; i++) {
        uint64_t turn = atomic_load_explicit(&flows->turns[i], memory_order_acquire);
        oldest = turn < oldest ? turn : oldest;
    }
    return oldest;
}

/* ---- counting ---- */

/* True when it is to be taken, so that there is room for others. */
static bool is_filled(const struct flow_table *table)
{
    return table->used >= FLOWS_HANDED_OVER || table->names_length >= FLOW_NAMES_HANDED_OVER;
}

void flows_set_time(struct flows *flows, uint64_t now_ms)
{
    flows->now_ms = now_ms;
    if (is_filled(flows->tables[flows->active]))
        hand_over(flows); /* the other one may be empty again */
}

/* The first of the slots that a flow may be in. The hash of the name is secret. */
static uint32_t home_slot(uint64_t name_hash, uint32_t source, uint16_t type)
{
    uint64_t asked = (uint64_t)type << 32 | source;

    return (uint32_t)(hash_mix(name_hash ^ asked, 0x9e3779b97f4a7c15) % FLOWS);
}

void flows_prefetch(const struct flows *flows, const struct path *path, uint64_t name_hash,
                    uint16_t type)
{
    uint32_t slot = home_slot(name_hash, path->source, type);

    __builtin_prefetch(&flows->tables[flows->active]->flows[slot], 1);
}

static bool has_key(const struct flow *flow, const struct flow *key)
{
    return flow->name_hash == key->name_hash && flow->source == key->source &&
           flow->type == key->type && flow->rcode == key->rcode && flow->reason == key->reason &&
           flow->destination == key->destination && flow->interface == key->interface;
}

/* Finds the flow, or the empty slot for it. Returns NULL when all slots have other flows. */
static struct flow *find(struct flow_table *table, const struct flow *key)
{
    uint32_t slot = home_slot(key->name_hash, key->source, key->type);

    for (unsigned i = 0; i < FLOW_PROBES; i++) {
        struct flow *flow = &table->flows[(slot + i) % FLOWS];
        if (flow->count == 0 || has_key(flow, key))
            return flow;
    }
    return NULL;
}

/* Sets what the question was about; the most exact that is known. */
static void set_owner(struct flow *flow, const struct verdict *verdict)
{
    const struct segment *segment = verdict->segment;

    flow->segment = segment;
    flow->number = 0;
    flow->owner = segment == NULL ? FLOW_OTHER : FLOW_SPACE;
    if (segment == NULL)
        return;
    if (verdict->dyno != NULL) {
        flow->owner = FLOW_DYNO;
        flow->number = (uint32_t)(verdict->dyno - segment->dynos);
    } else if (verdict->formation != NULL) {
        flow->owner = FLOW_FORMATION;
        flow->number = (uint32_t)(verdict->formation - segment->formations);
    } else if (verdict->host != NULL) {
        flow->owner = FLOW_HOST;
        flow->number = (uint32_t)(verdict->host - segment->hosts);
    } else if (verdict->app != NULL) {
        flow->owner = FLOW_APP;
        flow->number = (uint32_t)(verdict->app - segment->apps);
    }
}

static void use_slot(struct flows *flows, struct flow_table *table, struct flow *flow)
{
    if (table->used == 0)
        table->begun_ms = flows->now_ms;
    assert(table->used < FLOWS_MOST);
    table->slots[table->used++] = (uint32_t)(flow - table->flows);
    flow->first_ms = (uint32_t)(flows->now_ms - table->begun_ms);
    flow->ttl_seconds = 0;
}

/* True when the table has room for a flow with its client and question. */
static bool has_room(const struct flow_table *table, const struct flow_reply *reply)
{
    return table->used < FLOWS_FINE &&
           FLOW_NAMES_OCTETS - table->names_length >= reply->name->length;
}

static void begin_flow(struct flows *flows, struct flow_table *table, struct flow *flow,
                       const struct flow *key, const struct flow_reply *reply)
{
    *flow = *key;
    use_slot(flows, table, flow);
    flow->name = table->names_length;
    memcpy(table->names + table->names_length, reply->name->octets, reply->name->length);
    table->names_length += reply->name->length;
    table->outside += reply->class == CLIENT_EXTERNAL;
    set_owner(flow, reply->verdict);
}

static void raise(const struct flows *flows, const struct flow_table *table, struct flow *flow,
                  const struct flow_reply *reply)
{
    flow->count++;
    flow->last_ms = (uint32_t)(flows->now_ms - table->begun_ms);
    if (reply->ttl_seconds > flow->ttl_seconds)
        flow->ttl_seconds = reply->ttl_seconds;
}

/* Counts a reply by app alone. Returns false when that is not possible either. */
static bool add_coarse(struct flows *flows, struct flow_table *table,
                       const struct flow_reply *reply)
{
    struct flow key = {.rcode = (uint8_t)reply->rcode,
                       .reason = (uint8_t)verdict_inner_reason(reply->verdict),
                       .class = reply->class,
                       .is_answered = reply->rcode == 0 && reply->answer_count > 0,
                       .is_coarse = true};

    if (reply->verdict->app == NULL || reply->verdict->segment == NULL)
        return false;
    set_owner(&key,
              &(struct verdict){.segment = reply->verdict->segment, .app = reply->verdict->app});
    /* No client asks for type 0, so this is no question's key. */
    key.name_hash = hash_mix((uint64_t)(uintptr_t)reply->verdict->app, 0xd6e8feb86659fd93);
    struct flow *flow = find(table, &key);
    if (flow == NULL || (flow->count == 0 && table->used == FLOWS_MOST))
        return false;
    if (flow->count == 0) {
        *flow = key;
        use_slot(flows, table, flow);
    }
    raise(flows, table, flow, reply);
    return true;
}

static void add(struct flows *flows, struct flow_table *table, const struct flow_reply *reply,
                const struct flow *key)
{
    struct flow *flow = find(table, key);

    if (flow != NULL && flow->count > 0) {
        raise(flows, table, flow, reply);
    } else if (flow != NULL && has_room(table, reply)) {
        begin_flow(flows, table, flow, key, reply);
        raise(flows, table, flow, reply);
        if (is_filled(table))
            hand_over(flows);
    } else if (!add_coarse(flows, table, reply)) {
        lose(flows, table, reply);
    }
}

static struct flow key_of(const struct flow_reply *reply)
{
    return (struct flow){.type = reply->type,
                         .rcode = reply->rcode < UINT8_MAX ? (uint8_t)reply->rcode : UINT8_MAX,
                         .reason = (uint8_t)verdict_inner_reason(reply->verdict),
                         .class = reply->class,
                         .is_answered = reply->rcode == 0 && reply->answer_count > 0};
}

/* Their names are not hashed otherwise, and are not here once they have used up their flows. */
static void add_outside(struct flows *flows, struct flow_table *table,
                        const struct flow_reply *reply)
{
    struct flow key = key_of(reply);

    if (table->outside >= FLOWS_OUTSIDE) {
        table->lost++;
        return;
    }
    key.name_hash = index_hash(&table->snapshot->index, reply->name);
    add(flows, table, reply, &key);
}

static void add_inside(struct flows *flows, struct flow_table *table,
                       const struct flow_reply *reply)
{
    struct flow key = key_of(reply);

    key.name_hash = reply->name_hash;
    key.source = reply->path->source;
    key.destination = reply->path->destination;
    key.interface = reply->path->interface;
    add(flows, table, reply, &key);
}

/* Raises the flow in the first slot, as `add` would. Returns false when it is another one. */
static inline bool raise_first(const struct flows *flows, struct flow_table *table,
                               const struct flow_reply *reply)
{
    const struct path *path = reply->path;
    struct flow *flow = &table->flows[home_slot(reply->name_hash, path->source, reply->type)];

    if (flow->count == 0 || flow->name_hash != reply->name_hash || flow->source != path->source ||
        flow->type != reply->type || flow->rcode != reply->rcode ||
        flow->reason != verdict_inner_reason(reply->verdict) ||
        flow->destination != path->destination || flow->interface != path->interface)
        return false;
    raise(flows, table, flow, reply);
    return true;
}

/* Out of line, because most replies are of a flow that stands in its first slot. */
__attribute__((noinline)) static void add_other(struct flows *flows, const struct flow_reply *reply)
{
    struct flow_table *table = flows->tables[flows->active];

    if (reply->class == CLIENT_EXTERNAL)
        add_outside(flows, table, reply);
    else
        add_inside(flows, table, reply);
}

void flows_add(struct flows *flows, const struct flow_reply *reply)
{
    if (reply->class == CLIENT_EXTERNAL || !raise_first(flows, flows->tables[flows->active], reply))
        add_other(flows, reply);
}

/* ---- reading ---- */

void flow_name(const struct flow_table *table, const struct flow *flow, struct name *name)
{
    struct reader in = reader_over(table->names + flow->name, table->names_length - flow->name);

    *name = (struct name){0};
    if (!flow->is_coarse)
        name_read(&in, name);
}

static const struct app_entry *app_of_host(const struct segment *segment, const struct host *host)
{
    return host->kind == HOST_RECORDS ? NULL : &segment->apps[host->owner];
}

const struct app_entry *flow_app(const struct flow *flow)
{
    const struct segment *segment = flow->segment;

    switch ((enum flow_owner)flow->owner) {
    case FLOW_APP:
        return &segment->apps[flow->number];
    case FLOW_HOST:
        return app_of_host(segment, &segment->hosts[flow->number]);
    case FLOW_FORMATION:
        return &segment->apps[segment->formations[flow->number].app];
    case FLOW_DYNO:
        return &segment->apps[segment_formation_of(segment, flow->number)->app];
    case FLOW_OTHER:
    case FLOW_SPACE:
        break;
    }
    return NULL;
}
