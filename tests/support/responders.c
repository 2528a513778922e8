#include "support/responders.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 12, OCTETS_PLAIN = 512, EDNS_OCTETS = 1232, QUERY_MOST = 512, LINE_MOST = 256 };
enum { RCODE_FORMERR = 1, RCODE_SERVFAIL = 2, RCODE_NOTIMP = 4, RCODE_REFUSED = 5 };

/* A query, and the response that the deeds make. */
struct response_draft {
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
    void (*perform)(struct response_draft *draft); /* NULL: does nothing */
};

/* ---- manners ---- */

static void answer_well(struct response_draft *draft)
{
    size_t udp =
        ldns_pkt_edns(draft->packet) ? ldns_pkt_edns_udp_size(draft->packet) : (size_t)OCTETS_PLAIN;

    draft->length = facts_answer(draft->facts, draft->packet,
                                 draft->over_stream ? FACT_MESSAGE_MOST : udp, draft->out);
}

/* Header and question of a response; flags are QR, RD and RA with the code. */
static void start_by_hand(struct response_draft *draft, unsigned rcode, unsigned answers)
{
    memcpy(draft->out, draft->query, draft->question_end);
    memset(draft->out + 4, 0, HEADER - 4);
    draft->out[2] = 0x81;
    draft->out[3] = (uint8_t)(0x80 | rcode);
    draft->out[5] = 1;
    draft->out[6] = (uint8_t)(answers >> 8);
    draft->out[7] = (uint8_t)answers;
    draft->length = draft->question_end;
}

/* An A record for the question's name. */
static void add_address(struct response_draft *draft, uint32_t address)
{
    const uint8_t record[16] = {0xc0, HEADER, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4};

    memcpy(draft->out + draft->length, record, sizeof record);
    for (int i = 0; i < 4; i++)
        draft->out[draft->length + 12 + (size_t)i] = (uint8_t)(address >> (24 - 8 * i));
    draft->length += sizeof record;
}

static void answer_poison(struct response_draft *draft)
{
    start_by_hand(draft, 0, 1);
    add_address(draft, 0xc0000242); /* 192.0.2.66 */
}

static void answer_wrong_id(struct response_draft *draft)
{
    answer_poison(draft);
    draft->out[1] ^= 0x5a;
}

static void answer_wrong_question(struct response_draft *draft)
{
    answer_poison(draft);
    draft->out[HEADER + 1] = draft->out[HEADER + 1] == 'q' ? 'z' : 'q';
}

static void answer_from_elsewhere(struct response_draft *draft)
{
    if (draft->over_stream)
        return;
    answer_poison(draft);
    draft->is_from_elsewhere = true;
}

static void answer_folded(struct response_draft *draft)
{
    answer_well(draft);
    for (size_t i = HEADER; i < draft->question_end - 4; i++)
        draft->out[i] = (uint8_t)tolower(draft->out[i]);
}

static void answer_truncated(struct response_draft *draft)
{
    if (draft->over_stream) {
        answer_well(draft);
        return;
    }
    start_by_hand(draft, 0, 0);
    draft->out[2] |= 2;
}

static void answer_oversized(struct response_draft *draft)
{
    if (!draft->over_stream) {
        answer_truncated(draft);
        return;
    }
    start_by_hand(draft, 0, RESPONDER_OVERSIZED_RECORDS);
    for (uint32_t i = 0; i < RESPONDER_OVERSIZED_RECORDS; i++)
        add_address(draft, 0xc6120000 + i); /* 198.18.0.0 */
}

static void answer_garbage(struct response_draft *draft)
{
    start_by_hand(draft, 0, 3);
    for (unsigned i = 0; i < 100; i++)
        draft->out[draft->length++] = (uint8_t)(0x9d * i ^ 0x57);
}

static void add_octets(struct response_draft *draft, const void *octets, size_t length)
{
    memcpy(draft->out + draft->length, octets, length);
    draft->length += length;
}

static void answer_pushing(struct response_draft *draft)
{
    static const char foreign[] = "\3api\7example\3com\0\0\1\0\1\0\1\x51\x80\0\4\xc0\0\2\x42"
                                  "\xc0\x0c\0\1\0\3\0\1\x51\x80\0\4\xc0\0\2\x42"
                                  "\7example\3com\0\0\2\0\1\0\1\x51\x80\0\5\2ns\1x\0"
                                  "\2ns\1x\0\0\1\0\1\0\0\0\0\0\4\xc0\0\2\x42";

    start_by_hand(draft, 0, 3);
    draft->out[9] = 1;
    draft->out[11] = 1;
    add_address(draft, 0xc0000250); /* 192.0.2.80 */
    add_octets(draft, foreign, sizeof foreign - 1);
}

static void answer_malformed(struct response_draft *draft)
{
    start_by_hand(draft, 0, 1);
    add_address(draft, 0xc0000250);
    draft->out[draft->length - 5] = 6;
    add_octets(draft, "xx", 2);
}

static void answer_mumbling(struct response_draft *draft)
{
    start_by_hand(draft, 0, 1);
    draft->out[11] = 1;
    add_address(draft, 0xc0000250);
    add_octets(draft, "\0\0\x29\4\xd0\0\0\0\0\0\x8\0\xf\0\4\0\4\x93\xff", 19);
}

static void answer_short(struct response_draft *draft)
{
    start_by_hand(draft, 0, 0);
    draft->length = 5;
}

static void answer_servfail(struct response_draft *draft)
{
    start_by_hand(draft, RCODE_SERVFAIL, 0);
}

static void answer_refused(struct response_draft *draft)
{
    start_by_hand(draft, RCODE_REFUSED, 0);
}

static void answer_notimp(struct response_draft *draft)
{
    start_by_hand(draft, RCODE_NOTIMP, 0);
}

/* A server without RFC 2671 (1999): it replies FORMERR to OPT, with a header alone. */
static void answer_without_edns(struct response_draft *draft)
{
    if (!ldns_pkt_edns(draft->packet)) {
        answer_well(draft);
        return;
    }
    start_by_hand(draft, RCODE_FORMERR, 0);
    draft->out[5] = 0;
    draft->length = HEADER;
}

static void answer_authentic(struct response_draft *draft)
{
    answer_well(draft);
    draft->out[3] |= 0x20;
}

/* A resolver that is well, and some domains that are not. */
static void answer_but_quiet(struct response_draft *draft)
{
    static const char quiet[] = "quiet";

    if (memcmp(draft->query + HEADER + 1, quiet, sizeof quiet - 1) != 0)
        answer_well(draft);
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
        fault = "options or octets that reveal the client";
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

static void perform_deeds(const struct responder *responder, struct response_draft *draft,
                          responders_on_reply *on_reply, void *context)
{
    struct responder_reply reply = {.octets = draft->out};

    for (size_t i = 0; i < responder->deed_count; i++) {
        const struct deed *deed = &responder->deeds[i];
        reply.after_ms += deed->wait_ms;
        draft->length = 0;
        draft->is_from_elsewhere = false;
        if (deed->manner->perform != NULL)
            deed->manner->perform(draft);
        reply.length = draft->length;
        reply.is_from_elsewhere = draft->is_from_elsewhere;
        if (reply.length > 0)
            on_reply(context, &reply);
    }
}

void responders_ask(struct responders *responders, struct responder *responder,
                    const struct responder_query *query, responders_on_reply *on_reply,
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
    struct response_draft *draft = calloc(1, sizeof *draft);
    draft->facts = &responders->facts;
    draft->query = query->octets;
    draft->question_end = find_question_end(query->octets, query->length);
    draft->packet = packet;
    draft->over_stream = query->over_stream;
    look_over(responders, packet, query->length, draft->question_end);
    perform_deeds(responder, draft, on_reply, context);
    ldns_pkt_free(packet);
    free(draft);
}

void responders_close(struct responders *responders)
{
    facts_close(&responders->facts);
}
