#include "forward/sweep.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"
#include "wire/types.h"

enum { NOW_S = 1000, NAMES = 300 };

static const struct hash_key key = {.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};
static struct failures failures;
static struct cache *cache;
static struct sweep sweep;

static struct question ask(const char *text, uint16_t type, struct name *name)
{
    ck_assert(name_from_text(text, name));
    struct query query = {.type = type, .class = CLASS_IN, .name = *name};
    struct question question = question_of(&query, hash_padded(&key, name->octets, name->length));
    question.name = name;
    return question;
}

static void store(const char *text, uint16_t type, uint32_t ttl_seconds)
{
    struct response response = {
        .octets = sizeof response, .ttl_seconds = ttl_seconds, .rcode = RCODE_NXDOMAIN};
    struct name name;
    struct question question = ask(text, type, &name);

    cache_store(cache, NULL, &question, &response, 0, NOW_S);
}

static void note_failure(const char *text)
{
    struct name name;
    struct question question = ask(text, TYPE_A, &name);

    cache_fail(cache, NULL, &question, &(struct cache_failing){.failure = 1}, NOW_S);
    failures_keep(&failures, question.hash, &(struct failure){.until_s = NOW_S + 2});
}

static bool has(const char *text, uint16_t type)
{
    struct name name;
    struct question question = ask(text, type, &name);

    return cache_peek(cache, &question, NOW_S) != NULL;
}

static bool has_failure(const char *text)
{
    struct name name;
    struct failure failure;
    struct question question = ask(text, TYPE_A, &name);

    return failures_find(&failures, question.hash, NOW_S, &failure);
}

static void begin(enum sweep_kind kind, bool with_below, const char *name)
{
    sweep = (struct sweep){.kind = kind, .with_below = with_below};
    if (name != NULL)
        ck_assert(name_from_text(name, &sweep.names[sweep.name_count++]));
}

static void finish(void)
{
    while (!sweep_go_on(&sweep, cache, &failures, NOW_S))
        ;
}

static void set_up(void)
{
    struct err err;

    cache = cache_new(CACHE_OCTETS_LEAST, &err);
    ck_assert_ptr_nonnull(cache);
}

static void tear_down(void)
{
    cache_free(cache);
}

FIXTURE(set_up, tear_down)

static const struct {
    const char *name, *swept;
    bool itself, below;
} names[] = {
    {"www.example.org", "www.example.org", true, true},
    {"a.www.example.org", "www.example.org", false, true},
    {"a.b.c.www.example.org", "www.example.org", false, true},
    {"xwww.example.org", "www.example.org", false, false},
    {"\\003www.example.org", "www.example.org", false, false}, /* its octets end like the other's */
    {"example.org", "www.example.org", false, false},
    {"www.example.com", "www.example.org", false, false},
    {"org", "www.example.org", false, false},
    {".", "www.example.org", false, false},
    {"www.example.org", "org", false, true},
    {"www.example.org", ".", false, true},
    {".", ".", true, true},
    {"*.example.org", "*.example.org", true, true},
    {"www.example.org", "*.example.org", false, false},
};

TEST_OVER(a_sweep_is_for_its_name_or_for_those_below_too, names)
{
    struct name name;

    ck_assert(name_from_presentation(names[_i].name, strlen(names[_i].name), &name));
    begin(SWEEP_LIST, false, names[_i].swept);
    ck_assert_int_eq(sweep_is_for(&sweep, name.octets, name.length), names[_i].itself);
    begin(SWEEP_LIST, true, names[_i].swept);
    ck_assert_int_eq(sweep_is_for(&sweep, name.octets, name.length), names[_i].below);
    begin(SWEEP_LIST, false, NULL);
    ck_assert(sweep_is_for(&sweep, name.octets, name.length));
}

TEST(a_name_is_flushed_with_all_types_and_its_failure)
{
    store("www.example.org", TYPE_A, 60);
    store("www.example.org", TYPE_AAAA, 60);
    store("a.www.example.org", TYPE_A, 60);
    note_failure("www.example.org");
    note_failure("b.example.org");
    begin(SWEEP_FLUSH, false, "www.example.org");
    finish();
    ck_assert_uint_eq(sweep.entries, 2);
    ck_assert_uint_eq(sweep.failures, 1);
    ck_assert(!has("www.example.org", TYPE_A) && !has("www.example.org", TYPE_AAAA));
    ck_assert(!has_failure("www.example.org"));
    ck_assert(has("a.www.example.org", TYPE_A));
    ck_assert(has("b.example.org", TYPE_A) && has_failure("b.example.org"));
    ck_assert_uint_eq(cache_use(cache).entries, 2);
}

TEST(names_below_are_flushed_when_wanted)
{
    store("www.example.org", TYPE_A, 60);
    store("a.www.example.org", TYPE_A, 60);
    store("example.org", TYPE_A, 60);
    begin(SWEEP_FLUSH, true, "www.example.org");
    finish();
    ck_assert_uint_eq(sweep.entries, 2);
    ck_assert(has("example.org", TYPE_A));
    ck_assert_uint_eq(cache_use(cache).entries, 1);
}

TEST(without_names_everything_is_flushed_at_once)
{
    store("www.example.org", TYPE_A, 60);
    note_failure("b.example.org");
    begin(SWEEP_FLUSH, false, NULL);
    ck_assert(sweep_go_on(&sweep, cache, &failures, NOW_S));
    ck_assert_uint_eq(sweep.entries, 2);
    ck_assert_uint_eq(sweep.failures, 1);
    ck_assert_uint_eq(cache_use(cache).entries, 0);
    ck_assert(!has_failure("b.example.org"));
}

TEST(nothing_is_swept_unless_wanted)
{
    store("www.example.org", TYPE_A, 60);
    begin(SWEEP_NOTHING, false, NULL);
    ck_assert(sweep_go_on(&sweep, cache, &failures, NOW_S));
    ck_assert(has("www.example.org", TYPE_A));
    ck_assert_uint_eq(sweep.entries, 0);
}

TEST(a_list_has_type_code_and_time_and_removes_nothing)
{
    store("www.example.org", TYPE_AAAA, 60);
    store("www.example.org", TYPE_MX, 0); /* for those who wait for it */
    note_failure("www.example.org");
    begin(SWEEP_LIST, false, "www.example.org");
    finish();
    ck_assert_uint_eq(sweep.listed_count, 2);
    ck_assert_uint_eq(sweep.entries, 2);
    const struct swept_entry *fresh = &sweep.listed[sweep.listed[0].type == TYPE_AAAA ? 0 : 1];
    const struct swept_entry *failed = &sweep.listed[sweep.listed[0].type == TYPE_AAAA ? 1 : 0];
    ck_assert_uint_eq(fresh->type, TYPE_AAAA);
    ck_assert_uint_eq(fresh->rcode, RCODE_NXDOMAIN);
    ck_assert_int_eq(fresh->state.kept, CACHED_FRESH);
    ck_assert_uint_eq(fresh->state.seconds, 60);
    ck_assert_uint_eq(failed->type, TYPE_A);
    ck_assert_int_eq(failed->state.kept, CACHED_FAILED);
    ck_assert(has("www.example.org", TYPE_AAAA) && has_failure("www.example.org"));
}

TEST(a_list_ends_when_it_is_full_and_counting_goes_on)
{
    for (uint16_t type = 1; type <= 2 * SWEEP_LISTED_MOST; type++)
        store("www.example.org", type, 60);
    begin(SWEEP_LIST, false, "www.example.org");
    finish();
    ck_assert_uint_eq(sweep.listed_count, SWEEP_LISTED_MOST);
    ck_assert_uint_eq(sweep.entries, 2 * SWEEP_LISTED_MOST);
}

/* What is stored in between may be removed or not; what was there is removed, the rest stays. */
TEST(a_sweep_takes_turns_with_the_use_of_the_cache)
{
    char text[32];
    unsigned turns = 0;

    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "n%u.old.example", i);
        store(text, TYPE_A, 60);
    }
    begin(SWEEP_FLUSH, true, "old.example");
    do {
        for (unsigned i = 0; i < NAMES; i++) {
            snprintf(text, sizeof text, "n%u.new%u.example", i, turns);
            store(text, TYPE_A, 60);
        }
        turns++;
    } while (!sweep_go_on(&sweep, cache, &failures, NOW_S));
    ck_assert_uint_gt(turns, 1);
    ck_assert_uint_eq(sweep.entries, NAMES);
    ck_assert_uint_eq(cache_use(cache).entries, (size_t)NAMES * turns);
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "n%u.old.example", i);
        ck_assert(!has(text, TYPE_A));
    }
}
