#include <stdlib.h>
#include <string.h>

#include "answer/seal.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct az_entry *)a)->name, ((const struct az_entry *)b)->name);
}

static int compare_blocks(const void *a, const void *b)
{
    const struct az_block *left = a, *right = b;

    return left->cidr.address < right->cidr.address ? -1 : left->cidr.address > right->cidr.address;
}

/* Takes the names from the model; each once, sorted. */
static struct az_entry *list_names(const struct space *space, size_t *count)
{
    struct az_entry *azs = calloc(space->dyno_cidrs.count + 1, sizeof *azs);
    size_t total = 0, kept = 0;

    if (azs == NULL)
        return NULL;
    for (size_t i = 0; i < space->dyno_cidrs.count; i++)
        if (space->dyno_cidrs.items[i].az.text != NULL)
            azs[total++].name = space->dyno_cidrs.items[i].az.text;
    if (total > 0)
        qsort(azs, total, sizeof *azs, compare_names);
    for (size_t i = 0; i < total; i++)
        if (i == 0 || strcmp(azs[i].name, azs[kept - 1].name) != 0)
            azs[kept++] = azs[i];
    *count = kept;
    return azs;
}

static struct az_entry *copy_names(struct segment *segment, const struct az_entry *azs,
                                   size_t count)
{
    struct az_entry *copies = arena_take(segment->arena, count * sizeof *copies + 1);

    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = (struct az_entry){.name = seal_text(segment, azs[i].name)};
        if (copies[i].name == NULL)
            return NULL;
    }
    segment->azs = copies;
    segment->az_count = count;
    return copies;
}

static bool seal_az_blocks(struct segment *segment, const struct space *space)
{
    struct az_block *blocks = arena_take(segment->arena, space->dyno_cidrs.count * sizeof *blocks);
    size_t count = 0;

    if (blocks == NULL)
        return false;
    for (size_t i = 0; i < space->dyno_cidrs.count; i++) {
        const struct block *block = &space->dyno_cidrs.items[i];
        if (block->az.text != NULL)
            blocks[count++] =
                (struct az_block){.cidr = block->cidr, .az = seal_find_az(segment, block->az.text)};
    }
    qsort(blocks, count, sizeof *blocks, compare_blocks);
    segment->az_blocks = blocks;
    segment->az_block_count = count;
    return true;
}

uint32_t seal_find_az(const struct segment *segment, const char *name)
{
    const struct az_entry wanted = {.name = name};
    const struct az_entry *found =
        name == NULL || segment->az_count == 0
            ? NULL
            : bsearch(&wanted, segment->azs, segment->az_count, sizeof wanted, compare_names);

    return found == NULL ? ENTRY_NONE : (uint32_t)(found - segment->azs);
}

struct az_entry *seal_azs(struct segment *segment, const struct space *space)
{
    size_t count = 0;
    struct az_entry *names = list_names(space, &count);
    struct az_entry *azs = names == NULL ? NULL : copy_names(segment, names, count);

    segment->affinity = space->affinity;
    free(names);
    if (azs != NULL && count > 0 && !seal_az_blocks(segment, space))
        return NULL;
    return azs;
}
