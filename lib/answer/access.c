#include "answer/access.h"

#include <stdlib.h>
#include <string.h>

#include "answer/access_ranges.h"

static const struct cidr loopback = {.address = 0x7f000000, .bits = 8};

/* The system's numbers of interfaces are positive ints. */
static const uint32_t no_interface = 0x80000000;

/* The blocks of a view that is being built. */
struct view_blocks {
    const struct access *access;
    struct spans spans;
    uint32_t device;  /* whose connections are added, besides those without one; ENTRY_NONE: none */
    uint64_t devices; /* bit n: some connection names device n */
};

_Static_assert(DEVICES_MOST <= 64, "a bit for each device");

static uint32_t find_device(const struct access *access, const char *name)
{
    for (uint32_t i = 0; i < access->device_count; i++)
        if (strcmp(access->devices[i], name) == 0)
            return i;
    return ENTRY_NONE;
}

/* True if the connection lets in what comes by the device whose blocks are being added. */
static bool lets_in(struct view_blocks *blocks, const struct connection *connection)
{
    if (!connection->grants || connection->device == NULL)
        return connection->grants;
    uint32_t device = find_device(blocks->access, connection->device);
    if (device == ENTRY_NONE)
        return false;
    blocks->devices |= (uint64_t)1 << device;
    return device == blocks->device;
}

static void add_segment(struct view_blocks *blocks, const struct segment *segment, uint16_t number,
                        const struct local_access *local)
{
    struct membership member = {.segment = number, .class = CLIENT_SPACE, .connection = ENTRY_NONE};

    spans_add(&blocks->spans, segment->cidr, member);
    for (size_t i = 0; i < local->space_count; i++)
        if (strcmp(local->spaces[i], segment->name) == 0)
            spans_add(&blocks->spans, loopback, member);
    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        member.class = connection->kind == CONNECTION_PEERING ? CLIENT_PEERED : CLIENT_VPN;
        member.connection = (uint32_t)i;
        bool is_let_in = lets_in(blocks, connection);
        for (size_t j = 0; j < connection->block_count && is_let_in; j++)
            spans_add(&blocks->spans, connection->blocks[j], member);
    }
}

bool access_shows(const struct segment *segment, uint32_t address)
{
    for (size_t i = 0; i < segment->listen_count; i++)
        if (segment->listen[i] == address)
            return true;
    return segment->listen_count == 0 && address == 0;
}

/* ---- who is seen where ---- */

/* A segment that clients at a destination address see; 0 for all other addresses. */
struct sighting {
    uint32_t address;
    uint16_t segment;
};

static int compare_sightings(const void *a, const void *b)
{
    const struct sighting *left = a, *right = b;
    if (left->address != right->address)
        return left->address < right->address ? -1 : 1;
    return left->segment - right->segment;
}

/* Returns all sightings, sorted, which the caller frees; NULL without memory. */
static struct sighting *list_sightings(const struct segment *const *segments, size_t count,
                                       size_t *sighting_count)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        if (segments[i] != NULL)
            total += segments[i]->listen_count == 0 ? 1 : segments[i]->listen_count;
    struct sighting *sightings = malloc((total + 1) * sizeof *sightings);
    if (sightings == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (segments[i] == NULL)
            continue;
        if (segments[i]->listen_count == 0)
            sightings[at++] = (struct sighting){.address = 0, .segment = (uint16_t)i};
        for (size_t j = 0; j < segments[i]->listen_count; j++)
            sightings[at++] =
                (struct sighting){.address = segments[i]->listen[j], .segment = (uint16_t)i};
    }
    qsort(sightings, total, sizeof *sightings, compare_sightings);
    *sighting_count = total;
    return sightings;
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
    access->interfaces =
        calloc(1, sizeof *access->interfaces + found * sizeof access->interfaces->numbers[0]);
    if (kept == NULL || access->interfaces == NULL)
        return false;
    access->interfaces->holds = 1;
    for (uint32_t i = 0; i < found; i++) {
        kept[i] = arena_text(access->arena, names[i], strlen(names[i]));
        if (kept[i] == NULL)
            return false;
        atomic_init(&access->interfaces->numbers[i], no_interface | i);
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
               : atomic_load_explicit(&access->interfaces->numbers[found], memory_order_relaxed);
}

const char *access_device(const struct access *access, uint32_t interface)
{
    for (uint32_t i = 0; i < access->device_count; i++)
        if (atomic_load_explicit(&access->interfaces->numbers[i], memory_order_relaxed) ==
            interface)
            return access->devices[i];
    return NULL;
}

bool access_set_interface(const struct access *access, uint32_t device, uint32_t interface)
{
    uint32_t number = interface == 0 ? no_interface | device : interface;

    return atomic_exchange_explicit(&access->interfaces->numbers[device], number,
                                    memory_order_relaxed) != number;
}

bool access_has_interface(const struct access *access, uint32_t device)
{
    return atomic_load_explicit(&access->interfaces->numbers[device], memory_order_relaxed) <
           no_interface;
}

/* Not inlined: who has no devices does without its registers. */
__attribute__((noinline)) const struct view *
view_by_interface(const struct access *access, const struct view *view, uint32_t interface)
{
    for (uint32_t i = 0; i < view->device_count; i++) {
        const struct view *by_device = &view->device_views[i];
        if (atomic_load_explicit(&access->interfaces->numbers[by_device->device],
                                 memory_order_relaxed) == interface)
            return by_device;
    }
    return view;
}

/* ---- all views ---- */

/* What the views are built from, in the order of the views: each uses up its own sightings. */
struct sources {
    const struct segment *const *segments;
    const struct sighting *sightings;
    size_t count;
    const struct local_access *local;
};

/* The number of sightings at the first one's address. */
static size_t count_same_address(const struct sighting *sightings, size_t count)
{
    size_t same = 0;

    while (same < count && sightings[same].address == sightings[0].address)
        same++;
    return same;
}

/* The number of views: one for each address, and one for all others, which may be empty. */
static size_t count_views(const struct sources *sources)
{
    size_t views = sources->count == 0 || sources->sightings[0].address != 0;

    for (size_t i = 0; i < sources->count;
         i += count_same_address(&sources->sightings[i], sources->count - i))
        views++;
    return views;
}

/* Builds the view of an address and a device; ENTRY_NONE: of no device. */
static bool build_one(struct access *access, const struct sources *seen, struct view_blocks *blocks,
                      struct view *view)
{
    blocks->spans.count = 0;
    for (size_t i = 0; i < seen->count; i++)
        /* An address that a file lists twice is one. */
        if (i == 0 || seen->sightings[i].segment != seen->sightings[i - 1].segment)
            add_segment(blocks, seen->segments[seen->sightings[i].segment],
                        seen->sightings[i].segment, seen->local);
    return ranges_build(&blocks->spans, access->arena, view);
}

/* Builds the view of an address, and one for each device that its connections name. */
static bool build_all(struct access *access, const struct sources *seen, struct view_blocks *blocks,
                      struct view *view)
{
    blocks->device = ENTRY_NONE;
    blocks->devices = 0;
    if (!build_one(access, seen, blocks, view))
        return false;
    unsigned named = (unsigned)__builtin_popcountll(blocks->devices);
    if (named == 0)
        return true;
    struct view *views = arena_take(access->arena, named * sizeof *views);
    if (views == NULL)
        return false;
    for (uint32_t device = 0; device < access->device_count; device++) {
        if ((blocks->devices >> device & 1) == 0)
            continue;
        struct view *own = &views[view->device_count++];
        *own = (struct view){.address = view->address, .device = device};
        blocks->device = device;
        if (!build_one(access, seen, blocks, own))
            return false;
    }
    view->device_views = views;
    return true;
}

/* Builds the views in the order of their addresses, 0 first. */
static bool build_views(struct access *access, struct sources *sources, struct view *views)
{
    struct view_blocks blocks = {.access = access};
    bool is_built = true;

    for (size_t i = 0; i < access->view_count && is_built; i++) {
        struct sources seen = *sources;
        bool is_empty = i == 0 && (seen.count == 0 || seen.sightings[0].address != 0);
        seen.count = is_empty ? 0 : count_same_address(seen.sightings, seen.count);
        views[i] = (struct view){.address = is_empty ? 0 : seen.sightings[0].address};
        is_built = build_all(access, &seen, &blocks, &views[i]);
        sources->sightings += seen.count;
        sources->count -= seen.count;
    }
    spans_close(&blocks.spans);
    return is_built;
}

/* Makes the table that leads from an address to its view. */
static bool build_slots(struct access *access)
{
    size_t count = 2;

    while (count < 2 * access->view_count)
        count *= 2;
    uint32_t *slots = arena_take(access->arena, count * sizeof *slots);
    if (slots == NULL)
        return false;
    memset(slots, 0, count * sizeof *slots);
    access->slots = slots;
    access->slot_mask = (uint32_t)(count - 1);
    for (uint32_t i = 1; i < access->view_count; i++) {
        uint32_t at = access_home(access->views[i].address);
        while (slots[at & access->slot_mask] != 0)
            at++;
        slots[at & access->slot_mask] = i;
    }
    return true;
}

bool access_build(struct access *access, const struct segment *const *segments, size_t count,
                  const struct local_access *local)
{
    struct sources sources = {.segments = segments, .local = local};
    struct sighting *sightings = list_sightings(segments, count, &sources.count);
    bool is_built = false;

    *access = (struct access){.arena = arena_new()};
    if (sightings != NULL && access->arena != NULL) {
        sources.sightings = sightings;
        access->view_count = count_views(&sources);
        struct view *views = arena_take(access->arena, access->view_count * sizeof *views);
        access->views = views;
        is_built = views != NULL && list_devices(access, segments, count) &&
                   build_views(access, &sources, views) && build_slots(access);
    }
    free(sightings);
    if (!is_built)
        access_close(access);
    return is_built;
}

void access_share(struct access *next, const struct access *access)
{
    *next = *access;
    arena_hold(next->arena);
    if (next->interfaces != NULL)
        next->interfaces->holds++;
}

void access_close(struct access *access)
{
    arena_release(access->arena);
    if (access->interfaces != NULL && --access->interfaces->holds == 0)
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
