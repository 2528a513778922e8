#pragma once
/**
 * How often each of many keys comes: one token bucket per key, in a table of fixed size that any
 * number of threads share without a lock.
 *
 * A bucket holds one second's worth of a key's rate. It is stored as the time at which it will be
 * full again; each token taken moves that time ahead by one interval (a second / the rate), and no
 * token is left once it would lie more than a second ahead:
 *
 *     now                       full_at               now + 1 s
 *      ├────── tokens taken ───────┤───── tokens left ────┤
 *
 *     slot   63 ........ 16 | 15     | 14 ..... 0
 *            full_at in us  | is_dry | tag: another part of the key's hash
 *
 * A key's hash chooses a set of RATE_WAYS slots and the tag in it. A key without a slot takes the
 * one that is full again first. If even that one is not full yet, the key takes over what has been
 * taken from it, so times in a set never move back and a crowd of keys can never gain a key more
 * than its rate: whoever comes back after losing his slot finds only slots that are full later
 * than his would have been. Two keys with the same set and tag share a bucket.
 *
 * `is_dry` marks a bucket that a token was asked of in vain, until it has been full for an
 * interval: that is a second after the last refusal, at the earliest.
 *
 * A key that is refused again and again only reads, so that threads do not wait for each other's
 * cache lines during a flood.
 *
 * Sources: ITU-T I.371 (the generic cell rate algorithm, virtual scheduling).
 * Threads: any; rate_take never waits.  Memory: everything in rate_table_new.
 */
#include <stdint.h>

#include "base/hash.h"

enum {
    RATE_WAYS = 4,
    RATE_SECOND_US = 1000000,
};

struct rate_table;

enum rate_grant {
    RATE_GRANTED,
    RATE_GRANTED_DRY, /* a token, but within a second there was none */
    RATE_REFUSED,
};

/** Allocates 2^set_bits sets, all buckets full. Returns NULL without memory. */
struct rate_table *rate_table_new(unsigned set_bits, struct hash_key key);

/** NULL is allowed. */
void rate_table_free(struct rate_table *table);

/** The interval for a rate of 1 to 100,000 a second, which is thus rounded up by 10 % at most. */
static inline uint32_t rate_interval_us(uint32_t per_second)
{
    return RATE_SECOND_US / per_second;
}

/**
 * Takes a token from the key's bucket.
 *
 * interval_us  1 to RATE_SECOND_US; it may change from call to call
 * now_us       of a clock that all callers share; below 2^47, and a caller's may lag another's
 */
enum rate_grant rate_take(struct rate_table *table, uint64_t key, uint32_t interval_us,
                          uint64_t now_us);
