#include "answer/access.h"

#include <stdlib.h>
#include <string.h>

static const struct cidr loopback = {.address = 0x7f000000, .bits = 8};

/* The system's numbers of interfaces are positive ints. */
static const uint32_t no_interface = 0x80000000;

/* A block of one membership in one view. */
struct access_span {
    uint32_t first;
    uint32_t last; /* inclusive */
    struct membership membership;
};

/* A point where the set of memberships changes. */
struct edge {
    uint64_t at; /* 64 bits, for the end after 255.255.255.255 */
    uint32_t span;
    bool opens;
};

struct access_spans {
    struct access_span *items;
    size_t count;
    size_t capacity;
    bool failed;
    const struct access *access;
    uint32_t device;  /* whose connections are added, besides those without one; ENTRY_NONE: none */
    uint64_t devices; /* bit n: some connection names device n */
};

_Static_assert(DEVICES_MOST <= 64, "a bit for each device");

static void add_span(struct access_spans *spans, struct cidr block, struct membership membership)
{
    if (spans->count == spans->capacity) {
        size_t wider = spans->capacity == 0 ? 64 : 2 * spans->capacity;
        struct access_span *moved = realloc(spans->items, wider * sizeof *moved);
        if (moved == NULL) {
            spans->failed = true;
            return;
        }
        spans->items = moved;
        spans->capacity = wider;
    }
    membership.block = block;
    spans->items[spans->count++] = (struct access_span){
        .first = cidr_first(block), .last = cidr_last(block), .membership = membership};
}

static uint32_t find_device(const struct access *access, const char *name)
{
    for (uint32_t i = 0; i < access->device_count; i++)
        if (strcmp(access->devices[i], name) == 0)
            return i;
    return ENTRY_NONE;
}

/* True if the connection lets in what comes by the device whose blocks are being added. */
static bool lets_in(struct access_spans *spans, const struct connection *connection)
{
    if (!connection->grants || connection->device == NULL)
        return connection->grants;
    uint32_t device = find_device(spans->access, connection->device);
    if (device == ENTRY_NONE)
        return false;
    spans->devices |= (uint64_t)1 << device;
    return device == spans->device;
}

static void add_segment(struct access_spans *spans, const struct segment *segment, uint16_t number,
                        const struct local_access *local)
{
    struct membership member = {.segment = number, .class = CLIENT_SPACE, .connection = ENTRY_NONE};

    add_span(spans, segment->cidr, member);
    for (size_t i = 0; i < local->space_count; i++)
        if (strcmp(local->spaces[i], segment->name) == 0)
            add_span(spans, loopback, member);
    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        member.class = connection->kind == CONNECTION_PEERING ? CLIENT_PEERED : CLIENT_VPN;
        member.connection = (uint32_t)i;
        bool is_let_in = lets_in(spans, connection);
        for (size_t j = 0; j < connection->block_count && is_let_in; j++)
            add_span(spans, connection->blocks[j], member);
    }
}

bool access_shows(const struct segment *segment, uint32_t address)
{
    for (size_t i = 0; i < segment->listen_count; i++)
        if (segment->listen[i] == address)
            return true;
    return segment->listen_count == 0 && address == 0;
}

static int compare_edges(const void *a, const void *b)
{
    const struct edge *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return left->span < right->span ? -1 : left->span > right->span;
}

static int compare_memberships(const void *a, const void *b)
{
    const struct membership *left = a, *right = b;
    if (left->segment != right->segment)
        return left->segment - right->segment;
    return left->class - right->class;
}

/* A view being built. */
struct sweep {
    struct arena *arena;
    const struct access_spans *spans;
    uint32_t *open; /* spans that cover the current address */
    size_t open_count;
    uint32_t *starts;
    struct membership_set *sets;
    struct membership *memberships;
    size_t range_count, membership_count, membership_capacity;
};

static void open_or_close(struct sweep *sweep, const struct edge *edge)
{
    if (edge->opens) {
        sweep->open[sweep->open_count++] = edge->span;
        return;
    }
    for (size_t i = 0; i < sweep->open_count; i++) {
        if (sweep->open[i] == edge->span) {
            sweep->open[i] = sweep->open[--sweep->open_count];
            return;
        }
    }
}

/* Writes the range that begins at `start`: one membership per open space, the closest class. */
static bool write_range(struct sweep *sweep, uint32_t start)
{
    size_t first = sweep->membership_count, kept = 0;

    for (size_t i = 0; i < sweep->open_count; i++) {
        struct membership *grown = arena_grow(sweep->arena, sweep->memberships, first + i,
                                              &sweep->membership_capacity, sizeof *grown);
        if (grown == NULL)
            return false;
        sweep->memberships = grown;
        grown[first + i] = sweep->spans->items[sweep->open[i]].membership;
    }
    struct membership *set = sweep->memberships + first;
    if (sweep->open_count > 0)
        qsort(set, sweep->open_count, sizeof *set, compare_memberships);
    for (size_t i = 0; i < sweep->open_count; i++)
        if (i == 0 || set[i].segment != set[kept - 1].segment)
            set[kept++] = set[i];
    sweep->membership_count += kept;
    sweep->starts[sweep->range_count] = start;
    sweep->sets[sweep->range_count++] =
        (struct membership_set){.first = (uint32_t)first, .count = (uint32_t)kept};
    return true;
}

static bool sweep_edges(struct sweep *sweep, const struct edge *edges, size_t count)
{
    if ((count == 0 || edges[0].at > 0) && !write_range(sweep, 0))
        return false;
    for (size_t i = 0; i < count; i++) {
        open_or_close(sweep, &edges[i]);
        bool is_last_here = i + 1 == count || edges[i + 1].at != edges[i].at;
        if (is_last_here && edges[i].at <= UINT32_MAX && !write_range(sweep, (uint32_t)edges[i].at))
            return false;
    }
    return true;
}

static bool build_view(struct arena *arena, const struct access_spans *spans, struct view *view)
{
    size_t count = 2 * spans->count;
    struct edge *edges = malloc((count + 1) * sizeof *edges);
    struct sweep sweep = {
        .arena = arena,
        .spans = spans,
        .open = malloc((spans->count + 1) * sizeof(uint32_t)),
        .starts = arena_take(arena, (count + 1) * sizeof(uint32_t)),
        .sets = arena_take(arena, (count + 1) * sizeof(struct membership_set)),
        .memberships = arena_take(arena, sizeof(struct membership)),
        .membership_capacity = 1,
    };
    bool built = edges != NULL && sweep.open != NULL && sweep.starts != NULL &&
                 sweep.sets != NULL && sweep.memberships != NULL;

    for (size_t i = 0; i < spans->count && built; i++) {
        const struct access_span *span = &spans->items[i];
        edges[2 * i] = (struct edge){.at = span->first, .span = (uint32_t)i, .opens = true};
        edges[2 * i + 1] = (struct edge){.at = (uint64_t)span->last + 1, .span = (uint32_t)i};
    }
    if (built) {
        qsort(edges, count, sizeof *edges, compare_edges);
        built = sweep_edges(&sweep, edges, count);
    }
    view->range_count = (uint32_t)sweep.range_count;
    view->starts = sweep.starts;
    view->sets = sweep.sets;
    view->memberships = sweep.memberships;
    free(sweep.open);
    free(edges);
    return built;
}

static int compare_addresses(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

/* The destination addresses that need their own view, sorted, 0 ("all others") first. */
static uint32_t *list_addresses(const struct segment *const *segments, size_t count,
                                size_t *address_count)
{
    size_t total = 1, kept = 0;
    for (size_t i = 0; i < count; i++)
        total += segments[i] == NULL ? 0 : segments[i]->listen_count;
    uint32_t *addresses = calloc(total, sizeof *addresses);
    if (addresses == NULL)
        return NULL;
    size_t at = 1;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; segments[i] != NULL && j < segments[i]->listen_count; j++)
            addresses[at++] = segments[i]->listen[j];
    qsort(addresses, total, sizeof *addresses, compare_addresses);
    for (size_t i = 0; i < total; i++)
        if (i == 0 || addresses[i] != addresses[kept - 1])
            addresses[kept++] = addresses[i];
    *address_count = kept;
    return addresses;
}

/* ---- devices ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names a device once. Beyond DEVICES_MOST (a finding) it lets nobody in. */
static void add_name(const char **names, uint32_t *count, const struct connection *connection)
{
    if (!connection->grants || connection->device == NULL || *count == DEVICES_MOST)
        return;
    for (uint32_t i = 0; i < *count; i++)
        if (strcmp(names[i], connection->device) == 0)
            return;
    names[(*count)++] = connection->device;
}

static bool list_devices(struct access *access, const struct segment *const *segments, size_t count)
{
    const char *names[DEVICES_MOST];
    uint32_t found = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; segments[i] != NULL && j < segments[i]->connection_count; j++)
            add_name(names, &found, &segments[i]->connections[j]);
    if (found == 0)
        return true;
    qsort(names, found, sizeof names[0], compare_names);
    const char **kept = arena_take(access->arena, found * sizeof *kept);
    access->interfaces = calloc(found, sizeof *access->interfaces);
    if (kept == NULL || access->interfaces == NULL)
        return false;
    for (uint32_t i = 0; i < found; i++) {
        kept[i] = arena_text(access->arena, names[i], strlen(names[i]));
        if (kept[i] == NULL)
            return false;
        atomic_init(&access->interfaces[i], no_interface | i);
    }
    access->devices = kept;
    access->device_count = found;
    return true;
}

uint32_t access_interface(const struct access *access, const char *device)
{
    uint32_t found = find_device(access, device);

    return found == ENTRY_NONE
               ? no_interface | DEVICES_MOST
               : atomic_load_explicit(&access->interfaces[found], memory_order_relaxed);
}

const char *access_device(const struct access *access, uint32_t interface)
{
    for (uint32_t i = 0; i < access->device_count; i++)
        if (atomic_load_explicit(&access->interfaces[i], memory_order_relaxed) == interface)
            return access->devices[i];
    return NULL;
}

bool access_set_interface(const struct access *access, uint32_t device, uint32_t interface)
{
    uint32_t number = interface == 0 ? no_interface | device : interface;

    return atomic_exchange_explicit(&access->interfaces[device], number, memory_order_relaxed) !=
           number;
}

bool access_has_interface(const struct access *access, uint32_t device)
{
    return atomic_load_explicit(&access->interfaces[device], memory_order_relaxed) < no_interface;
}

/* Not inlined: who has no devices does without its registers. */
__attribute__((noinline)) const struct view *
view_by_interface(const struct access *access, const struct view *view, uint32_t interface)
{
    for (uint32_t i = 0; i < view->device_count; i++) {
        const struct view *by_device = &view->device_views[i];
        if (atomic_load_explicit(&access->interfaces[by_device->device], memory_order_relaxed) ==
            interface)
            return by_device;
    }
    return view;
}

/* ---- all views ---- */

/* What the views are built from. */
struct sources {
    const struct segment *const *segments;
    size_t count;
    const struct local_access *local;
};

/* Builds the view of an address and a device; ENTRY_NONE: of no device. */
static bool build_one(struct access *access, const struct sources *sources,
                      struct access_spans *spans, struct view *view)
{
    spans->count = 0;
    for (size_t i = 0; i < sources->count; i++)
        if (sources->segments[i] != NULL && access_shows(sources->segments[i], view->address))
            add_segment(spans, sources->segments[i], (uint16_t)i, sources->local);
    return !spans->failed && build_view(access->arena, spans, view);
}

/* Builds the view of an address, and one for each device that its connections name. */
static bool build_all(struct access *access, const struct sources *sources,
                      struct access_spans *spans, struct view *view)
{
    spans->device = ENTRY_NONE;
    spans->devices = 0;
    if (!build_one(access, sources, spans, view))
        return false;
    unsigned named = (unsigned)__builtin_popcountll(spans->devices);
    if (named == 0)
        return true;
    struct view *views = arena_take(access->arena, named * sizeof *views);
    if (views == NULL)
        return false;
    for (uint32_t device = 0; device < access->device_count; device++) {
        if ((spans->devices >> device & 1) == 0)
            continue;
        struct view *own = &views[view->device_count++];
        *own = (struct view){.address = view->address, .device = device};
        spans->device = device;
        if (!build_one(access, sources, spans, own))
            return false;
    }
    view->device_views = views;
    return true;
}

bool access_build(struct access *access, const struct segment *const *segments, size_t count,
                  const struct local_access *local)
{
    const struct sources sources = {.segments = segments, .count = count, .local = local};
    struct access_spans spans = {.access = access};
    struct view *views = NULL;
    size_t view_count = 0;
    uint32_t *addresses = list_addresses(segments, count, &view_count);
    bool built = false;

    *access = (struct access){.arena = arena_new()};
    if (addresses == NULL || access->arena == NULL)
        goto out;
    views = arena_take(access->arena, view_count * sizeof *views);
    built = views != NULL && list_devices(access, segments, count);
    for (size_t i = 0; i < view_count && built; i++) {
        views[i] = (struct view){.address = addresses[i]};
        built = build_all(access, &sources, &spans, &views[i]);
    }
    access->views = views;
    access->view_count = view_count;
out:
    free(addresses);
    free(spans.items);
    if (!built)
        access_close(access);
    return built;
}

void access_close(struct access *access)
{
    arena_free(access->arena);
    free(access->interfaces);
    *access = (struct access){.arena = NULL};
}

static bool is_same_block(struct cidr a, struct cidr b)
{
    return a.address == b.address && a.bits == b.bits;
}

uint32_t membership_line(const struct segment *segment, const struct membership *membership)
{
    if (membership->connection == ENTRY_NONE)
        return is_same_block(membership->block, segment->cidr) ? segment->cidr_line : 0;
    const struct connection *connection = &segment->connections[membership->connection];
    for (size_t i = 0; i < connection->block_count; i++)
        if (is_same_block(connection->blocks[i], membership->block))
            return connection->block_lines[i];
    return connection->at.line;
}

const struct view *access_view(const struct access *access, uint32_t destination)
{
    size_t low = 1, high = access->view_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (access->views[middle].address == destination)
            return &access->views[middle];
        if (access->views[middle].address < destination)
            low = middle + 1;
        else
            high = middle;
    }
    return &access->views[0];
}
