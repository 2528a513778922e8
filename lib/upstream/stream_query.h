#pragma once
/**
 * Stream queries: the open queries of one connection, each with an id that is unique on it.
 *
 *     added ──► unsent ──(stream_queries_send)──► sent ──(removed)──► gone
 *                  ▲                          │
 *                  ├──(connection was closed)─┤
 *                  ▼                          ▼
 *                          failed ──(removed)──► gone
 *
 * Ids are the connection's own: attempts choose theirs independently, and on one connection they
 * must differ (RFC 7766 section 6.2.1). A query is kept as it was given, so that it can be sent
 * again over another connection (section 6.2.4).
 *
 * Threads: one worker's.  Memory: one allocation for each open query, STREAM_QUERIES_MOST at most.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/random.h"
#include "forward/link.h"

enum { STREAM_QUERIES_MOST = 4096, STREAM_QUERY_BUCKETS = 256, STREAM_QUERY_OCTETS_MOST = 1024 };

TAILQ_HEAD(stream_query_list, stream_query); /* in order of arrival */

struct stream_query {
    TAILQ_ENTRY(stream_query) entry;
    struct stream_query_list *list; /* unsent, sent or failed: its state */
    struct stream_query *next_in_bucket;
    link_ticket ticket;
    uint64_t added_ms;
    uint16_t id; /* on the connection; the query's first two octets are the attempt's id */
    uint16_t length;
    bool is_again;   /* was open on an earlier connection, which was closed */
    uint8_t failure; /* enum link_failure, once failed */
    uint8_t query[];
};

struct stream_queries {
    struct stream_query_list unsent;
    struct stream_query_list sent;
    struct stream_query_list failed;
    size_t count;
    struct stream_query *buckets[STREAM_QUERY_BUCKETS]; /* by id */
};

void stream_queries_init(struct stream_queries *stream_queries);

/** Frees all. */
void stream_queries_close(struct stream_queries *stream_queries);

/**
 * Adds an unsent query of 2 to STREAM_QUERY_OCTETS_MOST octets. Returns NULL when too many are
 * open, or without memory.
 */
struct stream_query *stream_queries_add(struct stream_queries *stream_queries,
                                        struct random_source *random, link_ticket ticket,
                                        const uint8_t *query, size_t length, uint64_t now_ms);

/** Removes and frees a query in any state. */
void stream_queries_remove(struct stream_queries *stream_queries,
                           struct stream_query *stream_query);

/**
 * Writes the next unsent queries as frames, with the connection's ids, as many as fit into `most`
 * octets, and marks them as sent. Returns the octets written.
 */
size_t stream_queries_send(struct stream_queries *stream_queries, uint8_t *room, size_t most);

/** Returns the query that was sent with this id, or NULL. */
struct stream_query *stream_queries_find(const struct stream_queries *stream_queries, uint16_t id);

/**
 * To be called when the connection has been closed: queries added at `again_from_ms` or later (0:
 * all, UINT64_MAX: none) become unsent once, unless this has happened to them before; all others
 * become failed.
 */
void stream_queries_take_back(struct stream_queries *stream_queries, uint64_t again_from_ms,
                              enum link_failure failure);

/** Returns the first failed query, or NULL. */
struct stream_query *stream_queries_first_failed(const struct stream_queries *stream_queries);

static inline bool stream_queries_have_unsent(const struct stream_queries *stream_queries)
{
    return !TAILQ_EMPTY(&stream_queries->unsent);
}
