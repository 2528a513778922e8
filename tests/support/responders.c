#include "support/responders.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 12, OCTETS_PLAIN = 512, EDNS_OCTETS = 1232, QUERY_MOST = 512, LINE_MOST = 256 };
enum { RCODE_FORMERR = 1, RCODE_SERVFAIL = 2, RCODE_NOTIMP = 4, RCODE_REFUSED = 5 };

/* A query on its way through the deeds. */
struct asking {
    const struct facts *facts;
    const uint8_t *query;
    size_t question_end;
    const ldns_pkt *packet;
    bool over_stream;
    bool is_from_elsewhere;
    size_t length; /* of the response; 0: none */
    uint8_t out[FACT_MESSAGE_MOST];
};

struct manner {
    const char *word;
    void (*perform)(struct asking *asking); /* NULL: does nothing */
};

/* ---- manners ---- */

static void answer_well(struct asking *asking)
{
    size_t udp = ldns_pkt_edns(asking->packet) ? ldns_pkt_edns_udp_size(asking->packet)
                                               : (size_t)OCTETS_PLAIN;

    asking->length = facts_answer(asking->facts, asking->packet,
                                  asking->over_stream ? FACT_MESSAGE_MOST : udp, asking->out);
}

/* Header and question of a response; flags are QR, RD and RA with the code. */
static void start_by_hand(struct asking *asking, unsigned rcode, unsigned answers)
{
    memcpy(asking->out, asking->query, asking->question_end);
    memset(asking->out + 4, 0, HEADER - 4);
    asking->out[2] = 0x81;
    asking->out[3] = (uint8_t)(0x80 | rcode);
    asking->out[5] = 1;
    asking->out[6] = (uint8_t)(answers >> 8);
    asking->out[7] = (uint8_t)answers;
    asking->length = asking->question_end;
}

/* An A record for the question's name. */
static void add_address(struct asking *asking, uint32_t address)
{
    const uint8_t record[16] = {0xc0, HEADER, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4};

    memcpy(asking->out + asking->length, record, sizeof record);
    for (int i = 0; i < 4; i++)
        asking->out[asking->length + 12 + (size_t)i] = (uint8_t)(address >> (24 - 8 * i));
    asking->length += sizeof record;
}

static void answer_poison(struct asking *asking)
{
    start_by_hand(asking, 0, 1);
    add_address(asking, 0xc0000242); /* 192.0.2.66 */
}

static void answer_wrong_id(struct asking *asking)
{
    answer_poison(asking);
    asking->out[1] ^= 0x5a;
}

static void answer_wrong_question(struct asking *asking)
{
    answer_poison(asking);
    asking->out[HEADER + 1] = asking->out[HEADER + 1] == 'q' ? 'z' : 'q';
}

static void answer_from_elsewhere(struct asking *asking)
{
    if (asking->over_stream)
        return;
    answer_poison(asking);
    asking->is_from_elsewhere = true;
}

static void answer_folded(struct asking *asking)
{
    answer_well(asking);
    for (size_t i = HEADER; i < asking->question_end - 4; i++)
        asking->out[i] = (uint8_t)tolower(asking->out[i]);
}

static void answer_truncated(struct asking *asking)
{
    if (asking->over_stream) {
        answer_well(asking);
        return;
    }
    start_by_hand(asking, 0, 0);
    asking->out[2] |= 2;
}

static void answer_oversized(struct asking *asking)
{
    if (!asking->over_stream) {
        answer_truncated(asking);
        return;
    }
    start_by_hand(asking, 0, RESPONDER_OVERSIZED_RECORDS);
    for (uint32_t i = 0; i < RESPONDER_OVERSIZED_RECORDS; i++)
        add_address(asking, 0xc6120000 + i); /* 198.18.0.0 */
}

static void answer_garbage(struct asking *asking)
{
    start_by_hand(asking, 0, 3);
    for (unsigned i = 0; i < 100; i++)
        asking->out[asking->length++] = (uint8_t)(0x9d * i ^ 0x57);
}

static void add_octets(struct asking *asking, const void *octets, size_t length)
{
    memcpy(asking->out + asking->length, octets, length);
    asking->length += length;
}

static void answer_pushing(struct asking *asking)
{
    static const char foreign[] = "\3api\7example\3com\0\0\1\0\1\0\1\x51\x80\0\4\xc0\0\2\x42"
                                  "\xc0\x0c\0\1\0\3\0\1\x51\x80\0\4\xc0\0\2\x42"
                                  "\7example\3com\0\0\2\0\1\0\1\x51\x80\0\5\2ns\1x\0"
                                  "\2ns\1x\0\0\1\0\1\0\0\0\0\0\4\xc0\0\2\x42";

    start_by_hand(asking, 0, 3);
    asking->out[9] = 1;
    asking->out[11] = 1;
    add_address(asking, 0xc0000250); /* 192.0.2.80 */
    add_octets(asking, foreign, sizeof foreign - 1);
}

static void answer_malformed(struct asking *asking)
{
    start_by_hand(asking, 0, 1);
    add_address(asking, 0xc0000250);
    asking->out[asking->length - 5] = 6;
    add_octets(asking, "xx", 2);
}

static void answer_mumbling(struct asking *asking)
{
    start_by_hand(asking, 0, 1);
    asking->out[11] = 1;
    add_address(asking, 0xc0000250);
    add_octets(asking, "\0\0\x29\4\xd0\0\0\0\0\0\x8\0\xf\0\4\0\4\x93\xff", 19);
}

static void answer_short(struct asking *asking)
{
    start_by_hand(asking, 0, 0);
    asking->length = 5;
}

static void answer_servfail(struct asking *asking)
{
    start_by_hand(asking, RCODE_SERVFAIL, 0);
}

static void answer_refused(struct asking *asking)
{
    start_by_hand(asking, RCODE_REFUSED, 0);
}

static void answer_notimp(struct asking *asking)
{
    start_by_hand(asking, RCODE_NOTIMP, 0);
}

/* A server of before 1999: it takes OPT for a fault in the form, and says so in a bare header. */
static void answer_without_edns(struct asking *asking)
{
    if (!ldns_pkt_edns(asking->packet)) {
        answer_well(asking);
        return;
    }
    start_by_hand(asking, RCODE_FORMERR, 0);
    asking->out[5] = 0;
    asking->length = HEADER;
}

static void answer_authentic(struct asking *asking)
{
    answer_well(asking);
    asking->out[3] |= 0x20;
}

/* A resolver that is well, and some domains that are not. */
static void answer_but_quiet(struct asking *asking)
{
    static const char quiet[] = "quiet";

    if (memcmp(asking->query + HEADER + 1, quiet, sizeof quiet - 1) != 0)
        answer_well(asking);
}

static const struct manner manners[] = {
    {"well", answer_well},
    {"silent", NULL},
    {"silent-on-quiet", answer_but_quiet},
    {"wrong-id", answer_wrong_id},
    {"wrong-question", answer_wrong_question},
    {"wrong-source", answer_from_elsewhere},
    {"folds-case", answer_folded},
    {"truncated", answer_truncated},
    {"oversized", answer_oversized},
    {"pushes", answer_pushing},
    {"malforms", answer_malformed},
    {"mumbles", answer_mumbling},
    {"garbage", answer_garbage},
    {"short", answer_short},
    {"servfail", answer_servfail},
    {"refused", answer_refused},
    {"notimp", answer_notimp},
    {"knows-no-edns", answer_without_edns},
    {"authentic", answer_authentic},
};
enum { MANNER_COUNT = sizeof manners / sizeof manners[0] };

/* ---- what each does ---- */

bool responders_add(struct responders *responders, const char *address)
{
    if (responders_find(responders, address) != NULL)
        return true;
    if (responders->count == RESPONDERS_MOST)
        return false;
    struct responder *added = &responders->items[responders->count++];
    *added = (struct responder){.deeds = {{.manner = &manners[0]}}, .deed_count = 1};
    snprintf(added->address, sizeof added->address, "%s", address);
    return true;
}

struct responder *responders_find(struct responders *responders, const char *address)
{
    for (size_t i = 0; i < responders->count; i++)
        if (strcmp(responders->items[i].address, address) == 0)
            return &responders->items[i];
    return NULL;
}

static bool add_deed(struct responder *responder, const char *word, unsigned wait_ms)
{
    for (size_t i = 0; i < MANNER_COUNT; i++) {
        if (strcmp(manners[i].word, word) != 0 || responder->deed_count == RESPONDER_DEEDS_MOST)
            continue;
        responder->deeds[responder->deed_count++] =
            (struct deed){.manner = &manners[i], .wait_ms = wait_ms};
        return true;
    }
    return false;
}

/* Takes one word; `wait_ms` adds up until some deed comes. */
static bool read_word(struct responder *responder, const char *word, unsigned *wait_ms)
{
    unsigned number;
    int taken = 0;

    if (strcmp(word, "closed") == 0)
        return responder->is_closed = true;
    if (strcmp(word, "tcp-closed") == 0)
        return responder->is_tcp_closed = true;
    if (sscanf(word, "%ums%n", &number, &taken) == 1 && word[taken] == '\0' && taken > 0) {
        *wait_ms += number;
        return true;
    }
    bool was_added = add_deed(responder, word, *wait_ms);
    *wait_ms = 0;
    return was_added;
}

bool responders_behave(struct responders *responders, const char *address, const char *words)
{
    struct responder *responder = responders_find(responders, address);
    char copy[LINE_MOST], *rest = copy;
    unsigned wait_ms = 0;

    if (responder == NULL)
        return false;
    snprintf(copy, sizeof copy, "%s", words);
    responder->deed_count = 0;
    responder->is_closed = responder->is_tcp_closed = false;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        if (!read_word(responder, word, &wait_ms))
            return false;
    return true;
}

bool responder_listens(const struct responder *responder, bool over_stream)
{
    return !responder->is_closed && !(over_stream && responder->is_tcp_closed);
}

/* ---- queries ---- */

/* What a forwarder asks: one question, RD (but in some probes) and AD, at most OPT of 1232 octets
 * without options. */
static const char *find_fault(const ldns_pkt *packet)
{
    if (ldns_pkt_qr(packet) || ldns_pkt_get_opcode(packet) != LDNS_PACKET_QUERY)
        return "not a query";
    if (ldns_pkt_qdcount(packet) != 1 || ldns_pkt_ancount(packet) + ldns_pkt_nscount(packet) != 0)
        return "not one question alone";
    ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_question(packet), 0));
    bool is_probe = type == LDNS_RR_TYPE_NS || type == LDNS_RR_TYPE_SOA;
    if ((!ldns_pkt_rd(packet) && !is_probe) || !ldns_pkt_ad(packet) || ldns_pkt_aa(packet) ||
        ldns_pkt_tc(packet))
        return "odd flags";
    if (ldns_pkt_arcount(packet) != 0)
        return "more than OPT behind the question";
    if (ldns_pkt_edns(packet) && ldns_pkt_edns_udp_size(packet) != EDNS_OCTETS)
        return "an EDNS size of its own";
    return NULL;
}

static void look_over(struct responders *responders, const ldns_pkt *packet, size_t length,
                      size_t question_end)
{
    size_t opt = ldns_pkt_edns(packet) ? 11 : 0;
    const char *fault = find_fault(packet);

    if (fault == NULL && length != question_end + opt)
        fault = "options or octets that tell of the client";
    if (fault != NULL)
        snprintf(responders->complaint, sizeof responders->complaint,
                 "an upstream was asked with %s", fault);
    if (responders->on_asked != NULL)
        responders->on_asked(responders->context, packet);
}

static size_t find_question_end(const uint8_t *query, size_t length)
{
    size_t at = HEADER;

    while (at < length && query[at] != 0)
        at += query[at] + 1U;
    return at + 5;
}

static void perform_deeds(const struct responder *responder, struct asking *asking,
                          responders_on_utterance *say, void *context)
{
    struct utterance utterance = {.octets = asking->out};

    for (size_t i = 0; i < responder->deed_count; i++) {
        const struct deed *deed = &responder->deeds[i];
        utterance.after_ms += deed->wait_ms;
        asking->length = 0;
        asking->is_from_elsewhere = false;
        if (deed->manner->perform != NULL)
            deed->manner->perform(asking);
        utterance.length = asking->length;
        utterance.is_from_elsewhere = asking->is_from_elsewhere;
        if (utterance.length > 0)
            say(context, &utterance);
    }
}

void responders_ask(struct responders *responders, struct responder *responder,
                    const struct responder_query *query, responders_on_utterance *say,
                    void *context)
{
    ldns_pkt *packet = NULL;

    responder->asked[query->over_stream]++;
    if (query->length > QUERY_MOST ||
        ldns_wire2pkt(&packet, query->octets, query->length) != LDNS_STATUS_OK) {
        snprintf(responders->complaint, sizeof responders->complaint,
                 "an upstream was asked with %zu octets that ldns cannot read", query->length);
        return;
    }
    struct asking *asking = calloc(1, sizeof *asking);
    asking->facts = &responders->facts;
    asking->query = query->octets;
    asking->question_end = find_question_end(query->octets, query->length);
    asking->packet = packet;
    asking->over_stream = query->over_stream;
    look_over(responders, packet, query->length, asking->question_end);
    perform_deeds(responder, asking, say, context);
    ldns_pkt_free(packet);
    free(asking);
}

void responders_close(struct responders *responders)
{
    facts_close(&responders->facts);
}
