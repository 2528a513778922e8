#pragma once
/**
 * An upstream's response, validated and ready to be cached and sent to clients.
 *
 * A response is one block of octets that can be copied as it is: a head of fixed size, followed by
 *
 *     ttl_count x 2    the offset of each record's TTL in `body`, 16 bits each
 *     ede_octets       the upstream's EDE options, ready for an OPT record
 *     body_octets      the records, written anew (rr_writer.h)
 *
 * It holds only the records of the chain from the question (scrub.h). The answer section is in this
 * order:
 *
 *     alias      CNAME of the question's name, its signatures   ┐ RESPONSE_HAS_ALIAS; before each,
 *     alias      CNAME of the name before, its signatures       ┘ the DNAME it comes from, if any
 *     records    of the type asked and their signatures, all at the last name; or none
 *
 * so that it can be cut after any alias: the octets and records up to there are an answer by
 * themselves, with the first TTL offsets. The additional section is empty, and OPT is removed.
 *
 * The records' compression pointers lead to the question's name or into the body. They stay valid:
 * every reply has its question at offset 12, and the same name in it has the same length.
 *
 * It may be cached for the least TTL of its records; for NXDOMAIN and NODATA the SOA's minimum
 * counts, too, and without SOA it is not cached (RFC 2308 section 5); at most a day, negative ones
 * an hour. Error codes and referrals are not cached. The TTLs in the body are cut accordingly: to a
 * day, that of a negative response's SOA to the time it may be cached. A TTL with the highest bit
 * set is zero (RFC 2181 section 8). OPT does not count.
 *
 * Octets after the last record are ignored, as most resolvers do.
 *
 * Sources: RFC 1035 section 4.1; RFC 2181 sections 5.4.1, 8; RFC 2308; RFC 5452 section 4 (what
 * must match); RFC 6891; RFC 8914.
 * Threads: pure.  Memory: never allocates.
 */
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "forward/question.h"
#include "wire/name.h"

enum {
    RESPONSE_TTL_MOST_SECONDS = 86400,
    RESPONSE_NEGATIVE_TTL_MOST_SECONDS = 3600,
    RESPONSE_EDE_OCTETS_MOST = 512, /* longer options of an upstream are left out */
    RESPONSE_RECORDS_MOST = 6000,   /* a message has room for 5957 of 11 octets */
    /* Room for response_read with any message, its eight octets a record of work space included. */
    RESPONSE_OCTETS_MOST = 65536 + (2 + 8) * RESPONSE_RECORDS_MOST + RESPONSE_EDE_OCTETS_MOST + 64,
};

enum response_bits {
    RESPONSE_NEGATIVE = 1,        /* NXDOMAIN, or NOERROR without the type asked and with a SOA */
    RESPONSE_PRIVATE_ADDRESS = 2, /* response_may_hold_private */
    RESPONSE_AUTHENTIC = 4,       /* AD */
    RESPONSE_HAS_ALIAS = 8,       /* the answer section begins with an alias that leads on */
    RESPONSE_HAS_OPT = 16,        /* the server knows EDNS */
};

struct response {
    uint32_t octets;      /* of the whole, head included */
    uint32_t ttl_seconds; /* how long it may be cached; 0: not at all */
    uint16_t rcode;       /* 0..4095 */
    uint16_t counts[3];   /* records of answer, authority, additional; without OPT */
    uint16_t body_octets;
    uint16_t ttl_count;
    uint16_t ede_octets;
    uint8_t bits;    /* enum response_bits */
    uint8_t dropped; /* records left out that do not belong to the answer, at most 255 */
    alignas(2) uint8_t data[];
};

enum response_status {
    RESPONSE_READ,
    RESPONSE_MISMATCHED, /* not a response to this question: id, question, QR */
    RESPONSE_OTHER_CASE, /* matches, but for the case of the name */
    RESPONSE_TRUNCATED,  /* matches, with TC: ask over TCP */
    RESPONSE_MALFORMED,  /* matches, but the message or a record that is needed is malformed */
};

/** What a response must match. */
struct expected {
    const struct question *question;
    uint16_t id;
    const uint8_t *name; /* as it was sent */
    bool is_exact;       /* the name must come back in the same case (0x20) */
};

/**
 * Reads a response into `room`, RESPONSE_OCTETS_MOST octets aligned as struct response.
 *
 * Only with RESPONSE_READ does `room` hold a whole response. Without a question, FORMERR, SERVFAIL,
 * NOTIMP, REFUSED and BADVERS count as READ when the id is right.
 */
enum response_status response_read(const uint8_t *octets, size_t length,
                                   const struct expected *expected, struct response *room);

static inline const uint8_t *response_ede(const struct response *response)
{
    return response->data + 2 * (size_t)response->ttl_count;
}

static inline const uint8_t *response_body(const struct response *response)
{
    return response_ede(response) + response->ede_octets;
}

/** An alias of the chain that begins the answer section. All zero: before the first. */
struct response_alias {
    struct name owner;
    struct name target;
    uint16_t cname;   /* offset in the body of the CNAME record */
    uint16_t end;     /* offset in the body after the alias and its signatures */
    uint16_t answers; /* records of the answer section up to there */
};

/**
 * Moves on to the next alias, whose owner is the question's name or the target before. Returns
 * false after the last, leaving `alias` as it was.
 */
bool response_next_alias(const struct response *response, const struct question *question,
                         struct response_alias *alias);

/** Called for each IPv4 address; returning true ends the walk. */
typedef bool response_on_address(void *context, uint32_t address);

/**
 * Walks over the IPv4 addresses that a client could take from any section, from A, AAAA and A6
 * records and the address hints of SVCB and HTTPS records (RFC 9460 section 7.3). An IPv6 address
 * counts as the IPv4 address in it when it is mapped or compatible (RFC 4291 section 2.5.5), of
 * 6to4 (RFC 3056), or of NAT64: behind 64:ff9b::/96 (RFC 6052), in 64:ff9b:1::/48 at any offset
 * (RFC 8215), or behind `nat64`. Returns true when `visit` ended the walk.
 */
bool response_find_address(const struct response *response, const struct nat64_prefix *nat64,
                           response_on_address *visit, void *context);

/** True when there may be an address of RFC 1918, under any NAT64 prefix. */
bool response_may_hold_private(const struct response *response);

/**
 * Writes the query for an upstream: RD, CD as asked, AD (we understand it), and unless `is_plain`
 * EDNS with 1232 octets and DO as asked. Nothing else of the client's OPT is passed on.
 *
 * name  the question's name in the case to send
 * out   room for UPSTREAM_QUERY_OCTETS_MOST octets
 *
 * Returns its length.
 */
enum { UPSTREAM_QUERY_OCTETS_MOST = 12 + 255 + 4 + 11 };
size_t response_write_query(const struct question *question, uint16_t id, const uint8_t *name,
                            bool is_plain, uint8_t *out);
