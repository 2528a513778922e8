#include "traffic/waste.h"

#include <string.h>

#include "support/snapshot_fixture.h"
#include "support/suite.h"

enum { SOURCE = 0x0a008238, OTHER_SOURCE = 0x0a008239, NOW = 1700000000 };

static struct parties *parties;
static struct waste *waste;
static uint32_t client;
static uint32_t now_s;

static void set_up(void)
{
    snapshot_set_up();
    parties = parties_new();
    waste = waste_new(parties);
    ck_assert_ptr_nonnull(waste);
    client = parties_add(parties,
                         &(struct party_key){.kind = PARTY_APP, .name = "app", .name_length = 3});
    parties_hold(parties, client);
    now_s = NOW;
    waste_settle(waste, now_s); /* the first window begins */
}

static void tear_down(void)
{
    waste_free(waste);
    parties_free(parties);
    snapshot_tear_down();
}

FIXTURE(set_up, tear_down)

static void ask(uint32_t source, const char *text, bool exists)
{
    struct name name;

    ck_assert(name_from_text(text, &name));
    const struct waste_question question = {.source = source,
                                            .client = client,
                                            .name_hash =
                                                index_hash(&fixture.snapshot->index, &name),
                                            .is_answered = exists,
                                            .at_s = now_s};
    waste_note(waste, &question);
    if (!exists)
        waste_note_missing(waste, &question, &fixture.snapshot->index, &name, 1);
}

/* What is wasted with a suffix, by remedy. */
static uint64_t wasted(const char *suffix, enum waste_remedy remedy)
{
    const struct uses *uses = waste_uses(waste);

    for (const struct use *use = uses_next(uses, NULL); use != NULL; use = uses_next(uses, use))
        if (strcmp(parties_at(parties, use->parties[1])->name, suffix) == 0)
            return use->asked.counts[remedy];
    return 0;
}

TEST(a_missing_name_that_is_another_one_with_a_suffix_is_wasted)
{
    ask(SOURCE, "api.example.com.svc.cluster.local", false);
    ask(SOURCE, "api.example.com.cluster.local", false);
    ask(SOURCE, "api.example.com", true);
    waste_settle(waste, now_s);
    ck_assert_uint_eq(wasted("svc.cluster.local", WASTE_BY_NDOTS), 1);
    ck_assert_uint_eq(wasted("cluster.local", WASTE_BY_NDOTS), 1);
    waste_settle(waste, now_s);
    ck_assert_uint_eq(wasted("cluster.local", WASTE_BY_NDOTS), 1);
    ck_assert_uint_eq(uses_count(waste_uses(waste)), 2);
}

TEST(the_name_may_be_asked_after_its_longer_ones_have_been_settled)
{
    ask(SOURCE, "api.example.com.corp.example", false);
    waste_settle(waste, now_s);
    ck_assert_uint_eq(uses_count(waste_uses(waste)), 0);
    waste_settle(waste, now_s += WASTE_WINDOW_S); /* another one begins */
    ask(SOURCE, "api.example.com", true);
    waste_settle(waste, now_s);
    ck_assert_uint_eq(wasted("corp.example", WASTE_BY_NDOTS), 1);
}

TEST(a_name_asked_long_ago_does_not_count)
{
    ask(SOURCE, "api.example.com", true);
    for (unsigned i = 0; i < 3; i++)
        waste_settle(waste, now_s += WASTE_WINDOW_S);
    ask(SOURCE, "api.example.com.corp.example", false);
    waste_settle(waste, now_s);
    ck_assert_uint_eq(uses_count(waste_uses(waste)), 0);
}

TEST(another_client_does_not_count)
{
    ask(OTHER_SOURCE, "api.example.com", true);
    ask(SOURCE, "api.example.com.corp.example", false);
    waste_settle(waste, now_s);
    ck_assert_uint_eq(uses_count(waste_uses(waste)), 0);
}

TEST(ndots_does_not_help_where_the_name_has_no_dot_or_does_not_exist)
{
    ask(SOURCE, "api", true);
    ask(SOURCE, "api.one.example", false);
    ask(SOURCE, "no.such", false);
    ask(SOURCE, "no.such.two.example", false);
    waste_settle(waste, now_s);
    ck_assert_uint_eq(wasted("one.example", WASTE_BY_SEARCH), 1);
    ck_assert_uint_eq(wasted("one.example", WASTE_BY_NDOTS), 0);
    ck_assert_uint_eq(wasted("two.example", WASTE_BY_SEARCH), 1);
}

TEST(of_several_names_the_longest_counts)
{
    ask(SOURCE, "api.example", true);
    ask(SOURCE, "api", true);
    ask(SOURCE, "api.example.com.corp.example", false);
    waste_settle(waste, now_s);
    ck_assert_uint_eq(wasted("com.corp.example", WASTE_BY_NDOTS), 1);
    ck_assert_uint_eq(uses_count(waste_uses(waste)), 1);
}

TEST(too_many_missing_names_are_counted_and_hold_nobody)
{
    char text[64];

    for (unsigned i = 0; i < WASTE_PENDING_MOST + 10; i++) {
        snprintf(text, sizeof text, "n%u.example.org", i);
        ask(SOURCE + i % 8, text, false);
    }
    ck_assert_uint_eq(waste_missed(waste), 10);
    for (unsigned i = 0; i < 4; i++)
        waste_settle(waste, now_s += WASTE_WINDOW_S);
    ck_assert_uint_eq(parties_at(parties, client)->holds, 1);
    ask(SOURCE, "api.example.com.corp.example", false);
    ck_assert_uint_eq(waste_missed(waste), 10);
}

/* There was no memory for it, or no room. */
TEST(a_client_without_a_party_wastes_nothing)
{
    uint32_t known = client;

    client = PARTY_NONE;
    ask(SOURCE, "api.example.com.corp.example", false);
    ask(SOURCE, "api.example.com", true);
    waste_settle(waste, now_s);
    client = known;
    ck_assert_uint_eq(uses_count(waste_uses(waste)), 0);
}

/* Not before what it had asked before has been forgotten, it asks for more. */
TEST(a_client_that_asks_for_random_names_does_not_hide_the_waste_of_others)
{
    char text[32];

    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < 2 * WASTE_PENDING_MOST; i++) {
            snprintf(text, sizeof text, "n%u.example.org", i);
            ask(OTHER_SOURCE, text, false);
        }
        ck_assert_uint_eq(waste_missed(waste),
                          (turn + 1) * (2 * WASTE_PENDING_MOST - WASTE_PENDING_OF_CLIENT));
        ask(SOURCE, "api.example.com.corp.example", false);
        ask(SOURCE, "api.example.com", true);
        waste_settle(waste, now_s);
        ck_assert_uint_eq(wasted("corp.example", WASTE_BY_NDOTS), turn + 1);
        for (unsigned i = 0; i < 3; i++)
            waste_settle(waste, now_s += WASTE_WINDOW_S);
    }
}
