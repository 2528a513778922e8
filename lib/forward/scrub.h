#pragma once
/**
 * Which records of an upstream's response are passed on: those on the chain from the question, and
 * the proofs that there are none.
 *
 *     question ─CNAME─► owner ─CNAME─► owner ─► records of the type asked
 *
 * Answer section: at each name of the chain its CNAME with its signatures, in the order of the
 * chain; then the records of the type asked at the last name (all at the question's name for ANY),
 * with their signatures, in the upstream's order. A DNAME is passed on, before the CNAME made from
 * it, only to clients that validate (DO and CD): for others it would decide about every name below
 * its owner.
 *
 * Authority section: for a response without records of the type asked, the SOA of a zone that the
 * last name lies in. With DO its signatures, and the NSEC and NSEC3 records that lie in that zone
 * or in one that signed a record of the answer, with their signatures.
 *
 * All else is left out: other owners, other classes, name servers and the additional section. A
 * client that caches our reply could otherwise accept data for names that it did not ask about
 * (RFC 2181 section 5.4.1, RFC 5452 section 6).
 *
 * Sources: RFC 1034 section 4.3.2; RFC 2308; RFC 4035 section 3.1; RFC 6672 section 3.
 * Threads: pure.  Memory: borrows the message; never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/question.h"
#include "forward/rr_writer.h"

enum {
    SCRUB_LINKS_MOST = 16,  /* aliases of a chain that are followed */
    SCRUB_ZONES_MOST = 8,   /* that signed records of the answer */
    SCRUB_PROOFS_MOST = 64, /* candidates for proofs that are examined */
};

/** A record of the response. */
struct scrub_note {
    uint32_t owner; /* its scrub_hash */
    uint16_t start; /* offset in the message */
    uint16_t type;  /* SCRUB_TAKEN once it is written or ruled out */
};

/* No record has this type: type 0 is reserved (RFC 6895 section 3.1). */
enum { SCRUB_TAKEN = 0 };

struct scrub {
    /* Set by the caller. */
    const struct question *question;
    const uint8_t *message;
    size_t length;
    struct scrub_note *notes; /* of the answer and authority sections; changed */
    unsigned note_counts[2];
    uint16_t *ttls; /* room for an offset in the body for each note */
    uint8_t *body;  /* room for 65535 octets */

    /* Set by scrub_records. */
    struct rr_writer writer; /* its octets are the body */
    uint16_t counts[2];      /* of records in it */
    unsigned dropped;        /* records of the answer section that are not of the chain */
    bool has_alias;          /* the answer begins with an alias */
    bool has_answer;         /* records of the type asked */
    uint16_t soa;            /* number of the SOA among the records, or SCRUB_NO_SOA */
    uint32_t soa_minimum;
    bool has_failed; /* a record of the chain is malformed, or they do not fit */

    /* Its own. */
    struct name name;                 /* the current name of the chain */
    uint32_t owner;                   /* its scrub_hash */
    uint16_t zones[SCRUB_ZONES_MOST]; /* offsets of their names in the message */
    unsigned zone_count;
};

enum { SCRUB_NO_SOA = UINT16_MAX };

/** Hashes an owner. */
uint32_t scrub_hash(const struct question *question, const struct name *owner);

/** Returns false when a record to pass on is malformed, or when they do not fit. */
bool scrub_records(struct scrub *scrub);
