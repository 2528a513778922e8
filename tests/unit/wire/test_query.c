#include "wire/query.h"

#include <string.h>

#include "support/request.h"
#include "support/suite.h"

#define HEADER_QUERY "\x12\x34\x01\x00" /* id, RD */
#define QUESTION "\3www\4test\0\0\1\0\1"
#define OPT_1232 "\0\0\x29\4\xd0\0\0\0\0\0\0"
#define OPT_WITH(octets) "\0\0\x29\4\xd0\0\0\0\0\0" octets
#define COOKIE_8                                                                                   \
    "\0\x0a\0\x08"                                                                                 \
    "12345678"
#define OCTETS(text) text, sizeof(text) - 1

static const struct {
    const char *what;
    const char *octets;
    size_t length;
    enum query_status status;
} cases[] = {
    {"plain", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\0" QUESTION), QUERY_READ},
    {"with OPT", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION OPT_1232), QUERY_READ},
    {"OPT before a record",
     OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\2" QUESTION OPT_1232
                         "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"),
     QUERY_READ},
    {"OPT behind a record",
     OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\2" QUESTION
                         "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4" OPT_1232),
     QUERY_READ},
    {"a record in the answer section",
     OCTETS(HEADER_QUERY "\0\1\0\1\0\0\0\0" QUESTION "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"),
     QUERY_READ},
    {"question of the root", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\0\0\0\2\0\1"), QUERY_READ},
    {"AA, TC, RA, Z, AD, CD and rcode set", OCTETS("\x12\x34\x07\xff\0\1\0\0\0\0\0\0" QUESTION),
     QUERY_READ},
    {"EDNS version 1",
     OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\1\0\0\0\0"), QUERY_VERSION},
    {"no octets", OCTETS(""), QUERY_DROPPED},
    {"11 octets", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0"), QUERY_DROPPED},
    {"a response", OCTETS("\x12\x34\x81\0\0\1\0\0\0\0\0\0" QUESTION), QUERY_DROPPED},
    {"a response of another opcode", OCTETS("\x12\x34\xa9\0\0\1\0\0\0\0\0\0" QUESTION),
     QUERY_DROPPED},
    {"opcode UPDATE without a record's end",
     OCTETS("\x12\x34\x28\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0"), QUERY_OPCODE},
    {"opcode 15 and nothing else", OCTETS("\x12\x34\x78\0\0\0\0\0\0\0\0\0"), QUERY_OPCODE},
    {"no question", OCTETS(HEADER_QUERY "\0\0\0\0\0\0\0\0"), QUERY_MALFORMED},
    {"no question and an OPT", OCTETS(HEADER_QUERY "\0\0\0\0\0\0\0\1" OPT_1232), QUERY_MALFORMED},
    {"no question and a cookie", OCTETS(HEADER_QUERY "\0\0\0\0\0\0\0\1" OPT_WITH("\x0c") COOKIE_8),
     QUERY_COOKIE},
    {"no question, EDNS version 1 and a cookie",
     OCTETS(HEADER_QUERY "\0\0\0\0\0\0\0\1"
                         "\0\0\x29\4\xd0\0\1\0\0\0\x0c" COOKIE_8),
     QUERY_MALFORMED},
    {"no question, a cookie and octets behind the end",
     OCTETS(HEADER_QUERY "\0\0\0\0\0\0\0\1" OPT_WITH("\x0c") COOKIE_8 "\0"), QUERY_MALFORMED},
    {"opcode UPDATE, no question and a cookie",
     OCTETS("\x12\x34\x28\0\0\0\0\0\0\0\0\1" OPT_WITH("\x0c") COOKIE_8), QUERY_OPCODE},
    {"two questions", OCTETS(HEADER_QUERY "\0\2\0\0\0\0\0\0" QUESTION QUESTION), QUERY_MALFORMED},
    {"one question of two", OCTETS(HEADER_QUERY "\0\2\0\0\0\0\0\0" QUESTION), QUERY_MALFORMED},
    {"one question of none", OCTETS(HEADER_QUERY "\0\0\0\0\0\0\0\0" QUESTION), QUERY_MALFORMED},
    {"65535 questions", OCTETS(HEADER_QUERY "\xff\xff\0\0\0\0\0\0" QUESTION), QUERY_MALFORMED},
    {"question missing", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\0"), QUERY_MALFORMED},
    {"question cut in its class", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\0\3www\4test\0\0\1\0"),
     QUERY_MALFORMED},
    {"pointer in the question", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"),
     QUERY_MALFORMED},
    {"octets behind the end", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\0" QUESTION "\0"),
     QUERY_MALFORMED},
    {"a record too few", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\2" QUESTION OPT_1232),
     QUERY_MALFORMED},
    {"65535 records promised", OCTETS(HEADER_QUERY "\0\1\xff\xff\xff\xff\xff\xff" QUESTION),
     QUERY_MALFORMED},
    {"OPT twice", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\2" QUESTION OPT_1232 OPT_1232),
     QUERY_MALFORMED},
    {"OPT as an answer", OCTETS(HEADER_QUERY "\0\1\0\1\0\0\0\0" QUESTION OPT_1232),
     QUERY_MALFORMED},
    {"OPT as authority", OCTETS(HEADER_QUERY "\0\1\0\0\0\1\0\0" QUESTION OPT_1232),
     QUERY_MALFORMED},
    {"OPT of a name",
     OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\1a\0\0\x29\4\xd0\0\0\0\0\0\0"),
     QUERY_MALFORMED},
    {"OPT of a pointer",
     OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\xc0\x14\0\x29\4\xd0\0\0\0\0\0\0"),
     QUERY_MALFORMED},
    {"OPT cut short", OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0"),
     QUERY_MALFORMED},
    {"options past their record",
     OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0\0\0\0\4\0\3\0\1"),
     QUERY_MALFORMED},
    {"half an option",
     OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0\0\0\0\3\0\3\0"),
     QUERY_MALFORMED},
    {"data past the message",
     OCTETS(HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0\0\0\0\4\0\3"),
     QUERY_MALFORMED},
};
enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

TEST_LOOP(every_request_has_its_status, 0, CASE_COUNT)
{
    struct query query;
    enum query_status status =
        query_read((const uint8_t *)cases[_i].octets, cases[_i].length, &query);

    ck_assert_msg(status == cases[_i].status, "%s: %d", cases[_i].what, (int)status);
    if (status == QUERY_DROPPED)
        return;
    ck_assert_uint_eq(query.id, 0x1234);
    if (status != QUERY_READ && status != QUERY_VERSION)
        ck_assert_uint_eq(query.question_end, HEADER_OCTETS);
    if (status == QUERY_MALFORMED)
        ck_assert(!query.has_opt && query.cookie_octets == 0);
}

/* An OPT record is answered with one, for any opcode. */
TEST(a_message_of_another_opcode_is_read_as_far_as_it_is_one)
{
    static const char octets[] =
        "\x12\x34\x28\0\0\1\0\0\0\1\0\1" QUESTION "\xc0\x0c\0\1\0\xff\0\0\0\0\0\0" OPT_1232;
    struct query query;

    ck_assert_int_eq(query_read((const uint8_t *)octets, sizeof octets - 1, &query), QUERY_OPCODE);
    ck_assert(query.has_opt);
    ck_assert_uint_eq(query.question_end, 12 + sizeof QUESTION - 1);
    ck_assert_uint_eq(query.udp_octets, 1232);
}

TEST(a_question_is_read_and_folded)
{
    static const char octets[] = "\x12\x34\x01\x10\0\1\0\0\0\0\0\0\3wWw\4TEST\0\1\1\0\3";
    struct query query;

    ck_assert_int_eq(query_read((const uint8_t *)octets, sizeof octets - 1, &query), QUERY_READ);
    ck_assert_uint_eq(query.flags, FLAG_RD | FLAG_CD);
    ck_assert_uint_eq(query.type, 257);
    ck_assert_uint_eq(query.class, 3);
    ck_assert_uint_eq(query.question_end, 12 + 10 + 4);
    ck_assert(name_equals(&query.name, (const uint8_t *)"\3www\4test", 10));
    ck_assert_uint_eq(query.udp_octets, 512);
    ck_assert(!query.has_opt && !query.dnssec_ok && !query.wants_nsid && !query.wants_keepalive);
}

static const struct {
    uint16_t given, taken;
} octet_sizes[] = {{0, 512},     {1, 512},     {511, 512},   {512, 512},   {513, 513},
                   {1231, 1231}, {1232, 1232}, {1233, 1232}, {4096, 1232}, {65535, 1232}};

TEST_OVER(the_size_a_client_accepts_is_clamped, octet_sizes)
{
    uint8_t octets[] = HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION OPT_1232;
    size_t length = sizeof octets - 1;
    struct query query;

    store16(octets + length - 8, octet_sizes[_i].given);
    ck_assert_int_eq(query_read(octets, length, &query), QUERY_READ);
    ck_assert(query.has_opt);
    ck_assert_uint_eq(query.udp_octets, octet_sizes[_i].taken);
}

static const struct {
    const char *options;
    size_t length;
    bool nsid, keepalive;
} option_cases[] = {
    {OCTETS(""), false, false},
    {OCTETS("\0\3\0\0"), true, false},
    {OCTETS("\0\x0b\0\0"), false, true},
    {OCTETS("\0\3\0\0\0\x0b\0\0"), true, true},
    {OCTETS("\xfd\xe9\0\3abc\0\3\0\0"), true, false},
    {OCTETS(COOKIE_8), false, false},
    {OCTETS(COOKIE_8 "\0\3\0\0"), true, false},
    {OCTETS("\0\x08\0\x08\0\1\x20\0\x0a\0\x82\x38"), false, false},
    {OCTETS("\0\3\0\0\0\3\0\0"), true, false},
};

TEST_OVER(known_options_are_read_and_others_skipped, option_cases)
{
    uint8_t octets[256] = HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0\x80\0";
    size_t length = 12 + 14 + 9;
    struct query query;

    store16(octets + length, (uint16_t)option_cases[_i].length);
    memcpy(octets + length + 2, option_cases[_i].options, option_cases[_i].length);
    length += 2 + option_cases[_i].length;
    ck_assert_int_eq(query_read(octets, length, &query), QUERY_READ);
    ck_assert(query.dnssec_ok);
    ck_assert(query.wants_nsid == option_cases[_i].nsid);
    ck_assert(query.wants_keepalive == option_cases[_i].keepalive);
    ck_assert(query.has_options ==
              (query.wants_nsid || query.wants_keepalive || query.cookie_octets > 0));
}

/* RFC 7873 section 4: 8 octets of the client, then nothing or 8 to 32 of a server. */
TEST_LOOP(a_cookie_has_8_octets_or_16_to_40, 0, 48)
{
    struct ask ask = {.name = "www.test.", .cookie_octets = (uint8_t)(_i + 1)};
    bool is_good = ask.cookie_octets == 8 || (ask.cookie_octets >= 16 && ask.cookie_octets <= 40);
    uint8_t octets[REQUEST_OCTETS_MOST];
    struct query query;

    for (unsigned i = 0; i < ask.cookie_octets; i++)
        ask.cookie[i] = (uint8_t)(i + 1);
    enum query_status status = query_read(octets, request_write(&ask, octets), &query);
    ck_assert_int_eq(status, is_good ? QUERY_READ : QUERY_MALFORMED);
    ck_assert_uint_eq(query.cookie_octets, is_good ? ask.cookie_octets : 0);
    if (is_good)
        ck_assert_mem_eq(query.cookie, ask.cookie, ask.cookie_octets);
}

TEST(a_cookie_of_no_octets_is_malformed)
{
    static const char octets[] =
        HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION OPT_WITH("\x04") "\0\x0a\0\0";
    struct query query;

    ck_assert_int_eq(query_read((const uint8_t *)octets, sizeof octets - 1, &query),
                     QUERY_MALFORMED);
}

/* RFC 7873 section 5.2: the others are ignored, malformed ones too. */
TEST(of_several_cookies_the_first_counts)
{
    static const char octets[] =
        HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION OPT_WITH("\x1d") COOKIE_8 "\0\x0a\0\x08"
                                                                           "abcdefgh"
                                                                           "\0\x0a\0\1!";
    struct query query;

    ck_assert_int_eq(query_read((const uint8_t *)octets, sizeof octets - 1, &query), QUERY_READ);
    ck_assert_uint_eq(query.cookie_octets, 8);
    ck_assert_mem_eq(query.cookie, "12345678", 8);
}

TEST(a_question_of_255_octets_is_read)
{
    uint8_t octets[12 + 255 + 4] = HEADER_QUERY "\0\1\0\0\0\0\0\0";
    struct query query;

    for (unsigned i = 0; i < 127; i++)
        memcpy(octets + 12 + 2 * i, "\1x", 2);
    memcpy(octets + 12 + 254, "\0\0\1\0\1", 5);
    ck_assert_int_eq(query_read(octets, sizeof octets, &query), QUERY_READ);
    ck_assert_uint_eq(query.name.length, 255);
    ck_assert_uint_eq(query.question_end, sizeof octets);
}

/* A good query that is cut anywhere is dropped or malformed. */
TEST(no_beginning_of_a_query_is_a_query)
{
    static const char octets[] =
        HEADER_QUERY "\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0\0\0\0\4\0\3\0\0";
    struct query query;

    for (size_t length = 0; length < sizeof octets - 1; length++) {
        enum query_status status = query_read((const uint8_t *)octets, length, &query);
        ck_assert_int_eq(status, length < HEADER_OCTETS ? QUERY_DROPPED : QUERY_MALFORMED);
    }
}
