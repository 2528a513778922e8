#pragma once
/**
 * The state of the scheduler, and its command line.
 *
 * Threads: one.  Memory: options_read allocates `replicas` and the password, for the whole run.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/batch.h"
#include "scheduler/follow.h"
#include "scheduler/platform.h"
#include "spacedns/etcd_client.h"

enum { ENDPOINTS_MOST = 16, PREFIX_MOST = 204 };

struct scheduler {
    struct etcd_client_options options;
    const char *endpoints[ENDPOINTS_MOST];
    struct endpoint *replicas;
    size_t replica_count;
    struct etcd_client *client;
    struct platform platform;
    char prefix[PREFIX_MOST]; /* of keys */
    const char *zones;
    double rate;
    uint64_t seconds;
    struct batch batch;
    unsigned *turns; /* of each app */
    bool *is_gone;
    struct follow *follow;
    unsigned probe_turn;
    bool has_probe; /* in the batch: follow begins when it is sent */
    bool is_probe_sent;
    uint64_t random;
    uint64_t started_ms, goes_ms, beat_ms, probe_ms, retry_ms, retry_at_ms;
    uint64_t changes, deleted, transactions, operations, failures, reconnects;
    uint64_t transaction_us, transaction_most_us;
};

/** How it is used, in one line. */
extern const char options_usage[];

/** Reads the command line. Returns false when it makes no sense. */
bool options_read(struct scheduler *scheduler, int argc, char **argv);
