#pragma once
/**
 * A worker's forwarder on a clock that only the test advances: the real batch, cache and fetch
 * table over a link that ends at responders.h.
 *
 *     post ──► batch ──► forward ──► link ──► responders
 *     await ◄── carrier ◄── batch_on_result ◄── responses, ticks
 *
 * world_forward() makes a whole server use it.
 *
 * Threads: one.  Memory: clocked_new to clocked_free.
 */
#include "answer/routes.h"
#include "serve/batch.h"
#include "support/responders.h"

enum {
    CLOCKED_ZONES_MOST = 8,
    CLOCKED_PATIENCE_MS = 5000, /* longer than any reply may take */
    CLOCKED_WAITING_MOST = 64,
};

/** The upstreams of a zone and all names below it. */
struct clocked_zone {
    const char *zone;      /* "corp.example"; "." for everything else */
    const char *addresses; /* separated by blanks; each must be a responder */
    bool allow_rebind;
};

struct clocked_options {
    struct responders *responders; /* borrowed */
    struct clocked_zone zones[CLOCKED_ZONES_MOST];
    size_t zone_count;
    size_t cache_octets; /* 0: the least */
    size_t questions;    /* 0: 64 */
    bool mixes_case;
    const struct snapshot *const *snapshot; /* the current one, at any moment */
};

/** A reply that may still be pending. */
struct awaited {
    uint8_t *reply; /* room for TCP_OCTETS_MOST octets */
    size_t length;  /* 0: none */
    bool is_waiting;
    uint64_t asked_ms, came_ms;
};

struct clocked;

struct clocked *clocked_new(const struct clocked_options *options);

/** NULL is allowed. Clients that still wait get no reply. */
void clocked_free(struct clocked *clocked);

/** Routes for the policy; valid until clocked_free. */
struct routes clocked_routes(const struct clocked *clocked);

/**
 * Sends a request.
 *
 * asked  request, path, transport; the batch fills in the rest
 */
void clocked_post(struct clocked *clocked, struct exchange *asked, struct awaited *awaited);

/** Advances the clock until the reply arrives. Returns false when it does not arrive. */
bool clocked_await(struct clocked *clocked, const struct awaited *awaited);

/** Advances the clock. */
void clocked_pass(struct clocked *clocked, uint64_t ms);

/** The worker's batch, with its forwarder, to be used at the present time: for benchmarks. */
struct batch *clocked_batch(struct clocked *clocked);

/** The time that the clock has. */
uint64_t clocked_now_ms(const struct clocked *clocked);

/** A counter's value. */
uint64_t clocked_count(const struct clocked *clocked, enum counter counter);
