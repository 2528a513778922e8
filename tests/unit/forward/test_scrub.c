#include "forward/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/relay.h"
#include "support/built_response.h"
#include "support/decoded.h"
#include "support/request.h"
#include "support/suite.h"
#include "wire/types.h"

/* An upstream's message goes through response_read to a client, where ldns reads it. */
static alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
static struct response *const response = (struct response *)(void *)room;
static uint8_t request[REQUEST_OCTETS_MOST], octets[BUILT_RESPONSE_OCTETS_MOST],
    reply[TCP_OCTETS_MOST];
static struct query query;
static struct question question;

static enum response_status read_sent(const struct built_response *sent, bool wants_proofs,
                                      bool checks)
{
    size_t length = request_write(
        &(struct ask){
            .name = sent->name, .type = sent->type, .dnssec_ok = wants_proofs, .cd = checks},
        request);

    ck_assert_int_eq(query_read(request, length, &query), QUERY_READ);
    question = question_of(&query, 0);
    struct expected expected = {
        .question = &question, .id = BUILT_RESPONSE_ID, .name = query.name.octets};
    return response_read(octets, built_response_write(sent, octets), &expected, response);
}

static void pass_on(struct decoded *decoded)
{
    struct reply_options options = {.has_ede = false};
    struct relay relay = {
        .response = response, .request = request, .query = &query, .options = &options};

    decode(reply, relay_write(&relay, reply, sizeof reply), decoded);
}

/* The records of a section, a line each. */
static char *lines_of(const ldns_rr_list *records)
{
    static char text[8192];
    char *end = text;

    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        char *line = ldns_rr2str(ldns_rr_list_rr(records, i));
        end += sprintf(end, "%s", line);
        free(line);
    }
    *end = '\0';
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\t')
            *at = ' ';
    return text;
}

#define SIGNED(owner, type, zone)                                                                  \
    owner " 60 IN RRSIG " type " 13 2 60 20300101000000 20200101000000 1 " zone " aGk=\n"
#define SOA "test. 60 IN SOA ns.test. root.test. 1 2 3 4 60\n"

static const struct {
    struct built_response sent;
    const char *answer, *authority;
    unsigned dropped;
    bool wants_proofs, checks;
} rows[] = {
    /* Another owner beside the answer, and alone. */
    {{.name = "www.stub.example.",
      .answer = "www.stub.example. 60 IN A 192.0.2.1\nwww.bank.test. 60 IN A 192.0.2.66\n",
      .authority = "bank.test. 60 IN NS ns.evil.example.",
      .additional = "ns.evil.example. 60 IN A 192.0.2.66"},
     "www.stub.example. 60 IN A 192.0.2.1\n",
     "",
     1,
     false,
     false},
    {{.name = "foreign.evil.example.",
      .answer = "api.example.com. 60 IN A 192.0.2.66\n",
      .authority = "example.com. 60 IN NS ns.evil.example.",
      .additional = "ns.evil.example. 60 IN A 192.0.2.66"},
     "",
     "",
     1,
     false,
     false},
    /* Other classes, other types, signatures of others. */
    {{.name = "a.test.",
      .answer = "a.test. 60 CH A 192.0.2.1\na.test. 60 IN A 192.0.2.2\na.test. 60 NONE A "
                "192.0.2.3\na.test. 60 IN TXT \"x\"\n" SIGNED("evil.test.", "A", "test.")
                    SIGNED("a.test.", "TXT", "test.") SIGNED("a.test.", "A", "test.")},
     "a.test. 60 IN A 192.0.2.2\n" SIGNED("a.test.", "A", "test."),
     "",
     5,
     true,
     false},
    /* A chain in any order is passed on in its own order; records at other names are not. */
    {{.name = "a.test.",
      .answer = "c.other. 9 IN A 192.0.2.1\nb.test. 60 IN CNAME c.other.\nx.test. 60 IN A "
                "192.0.2.9\na.test. 60 IN CNAME b.test.\nc.other. 9 IN A 192.0.2.2\n"},
     "a.test. 60 IN CNAME b.test.\nb.test. 60 IN CNAME c.other.\nc.other. 9 IN A "
     "192.0.2.1\nc.other. 9 IN A 192.0.2.2\n",
     "",
     1,
     false,
     false},
    {{.name = "a.test.",
      .answer = "a.test. 60 IN CNAME b.test.\n" SIGNED(
          "a.test.", "CNAME", "test.") "b.test. 60 IN A 192.0.2.1\n" SIGNED("b.test.", "A",
                                                                            "test.")},
     "a.test. 60 IN CNAME b.test.\n" SIGNED(
         "a.test.", "CNAME", "test.") "b.test. 60 IN A 192.0.2.1\n" SIGNED("b.test.", "A", "test."),
     "",
     0,
     true,
     false},
    /* Of two aliases at one name the first; beside records of the type asked, none. */
    {{.name = "a.test.",
      .answer = "a.test. 60 IN CNAME b.test.\na.test. 60 IN CNAME c.test.\nc.test. 60 IN A "
                "192.0.2.1\n"},
     "a.test. 60 IN CNAME b.test.\n",
     "",
     2,
     false,
     false},
    {{.name = "a.test.",
      .answer = "a.test. 60 IN CNAME b.test.\na.test. 60 IN A 192.0.2.1\nb.test. 60 IN A "
                "192.0.2.2\n"},
     "a.test. 60 IN A 192.0.2.1\n",
     "",
     2,
     false,
     false},
    /* ANY is about one name; an alias that is asked for leads nowhere. */
    {{.name = "a.test.",
      .type = TYPE_ANY,
      .answer =
          "a.test. 60 IN CNAME b.test.\na.test. 60 IN TXT \"x\"\nb.test. 60 IN A 192.0.2.1\n"},
     "a.test. 60 IN CNAME b.test.\na.test. 60 IN TXT \"x\"\n",
     "",
     1,
     false,
     false},
    {{.name = "a.test.",
      .type = TYPE_CNAME,
      .answer = "a.test. 60 IN CNAME b.test.\nb.test. 60 IN CNAME c.test.\n"},
     "a.test. 60 IN CNAME b.test.\n",
     "",
     1,
     false,
     false},
    /* DNAME: for clients that validate, with its alias, and only if the alias was made from it. */
    {{.name = "www.old.test.",
      .answer = "old.test. 60 IN DNAME new.test.\nwww.old.test. 60 IN CNAME www.new.test.\n"
                "www.new.test. 60 IN A 192.0.2.1\n"},
     "www.old.test. 60 IN CNAME www.new.test.\nwww.new.test. 60 IN A 192.0.2.1\n",
     "",
     0,
     true,
     false},
    {{.name = "www.old.test.",
      .answer = "old.test. 60 IN DNAME new.test.\n" SIGNED(
          "old.test.", "DNAME",
          "test.") "www.old.test. 60 IN CNAME www.new.test.\nwww.new.test. 60 IN A 192.0.2.1\n"},
     "old.test. 60 IN DNAME new.test.\n" SIGNED(
         "old.test.", "DNAME",
         "test.") "www.old.test. 60 IN CNAME www.new.test.\nwww.new.test. 60 IN A 192.0.2.1\n",
     "",
     0,
     true,
     true},
    {{.name = "www.old.test.",
      .answer = "old.test. 60 IN DNAME new.test.\nwww.old.test. 60 IN CNAME www.test.\n"
                "test. 60 IN DNAME evil.\nwww.old.test. 60 IN DNAME www.test.\n"},
     "www.old.test. 60 IN CNAME www.test.\n",
     "",
     3,
     true,
     true},
    /* Proofs: the SOA of the last name's zone; with DO the other proofs of that zone. */
    {{.name = "a.test.",
      .answer = "a.test. 60 IN CNAME b.other.\n",
      .authority = SOA "other. 60 IN SOA ns.other. root.other. 1 2 3 4 60\nother. 60 IN NS "
                       "ns.other.\n"},
     "a.test. 60 IN CNAME b.other.\n",
     "other. 60 IN SOA ns.other. root.other. 1 2 3 4 60\n",
     0,
     false,
     false},
    {{.name = "no.test.",
      .rcode = RCODE_NXDOMAIN,
      .authority = "a.test. 60 IN NSEC z.test. A\n" SIGNED("a.test.", "NSEC", "test.")
          SOA SIGNED("test.", "SOA", "test.") "b.example.com. 60 IN NSEC z.example.com. A\n" SIGNED(
              "b.example.com.", "NSEC", "example.com.")
              SIGNED("test.", "NS", "test.") "no.test. 60 IN A 192.0.2.1\n"
                                             "no.test. 60 IN DS 1 8 1 00\n"},
     "",
     SOA "a.test. 60 IN NSEC z.test. A \n" SIGNED("a.test.", "NSEC", "test.")
         SIGNED("test.", "SOA", "test."),
     0,
     true,
     false},
    {{.name = "no.test.",
      .rcode = RCODE_NXDOMAIN,
      .authority = SOA "a.test. 60 IN NSEC z.test. A\n" SIGNED("a.test.", "NSEC", "test.")},
     "",
     SOA,
     0,
     false,
     false},
    /* A name made by a wildcard: the proof that no closer one exists. */
    {{.name = "a.test.",
      .answer = "a.test. 60 IN A 192.0.2.1\n" SIGNED("a.test.", "A", "test."),
      .authority = SOA "0.test. 60 IN NSEC b.test. A\n" SIGNED(
          "0.test.", "NSEC", "test.") "a.com. 60 IN NSEC b.com. A\n"},
     "a.test. 60 IN A 192.0.2.1\n" SIGNED("a.test.", "A", "test."),
     "0.test. 60 IN NSEC b.test. A \n" SIGNED("0.test.", "NSEC", "test."),
     0,
     true,
     false},
    /* A zone that did not sign the answer proves nothing. */
    {{.name = "a.test.",
      .answer = "a.test. 60 IN A 192.0.2.1\n" SIGNED("a.test.", "A", "com."),
      .authority = "a.com. 60 IN NSEC b.com. A\n"},
     "a.test. 60 IN A 192.0.2.1\n" SIGNED("a.test.", "A", "com."),
     "",
     0,
     true,
     false},
};

TEST_OVER(records_of_the_chain_are_passed_on_and_no_others, rows)
{
    struct decoded decoded;

    ck_assert_int_eq(read_sent(&rows[_i].sent, rows[_i].wants_proofs, rows[_i].checks),
                     RESPONSE_READ);
    ck_assert_uint_eq(response->dropped, rows[_i].dropped);
    pass_on(&decoded);
    ck_assert_str_eq(lines_of(ldns_pkt_answer(decoded.packet)), rows[_i].answer);
    ck_assert_str_eq(lines_of(ldns_pkt_authority(decoded.packet)), rows[_i].authority);
    ck_assert_uint_eq(decoded.additional_count, 0);
    decoded_close(&decoded);
}

/* "0.test. CNAME 1.test.", ..., and an address at the end. */
static const char *chain_of(unsigned links)
{
    static char text[4096];
    char *end = text;

    for (unsigned i = 0; i < links; i++)
        end += sprintf(end, "%u.test. 60 IN CNAME %u.test.\n", i, i + 1);
    sprintf(end, "%u.test. 60 IN A 192.0.2.1\n", links);
    return text;
}

TEST_LOOP(a_chain_is_followed_for_sixteen_aliases, 0, 20)
{
    unsigned links = (unsigned)_i;

    ck_assert_int_eq(
        read_sent(&(struct built_response){.name = "0.test.", .answer = chain_of(links)}, false,
                  false),
        RESPONSE_READ);
    ck_assert_uint_eq(response->counts[0],
                      links <= SCRUB_LINKS_MOST ? links + 1 : SCRUB_LINKS_MOST);
    ck_assert_uint_eq(response->ttl_seconds, links <= SCRUB_LINKS_MOST ? 60 : 0);
}

TEST(a_chain_that_comes_back_ends_there)
{
    struct decoded decoded;

    read_sent(
        &(struct built_response){.name = "a.test.",
                                 .answer =
                                     "b.test. 60 IN CNAME a.test.\na.test. 60 IN CNAME b.test."},
        false, false);
    pass_on(&decoded);
    ck_assert_str_eq(lines_of(ldns_pkt_answer(decoded.packet)),
                     "a.test. 60 IN CNAME b.test.\nb.test. 60 IN CNAME a.test.\n");
    ck_assert_uint_eq(response->ttl_seconds, 0);
    decoded_close(&decoded);
}

/* The target's last label is the owner's TTL: as it counts down, it would be another name. */
TEST(no_name_depends_on_octets_that_change)
{
    static const uint8_t sent[] = "\x2b\x67\x81\x80\0\1\0\2\0\0\0\0\1a\0\0\1\0\1"
                                  "\xc0\x0c\0\5\0\1\0\1x\0\0\2\xc0\x1a"
                                  "\1x\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
    struct decoded decoded;
    size_t length = request_write(&(struct ask){.name = "a."}, request);

    ck_assert_int_eq(query_read(request, length, &query), QUERY_READ);
    question = question_of(&query, 0);
    struct expected expected = {
        .question = &question, .id = BUILT_RESPONSE_ID, .name = query.name.octets};
    ck_assert_int_eq(response_read(sent, sizeof sent - 1, &expected, response), RESPONSE_READ);
    pass_on(&decoded);
    ck_assert_str_eq(lines_of(ldns_pkt_answer(decoded.packet)),
                     "a. 86400 IN CNAME x.\nx. 60 IN A 192.0.2.1\n");
    decoded_close(&decoded);
}
