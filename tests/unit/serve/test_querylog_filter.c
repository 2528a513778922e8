#include "serve/querylog_filter.h"

#include <string.h>

#include "support/suite.h"

static struct querylog_record record_of(const char *client)
{
    struct querylog_record record = {.kind = QUERYLOG_FAILURE,
                                     .reason = REASON_NO_WEB,
                                     .space = "test-space",
                                     .space_length = 10,
                                     .app = "sleepy-river-2739",
                                     .app_length = 17};

    ck_assert(endpoint_read(client, 40000, &record.client));
    return record;
}

static const struct {
    const char *block;
    const char *client;
    bool passes;
} blocks[] = {
    {"10.0.130.56", "10.0.130.56", true},
    {"10.0.130.56", "10.0.130.57", false},
    {"10.0.128.0/20", "10.0.143.255", true},
    {"10.0.128.0/20", "10.0.144.0", false},
    {"0.0.0.0/0", "203.0.113.9", true},
    {"0.0.0.0/0", "2001:db8::9", false},
    {"10.0.130.56", "::ffff:10.0.130.56", true},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"2001:db8::9", "2001:db8::9", true},
    {"::/0", "10.0.130.56", false},
};

TEST_OVER(a_block_has_its_clients, blocks)
{
    struct querylog_record record = record_of(blocks[_i].client);
    struct querylog_filter filter = {.has_block = true};
    struct err err;

    ck_assert(querylog_block_read(blocks[_i].block, &filter.block, &err));
    ck_assert_int_eq(querylog_filter_passes(&filter, &record), blocks[_i].passes);
}

static const struct {
    const char *text;
    const char *problem;
} bad_blocks[] = {
    {"", "is not a block"},
    {"10.0.0", "is not a block"},
    {"10.0.0.0/33", "is not a block"},
    {"10.0.0.0/", "is not a block"},
    {"10.0.0.0/08", "is not a block"},
    {"10.0.0.1/24", "has bits behind its prefix"},
    {"2001:db8::/129", "is not a block"},
    {"2001:db8::1/64", "has bits behind its prefix"},
    {"fe80::1%eth0", "is not a block"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:",
     "is no"},
};

TEST_OVER(a_bad_block_gets_a_sentence, bad_blocks)
{
    struct querylog_block block;
    struct err err;

    ck_assert(!querylog_block_read(bad_blocks[_i].text, &block, &err));
    ck_assert_msg(strstr(err.text, bad_blocks[_i].problem) != NULL, "%s", err.text);
}

TEST(codes_are_found_in_letters_of_any_case)
{
    struct err err;

    ck_assert_str_eq(querylog_code_find("q14", &err), "Q14");
    ck_assert_str_eq(querylog_code_find("Q70", &err), "Q70");
    ck_assert_ptr_null(querylog_code_find("Q1", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "they are Q10, Q14, Q18, Q19, Q20, Q22, Q23,"));
    ck_assert_ptr_null(querylog_code_find("", &err)); /* the code of no reason */
}

static const struct {
    struct querylog_filter filter;
    bool passes;
} filters[] = {
    {{.is_failed = false}, true},
    {{.is_failed = true}, true},
    {{.app = "sleepy-river-2739"}, true},
    {{.app = "sleepy-river-273"}, false},
    {{.app = "sleepy-river-27390"}, false},
    {{.space = "test-space"}, true},
    {{.space = "other-space"}, false},
    {{.code = "Q14"}, true},
    {{.code = "Q10"}, false},
    {{.app = "sleepy-river-2739", .code = "Q10"}, false},
};

TEST_OVER(a_record_passes_what_every_part_of_the_filter_lets_pass, filters)
{
    struct querylog_record record = record_of("10.0.130.56");

    ck_assert_int_eq(querylog_filter_passes(&filters[_i].filter, &record), filters[_i].passes);
}

TEST(good_answers_pass_unless_failures_are_wanted)
{
    struct querylog_record record = record_of("10.0.130.56");

    record.kind = QUERYLOG_OTHER;
    ck_assert(
        querylog_filter_passes(&(struct querylog_filter){.app = "sleepy-river-2739"}, &record));
    ck_assert(!querylog_filter_passes(&(struct querylog_filter){.is_failed = true}, &record));
}
