#include "respond/outsider.h"

#include "base/bytes.h"
#include "decide/explain.h"
#include "wire/reply.h"

/* The EDE code of each reason. */
enum {
#define REASON(symbol, code, level, ede, description, remedy) EDE_OF_##symbol = (ede),
#include "decide/reasons.def"
#undef REASON
};

enum {
    EDE_OCTETS = EDE_CODE_OCTETS + EXPLAIN_OUTSIDE_OCTETS,
    REASON_HEAD_OCTETS = OPTION_HEAD_OCTETS + EDE_CODE_OCTETS,
    REPLY_OCTETS_MOST = HEADER_OCTETS + NAME_MAX_OCTETS + 4 + OPT_OCTETS + REASON_HEAD_OCTETS +
                        EXPLAIN_OUTSIDE_OCTETS,
};

_Static_assert(OPTION_HEAD_OCTETS + EDE_OCTETS < 256, "lengths of one octet below");
_Static_assert(REPLY_OCTETS_MOST < (int)UDP_OCTETS_PLAIN, "every client has room for it");

/* EDE up to the text. */
static const uint8_t reason_head[REASON_HEAD_OCTETS] = {
    [1] = OPTION_EDE,
    [3] = EDE_OCTETS,
    [5] = EDE_OF_OUTSIDE,
};

/* Writes OPT, with the reason unless the client must not get more than it sent. */
static size_t write_opt(const struct exchange *exchange, uint8_t *opt)
{
    /* NXDOMAIN to outsiders has no EDE, so that it looks like any other server's. */
    bool has_reason = exchange->verdict.situation == SITUATION_OUTSIDER && !exchange->is_terse;

    reply_write_plain_opt(opt, &exchange->query);
    if (!has_reason)
        return OPT_OCTETS;
    opt[OPT_OCTETS - 1] = OPTION_HEAD_OCTETS + EDE_OCTETS;
    memcpy(opt + OPT_OCTETS, reason_head, REASON_HEAD_OCTETS);
    memcpy(opt + OPT_OCTETS + REASON_HEAD_OCTETS, explain_outside_text, EXPLAIN_OUTSIDE_OCTETS);
    return OPT_OCTETS + REASON_HEAD_OCTETS + EXPLAIN_OUTSIDE_OCTETS;
}

size_t outsider_write(struct exchange *exchange)
{
    const struct query *query = &exchange->query;
    uint8_t *reply = exchange->reply;
    size_t length = query->question_end;
    const uint16_t counts[SECTION_COUNT] = {0, 0, query->has_opt};

    reply_write_header(reply, query, reply_echoed_flags(query) | exchange->verdict.rcode, counts);
    reply_copy_question(reply, exchange->request, query);
    if (query->has_opt)
        length += write_opt(exchange, reply + length);
    exchange->rcode = exchange->verdict.rcode;
    exchange->answer_count = 0;
    exchange->ttl_seconds = 0;
    return length;
}
