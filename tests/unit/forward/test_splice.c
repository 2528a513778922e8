#include "forward/splice.h"

#include <stdlib.h>
#include <string.h>

#include "forward/relay.h"
#include "support/built_response.h"
#include "support/decoded.h"
#include "support/request.h"
#include "support/suite.h"
#include "wire/types.h"

/* A client asked for an alias; its target is what the upstream was asked for. */
#define ALIAS "alias.corp.example."

static struct {
    uint8_t request[REQUEST_OCTETS_MOST];
    struct query query;
    struct reply_options options;
    struct reply reply;
    uint8_t octets[TCP_OCTETS_MOST + 1];
    struct name name; /* the upstream's question */
    struct question question;
    struct splice splice;
} stand;

static alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
static struct response *const response = (struct response *)(void *)room;

/* Reads the upstream's message, and begins a reply with an alias that leads to its question. */
static void begin(const struct built_response *sent, size_t most)
{
    static uint8_t octets[BUILT_RESPONSE_OCTETS_MOST];
    uint16_t type = sent->type == 0 ? TYPE_A : sent->type;
    size_t length = request_write(&(struct ask){.name = ALIAS, .type = type}, stand.request);

    ck_assert_int_eq(query_read(stand.request, length, &stand.query), QUERY_READ);
    ck_assert(name_from_text(sent->name, &stand.name));
    stand.question = (struct question){
        .name = &stand.name, .type = type, .class = CLASS_IN, .bits = QUESTION_DO | QUESTION_CD};
    struct expected expected = {
        .question = &stand.question, .id = BUILT_RESPONSE_ID, .name = stand.name.octets};
    ck_assert_int_eq(response_read(octets, built_response_write(sent, octets), &expected, response),
                     RESPONSE_READ);
    memset(stand.octets, 0xee, sizeof stand.octets);
    reply_start(&stand.reply, stand.request, &stand.query, &stand.options, stand.octets, most);
    uint8_t *data = reply_record(&stand.reply, HEADER_OCTETS, TYPE_CNAME, 60, stand.name.length);
    memcpy(data, stand.name.octets, stand.name.length);
    stand.splice = (struct splice){.response = response,
                                   .question = &stand.name,
                                   .reply = &stand.reply,
                                   .asked = (uint16_t)(data - stand.octets)};
}

static void end(struct decoded *decoded)
{
    size_t length = reply_finish(&stand.reply, 0, 0);

    ck_assert_uint_eq(stand.octets[length], 0xee);
    decode(stand.octets, length, decoded);
    ck_assert(decoded_has(decoded, LDNS_SECTION_ANSWER, ALIAS " 60 IN CNAME *"));
}

static const char big_set[] =
    "edge.example.net. 60 IN A 192.0.2.1\nedge.example.net. 60 IN A 192.0.2.2\n"
    "edge.example.net. 60 IN A 192.0.2.3\n";

/* Names at every offset where a message has them compressed. */
static const struct {
    struct built_response sent;
    const char *answer[4], *authority;
} stories[] = {
    {{.name = "www.example.org.", .answer = "www.example.org. 300 IN A 192.0.2.80\n"},
     {"www.example.org. 300 IN A 192.0.2.80"},
     NULL},
    {{.name = "www.example.org.",
      .answer = "www.example.org. 300 IN CNAME Edge.example.org.\n"
                "Edge.example.org. 200 IN CNAME far.www.example.org.\n"
                "far.www.example.org. 100 IN A 192.0.2.80\n"},
     {"www.example.org. 300 IN CNAME Edge.example.org.",
      "Edge.example.org. 200 IN CNAME far.www.example.org.",
      "far.www.example.org. 100 IN A 192.0.2.80"},
     NULL},
    {{.name = "example.org.",
      .type = TYPE_MX,
      .answer = "example.org. 300 IN MX 10 mx.example.org.\n"
                "example.org. 300 IN MX 20 example.org.\n"},
     {"example.org. 300 IN MX 10 mx.example.org.", "example.org. 300 IN MX 20 example.org."},
     NULL},
    {{.name = "_ldap._tcp.example.org.",
      .type = TYPE_SRV,
      .answer = "_ldap._tcp.example.org. 300 IN SRV 1 2 389 dc.example.org.\n"},
     {"_ldap._tcp.example.org. 300 IN SRV 1 2 389 dc.example.org."},
     NULL},
    {{.name = "gone.www.example.org.",
      .rcode = RCODE_NXDOMAIN,
      .authority = "example.org. 60 IN SOA ns.example.org. gone.www.example.org. 1 2 3 4 60\n"},
     {NULL},
     "example.org. 60 IN SOA ns.example.org. gone.www.example.org. 1 2 3 4 60"},
    {{.name = "odd.example.org.",
      .type = 4711,
      .answer = "odd.example.org. 300 IN TYPE4711 \\# 5 0102030405\n"},
     {"odd.example.org. 300 IN TYPE4711 \\# 5 0102030405"},
     NULL},
};

TEST_OVER(records_are_the_same_after_another_question, stories)
{
    struct decoded decoded;
    unsigned answers = 1;

    begin(&stories[_i].sent, TCP_OCTETS_MOST);
    splice_all(&stand.splice);
    end(&decoded);
    for (int i = 0; i < 4 && stories[_i].answer[i] != NULL; i++, answers++)
        ck_assert_msg(decoded_has(&decoded, LDNS_SECTION_ANSWER, stories[_i].answer[i]), "no %s",
                      stories[_i].answer[i]);
    ck_assert_uint_eq(decoded.answer_count, answers);
    ck_assert_uint_eq(decoded.authority_count, stories[_i].authority != NULL);
    ck_assert(stories[_i].authority == NULL ||
              decoded_has(&decoded, LDNS_SECTION_AUTHORITY, stories[_i].authority));
    decoded_close(&decoded);
}

TEST(ttls_are_counted_down_and_the_least_is_reported)
{
    struct decoded decoded;

    begin(&stories[1].sent, TCP_OCTETS_MOST);
    stand.splice.age_seconds = 99;
    splice_all(&stand.splice);
    end(&decoded);
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "www.example.org. 201 IN CNAME *"));
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "far.www.example.org. 1 IN A *"));
    ck_assert_uint_eq(stand.splice.ttl_seconds, 1);
    decoded_close(&decoded);
    begin(&stories[1].sent, TCP_OCTETS_MOST);
    stand.splice.is_stale = true;
    splice_all(&stand.splice);
    end(&decoded);
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "far.www.example.org. 30 IN A *"));
    ck_assert_uint_eq(stand.splice.ttl_seconds, RELAY_STALE_TTL_SECONDS);
    decoded_close(&decoded);
}

/* After an alias the rest of the response is left out; the next record is at its target. */
TEST(a_response_can_be_cut_at_an_alias)
{
    struct response_alias alias = {.end = 0};
    struct decoded decoded;

    begin(&stories[1].sent, TCP_OCTETS_MOST);
    ck_assert(response_next_alias(response, &stand.question, &alias));
    uint16_t at = splice_links(&stand.splice, alias.answers);
    uint8_t *data = reply_record(&stand.reply, at, TYPE_A, 30, 4);
    memcpy(data, "\12\0\0\45", 4);
    end(&decoded);
    ck_assert_uint_eq(decoded.answer_count, 3);
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER,
                          "www.example.org. 300 IN CNAME Edge.example.org."));
    ck_assert(decoded_has(&decoded, LDNS_SECTION_ANSWER, "Edge.example.org. 30 IN A 10.0.0.37"));
    decoded_close(&decoded);
}

/* With any room, nothing is written beyond it and no record is cut in the middle. */
TEST(what_does_not_fit_is_left_out_whole)
{
    char answer[4096] = "www.example.org. 300 IN CNAME edge.example.net.\n";
    const struct built_response sent = {.name = "www.example.org.", .answer = answer};
    struct decoded decoded;

    for (int i = 0; i < 12; i++)
        strcat(answer, big_set + (i % 3) * 36);
    for (size_t most = UDP_OCTETS_PLAIN; most < UDP_OCTETS_PLAIN + 40; most++) {
        begin(&sent, most);
        splice_all(&stand.splice);
        end(&decoded);
        ck_assert_uint_le(decoded.length, most);
        decoded_close(&decoded);
    }
}
