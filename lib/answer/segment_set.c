#include "answer/segment_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct segment_set *segment_set_new(const struct segment **segments, size_t count)
{
    struct segment_set *set = malloc(sizeof *set);

    if (set != NULL)
        *set = (struct segment_set){.segments = segments, .count = count};
    return set;
}

static struct segment_numbers *numbers_new(size_t room)
{
    struct segment_numbers *own = malloc(sizeof *own + room * sizeof own->numbers[0]);

    if (own != NULL)
        *own = (struct segment_numbers){.count = 0};
    return own;
}

struct segment_set *segment_set_copy(struct segment_set *before, size_t room)
{
    const struct segment **segments = malloc((before->count + 1) * sizeof *segments);
    struct segment_numbers *own = numbers_new(room < before->count ? room : before->count);
    struct segment_set *set = segment_set_new(segments, before->count);

    if (segments == NULL || own == NULL || set == NULL) {
        free(segments);
        free(own);
        free(set);
        return NULL;
    }
    if (before->count > 0)
        memcpy(segments, before->segments, before->count * sizeof *segments);
    set->own = own;
    set->before = before;
    set->next_copy = before->copies;
    before->copies = set;
    return set;
}

void segment_set_put(struct segment_set *set, size_t number, struct segment *segment)
{
    assert(set->before != NULL && number < set->count);
    assert(set->segments[number] == set->before->segments[number]);
    if (segment == set->segments[number]) {
        segment_release(segment);
        return;
    }
    set->segments[number] = segment;
    set->own->numbers[set->own->count++] = (uint32_t)number;
}

/* ---- release ---- */

static void release_segment(struct segment_set *set, uint32_t number)
{
    segment_release((struct segment *)set->segments[number]);
}

static void release_all(struct segment_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        release_segment(set, (uint32_t)i);
}

/* Releases those of a list, of a set that may be another than the list's. */
static void release_listed(struct segment_set *set, struct segment_numbers *list)
{
    while (list != NULL) {
        struct segment_numbers *next = list->next;
        for (size_t i = 0; i < list->count; i++)
            release_segment(set, list->numbers[i]);
        free(list);
        list = next;
    }
}

/* Leaves those on a list that the copy shows too, and releases the others. */
static void release_replaced(struct segment_set *set, struct segment_numbers *list,
                             const struct segment_set *copy)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        uint32_t number = list->numbers[i];
        if (copy->segments[number] == set->segments[number])
            list->numbers[kept++] = number;
        else
            release_segment(set, number);
    }
    list->count = kept;
}

/* Gives the holds of a set that holds all to its copy. */
static void hand_over_all(struct segment_set *set, struct segment_set *copy)
{
    release_listed(set, copy->own); /* for which the copy has its own */
    copy->own = NULL;
}

/* Gives the holds of a set that holds what differs to its copy. */
static void hand_over_own(struct segment_set *set, struct segment_set *copy)
{
    while (set->own != NULL) {
        struct segment_numbers *list = set->own;
        set->own = list->next;
        release_replaced(set, list, copy);
        if (list->count == 0) {
            free(list);
            continue;
        }
        list->next = copy->own;
        copy->own = list;
    }
}

static struct segment_set **find_link(struct segment_set *set)
{
    struct segment_set **link = &set->before->copies;

    while (*link != set)
        link = &(*link)->next_copy;
    return link;
}

/* Takes a set with at most one copy out of the tree, and frees it. */
static void remove_set(struct segment_set *set)
{
    struct segment_set *copy = set->copies;

    if (copy == NULL && set->before == NULL)
        release_all(set);
    else if (copy == NULL)
        release_listed(set, set->own);
    else if (set->before == NULL)
        hand_over_all(set, copy);
    else
        hand_over_own(set, copy);
    if (copy != NULL) {
        copy->before = set->before;
        copy->next_copy = set->next_copy;
    }
    if (set->before != NULL)
        *find_link(set) = copy == NULL ? set->next_copy : copy;
    free(set->segments);
    free(set);
}

void segment_set_release(struct segment_set *set)
{
    if (set == NULL)
        return;
    set->is_released = true;
    /* One copy less may end the wait of the set before. */
    while (set != NULL && set->is_released &&
           (set->copies == NULL || set->copies->next_copy == NULL)) {
        struct segment_set *before = set->before;
        remove_set(set);
        set = before;
    }
}
