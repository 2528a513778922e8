#pragma once
/**
 * Errands: the questions under way on one connection, each with an id that no other one there has.
 *
 *     added ──► unsent ──(errands_send)──► sent ──(removed)──► gone
 *                  ▲                          │
 *                  ├──(connection was closed)─┤
 *                  ▼                          ▼
 *                          failed ──(removed)──► gone
 *
 * Ids are the connection's own: attempts choose theirs without knowing of each other, and on one
 * connection they must differ (RFC 7766 section 6.2.1). A query is kept as it was asked, so that it
 * can be sent again over another connection (section 6.2.4).
 *
 * Threads: one worker's.  Memory: one allocation for each question under way, ERRANDS_MOST at
 * most.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "forward/link.h"

enum { ERRANDS_MOST = 4096, ERRAND_BUCKETS = 256, ERRAND_QUERY_OCTETS_MOST = 1024 };

/** A place in a chain, or the chain's own beginning and end. */
struct chain {
    struct chain *next;
    struct chain *previous;
};

struct errand {
    struct chain chain; /* of its state, in the order they came; first */
    struct errand *next_in_bucket;
    link_ticket ticket;
    uint64_t added_ms;
    uint16_t id; /* on the connection; the query's first two octets are the attempt's own */
    uint16_t length;
    bool is_sent;
    bool is_again;   /* was under way on a connection that was closed */
    uint8_t failure; /* enum link_failure, once failed */
    uint8_t query[];
};

struct errands {
    struct chain unsent;
    struct chain sent;
    struct chain failed;
    size_t count;
    struct errand *buckets[ERRAND_BUCKETS]; /* by id */
};

void errands_init(struct errands *errands);

/** Frees all. */
void errands_close(struct errands *errands);

/**
 * Takes in a query of 2 to ERRAND_QUERY_OCTETS_MOST octets, unsent. Returns NULL when too many
 * are under way, or without memory.
 */
struct errand *errands_add(struct errands *errands, struct random_source *random,
                           link_ticket ticket, const uint8_t *query, size_t length,
                           uint64_t now_ms);

/** Takes one out, whatever its state, and frees it. */
void errands_remove(struct errands *errands, struct errand *errand);

/**
 * Writes the next unsent queries as frames, with the connection's ids, for as long as they fit into
 * `most` octets; they are sent now. Returns the octets written.
 */
size_t errands_send(struct errands *errands, uint8_t *room, size_t most);

/** Finds the question that was sent with this id; NULL: nobody waits for it. */
struct errand *errands_find(const struct errands *errands, uint16_t id);

/**
 * The connection has been closed: what was added at `again_from_ms` or later (0: everything,
 * UINT64_MAX: nothing) is unsent once more, unless this has happened to it before; everything else
 * has failed.
 */
void errands_take_back(struct errands *errands, uint64_t again_from_ms, enum link_failure failure);

/** The first that has failed; NULL: none has. */
struct errand *errands_first_failed(const struct errands *errands);

static inline bool errands_have_unsent(const struct errands *errands)
{
    return errands->unsent.next != &errands->unsent;
}
