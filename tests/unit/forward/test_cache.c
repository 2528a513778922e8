// timeout: 120
// wrap: malloc calloc realloc
#include "forward/cache.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/allocations.h"
#include "support/packets.h"
#include "support/suite.h"
#include "wire/types.h"

enum { MEGABYTE = 1 << 20, NOW = 1000, DAY = CACHE_STALE_SECONDS, SERVER = 5 };

static const struct hash_key key = {.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};
static alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
static struct response *const response = (struct response *)(void *)room;
static struct name name;
static struct question question;
static struct cache *cache;

static void begin(size_t octets)
{
    struct err err;

    cache = cache_new(octets, &err);
    ck_assert_ptr_nonnull(cache);
}

/* Check's asserts cost more than the calls they check, so loops use this one. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("%s", what);
}

static void ask_text(const char *text)
{
    must(name_from_text(text, &name), "a name");
    question = (struct question){
        .name = &name,
        .hash = hash_mix(hash_padded(&key, name.octets, name.length), key.second),
        .type = TYPE_A,
        .class = CLASS_IN,
    };
}

static void ask(unsigned number)
{
    char text[32];

    snprintf(text, sizeof text, "n%u.example.com", number);
    ask_text(text);
}

/* A response of which every octet follows from a seed. */
static void make(size_t body, uint32_t ttl_seconds, uint32_t seed)
{
    *response = (struct response){.octets = (uint32_t)(sizeof *response + body),
                                  .ttl_seconds = ttl_seconds,
                                  .body_octets = (uint16_t)body};
    for (size_t i = 0; i < body; i++)
        response->data[i] = (uint8_t)(seed >> (i % 4 * 8) ^ i);
}

static void store(size_t body, uint32_t ttl_seconds, uint32_t seed, uint32_t now)
{
    make(body, ttl_seconds, seed);
    cache_store(cache, NULL, &question, response, SERVER, now);
}

static void check_found(size_t body, uint32_t ttl_seconds, uint32_t seed, uint32_t now)
{
    const struct cache_entry *entry = cache_find(cache, &question, now);

    make(body, ttl_seconds, seed);
    ck_assert_ptr_nonnull(entry);
    ck_assert(entry->has_response);
    ck_assert_mem_eq(cache_response(entry), response, response->octets);
}

static void note_failure(uint8_t server, uint16_t era, uint32_t now)
{
    struct cache_failing failing = {.failure = 3, .server = server, .era = era};
    must(cache_fail(cache, NULL, &question, &failing, now), "there is room for a failure");
}

TEST_LOOP(what_is_stored_is_found_octet_for_octet, 0, 40)
{
    size_t body = (size_t)_i;

    begin(MEGABYTE);
    ask(1);
    ck_assert_ptr_null(cache_find(cache, &question, NOW));
    store(body, 60, 0xabcdef, NOW);
    check_found(body, 60, 0xabcdef, NOW);
    ck_assert_uint_eq(cache_find(cache, &question, NOW)->stored_s, NOW);
    ask(2);
    ck_assert_ptr_null(cache_find(cache, &question, NOW));
    ck_assert_uint_eq(cache_use(cache).entries, 1);
    cache_free(cache);
}

/* Under one hash, so that only comparing keeps them apart. */
TEST(questions_that_differ_in_anything_have_entries_of_their_own)
{
    static const struct {
        const char *name;
        uint16_t type, class;
        uint8_t bits;
    } kinds[] = {
        {"a.test", TYPE_A, CLASS_IN, 0},
        {"b.test", TYPE_A, CLASS_IN, 0},
        {"a.test.x", TYPE_A, CLASS_IN, 0},
        {"a.test", TYPE_AAAA, CLASS_IN, 0},
        {"a.test", TYPE_A, CLASS_CH, 0},
        {"a.test", TYPE_A, CLASS_IN, QUESTION_DO},
        {"a.test", TYPE_A, CLASS_IN, QUESTION_CD},
        {"a.test", TYPE_A, CLASS_IN, QUESTION_DO | QUESTION_CD},
    };

    begin(MEGABYTE);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            ask_text(kinds[i].name);
            question.hash = 0x1234567800000000;
            question.type = kinds[i].type;
            question.class = kinds[i].class;
            question.bits = kinds[i].bits;
            if (round == 0)
                store(40, 60, i, NOW);
            else
                check_found(40, 60, i, NOW);
        }
    }
    ck_assert_uint_eq(cache_use(cache).entries, 8);
    cache_free(cache);
}

TEST(a_response_is_fresh_then_stale_then_gone)
{
    const struct cache_entry *entry;

    begin(MEGABYTE);
    ask(1);
    store(40, 60, 1, NOW);
    entry = cache_find(cache, &question, NOW + 59);
    ck_assert(cache_entry_is_fresh(entry, NOW + 59));
    ck_assert(!cache_entry_is_stale(entry, NOW + 59));
    entry = cache_find(cache, &question, NOW + 60);
    ck_assert(!cache_entry_is_fresh(entry, NOW + 60));
    ck_assert(cache_entry_is_stale(entry, NOW + 60));
    ck_assert_ptr_nonnull(cache_find(cache, &question, NOW + 60 + DAY - 1));
    ck_assert_ptr_null(cache_find(cache, &question, NOW + 60 + DAY));
    ck_assert_ptr_null(cache_peek(cache, &question, NOW + 60 + DAY));
    cache_free(cache);
}

TEST(a_response_without_ttl_passes_and_is_never_fresh_nor_stale)
{
    begin(MEGABYTE);
    ask(1);
    store(40, 60, 1, NOW);
    store(40, 0, 2, NOW + 1);
    for (uint32_t now = NOW + 1; now < NOW + 1 + CACHE_PASSING_SECONDS; now++) {
        const struct cache_entry *entry = cache_find(cache, &question, now);
        ck_assert_ptr_nonnull(entry);
        ck_assert(cache_entry_is_passing(entry, now));
        ck_assert(!cache_entry_is_fresh(entry, now) && !cache_entry_is_stale(entry, now));
        ck_assert_uint_eq(cache_response(entry)->ttl_seconds, 0);
    }
    ck_assert_ptr_null(cache_find(cache, &question, NOW + 1 + CACHE_PASSING_SECONDS));
    cache_free(cache);
}

TEST(a_response_too_large_to_store_removes_the_old_entry)
{
    begin(MEGABYTE);
    ask(1);
    store(40, 60, 1, NOW);
    store(MEGABYTE / 80, 60, 2, NOW);
    ck_assert_ptr_null(cache_find(cache, &question, NOW));
    ck_assert_uint_eq(cache_use(cache).entries, 0);
    ck_assert_uint_eq(cache_use(cache).octets, 0);
    ck_assert_uint_eq(cache_use(cache).evicted, 0);
    cache_free(cache);
}

TEST(a_larger_cache_keeps_the_largest_response)
{
    begin(16 * MEGABYTE);
    ask(1);
    store(65000, 60, 1, NOW);
    check_found(65000, 60, 1, NOW);
    cache_free(cache);
}

TEST(uses_are_counted_by_find_and_not_by_peek)
{
    begin(MEGABYTE);
    ask(1);
    store(40, 60, 1, NOW);
    ck_assert_uint_eq(cache_entry_uses(cache_peek(cache, &question, NOW)), 0);
    ck_assert_uint_eq(cache_entry_uses(cache_peek(cache, &question, NOW)), 0);
    for (unsigned i = 1; i < 6; i++)
        ck_assert_uint_eq(cache_entry_uses(cache_find(cache, &question, NOW)), i < 3 ? i : 3);
    cache_free(cache);
}

TEST(a_response_in_place_of_another_has_its_uses_and_times_of_its_own)
{
    begin(MEGABYTE);
    ask(1);
    store(200, 60, 1, NOW);
    struct cache_entry *entry = cache_find(cache, &question, NOW);
    entry->is_refreshing = true;
    store(150, 90, 2, NOW + 50);
    entry = cache_find(cache, &question, NOW + 50);
    ck_assert(!entry->is_refreshing);
    ck_assert_uint_eq(cache_entry_uses(entry), 2);
    ck_assert_uint_eq(entry->stored_s, NOW + 50);
    ck_assert_uint_eq(entry->fresh_until_s, NOW + 140);
    ck_assert_uint_eq(entry->answered_by, SERVER);
    check_found(150, 90, 2, NOW + 139);
    store(20, 60, 3, NOW);
    check_found(20, 60, 3, NOW);
    ck_assert_uint_eq(cache_use(cache).octets, 112); /* 40 + 24 + 20 + 16 of name, in units */
    store(200, 60, 4, NOW);
    check_found(200, 60, 4, NOW);
    ck_assert_uint_eq(cache_use(cache).octets, 288);
    ck_assert_uint_eq(cache_use(cache).entries, 1);
    ck_assert_uint_eq(cache_use(cache).evicted, 0);
    cache_free(cache);
}

/* Each response that is replaced leaves dead octets; half of `main` is enough for the live ones. */
TEST(what_fits_stays_however_often_its_neighbours_are_replaced)
{
    enum { IDLE = 1500, BUSY = 500 };

    begin(MEGABYTE);
    for (unsigned i = 0; i < IDLE; i++) {
        ask(i);
        store(60, DAY, i, NOW);
    }
    for (unsigned i = 0; i < 100 * BUSY; i++) {
        ask(IDLE + i % BUSY);
        cache_find(cache, &question, NOW);
        store(60, DAY, i, NOW);
    }
    ck_assert_uint_eq(cache_use(cache).entries, IDLE + BUSY);
    ck_assert_uint_eq(cache_use(cache).evicted, 0);
    for (unsigned i = 0; i < IDLE; i++) {
        ask(i);
        check_found(60, DAY, i, NOW);
    }
    cache_free(cache);
}

TEST(failures_in_a_row_are_cached_twice_as_long_each_time)
{
    static const uint32_t seconds[] = {2, 2, 4, 8, 16, 30, 30, 30};
    uint32_t now = NOW;

    begin(MEGABYTE);
    ask(1);
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        note_failure(7, 5, now);
        const struct cache_entry *entry = cache_find(cache, &question, now + seconds[i] - 1);
        ck_assert_ptr_nonnull(entry);
        ck_assert(cache_entry_has_failed(entry, now + seconds[i] - 1, 5));
        ck_assert(!cache_entry_has_failed(entry, now + seconds[i] - 1, 6));
        ck_assert(!entry->has_response);
        ck_assert_uint_eq(cache_entry_failure(entry).server, 7);
        ck_assert_uint_eq(cache_entry_failure(entry).failure, 3);
        ck_assert_ptr_null(cache_find(cache, &question, now + seconds[i]));
        now += seconds[i] + (i % 2 == 0 ? 0 : 100);
    }
    cache_free(cache);
}

static uint32_t failing_until(uint32_t now)
{
    return cache_entry_failure(cache_find(cache, &question, now)).until_s;
}

TEST(a_new_era_and_a_success_reset_the_failure_time)
{
    begin(MEGABYTE);
    ask(1);
    for (uint32_t now = NOW; now < NOW + 8; now = failing_until(now))
        note_failure(1, 5, now);
    note_failure(1, 5, NOW + 8);
    ck_assert_uint_eq(failing_until(NOW + 8), NOW + 16);
    note_failure(1, 6, NOW + 8);
    ck_assert_uint_eq(failing_until(NOW + 8), NOW + 10);
    note_failure(1, 6, NOW + 10);
    store(40, 60, 1, NOW + 10);
    ck_assert_uint_eq(failing_until(NOW + 10), 0);
    note_failure(1, 6, NOW + 10);
    ck_assert_uint_eq(failing_until(NOW + 10), NOW + 12);
    cache_free(cache);
}

/* They are of other workers' fetches, which began before the first one had failed. */
TEST(failures_that_come_while_one_lasts_do_not_double_its_time)
{
    begin(MEGABYTE);
    ask(1);
    note_failure(1, 5, NOW);
    for (unsigned i = 0; i < 10; i++)
        note_failure(1, 5, NOW + 1);
    ck_assert_uint_eq(failing_until(NOW + 1), NOW + 3);
    note_failure(1, 5, NOW + 3);
    note_failure(1, 5, NOW + 5);
    ck_assert_uint_eq(failing_until(NOW + 5), NOW + 9);
    cache_free(cache);
}

TEST(a_failure_keeps_the_stale_response)
{
    begin(MEGABYTE);
    ask(1);
    store(40, 60, 1, NOW);
    const struct cache_entry *entry = cache_find(cache, &question, NOW);
    note_failure(1, 5, NOW + 100);
    ck_assert_ptr_eq(cache_find(cache, &question, NOW + 100), entry);
    ck_assert(cache_entry_has_failed(entry, NOW + 100, 5));
    ck_assert(cache_entry_is_stale(entry, NOW + 100));
    check_found(40, 60, 1, NOW + 100);
    ck_assert(!cache_entry_has_failed(entry, NOW + 102, 5));
    ck_assert_ptr_nonnull(cache_find(cache, &question, NOW + 101));
    cache_free(cache);
}

/* Ninth of a line: hashes that agree in their upper half. Later numbers are older. */
TEST_LOOP(a_ninth_of_a_line_pushes_out_the_least_used_then_the_oldest, 0, 9)
{
    unsigned unused = (unsigned)_i, gone = unused < 8 ? unused : 7;

    begin(MEGABYTE);
    for (unsigned i = 0; i < 9; i++) {
        ask(i);
        question.hash = 0x1234567800000000 + i;
        store(40, 60, i, NOW - i);
        if (i != unused)
            cache_find(cache, &question, NOW);
    }
    for (unsigned i = 0; i < 9; i++) {
        ask(i);
        question.hash = 0x1234567800000000 + i;
        ck_assert((cache_find(cache, &question, NOW) == NULL) == (i == gone));
    }
    ck_assert_uint_eq(cache_use(cache).entries, 8);
    ck_assert_uint_eq(cache_use(cache).evicted, 1);
    cache_free(cache);
}

TEST(of_a_full_line_expired_entries_are_evicted_first)
{
    begin(MEGABYTE);
    for (unsigned i = 0; i < 9; i++) {
        ask(i);
        question.hash = 0x1234567800000000 + i;
        store(40, i == 4 ? 1 : 2 * DAY, i, i < 8 ? NOW : NOW + 2 + DAY);
        for (int uses = 0; i == 4 && uses < 3; uses++)
            cache_find(cache, &question, NOW);
    }
    for (unsigned i = 0; i < 9; i++) {
        ask(i);
        question.hash = 0x1234567800000000 + i;
        ck_assert((cache_find(cache, &question, NOW) == NULL) == (i == 4));
    }
    cache_free(cache);
}

TEST(a_flushed_cache_is_empty)
{
    begin(MEGABYTE);
    for (unsigned i = 0; i < 20000; i++) {
        ask(i);
        store(40, 60, i, NOW);
    }
    cache_flush(cache);
    ck_assert_uint_eq(cache_use(cache).entries, 0);
    ck_assert_uint_eq(cache_use(cache).octets, 0);
    for (unsigned i = 0; i < 20000; i++) {
        ask(i);
        ck_assert_ptr_null(cache_find(cache, &question, NOW));
    }
    store(40, 60, 7, NOW);
    check_found(40, 60, 7, NOW);
    cache_free(cache);
}

TEST(a_cache_below_the_minimum_is_refused_with_a_sentence)
{
    struct err err = {.code = ERR_NONE};

    ck_assert_ptr_null(cache_new(CACHE_OCTETS_LEAST - 1, &err));
    ck_assert_int_eq(err.code, ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "1048575 octets"));
    ck_assert_ptr_null(cache_new((size_t)1 << 40, &err));
    ck_assert_int_eq(err.code, ERR_LIMIT);
    cache_free(NULL);
}

/* Names of a flood never come again. */
static void flood(unsigned count)
{
    static unsigned next = 1000000000;

    for (unsigned i = 0; i < count; i++) {
        ask(next++);
        cache_find(cache, &question, NOW);
        store(60, 60, next, NOW);
    }
}

/* Asked once, evicted from `small`, asked again: then it stays without being asked. It is as large
   as those of the flood, which do not find room in `main`. */
TEST(an_entry_that_comes_back_soon_stays)
{
    begin(MEGABYTE);
    flood(20000);
    ask(1);
    store(70, 60, 1, NOW);
    flood(2000);
    ask(1);
    ck_assert_ptr_null(cache_find(cache, &question, NOW));
    store(70, 60, 1, NOW);
    flood(2000);
    ask(1);
    check_found(70, 60, 1, NOW);
    cache_free(cache);
}

TEST(an_entry_that_is_asked_for_again_stays)
{
    begin(MEGABYTE);
    flood(20000);
    ask(1);
    store(70, 60, 1, NOW);
    cache_find(cache, &question, NOW);
    flood(10000);
    ask(1);
    check_found(70, 60, 1, NOW);
    cache_free(cache);
}

/* Names that are asked twice and never again: all of them pass through `main`. */
static void pass_by(unsigned count)
{
    static unsigned next = 2000000000;

    for (unsigned i = 0; i < count; i++) {
        ask(next++);
        store(60, 60, next, NOW);
        cache_find(cache, &question, NOW);
    }
}

TEST(what_is_replaced_in_main_stays_there)
{
    begin(MEGABYTE);
    pass_by(10000);
    ask(1);
    store(60, 60, 1, NOW);
    cache_find(cache, &question, NOW);
    pass_by(2000);
    ask(1);
    ck_assert_uint_eq(cache_entry_uses(cache_peek(cache, &question, NOW)), 0);
    store(600, 60, 2, NOW);
    flood(5000);
    ask(1);
    check_found(600, 60, 2, NOW);
    cache_free(cache);
}

/* `main` of this cache holds some 5,500 of them: a name asked every 500th time stays. */
TEST(names_in_use_stay_while_others_pass_by)
{
    unsigned missing = 0;

    begin(MEGABYTE);
    for (unsigned i = 0; i < 100000; i++) {
        pass_by(1);
        if (i % 5 != 0)
            continue;
        ask(i / 5 % 100);
        if (cache_find(cache, &question, NOW) != NULL)
            continue;
        store(60, 60, i, NOW);
        missing += i > 10000;
    }
    ck_assert_uint_le(missing, 180); /* of 18,000 */
    cache_free(cache);
}

TEST(names_no_longer_in_use_are_evicted)
{
    begin(MEGABYTE);
    pass_by(10000);
    for (unsigned i = 0; i < 100; i++) {
        ask(i);
        store(60, 60, i, NOW);
        for (int uses = 0; uses < CACHE_USES_MOST; uses++)
            cache_find(cache, &question, NOW);
    }
    pass_by(40000);
    for (unsigned i = 0; i < 100; i++) {
        ask(i);
        ck_assert_ptr_null(cache_peek(cache, &question, NOW));
    }
    cache_free(cache);
}

/*
 * A flood of a million names, and among them 1,000 names in use, each asked every 20,000th time:
 * `small` of this cache holds some 3,000. Each is a miss two or three times until it is known.
 */
TEST(a_flood_of_random_names_leaves_names_in_use_alone)
{
    enum { FLOOD = 1000000, NAMES = 1000, EVERY = 20, KNOWN_AFTER = 3 * NAMES * EVERY };
    unsigned asked = 0, found = 0;

    begin(4 * MEGABYTE);
    for (unsigned i = 0; i < FLOOD; i++) {
        flood(1);
        if (i % EVERY != 0)
            continue;
        ask(i / EVERY % NAMES);
        bool is_found = cache_find(cache, &question, NOW) != NULL;
        if (is_found)
            check_found(60, 60, i / EVERY % NAMES, NOW);
        else
            store(60, 60, i / EVERY % NAMES, NOW);
        asked += i >= KNOWN_AFTER;
        found += i >= KNOWN_AFTER && is_found;
    }
    ck_assert_uint_gt(asked, 40000);
    ck_assert_uint_ge(found * 100UL, asked * 99UL);
    cache_free(cache);
}

/* Responses that are fetched again when they expire stay in the flood as well. */
TEST(names_of_short_ttl_in_use_survive_a_flood_too)
{
    enum { FLOOD = 300000, NAMES = 1000 };
    unsigned asked = 0, found = 0;

    begin(4 * MEGABYTE);
    for (unsigned i = 0; i < FLOOD; i++) {
        uint32_t now = NOW + i / 1000;
        flood(1);
        if (i % 10 != 0)
            continue;
        ask(i / 10 % NAMES);
        const struct cache_entry *entry = cache_find(cache, &question, now);
        asked += i > FLOOD / 3;
        found += i > FLOOD / 3 && entry != NULL;
        if (entry == NULL || !cache_entry_is_fresh(entry, now))
            store(60 + i % 7 * 16, 5, i, now);
    }
    ck_assert_uint_ge(found * 100UL, asked * 99UL);
    cache_free(cache);
}

/* ---- Several workers ---- */

static struct grace_member *join(void)
{
    struct err err;
    struct grace_member *member = cache_join(cache, &err);

    ck_assert_ptr_nonnull(member);
    cache_pass(cache, member);
    return member;
}

/* Stores as one of the workers: names that never come again. Returns how many were not stored. */
static unsigned flood_as(const struct grace_member *member, unsigned count)
{
    static unsigned next = 3000000000;
    unsigned held = 0;

    for (unsigned i = 0; i < count; i++) {
        ask(next++);
        make(60, 60, next);
        held += cache_store(cache, member, &question, response, SERVER, NOW) == CACHE_HELD;
    }
    return held;
}

/* The entry moves on to `main`, or is flushed, and its octets would be used fifteen times again. */
TEST_LOOP(an_entry_that_a_worker_has_found_stays_whole_until_it_passes, 0, 2)
{
    begin(MEGABYTE);
    struct grace_member *reader = join(), *writer = join();
    ask(1);
    store(60, 60, 7, NOW);
    const struct cache_entry *entry = cache_find(cache, &question, NOW);
    if (_i == 1)
        cache_flush(cache);
    unsigned held = flood_as(writer, 100000);
    ck_assert_uint_gt(held, 0);
    ask(1);
    ck_assert_ptr_ne(cache_peek(cache, &question, NOW), entry);
    make(60, 60, 7);
    ck_assert_mem_eq(cache_response(entry), response, response->octets);
    ck_assert(name_equals(&name, cache_entry_name(entry), entry->name_length));
    cache_pass(cache, reader);
    ck_assert_uint_eq(flood_as(writer, 10), 0);
    cache_free(cache);
}

TEST(nothing_is_held_for_workers_that_rest_or_have_left_or_store_themselves)
{
    begin(MEGABYTE);
    struct grace_member *rests = join(), *leaves = join(), *writer = join();
    grace_rest(rests);
    cache_leave(leaves);
    ck_assert_uint_eq(flood_as(writer, 20000), 0);
    grace_rest(writer);
    ck_assert_uint_eq(flood_as(NULL, 20000), 0);
    cache_free(cache);
}

/* A worker passes when it has stored some hundred names: nothing is lost of what others store. */
TEST(a_worker_that_passes_now_and_then_holds_nothing_up)
{
    unsigned held = 0;

    begin(4 * MEGABYTE);
    struct grace_member *slow = join(), *writer = join();
    for (int i = 0; i < 1000; i++) {
        held += flood_as(writer, 64);
        cache_pass(cache, slow);
    }
    ck_assert_uint_eq(held, 0);
    cache_free(cache);
}

TEST(an_answer_that_could_not_replace_an_older_one_removes_it)
{
    begin(MEGABYTE);
    enum cache_stored stored = CACHE_STORED;
    join();

    for (unsigned i = 0; stored == CACHE_STORED && i < 100000; i++) {
        ask(1);
        make(60, 60, i);
        stored = cache_store(cache, NULL, &question, response, SERVER, NOW);
    }
    ck_assert_int_eq(stored, CACHE_HELD);
    ck_assert_ptr_null(cache_find(cache, &question, NOW));
    cache_free(cache);
}

TEST(a_failure_for_which_there_is_no_room_is_not_kept)
{
    const struct cache_failing failing = {.failure = 3};
    bool is_kept = true;

    begin(MEGABYTE);
    struct grace_member *reader = join();
    for (unsigned i = 0; is_kept && i < 100000; i++) {
        ask(i);
        is_kept = cache_fail(cache, NULL, &question, &failing, NOW);
    }
    ck_assert(!is_kept);
    cache_pass(cache, reader);
    ck_assert(cache_fail(cache, NULL, &question, &failing, NOW));
    cache_free(cache);
}

TEST(what_is_done_once_for_all_workers_one_of_them_claims)
{
    begin(MEGABYTE);
    ck_assert(cache_claim(cache, 1));
    ck_assert(!cache_claim(cache, 1));
    ck_assert(cache_claim(cache, 3));
    ck_assert(!cache_claim(cache, 2));
    cache_free(cache);
}

/* Names of which the n-th is asked for as often as 1/n says. */
enum { ZIPF_NAMES = 40000, ZIPF_STEPS = 400000, ZIPF_BATCH = 64 };

static unsigned draw_zipf(struct dice *dice)
{
    static double sums[ZIPF_NAMES];
    unsigned low = 0, high = ZIPF_NAMES - 1;

    for (unsigned i = 0; sums[ZIPF_NAMES - 1] == 0 && i < ZIPF_NAMES; i++)
        sums[i] = (i == 0 ? 0 : sums[i - 1]) + 1.0 / (i + 1);
    double wanted = sums[ZIPF_NAMES - 1] * dice_roll(dice, UINT32_MAX) / UINT32_MAX;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (sums[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Hits when the workers take turns, each in the midst of its batch while the others store. */
static unsigned count_zipf_hits(unsigned workers, size_t octets)
{
    struct grace_member *members[8];
    struct dice dice = {.state = 77};
    unsigned hits = 0;

    begin(octets);
    for (unsigned i = 0; i < workers; i++)
        members[i] = join();
    for (unsigned step = 0; step < ZIPF_STEPS; step++) {
        struct grace_member *member = members[step % workers];
        if (step / workers % ZIPF_BATCH == 0)
            cache_pass(cache, member);
        unsigned number = draw_zipf(&dice);
        ask(number);
        if (cache_find(cache, &question, NOW) != NULL) {
            hits++;
            continue;
        }
        make(40 + number % 160, 60, number);
        cache_store(cache, member, &question, response, SERVER, NOW);
    }
    cache_free(cache);
    return hits;
}

/* In the smallest cache, what eight workers hold at once is a larger part of `small`. */
static const struct {
    size_t megabytes;
    unsigned apart_most; /* of a thousand requests */
} caches[] = {{1, 10}, {4, 1}, {16, 1}};

TEST_OVER(the_hit_ratio_is_the_same_for_one_two_and_eight_workers, caches)
{
    size_t octets = caches[_i].megabytes * MEGABYTE;
    unsigned alone = count_zipf_hits(1, octets);

    ck_assert_uint_gt(alone, ZIPF_STEPS / 2);
    for (unsigned workers = 2; workers <= 8; workers += 6) {
        unsigned hits = count_zipf_hits(workers, octets);
        unsigned apart = hits > alone ? hits - alone : alone - hits;
        ck_assert_msg(apart * 1000 <= caches[_i].apart_most * ZIPF_STEPS,
                      "%u workers: %u hits, one: %u", workers, hits, alone);
    }
}

static size_t resident_octets(void *start, size_t octets)
{
    static unsigned char pages[16 * MEGABYTE / 4096];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), resident = 0;

    ck_assert_int_eq(mincore(start, octets, pages), 0);
    for (size_t i = 0; i < octets / page; i++)
        resident += pages[i] & 1;
    return resident * page;
}

TEST(a_full_cache_uses_the_octets_it_was_given)
{
    enum { GIVEN = 16 * MEGABYTE };

    begin(GIVEN);
    ck_assert_uint_le(resident_octets(cache, GIVEN), GIVEN / 4); /* a huge page or two */
    flood(400000);
    struct cache_use use = cache_use(cache);
    ck_assert_uint_eq(use.octets_most, GIVEN);
    ck_assert_uint_ge(resident_octets(cache, GIVEN), GIVEN / 10 * 9);
    ck_assert_uint_ge(use.octets, GIVEN / 10 * 8); /* index and ghosts are the rest */
    ck_assert_uint_gt(use.entries, 80000);
    ck_assert_uint_gt(use.evicted, 200000);
    cache_free(cache);
}

/* Everything a worker does with its cache for one question. */
static void use_all(unsigned seed)
{
    note_failure(1, 1, NOW);
    store(seed % 600, 60, seed, NOW);
    cache_prefetch(cache, question.hash);
    cache_prefetch_entry(cache, question.hash);
    cache_peek(cache, &question, NOW);
    cache_find(cache, &question, NOW);
}

TEST(nothing_is_allocated_after_cache_new)
{
    unsigned long while_used = 0;

    begin(MEGABYTE);
    for (unsigned i = 0; i < 20000; i++) {
        ask(i);
        size_t before = allocations_count();
        use_all(i);
        while_used += allocations_count() - before;
    }
    ck_assert_uint_eq(while_used, 0);
    ck_assert_uint_gt(cache_use(cache).evicted, 10000);
    cache_free(cache);
}

/* What was stored last for each name, and when. */
struct stored {
    size_t body;
    uint32_t ttl_seconds;
    uint32_t seed;
    uint32_t stored_s; /* 0: nothing, or forgotten */
    uint32_t failed_s;
};

enum { MODEL_NAMES = 4000, MODEL_STEPS = 300000 };

static struct stored model[MODEL_NAMES];

static size_t random_body(struct dice *dice)
{
    static const uint32_t most[] = {40, 40, 100, 100, 100, 300, 2000, 14000};
    return dice_roll(dice, most[dice_roll(dice, 8)]);
}

static void store_some(struct dice *dice, unsigned number, uint32_t now)
{
    struct stored *kept = &model[number];

    *kept = (struct stored){.body = random_body(dice),
                            .ttl_seconds = dice_roll(dice, 10) == 0 ? 0 : dice_roll(dice, 300),
                            .seed = dice_roll(dice, UINT32_MAX),
                            .stored_s = now};
    store(kept->body, kept->ttl_seconds, kept->seed, now);
}

/* Every entry is one of the model's; those of numbers with a remainder are removed. */
struct model_walk {
    unsigned divisor, remainder;
    unsigned met, removed;
    bool was_met[MODEL_NAMES];
};

static unsigned number_of(const struct cache_entry *entry)
{
    const uint8_t *label = cache_entry_name(entry);
    unsigned number = 0;

    for (unsigned i = 2; i <= label[0]; i++)
        number = number * 10 + (label[i] - (unsigned)'0');
    return number;
}

static bool meet_some(void *context, const struct cache_entry *entry)
{
    struct model_walk *walk = context;
    unsigned number = number_of(entry);

    must(number < MODEL_NAMES, "an entry of the model");
    must(!walk->was_met[number], "each is met once");
    walk->was_met[number] = true;
    walk->met++;
    if (number % walk->divisor != walk->remainder)
        return false;
    walk->removed++;
    return true;
}

/* Removes a part of the entries, or all, and checks what is left. */
static void remove_some(struct dice *dice, uint32_t now)
{
    static struct model_walk walk;
    size_t before = cache_use(cache).entries;
    uint32_t line = 0;

    walk = (struct model_walk){.divisor = 1 + dice_roll(dice, 7)};
    walk.remainder = dice_roll(dice, walk.divisor);
    while (!cache_walk(cache, &line, 1 + dice_roll(dice, 300), meet_some, &walk))
        ;
    must(walk.met == before, "all are met");
    must(cache_use(cache).entries == before - walk.removed, "what is removed is not counted");
    must(cache_use(cache).octets > 0 || cache_use(cache).entries == 0, "nor its octets");
    for (unsigned number = 0; number < MODEL_NAMES; number++) {
        if (number % walk.divisor != walk.remainder)
            continue;
        ask(number);
        must(cache_peek(cache, &question, now) == NULL, "what is removed is not found");
        model[number] = (struct stored){.body = 0};
    }
}

/* What is found is what was stored last, with its time and its failure. */
static bool check_some(unsigned number, uint32_t now)
{
    const struct stored *kept = &model[number];
    const struct cache_entry *entry = cache_find(cache, &question, now);

    if (entry == NULL)
        return false;
    must(cache_entry_failure(entry).until_s <= now ||
             cache_entry_failure(entry).until_s <= kept->failed_s + CACHE_FAILURE_MOST_SECONDS,
         "a failure is remembered too long");
    if (!entry->has_response)
        return true;
    must(kept->stored_s != 0, "something was kept");
    must(entry->stored_s == kept->stored_s, "it is the last that was stored");
    must(entry->fresh_until_s == kept->stored_s + kept->ttl_seconds, "it has its own time");
    must(now < cache_entry_failure(entry).until_s ||
             now < entry->fresh_until_s + (kept->ttl_seconds > 0 ? DAY : CACHE_PASSING_SECONDS),
         "its time is not over");
    make(kept->body, kept->ttl_seconds, kept->seed);
    must(memcmp(cache_response(entry), response, response->octets) == 0, "its octets are the same");
    return true;
}

TEST_LOOP(whatever_is_found_is_what_was_stored_last, 0, 3)
{
    struct dice dice = {.state = (uint64_t)_i + 1};
    uint32_t now = NOW;
    unsigned found = 0;

    begin(MEGABYTE);
    for (int i = 0; i < MODEL_STEPS; i++) {
        /* Half of the time a tenth of the names. */
        unsigned number =
            dice_roll(&dice, dice_roll(&dice, 2) == 0 ? MODEL_NAMES : MODEL_NAMES / 10);
        ask(number);
        if (dice_roll(&dice, 1000) == 0)
            now += dice_roll(&dice, 100) == 0 ? DAY : 10;
        if (dice_roll(&dice, 5000) == 0) {
            remove_some(&dice, now);
            ask(number);
        }
        switch (dice_roll(&dice, 8)) {
        case 0:
        case 1:
            store_some(&dice, number, now);
            break;
        case 2:
            note_failure(1, (uint16_t)dice_roll(&dice, 2), now);
            model[number].failed_s = now;
            break;
        default:
            found += check_some(number, now);
        }
        must(cache_use(cache).octets < MEGABYTE, "the cache has its size");
    }
    ck_assert_uint_gt(found, MODEL_STEPS / 10);
    ck_assert_uint_gt(cache_use(cache).evicted, 25000);
    cache_free(cache);
}
