#pragma once
/**
 * Errands: the questions under way on one connection, each with an id that no other one there has.
 *
 *     added ──► unsent ──(stream_queries_send)──► sent ──(removed)──► gone
 *                  ▲                          │
 *                  ├──(connection was closed)─┤
 *                  ▼                          ▼
 *                          failed ──(removed)──► gone
 *
 * Ids are the connection's own: attempts choose theirs without knowing of each other, and on one
 * connection they must differ (RFC 7766 section 6.2.1). A query is kept as it was asked, so that it
 * can be sent again over another connection (section 6.2.4).
 *
 * Threads: one worker's.  Memory: one allocation for each question under way, STREAM_QUERIES_MOST
 * at most.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "forward/link.h"

enum {
    STREAM_QUERIES_MOST = 4096,
    STREAM_QUERY_BUCKETS = 256,
    STREAM_QUERY_QUERY_OCTETS_MOST = 1024
};

/** A place in a chain, or the chain's own beginning and end. */
struct chain {
    struct chain *next;
    struct chain *previous;
};

struct stream_query {
    struct chain chain; /* of its state, in the order they came; first */
    struct stream_query *next_in_bucket;
    link_ticket ticket;
    uint64_t added_ms;
    uint16_t id; /* on the connection; the query's first two octets are the attempt's own */
    uint16_t length;
    bool is_sent;
    bool is_again;   /* was under way on a connection that was closed */
    uint8_t failure; /* enum link_failure, once failed */
    uint8_t query[];
};

struct stream_queries {
    struct chain unsent;
    struct chain sent;
    struct chain failed;
    size_t count;
    struct stream_query *buckets[STREAM_QUERY_BUCKETS]; /* by id */
};

void stream_queries_init(struct stream_queries *stream_queries);

/** Frees all. */
void stream_queries_close(struct stream_queries *stream_queries);

/**
 * Takes in a query of 2 to STREAM_QUERY_QUERY_OCTETS_MOST octets, unsent. Returns NULL when too
 * many are under way, or without memory.
 */
struct stream_query *stream_queries_add(struct stream_queries *stream_queries,
                                        struct random_source *random, link_ticket ticket,
                                        const uint8_t *query, size_t length, uint64_t now_ms);

/** Takes one out, whatever its state, and frees it. */
void stream_queries_remove(struct stream_queries *stream_queries,
                           struct stream_query *stream_query);

/**
 * Writes the next unsent queries as frames, with the connection's ids, for as long as they fit into
 * `most` octets; they are sent now. Returns the octets written.
 */
size_t stream_queries_send(struct stream_queries *stream_queries, uint8_t *room, size_t most);

/** Finds the question that was sent with this id; NULL: nobody waits for it. */
struct stream_query *stream_queries_find(const struct stream_queries *stream_queries, uint16_t id);

/**
 * The connection has been closed: what was added at `again_from_ms` or later (0: everything,
 * UINT64_MAX: nothing) is unsent once more, unless this has happened to it before; everything else
 * has failed.
 */
void stream_queries_take_back(struct stream_queries *stream_queries, uint64_t again_from_ms,
                              enum link_failure failure);

/** The first that has failed; NULL: none has. */
struct stream_query *stream_queries_first_failed(const struct stream_queries *stream_queries);

static inline bool stream_queries_have_unsent(const struct stream_queries *stream_queries)
{
    return stream_queries->unsent.next != &stream_queries->unsent;
}
