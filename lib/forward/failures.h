#pragma once
/**
 * Recent failures of questions, shared by all workers: the next request, at any worker, fails at
 * once (RFC 9520) instead of waiting again.
 *
 *     slot, by hash   [ hash ^ what │ what ]      what: until 32 │ era 16 │ server 8 │ failure 8
 *
 * A slot is two words that are written and read one by one, without locks. Words that two writers,
 * or a writer and a reader, have mixed up do not match and count as empty. The hash is compared
 * whole, and a later question overwrites an earlier one. A lost failure costs one more fetch.
 *
 * Threads: any.  Memory: never allocates; starts as all zeros.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
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

/** Stores the failure of a question. */
void failures_keep(struct failures *failures, uint64_t hash, const struct failure *failure);

/** Returns false when the question has no failure, or it has expired. */
bool failures_find(const struct failures *failures, uint64_t hash, uint32_t now_s,
                   struct failure *failure);

/** Removes the failure: the question has been answered. */
void failures_forget(struct failures *failures, uint64_t hash);

/** Removes all failures. Returns how many had not expired. */
size_t failures_forget_all(struct failures *failures, uint32_t now_s);
