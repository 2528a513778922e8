#include "traffic/busiest.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 1 << 11, /* of a pane's table: half of them are in use at most */
    MERGED_MOST = BUSIEST_PANES * BUSIEST_THINGS,
    MERGED_SLOTS = 1 << 14,
    NO_THING = UINT16_MAX,
    LABEL_ALIGNMENT = 8,
};

_Static_assert(SLOTS >= 2 * BUSIEST_THINGS, "probing ends soon");
_Static_assert(MERGED_SLOTS > 2 * MERGED_MOST, "probing ends soon");

struct entry {
    uint64_t key;
    struct busiest_counts counts;
    uint16_t heap_index;
};

/* The heap has the numbers of the entries, that with the smallest count first. */
struct pane {
    uint32_t number; /* its time in panes since 1970 */
    uint32_t count;
    struct entry entries[BUSIEST_THINGS];
    uint16_t heap[BUSIEST_THINGS];
    uint16_t slots[SLOTS]; /* entries by key; NO_THING: empty */
    uint8_t *labels;
};

struct busiest {
    size_t label_octets;
    uint32_t newest; /* number of a pane */
    struct pane panes[BUSIEST_PANES];
};

/* ---- life ---- */

static void empty(struct pane *pane, uint32_t number)
{
    pane->number = number;
    pane->count = 0;
    memset(pane->slots, 0xff, sizeof pane->slots);
}

struct busiest *busiest_new(size_t label_octets)
{
    struct busiest *busiest = calloc(1, sizeof *busiest);
    bool is_whole = busiest != NULL;

    if (busiest != NULL)
        busiest->label_octets =
            (label_octets + LABEL_ALIGNMENT - 1) / LABEL_ALIGNMENT * LABEL_ALIGNMENT;
    for (size_t i = 0; is_whole && i < BUSIEST_PANES; i++) {
        empty(&busiest->panes[i], 0);
        busiest->panes[i].labels = calloc(BUSIEST_THINGS, busiest->label_octets);
        is_whole = busiest->panes[i].labels != NULL;
    }
    if (is_whole)
        return busiest;
    busiest_free(busiest);
    return NULL;
}

void busiest_free(struct busiest *busiest)
{
    for (size_t i = 0; busiest != NULL && i < BUSIEST_PANES; i++)
        free(busiest->panes[i].labels);
    free(busiest);
}

/* ---- a pane's table ---- */

static uint32_t home_of(uint64_t key)
{
    return (uint32_t)(key >> 32) % SLOTS;
}

/* The slot of the key, or the empty one where it would be. */
static uint32_t find_slot(const struct pane *pane, uint64_t key)
{
    uint32_t slot = home_of(key);

    while (pane->slots[slot] != NO_THING && pane->entries[pane->slots[slot]].key != key)
        slot = (slot + 1) % SLOTS;
    return slot;
}

/* What follows a slot that becomes empty moves up, unless it is before its home there. */
static void remove_slot(struct pane *pane, uint32_t hole)
{
    for (uint32_t slot = (hole + 1) % SLOTS; pane->slots[slot] != NO_THING;
         slot = (slot + 1) % SLOTS) {
        uint32_t home = home_of(pane->entries[pane->slots[slot]].key);
        if ((slot - home) % SLOTS < (slot - hole) % SLOTS)
            continue;
        pane->slots[hole] = pane->slots[slot];
        hole = slot;
    }
    pane->slots[hole] = NO_THING;
}

/* ---- a pane's heap ---- */

static uint64_t count_at(const struct pane *pane, uint32_t index)
{
    return pane->entries[pane->heap[index]].counts.count;
}

static void place(struct pane *pane, uint32_t index, uint16_t entry)
{
    pane->heap[index] = entry;
    pane->entries[entry].heap_index = (uint16_t)index;
}

static void sift_up(struct pane *pane, uint16_t entry)
{
    uint32_t index = pane->entries[entry].heap_index;
    uint64_t count = pane->entries[entry].counts.count;

    while (index > 0 && count_at(pane, (index - 1) / 2) > count) {
        place(pane, index, pane->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(pane, index, entry);
}

static void sift_down(struct pane *pane, uint16_t entry)
{
    uint32_t index = pane->entries[entry].heap_index;
    uint64_t count = pane->entries[entry].counts.count;

    for (uint32_t child = 2 * index + 1; child < pane->count; child = 2 * index + 1) {
        if (child + 1 < pane->count && count_at(pane, child + 1) < count_at(pane, child))
            child++;
        if (count_at(pane, child) >= count)
            break;
        place(pane, index, pane->heap[child]);
        index = child;
    }
    place(pane, index, entry);
}

/* ---- counting ---- */

static struct pane *pane_of(struct busiest *busiest, uint32_t number)
{
    struct pane *pane = &busiest->panes[number % BUSIEST_PANES];

    if (number + BUSIEST_PANES <= busiest->newest)
        for (size_t i = 0; i < BUSIEST_PANES; i++)
            empty(&busiest->panes[i], 0);
    if (number > busiest->newest || number + BUSIEST_PANES <= busiest->newest)
        busiest->newest = number;
    if (pane->number != number)
        empty(pane, number);
    return pane;
}

static void *label_of(const struct busiest *busiest, const struct pane *pane, uint16_t entry)
{
    return pane->labels + entry * busiest->label_octets;
}

/* A new entry, or that with the smallest count, which is then the error. */
static uint16_t take_entry(struct pane *pane, uint64_t key)
{
    uint16_t number = pane->heap[0];
    uint64_t error = 0;

    if (pane->count < BUSIEST_THINGS) {
        number = (uint16_t)pane->count++;
        pane->entries[number].heap_index = number;
    } else {
        error = pane->entries[number].counts.count;
        remove_slot(pane, find_slot(pane, pane->entries[number].key));
    }
    struct entry *entry = &pane->entries[number];
    entry->key = key;
    entry->counts = (struct busiest_counts){.count = error, .error = error};
    pane->slots[find_slot(pane, key)] = number;
    return number;
}

void *busiest_raise(struct busiest *busiest, uint64_t key, uint32_t at_s, uint32_t count,
                    uint32_t failed)
{
    struct pane *pane = pane_of(busiest, at_s / BUSIEST_PANE_S);
    uint16_t number = pane->slots[find_slot(pane, key)];
    bool is_new = number == NO_THING, has_room = pane->count < BUSIEST_THINGS;

    if (is_new)
        number = take_entry(pane, key);
    pane->entries[number].counts.count += count;
    pane->entries[number].counts.failed += failed;
    if (is_new && has_room)
        sift_up(pane, number);
    else
        sift_down(pane, number);
    return is_new ? label_of(busiest, pane, number) : NULL;
}

/* ---- listing ---- */

struct merged {
    uint64_t key;
    struct busiest_thing thing;
    uint64_t least_elsewhere; /* the smallest counts of the panes that it is in */
};

/* All panes up to now, added up. */
struct merging {
    struct merged things[MERGED_MOST];
    uint16_t slots[MERGED_SLOTS];
    size_t count;
    uint64_t least; /* the sum of all panes' smallest counts */
    const struct merged *chosen[BUSIEST_LISTED_MOST];
    size_t chosen_count;
};

static struct merged *merged_of(struct merging *merging, uint64_t key)
{
    uint32_t slot = (uint32_t)(key >> 32) % MERGED_SLOTS;

    while (merging->slots[slot] != NO_THING && merging->things[merging->slots[slot]].key != key)
        slot = (slot + 1) % MERGED_SLOTS;
    if (merging->slots[slot] != NO_THING)
        return &merging->things[merging->slots[slot]];
    merging->slots[slot] = (uint16_t)merging->count;
    struct merged *merged = &merging->things[merging->count++];
    *merged = (struct merged){.key = key};
    return merged;
}

/* What a thing that is not in the pane may have been counted there. */
static uint64_t least_of(const struct pane *pane)
{
    return pane->count < BUSIEST_THINGS ? 0 : count_at(pane, 0);
}

static void merge_pane(struct merging *merging, const struct busiest *busiest,
                       const struct pane *pane)
{
    merging->least += least_of(pane);
    for (uint16_t i = 0; i < pane->count; i++) {
        const struct busiest_counts *counts = &pane->entries[i].counts;
        struct merged *merged = merged_of(merging, pane->entries[i].key);
        merged->thing.counts.count += counts->count;
        merged->thing.counts.error += counts->error;
        merged->thing.counts.failed += counts->failed;
        merged->thing.label = label_of(busiest, pane, i);
        merged->least_elsewhere += least_of(pane);
    }
}

static void merge(struct merging *merging, const struct busiest *busiest, uint32_t now_s)
{
    uint32_t now = now_s / BUSIEST_PANE_S;

    merging->count = merging->chosen_count = 0;
    merging->least = 0;
    memset(merging->slots, 0xff, sizeof merging->slots);
    for (size_t i = 0; i < BUSIEST_PANES; i++) {
        const struct pane *pane = &busiest->panes[i];
        if (now - pane->number < BUSIEST_PANES) /* not those to come: it would be much */
            merge_pane(merging, busiest, pane);
    }
    for (size_t i = 0; i < merging->count; i++) {
        uint64_t missing = merging->least - merging->things[i].least_elsewhere;
        merging->things[i].thing.counts.count += missing;
        merging->things[i].thing.counts.error += missing;
    }
}

static uint64_t least_count(const struct merged *merged)
{
    return merged->thing.counts.count - merged->thing.counts.error;
}

/* True when `one` goes before `other`; equals are in the order of their keys, so that it stays. */
static bool is_before(const struct merged *one, const struct merged *other,
                      enum busiest_order order)
{
    uint64_t failed = one->thing.counts.failed, other_failed = other->thing.counts.failed;

    if (order == BUSIEST_BY_FAILED && failed != other_failed)
        return failed > other_failed;
    if (least_count(one) != least_count(other))
        return least_count(one) > least_count(other);
    return one->key < other->key;
}

/* Puts one among the chosen, if it is before the last of as many as are wanted. */
static void choose(struct merging *merging, const struct merged *merged, enum busiest_order order,
                   size_t most)
{
    const struct merged **chosen = merging->chosen;
    size_t place = merging->chosen_count;

    if (place == most && !is_before(merged, chosen[most - 1], order))
        return;
    if (place == most)
        place--;
    else
        merging->chosen_count++;
    for (; place > 0 && is_before(merged, chosen[place - 1], order); place--)
        chosen[place] = chosen[place - 1];
    chosen[place] = merged;
}

uint32_t busiest_since(uint32_t now_s)
{
    uint32_t now = now_s / BUSIEST_PANE_S;

    return now < BUSIEST_PANES ? 0 : (now - (BUSIEST_PANES - 1)) * BUSIEST_PANE_S;
}

size_t busiest_list(const struct busiest *busiest, uint32_t now_s, enum busiest_order order,
                    struct busiest_thing *things, size_t most)
{
    struct merging *merging = malloc(sizeof *merging);

    if (merging == NULL || most == 0) {
        free(merging);
        return 0;
    }
    merge(merging, busiest, now_s);
    for (size_t i = 0; i < merging->count; i++)
        choose(merging, &merging->things[i], order,
               most < BUSIEST_LISTED_MOST ? most : BUSIEST_LISTED_MOST);
    size_t count = merging->chosen_count;
    for (size_t i = 0; i < count; i++)
        things[i] = merging->chosen[i]->thing;
    free(merging);
    return count;
}
