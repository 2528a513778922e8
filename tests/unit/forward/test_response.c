#include "forward/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/rr.h"
#include "support/built_response.h"
#include "support/decoded.h"
#include "support/packets.h"
#include "support/suite.h"
#include "wire/types.h"

/* A question, an upstream's message, and the response read from it. */
struct stand {
    struct name name;
    struct question question;
    struct expected expected;
    uint8_t octets[BUILT_RESPONSE_OCTETS_MOST];
    size_t length;
};

static struct stand stand;
static alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
static struct response *const response = (struct response *)(void *)room;

static void ask(const char *name, uint16_t type)
{
    ck_assert(name_from_text(name, &stand.name));
    stand.question = (struct question){.name = &stand.name, .type = type, .class = CLASS_IN};
    stand.expected = (struct expected){.question = &stand.question,
                                       .id = BUILT_RESPONSE_ID,
                                       .name = stand.name.octets,
                                       .is_exact = true};
}

/* Octets of their own, so that a sanitizer sees a read past their end. */
static enum response_status read_octets(const void *octets, size_t length)
{
    uint8_t *copy = malloc(length + 1);

    memcpy(copy, octets, length);
    memset(room, 0xee, sizeof room);
    enum response_status status = response_read(copy, length, &stand.expected, response);
    free(copy);
    return status;
}

static enum response_status read_sent(const struct built_response *sent)
{
    ask(sent->name, sent->type == 0 ? TYPE_A : sent->type);
    stand.length = built_response_write(sent, stand.octets);
    return read_octets(stand.octets, stand.length);
}

TEST(a_response_is_its_records_and_their_ttl_offsets)
{
    static const char records[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
                                  "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\xc0\0\2\2";

    ck_assert_int_eq(read_sent(&(struct built_response){.name = "www.test.",
                                                        .answer = "www.test. 60 IN A 192.0.2.1\n"
                                                                  "www.test. 30 IN A 192.0.2.2"}),
                     RESPONSE_READ);
    ck_assert_uint_eq(response->rcode, 0);
    ck_assert_uint_eq(response->counts[0], 2);
    ck_assert_uint_eq(response->counts[1], 0);
    ck_assert_uint_eq(response->counts[2], 0);
    ck_assert_uint_eq(response->ttl_seconds, 30);
    ck_assert_uint_eq(response->bits, 0);
    ck_assert_uint_eq(response->ede_octets, 0);
    ck_assert_uint_eq(response->ttl_count, 2);
    ck_assert_uint_eq(((const uint16_t *)(const void *)response->data)[0], 6);
    ck_assert_uint_eq(((const uint16_t *)(const void *)response->data)[1], 22);
    ck_assert_uint_eq(response->body_octets, 32);
    ck_assert_mem_eq(response_body(response), records, 32);
    ck_assert_uint_eq(response->octets, sizeof *response + 4 + 32);
}

/* A question and one address, to be changed at one offset. */
#define QUESTION "\3wWw\4test\0\0\1\0\1"
#define ADDRESS "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
#define HEADER(flags, counts) "\x2b\x67" flags counts
#define ONE_ANSWER "\0\1\0\1\0\0\0\0"
#define OCTETS(text) text, sizeof(text) - 1

static const struct {
    const char *octets;
    size_t length;
    enum response_status exact, folded; /* with and without is_exact */
} matches[] = {
    {OCTETS(HEADER("\x81\x80", ONE_ANSWER) QUESTION ADDRESS), RESPONSE_READ, RESPONSE_READ},
    {OCTETS(HEADER("\x81\x80", ONE_ANSWER) "\3www\4test\0\0\1\0\1" ADDRESS), RESPONSE_OTHER_CASE,
     RESPONSE_READ},
    {OCTETS(HEADER("\x81\x80", ONE_ANSWER) "\3wWx\4test\0\0\1\0\1" ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x81\x80", ONE_ANSWER) "\3wWw\4tes\0\0\1\0\1" ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x81\x80", ONE_ANSWER) "\3wWw\4test\0\0\x1c\0\1" ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x81\x80", ONE_ANSWER) "\3wWw\4test\0\0\1\0\3" ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x81\x80", ONE_ANSWER) "\3wWw\xc0\x0c\0\1\0\1" ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS("\x2b\x66\x81\x80" ONE_ANSWER QUESTION ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x01\x80", ONE_ANSWER) QUESTION ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\xa9\x80", ONE_ANSWER) QUESTION ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x81\x80", "\0\0\0\1\0\0\0\0") QUESTION ADDRESS), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x81\x80", "\0\2\0\0\0\0\0\0") QUESTION QUESTION), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x81\x80", "\0\1\0\0\0\0\0\0") "\3wWw\4test\0\0\1\0"), RESPONSE_MISMATCHED,
     RESPONSE_MISMATCHED},
    {OCTETS("\x2b\x67\x81\x80\0\1\0\0\0\0\0"), RESPONSE_MISMATCHED, RESPONSE_MISMATCHED},
    {OCTETS(""), RESPONSE_MISMATCHED, RESPONSE_MISMATCHED},
    {OCTETS(HEADER("\x83\x80", ONE_ANSWER) QUESTION), RESPONSE_TRUNCATED, RESPONSE_TRUNCATED},
    {OCTETS(HEADER("\x83\x80", ONE_ANSWER) "\3www\4test\0\0\1\0\1"), RESPONSE_OTHER_CASE,
     RESPONSE_TRUNCATED},
};

TEST_OVER(only_the_question_asked_is_answered, matches)
{
    ask("www.test.", TYPE_A);
    stand.expected.name = (const uint8_t *)"\3wWw\4test";
    ck_assert_int_eq(read_octets(matches[_i].octets, matches[_i].length), matches[_i].exact);
    stand.expected.is_exact = false;
    ck_assert_int_eq(read_octets(matches[_i].octets, matches[_i].length), matches[_i].folded);
}

/* Behind the question, at offset 26: records, and the counts that promise them. */
static const struct {
    const char *counts;
    const char *octets;
    size_t length;
    enum response_status status;
} records[] = {
    {"\0\0\0\0\0\0", OCTETS(""), RESPONSE_READ},
    {"\0\1\0\0\0\0", OCTETS(ADDRESS "behind the last record"), RESPONSE_READ},
    {"\0\2\0\0\0\0", OCTETS(ADDRESS), RESPONSE_MALFORMED},
    {"\xff\xff\xff\xff\xff\xff", OCTETS(ADDRESS), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\5\xc0\0\2\1"), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\xc0\x0c\0\1\0\1\0\0\0\x3c\0"), RESPONSE_MALFORMED},
    /* Owners: to the name's second label, to itself, ahead, into the header, unknown label types,
     * a label and the octets end, a pointer and its half is missing. */
    {"\0\1\0\0\0\0", OCTETS("\xc0\x10\0\1\0\1\0\0\0\x3c\0\0"), RESPONSE_READ},
    {"\0\1\0\0\0\0", OCTETS("\1a\xc0\x10\0\1\0\1\0\0\0\x3c\0\0"), RESPONSE_READ},
    {"\0\1\0\0\0\0", OCTETS("\xc0\x1a\0\1\0\1\0\0\0\x3c\0\0"), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\1a\xc0\x1a\0\1\0\1\0\0\0\x3c\0\0"), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\xc0\x1c\0\1\0\1\0\0\0\x3c\0\0"), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\xc0\x04\0\1\0\1\0\0\0\x3c\0\0"), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\x40\0\0\1\0\1\0\0\0\x3c\0\0"), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\x80\0\0\1\0\1\0\0\0\x3c\0\0"), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\x3f only this"), RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\xc0"), RESPONSE_MALFORMED},
    /* Data that leads on: CNAME with a good name, with more behind it, with one that does not end.
     */
    {"\0\1\0\0\0\0", OCTETS("\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x10"), RESPONSE_READ},
    {"\0\1\0\0\0\0", OCTETS("\xc0\x0c\0\5\0\1\0\0\0\x3c\0\3\xc0\x10\0"), RESPONSE_MALFORMED},
    {"\0\2\0\0\0\0", OCTETS("\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\1a\xc0\x10\0\1\0\1\0\0\0\x3c\0\0"),
     RESPONSE_MALFORMED},
    /* Records that are not passed on may hold anything: MX at the name, an address elsewhere. */
    {"\0\1\0\0\0\0", OCTETS("\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0\4\0\1\xc0\x28"), RESPONSE_READ},
    {"\0\1\0\0\0\0", OCTETS("\xc0\x10\0\1\0\1\0\0\0\x3c\0\5\xc0\0\2\1\0"), RESPONSE_READ},
    /* Proofs of non-existence, whole and an octet short. */
    {"\0\0\0\1\0\0",
     OCTETS("\xc0\x0c\0\6\0\1\0\0\0\x3c\0\x16\0\0"
            "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"),
     RESPONSE_READ},
    {"\0\0\0\1\0\0",
     OCTETS("\xc0\x0c\0\6\0\1\0\0\0\x3c\0\x15\0\0"
            "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0"),
     RESPONSE_MALFORMED},
    {"\0\0\0\1\0\0", OCTETS("\xc0\x0c\0\6\0\1\0\0\0\x3c\0\0"), RESPONSE_MALFORMED},
    /* The data of an unknown type is not checked. */
    {"\0\1\0\0\0\0", OCTETS("\xc0\x0c\xff\0\0\1\0\0\0\x3c\0\4\xc0\xff\xc0\xff"), RESPONSE_READ},
    /* OPT: alone, twice, before its section, with an owner, with options that do not end. */
    {"\0\0\0\0\0\1", OCTETS("\0\0\x29\4\xd0\0\0\0\0\0\0"), RESPONSE_READ},
    {"\0\0\0\0\0\2", OCTETS("\0\0\x29\4\xd0\0\0\0\0\0\0\0\0\x29\4\xd0\0\0\0\0\0\0"),
     RESPONSE_MALFORMED},
    {"\0\1\0\0\0\0", OCTETS("\0\0\x29\4\xd0\0\0\0\0\0\0"), RESPONSE_MALFORMED},
    {"\0\0\0\1\0\0", OCTETS("\0\0\x29\4\xd0\0\0\0\0\0\0"), RESPONSE_MALFORMED},
    {"\0\0\0\0\0\1", OCTETS("\xc0\x0c\0\x29\4\xd0\0\0\0\0\0\0"), RESPONSE_MALFORMED},
    {"\0\0\0\0\0\1", OCTETS("\0\0\x29\4\xd0\0\0\0\0\0\4\0\x0f\0\2"), RESPONSE_MALFORMED},
    {"\0\0\0\0\0\1", OCTETS("\0\0\x29\4\xd0\0\0\0\0\0\3\0\x0f\0"), RESPONSE_MALFORMED},
};

TEST_OVER(records_are_read_to_the_last_octet_or_not_at_all, records)
{
    static uint8_t octets[512] = "\x2b\x67\x81\x80\0\1";

    memcpy(octets + 6, records[_i].counts, 6);
    memcpy(octets + 12, OCTETS(QUESTION));
    memcpy(octets + 26, records[_i].octets, records[_i].length);
    ask("www.test.", TYPE_A);
    stand.expected.name = (const uint8_t *)"\3wWw\4test";
    ck_assert_int_eq(read_octets(octets, 26 + records[_i].length), records[_i].status);
}

/* A name that is nothing but pointers to pointers ends, or is not read. */
TEST_LOOP(pointers_to_pointers_are_followed_within_a_limit, 248, 253)
{
    unsigned hops = (unsigned)_i;
    uint8_t *at = stand.octets;

    memcpy(at, OCTETS(HEADER("\x81\x80", "\0\1\0\2\0\0\0\0") QUESTION));
    at += 26;
    memcpy(at, OCTETS("\xc0\x0c\xff\0\0\1\0\0\0\x3c"));
    at += 10;
    store16(at, (uint16_t)(2 * hops));
    at += 2;
    for (unsigned i = 0; i < hops; i++, at += 2)
        store16(at, i == 0 ? 0xc00c : (uint16_t)(0xc000 + (at - 2 - stand.octets)));
    store16(at, (uint16_t)(0xc000 + (at - 2 - stand.octets)));
    memcpy(at + 2, OCTETS("\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"));
    ask("www.test.", TYPE_A);
    stand.expected.is_exact = false;
    ck_assert_int_eq(read_octets(stand.octets, (size_t)(at + 16 - stand.octets)),
                     hops <= 250 ? RESPONSE_READ : RESPONSE_MALFORMED);
}

/* Labels of 60 octets before the root: four make a name of 245 octets, five are too many. */
TEST_LOOP(names_are_held_to_255_octets_through_pointers, 1, 7)
{
    unsigned labels = (unsigned)_i;
    uint8_t *at = stand.octets;

    memcpy(at, OCTETS(HEADER("\x81\x80", "\0\1\0\0\0\0\0\0") QUESTION));
    at[7] = (uint8_t)labels;
    at += 26;
    for (unsigned i = 0; i < labels; i++) {
        uint8_t *before = at - 73;
        at[0] = 60;
        memset(at + 1, 'a', 60);
        store16(at + 61, i == 0 ? 0xc015 : (uint16_t)(0xc000 + (before - stand.octets)));
        memcpy(at + 63, OCTETS("\0\1\0\1\0\0\0\x3c\0\0"));
        at += 73;
    }
    ask("www.test.", TYPE_A);
    stand.expected.is_exact = false;
    ck_assert_int_eq(read_octets(stand.octets, (size_t)(at - stand.octets)),
                     labels < 5 ? RESPONSE_READ : RESPONSE_MALFORMED);
}

TEST(a_message_full_of_the_smallest_records_is_read)
{
    enum { RECORDS = 5956 };
    uint8_t *at = stand.octets;

    memcpy(at, OCTETS(HEADER("\x81\x80", "\0\1\0\0\0\0\0\0") "\0\xff\0\0\1"));
    store16(at + 6, RECORDS);
    at += 17;
    for (int i = 0; i < RECORDS; i++, at += 11)
        memcpy(at, OCTETS("\0\xff\0\0\1\0\0\0\x3c\0\0"));
    ck_assert_int_gt(at - stand.octets, BUILT_RESPONSE_OCTETS_MOST - 11);
    ask(".", 0xff00);
    stand.expected.is_exact = false;
    ck_assert_int_eq(read_octets(stand.octets, (size_t)(at - stand.octets)), RESPONSE_READ);
    ck_assert_uint_eq(response->counts[0], RECORDS);
    ck_assert_uint_eq(response->ttl_count, RECORDS);
    ck_assert_uint_eq(response->ttl_seconds, 60);
}

/* Header alone: only codes of servers that could not or would not read the question. */
TEST_LOOP(a_header_alone_counts_with_an_error_only, 0, 16)
{
    uint8_t header[12] = {0x2b, 0x67, 0x81, (uint8_t)(0x80 | _i)};
    bool is_error = _i == 1 || _i == 2 || _i == 4 || _i == 5;

    ask("www.test.", TYPE_A);
    ck_assert_int_eq(read_octets(header, 12), is_error ? RESPONSE_READ : RESPONSE_MISMATCHED);
    header[1] ^= 1;
    ck_assert_int_eq(read_octets(header, 12), RESPONSE_MISMATCHED);
    header[1] ^= 1;
    header[5] = 1;
    ck_assert_int_eq(read_octets(header, 12), RESPONSE_MISMATCHED);
    header[5] = 0;
    read_octets(header, 12);
    if (is_error) {
        ck_assert_int_eq(response->rcode, _i);
        ck_assert_uint_eq(response->octets, sizeof *response);
        ck_assert_uint_eq(response->ttl_seconds, 0);
    }
}

#define OPT_RECORD(code) "\0\0\x29\4\xd0" code "\0\0\0\0\0"

/* A reply without a question, with OPT or records after the header. */
static const struct {
    const char *octets;
    size_t length;
    enum response_status status;
    uint16_t rcode;
} questionless[] = {
    {OCTETS(HEADER("\x81\x81", "\0\0\0\0\0\0\0\1") OPT_RECORD("\0")), RESPONSE_READ, RCODE_FORMERR},
    {OCTETS(HEADER("\x81\x84", "\0\0\0\0\0\0\0\1") OPT_RECORD("\0")), RESPONSE_READ, RCODE_NOTIMP},
    {OCTETS(HEADER("\x81\x80", "\0\0\0\0\0\0\0\1") OPT_RECORD("\1")), RESPONSE_READ, RCODE_BADVERS},
    {OCTETS(HEADER("\x81\x81", "\0\0\0\0\0\0\0\0") "behind"), RESPONSE_READ, RCODE_FORMERR},
    {OCTETS(HEADER("\x81\x80", "\0\0\0\0\0\0\0\1") OPT_RECORD("\0")), RESPONSE_MISMATCHED, 0},
    {OCTETS(HEADER("\x81\x83", "\0\0\0\0\0\0\0\1") OPT_RECORD("\0")), RESPONSE_MISMATCHED, 0},
    {OCTETS(HEADER("\x81\x81", "\0\0\0\0\0\0\0\1")), RESPONSE_MISMATCHED, 0},
    {OCTETS(HEADER("\x81\x81", "\0\0\0\1\0\0\0\0") "\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"),
     RESPONSE_MISMATCHED, 0},
};

TEST_OVER(a_reply_without_a_question_counts_with_an_error_only, questionless)
{
    ask("www.test.", TYPE_A);
    ck_assert_int_eq(read_octets(questionless[_i].octets, questionless[_i].length),
                     questionless[_i].status);
    if (questionless[_i].status != RESPONSE_READ)
        return;
    ck_assert_uint_eq(response->rcode, questionless[_i].rcode);
    ck_assert_uint_eq(response->octets, sizeof *response);
    ck_assert_uint_eq(response->ttl_seconds, 0);
}

#define SOA(ttl, minimum) "test. " ttl " IN SOA ns.test. root.test. 1 2 3 4 " minimum

static const struct {
    struct built_response sent;
    uint32_t ttl_seconds;
    unsigned bits;
} meanings[] = {
    /* The least TTL of the records passed on. */
    {{.name = "a.test.",
      .answer = "a.test. 300 IN A 192.0.2.1\na.test. 200 IN A 192.0.2.2",
      .authority = "test. 100 IN NS ns.test.",
      .additional = "ns.test. 0 IN A 192.0.2.3"},
     200,
     0},
    {{.name = "a.test.", .answer = "a.test. 0 IN A 192.0.2.1"}, 0, 0},
    {{.name = "a.test.", .answer = "a.test. 86401 IN A 192.0.2.1"}, 86400, 0},
    {{.name = "a.test.", .answer = "a.test. 2147483647 IN A 192.0.2.1"}, 86400, 0},
    {{.name = "a.test.", .answer = "a.test. 2147483648 IN A 192.0.2.1"}, 0, 0},
    {{.name = "a.test.", .answer = "a.test. 60 IN A 192.0.2.1", .has_opt = true}, 60, 0},
    {{.name = "a.test.", .answer = "a.test. 60 IN A 192.0.2.1", .ad = true},
     60,
     RESPONSE_AUTHENTIC},
    /* Chains. */
    {{.name = "a.test.", .answer = "a.test. 60 IN CNAME b.test.\nb.test. 9 IN A 192.0.2.1"},
     9,
     RESPONSE_HAS_ALIAS},
    {{.name = "a.test.", .answer = "a.test. 60 IN CNAME b.test.", .authority = SOA("50", "40")},
     40,
     RESPONSE_NEGATIVE | RESPONSE_HAS_ALIAS},
    {{.name = "a.test.", .answer = "a.test. 60 IN CNAME b.test."}, 0, RESPONSE_HAS_ALIAS},
    {{.name = "a.test.", .type = TYPE_CNAME, .answer = "a.test. 60 IN CNAME b.test."}, 60, 0},
    {{.name = "a.test.", .type = TYPE_ANY, .answer = "a.test. 60 IN CNAME b.test."}, 60, 0},
    {{.name = "a.test.", .answer = "a.test. 60 IN CNAME b.test.\nb.test. 60 IN CNAME a.test."},
     0,
     RESPONSE_HAS_ALIAS},
    /* Nothing there. */
    {{.name = "a.test.", .authority = SOA("50", "40")}, 40, RESPONSE_NEGATIVE},
    {{.name = "a.test.", .authority = SOA("30", "40")}, 30, RESPONSE_NEGATIVE},
    {{.name = "a.test.", .authority = SOA("90000", "90000")}, 3600, RESPONSE_NEGATIVE},
    {{.name = "a.test.", .authority = SOA("60", "2147483648")}, 0, RESPONSE_NEGATIVE},
    {{.name = "a.test.", .authority = SOA("60", "0")}, 0, RESPONSE_NEGATIVE},
    {{.name = "a.test.", .rcode = RCODE_NXDOMAIN, .authority = SOA("60", "40")},
     40,
     RESPONSE_NEGATIVE},
    {{.name = "a.test.",
      .rcode = RCODE_NXDOMAIN,
      .answer = "a.test. 20 IN CNAME b.test.",
      .authority = SOA("60", "40")},
     20,
     RESPONSE_NEGATIVE | RESPONSE_HAS_ALIAS},
    {{.name = "a.test.", .rcode = RCODE_NXDOMAIN}, 0, RESPONSE_NEGATIVE},
    {{.name = "a.test."}, 0, 0},
    {{.name = "a.test.", .authority = "test. 60 IN NS ns.test."}, 0, 0},
    {{.name = "a.test.", .answer = "a.test. 60 IN MX 1 mx.test."}, 0, 0},
    /* An answer with its zone, the SOA itself, and that of a zone other than the name's. */
    {{.name = "a.test.", .answer = "a.test. 600 IN A 192.0.2.1", .authority = SOA("500", "40")},
     600,
     0},
    {{.name = "a.other.", .rcode = RCODE_NXDOMAIN, .authority = SOA("60", "40")},
     0,
     RESPONSE_NEGATIVE},
    /* Records of other owners are no answer. */
    {{.name = "a.test.", .answer = "b.test. 600 IN A 192.0.2.1"}, 0, 0},
    {{.name = "a.test.", .answer = "a.test. 600 CH A 192.0.2.1"}, 0, 0},
    {{.name = "test.", .type = TYPE_SOA, .answer = SOA("500", "40")}, 500, 0},
    /* Errors. */
    {{.name = "a.test.", .rcode = RCODE_SERVFAIL, .authority = SOA("60", "40")}, 0, 0},
    {{.name = "a.test.", .rcode = RCODE_REFUSED}, 0, 0},
    {{.name = "a.test.", .rcode = RCODE_FORMERR}, 0, 0},
    {{.name = "a.test.", .rcode = RCODE_NOTIMP}, 0, 0},
    {{.name = "a.test.", .rcode = 23, .has_opt = true, .answer = "a.test. 60 IN A 192.0.2.1"},
     0,
     0},
    /* Addresses. */
    {{.name = "a.test.", .answer = "a.test. 60 IN A 10.0.0.37"}, 60, RESPONSE_PRIVATE_ADDRESS},
    {{.name = "a.test.",
      .type = TYPE_AAAA,
      .answer = "a.test. 60 IN AAAA 2001:db8::1\na.test. 60 IN AAAA ::ffff:192.168.0.1"},
     60,
     RESPONSE_PRIVATE_ADDRESS},
    {{.name = "a.test.", .type = TYPE_AAAA, .answer = "a.test. 60 IN AAAA ::ffff:192.0.2.1"},
     60,
     0},
    {{.name = "a.test.",
      .type = TYPE_MX,
      .answer = "a.test. 60 IN MX 1 b.test.",
      .additional = "b.test. 60 IN A 172.16.0.1"},
     60,
     0},
};

TEST_OVER(the_cache_time_of_a_response_follows_from_its_records, meanings)
{
    ck_assert_int_eq(read_sent(&meanings[_i].sent), RESPONSE_READ);
    ck_assert_uint_eq(response->ttl_seconds, meanings[_i].ttl_seconds);
    ck_assert_uint_eq(response->bits,
                      meanings[_i].bits | (meanings[_i].sent.has_opt ? RESPONSE_HAS_OPT : 0U));
    ck_assert_uint_eq(response->rcode, meanings[_i].sent.rcode);
}

static uint32_t nth_ttl(unsigned n)
{
    const uint16_t *offsets = (const uint16_t *)(const void *)response->data;
    return load32(response_body(response) + offsets[n]);
}

TEST(the_ttls_in_the_body_do_not_exceed_the_cache_time)
{
    read_sent(&(struct built_response){.name = "a.test.",
                                       .answer = "a.test. 2147483648 IN A 192.0.2.1\n"
                                                 "a.test. 86401 IN A 192.0.2.2\n"
                                                 "a.test. 86400 IN A 192.0.2.3"});
    ck_assert_uint_eq(nth_ttl(0), 0);
    ck_assert_uint_eq(nth_ttl(1), 86400);
    ck_assert_uint_eq(nth_ttl(2), 86400);
    read_sent(&(struct built_response){.name = "a.test.",
                                       .rcode = RCODE_NXDOMAIN,
                                       .answer = "a.test. 7000 IN CNAME b.test.",
                                       .authority = SOA("6000", "5000")});
    ck_assert_uint_eq(nth_ttl(0), 7000);
    ck_assert_uint_eq(nth_ttl(1), 3600);
}

/* Cookie, EDE 3, EDE too short, padding, EDE 22 with text. */
TEST(ede_options_of_the_upstream_are_kept_and_others_not)
{
    static const char kept[] = "\0\x0f\0\2\0\3\0\x0f\0\5\0\x16why";

    ck_assert_int_eq(
        read_sent(&(struct built_response){.name = "a.test.",
                                           .answer = "a.test. 60 IN A 192.0.2.1",
                                           .has_opt = true,
                                           .options = "000a00080102030405060708 000f00020003"
                                                      "000f000101 000c0000 000f00050016776879"}),
        RESPONSE_READ);
    ck_assert_uint_eq(response->ede_octets, sizeof kept - 1);
    ck_assert_mem_eq(response_ede(response), kept, sizeof kept - 1);
    ck_assert_uint_eq(response->counts[2], 0);
    ck_assert_uint_eq(response->body_octets, 16);
    ck_assert_mem_eq(response_body(response), ADDRESS, 16);
}

/* The upstream's options, and those that are kept. */
static const struct {
    const char *options;
    const char *kept;
    size_t length;
} texts[] = {
    {"000f0006 0000 66c3bc72", OCTETS("\0\x0f\0\6\0\0f\xc3\xbcr")},
    {"000f0006 0016 77687900", OCTETS("\0\x0f\0\5\0\x16why")},
    {"000f0003 0016 00", OCTETS("\0\x0f\0\2\0\x16")},
    {"000f0007 0016 7768790000", OCTETS("\0\x0f\0\2\0\x16")},
    {"000f0004 0000 93ff", OCTETS("\0\x0f\0\2\0\0")},
    {"000f0007 0006 1b5b33316d", OCTETS("\0\x0f\0\2\0\6")},
    {"000f0005 0006 610d0a 000f0005 0007 776879", OCTETS("\0\x0f\0\2\0\6\0\x0f\0\5\0\7why")},
    {"000f0007 0006 e280ae6162", OCTETS("\0\x0f\0\2\0\6")},
};

TEST_OVER(an_ede_with_an_unprintable_text_keeps_its_code, texts)
{
    ck_assert_int_eq(read_sent(&(struct built_response){.name = "a.test.",
                                                        .answer = "a.test. 60 IN A 192.0.2.1",
                                                        .has_opt = true,
                                                        .options = texts[_i].options}),
                     RESPONSE_READ);
    ck_assert_uint_eq(response->ede_octets, texts[_i].length);
    ck_assert_mem_eq(response_ede(response), texts[_i].kept, texts[_i].length);
    ck_assert_mem_eq(response_body(response), ADDRESS, 16);
}

/* Room is for 512 octets: an option that fits alone, one that is too long, a short one behind. */
TEST(an_ede_that_is_too_long_is_left_out)
{
    static uint8_t octets[2048] = HEADER("\x81\x80", "\0\1\0\0\0\0\0\1") QUESTION;
    uint8_t *at = octets + 26;

    memcpy(at, OCTETS("\0\0\x29\4\xd0\0\0\0\0"));
    store16(at + 9, (4 + 500) + (4 + 600) + (4 + 5) + (4 + 4));
    at += 11;
    for (int i = 0; i < 4; i++) {
        static const uint16_t lengths[] = {500, 600, 5, 4};
        store16(at, 15);
        store16(at + 2, lengths[i]);
        memset(at + 4, 'a' + i, lengths[i]);
        at += 4 + lengths[i];
    }
    ask("www.test.", TYPE_A);
    stand.expected.is_exact = false;
    ck_assert_int_eq(read_octets(octets, (size_t)(at - octets)), RESPONSE_READ);
    ck_assert_uint_eq(response->ede_octets, 504 + 8);
    ck_assert_mem_eq(response_ede(response) + 504, "\0\x0f\0\4dddd", 8);
}

TEST(opt_may_stand_anywhere_in_its_section)
{
    ck_assert_int_eq(read_sent(&(struct built_response){.name = "a.test.",
                                                        .rcode = 23,
                                                        .answer = "a.test. 60 IN A 192.0.2.1",
                                                        .additional = "ns.test. 50 IN A 192.0.2.2",
                                                        .has_opt = true,
                                                        .behind = "ns.test. 0 IN A 10.0.0.1"}),
                     RESPONSE_READ);
    ck_assert_uint_eq(response->rcode, 23);
    ck_assert_uint_eq(response->counts[0], 1);
    ck_assert_uint_eq(response->counts[2], 0);
    ck_assert_uint_eq(response->ttl_count, 1);
    ck_assert_uint_eq(response->bits, RESPONSE_HAS_OPT);
}

TEST(a_code_is_put_together_from_header_and_opt)
{
    ck_assert_int_eq(
        read_sent(&(struct built_response){.name = "a.test.", .rcode = 23, .has_opt = true}),
        RESPONSE_READ);
    ck_assert_uint_eq(response->rcode, 23);
}

static const struct nat64_prefix no_nat64;

/* Addresses found, and after how many the walk is ended. */
struct visit {
    uint32_t addresses[16];
    unsigned count, most;
};

static bool note_address(void *context, uint32_t address)
{
    struct visit *visit = context;

    visit->addresses[visit->count++] = address;
    return visit->count == visit->most;
}

TEST(addresses_are_found_wherever_a_client_could_take_them_from)
{
    struct visit visit = {.most = 16};

    read_sent(&(struct built_response){
        .name = "a.test.",
        .type = TYPE_HTTPS,
        .answer =
            "a.test. 60 IN HTTPS 1 . alpn=h2 ipv4hint=10.0.0.1,10.0.0.2 ipv6hint=2001:db8::1\n"
            "a.test. 60 IN HTTPS 2 . ipv4hint=10.0.0.3 ipv6hint=2001:db8::1,::ffff:10.0.0.4"});
    ck_assert(!response_find_address(response, &no_nat64, note_address, &visit));
    ck_assert_uint_eq(visit.count, 4);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(visit.addresses[i], 0x0a000001 + i);
    visit = (struct visit){.most = 2};
    ck_assert(response_find_address(response, &no_nat64, note_address, &visit));
    ck_assert_uint_eq(visit.count, 2);
}

/* An address, and the IPv4 address that a client could make of it. */
static const struct {
    uint16_t type;
    const char *data, *nat64;
    uint32_t address; /* 0: none */
    bool may_be_private;
} forms[] = {
    {TYPE_A, "10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_A, "192.0.2.1", NULL, 0xc0000201, false},
    {TYPE_AAAA, "::ffff:10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_AAAA, "::10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_AAAA, "::ffff:192.0.2.1", NULL, 0xc0000201, false},
    {TYPE_AAAA, "2002:a00:25::1", NULL, 0x0a000025, true},
    {TYPE_AAAA, "::ffff:0:10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_AAAA, "fe80::5efe:10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_AAAA, "2001:db8::200:5efe:10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_AAAA, "64:ff9b::10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_AAAA, "64:ff9b:0:1::10.0.0.37", NULL, 0, true},
    {TYPE_AAAA, "64:ff9b:1:fffe::10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_AAAA, "64:ff9b:1:a00:0:2500::", NULL, 0x0a000025, true},
    {TYPE_AAAA, "64:ff9b:1:5:a:0:2500:0", NULL, 0x0a000025, true},
    /* Prefixes of our own, one of each length (RFC 6052 section 2.4). */
    {TYPE_AAAA, "2001:db8:c000:221::", "2001:db8::/32", 0xc0000221, false},
    {TYPE_AAAA, "2001:db8:1c0:2:21::", "2001:db8:100::/40", 0xc0000221, false},
    {TYPE_AAAA, "2001:db8:122:c000:2:2100::", "2001:db8:122::/48", 0xc0000221, false},
    {TYPE_AAAA, "2001:db8:122:3c0:0:221::", "2001:db8:122:300::/56", 0xc0000221, false},
    {TYPE_AAAA, "2001:db8:122:344:c0:2:2100:0", "2001:db8:122:344::/64", 0xc0000221, false},
    {TYPE_AAAA, "2001:db8:122:344::192.0.2.33", "2001:db8:122:344::/96", 0xc0000221, false},
    {TYPE_AAAA, "2001:db8:122:344::10.0.0.37", "2001:db8:122:344::/96", 0x0a000025, true},
    {TYPE_AAAA, "2001:db8:122:344::10.0.0.37", "2001:db8:122:345::/96", 0, true},
    {TYPE_AAAA, "2001:db8:122:344::10.0.0.37", NULL, 0, true},
    {TYPE_AAAA, "2001:db8::1", NULL, 0, false},
    /* A6: prefix bits, the rest of the address, the prefix's name. */
    {TYPE_A6, "\\# 17 00 00000000000000000000ffff0a000025", NULL, 0x0a000025, true},
    {TYPE_A6, "\\# 6 60 0a000025 00", NULL, 0x0a000025, true},
    {TYPE_A6, "\\# 10 40 00000000 0a000025 00", NULL, 0x0a000025, true},
    {TYPE_HTTPS, "1 . ipv4hint=10.0.0.37", NULL, 0x0a000025, true},
    {TYPE_SVCB, "1 . ipv6hint=2002:a00:25::1", NULL, 0x0a000025, true},
    {TYPE_HTTPS, "1 . ipv6hint=64:ff9b::a00:25", NULL, 0x0a000025, true},
};

TEST_OVER(an_ipv4_address_is_found_in_every_form, forms)
{
    struct nat64_prefix nat64 = {.bits = 0};
    struct visit visit = {.most = 16};
    char answer[256];
    const char *type = forms[_i].type == TYPE_A       ? "A"
                       : forms[_i].type == TYPE_AAAA  ? "AAAA"
                       : forms[_i].type == TYPE_A6    ? "TYPE38"
                       : forms[_i].type == TYPE_HTTPS ? "HTTPS"
                                                      : "SVCB";

    snprintf(answer, sizeof answer, "a.test. 60 IN %s %s", type, forms[_i].data);
    ck_assert(forms[_i].nat64 == NULL || nat64_prefix_read(forms[_i].nat64, &nat64));
    ck_assert_int_eq(read_sent(&(struct built_response){
                         .name = "a.test.", .type = forms[_i].type, .answer = answer}),
                     RESPONSE_READ);
    ck_assert(((response->bits & RESPONSE_PRIVATE_ADDRESS) != 0) == forms[_i].may_be_private);
    ck_assert(!response_find_address(response, &nat64, note_address, &visit));
    ck_assert((visit.count > 0) == (forms[_i].address != 0));
    bool is_found = visit.count == 0;
    for (unsigned i = 0; i < visit.count; i++) /* several where the prefix's length is not known */
        is_found |= visit.addresses[i] == forms[_i].address;
    ck_assert(is_found);
}

static const struct {
    uint8_t bits;
    bool is_plain;
    const char *octets;
    size_t length;
} queries[] = {
    {0, false,
     OCTETS("\x12\x34\1\x20\0\1\0\0\0\0\0\1\3wWw\4test\0\0\x0f\0\1\0\0\x29\4\xd0\0\0\0\0\0\0")},
    {QUESTION_DO, false,
     OCTETS("\x12\x34\1\x20\0\1\0\0\0\0\0\1\3wWw\4test\0\0\x0f\0\1\0\0\x29\4\xd0\0\0\x80\0\0\0")},
    {QUESTION_CD, false,
     OCTETS("\x12\x34\1\x30\0\1\0\0\0\0\0\1\3wWw\4test\0\0\x0f\0\1\0\0\x29\4\xd0\0\0\0\0\0\0")},
    {QUESTION_DO | QUESTION_CD, true,
     OCTETS("\x12\x34\1\x30\0\1\0\0\0\0\0\0\3wWw\4test\0\0\x0f\0\1")},
};

TEST_OVER(a_query_carries_what_the_client_asked_and_nothing_else, queries)
{
    uint8_t query[UPSTREAM_QUERY_OCTETS_MOST];

    ask("www.test.", TYPE_MX);
    stand.question.bits = queries[_i].bits;
    ck_assert_uint_eq(response_write_query(&stand.question, 0x1234, (const uint8_t *)"\3wWw\4test",
                                           queries[_i].is_plain, query),
                      queries[_i].length);
    ck_assert_mem_eq(query, queries[_i].octets, queries[_i].length);
}

TEST(the_longest_query_has_room)
{
    char text[256];
    uint8_t query[UPSTREAM_QUERY_OCTETS_MOST];

    memset(text, 'a', 253);
    text[63] = text[127] = text[191] = '.';
    text[253] = '\0';
    ask(text, TYPE_A);
    ck_assert_uint_eq(response_write_query(&stand.question, 1, stand.name.octets, false, query),
                      UPSTREAM_QUERY_OCTETS_MOST);
}

static const struct built_response rich = {.name = "www.example.com.",
                                           .answer = "www.example.com. 60 IN CNAME a.example.com.\n"
                                                     "a.example.com. 60 IN A 192.0.2.1",
                                           .authority = "example.com. 60 IN NS ns.example.com.",
                                           .additional = "ns.example.com. 60 IN A 192.0.2.2\n"
                                                         "ns.example.com. 60 IN AAAA 2001:db8::2",
                                           .has_opt = true,
                                           .options = "000f00050016776879"};

TEST(a_response_cut_anywhere_is_not_read)
{
    size_t length = built_response_write(&rich, stand.octets);

    ask(rich.name, TYPE_A);
    for (size_t i = 0; i < length; i++)
        ck_assert_int_ne(read_octets(stand.octets, i), RESPONSE_READ);
    ck_assert_int_eq(read_octets(stand.octets, length), RESPONSE_READ);
}

/* A response that is read is consistent: its parts fill it, its TTLs are in its body and capped. */
static void check_invariants(void)
{
    const uint16_t *offsets = (const uint16_t *)(const void *)response->data;

    ck_assert_uint_eq(response->octets, sizeof *response + 2U * response->ttl_count +
                                            response->ede_octets + response->body_octets);
    ck_assert_uint_eq(response->ttl_count,
                      (unsigned)response->counts[0] + response->counts[1] + response->counts[2]);
    ck_assert_uint_le(response->ttl_seconds, RESPONSE_TTL_MOST_SECONDS);
    for (unsigned i = 0; i < response->ttl_count; i++) {
        ck_assert_uint_le(offsets[i] + RR_TTL_OCTETS, response->body_octets);
        ck_assert_uint_le(load32(response_body(response) + offsets[i]), RESPONSE_TTL_MOST_SECONDS);
    }
}

TEST(responses_with_a_few_octets_changed_are_whole_or_refused)
{
    struct dice dice = {.state = 7};
    uint8_t octets[PACKET_OCTETS_MOST];
    unsigned read = 0;

    stand.length = built_response_write(&rich, stand.octets);
    ask(rich.name, TYPE_A);
    for (int i = 0; i < 50000; i++) {
        memcpy(octets, stand.octets, stand.length);
        size_t length = packet_mutate(&dice, octets, stand.length);
        if (read_octets(octets, length) != RESPONSE_READ)
            continue;
        check_invariants();
        read++;
    }
    ck_assert_uint_gt(read, 1000);
}
