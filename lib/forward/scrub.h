#pragma once
/**
 * Which records of an upstream's response go on: those that stand on the chain from the question,
 * and what proves that there are none.
 *
 *     question ─CNAME─► owner ─CNAME─► owner ─► records of the type asked
 *
 * Answer section: at each name of the chain its CNAME with the signatures of it, in the order of
 * the chain; behind them the records of the type asked at the last name (all at the question's name
 * for ANY), with the signatures of them, in the order of the upstream. A DNAME goes in front of the
 * CNAME made from it only to clients that check for themselves (DO and CD): of others it would
 * decide about every name below its owner.
 *
 * Authority section: for a response without records of the type asked, the SOA of a zone that the
 * last name lies in. With DO its signatures, and the NSEC and NSEC3 records that lie in that zone
 * or in one that signed a record of the answer, with their signatures.
 *
 * All else is left out: owners elsewhere, other classes, name servers and the additional section.
 * Whoever caches what we say could take it for the truth about names that nobody asked for
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
    SCRUB_LINKS_MOST = 16,  /* a chain is followed so far */
    SCRUB_ZONES_MOST = 8,   /* that signed something of the answer */
    SCRUB_PROOFS_MOST = 64, /* records that may prove something are looked at */
};

/** A record of the response: where it begins in the message, and whose it is. */
struct scrub_note {
    uint32_t owner; /* scrub_hash of it */
    uint16_t start;
    uint16_t type; /* SCRUB_TAKEN once it is no longer sought */
};

/* No record has this type: it stands for itself in questions alone (RFC 6895 section 3.1). */
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
    bool has_alias;          /* the answer begins with a CNAME that leads on */
    bool has_answer;         /* records of the type asked */
    uint16_t soa;            /* number of the SOA among the records, or SCRUB_NO_SOA */
    uint32_t soa_minimum;
    bool has_failed; /* a record of the chain is malformed, or they do not fit */

    /* Its own. */
    struct name name;                 /* as far as the chain has come */
    uint32_t owner;                   /* scrub_hash of it */
    uint16_t zones[SCRUB_ZONES_MOST]; /* offsets of their names in the message */
    unsigned zone_count;
};

enum { SCRUB_NO_SOA = UINT16_MAX };

/** Hashes an owner. */
uint32_t scrub_hash(const struct question *question, const struct name *owner);

/** Returns false when a record that should go on is malformed, or when they are too long. */
bool scrub_records(struct scrub *scrub);
