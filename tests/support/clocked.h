#pragma once
/**
 * A worker's forwarder on a clock that only the test moves: the real batch, cache and pending
 * questions over a link that ends at responders.h.
 *
 *     post ──► batch ──► forward ──► link ──► responders
 *     await ◄── reply_sink ◄── batch_on_result ◄── responses, ticks
 *
 * world_forward() has a whole server work with it.
 *
 * Threads: one.  Memory: clocked_new to clocked_free.
 */
#include "answer/routes.h"
#include "serve/batch.h"
#include "support/responders.h"

enum {
    CLOCKED_ZONES_MOST = 8,
    CLOCKED_PATIENCE_MS = 5000, /* nobody has to wait longer for a reply */
    CLOCKED_WAITING_MOST = 64,
};

/** Who is asked for a zone and all below it. */
struct clocked_zone {
    const char *zone;      /* "corp.example"; "." for everything else */
    const char *addresses; /* with blanks between; each is to be a responder */
    bool allow_rebind;
};

struct clocked_options {
    struct responders *responders; /* borrowed */
    struct clocked_zone zones[CLOCKED_ZONES_MOST];
    size_t zone_count;
    size_t cache_octets; /* 0: the least */
    size_t questions;    /* 0: 64 */
    bool mixes_case;
    const struct snapshot *const *snapshot; /* what is answered from, at any moment */
};

/** A reply that may be still to come. */
struct awaited {
    uint8_t *reply; /* room for TCP_OCTETS_MOST octets */
    size_t length;  /* 0: none */
    bool is_waiting;
    uint64_t asked_ms, came_ms;
};

struct clocked;

struct clocked *clocked_new(const struct clocked_options *options);

/** NULL is allowed. Who still waits hears nothing. */
void clocked_free(struct clocked *clocked);

/** For the policy; as long as the forwarder lives. */
struct routes clocked_routes(const struct clocked *clocked);

/**
 * Sends a request.
 *
 * asked  request, path, transport; left with what the batch made of it
 */
void clocked_post(struct clocked *clocked, struct exchange *asked, struct awaited *awaited);

/** Moves the clock until the reply is there. Returns false when it does not come. */
bool clocked_await(struct clocked *clocked, const struct awaited *awaited);

/** Moves the clock. */
void clocked_pass(struct clocked *clocked, uint64_t ms);

/** A counter's value. */
uint64_t clocked_count(const struct clocked *clocked, enum counter counter);
