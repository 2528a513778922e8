#pragma once
/**
 * Appends a response's records to a reply whose question is another name, which aliases lead here.
 *
 *     reply     question alias.corp.example ─CNAME─► www.example.org      written already
 *     response                                       www.example.org ─CNAME─► edge.example.net ── A
 *
 * The body of a response relies on its question at offset 12 (response.h), so its names are written
 * anew: an owner that is the response's question, the last owner or the last alias's target becomes
 * a pointer to it; all others are written in full, in data too.
 *
 * A response can be cut at one of its aliases: then only the records up to that one are written.
 *
 * Sources: RFC 1035 section 4.1.4; RFC 3597 section 4.
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/response.h"
#include "wire/reply.h"

struct splice {
    const struct response *response;
    const struct name *question; /* that the response answers */
    uint32_t age_seconds;        /* since the upstream sent it */
    bool is_stale;               /* every TTL becomes RELAY_STALE_TTL_SECONDS */
    struct reply *reply;
    uint16_t asked; /* offset in the reply of the response's question */

    uint32_t ttl_seconds; /* the least TTL sent; 0 without records */
};

/**
 * Writes the first records of the answer section, the last alias among them. Returns the offset of
 * its target, 0 when they do not fit.
 */
uint16_t splice_links(struct splice *splice, unsigned answers);

/** Writes all records that fit. */
void splice_all(struct splice *splice);
