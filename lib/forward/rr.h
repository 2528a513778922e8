#pragma once
/**
 * One record of a message that a stranger sent.
 *
 *     owner ......... | type class TTL | length | data ............
 *
 * Its owner is checked to the last label, and so are the names in its data where the type is one
 * that may compress them: each pointer leads to an earlier place behind the header, so that every
 * walk along a name ends.
 *
 * Sources: RFC 1035 sections 3.3, 4.1.3, 4.1.4; RFC 3597 section 4 (which types compress).
 * Threads: pure.  Memory: borrows the message.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { RR_TTL_OCTETS = 4, RR_LEAST_OCTETS = 11 };

struct rr {
    const uint8_t *start; /* of the owner */
    const uint8_t *ttl;   /* of its four octets */
    const uint8_t *data;
    uint16_t type;
    uint16_t class;
    uint16_t length; /* of the data */
};

/**
 * Reads the next record. `in` stands over the whole message, for pointers count from its start.
 *
 * Returns false, with in->failed set, when the message ends early or a name is malformed.
 */
bool rr_read(struct reader *in, struct rr *record);

/**
 * Passes over the next record of octets that rr_read has seen before; they need not be the
 * whole message.
 */
bool rr_next(struct reader *in, struct rr *record);
