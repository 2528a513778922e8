#include "wire/query.h"

#include "wire/edns.h"
#include "wire/types.h"

enum { RECORD_HEAD_OCTETS = 10 }; /* type, class, TTL, length of data */

static void clear(struct query *query, uint16_t id, uint16_t flags)
{
    query->id = id;
    query->flags = flags;
    query->question_end = HEADER_OCTETS;
    query->udp_octets = UDP_OCTETS_PLAIN;
    query->has_opt = false;
    query->dnssec_ok = false;
    query->has_options = false;
    query->wants_nsid = false;
    query->wants_keepalive = false;
    query->cookie_octets = 0;
}

/* Returns false when no cookie has this length (RFC 7873 section 5.2.2). */
static bool read_cookie(const uint8_t *data, size_t length, struct query *query)
{
    bool has_length =
        length == COOKIE_CLIENT_OCTETS ||
        (length >= COOKIE_CLIENT_OCTETS + COOKIE_SERVER_LEAST && length <= COOKIE_OCTETS_MOST);

    if (!has_length)
        return false;
    memcpy(query->cookie, data, length);
    query->cookie_octets = (uint8_t)length;
    return true;
}

/* Reads one option of those that we support; others are ignored. */
static bool read_option(uint16_t code, const uint8_t *data, size_t length, struct query *query)
{
    query->wants_nsid |= code == OPTION_NSID;
    query->wants_keepalive |= code == OPTION_KEEPALIVE;
    if (code == OPTION_COOKIE && query->cookie_octets == 0 && !read_cookie(data, length, query))
        return false;
    query->has_options = query->wants_nsid || query->wants_keepalive || query->cookie_octets > 0;
    return true;
}

/* Out of line, because most requests have none. */
__attribute__((noinline)) static void read_options(struct reader *in, uint16_t length,
                                                   struct query *query)
{
    const uint8_t *data = read_span(in, length);

    if (data == NULL)
        return;
    struct reader options = reader_over(data, length);
    /* Bounded by the record: each turn passes four octets or more. */
    while (reader_left(&options) > 0) {
        uint16_t code = read16(&options);
        uint16_t size = read16(&options);
        const uint8_t *value = read_span(&options, size);
        if (options.failed || !read_option(code, value, size, query)) {
            in->failed = true;
            return;
        }
    }
}

static uint16_t clamp_udp_octets(uint16_t octets)
{
    if (octets < UDP_OCTETS_PLAIN) /* RFC 6891 section 6.2.5 */
        return UDP_OCTETS_PLAIN;
    return octets > UDP_OCTETS_MOST ? UDP_OCTETS_MOST : octets;
}

/*
 * Reads an OPT record from its head: type, UDP size, extended rcode (of no meaning in a query),
 * version, flags, length of the options. Returns the EDNS version.
 */
static uint8_t read_opt(struct reader *in, const uint8_t *head, struct query *query)
{
    uint16_t length = load16(head + 8);

    query->has_opt = true;
    query->udp_octets = clamp_udp_octets(load16(head + 2));
    query->dnssec_ok = (load16(head + 6) & OPT_FLAG_DO) != 0;
    if (length > 0)
        read_options(in, length, query);
    return head[5];
}

/*
 * Skips `count` records and reads an OPT among them. Returns the EDNS version, 0 without OPT.
 * Bounded by the message: a record takes 11 octets or more, and a failed cursor ends the loop.
 */
static uint8_t read_records(struct reader *in, unsigned count, bool may_hold_opt,
                            struct query *query)
{
    uint8_t version = 0;

    for (unsigned i = 0; i < count; i++) {
        const uint8_t *owner = in->next;
        name_skip(in);
        const uint8_t *head = read_span(in, RECORD_HEAD_OCTETS);
        if (head == NULL)
            return 0;
        if (load16(head) != TYPE_OPT) {
            read_span(in, load16(head + 8));
            continue;
        }
        if (!may_hold_opt || query->has_opt || *owner != 0) {
            in->failed = true; /* RFC 6891 section 6.1.1 */
            return 0;
        }
        version = read_opt(in, head, query);
    }
    return version;
}

/* The records of most queries: none, or an OPT without options and nothing else. */
static bool read_usual_records(struct reader *in, const uint8_t *counts, struct query *query)
{
    static const uint8_t none[6] = {0}, one_opt[6] = {0, 0, 0, 0, 0, 1};
    size_t left = (size_t)(in->end - in->next);
    const uint8_t *opt = in->next;

    if (left == 0)
        return memcmp(counts, none, sizeof none) == 0;
    /* Owner the root, type OPT, version 0, no options. */
    if (left != 1 + RECORD_HEAD_OCTETS || memcmp(counts, one_opt, sizeof one_opt) != 0 ||
        opt[0] != 0 || load16(opt + 1) != TYPE_OPT || opt[6] != 0 || load16(opt + 9) != 0)
        return false;
    read_opt(in, opt + 1, query);
    return true;
}

/* Without a question a client asks for a cookie alone (RFC 7873 section 5.4). */
static enum query_status read_status(const struct query *query, uint8_t version)
{
    if (query->question_end > HEADER_OCTETS)
        return version == 0 ? QUERY_READ : QUERY_VERSION;
    return version == 0 && query->cookie_octets > 0 ? QUERY_COOKIE : QUERY_MALFORMED;
}

/* Reads every record of a request; a malformed one makes the question unreadable. */
static enum query_status read_all_records(struct reader *in, const uint8_t *counts,
                                          struct query *query)
{
    unsigned before_opt = (unsigned)load16(counts) + load16(counts + 2);
    enum query_status status = QUERY_MALFORMED;

    if (before_opt > 0)
        read_records(in, before_opt, false, query);
    uint8_t version = read_records(in, load16(counts + 4), true, query);
    if (!in->failed && in->next == in->end)
        status = read_status(query, version);
    if (status == QUERY_MALFORMED)
        clear(query, query->id, query->flags);
    return status;
}

static bool read_question(struct reader *in, struct query *query)
{
    if (!name_read(in, &query->name))
        return false;
    const uint8_t *type_and_class = read_span(in, 4);
    if (type_and_class == NULL)
        return false;
    query->type = load16(type_and_class);
    query->class = load16(type_and_class + 2);
    query->question_end = (uint16_t)(in->next - in->start);
    return true;
}

/* The question and the records behind the header. */
static enum query_status read_message(const uint8_t *request, size_t length, struct query *query)
{
    uint16_t questions = load16(request + 4);
    struct reader in = reader_over(request, length);

    in.next += HEADER_OCTETS;
    if (questions > 1) /* RFC 9619 */
        return QUERY_MALFORMED;
    if (questions == 1 && !read_question(&in, query))
        return QUERY_MALFORMED;
    if (questions == 1 && read_usual_records(&in, request + 6, query))
        return QUERY_READ;
    return read_all_records(&in, request + 6, query);
}

enum query_status query_read(const uint8_t *request, size_t length, struct query *query)
{
    if (length < HEADER_OCTETS)
        return QUERY_DROPPED;
    uint16_t flags = load16(request + 2);
    if ((flags & FLAG_QR) != 0)
        return QUERY_DROPPED; /* replying to a response could start a loop of two servers */
    clear(query, load16(request), flags);
    enum query_status status = read_message(request, length, query);
    /* Another opcode gives the sections another meaning, but OPT has its form in all of them. */
    return (flags & FLAG_OPCODE) == 0 ? status : QUERY_OPCODE;
}
