#pragma once
/**
 * Attempts: one question sent to one server once.
 *
 *     begin ──► open ──┬─ again: the same server, over a stream or without EDNS
 *                      ├─ late: the wait is over, and it stays open
 *                      ├─ silent: it counts as silence, and it stays open
 *                      └─ end: nothing more is heard of it
 *
 * What becomes of them is what is known about servers: round trips, silence, usefulness.
 *
 * A ticket of the link is the number of the fetch times FETCH_ATTEMPTS plus that of the
 * attempt.
 *
 * Sources: RFC 5452 section 9 (ids, ports); RFC 6891 section 7 (servers without EDNS).
 * Threads: one worker's.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stdint.h>

#include "forward/pool.h"

/** What attempts are made with. */
struct sender {
    struct pool *pool;
    struct resolver *servers;
    const struct resolver_set *routes;
    struct standings *standings; /* of the servers */
    struct link *link;
    struct stats *stats;
    struct random_source random;
    uint64_t now_ms;
    bool is_watching; /* some server is not well, as far as this worker has seen */
};

/** The fetch and the attempt that a ticket stands for; the attempt is open. */
struct fetch *attempt_find(const struct sender *sender, link_ticket ticket,
                           struct attempt **attempt);

/** The number of the server at a place of the question's route; a probe's route is its server. */
uint8_t attempt_server(const struct sender *sender, const struct fetch *fetch, uint8_t place);

/**
 * Asks the server at a place of the route. Returns false when enough attempts are open, or when
 * nothing could be sent for want of descriptors or room on the server's connection.
 */
bool attempt_begin(struct sender *sender, struct fetch *fetch, uint8_t place);

/**
 * Asks the same server once more, as the attempt now says. Returns false when nothing could be
 * sent, which is then remembered.
 */
bool attempt_again(struct sender *sender, struct fetch *fetch, struct attempt *attempt);

/** A response to the question came, good or bad. */
void attempt_on_reply(struct sender *sender, const struct fetch *fetch, struct attempt *attempt);

/** The server is out of reach. */
void attempt_on_failure(struct sender *sender, const struct fetch *fetch, struct attempt *attempt);

/** Marks what is late, or silent, by now. Returns when to look again; pool_never: not at all. */
uint64_t attempt_check_waits(struct sender *sender, struct fetch *fetch);

/** What came from its server is of no use: others are asked first, for a while. */
void attempt_defer(struct sender *sender, const struct fetch *fetch, const struct attempt *attempt);

/**
 * A good answer came: to what was asked without EDNS, or over TCP for the sake of its letters, and
 * the server may be remembered for it; or it shows that the server needs neither.
 */
void attempt_learn(struct sender *sender, const struct fetch *fetch, const struct attempt *attempt,
                   bool has_opt);

/** True when the server is known not to keep the case of letters. */
bool attempt_ignores_case(const struct sender *sender, const struct fetch *fetch,
                          const struct attempt *attempt);

void attempt_end(struct sender *sender, const struct fetch *fetch, struct attempt *attempt);

/** Ends all that are open; what is late by now counts as silence. */
void attempt_end_all(struct sender *sender, struct fetch *fetch);
