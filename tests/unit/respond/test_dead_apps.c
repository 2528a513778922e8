#include "respond/dead_apps.h"

#include <stdlib.h>
#include <string.h>

#include "respond/respond.h"
#include "support/suite.h"
#include "support/world.h"
#include "support/zones.h"
#include "wire/types.h"

static struct world world;
static struct dead_apps dead;

static void set_up(void)
{
    world_init_fixture(&world);
    dead_apps_init(&dead, 1);
}

static void tear_down(void)
{
    world_close(&world);
}

FIXTURE(set_up, tear_down)

#define CRASHED "sleepy-river-2739.herokuapp.com."

/* Asks so many times within a second. Returns the last answer's TTL. */
static uint32_t ask(const char *name, unsigned times, uint32_t second)
{
    const struct ask how = {.name = name, .type = name[0] == '_' ? TYPE_TXT : TYPE_A};
    uint8_t request[REQUEST_OCTETS_MOST];
    struct exchange exchange = {.request = request,
                                .request_length = request_write(&how, request),
                                .path = {.source = 0x0a008238, .destination = 0x0a000002},
                                .reply = world.reply,
                                .dead_apps = &dead};

    dead_apps_set_time(&dead, second);
    for (unsigned i = 0; i < times; i++)
        world.reply_length = respond(world.snapshot, &exchange);
    return exchange.ttl_seconds;
}

/* Takes the zone file over again, with a text replaced. */
static void edit(const char *old, const char *new)
{
    ck_assert(scratch_edit(&world.folder, "test-space.yaml", old, new));
    world_must_load(&world);
    dead_apps_adopt(&dead, world.snapshot);
}

TEST(a_loop_raises_the_ttl_step_by_step)
{
    ck_assert_uint_eq(ask(CRASHED, 100, 1), 5);
    ck_assert_uint_eq(ask(CRASHED, 1, 1), 10);
    ck_assert_uint_eq(ask(CRASHED, 1000, 1), 10);
    ck_assert_uint_eq(ask(CRASHED, 101, 2), 20);
    ck_assert_uint_eq(ask(CRASHED, 101, 3), 40);
    ck_assert_uint_eq(ask(CRASHED, 101, 4), 60);
    ck_assert_uint_eq(ask(CRASHED, 101, 5), 60);
    ck_assert_uint_eq(ask(CRASHED, 1, 1000), 60);
}

static bool reply_has(const char *name, uint32_t second, ldns_pkt_section section,
                      const char *pattern)
{
    struct decoded reply;

    ask(name, 1, second);
    decode(world.reply, world.reply_length, &reply);
    bool has = decoded_has(&reply, section, pattern);
    decoded_close(&reply);
    return has;
}

/* The SOA has it twice: its own TTL, and its minimum (RFC 2308 section 3). */
TEST(the_reply_has_the_raised_ttl)
{
    ask(CRASHED, 101, 1);
    ck_assert(reply_has(CRASHED, 1, LDNS_SECTION_AUTHORITY, "* 10 IN SOA * 10"));
    ck_assert(reply_has("_why." CRASHED, 1, LDNS_SECTION_ANSWER, "*negative_ttl=10 raised*"));
    ck_assert(!reply_has("_why.open-plain-1001-1234567890ab.herokuapp.com.", 1, LDNS_SECTION_ANSWER,
                         "*negative_ttl=*"));
    ck_assert(reply_has("sleepy.example.com.", 2, LDNS_SECTION_AUTHORITY, "* 10 IN SOA * 10"));
}

/* The next crash begins anew, whether anybody asked in between or not. */
TEST_LOOP(an_app_that_runs_again_falls_back, 0, 2)
{
    ck_assert_uint_eq(ask(CRASHED, 101, 1), 10);
    edit("state: crashed", "state: up");
    for (size_t i = 0; i < DEAD_APPS; i++) /* its address may become another app's */
        ck_assert_ptr_null(dead.slots[i].app);
    if (_i == 1)
        ck_assert_uint_eq(ask(CRASHED, 101, 1), 30);
    edit("10.0.131.7, state: up", "10.0.131.7, state: crashed");
    ck_assert_uint_eq(ask(CRASHED, 1, 1), 5);
}

TEST(a_reload_of_another_space_changes_nothing)
{
    static const char other[] = "space: lone-space\ncidr: 10.99.0.0/16\n";

    ck_assert_uint_eq(ask(CRASHED, 101, 1), 10);
    scratch_write(&world.folder, "lone.yaml", other, sizeof other - 1);
    world_must_load(&world);
    dead_apps_adopt(&dead, world.snapshot);
    ck_assert_uint_eq(ask(CRASHED, 1, 1), 10);
    dead_apps_adopt(&dead, NULL);
    ck_assert_uint_eq(ask(CRASHED, 1, 1), 5);
}

TEST(few_questions_raise_nothing)
{
    for (uint32_t second = 1; second < 100; second++)
        ck_assert_uint_eq(ask(CRASHED, 100, second), 5);
}

/* All of an app's names count together, each worker has its share, and other answers none. */
TEST(the_rate_is_of_an_app_and_of_all_workers)
{
    dead_apps_init(&dead, 4);
    ck_assert_uint_eq(ask(CRASHED, 25, 1), 5);
    ck_assert_uint_eq(ask(CRASHED, 1, 1), 10);
    dead_apps_init(&dead, 1000);
    ck_assert_uint_eq(ask(CRASHED, 1, 1), 5);
    ck_assert_uint_eq(ask(CRASHED, 1, 1), 10);
    ck_assert_uint_eq(ask("frozen-oasis-70544.herokuapp.com.", 1000, 1), 30);
    dead = (struct dead_apps){.answers_most = 0};
    ck_assert_uint_eq(ask(CRASHED, 1000, 1), 5);
}

TEST(a_longer_ttl_of_the_space_is_kept)
{
    edit("space: test-space\n", "space: test-space\nttl: {negative: 90}\n");
    for (uint32_t second = 1; second < 9; second++)
        ck_assert_uint_eq(ask(CRASHED, 200, second), 90);
}

TEST(apps_with_a_raised_ttl_are_listed)
{
    struct raised_app apps[DEAD_APPS];

    ask(CRASHED, 100, 1);
    ck_assert_uint_eq(dead_apps_list(&dead, apps), 0);
    ask(CRASHED, 101, 2);
    ck_assert_uint_eq(dead_apps_list(&dead, apps), 1);
    ck_assert_uint_eq(apps[0].ttl_seconds, 10);
    ck_assert_mem_eq(segment_text(apps[0].segment, apps[0].app->name), "sleepy-river-2739",
                     apps[0].app->name_length);
    ck_assert_uint_eq(dead_apps_raised_ttl(&dead, apps[0].app), 10);
}

TEST(a_ttl_below_that_of_the_space_is_not_raised)
{
    struct raised_app apps[DEAD_APPS];

    edit("space: test-space\n", "space: test-space\nttl: {negative: 90}\n");
    for (uint32_t second = 1; second < 9; second++)
        ask(CRASHED, 200, second);
    ck_assert_uint_eq(dead_apps_list(&dead, apps), 0);
    ck_assert(!reply_has("_why." CRASHED, 9, LDNS_SECTION_ANSWER, "*negative_ttl=*"));
}
