// wrap: malloc calloc realloc
/**
 * The hot path allocates nothing: respond() over all names, clients and types calls malloc, calloc
 * and realloc 0 times.
 */
#include <stdlib.h>
#include <string.h>

#include "support/allocations.h"
#include "support/four_spaces.h"
#include "support/suite.h"

static struct four_spaces four;

static void set_up(void)
{
    four_spaces_init(&four);
}

static void tear_down(void)
{
    four_spaces_close(&four);
}

static void ask_and_count(const struct ask *ask)
{
    uint8_t octets[REQUEST_OCTETS_MOST];
    size_t length = request_write(ask, octets);

    size_t before = allocations_count();
    world_send(&four.world, octets, length, ask);
    size_t calls = allocations_count() - before;
    ck_assert_msg(calls == 0, "%s TYPE%u from %s: %zu allocations", ask->name, ask->type, ask->from,
                  calls);
}

static void ask_all_types(struct ask *ask)
{
    for (size_t i = 0; i < four_spaces_type_count; i += four_spaces_stride()) {
        ask->type = four_spaces_types[i];
        ask_and_count(ask);
    }
}

FIXTURE(set_up, tear_down)

TEST_LOOP(nothing_is_allocated_for_insiders, 0, (int)four_spaces_insider_count)
{
    struct ask ask = {.from = four_spaces_insiders[_i], .nsid = true, .keepalive = true};

    for (size_t i = 0; i < four.names.count; i++) {
        ask.name = four.names.items[i];
        ask.transport = i % 2 == 0 ? ASK_UDP : ASK_TCP;
        ask_all_types(&ask);
    }
}

TEST_LOOP(nothing_is_allocated_for_outsiders, 0, (int)four_spaces_outsider_count)
{
    struct ask ask = {.from = four_spaces_outsiders[_i]};

    for (size_t i = 0; i < four.names.count; i += 7) {
        ask.name = four.names.items[i];
        ask_all_types(&ask);
    }
}

TEST(nothing_is_allocated_for_odd_requests)
{
    struct ask odd[] = {
        {.name = "id.server.", .class = 3, .type = 16},
        {.name = "version.server.", .class = 3, .type = 16},
        {.name = "api.example.com.", .class = 4},
        {.name = "api.example.com.", .opcode = 5},
        {.name = "api.example.com.", .edns_version = 1},
        {.name = "api.example.com.", .edns_octets = 1, .dnssec_ok = true},
    };
    static const uint8_t malformed[12] = "\1\2\1\0\0\2";

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        odd[i].from = "10.0.130.56";
        ask_and_count(&odd[i]);
    }
    size_t before = allocations_count();
    size_t length = world_send(&four.world, malformed, sizeof malformed, &odd[0]);
    size_t calls = allocations_count() - before;
    ck_assert_uint_eq(length, 12);
    ck_assert_uint_eq(calls, 0);
}

/* The count would see one. */
TEST(an_allocation_is_counted)
{
    size_t before = allocations_count();
    void *volatile piece = malloc(10);
    size_t calls = allocations_count() - before;
    ck_assert_uint_eq(calls, 1);
    free(piece);
}
