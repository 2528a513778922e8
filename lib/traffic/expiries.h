#pragma once
/**
 * Until when clients may hold the address of a dyno: the latest expiry that was handed out.
 *
 * An answer with the address, or with the dyno's name, may be used until its TTL has run out, so
 * the dyno is safe to stop when it is published no more and the last such answer has expired. What
 * has expired is forgotten, so the table is bounded by the dynos published within a TTL. Beyond
 * `most`, expiries are not kept one by one but as one time for all, the floor, so that a dyno may
 * be called unsafe for longer, and never safe too soon. Times are the wall clock's, as they outlive
 * the process: when that is set forward, what is in use ends earlier by as much; when it is set
 * back, expiries_set_back bounds how much later.
 *
 * Threads: one.  Memory: 32 octets a dyno, and twice that for free slots.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traffic/parties.h"

struct expiry {
    uint32_t app;  /* party; PARTY_NONE: an empty slot */
    uint32_t type; /* party: the process type */
    uint32_t number;
    uint32_t ip;
    uint32_t until_s; /* since 1970 */
};

struct expiries;

/** Returns NULL without memory. */
struct expiries *expiries_new(struct parties *parties, uint32_t most);

/** NULL is allowed. */
void expiries_free(struct expiries *expiries);

/** Notes an expiry; the latest one counts. What expired before now_s may be forgotten. */
void expiries_raise(struct expiries *expiries, const struct expiry *expiry, uint32_t now_s);

/** Raises the floor: until then, nothing is known to have expired. */
void expiries_raise_floor(struct expiries *expiries, uint32_t until_s);

uint32_t expiries_floor(const struct expiries *expiries);

/** The clock was set back: nothing that was handed out before lasts longer than until_s. */
void expiries_set_back(struct expiries *expiries, uint32_t until_s);

/** The next expiry, in no order; `before` NULL: the first. NULL: there are no more. */
const struct expiry *expiries_next(const struct expiries *expiries, const struct expiry *before);
