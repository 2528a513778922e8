// wrap: malloc calloc realloc block_take
/**
 * Each allocation of a restate fails in turn: there is an error, nothing is lost, and the snapshot
 * before is as it was.
 */
#include <stdlib.h>

#include "base/blocks.h"
#include "support/allocations.h"
#include "support/dyno_keys.h"
#include "support/suite.h"
#include "support/zones.h"

void *__real_block_take(size_t size);
void *__wrap_block_take(size_t size);

/* A block that needs no new slab is counted, too. */
void *__wrap_block_take(size_t size)
{
    void *counted = malloc(1);

    free(counted);
    return counted == NULL ? NULL : __real_block_take(size);
}

static const char *const texts[] = {
    "space: one-space\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
    "apps:\n  - {name: zoo, formation: {web: {}}}\n  - {name: shop}\n",
    "space: two-space\ncidr: 10.1.0.0/16\nrouters: [10.1.0.37]\n"
    "apps:\n  - {name: bench, formation: {web: {dynos: [{number: 1, private_ip: 10.1.130.1}]}}}\n",
};
static const struct key_text changes[] = {
    {"no-space/zoo/web", 7, ""},
    {"one-space/later/web", 7, ""},
    {"one-space/shop/run", 7, "1 up 10.0.130.1\n"},
    {"one-space/zoo/Web", 7, ""},
    {"one-space/zoo/web", 7, "1 up 10.0.130.1\n2 up 10.0.130.2\n"},
    {"two-space/bench/web", 7, "1 down\n"},
};
enum { CHANGES = sizeof changes / sizeof changes[0], SPACES = 2 };

static char *before_texts[SPACES];

static void expect_before(const struct snapshot *snapshot)
{
    for (int i = 0; i < SPACES; i++) {
        char *text = segment_describe(snapshot->segments[i]);
        ck_assert_str_eq(text, before_texts[i]);
        ck_assert_uint_eq(snapshot->segments[i]->holds, 1);
        free(text);
    }
}

static void expect_restated(const struct snapshot *snapshot, const struct restate_outcome *outcome)
{
    ck_assert_uint_eq(outcome->unused_count, 2);
    ck_assert_uint_eq(outcome->refused_count, 1);
    ck_assert_uint_eq(outcome->changed_spaces, 2);
    ck_assert_uint_eq(snapshot->segments[0]->published_count, 2);
    ck_assert_uint_eq(snapshot->segments[1]->apps[0].web_up, 0);
}

/* Restates once, with an allocation that fails. Returns false when there are not so many. */
static bool restate_failing(const struct snapshot *before, const struct keys *keys, size_t number,
                            size_t *errors)
{
    struct restate_outcome outcome = {.report = report_new()};
    struct err err = {.code = ERR_NONE};

    size_t calls = allocations_count();
    allocations_fail(number);
    struct snapshot *after = snapshot_restate(before, (const struct dyno_key *const *)keys->items,
                                              keys->count, 9, &outcome, &err);
    allocations_fail(0);
    calls = allocations_count() - calls;
    if (after == NULL) {
        ck_assert_int_eq(err.code, ERR_MEMORY);
        ck_assert_uint_eq(outcome.unused_count + outcome.refused_count, 0);
        ++*errors;
    } else {
        expect_restated(after, &outcome);
    }
    snapshot_free(after);
    expect_before(before);
    report_free(outcome.report);
    restate_outcome_close(&outcome);
    return calls >= number;
}

/* Where only a finding is lost, it is restated all the same. */
TEST(a_restate_without_memory_is_an_error_and_no_more)
{
    struct policy policy = policy_usual();
    struct snapshot *before = snapshot_of_texts(&policy, texts, SPACES);
    struct keys keys = keys_of(changes, CHANGES);
    size_t errors = 0, number = 1;

    for (int i = 0; i < SPACES; i++)
        before_texts[i] = segment_describe(before->segments[i]);
    while (restate_failing(before, &keys, number, &errors))
        number++;
    ck_assert_uint_gt(errors, 12);
    for (int i = 0; i < SPACES; i++)
        free(before_texts[i]);
    snapshot_free(before);
    keys_close(&keys);
}

TEST(a_walk_without_memory_ends)
{
    struct policy policy = policy_usual();
    struct snapshot *before = snapshot_of_texts(&policy, texts, SPACES);
    struct keys keys = keys_of(changes, CHANGES);
    struct restate_outcome outcome = {.report = NULL};
    struct err err;

    struct snapshot *after = snapshot_restate(before, (const struct dyno_key *const *)keys.items,
                                              keys.count, 9, &outcome, &err);
    ck_assert_ptr_nonnull(after);
    allocations_fail(1);
    ck_assert(!segment_walk_keys(after->segments[0], NULL, NULL));
    allocations_fail(0);
    restate_outcome_close(&outcome);
    snapshot_free(after);
    snapshot_free(before);
    keys_close(&keys);
}
