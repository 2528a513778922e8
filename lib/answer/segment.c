#include "answer/segment.h"

#include <assert.h>

#include "base/blocks.h"

struct segment *segment_hold(struct segment *segment)
{
    segment->holds++;
    return segment;
}

void segment_release(struct segment *segment)
{
    if (segment == NULL)
        return;
    assert(segment->holds > 0);
    if (--segment->holds > 0)
        return;
    struct segment *declared = segment->declared; /* which has nothing declared itself */
    arena_release(segment->arena);
    block_give_back(segment, segment->block_octets);
    segment_release(declared);
}

const struct formation_entry *formations_find_dyno(const struct formation_entry *formations,
                                                   size_t count, uint32_t dyno)
{
    size_t low = 0, high = count;

    /*
     * Finds the last formation that begins at or before the dyno; an empty one begins where the
     * next does.
     */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (formations[middle].dynos <= dyno)
            low = middle;
        else
            high = middle;
    }
    return &formations[low];
}

const struct formation_entry *segment_formation_of(const struct segment *segment, uint32_t dyno)
{
    return formations_find_dyno(segment->formations, segment->formation_count, dyno);
}

const struct az_entry *segment_find_az(const struct segment *segment, uint32_t ip)
{
    size_t low = 0, high = segment->az_block_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct az_block *block = &segment->az_blocks[middle];
        if (cidr_contains(block->cidr, ip))
            return &segment->azs[block->az];
        if (block->cidr.address < ip)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint32_t segment_find_dyno(const struct segment *segment, uint32_t ip)
{
    size_t low = 0, high = segment->published_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t dyno = segment->dynos_by_ip[middle];
        if (segment->dynos[dyno].ip == ip)
            return dyno;
        if (segment->dynos[dyno].ip < ip)
            low = middle + 1;
        else
            high = middle;
    }
    return ENTRY_NONE;
}

bool segment_has_empty_name(const struct segment *segment, const struct name *name)
{
    size_t low = 0, high = segment->empty_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = segment_compare_empty(&segment->empty_names[middle], name->octets, name->length,
                                          segment->texts);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool host_has_type(const struct segment *segment, const struct host *host, uint16_t type)
{
    for (unsigned i = 0; i < host->record_count; i++)
        if (segment->records[host->owner + i].type == type)
            return true;
    return false;
}
