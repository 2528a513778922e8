#include "base/blocks.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    SLAB_OCTETS = 256 << 10,
    STEPS = 16, /* classes from each power of two to the next */
    CLASSES = 6 * STEPS + 1,
};

_Static_assert(BLOCK_MOST / BLOCK_ALIGNMENT == STEPS << 5, "the last class has the longest blocks");

/* A slot that is free. */
struct slot {
    struct slot *next;
};

/* The head of a slab. */
struct slab {
    struct slab *before, *next; /* of its class, while it has a free slot */
    struct slot *free;          /* that were given back */
    size_t slot_octets;
    size_t unused; /* where the slots begin that never were taken */
    size_t taken;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slab *open_slabs[CLASSES]; /* with a free slot */

/* ---- classes ---- */

/*
 * Slots are so many times BLOCK_ALIGNMENT long, by class:
 *
 *     1 2 3 … 31 32 │ 34 36 … 62 64 │ 68 72 … 124 128 │ …
 */
static unsigned class_of(size_t size, size_t *slot_octets)
{
    size_t units = size == 0 ? 1 : (size + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT;
    unsigned shift = 0;

    while (units > (size_t)2 * STEPS << shift)
        shift++;
    size_t steps = (units + ((size_t)1 << shift) - 1) >> shift;
    *slot_octets = (steps << shift) * BLOCK_ALIGNMENT;
    return shift * STEPS + (unsigned)steps;
}

/* ---- slabs ---- */

static void link_slab(struct slab **list, struct slab *slab)
{
    slab->before = NULL;
    slab->next = *list;
    if (*list != NULL)
        (*list)->before = slab;
    *list = slab;
}

static void unlink_slab(struct slab **list, struct slab *slab)
{
    if (slab->before == NULL)
        *list = slab->next;
    else
        slab->before->next = slab->next;
    if (slab->next != NULL)
        slab->next->before = slab->before;
}

static bool is_full(const struct slab *slab)
{
    return slab->free == NULL && slab->unused + slab->slot_octets > SLAB_OCTETS;
}

static void *map(size_t octets)
{
    void *pages = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return pages == MAP_FAILED ? NULL : pages;
}

static size_t octets_to_slab(const void *pages)
{
    return (SLAB_OCTETS - (uintptr_t)pages % SLAB_OCTETS) % SLAB_OCTETS;
}

/* Slabs begin at multiples of their size, so that a block leads to its slab. */
static struct slab *map_slab(void)
{
    uint8_t *pages = map(SLAB_OCTETS); /* mostly just before the last one */

    if (pages != NULL && octets_to_slab(pages) > 0) {
        munmap(pages, SLAB_OCTETS);
        pages = map((size_t)2 * SLAB_OCTETS);
        size_t ahead = pages == NULL ? 0 : octets_to_slab(pages);
        if (ahead > 0)
            munmap(pages, ahead);
        if (pages != NULL)
            munmap(pages + ahead + SLAB_OCTETS, SLAB_OCTETS - ahead);
        pages = pages == NULL ? NULL : pages + ahead;
    }
    struct slab *slab = (struct slab *)(void *)pages;
    if (slab != NULL)
        slab->unused = BLOCK_ALIGNMENT;
    return slab;
}

static void *take_slot(struct slab *slab)
{
    struct slot *slot = slab->free;

    slab->taken++;
    if (slot != NULL) {
        slab->free = slot->next;
        return slot;
    }
    slab->unused += slab->slot_octets;
    return (uint8_t *)slab + slab->unused - slab->slot_octets;
}

static void *take(size_t size)
{
    size_t slot_octets;
    struct slab **list = &open_slabs[class_of(size, &slot_octets)];

    if (*list == NULL) {
        struct slab *fresh = map_slab();
        if (fresh == NULL)
            return NULL;
        fresh->slot_octets = slot_octets;
        link_slab(list, fresh);
    }
    struct slab *slab = *list;
    void *block = take_slot(slab);
    if (is_full(slab))
        unlink_slab(list, slab);
    return block;
}

/* Returns a slab to be unmapped, or NULL. */
static struct slab *give_back(void *block, size_t size)
{
    size_t slot_octets;
    struct slab **list = &open_slabs[class_of(size, &slot_octets)];
    struct slab *slab = (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB_OCTETS - 1));
    struct slot *slot = block;

    assert(slab->taken > 0 && slab->slot_octets == slot_octets);
    assert(((uintptr_t)block % SLAB_OCTETS - BLOCK_ALIGNMENT) % slot_octets == 0);
    if (is_full(slab))
        link_slab(list, slab);
    slot->next = slab->free;
    slab->free = slot;
    slab->taken--;
    if (slab->taken > 0)
        return NULL;
    unlink_slab(list, slab);
    return slab;
}

static bool comes_from_malloc(size_t size)
{
    return size > BLOCK_MOST || !BLOCKS_LIE_TOGETHER;
}

void *block_take(size_t size)
{
    if (comes_from_malloc(size))
        return malloc(size + (size == 0));
    pthread_mutex_lock(&lock);
    void *block = take(size);
    pthread_mutex_unlock(&lock);
    return block;
}

void block_give_back(void *block, size_t size)
{
    if (block == NULL)
        return;
    if (comes_from_malloc(size)) {
        free(block);
        return;
    }
    pthread_mutex_lock(&lock);
    struct slab *empty = give_back(block, size);
    pthread_mutex_unlock(&lock);
    if (empty != NULL)
        munmap(empty, SLAB_OCTETS);
}
