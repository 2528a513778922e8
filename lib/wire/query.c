#include "wire/query.h"

#include "wire/types.h"

enum { OPTION_NSID = 3, OPTION_KEEPALIVE = 11, OPT_FLAG_DO = 0x8000 };

static void clear(struct query *query, uint16_t id, uint16_t flags)
{
    query->id = id;
    query->flags = flags;
    query->question_end = HEADER_OCTETS;
    query->udp_octets = UDP_OCTETS_PLAIN;
    query->has_opt = false;
    query->dnssec_ok = false;
    query->wants_nsid = false;
    query->wants_keepalive = false;
}

static void read_options(struct reader *in, uint16_t length, struct query *query)
{
    const uint8_t *data = read_span(in, length);

    if (data == NULL)
        return;
    struct reader options = reader_over(data, length);
    /* Bounded by the record: each turn passes four octets or more. */
    while (reader_left(&options) > 0) {
        uint16_t code = read16(&options);
        uint16_t size = read16(&options);
        read_span(&options, size);
        if (options.failed) {
            in->failed = true;
            return;
        }
        query->wants_nsid |= code == OPTION_NSID;
        query->wants_keepalive |= code == OPTION_KEEPALIVE;
    }
}

static uint16_t clamp_udp_octets(uint16_t octets)
{
    if (octets < UDP_OCTETS_PLAIN) /* RFC 6891 section 6.2.5 */
        return UDP_OCTETS_PLAIN;
    return octets > UDP_OCTETS_MOST ? UDP_OCTETS_MOST : octets;
}

/* Reads an OPT record from just after its type; returns its EDNS version. */
static uint8_t read_opt(struct reader *in, struct query *query)
{
    query->has_opt = true;
    query->udp_octets = clamp_udp_octets(read16(in));
    read8(in); /* extended rcode: of no meaning in a query */
    uint8_t version = read8(in);
    query->dnssec_ok = (read16(in) & OPT_FLAG_DO) != 0;
    read_options(in, read16(in), query);
    return version;
}

/*
 * Passes over `count` records and reads an OPT among them. Returns the EDNS version, 0 without.
 * Bounded by the message: a record takes 11 octets or more, and a failed cursor ends the loop.
 */
static uint8_t read_records(struct reader *in, unsigned count, bool may_hold_opt,
                            struct query *query)
{
    uint8_t version = 0;

    for (unsigned i = 0; i < count && !in->failed; i++) {
        const uint8_t *owner = in->next;
        name_skip(in);
        uint16_t type = read16(in);
        if (type != TYPE_OPT) {
            read_span(in, 6); /* class, TTL */
            read_span(in, read16(in));
            continue;
        }
        if (!may_hold_opt || query->has_opt || in->failed || *owner != 0) {
            in->failed = true; /* RFC 6891 section 6.1.1 */
            return 0;
        }
        version = read_opt(in, query);
    }
    return version;
}

enum query_status query_read(const uint8_t *request, size_t length, struct query *query)
{
    if (length < HEADER_OCTETS)
        return QUERY_DROPPED;
    uint16_t flags = load16(request + 2);
    if ((flags & FLAG_QR) != 0)
        return QUERY_DROPPED; /* replying to a response could start a loop of two servers */
    clear(query, load16(request), flags);
    if ((flags & FLAG_OPCODE) != 0)
        return QUERY_OPCODE;
    if (load16(request + 4) != 1) /* RFC 9619 */
        return QUERY_MALFORMED;

    struct reader in = reader_over(request, length);
    in.next += HEADER_OCTETS;
    if (!name_read(&in, &query->name))
        return QUERY_MALFORMED;
    query->type = read16(&in);
    query->class = read16(&in);
    uint16_t question_end = (uint16_t)(in.next - in.start);
    unsigned before_opt = (unsigned)load16(request + 6) + load16(request + 8);
    if (before_opt > 0)
        read_records(&in, before_opt, false, query);
    uint8_t version = read_records(&in, load16(request + 10), true, query);
    if (in.failed || in.next != in.end) {
        clear(query, query->id, flags);
        return QUERY_MALFORMED;
    }
    query->question_end = question_end;
    return version == 0 ? QUERY_READ : QUERY_VERSION;
}
