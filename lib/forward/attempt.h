#pragma once
/**
 * Attempts: one question sent to one server once.
 *
 *     begin ──► open ──┬─ again: the same server, over a stream or without EDNS
 *                      ├─ late: another server is asked, too; it stays open
 *                      ├─ silent: it counts as silence; it stays open
 *                      └─ end: responses to it are ignored
 *
 * Attempts measure the servers: round trip, silence, usefulness.
 *
 * The link's ticket of an attempt is the number of its fetch times FETCH_ATTEMPTS plus its own.
 *
 * Sources: RFC 5452 section 9 (ids, ports); RFC 6891 section 7 (servers without EDNS).
 * Threads: one worker's.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stdint.h>

#include "forward/pool.h"

/** What all attempts of a worker share. */
struct sender {
    struct pool *pool;
    struct resolver *servers;
    const struct resolver_set *routes;
    struct standings *standings; /* of the servers */
    struct link *link;
    struct stats *stats;
    struct random_source random;
    uint64_t now_ms;
    bool is_watching; /* this worker has seen a server that is not up */
    struct resolver_use uses[UPSTREAM_ZONES_MOST][UPSTREAMS_MOST]; /* by route and index */
};

/** Returns the fetch of a ticket, and its attempt, which is open. */
struct fetch *attempt_find(const struct sender *sender, link_ticket ticket,
                           struct attempt **attempt);

/** The number of the server at an index of the fetch's route; a probe's route is its server. */
uint8_t attempt_server(const struct sender *sender, const struct fetch *fetch, uint8_t index);

/**
 * Asks the server at an index of the route. Returns false when FETCH_ATTEMPTS are open, or when
 * nothing could be sent for lack of descriptors or room on the server's connection.
 */
bool attempt_begin(struct sender *sender, struct fetch *fetch, uint8_t index);

/**
 * Asks the same server once more, as over_stream and is_plain now require. Returns false, and
 * remembers FORWARD_FULL, when nothing could be sent.
 */
bool attempt_again(struct sender *sender, struct fetch *fetch, struct attempt *attempt);

/** To be called for every response to the question, good or bad. */
void attempt_on_reply(struct sender *sender, const struct fetch *fetch, struct attempt *attempt);

/** To be called when the server cannot be reached. */
void attempt_on_failure(struct sender *sender, const struct fetch *fetch, struct attempt *attempt,
                        enum forward_failure failure);

/** Marks attempts as late or silent. Returns when to check again; pool_never: not at all. */
uint64_t attempt_check_waits(struct sender *sender, struct fetch *fetch);

/** Its server sent nothing of use: prefers other servers for a while. */
void attempt_defer(struct sender *sender, const struct fetch *fetch, const struct attempt *attempt);

/**
 * Learns a server's quirks from a good answer: to a query without EDNS, or over TCP because of the
 * case; or the answer shows that the server has no such quirk.
 */
void attempt_learn(struct sender *sender, const struct fetch *fetch, const struct attempt *attempt,
                   bool has_opt);

/** True when the server is known not to keep the case. */
bool attempt_ignores_case(const struct sender *sender, const struct fetch *fetch,
                          const struct attempt *attempt);

void attempt_end(struct sender *sender, const struct fetch *fetch, struct attempt *attempt);

/** Ends all open attempts; those that are late count as silence. */
void attempt_end_all(struct sender *sender, struct fetch *fetch);
