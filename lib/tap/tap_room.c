#include "tap/tap_room.h"

#include <stdlib.h>

/* Before each message. */
struct header {
    uint32_t octets;      /* with this header, to the next one */
    _Atomic bool is_done; /* given back, abandoned or skipped */
};

enum { HEADER = TAP_ROOM_ALIGNMENT };

_Static_assert(sizeof(struct header) == HEADER, "messages stay aligned");

bool tap_room_init(struct tap_room *room, size_t size)
{
    *room = (struct tap_room){.octets = malloc(size), .size = size};
    return room->octets != NULL;
}

void tap_room_close(struct tap_room *room)
{
    free(room->octets);
    room->octets = NULL;
}

static struct header *header_at(const struct tap_room *room, uint64_t position)
{
    return (struct header *)(void *)&room->octets[position & (room->size - 1)];
}

static void write_header(const struct tap_room *room, uint64_t position, size_t octets,
                         bool is_done)
{
    struct header *header = header_at(room, position);

    header->octets = (uint32_t)octets;
    atomic_store_explicit(&header->is_done, is_done, memory_order_relaxed);
}

static size_t octets_of(size_t length)
{
    return HEADER + (length + HEADER - 1) / HEADER * HEADER;
}

uint8_t *tap_room_take(struct tap_room *room, size_t most)
{
    uint64_t end = atomic_load_explicit(&room->end, memory_order_relaxed);
    uint64_t start = atomic_load_explicit(&room->start, memory_order_acquire);
    size_t needed = octets_of(most), before_edge = room->size - (end & (room->size - 1));
    size_t skipped = needed > before_edge ? before_edge : 0;

    if (needed + skipped > room->size - (end - start))
        return NULL;
    if (skipped > 0)
        write_header(room, end, skipped, true);
    room->taken = end + skipped;
    return (uint8_t *)header_at(room, room->taken) + HEADER;
}

void tap_room_keep(struct tap_room *room, size_t length)
{
    size_t octets = octets_of(length);

    write_header(room, room->taken, octets, false);
    atomic_store_explicit(&room->end, room->taken + octets, memory_order_release);
}

void tap_room_abandon(struct tap_room *room)
{
    atomic_store_explicit(&header_at(room, room->taken)->is_done, true, memory_order_relaxed);
}

void tap_room_release(struct tap_room *room, const uint8_t *at)
{
    uint64_t start = atomic_load_explicit(&room->start, memory_order_relaxed);
    uint64_t end = atomic_load_explicit(&room->end, memory_order_acquire);
    size_t offset = (size_t)(at - room->octets) / HEADER * HEADER - HEADER;

    atomic_store_explicit(&header_at(room, offset)->is_done, true, memory_order_relaxed);
    while (start != end) { /* as many steps as there are messages */
        const struct header *header = header_at(room, start);
        if (!atomic_load_explicit(&header->is_done, memory_order_relaxed))
            break;
        start += header->octets;
    }
    atomic_store_explicit(&room->start, start, memory_order_release);
}
