#include "forward/ring.h"

#include <string.h>

#include "forward/cache.h"
#include "support/packets.h"
#include "support/suite.h"

enum { SIZE = 4096, UNITS = SIZE / RING_UNIT, LEAST = sizeof(struct cache_entry) };

/* What the ring must hold, oldest first. */
struct model {
    uint64_t hashes[UNITS];
    size_t octets[UNITS];
    size_t first, count;
};

static alignas(RING_UNIT) uint8_t room[SIZE + RING_UNIT];
static struct ring ring;
static struct model model;
static uint64_t next_hash;

static void begin(void)
{
    memset(room, 0xee, sizeof room);
    ring_init(&ring, room, SIZE);
    model = (struct model){.count = 0};
    next_hash = 0;
}

static void remember(uint64_t hash, size_t octets)
{
    size_t at = (model.first + model.count++) % UNITS;
    model.hashes[at] = hash;
    model.octets[at] = octets;
}

/* Every octet behind an entry's head is its hash's lowest. */
static void fill(struct cache_entry *entry, size_t octets)
{
    entry->hash = ++next_hash;
    entry->octets = (uint32_t)octets;
    memset((uint8_t *)entry + 16, (int)(next_hash & 0xff), octets - 16);
    remember(next_hash, octets);
}

static void check_filled(const struct cache_entry *entry, uint64_t hash, size_t octets)
{
    ck_assert_uint_eq(entry->hash, hash);
    ck_assert_uint_eq(entry->octets, octets);
    ck_assert((const uint8_t *)entry >= room);
    ck_assert((const uint8_t *)entry + octets <= room + SIZE);
    uint8_t expected[SIZE];
    memset(expected, (int)(hash & 0xff), octets - 16);
    ck_assert_mem_eq((const uint8_t *)entry + 16, expected, octets - 16);
}

/* Padding goes first; what is then the oldest is the model's. */
static struct cache_entry *check_oldest(void)
{
    while (ring_oldest(&ring)->hash == 0)
        ring_drop(&ring);
    check_filled(ring_oldest(&ring), model.hashes[model.first], model.octets[model.first]);
    return ring_oldest(&ring);
}

static void forget_oldest(void)
{
    model.first = (model.first + 1) % UNITS;
    model.count--;
}

/* Readers pass now and then; until then nothing that was dropped is written over. */
static void pass(void)
{
    ring_free(&ring);
    ring_close(&ring, 1);
}

static void append(size_t octets)
{
    while (!ring_has_room(&ring, octets, 0)) {
        if (ring_oldest(&ring)->hash != 0) {
            check_oldest();
            forget_oldest();
        }
        ring_drop(&ring);
        pass();
    }
    fill(ring_append(&ring, octets), octets);
}

TEST(an_empty_ring_takes_entries_until_it_is_full)
{
    begin();
    for (int i = 0; i < SIZE / 64; i++) {
        ck_assert(ring_has_room(&ring, 64, 0));
        fill(ring_append(&ring, 64), 64);
    }
    ck_assert_uint_eq(ring.used, SIZE);
    ck_assert(!ring_has_room(&ring, RING_UNIT, 0));
    ck_assert_uint_eq(room[SIZE], 0xee);
}

TEST(what_was_dropped_is_held_until_it_is_freed)
{
    begin();
    for (int i = 0; i < SIZE / 64; i++)
        fill(ring_append(&ring, 64), 64);
    const struct cache_entry *first = ring_oldest(&ring);
    ring_drop(&ring);
    ck_assert(!ring_has_room(&ring, 64, 0));
    ck_assert(ring_will_have_room(&ring, 64, 0));
    ck_assert(!ring_will_have_room(&ring, 64, 16));
    ring_close(&ring, 7);
    ring_drop(&ring);
    ck_assert_uint_eq(ring.epoch, 7);
    ck_assert(!ring_has_room(&ring, 64, 0));
    ring_free(&ring);
    ck_assert(ring_has_room(&ring, 64, 0));
    ck_assert(!ring_has_room(&ring, 80, 0)); /* the second is still held */
    check_filled(first, 1, 64);
    ck_assert_ptr_eq(ring_append(&ring, 64), first);
}

TEST(a_ring_whose_entries_are_all_dropped_is_empty_once_they_are_freed)
{
    begin();
    for (int i = 0; i < SIZE / 64 - 3; i++)
        fill(ring_append(&ring, 64), 64);
    ring_drop_all(&ring);
    ck_assert_uint_eq(ring.used, 0);
    ck_assert(ring_has_room(&ring, 3 * 64, 0));
    ck_assert(!ring_has_room(&ring, 4 * 64, 0));
    ring_close(&ring, 1);
    ring_free(&ring);
    ck_assert(ring_has_room(&ring, SIZE - 3 * 64, 0)); /* from the start, after padding */
}

TEST(what_does_not_fit_before_the_end_begins_at_the_start)
{
    begin();
    fill(ring_append(&ring, SIZE - 64), SIZE - 64);
    ck_assert(ring_has_room(&ring, 64, 0));
    ck_assert(!ring_has_room(&ring, 80, 0));
    ring_drop(&ring);
    forget_oldest();
    ring_close(&ring, 1);
    ring_free(&ring);
    ck_assert(ring_has_room(&ring, 80, 0));
    fill(ring_append(&ring, 80), 80);
    ck_assert_uint_eq(ring_oldest(&ring)->hash, 0); /* padding of 64 octets */
    ck_assert_uint_eq(ring_oldest(&ring)->octets, 64);
    ck_assert_ptr_eq(check_oldest(), room);
}

TEST(entries_come_out_whole_in_the_order_they_went_in)
{
    struct dice dice = {.state = 5};

    begin();
    for (int i = 0; i < 50000; i++) {
        size_t octets = (1 + dice_roll(&dice, SIZE / 4 / LEAST)) * (size_t)LEAST;
        append((octets + RING_UNIT - 1) / RING_UNIT * RING_UNIT);
        ck_assert_uint_le(ring.used, SIZE);
    }
    ck_assert_uint_eq(room[SIZE], 0xee);
}
