#include "inspect/diff_access.h"

#include <string.h>

#include "decide/client.h"

enum { OPEN_MOST = 64 }; /* latest changes that are searched for one to extend */

/* The walk over one view before and after, in parallel. */
struct access_walk {
    const struct snapshot *snapshots[2];
    const struct view *views[2];
    uint32_t at[2]; /* index of the range in each view */
    uint32_t asked_at;
    const char *device; /* of the views; NULL: none */
    struct arena *arena;
    struct access_changes *changes;
    size_t capacity;
    bool has_failed; /* no memory */
};

static const struct segment *space_of(const struct access_walk *walk, int side,
                                      const struct membership *membership)
{
    return walk->snapshots[side]->segments[membership->segment];
}

/* Returns the last address of the view's range. */
static uint32_t end_of(const struct view *view, uint32_t range)
{
    return range + 1 < view->range_count ? view->starts[range + 1] - 1 : UINT32_MAX;
}

/* Of texts that may be NULL. */
static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool goes_on(const struct access_change *change, const struct access_change *next)
{
    return change->last + 1 == next->first && change->is_inside == next->is_inside &&
           change->class == next->class && change->asked_at == next->asked_at &&
           is_same(change->connection, next->connection) && is_same(change->device, next->device) &&
           strcmp(change->space, next->space) == 0;
}

static bool extend(struct access_changes *changes, const struct access_change *next)
{
    for (size_t i = changes->count; i-- > 0 && changes->count - i <= OPEN_MOST;)
        if (goes_on(&changes->items[i], next)) {
            changes->items[i].last = next->last;
            return true;
        }
    return false;
}

static const char *keep(struct access_walk *walk, const char *text)
{
    const char *kept = arena_text(walk->arena, text, strlen(text));

    walk->has_failed |= kept == NULL;
    return kept;
}

static void add_change(struct access_walk *walk, const struct access_change *change)
{
    struct access_changes *changes = walk->changes;

    if (extend(changes, change))
        return;
    if (changes->count == ACCESS_CHANGES_MOST) {
        changes->left_out++;
        return;
    }
    struct access_change *grown =
        arena_grow(walk->arena, changes->items, changes->count, &walk->capacity, sizeof *grown);
    if (grown == NULL) {
        walk->has_failed = true;
        return;
    }
    changes->items = grown;
    grown[changes->count] = *change;
    grown[changes->count].space = keep(walk, change->space);
    if (change->connection != NULL)
        grown[changes->count].connection = keep(walk, change->connection);
    if (change->device != NULL)
        grown[changes->count].device = keep(walk, change->device);
    changes->count++;
}

/* True if one of the memberships is in the same space and class. */
static bool has_alike(const struct access_walk *walk, int side, struct membership_set set,
                      const char *space, uint8_t class)
{
    const struct membership *memberships = walk->views[side]->memberships + set.first;

    for (uint32_t i = 0; i < set.count; i++)
        if (memberships[i].class == class &&
            strcmp(space_of(walk, side, &memberships[i])->name, space) == 0)
            return true;
    return false;
}

/* In the views of a device, only what its own connections let in differs from the view of none. */
static bool is_of_device(const struct access_walk *walk, const struct segment *space,
                         const struct membership *membership)
{
    return walk->device == NULL ||
           (membership->connection != ENTRY_NONE &&
            is_same(space->connections[membership->connection].device, walk->device));
}

/* Adds the memberships that only one side's range has. */
static void compare_range(struct access_walk *walk, int side, uint32_t first, uint32_t last)
{
    const struct view *view = walk->views[side];
    struct membership_set own = view->sets[walk->at[side]];
    struct membership_set others = walk->views[1 - side]->sets[walk->at[1 - side]];

    for (uint32_t i = 0; i < own.count; i++) {
        const struct membership *membership = &view->memberships[own.first + i];
        const struct segment *space = space_of(walk, side, membership);
        if (!is_of_device(walk, space, membership) ||
            has_alike(walk, 1 - side, others, space->name, membership->class))
            continue;
        add_change(walk, &(struct access_change){
                             .is_inside = side == 1,
                             .space = space->name,
                             .class = membership->class,
                             .connection = membership->connection == ENTRY_NONE
                                               ? NULL
                                               : space->connections[membership->connection].name,
                             .device = walk->device,
                             .asked_at = walk->asked_at,
                             .first = first,
                             .last = last,
                         });
    }
}

/* The number of steps is bounded by the ranges of both views. */
static void walk_view(struct access_walk *walk)
{
    uint32_t first = 0;

    walk->at[0] = walk->at[1] = 0;
    for (;;) {
        uint32_t ends[2] = {end_of(walk->views[0], walk->at[0]),
                            end_of(walk->views[1], walk->at[1])};
        uint32_t last = ends[0] < ends[1] ? ends[0] : ends[1];
        compare_range(walk, 0, first, last);
        compare_range(walk, 1, first, last);
        if (last == UINT32_MAX)
            return;
        walk->at[0] += ends[0] == last;
        walk->at[1] += ends[1] == last;
        first = last + 1;
    }
}

/* A server address without a view of its own has the view of all others (0). */
static void walk_device(struct access_walk *walk, uint32_t address, const char *device)
{
    walk->asked_at = address;
    walk->device = device;
    for (int side = 0; side < 2; side++) {
        const struct access *access = &walk->snapshots[side]->access;
        const struct view *view = access_view(access, address);
        walk->views[side] = device == NULL
                                ? view
                                : view_by_interface(access, view, access_interface(access, device));
    }
    walk_view(walk);
}

/* Walks the view of what comes by any interface, and those of either side's devices. */
static void walk_address(struct access_walk *walk, uint32_t address)
{
    const struct access *old = &walk->snapshots[0]->access, *new = &walk->snapshots[1]->access;
    uint32_t i = 0, j = 0;

    walk_device(walk, address, NULL);
    while (i < old->device_count || j < new->device_count) {
        int order = i == old->device_count   ? 1
                    : j == new->device_count ? -1
                                             : strcmp(old->devices[i], new->devices[j]);
        walk_device(walk, address, order <= 0 ? old->devices[i] : new->devices[j]);
        i += order <= 0;
        j += order >= 0;
    }
}

bool access_compare(const struct snapshot *before, const struct snapshot *after,
                    struct arena *arena, struct access_changes *changes)
{
    struct access_walk walk = {.snapshots = {before, after}, .arena = arena, .changes = changes};
    const struct access *old = &before->access, *new = &after->access;
    size_t i = 0, j = 0;

    *changes = (struct access_changes){.items = NULL};
    /* Both lists of views are sorted, all others (0) first. */
    while (!walk.has_failed && (i < old->view_count || j < new->view_count)) {
        uint32_t left = i < old->view_count ? old->views[i].address : UINT32_MAX;
        uint32_t right = j < new->view_count ? new->views[j].address : UINT32_MAX;
        uint32_t address = left < right ? left : right;
        walk_address(&walk, address);
        i += i < old->view_count && left == address;
        j += j < new->view_count &&right == address;
    }
    return !walk.has_failed;
}

void access_format_range(const struct access_change *change, struct text *text)
{
    uint32_t span = change->last - change->first; /* one less than the addresses */
    bool is_block = (span & (span + 1)) == 0 && (change->first & span) == 0;
    uint8_t bits = 32;

    text_add_ipv4(text, change->first);
    if (!is_block) {
        text_add_string(text, "-");
        text_add_ipv4(text, change->last);
        return;
    }
    for (; span != 0; span >>= 1)
        bits--;
    text_add_string(text, "/");
    text_add_number(text, bits);
}

void access_format(const struct access_change *change, struct text *text)
{
    uint64_t count = (uint64_t)change->last - change->first + 1;

    text_add_string(text, change->is_inside ? "+ " : "- ");
    access_format_range(change, text);
    text_add_string(text, change->is_inside ? " becomes inside of " : " ceases to be inside of ");
    text_add_string(text, change->space);
    text_add_string(text, " (");
    text_add_string(text, class_text(change->class));
    if (change->connection != NULL) {
        text_add_string(text, ", ");
        text_add_string(text, change->connection);
    }
    text_add_string(text, ")");
    if (change->device != NULL) {
        text_add_string(text, " when it comes by ");
        text_add_string(text, change->device);
    }
    if (change->asked_at != 0) {
        text_add_string(text, " when it asks at ");
        text_add_ipv4(text, change->asked_at);
    }
    text_add_string(text, ": ");
    text_add_number(text, count);
    text_add_string(text, count == 1 ? " address" : " addresses");
}
