#pragma once
/**
 * Asks many replicas for one name until each has the address that was written: how long a change
 * takes from the registry to answers.
 *
 *     main thread:   put probe ──► follow_expect ──► … follow_is_free? ──► the next one
 *     own thread:    each replica is asked every ASK_MS until it has the address ──► a latency
 *
 * Asking costs the replicas something too, and a latency is too long by up to ASK_MS.
 *
 * Threads: two, and a lock.  Memory: its own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/err.h"

enum { FOLLOW_REPLICAS_MOST = 1000, FOLLOW_ASK_MS = 4, FOLLOW_MOST_MS = 30000 };

struct follow;

struct follow_report {
    size_t probes;
    size_t answers;
    size_t missing; /* replicas that did not have it within FOLLOW_MOST_MS */
    double p50_ms, p90_ms, p99_ms, most_ms;
};

/** Starts the thread. Returns NULL with *err. */
struct follow *follow_start(const char *name, const struct endpoint *replicas, size_t count,
                            struct err *err);

/** True when all replicas have answered the probe before, or never will. */
bool follow_is_free(struct follow *follow);

/** The next probe: the address, and when it was given to etcd, of clock_monotonic_ns. */
void follow_expect(struct follow *follow, uint32_t address, uint64_t put_ns);

/** Waits for the probe under way, ends the thread, and frees it. */
void follow_stop(struct follow *follow, struct follow_report *report);
