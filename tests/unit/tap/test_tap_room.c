#include "tap/tap_room.h"

#include <string.h>

#include "support/suite.h"

enum { SIZE = 1024, HEADER = 8 };

static struct tap_room room;

static void set_up(void)
{
    ck_assert(tap_room_init(&room, SIZE));
}

static void tear_down(void)
{
    tap_room_close(&room);
}

/* Takes room for `most` octets and keeps `length` of them, all `mark`. NULL without room. */
static uint8_t *add(size_t most, size_t length, uint8_t mark)
{
    uint8_t *at = tap_room_take(&room, most);

    if (at == NULL)
        return NULL;
    ck_assert(at >= room.octets && at + most <= room.octets + SIZE);
    memset(at, mark, length);
    tap_room_keep(&room, length);
    return at;
}

/* What all messages of `length` octets need. */
static unsigned fill(size_t length)
{
    unsigned count = 0;

    while (add(length, length, 'x') != NULL)
        count++;
    return count;
}

FIXTURE(set_up, tear_down)

TEST(a_full_room_has_none_until_a_message_is_given_back)
{
    uint8_t *first = add(120, 120, 'a');

    ck_assert_uint_eq(fill(120), SIZE / (120 + HEADER) - 1);
    ck_assert_ptr_null(tap_room_take(&room, 120));
    ck_assert_ptr_null(tap_room_take(&room, 1));
    tap_room_release(&room, first);
    ck_assert_ptr_eq(tap_room_take(&room, 120), first);
}

TEST(what_is_not_kept_stays_free)
{
    ck_assert_ptr_nonnull(add(1000, 8, 'a'));
    ck_assert_ptr_nonnull(add(1000 - 16, 8, 'b'));
    ck_assert_ptr_null(tap_room_take(&room, 1000));
}

/* A message may begin a few octets later than the room taken. */
TEST(a_message_is_known_by_its_first_octets)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t *at = add(900, 900, 'a');
        ck_assert_ptr_nonnull(at);
        tap_room_release(&room, at + i);
    }
}

TEST(messages_may_be_given_back_in_any_order)
{
    uint8_t *first = add(248, 248, 'a'), *second = add(248, 248, 'b'), *third = add(248, 248, 'c');

    tap_room_release(&room, second);
    tap_room_release(&room, third);
    ck_assert_uint_eq(fill(248), 1);
    ck_assert_uint_eq(first[247], 'a');
    tap_room_release(&room, first);
    ck_assert_uint_eq(fill(248), 3);
}

TEST(an_abandoned_message_is_passed_by)
{
    uint8_t *first = add(248, 248, 'a');

    add(248, 248, 'b');
    tap_room_abandon(&room);
    uint8_t *third = add(248, 248, 'c');
    tap_room_release(&room, first);
    tap_room_release(&room, third);
    ck_assert_uint_eq(fill(248), 4);
}

/* Messages of many lengths, with a few on their way, over the edge again and again. */
TEST(messages_stay_whole_over_the_edge)
{
    uint8_t *waiting[3] = {NULL, NULL, NULL};
    size_t lengths[3];

    for (unsigned i = 0; i < 10000; i++) {
        unsigned slot = i % 3;
        for (size_t j = 0; waiting[slot] != NULL && j < lengths[slot]; j++)
            ck_assert_uint_eq(waiting[slot][j], (uint8_t)(i - 3));
        if (waiting[slot] != NULL)
            tap_room_release(&room, waiting[slot]);
        lengths[slot] = 1 + i * 37 % 240;
        waiting[slot] = add(lengths[slot], lengths[slot], (uint8_t)i);
        ck_assert_ptr_nonnull(waiting[slot]);
    }
}
