#include "wire/reply.h"

#include <string.h>

#include "support/decoded.h"
#include "support/request.h"
#include "support/suite.h"

/* A request, its query, and room for the reply. */
struct stand {
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t request_length;
    struct query query;
    struct reply_options options;
    uint8_t buffer[TCP_OCTETS_MOST];
    struct reply reply;
};

static struct stand stand;

static void begin(const struct ask *ask, size_t most)
{
    memset(stand.buffer, 0xee, sizeof stand.buffer);
    stand.request_length = request_write(ask, stand.request);
    query_read(stand.request, stand.request_length, &stand.query);
    reply_start(&stand.reply, stand.request, &stand.query, &stand.options, stand.buffer, most);
}

static void put_address(uint16_t owner, uint32_t address)
{
    uint8_t *data = reply_record(&stand.reply, owner, LDNS_RR_TYPE_A, 30, 4);
    if (data != NULL)
        store32(data, address);
}

TEST(a_reply_is_header_question_records_and_opt)
{
    static const char expected[] = "\x04\xd2\x85\x00\0\1\0\1\0\1\0\2"       /* AA, RD */
                                   "\3wWw\4test\0\0\1\0\1"                  /* as it came */
                                   "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\n\0\0\1" /* the answer */
                                   "\xc0\x10\0\1\0\1\0\0\0\x1e\0\4\n\0\0\2" /* authority */
                                   "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\n\0\0\3" /* additional */
                                   "\0\0\x29\4\xd0\0\0\0\0\0\0";

    begin(&(struct ask){.name = "wWw.test."}, 512);
    put_address(12, 0x0a000001);
    reply_enter(&stand.reply, SECTION_AUTHORITY);
    put_address(16, 0x0a000002);
    reply_enter(&stand.reply, SECTION_ADDITIONAL);
    put_address(12, 0x0a000003);
    ck_assert_uint_eq(reply_finish(&stand.reply, FLAG_AA, 0), sizeof expected - 1);
    ck_assert_mem_eq(stand.buffer, expected, sizeof expected - 1);
}

static const struct {
    struct ask ask;
    uint16_t flags, rcode, expected;
} headers[] = {
    {{.name = "."}, 0, 0, 0x8100},
    {{.name = ".", .no_rd = true}, 0, 5, 0x8005},
    {{.name = ".", .cd = true}, FLAG_AA, 3, 0x8513},
    {{.name = ".", .no_rd = true, .cd = true}, FLAG_RA, 2, 0x8092},
    {{.name = "."}, FLAG_AA | FLAG_RA, 0, 0x8580},
    {{.name = ".", .opcode = 5}, 0, 4, 0xa804},
    {{.name = ".", .opcode = 15, .no_rd = true}, 0, 4, 0xf804},
    {{.name = "."}, 0, 16, 0x8100},                  /* BADVERS: the rest is in OPT */
    {{.name = ".", .no_edns = true}, 0, 16, 0x8101}, /* and FORMERR without */
};

TEST_OVER(flags_come_from_the_query_and_the_caller, headers)
{
    begin(&headers[_i].ask, 512);
    reply_finish(&stand.reply, headers[_i].flags, headers[_i].rcode);
    ck_assert_uint_eq(load16(stand.buffer), REQUEST_ID);
    ck_assert_uint_eq(load16(stand.buffer + 2), headers[_i].expected);
}

TEST(an_extended_code_is_split_over_header_and_opt)
{
    struct decoded decoded;

    begin(&(struct ask){.name = "x."}, 512);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 16), &decoded);
    ck_assert_uint_eq(decoded.rcode, 16);
    decoded_close(&decoded);
}

TEST(opt_is_sent_when_one_was_received_with_the_same_do)
{
    struct decoded decoded;

    begin(&(struct ask){.name = "x.", .dnssec_ok = true, .edns_octets = 4096}, 512);
    size_t length = reply_finish(&stand.reply, 0, 0);
    ck_assert_mem_eq(stand.buffer + length - 11, "\0\0\x29\4\xd0\0\0\x80\0\0\0", 11);
    begin(&(struct ask){.name = "x.", .no_edns = true}, 512);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 0), &decoded);
    ck_assert(!decoded.has_opt);
    decoded_close(&decoded);
}

TEST(options_are_written_as_their_rfcs_define)
{
    struct decoded decoded;

    stand.options = (struct reply_options){.has_ede = true,
                                           .ede_code = 18,
                                           .ede_text = "Q18 outside",
                                           .ede_length = 11,
                                           .nsid = "ns1",
                                           .nsid_length = 3,
                                           .keepalive_100ms = 100};
    begin(&(struct ask){.name = "x.", .nsid = true, .keepalive = true}, 512);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 5), &decoded);
    ck_assert_int_eq(decoded.ede_code, 18);
    ck_assert_str_eq(decoded.ede_text, "Q18 outside");
    ck_assert_str_eq(decoded.nsid, "ns1");
    ck_assert_int_eq(decoded.keepalive_100ms, 100);
    decoded_close(&decoded);
}

TEST(no_option_is_sent_that_was_not_asked_for)
{
    struct decoded decoded;

    stand.options = (struct reply_options){.nsid = "ns1", .nsid_length = 3, .keepalive_100ms = 100};
    begin(&(struct ask){.name = "x."}, 512);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 0), &decoded);
    ck_assert_str_eq(decoded.nsid, "");
    ck_assert_int_eq(decoded.keepalive_100ms, -1);
    ck_assert_int_eq(decoded.ede_code, NO_EDE);
    decoded_close(&decoded);
}

/* 12 + 7 + 11 octets are reserved, so 30 records of 16 fit into 512 and 31 do not. */
TEST_LOOP(a_cut_reply_keeps_the_records_that_fit, 27, 40)
{
    struct decoded decoded;
    unsigned count = (unsigned)_i;

    begin(&(struct ask){.name = "x."}, 512);
    for (unsigned i = 0; i < count; i++)
        put_address(12, i);
    ck_assert(reply_is_cut(&stand.reply) == (count > 30));
    reply_enter(&stand.reply, SECTION_AUTHORITY);
    put_address(12, 0);
    size_t length = reply_finish(&stand.reply, FLAG_AA, 0);
    ck_assert_uint_le(length, 512);
    ck_assert_uint_eq(stand.buffer[512], 0xee);
    decode(stand.buffer, length, &decoded);
    ck_assert(decoded.tc == (count > 29));
    ck_assert_uint_eq(decoded.answer_count, count > 30 ? 30 : count);
    ck_assert_uint_eq(decoded.authority_count, count > 29 ? 0 : 1);
    ck_assert(decoded.aa && decoded.has_opt && decoded.question_count == 1);
    decoded_close(&decoded);
}

/* Two octets too few for the last record: the one before it ends the reply. */
TEST(a_record_written_piece_by_piece_is_whole_or_not_there)
{
    static const uint8_t string[256] = {255};
    struct decoded decoded;

    begin(&(struct ask){.name = "x.", .no_edns = true}, 512);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *data = reply_record(&stand.reply, 12, LDNS_RR_TYPE_TXT, 0, 0);
        write_octets(&stand.reply.out, string, i == 0 ? 204 : 256);
        if (i == 0)
            data[0] = 203;
        reply_close_record(&stand.reply, data);
    }
    size_t length = reply_finish(&stand.reply, 0, 0);
    ck_assert_uint_eq(length, 12 + 7 + 12 + 204 + 12 + 256);
    decode(stand.buffer, length, &decoded);
    ck_assert(decoded.tc);
    ck_assert_uint_eq(decoded.answer_count, 2);
    decoded_close(&decoded);
}

TEST(ready_records_that_do_not_fit_are_left_out_one_by_one)
{
    static uint8_t records[40 * 16];
    struct decoded decoded;

    for (unsigned i = 0; i < 40; i++)
        memcpy(records + 16UL * i, "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\n\0\0\1", 16);
    begin(&(struct ask){.name = "x."}, 512);
    ck_assert_uint_eq(reply_ready_records(&stand.reply, records, 16, 40), 30);
    ck_assert(reply_is_cut(&stand.reply));
    ck_assert_uint_eq(reply_ready_records(&stand.reply, records, 16, 1), 0);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 0), &decoded);
    ck_assert(decoded.tc && decoded.has_opt);
    ck_assert_uint_eq(decoded.answer_count, 30);
    decoded_close(&decoded);
}

TEST(only_opcode_query_gives_rd_and_cd_a_meaning)
{
    begin(&(struct ask){.name = "x.", .opcode = 5, .cd = true, .no_edns = true}, 512);
    reply_finish(&stand.reply, 0, 4);
    ck_assert_uint_eq(load16(stand.buffer + 2), 0xa804);
}

TEST(a_cut_reply_still_has_its_ede)
{
    struct decoded decoded;

    stand.options = (struct reply_options){
        .has_ede = true, .ede_code = 0, .ede_text = "Q40 note", .ede_length = 8};
    begin(&(struct ask){.name = "x."}, 512);
    for (unsigned i = 0; i < 100; i++)
        put_address(12, i);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 0), &decoded);
    ck_assert(decoded.tc);
    ck_assert_str_eq(decoded.ede_text, "Q40 note");
    decoded_close(&decoded);
}

static const struct {
    uint8_t asked; /* octets of the request's cookie */
    bool is_made, no_edns;
    unsigned expected;
} cookies[] = {
    {0, true, false, 0},   {8, true, false, 24}, {24, true, false, 24},
    {40, true, false, 24}, {8, false, false, 0}, {0, true, true, 0},
};

TEST_OVER(a_cookie_is_sent_on_request, cookies)
{
    struct ask ask = {
        .name = "x.", .cookie_octets = cookies[_i].asked, .no_edns = cookies[_i].no_edns};
    struct decoded decoded;

    stand.options = (struct reply_options){.has_ede = true, .ede_text = "Q10", .ede_length = 3};
    if (cookies[_i].is_made)
        stand.options.cookie = (const uint8_t *)"a cookie of 24 octets...";
    begin(&ask, 512);
    for (unsigned i = 0; i < 100; i++) /* its room is kept */
        put_address(12, i);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 0), &decoded);
    ck_assert(decoded.tc);
    ck_assert_uint_eq(decoded.cookie_octets, cookies[_i].expected);
    ck_assert_mem_eq(decoded.cookie, "a cookie of 24 octets...", decoded.cookie_octets);
    decoded_close(&decoded);
}

/* 29 records leave 512 - 12 - 7 - 464 - 11 = 18 octets: 6 are reserved, the text has 12. */
TEST_LOOP(the_text_of_ede_is_dropped_before_a_record, 0, 2)
{
    static const char text[] = "Q10 app crashed";
    struct decoded decoded;

    stand.options = (struct reply_options){.has_ede = true, .ede_text = text};
    stand.options.ede_length = _i == 0 ? 12 : 13;
    begin(&(struct ask){.name = "x."}, 512);
    for (unsigned i = 0; i < 29; i++)
        put_address(12, i);
    size_t length = reply_finish(&stand.reply, 0, 0);
    decode(stand.buffer, length, &decoded);
    ck_assert(!decoded.tc);
    ck_assert_uint_eq(decoded.answer_count, 29);
    ck_assert_int_eq(decoded.ede_code, 0);
    ck_assert_uint_eq(strlen(decoded.ede_text), _i == 0 ? 12 : 0);
    ck_assert_uint_eq(length, _i == 0 ? 512 : 500);
    decoded_close(&decoded);
}

/* 26 records and our OPT and EDE leave 512 - 12 - 7 - 416 - 11 - 9 = 57 octets, 27 leave 41. */
static const struct {
    unsigned records, options; /* how many of the three are left */
    size_t length;
} passed[] = {{0, 3, 39 + 7 + 44 + 6}, {26, 3, 512}, {27, 2, 471 + 7 + 6}, {29, 1, 503 + 7}};

TEST_OVER(options_passed_on_follow_ours_whole_or_not_at_all, passed)
{
    static const uint8_t three[] = "\0\x0f\0\3\0\x16n"
                                   "\0\x0f\0\x28\0\x17............ a sentence of 38 ........"
                                   "\0\x0f\0\2\0\3";
    struct decoded decoded;

    stand.options = (struct reply_options){.has_ede = true,
                                           .ede_code = 22,
                                           .ede_text = "Q22",
                                           .ede_length = 3,
                                           .passed = three,
                                           .passed_length = sizeof three - 1};
    begin(&(struct ask){.name = "x."}, 512);
    for (unsigned i = 0; i < passed[_i].records; i++)
        put_address(12, i);
    size_t length = reply_finish(&stand.reply, 0, 0);
    ck_assert_uint_eq(length, passed[_i].length);
    decode(stand.buffer, length, &decoded);
    ck_assert(!decoded.tc);
    ck_assert_uint_eq(decoded.answer_count, passed[_i].records);
    ldns_edns_option_list *options = ldns_pkt_edns_get_option_list(decoded.packet);
    ck_assert_uint_eq(ldns_edns_option_list_get_count(options), 1 + passed[_i].options);
    decoded_close(&decoded);
}

TEST(options_are_not_passed_on_without_opt)
{
    stand.options =
        (struct reply_options){.passed = (const uint8_t *)"\0\x0f\0\2\0\3", .passed_length = 6};
    begin(&(struct ask){.name = "x.", .no_edns = true}, 512);
    ck_assert_uint_eq(reply_finish(&stand.reply, 0, 0), 19);
}

TEST(a_query_without_a_readable_question_gets_a_bare_header)
{
    static const uint8_t request[12] = "\x04\xd2\x01\0\0\0\0\0\0\0\0";

    ck_assert_int_eq(query_read(request, 12, &stand.query), QUERY_MALFORMED);
    reply_start(&stand.reply, request, &stand.query, &stand.options, stand.buffer, 512);
    ck_assert_uint_eq(reply_finish(&stand.reply, 0, 1), 12);
    ck_assert_mem_eq(stand.buffer, "\x04\xd2\x81\1\0\0\0\0\0\0\0\0", 12);
}

TEST(ready_records_are_copied_and_counted)
{
    struct decoded decoded;

    begin(&(struct ask){.name = "x."}, 512);
    reply_ready_records(&stand.reply,
                        (const uint8_t *)"\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\n\0\0\1"
                                         "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\n\0\0\2",
                        16, 2);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 0), &decoded);
    ck_assert_uint_eq(decoded.answer_count, 2);
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "x. 30 IN A 10.0.0.2"));
    decoded_close(&decoded);
}

TEST(a_record_written_piece_by_piece_is_closed_with_its_length)
{
    struct decoded decoded;

    begin(&(struct ask){.name = "x."}, 512);
    uint8_t *data = reply_record_of_class(&stand.reply, 12, LDNS_RR_TYPE_TXT, 3, 0, 0);
    write_octets(&stand.reply.out, "\3abc\2de", 7);
    reply_close_record(&stand.reply, data);
    ck_assert_uint_eq(reply_offset(&stand.reply), 12 + 7 + 12 + 7);
    decode(stand.buffer, reply_finish(&stand.reply, 0, 0), &decoded);
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "x. 0 CH TXT \"abc\" \"de\""));
    decoded_close(&decoded);
}

TEST(over_tcp_a_reply_may_be_65535_octets)
{
    struct decoded decoded;

    begin(&(struct ask){.name = "x."}, TCP_OCTETS_MOST);
    for (unsigned i = 0; i < 4094; i++)
        put_address(12, i);
    size_t length = reply_finish(&stand.reply, 0, 0);
    ck_assert_uint_eq(length, 12 + 7 + 4094 * 16 + 11);
    decode(stand.buffer, length, &decoded);
    ck_assert(!decoded.tc);
    ck_assert_uint_eq(decoded.answer_count, 4094);
    decoded_close(&decoded);
}
