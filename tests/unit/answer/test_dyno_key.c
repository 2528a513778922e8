/* A value is read line by line; one with an error says where, and has no dynos. */
#include "answer/dyno_key.h"

#include <stdlib.h>
#include <string.h>

#include "space/model.h"
#include "support/suite.h"

static struct report *report;

static void set_up(void)
{
    report = report_new();
    ck_assert_ptr_nonnull(report);
}

static void tear_down(void)
{
    report_free(report);
}

FIXTURE(set_up, tear_down)

/* The value lies in an allocation of its own size: a sanitizer sees a read past its end. */
static struct dyno_key *read_octets(const char *value, size_t length)
{
    char *exact = malloc(length > 0 ? length : 1);

    ck_assert_ptr_nonnull(exact);
    memcpy(exact, value, length);
    struct dyno_key *key = dyno_key_read("test-space", "bench", "web", 88,
                                         (struct octets){(const uint8_t *)exact, length}, report);
    free(exact);
    ck_assert_ptr_nonnull(key);
    return key;
}

static struct dyno_key *read_value(const char *value)
{
    return read_octets(value, strlen(value));
}

static const struct {
    const char *value;
    size_t count;
    struct dyno_line last;
} good[] = {
    {"", 0, {0}},
    {"\n \n\t\n", 0, {0}},
    {"1 up 10.0.130.56\n", 1, {1, 0x0a008238, DYNO_UP, 1}},
    {"1 up 10.0.130.56", 1, {1, 0x0a008238, DYNO_UP, 1}},
    {"1 up 10.0.130.56\r\n", 1, {1, 0x0a008238, DYNO_UP, 1}},
    {"1 up 10.0.130.56\n2 starting 10.0.151.218\n", 2, {2, 0x0a0097da, DYNO_STARTING, 2}},
    {"\n\n  7\tidle  10.0.130.56 \n", 1, {7, 0x0a008238, DYNO_IDLE, 3}},
    {"3 crashed", 1, {3, 0, DYNO_CRASHED, 1}},
    {"4294967295 down", 1, {UINT32_MAX, 0, DYNO_DOWN, 1}},
    {"1 up 10.0.130.56 host=blue-7\n", 1, {1, 0x0a008238, DYNO_UP, 1}},
    {"1 host=blue-7 up later=3 10.0.130.56 x= =\n", 1, {1, 0x0a008238, DYNO_UP, 1}},
    {"host=blue-7\n", 0, {0}},
    {"1 up 10.0.130.56\n2 down 10.0.130.56\n", 2, {2, 0x0a008238, DYNO_DOWN, 2}},
};

TEST_OVER(a_line_is_a_dyno, good)
{
    struct dyno_key *key = read_value(good[_i].value);

    ck_assert(!key->is_bad && !key->is_gone);
    ck_assert(report_is_clean(report));
    ck_assert_uint_eq(key->count, good[_i].count);
    if (key->count > 0) {
        const struct dyno_line *last = &key->lines[key->count - 1];
        ck_assert_uint_eq(last->number, good[_i].last.number);
        ck_assert_uint_eq(last->ip, good[_i].last.ip);
        ck_assert_uint_eq(last->state, good[_i].last.state);
        ck_assert_uint_eq(last->line, good[_i].last.line);
    }
    dyno_key_free(key);
}

static const struct {
    const char *value;
    const char *finding; /* code, line and the beginning of the sentence */
} bad[] = {
    {"0 up 10.0.130.56", "E-DYNO-NUM 1 dyno number `0` must be"},
    {"01 up 10.0.130.56", "E-DYNO-NUM 1 dyno number `01` must be"},
    {"4294967296 down", "E-DYNO-NUM 1 dyno number `4294967296` must be"},
    {"99999999999 down", "E-DYNO-NUM 1 dyno number `99999999999` must be"},
    {"-1 down", "E-DYNO-NUM 1 dyno number `-1` must be"},
    {"web.1 down", "E-DYNO-NUM 1 dyno number `web.1` must be"},
    {"{", "E-DYNO-NUM 1 dyno number `{` must be"},
    {"1", "E-MISSING 1 dyno 1 has no state"},
    {"1 host=blue-7", "E-MISSING 1 dyno 1 has no state"},
    {"1 UP 10.0.130.56", "E-ENUM 1 state `UP` of dyno 1 must be"},
    {"1 u", "E-ENUM 1 state `u` of dyno 1 must be"},
    {"1 10.0.130.56 up", "E-ENUM 1 state `10.0.130.56` of dyno 1 must be"},
    {"1 up", "E-MISSING 1 dyno 1 has no address"},
    {"1 starting host=x", "E-MISSING 1 dyno 1 has no address"},
    {"1 up 10.0.130.256", "E-DYNO-IP 1 `10.0.130.256` of dyno 1 must be"},
    {"1 up 0.0.0.0", "E-DYNO-IP 1 `0.0.0.0` of dyno 1 must be"},
    {"1 down 10.0.130.1000000000000", "E-DYNO-IP 1 `10.0.130.1000000000000` of dyno 1 must be"},
    {"1 up 10.0.130.56 10.0.130.57", "E-DUP 1 dyno 1 has more than one address"},
    {"1 down\n1 down", "E-DYNO-NUM 2 dyno number 1 is already given on line 1"},
    {"2 down\n\n1 down\n2 down", "E-DYNO-NUM 4 dyno number 2 is already given on line 1"},
    {"1 up 10.0.130.56\n2 down 10.0.130.56\n3 starting 10.0.130.56",
     "E-DYNO-IP-DUP 3 address 10.0.130.56 already belongs to the running dyno on line 1"},
};

TEST_OVER(an_error_has_its_line_and_leaves_no_dynos, bad)
{
    struct dyno_key *key = read_value(bad[_i].value);
    char text[600];

    ck_assert(key->is_bad);
    ck_assert_uint_eq(key->count, 0);
    ck_assert_uint_eq(report_total(report), 1);
    const struct finding *finding = report_findings(report);
    ck_assert_str_eq(finding->file, "d/test-space/bench/web@88");
    snprintf(text, sizeof text, "%s %u %s", finding_name(finding->code), (unsigned)finding->at.line,
             finding->sentence);
    ck_assert_msg(strncmp(text, bad[_i].finding, strlen(bad[_i].finding)) == 0, "%s", text);
    dyno_key_free(key);
}

TEST(all_errors_of_a_value_are_found)
{
    struct dyno_key *key = read_value("0 up 10.0.130.56\n1 gone\n2 down\n3 up\n");

    ck_assert_uint_eq(report_total(report), 3);
    ck_assert(key->is_bad);
    dyno_key_free(key);
}

/* A report that is full of others' errors is no reason to refuse this key. */
TEST(a_key_is_judged_by_its_own_value)
{
    for (int i = 0; i < ERRORS_ENOUGH; i++)
        dyno_key_free(read_value("0 down"));
    ck_assert(report_is_full(report));
    struct dyno_key *key = read_value("1 down\n2 down");
    ck_assert(!key->is_bad);
    ck_assert_uint_eq(key->count, 2);
    dyno_key_free(key);
}

TEST(a_value_of_64_kb_is_read_and_a_longer_one_refused)
{
    char *value = malloc(DYNO_KEY_OCTETS_MOST + 1);

    ck_assert_ptr_nonnull(value);
    memset(value, '\n', DYNO_KEY_OCTETS_MOST + 1);
    struct dyno_key *key = read_octets(value, DYNO_KEY_OCTETS_MOST);
    ck_assert(!key->is_bad);
    dyno_key_free(key);
    key = read_octets(value, DYNO_KEY_OCTETS_MOST + 1);
    ck_assert(key->is_bad);
    ck_assert_int_eq(report_first_error(report)->code, FINDING_LIMIT);
    dyno_key_free(key);
    free(value);
}

/* A part of a line may be another line, so whether it has errors is not asked. */
TEST(a_value_cut_at_any_octet_is_read_or_refused)
{
    static const char value[] = "1 up 10.0.130.56 host=blue-7\r\n\n"
                                "2 starting 10.0.151.218\n3 crashed\n4 idle 10.0.130.57\n";

    for (size_t length = 0; length < sizeof value; length++)
        for (size_t from = 0; from <= length; from++) {
            struct dyno_key *key = read_octets(value + from, length - from);
            ck_assert(!key->is_bad || key->count == 0);
            dyno_key_free(key);
        }
}

static const struct {
    const char *type;
    enum finding_code code;
} types[] = {
    {"", FINDING_PROC_NAME},
    {"we b", FINDING_PROC_NAME},
    {"web.1", FINDING_PROC_NAME},
    {"12", FINDING_PROC_NUM},
};

TEST_OVER(a_type_must_be_one_of_a_zone_file, types)
{
    struct dyno_key *key =
        dyno_key_read("test-space", "bench", types[_i].type, 88, octets_of(""), report);

    ck_assert_ptr_nonnull(key);
    ck_assert(key->is_bad);
    ck_assert_int_eq(report_first_error(report)->code, types[_i].code);
    ck_assert_uint_eq(report_first_error(report)->at.line, 0);
    dyno_key_free(key);
}

TEST(a_key_that_is_gone_has_no_dynos)
{
    struct dyno_key *key = dyno_key_gone("test-space", "bench", "web", 89);

    ck_assert_ptr_nonnull(key);
    ck_assert(key->is_gone && !key->is_bad);
    ck_assert_uint_eq(key->revision, 89);
    ck_assert_uint_eq(key->count, 0);
    dyno_key_free(key);
}

TEST(a_copy_depends_on_nothing)
{
    struct dyno_key *key = read_value("1 up 10.0.130.56\n2 down");
    struct dyno_key *copy = dyno_key_copy(key);

    ck_assert_ptr_nonnull(copy);
    dyno_key_free(key);
    ck_assert_str_eq(copy->space, "test-space");
    ck_assert_str_eq(copy->app, "bench");
    ck_assert_str_eq(copy->type, "web");
    ck_assert_uint_eq(copy->revision, 88);
    ck_assert_uint_eq(copy->count, 2);
    ck_assert_uint_eq(copy->lines[1].number, 2);
    dyno_key_free(copy);
}

TEST(what_is_written_reads_the_same)
{
    static const char value[] = "1 up 10.0.130.56\n2 starting 10.0.151.218\n4294967295 crashed\n"
                                "4 starting 255.255.255.255\n";
    struct dyno_key *key = read_value(value);
    size_t length = 0;

    char *written = dyno_key_write(key, &length);
    ck_assert_str_eq(written, value);
    ck_assert_uint_eq(length, strlen(value));
    free(written);
    dyno_key_free(key);
}

TEST(keys_are_in_the_order_of_their_names)
{
    const struct dyno_key a = {.space = "a", .app = "b", .type = "web"};
    const struct dyno_key b = {.space = "a", .app = "bc", .type = "run"};
    const struct dyno_key c = {.space = "a-b", .app = "a", .type = "a"};
    const struct dyno_key d = {.space = "a-b", .app = "a", .type = "b"};

    ck_assert_int_lt(dyno_key_compare(&a, &b), 0);
    ck_assert_int_lt(dyno_key_compare(&b, &c), 0);
    ck_assert_int_lt(dyno_key_compare(&c, &d), 0);
    ck_assert_int_gt(dyno_key_compare(&d, &a), 0);
    ck_assert_int_eq(dyno_key_compare(&d, &d), 0);
}
