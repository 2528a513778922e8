#include "traffic/usage_file.h"

#include <stdlib.h>
#include <string.h>

#include "answer/stored.h"
#include "support/flowing.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "wire/types.h"

enum { BEGAN_S = 1700000000, FLIPS = 300 };

static const int64_t began_ms = (int64_t)BEGAN_S * 1000;

static struct flowing flowing;
static struct usage *usage;
static uint8_t *octets;
static size_t length;

static struct usage *make(uint32_t now_s)
{
    struct usage *made =
        usage_new(&(struct usage_options){.apps_most = 10, .pairs_most = 10, .now_s = now_s});

    ck_assert_ptr_nonnull(made);
    return made;
}

static void add_up(struct usage *to)
{
    const struct flow_table *table = flowing_take(&flowing);

    usage_add(to, table, began_ms + (int64_t)table->begun_ms);
    flows_return(flowing.flows);
}

static void set_up(void)
{
    snapshot_set_up();
    flowing_init(&flowing, fixture.snapshot);
    usage = make(BEGAN_S);
    flowing_at(&flowing, 1000);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 5);
    flowing_reply(&flowing, "10.20.3.4", "sleepy.example.com", TYPE_A, 2);
    flowing_reply(&flowing, "203.0.113.9", "api.example.com", TYPE_A, 1);
    flowing_reply(&flowing, "10.0.132.9", "web.frozen-oasis-70544.app.localspace", TYPE_A, 3);
    flowing_foreign(&flowing, "10.0.132.9", "db.example.org", RCODE_NOERROR);
    flowing_foreign(&flowing, "10.0.132.9", "db.example.org.corp.example", RCODE_NXDOMAIN);
    add_up(usage);
    expiries_raise_floor(usage_expiries(usage), BEGAN_S + 3);
    *usage_longest_ttl(usage) =
        (struct longest_ttl){.ttl_s = 60, .until_s = BEGAN_S + 7, .most_s = 300};
    octets = usage_file_write(usage, true, &length);
    ck_assert_ptr_nonnull(octets);
}

static void tear_down(void)
{
    free(octets);
    usage_free(usage);
    flowing_close(&flowing);
    snapshot_tear_down();
}

FIXTURE(set_up, tear_down)

static const struct use *find(const struct usage *in, const struct uses *uses, const char *first,
                              const char *second)
{
    for (const struct use *use = uses_next(uses, NULL); use != NULL; use = uses_next(uses, use)) {
        const struct party *one = parties_at(usage_parties(in), use->parties[0]);
        if (strcmp(one->name, first) == 0 &&
            (second == NULL ||
             strcmp(parties_at(usage_parties(in), use->parties[1])->name, second) == 0))
            return use;
    }
    return NULL;
}

static void check_same(const struct usage *in, uint64_t times)
{
    const struct use *app = find(in, usage_apps(in), "frozen-oasis-70544", NULL);
    const struct use *pair = find(in, usage_pairs(in), "open-plain-1001", "frozen-oasis-70544");
    uint32_t hour[LATELY_SLOTS];

    ck_assert_uint_eq(app->asked.counts[USE_ANSWERED], 8 * times);
    ck_assert_uint_eq(app->asked.counts[USE_REFUSED], times);
    ck_assert_uint_eq(pair->asked.counts[USE_ANSWERED], 8 * times);
    ck_assert_uint_eq(pair->asked.first_s, BEGAN_S + 1);
    ck_assert_uint_eq(
        find(in, usage_pairs(in), "pcx-111aaa111", "sleepy-river-2739")->asked.counts[USE_FAILED],
        2 * times);
    ck_assert_uint_eq(
        use_counts_total(
            &find(in, usage_domains(in), "frozen-oasis-70544", "api.example.com")->asked),
        6 * times);
    ck_assert_uint_eq(find(in, waste_uses(usage_waste(in)), "open-plain-1001", "corp.example")
                          ->asked.counts[WASTE_BY_NDOTS],
                      times);
    lately_last_hour(usage_lately(in, app->parties[0]), BEGAN_S + 61, hour);
    ck_assert_uint_eq(hour[58] + hour[59], 9 * times);
    ck_assert_uint_eq(usage_since(in), BEGAN_S);
    ck_assert_uint_eq(expiries_floor(usage_expiries(in)), BEGAN_S + 3);
    ck_assert_uint_eq(usage_longest_ttl(in)->ttl_s, 60);
    ck_assert_uint_eq(usage_longest_ttl(in)->until_s, BEGAN_S + 7);
    ck_assert_uint_eq(usage_longest_ttl(in)->most_s, 300);
}

static void check_expiry(const struct usage *in)
{
    const struct expiry *expiry = expiries_next(usage_expiries(in), NULL);

    ck_assert_ptr_nonnull(expiry);
    ck_assert_uint_eq(expiry->until_s, BEGAN_S + 1 + 31);
    ck_assert_str_eq(parties_at(usage_parties(in), expiry->type)->name, "web");
    ck_assert_str_eq(parties_at(usage_parties(in), expiry->app)->name, "frozen-oasis-70544");
}

TEST(what_was_written_is_read_as_it_was)
{
    struct usage *read = make(BEGAN_S + 100);
    bool was_last = false;
    struct err err;

    ck_assert(usage_file_read(read, octets, length, &was_last, &err));
    ck_assert(was_last);
    check_same(read, 1);
    check_expiry(read);
    const struct use *app = find(read, usage_apps(read), "frozen-oasis-70544", NULL);
    ck_assert_uint_ne(app->by, PARTY_NONE);

    size_t again_length;
    uint8_t *again = usage_file_write(read, true, &again_length);
    ck_assert_uint_eq(again_length, length);
    free(again);
    usage_free(read);
}

TEST(what_is_read_is_added_to_what_is_known)
{
    struct err err;

    ck_assert(usage_file_read(usage, octets, length, NULL, &err));
    check_same(usage, 2);
    check_expiry(usage);
}

TEST(another_version_is_refused)
{
    struct err err = {.code = ERR_NONE};

    octets[16]++;
    ck_assert(!usage_file_read(usage, octets, length, NULL, &err));
    ck_assert_str_eq(err.text, "is of version 3, this server has version 2");
    check_same(usage, 1);
}

static unsigned draw(uint64_t *state, size_t below)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (unsigned)((*state >> 33) % below);
}

TEST(octets_that_were_changed_or_cut_are_refused_as_a_whole)
{
    uint64_t state = 5;
    struct err err;

    for (unsigned i = 0; i < FLIPS; i++) {
        size_t at = draw(&state, length), cut = draw(&state, length);
        uint8_t bit = (uint8_t)(1U << draw(&state, 8));
        octets[at] ^= bit;
        ck_assert(!usage_file_read(usage, octets, length, NULL, &err));
        octets[at] ^= bit;
        ck_assert(!usage_file_read(usage, octets, cut, NULL, &err));
    }
    check_same(usage, 1);
    ck_assert(!usage_file_read(usage, octets, 0, NULL, &err));
}

/* As if the checksum had missed it: what is not well-formed leads nowhere. */
TEST(octets_that_do_not_parse_are_refused_although_their_checksum_is_right)
{
    enum { HEAD = 36 };
    uint64_t state = 6;
    struct err err;

    for (unsigned i = 0; i < FLIPS; i++) {
        size_t shorter = HEAD + draw(&state, length - HEAD);
        uint8_t *changed = malloc(length);
        memcpy(changed, octets, length);
        changed[HEAD + draw(&state, length - HEAD)] ^= (uint8_t)(1U << draw(&state, 8));
        uint64_t body = shorter - HEAD, sum = stored_checksum(changed + HEAD, shorter - HEAD);
        for (unsigned j = 0; j < 8; j++) {
            changed[20 + j] = (uint8_t)(body >> 8 * j);
            changed[28 + j] = (uint8_t)(sum >> 8 * j);
        }
        ck_assert(!usage_file_read(usage, changed, shorter, NULL, &err));
        free(changed);
    }
    check_same(usage, 1);
}

/* ---- well made, but not by this server ---- */

enum {
    HEAD_OCTETS = 36,
    SUMS_OCTETS = 1 + 4 + 4 + 3 * 4 + 8 + 2 * (4 * 8 + 8),
    USES_OCTETS = 12 + 4 * 8 + 8
};

static struct {
    uint8_t octets[1024];
    size_t length;
} made;

static void put(uint64_t number, size_t count)
{
    for (size_t i = 0; i < count; i++)
        made.octets[made.length++] = (uint8_t)(number >> 8 * i);
}

static void put_party(enum party_kind kind, const char *name, size_t name_length)
{
    put(kind, 1);
    put(1, 2);
    put(name_length, 2);
    put('s', 1);
    for (size_t i = 0; i < name_length; i++)
        put((uint8_t)name[i], 1);
}

/* Reads what was made, with its length and checksum. */
static bool read_made(struct err *err)
{
    uint64_t body = made.length - HEAD_OCTETS;
    uint64_t sum = stored_checksum(made.octets + HEAD_OCTETS, body);
    size_t end = made.length;

    memcpy(made.octets, octets, 20); /* what it is, and its version */
    made.length = 20;
    put(body, 8);
    put(sum, 8);
    made.length = end;
    return usage_file_read(usage, made.octets, made.length, NULL, err);
}

static void begin_made(enum party_kind kind, const char *name, size_t name_length)
{
    made.length = HEAD_OCTETS;
    memset(made.octets, 0, sizeof made.octets);
    made.length += SUMS_OCTETS;
    put(1, 4);
    put_party(kind, name, name_length);
}

/* Tables in their order, of which one has a use. */
static void put_tables(unsigned chosen, uint32_t one, uint32_t other)
{
    for (unsigned table = 0; table < 5; table++) {
        put(table == chosen, 4);
        if (table != chosen)
            continue;
        put(one, 4);
        put(other, 4);
        made.length += USES_OCTETS - 8;
        made.length += table == 0 ? 4 + 4 * LATELY_SLOTS : 0;
    }
    put(0, 4); /* expiries */
}

/* By table: apps, remainders, domains, pairs, waste. */
static const struct {
    unsigned table;
    uint32_t one, other;
    bool is_read;
} planted[] = {
    {0, 1, 0, true},  {1, 1, 0, true},  {2, 1, 1, true},  {3, 1, 1, true},  {4, 1, 1, true},
    {0, 0, 0, false}, {1, 0, 0, false}, {2, 1, 0, false}, {3, 1, 0, false}, {4, 1, 0, false},
    {2, 0, 1, false}, {3, 0, 1, false}, {4, 0, 1, false}, {4, 2, 1, false}, {4, 1, 2, false},
};

TEST_OVER(a_use_without_its_parties_is_refused, planted)
{
    struct err err;

    begin_made(PARTY_APP, "planted", strlen("planted"));
    put_tables(planted[_i].table, planted[_i].one, planted[_i].other);
    ck_assert_int_eq(read_made(&err), planted[_i].is_read);
    if (!planted[_i].is_read)
        check_same(usage, 1);
}

/* Names of apps become labels; connections have the names that people give them. */
static const struct {
    enum party_kind kind;
    const char *name;
    size_t length;
    bool is_read;
} named[] = {
    {PARTY_APP, "planted-1", 9, true},
    {PARTY_APP, "plan\0ted", 8, false},
    {PARTY_APP, "a\nb 1", 5, false},
    {PARTY_APP, "\xff\xfe", 2, false},
    {PARTY_VPN, "\xd1\x84 \n \xff", 6, true},
    {PARTY_VPN, "of\0fice", 7, false},
    {PARTY_WORD, "web", 3, true},
};

TEST_OVER(texts_that_are_none_are_refused, named)
{
    struct err err;

    begin_made(named[_i].kind, named[_i].name, named[_i].length);
    put_tables(5, 0, 0);
    ck_assert_int_eq(read_made(&err), named[_i].is_read);
}
