#include "spacedns/registry_groups.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPERATIONS_EACH = 4, /* of one change, at most */
    OPERATIONS_FOR_ALL = 4,
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct push_change *)a)->space, ((const struct push_change *)b)->space);
}

static bool is_one(const struct push_change *changes, size_t count)
{
    size_t octets = 0;

    for (size_t i = 0; i < count; i++)
        octets += changes[i].length + (changes[i].fixed == NULL ? 0 : strlen(changes[i].fixed));
    return count * OPERATIONS_EACH + OPERATIONS_FOR_ALL <= PUSH_OPERATIONS_MOST &&
           octets + octets / 16 < PUSH_OCTETS_MOST / 2;
}

/* A group has the number of its first change, plus one: the numbers are a forest until the end. */
static unsigned find_first(struct push_change *changes, unsigned at)
{
    while (changes[at].group != at + 1)
        at = changes[at].group - 1;
    return at;
}

static void join(struct push_change *changes, unsigned a, unsigned b)
{
    unsigned first = find_first(changes, a), other = find_first(changes, b);

    if (first < other)
        changes[other].group = first + 1;
    else
        changes[first].group = other + 1;
}

struct moving {
    struct push_change *changes;
    size_t count;
    const struct snapshot *before;
    const struct snapshot *after;
};

/* A name of the space as it will be: who had it? */
static void join_owner(const struct moving *moving, unsigned at, const struct segment *segment,
                       struct index_entry entry)
{
    const struct index *index = &moving->before->index;
    struct index_entry found;
    struct name name;

    index_name(&moving->after->index, segment, entry, &name);
    if (!snapshot_find(moving->before, &name, index_hash(index, &name), &found))
        return;
    const struct push_change wanted = {.space = moving->before->segments[found.segment]->name};
    const struct push_change *owner =
        bsearch(&wanted, moving->changes, moving->count, sizeof wanted, compare);
    if (owner != NULL)
        join(moving->changes, at, (unsigned)(owner - moving->changes));
}

static void join_owners(const struct moving *moving, unsigned at)
{
    const struct segment *segment = snapshot_find_space(moving->after, moving->changes[at].space);

    for (uint32_t i = 0; segment != NULL && i < segment->host_count; i++)
        join_owner(moving, at, segment, (struct index_entry){.kind = INDEX_HOST, .number = i});
    for (uint32_t i = 0; segment != NULL && i < segment->app_count; i++)
        join_owner(moving, at, segment, (struct index_entry){.kind = INDEX_APP, .number = i});
}

void registry_groups_set(struct push_change *changes, size_t count, const struct snapshot *before,
                         const struct snapshot *after)
{
    const struct moving moving = {
        .changes = changes, .count = count, .before = before, .after = after};
    bool has_room = is_one(changes, count);

    qsort(changes, count, sizeof *changes, compare);
    for (unsigned i = 0; i < count; i++)
        changes[i].group = has_room ? 1 : i + 1;
    for (unsigned i = 0; i < count && !has_room; i++)
        join_owners(&moving, i);
    for (unsigned i = 0; i < count && !has_room; i++)
        changes[i].group = find_first(changes, i) + 1;
}
