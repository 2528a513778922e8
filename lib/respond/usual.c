#include "respond/usual.h"

#include "base/bytes.h"
#include "wire/edns.h"
#include "wire/types.h"

enum { RECORD_HEAD_OCTETS = 12 }; /* pointer, type, class, TTL, length of data */

/* OPT with our UDP size, and the flags to be set. */
static const uint8_t plain_opt[OPT_OCTETS] = {
    [2] = TYPE_OPT,
    [3] = UDP_OCTETS_MOST >> 8,
    [4] = UDP_OCTETS_MOST & 255,
};

static void write_header(const struct exchange *exchange, uint16_t count)
{
    const struct query *query = &exchange->query;
    uint16_t flags = FLAG_QR | FLAG_AA | (exchange->verdict.may_recurse ? FLAG_RA : 0) |
                     (query->flags & (FLAG_RD | FLAG_CD));

    store16(exchange->reply, query->id);
    store16(exchange->reply + 2, flags);
    store16(exchange->reply + 4, 1);
    store16(exchange->reply + 6, count);
    store16(exchange->reply + 8, 0);
    store16(exchange->reply + 10, query->has_opt);
}

/* The DNS target of a custom domain; NULL: of any other name. */
static const struct host *target_of(const struct verdict *verdict)
{
    return verdict_has_cname(verdict) ? &verdict->segment->hosts[verdict->host->target] : NULL;
}

/* Writes the CNAME of the question's name. Returns where its data ends, which owns what follows. */
static uint8_t *write_cname(const struct segment *segment, const struct host *target,
                            uint8_t *record)
{
    store16(record, 0xc000 | HEADER_OCTETS);
    store16(record + 2, TYPE_CNAME);
    store16(record + 4, CLASS_IN);
    store32(record + 6, segment->router_ttl_seconds);
    store16(record + 10, target->length);
    octets_copy(record + RECORD_HEAD_OCTETS, segment->texts + target->octets, target->length);
    return record + RECORD_HEAD_OCTETS + target->length;
}

static uint8_t *write_records(const struct exchange *exchange, const struct host *target,
                              uint8_t *next)
{
    const struct segment *segment = exchange->verdict.segment;
    uint32_t count = segment->router_up_count, turn = exchange->rotation % count;
    uint16_t owner = 0;

    if (target != NULL) {
        owner = (uint16_t)(0xc000 | (next + RECORD_HEAD_OCTETS - exchange->reply));
        next = write_cname(segment, target, next);
    }
    octets_copy(next, segment->router_records + READY_RECORD_OCTETS * (size_t)turn,
                READY_RECORD_OCTETS * (size_t)count);
    for (uint32_t i = 0; i < count && target != NULL; i++)
        store16(next + READY_RECORD_OCTETS * (size_t)i, owner);
    return next + READY_RECORD_OCTETS * (size_t)count;
}

size_t usual_write(struct exchange *exchange)
{
    const struct query *query = &exchange->query;
    const struct segment *segment = exchange->verdict.segment;
    const struct host *target = target_of(&exchange->verdict);
    size_t alias_octets = target == NULL ? 0 : (size_t)RECORD_HEAD_OCTETS + target->length;
    size_t octets = query->question_end + alias_octets +
                    READY_RECORD_OCTETS * (size_t)segment->router_up_count + OPT_OCTETS;

    if (octets > UDP_OCTETS_PLAIN) /* every client has room for so much */
        return 0;
    exchange->rcode = RCODE_NOERROR;
    exchange->answer_count = (uint16_t)(segment->router_up_count + (target != NULL));
    exchange->ttl_seconds = segment->router_ttl_seconds;
    write_header(exchange, exchange->answer_count);
    octets_copy(exchange->reply + HEADER_OCTETS, exchange->request + HEADER_OCTETS,
                query->question_end - HEADER_OCTETS);
    uint8_t *next = write_records(exchange, target, exchange->reply + query->question_end);
    if (query->has_opt) {
        memcpy(next, plain_opt, OPT_OCTETS);
        next[7] = query->dnssec_ok ? OPT_FLAG_DO >> 8 : 0;
        next += OPT_OCTETS;
    }
    return (size_t)(next - exchange->reply);
}
