#include "respond/usual.h"

#include "base/bytes.h"
#include "wire/reply.h"
#include "wire/types.h"

enum { RECORD_HEAD_OCTETS = 12 }; /* pointer, type, class, TTL, length of data */

static void write_header(const struct exchange *exchange, uint16_t count)
{
    const struct query *query = &exchange->query;
    const uint16_t counts[SECTION_COUNT] = {count, 0, query->has_opt};
    uint16_t flags = FLAG_AA | (exchange->verdict.may_recurse ? FLAG_RA : 0);

    reply_write_header(exchange->reply, query, flags | reply_echoed_flags(query), counts);
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
    reply_copy_question(exchange->reply, exchange->request, query);
    uint8_t *next = write_records(exchange, target, exchange->reply + query->question_end);
    if (query->has_opt) {
        reply_write_plain_opt(next, query);
        next += OPT_OCTETS;
    }
    return (size_t)(next - exchange->reply);
}
