#include "answer/access_ranges.h"

#include <stdlib.h>

/* A point where the set of memberships changes. */
struct edge {
    uint64_t at; /* 64 bits, for the end after 255.255.255.255 */
    uint32_t span;
    bool opens;
};

void spans_add(struct spans *spans, struct cidr block, struct membership membership)
{
    if (spans->count == spans->capacity) {
        size_t wider = spans->capacity == 0 ? 64 : 2 * spans->capacity;
        struct span *moved = realloc(spans->items, wider * sizeof *moved);
        if (moved == NULL) {
            spans->failed = true;
            return;
        }
        spans->items = moved;
        spans->capacity = wider;
    }
    membership.block = block;
    spans->items[spans->count++] = (struct span){
        .first = cidr_first(block), .last = cidr_last(block), .membership = membership};
}

void spans_close(struct spans *spans)
{
    free(spans->items);
    *spans = (struct spans){.items = NULL};
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
    const struct spans *spans;
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

bool ranges_build(const struct spans *spans, struct arena *arena, struct view *view)
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
    bool built = !spans->failed && edges != NULL && sweep.open != NULL && sweep.starts != NULL &&
                 sweep.sets != NULL && sweep.memberships != NULL;

    for (size_t i = 0; i < spans->count && built; i++) {
        const struct span *span = &spans->items[i];
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
