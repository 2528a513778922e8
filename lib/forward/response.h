#pragma once
/**
 * What an upstream sent, checked and made ready to be kept and handed out.
 *
 * A response is one run of octets that can be copied as it is: a head of fixed size and, behind it,
 *
 *     ttl_count x 2    where each record's TTL stands in `body`, one 16-bit offset each
 *     ede_octets       the upstream's EDE options, ready for an OPT record
 *     body_octets      the records, written anew (rr_writer.h)
 *
 * Only what stands on the chain from the question is there (scrub.h), and of that the answer
 * section has this order:
 *
 *     alias    CNAME of the question's name, its signatures    ┐ RESPONSE_HAS_ALIAS; each in front
 * of alias    CNAME of the name before, its signatures        ┘ it the DNAME it was made from, or
 * none records of the type asked and their signatures, all at the last name; or none
 *
 * so that it can be cut behind any alias: octets and records up to there are an answer by
 * themselves, and the first TTL offsets are theirs. The additional section is empty, and OPT is
 * taken out.
 *
 * The records' compression pointers lead to the question's name or into the body. They stay good:
 * every reply has its question at offset 12 and the same name in it has the same length.
 *
 * How long it may be kept: the least TTL of its records; for NXDOMAIN and NODATA the SOA's minimum
 * too, and not at all without SOA (RFC 2308 section 5); at most a day, negative ones an hour. Error
 * codes and referrals are not kept. The body says so itself: its TTLs are cut to a day, that of a
 * negative response's SOA to what it may be kept. A TTL with the highest bit set is zero (RFC 2181
 * section 8). OPT does not count.
 *
 * Octets behind the last record are left out, as most resolvers do.
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
    /* Room that response_read needs for any message, eight octets a record to work in included. */
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
    uint32_t octets;      /* of all this, head included */
    uint32_t ttl_seconds; /* how long it may be kept; 0: not at all */
    uint16_t rcode;       /* 0..4095 */
    uint16_t counts[3];   /* records of answer, authority, additional; without OPT */
    uint16_t body_octets;
    uint16_t ttl_count;
    uint16_t ede_octets;
    uint8_t bits;    /* enum response_bits */
    uint8_t dropped; /* records left out that nobody asked for, at most 255 */
    alignas(2) uint8_t data[];
};

enum response_status {
    RESPONSE_READ,
    RESPONSE_FOREIGN,    /* not a response to this question: id, question, QR */
    RESPONSE_OTHER_CASE, /* one but for the case of the name's letters */
    RESPONSE_TRUNCATED,  /* to this question, with TC: ask over TCP */
    RESPONSE_MALFORMED,  /* to this question, and its records or those asked for cannot be read */
};

/** What a response must match. */
struct asked {
    const struct question *question;
    uint16_t id;
    const uint8_t *name; /* as it was sent */
    bool is_exact;       /* case included: exactly these octets must come back (0x20) */
};

/**
 * Reads a response into `room`, RESPONSE_OCTETS_MOST octets aligned as struct response.
 *
 * Only with RESPONSE_READ does `room` hold a whole response. Without a question, FORMERR, SERVFAIL,
 * NOTIMP, REFUSED and BADVERS count as READ when the id is right.
 */
enum response_status response_read(const uint8_t *octets, size_t length, const struct asked *asked,
                                   struct response *room);

static inline const uint8_t *response_ede(const struct response *response)
{
    return response->data + 2 * (size_t)response->ttl_count;
}

static inline const uint8_t *response_body(const struct response *response)
{
    return response_ede(response) + response->ede_octets;
}

/** A link of the chain that an answer section begins with. All zero: in front of the first. */
struct response_alias {
    struct name owner;
    struct name target;
    uint16_t cname;   /* offset in the body of the CNAME record */
    uint16_t end;     /* offset in the body of what follows the link, signatures included */
    uint16_t answers; /* records of the answer section up to there */
};

/**
 * Goes on to the next alias, whose owner is the question's name or the target before. Returns false
 * behind the last; `alias` then stays as it was.
 */
bool response_next_alias(const struct response *response, const struct question *question,
                         struct response_alias *alias);

/** Called for each IPv4 address; true ends the walk. */
typedef bool response_on_address(void *context, uint32_t address);

/**
 * Walks over the IPv4 addresses that a client could take from any section, from A, AAAA and A6
 * records and the address hints of SVCB and HTTPS records (RFC 9460 section 7.3). An IPv6 address
 * counts as the IPv4 address in it when it is mapped or compatible (RFC 4291 section 2.5.5), of
 * 6to4 (RFC 3056), or of NAT64: behind 64:ff9b::/96 (RFC 6052), in 64:ff9b:1::/48 at any place
 * (RFC 8215), or behind `nat64`. Returns true when the visitor ended it.
 */
bool response_find_address(const struct response *response, const struct nat64_prefix *nat64,
                           response_on_address *visit, void *context);

/** True when there may be an address of RFC 1918, whatever prefix for NAT64 is set. */
bool response_may_hold_private(const struct response *response);

/**
 * Writes the query for an upstream: RD, CD as asked, AD (we understand it), and unless `is_plain`
 * EDNS with 1232 octets and DO as asked. Nothing that the client put into its own OPT goes along.
 *
 * name  the question's name in the case to send
 * out   room for UPSTREAM_QUERY_OCTETS_MOST octets
 *
 * Returns its length.
 */
enum { UPSTREAM_QUERY_OCTETS_MOST = 12 + 255 + 4 + 11 };
size_t response_write_query(const struct question *question, uint16_t id, const uint8_t *name,
                            bool is_plain, uint8_t *out);
