#pragma once
/**
 * What finding and building share of the index: the form of a slot (index.h has the picture), and
 * the keys. Internal to the two.
 *
 * Threads: as the index's.  Memory: none.
 */
#include "answer/index.h"

enum { TAG_SHIFT = 40, SEGMENT_SHIFT = 24 };
/* Of a slot's last 24 bits. A list has 100,000 items at most, so 21 bits number apps. */
enum { HOST_BIT = 1 << 23, KIND_SHIFT = 21, KIND_MASK = 3 };

static inline uint64_t slot_of(uint64_t hash, struct index_entry entry)
{
    uint64_t tag = hash >> 32 & 0xffffff;
    uint32_t kind =
        entry.kind == INDEX_HOST ? (uint32_t)HOST_BIT : (uint32_t)entry.kind << KIND_SHIFT;

    return tag << TAG_SHIFT | (uint64_t)entry.segment << SEGMENT_SHIFT | kind | (entry.number + 1);
}

static inline struct index_entry entry_of(uint64_t slot)
{
    bool is_host = (slot & HOST_BIT) != 0;
    uint32_t mask = is_host ? HOST_BIT - 1 : (1U << KIND_SHIFT) - 1;

    return (struct index_entry){
        .segment = (uint16_t)(slot >> SEGMENT_SHIFT),
        .kind = is_host ? (uint8_t)INDEX_HOST : (uint8_t)(slot >> KIND_SHIFT & KIND_MASK),
        .number = ((uint32_t)slot & mask) - 1,
    };
}

/* The key of any entry. */
void index_key(const struct index *index, const struct segment *segment, struct index_entry entry,
               struct name *key);

/* Finds the entry that has the key of another one, whose hash this is. */
bool index_find_same(const struct index *index, const struct segment *const *segments,
                     struct index_entry entry, uint64_t hash, struct index_entry *found);
