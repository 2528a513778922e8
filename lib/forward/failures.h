#pragma once
/**
 * Questions that failed lately, as all workers know them: who asks next, of whichever worker, is
 * told so at once (RFC 9520) and does not wait once more.
 *
 *     slot, by hash   [ hash ^ what │ what ]      what: until 32 │ era 16 │ server 8 │ failure 8
 *
 * A slot is two words that are written and read one by one, without locks. What two writers or a
 * writer and a reader mix up does not fit together any more and counts as empty; so the hash is
 * compared whole, and a later question simply takes the place of an earlier one. Losing a memory
 * costs one more question.
 *
 * Threads: any.  Memory: never allocates; starts as all zeros.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { FAILURES_SLOTS = 4096 };

struct failures {
    struct {
        _Atomic uint64_t check;
        _Atomic uint64_t what;
    } slots[FAILURES_SLOTS];
};

struct failure {
    uint32_t until_s; /* exclusive; not 0 */
    uint16_t era;
    uint8_t server;
    uint8_t failure; /* enum forward_failure */
};

void failures_keep(struct failures *failures, uint64_t hash, const struct failure *failure);

/** Returns false when nothing is known of the question, or it is over. */
bool failures_find(const struct failures *failures, uint64_t hash, uint32_t now_s,
                   struct failure *failure);

/** The question has been answered. */
void failures_forget(struct failures *failures, uint64_t hash);
