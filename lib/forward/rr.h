#pragma once
/**
 * One record of an untrusted message.
 *
 *     owner ......... | type class TTL | length | data ............
 *
 * Its owner is fully checked when it is read, its data by rr_is_sound against the form of its type
 * in types.def. Each pointer in a name must lead to an earlier offset behind the header, so that
 * following a name always ends.
 *
 * Sources: RFC 1035 sections 3.3, 4.1.3, 4.1.4; RFC 3597 section 4 (which types compress); the RFC
 * of each type.
 * Threads: pure.  Memory: borrows the message.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/name.h"

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
 * Reads the next record. `in` must span the whole message, since pointers count from its start.
 *
 * Returns false, with in->failed set, when the message ends early or the owner is malformed.
 */
bool rr_read(struct reader *in, struct rr *record);

/** Passes over a name. Returns false, with in->failed set, when it is malformed. */
bool rr_pass_name(struct reader *in);

/** True when the data of a record that rr_read has read has the form of its type. */
bool rr_is_sound(const uint8_t *message, const struct rr *record);

/**
 * Copies a name that was checked before, pointers followed, case kept. `out` has room for
 * NAME_MAX_OCTETS. Returns how many octets it takes in the message.
 */
size_t rr_copy_name(const uint8_t *message, const uint8_t *name, uint8_t *out);

/** The same, folded. */
void rr_read_name(const uint8_t *message, const uint8_t *name, struct name *out);

/** The names in sound data that may be compressed: `count` of them in a row. */
struct rr_names {
    uint16_t before; /* octets in front of them */
    uint8_t count;
    bool may_point; /* we may compress them, too */
};
struct rr_names rr_names(const struct rr *record);

/**
 * Passes over the next record of octets that rr_read has seen before; they need not be the
 * whole message.
 */
bool rr_next(struct reader *in, struct rr *record);
