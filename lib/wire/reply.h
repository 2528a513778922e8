#pragma once
/**
 * Reply octets: header, question, records, OPT, written in that order.
 *
 * The question is copied from the request as it came, case included (0x20). Every owner name is a
 * compression pointer to an offset already written: 12 is the question's name. Room for the OPT
 * record and its options is reserved at the start. The first record that does not fit ends the
 * records, and reply_finish sets TC. The records before it stay, since stubs that cannot retry over
 * TCP use what they get (RFC 2181 section 9). No room is reserved for options that are passed on:
 * they never displace a record (RFC 8914 section 3).
 *
 *     reply_start  →  reply_record ... → reply_section → reply_record ... →  reply_finish
 *
 * Sources: RFC 1035 section 4.1; RFC 6891 section 6.1; RFC 8914 section 2 (EDE); RFC 5001 (NSID);
 * RFC 7828 section 3.1 (keepalive); RFC 7873 section 4 (cookies).
 * Threads: one reply, one thread.  Memory: borrows request, query, options and buffer.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/edns.h"
#include "wire/query.h"
#include "wire/types.h"

enum reply_section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTION_COUNT };

/** The contents of the reply's OPT record; used only when the query had one. */
struct reply_options {
    bool has_ede;
    uint16_t ede_code;
    const char *ede_text; /* left out when it does not fit; the code stays */
    size_t ede_length;
    const char *nsid; /* NULL: none; sent only on request */
    size_t nsid_length;
    uint16_t keepalive_100ms; /* 0: none; sent only on request; never over UDP */
    const uint8_t *cookie;    /* COOKIE_OCTETS; NULL: none; sent only on request */
    const uint8_t *passed;    /* options of an upstream, in wire form; sent if they fit */
    size_t passed_length;
};

struct reply {
    struct writer out; /* its end leaves room for OPT */
    const struct query *query;
    const struct reply_options *options;
    uint8_t *limit; /* end of the room for the whole reply */
    uint16_t counts[SECTION_COUNT];
    enum reply_section section;
};

/**
 * Begins a reply: copies the question (nothing when the query has no readable one).
 *
 * buffer  at least `most` octets; may be the request, whose octets the reply then replaces
 * most    largest reply in octets, 512 or more
 */
void reply_start(struct reply *reply, const uint8_t *request, const struct query *query,
                 const struct reply_options *options, uint8_t *buffer, size_t most);

/** Enters a later section. */
static inline void reply_enter(struct reply *reply, enum reply_section section)
{
    reply->section = section;
}

/** The offset of the next octet to be written; a later owner may point there. */
static inline uint16_t reply_offset(const struct reply *reply)
{
    return (uint16_t)(reply->out.next - reply->out.start);
}

/**
 * Writes a record of class IN up to its data. Returns where to put the `length` octets of data, or
 * NULL when the record does not fit.
 *
 * owner  offset of the owner name in this reply, below 16384
 */
uint8_t *reply_record(struct reply *reply, uint16_t owner, uint16_t type, uint32_t ttl_seconds,
                      size_t length);

/** As reply_record, of any class; for the CHAOS class. */
uint8_t *reply_record_of_class(struct reply *reply, uint16_t owner, uint16_t type, uint16_t class,
                               uint32_t ttl_seconds, size_t length);

/**
 * Copies `count` records in wire form, `size` octets each, as many as fit. Returns how many.
 */
size_t reply_ready_records(struct reply *reply, const uint8_t *octets, size_t size, size_t count);

/** Ends the records here, as if the next one did not fit. */
static inline void reply_cut(struct reply *reply)
{
    reply->out.failed = true;
}

/** True when a record did not fit. */
static inline bool reply_is_cut(const struct reply *reply)
{
    return reply->out.failed;
}

/**
 * Ends the reply: OPT, header, TC when something did not fit.
 *
 * flags  FLAG_AA, FLAG_RA or none; id and opcode come from the query, and for opcode QUERY, the
 *        only one that gives them a meaning, RD and CD
 * rcode  0..4095; codes above 15 need an OPT and become FORMERR without
 *
 * Returns the reply's length in octets.
 */
size_t reply_finish(struct reply *reply, uint16_t flags, uint16_t rcode);

/**
 * Closes a record whose data was written piece by piece after a reply_record of length 0: sets the
 * length of its data, or removes the record when it did not fit. `data` is what reply_record
 * returned, NULL included.
 */
void reply_close_record(struct reply *reply, uint8_t *data);

/* ---- for replies that are copied in one go (respond/usual.h, outsider.h, forward/relay.h) ---- */

/** Copies the question from the request, whose octets `reply` may be. */
static inline void reply_copy_question(uint8_t *reply, const uint8_t *request,
                                       const struct query *query)
{
    if (reply != request)
        octets_copy(reply + HEADER_OCTETS, request + HEADER_OCTETS,
                    query->question_end - HEADER_OCTETS);
}

/** Writes a header. `flags` are all but QR; a readable question counts as one. */
static inline void reply_write_header(uint8_t *reply, const struct query *query, uint16_t flags,
                                      const uint16_t counts[SECTION_COUNT])
{
    store16(reply, query->id);
    store16(reply + 2, FLAG_QR | flags);
    store16(reply + 4, query->question_end > HEADER_OCTETS);
    store16(reply + 6, counts[SECTION_ANSWER]);
    store16(reply + 8, counts[SECTION_AUTHORITY]);
    store16(reply + 10, counts[SECTION_ADDITIONAL]);
}

/** The flags of a query that its reply repeats; of another opcode, they mean something else. */
static inline uint16_t reply_echoed_flags(const struct query *query)
{
    return query->flags & (FLAG_RD | FLAG_CD);
}

/** Writes an OPT with our UDP size, DO if the client set it, and no options: OPT_OCTETS. */
static inline void reply_write_plain_opt(uint8_t *opt, const struct query *query)
{
    static const uint8_t plain[OPT_OCTETS] = {
        [2] = TYPE_OPT, [3] = UDP_OCTETS_MOST >> 8, [4] = UDP_OCTETS_MOST & 255};

    memcpy(opt, plain, OPT_OCTETS);
    opt[7] = query->dnssec_ok ? OPT_FLAG_DO >> 8 : 0;
}
