#include "forward/relay.h"

#include <stdlib.h>
#include <string.h>

#include "support/built_response.h"
#include "support/decoded.h"
#include "support/request.h"
#include "support/suite.h"
#include "wire/types.h"

enum { BIG_TEXT_OCTETS = 61000 };

/* An upstream's response, and the reply to a client. */
struct stand {
    uint8_t sent[BUILT_RESPONSE_OCTETS_MOST];
    size_t sent_length;
    uint8_t request[REQUEST_OCTETS_MOST];
    struct query query;
    struct reply_options options;
    uint8_t reply[TCP_OCTETS_MOST + 1];
    size_t length;
    struct relay relay;
};

static struct stand stand;
static alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
static struct response *const response = (struct response *)(void *)room;

/* The upstream's response, read as the answer to the query. */
static void read_answer(const struct built_response *sent)
{
    struct question question = question_of(&stand.query, 0);
    struct expected expected = {
        .question = &question, .id = BUILT_RESPONSE_ID, .name = stand.query.name.octets};

    stand.sent_length = built_response_write(sent, stand.sent);
    ck_assert_int_eq(response_read(stand.sent, stand.sent_length, &expected, response),
                     RESPONSE_READ);
}

static void ask(const struct ask *ask)
{
    size_t length = request_write(ask, stand.request);

    ck_assert_int_eq(query_read(stand.request, length, &stand.query), QUERY_READ);
    stand.options = (struct reply_options){.has_ede = false};
    stand.relay = (struct relay){.response = response,
                                 .request = stand.request,
                                 .query = &stand.query,
                                 .options = &stand.options};
}

/* What is copied in one go is the same, octet by octet, and takes no more room than it has. */
static void check_usual(size_t most)
{
    static uint8_t reply[TCP_OCTETS_MOST + 1];
    struct relay relay = stand.relay;

    if (!relay_is_usual(response) || stand.query.has_options || stand.options.has_ede)
        return;
    memset(reply, 0xee, sizeof reply);
    size_t length = relay_write_usual(&relay, reply, most);
    ck_assert_uint_eq(reply[length], 0xee);
    if (length == 0) {
        ck_assert_uint_gt((size_t)stand.query.question_end + response->body_octets + OPT_OCTETS,
                          most);
        return;
    }
    ck_assert_uint_eq(length, stand.length);
    ck_assert_mem_eq(reply, stand.reply, length);
    ck_assert_uint_eq(relay.answer_count, stand.relay.answer_count);
    ck_assert_uint_eq(relay.ttl_seconds, stand.relay.ttl_seconds);
}

static void relay_reply(size_t most)
{
    memset(stand.reply, 0xee, sizeof stand.reply);
    stand.length = relay_write(&stand.relay, stand.reply, most);
    ck_assert_uint_le(stand.length, most);
    ck_assert_uint_eq(stand.reply[stand.length], 0xee);
    check_usual(most);
}

/* The usual case: the client asks with EDNS over TCP, the upstream sent this. */
static void ask_and_relay(const struct built_response *sent)
{
    ask(&(struct ask){.name = sent->name, .type = sent->type});
    read_answer(sent);
    relay_reply(TCP_OCTETS_MOST);
}

static uint32_t less(uint32_t ttl, uint32_t age)
{
    return ttl > age ? ttl - age : 0;
}

static void check_same_records(const ldns_rr_list *sent, size_t count, const ldns_rr_list *told)
{
    ck_assert_uint_eq(ldns_rr_list_rr_count(told), count);
    for (size_t i = 0; i < count; i++) {
        ldns_rr *expected = ldns_rr_clone(ldns_rr_list_rr(sent, i));
        ldns_rr_set_ttl(expected, less(ldns_rr_ttl(expected), stand.relay.age_seconds));
        char *expected_text = ldns_rr2str(expected);
        char *text = ldns_rr2str(ldns_rr_list_rr(told, i));
        ck_assert_str_eq(text, expected_text);
        free(text);
        free(expected_text);
        ldns_rr_free(expected);
    }
}

/* The text of a TXT record of 61,000 octets. */
static const char *big_text(void)
{
    static char text[70000];
    char *at = text + sprintf(text, "big.test. 60 IN TXT");

    for (int i = 0; i < BIG_TEXT_OCTETS / 250; i++) {
        at += sprintf(at, " \"%03d", i);
        memset(at, 'x', 246);
        at += 246;
        *at++ = '"';
    }
    return text;
}

#define SOA "test. 300 IN SOA ns.test. root.test. 1 2 3 4 600"
#define SIGNATURE(owner, type)                                                                     \
    owner " 300 IN RRSIG " type " 8 2 300 20300101000000 20200101000000 12345 test. "              \
          "c2lnbmF0dXJlIG9jdGV0cyBvZiBubyBtZWFuaW5nIGF0IGFsbA=="

static const struct built_response responses[] = {
    {.name = "a.test.", .answer = "a.test. 300 IN A 192.0.2.1\na.test. 300 IN A 192.0.2.2"},
    {.name = "a.test.", .type = TYPE_AAAA, .answer = "a.test. 300 IN AAAA 2001:db8::1"},
    {.name = "test.",
     .type = TYPE_MX,
     .answer = "test. 300 IN MX 10 mx1.mail.test.\ntest. 300 IN MX 20 mx2.mail.test.",
     .authority = "test. 900 IN NS ns.mail.test.",
     .additional = "mx1.mail.test. 60 IN A 192.0.2.1\nmx2.mail.test. 5 IN A 192.0.2.2"},
    {.name = "a.test.",
     .answer = "a.test. 300 IN CNAME b.test.\nb.test. 200 IN CNAME c.other.\nc.other. 9 IN A "
               "192.0.2.1"},
    {.name = "loop.test.",
     .answer = "loop.test. 300 IN CNAME b.test.\nb.test. 300 IN CNAME loop.test."},
    {.name = "_sip._tcp.test.",
     .type = TYPE_SRV,
     .answer = "_sip._tcp.test. 300 IN SRV 1 2 5060 sip.test.",
     .additional = "sip.test. 300 IN A 192.0.2.1\nsip.test. 300 IN AAAA 2001:db8::1",
     .has_opt = true},
    {.name = "a.test.", .type = 65280, .answer = "a.test. 300 IN TYPE65280 \\# 4 c00cc0ff"},
    {.name = "a.test.",
     .ad = true,
     .has_opt = true,
     .answer = "a.test. 300 IN A 192.0.2.1\n" SIGNATURE("a.test.", "A"),
     .authority = "test. 300 IN NS ns.test.\n" SIGNATURE("test.", "NS")},
    {.name = "no.test.",
     .rcode = RCODE_NXDOMAIN,
     .has_opt = true,
     .authority = SOA "\n" SIGNATURE("test.", "SOA") "\na.test. 300 IN NSEC z.test. A RRSIG NSEC"},
    {.name = "no.test.", .rcode = RCODE_NXDOMAIN, .authority = SOA},
    {.name = "a.test.", .type = TYPE_MX, .authority = SOA},
    {.name = "a.test.", .type = TYPE_MX},
    {.name = "a.sub.test.",
     .authority = "sub.test. 300 IN NS ns1.sub.test.\nsub.test. 300 IN NS ns2.sub.test.",
     .additional = "ns1.sub.test. 300 IN A 192.0.2.1\nns2.sub.test. 300 IN A 192.0.2.2"},
    {.name = ".",
     .type = TYPE_NS,
     .answer = ". 518400 IN NS a.root-servers.net.\n. 518400 IN NS b.root-servers.net.",
     .additional = "a.root-servers.net. 518400 IN A 198.41.0.4"},
    {.name = "a.test.",
     .type = TYPE_ANY,
     .answer = "a.test. 300 IN A 192.0.2.1\na.test. 60 IN TXT \"text\" \"more\"\n"
               "a.test. 3000 IN MX 1 b.test.\na.test. 300 IN HINFO \"cpu\" \"os\""},
    {.name = "a.test.", .rcode = RCODE_SERVFAIL},
    {.name = "a.test.", .rcode = RCODE_REFUSED, .has_opt = true},
    {.name = "a.test.", .rcode = 23, .has_opt = true},
    {.name = "a.test.",
     .answer = "a.test. 300 IN A 192.0.2.1",
     .has_opt = true,
     .options = "000f00020003000f00050016776879"},
    {.name = "big.test.", .type = TYPE_TXT},
};

enum { RESPONSES = sizeof responses / sizeof responses[0], DAY = RESPONSE_TTL_MOST_SECONDS };

/* The upstream's TTLs beyond a day are cut before they are compared. */
static void cut_ttls(ldns_rr_list *records)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++)
        if (ldns_rr_ttl(ldns_rr_list_rr(records, i)) > DAY)
            ldns_rr_set_ttl(ldns_rr_list_rr(records, i), DAY);
}

static bool begins_with_soa(const struct decoded *sent)
{
    const ldns_rr_list *authority = ldns_pkt_authority(sent->packet);

    return sent->authority_count > 0 &&
           ldns_rr_get_type(ldns_rr_list_rr(authority, 0)) == LDNS_RR_TYPE_SOA;
}

static void check_same_answer(const struct decoded *sent, const struct decoded *told)
{
    cut_ttls(ldns_pkt_answer(sent->packet));
    ck_assert_uint_eq(told->rcode, sent->rcode);
    ck_assert_uint_eq(told->id, REQUEST_ID);
    ck_assert(told->qr && told->ra && told->rd && !told->aa && !told->tc && !told->cd);
    ck_assert(told->has_opt);
    check_same_records(ldns_pkt_question(sent->packet), 1, ldns_pkt_question(told->packet));
    check_same_records(ldns_pkt_answer(sent->packet), sent->answer_count,
                       ldns_pkt_answer(told->packet));
    /* Of the rest only proofs of nothing go on (scrub.h). */
    check_same_records(ldns_pkt_authority(sent->packet),
                       sent->answer_count == 0 && begins_with_soa(sent) ? sent->authority_count : 0,
                       ldns_pkt_authority(told->packet));
    ck_assert_uint_eq(told->additional_count, 0);
    ck_assert_uint_eq(stand.relay.answer_count, sent->answer_count);
}

TEST_LOOP(records_reach_the_client_as_the_upstream_sent_them, 0, RESPONSES)
{
    static const uint32_t ages[] = {0, 10, 299, 100000};
    struct built_response sent = responses[_i];
    struct decoded from, to;

    if (strcmp(sent.name, "big.test.") == 0)
        sent.answer = big_text();
    ask(&(struct ask){.name = sent.name, .type = sent.type, .dnssec_ok = sent.has_opt});
    read_answer(&sent);
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
        stand.relay.age_seconds = ages[i];
        relay_reply(TCP_OCTETS_MOST);
        decode(stand.sent, stand.sent_length, &from);
        decode(stand.reply, stand.length, &to);
        check_same_answer(&from, &to);
        decoded_close(&from);
        decoded_close(&to);
    }
}

TEST(a_reply_is_the_clients_question_with_the_upstreams_records)
{
    static const char expected[] = "\4\xd2\x81\x80\0\1\0\2\0\0\0\1"
                                   "\1A\4tEsT\0\0\1\0\1"
                                   "\xc0\x0c\0\5\0\1\0\0\1\x22\0\4\1b\xc0\x0e"
                                   "\xc0\x24\0\1\0\1\0\0\0\0\0\4\xc0\0\2\1"
                                   "\0\0\x29\4\xd0\0\0\0\0\0\0";

    ask(&(struct ask){.name = "A.tEsT."});
    read_answer(&(struct built_response){
        .name = "a.test.", .answer = "a.test. 300 IN CNAME b.test.\nb.test. 9 IN A 192.0.2.1"});
    stand.relay.age_seconds = 10;
    relay_reply(UDP_OCTETS_MOST);
    ck_assert_uint_eq(stand.length, sizeof expected - 1);
    ck_assert_mem_eq(stand.reply, expected, sizeof expected - 1);
}

TEST(stale_records_are_good_for_thirty_seconds)
{
    struct decoded decoded;

    ask(&(struct ask){.name = "a.test."});
    read_answer(&(struct built_response){
        .name = "a.test.", .answer = "a.test. 300 IN CNAME b.test.\nb.test. 9 IN A 192.0.2.1"});
    stand.relay.age_seconds = 10;
    stand.relay.is_stale = true;
    relay_reply(UDP_OCTETS_MOST);
    decode(stand.reply, stand.length, &decoded);
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "a.test. 30 IN CNAME b.test."));
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "b.test. 30 IN A 192.0.2.1"));
    ck_assert_uint_eq(stand.relay.ttl_seconds, 30);
    decoded_close(&decoded);
}

TEST(the_least_ttl_sent_is_reported_for_the_log)
{
    ask(&(struct ask){.name = "a.test."});
    read_answer(&(struct built_response){
        .name = "a.test.",
        .answer = "a.test. 300 IN CNAME b.test.\nb.test. 50 IN A 192.0.2.1",
        .authority = "test. 40 IN NS ns.test."});
    stand.relay.age_seconds = 15;
    relay_reply(UDP_OCTETS_MOST);
    ck_assert_uint_eq(stand.relay.ttl_seconds, 35);
    ck_assert_uint_eq(stand.relay.answer_count, 2);
    ask_and_relay(&(struct built_response){.name = "a.test."});
    ck_assert_uint_eq(stand.relay.ttl_seconds, 0);
    ck_assert_uint_eq(stand.relay.answer_count, 0);
}

/* AD for clients that asked for it, when the upstream set it (RFC 6840 section 5.8). */
static const struct {
    bool sent, asked, dnssec_ok, told;
} authentic[] = {
    {true, true, false, true},   {true, false, true, true},  {true, true, true, true},
    {true, false, false, false}, {false, true, true, false},
};

TEST_OVER(ad_is_set_only_for_clients_that_asked_for_it, authentic)
{
    struct decoded decoded;

    ask(&(struct ask){.name = "a.test.", .dnssec_ok = authentic[_i].dnssec_ok});
    stand.query.flags |= authentic[_i].asked ? FLAG_AD : 0;
    read_answer(&(struct built_response){
        .name = "a.test.", .answer = "a.test. 60 IN A 192.0.2.1", .ad = authentic[_i].sent});
    relay_reply(UDP_OCTETS_MOST);
    decode(stand.reply, stand.length, &decoded);
    ck_assert(decoded.ad == authentic[_i].told);
    decoded_close(&decoded);
}

TEST(rd_and_cd_come_back_as_they_went)
{
    struct decoded decoded;

    ask(&(struct ask){.name = "a.test.", .no_rd = true, .cd = true});
    read_answer(&(struct built_response){.name = "a.test.", .answer = "a.test. 60 IN A 192.0.2.1"});
    relay_reply(UDP_OCTETS_MOST);
    decode(stand.reply, stand.length, &decoded);
    ck_assert(!decoded.rd && decoded.cd && decoded.ra && !decoded.aa);
    decoded_close(&decoded);
}

static const struct built_response explained = {.name = "a.test.",
                                                .answer = "a.test. 60 IN A 192.0.2.1",
                                                .has_opt = true,
                                                .options = "000f00020003000f00050016776879"};

TEST(the_upstreams_ede_options_follow_ours)
{
    static const char options[] = "\0\x15\0\x0f\0\5\0\x13Q23\0\x0f\0\2\0\3\0\x0f\0\5\0\x16why";

    ask(&(struct ask){.name = "a.test."});
    read_answer(&explained);
    stand.options.has_ede = true;
    stand.options.ede_code = 19;
    stand.options.ede_text = "Q23";
    stand.options.ede_length = 3;
    relay_reply(UDP_OCTETS_MOST);
    ck_assert_mem_eq(stand.reply + stand.length - 24 - 2, "\0\x18", 2);
    ck_assert_mem_eq(stand.reply + stand.length - 24, options + 2, 24);
}

TEST(a_client_without_opt_gets_none)
{
    struct decoded decoded;

    ask(&(struct ask){.name = "a.test.", .no_edns = true});
    read_answer(&explained);
    relay_reply(UDP_OCTETS_PLAIN);
    ck_assert_uint_eq(stand.length, 12 + 8 + 4 + 16);
    decode(stand.reply, stand.length, &decoded);
    ck_assert(!decoded.has_opt);
    decoded_close(&decoded);
}

TEST(a_code_above_15_is_servfail_to_a_client_without_opt)
{
    struct decoded decoded;

    ask(&(struct ask){.name = "a.test.", .no_edns = true});
    read_answer(&(struct built_response){.name = "a.test.", .rcode = 23, .has_opt = true});
    relay_reply(UDP_OCTETS_PLAIN);
    decode(stand.reply, stand.length, &decoded);
    ck_assert_uint_eq(decoded.rcode, RCODE_SERVFAIL);
    decoded_close(&decoded);
}

TEST(an_error_without_question_becomes_one_with_the_clients)
{
    static const uint8_t header[12] = {BUILT_RESPONSE_ID >> 8, BUILT_RESPONSE_ID & 255, 0x81, 0x85};
    struct question question;
    struct decoded decoded;

    ask(&(struct ask){.name = "A.test."});
    question = question_of(&stand.query, 0);
    struct expected expected = {
        .question = &question, .id = BUILT_RESPONSE_ID, .name = stand.query.name.octets};
    ck_assert_int_eq(response_read(header, 12, &expected, response), RESPONSE_READ);
    relay_reply(UDP_OCTETS_PLAIN);
    decode(stand.reply, stand.length, &decoded);
    ck_assert_uint_eq(decoded.rcode, RCODE_REFUSED);
    ck_assert_mem_eq(stand.reply + 12, "\1A\4test\0\0\1\0\1", 12);
    decoded_close(&decoded);
}

/* 60 addresses: 12 + 12 + 60 * 16 octets, and 11 of OPT. */
static const char *many_addresses(void)
{
    static char text[4096];
    char *at = text;

    for (int i = 0; i < 60; i++)
        at += sprintf(at, "a.test. 60 IN A 192.0.2.%d\n", i);
    return text;
}

static const struct {
    size_t most;
    bool no_edns;
    unsigned answers; /* of 60 */
} sizes[] = {
    {512, false, 29}, {995, false, 60}, {994, false, 59}, {1232, false, 60},
    {512, true, 30},  {984, true, 60},  {983, true, 59},  {65535, false, 60},
};

TEST_OVER(what_does_not_fit_is_cut_record_by_record, sizes)
{
    struct decoded decoded;

    ask(&(struct ask){.name = "a.test.", .no_edns = sizes[_i].no_edns});
    read_answer(&(struct built_response){.name = "a.test.", .answer = many_addresses()});
    relay_reply(sizes[_i].most);
    decode(stand.reply, stand.length, &decoded);
    ck_assert(decoded.tc == (sizes[_i].answers < 60));
    ck_assert(decoded.has_opt == !sizes[_i].no_edns);
    ck_assert_uint_eq(decoded.question_count, 1);
    ck_assert_uint_eq(decoded.answer_count, sizes[_i].answers);
    ck_assert_uint_eq(stand.relay.answer_count, decoded.answer_count);
    ck_assert_uint_eq(stand.relay.ttl_seconds, 60);
    decoded_close(&decoded);
}

/* Records that do not fit do not count in the TTL that is logged. */
TEST(ttls_count_for_what_is_handed_out)
{
    char text[8192];
    struct decoded decoded;

    snprintf(text, sizeof text, "%sa.test. 5 IN A 192.0.3.1", many_addresses());
    ask(&(struct ask){.name = "a.test.", .no_edns = true});
    read_answer(&(struct built_response){.name = "a.test.", .answer = text});
    stand.relay.age_seconds = 1;
    relay_reply(512);
    decode(stand.reply, stand.length, &decoded);
    ck_assert(decoded.tc);
    ck_assert_uint_eq(decoded.answer_count, 30);
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "a.test. 59 IN A 192.0.2.29"));
    ck_assert_uint_eq(stand.relay.ttl_seconds, 59);
    decoded_close(&decoded);
}

TEST(ede_options_never_displace_a_record)
{
    struct decoded decoded;

    ask(&(struct ask){.name = "a.test."});
    read_answer(&(struct built_response){.name = "a.test.",
                                         .answer = many_addresses(),
                                         .has_opt = true,
                                         .options = explained.options});
    relay_reply(995 + 8);
    decode(stand.reply, stand.length, &decoded);
    ck_assert(!decoded.tc);
    ck_assert_uint_eq(decoded.answer_count, 60);
    ck_assert_int_eq(decoded.ede_code, 3);
    decoded_close(&decoded);
}
