#include "respond/outsider.h"

#include "base/bytes.h"
#include "decide/explain.h"
#include "wire/edns.h"
#include "wire/types.h"

/* The EDE code of each reason. */
enum {
#define REASON(symbol, code, level, ede, description, remedy) EDE_OF_##symbol = (ede),
#include "decide/reasons.def"
#undef REASON
};

enum {
    EDE_OCTETS = EDE_CODE_OCTETS + EXPLAIN_OUTSIDE_OCTETS,
    REASON_HEAD_OCTETS = OPT_OCTETS + OPTION_HEAD_OCTETS + EDE_CODE_OCTETS,
    REPLY_OCTETS_MOST =
        HEADER_OCTETS + NAME_MAX_OCTETS + 4 + REASON_HEAD_OCTETS + EXPLAIN_OUTSIDE_OCTETS,
};

_Static_assert(OPTION_HEAD_OCTETS + EDE_OCTETS < 256, "lengths of one octet below");
_Static_assert(REPLY_OCTETS_MOST < (int)UDP_OCTETS_PLAIN, "every client has room for it");

/* OPT with our UDP size and flags to be set; in its options, EDE up to the text. */
static const uint8_t reason_head[REASON_HEAD_OCTETS] = {
    [2] = TYPE_OPT,
    [3] = UDP_OCTETS_MOST >> 8,
    [4] = UDP_OCTETS_MOST & 255,
    [OPT_OCTETS - 1] = OPTION_HEAD_OCTETS + EDE_OCTETS,
    [OPT_OCTETS + 1] = OPTION_EDE,
    [OPT_OCTETS + 3] = EDE_OCTETS,
    [OPT_OCTETS + 5] = EDE_OF_OUTSIDE,
};

/* Writes OPT, with the reason unless the client must not get more than it sent. */
static size_t write_opt(const struct exchange *exchange, uint8_t *opt)
{
    /* NXDOMAIN to outsiders has no EDE, so that it looks like any other server's. */
    bool has_reason = exchange->verdict.situation == SITUATION_OUTSIDER && !exchange->is_terse;

    memcpy(opt, reason_head, OPT_OCTETS);
    opt[7] = exchange->query.dnssec_ok ? OPT_FLAG_DO >> 8 : 0;
    if (!has_reason) {
        store16(opt + OPT_OCTETS - 2, 0);
        return OPT_OCTETS;
    }
    memcpy(opt + OPT_OCTETS, reason_head + OPT_OCTETS, sizeof reason_head - OPT_OCTETS);
    memcpy(opt + sizeof reason_head, explain_outside_text, EXPLAIN_OUTSIDE_OCTETS);
    return sizeof reason_head + EXPLAIN_OUTSIDE_OCTETS;
}

size_t outsider_write(struct exchange *exchange)
{
    const struct query *query = &exchange->query;
    uint8_t *reply = exchange->reply;
    size_t length = query->question_end;
    uint16_t flags = FLAG_QR | (query->flags & (FLAG_RD | FLAG_CD)) | exchange->verdict.rcode;

    store16(reply, query->id);
    store16(reply + 2, flags);
    store16(reply + 4, 1);
    store32(reply + 6, 0);
    store16(reply + 10, query->has_opt);
    octets_copy(reply + HEADER_OCTETS, exchange->request + HEADER_OCTETS, length - HEADER_OCTETS);
    if (query->has_opt)
        length += write_opt(exchange, reply + length);
    exchange->rcode = exchange->verdict.rcode;
    exchange->answer_count = 0;
    exchange->ttl_seconds = 0;
    return length;
}
