#pragma once
/**
 * The forwarder of one worker, for names that are not ours: fetch table and upstreams of its own,
 * and the cache of all workers.
 *
 *     forward_find ──► cached answer (fresh, stale) or failure: at once
 *          └─ none ──► forward_ask ──► fetch table ──► link ──► on_result, with all waiters
 *
 * Policy comes first: a client that may not recurse never gets here.
 *
 * A stale response is fetched anew, and used only when that fails: after FETCH_STALE_MS, or at once
 * while a recent failure is cached or all servers are failing (RFC 8767 section 5). A fresh one in
 * use is refreshed in the last tenth of its TTL.
 *
 * A cached failure is returned at once, too, unless the question is still being fetched: then the
 * request waits for that answer. Answers that come after the last waiter has gone are cached.
 *
 * Threads: one worker's; it shares its standings.  Memory: everything in forward_new.  Time:
 * milliseconds, monotonic, set by forward_set_time; nothing here reads a clock.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/upstream.h"
#include "forward/cache.h"
#include "forward/fetch_table.h"
#include "forward/sweep.h"

/** The answer to a question, or why there is none. */
struct forward_result {
    const struct response *response; /* NULL: only a failure; good until the next call */
    uint32_t age_seconds;
    bool is_stale;
    bool is_cached;               /* no fetch was needed */
    enum forward_failure failure; /* why there is no response, or only a stale or failed one */
    const char *server;           /* text of the server that answered or failed; NULL: none */
};

/** Called with all waiters of one fetch; `result` is for each of them. */
typedef void forward_on_result(void *context, struct waiter *waiters,
                               const struct forward_result *result);

struct forward_options {
    const struct upstream_zones *zones; /* routes, by number */
    size_t questions;
    bool mixes_case;
    struct stats *stats;
    struct standings *standings; /* of the zones' servers, with a cache, shared; NULL: its own: */
    size_t cache_octets;
    struct link *link; /* with server_list.h's numbers and fetch_tickets; borrowed */
    forward_on_result *on_result;
    void *context;
};

struct forward;

/** Returns NULL with *err. */
struct forward *forward_new(const struct forward_options *options, struct err *err);

/** NULL is allowed. */
void forward_free(struct forward *forward);

/**
 * Sets the time for all following calls. Results of earlier ones are not valid any more: other
 * workers may write over what they point at (cache_pass).
 */
void forward_set_time(struct forward *forward, uint64_t now_ms);

/** Nothing is done before the next forward_set_time; call it before the thread may block. */
void forward_rest(struct forward *forward);

/** As cache_prefetch and cache_prefetch_entry. */
void forward_prefetch(const struct forward *forward, uint64_t question_hash);
void forward_prefetch_entry(const struct forward *forward, uint64_t question_hash);

/** Finds what can be answered at once. Returns false when the question must be fetched. */
bool forward_find(struct forward *forward, const struct question *question, uint8_t route,
                  struct forward_result *result);

/** The current second of the cache's clock. */
uint32_t forward_now_s(const struct forward *forward);

/**
 * As forward_find, for a request that arrived in the second `since_s` and has waited for this
 * question: it gets a response that came since, however short its TTL.
 */
bool forward_find_since(struct forward *forward, const struct question *question, uint8_t route,
                        uint32_t since_s, struct forward_result *result);

/**
 * Fetches the question; on_result is called with the waiter, never before this returns. Returns
 * false, with `result` filled in, when all servers are failing or there is no room.
 */
bool forward_ask(struct forward *forward, const struct question *question, uint8_t route,
                 struct waiter *waiter, struct forward_result *result);

/** For a request that cannot wait for lack of room: fills in a stale answer, or FORWARD_FULL. */
void forward_refuse(struct forward *forward, const struct question *question,
                    struct forward_result *result);

/** Sends queued questions. Returns true when more are queued. Call it before the loop waits. */
bool forward_turn(struct forward *forward);

/** Handles deadlines and probes; to be called every FETCH_TICK_MS while forward_is_busy. */
void forward_tick(struct forward *forward);

bool forward_is_busy(const struct forward *forward);

/** The number of fetches that can still be added. */
size_t forward_room(const struct forward *forward);

/**
 * Starts no more fetches: a new request fails with FORWARD_STOPPING unless it can join a fetch.
 */
void forward_drain(struct forward *forward);

/** True when some fetch has a waiter. */
bool forward_has_waiters(const struct forward *forward);

/** Ends every fetch as FORWARD_STOPPING; for a worker that stops or switches to other servers. */
void forward_end_all(struct forward *forward);

/** The cached answer while it is fresh, or NULL; good until the next call. */
const struct response *forward_peek(const struct forward *forward, const struct question *question);

/**
 * The failure that is kept for the question, and in *server the server's text, or NULL;
 * FORWARD_NO_FAILURE: none is.
 */
enum forward_failure forward_cached_failure(const struct forward *forward,
                                            const struct question *question, const char **server);

/**
 * True to one of the workers that share the cache, for each number of a report: it sweeps, and
 * reports the cache's use.
 */
bool forward_claims_cache(struct forward *forward, uint64_t number);

/** Goes on with a sweep over the cache. Returns true at its end. */
bool forward_sweep(struct forward *forward, struct sweep *sweep);

/** "no reply from", "cannot reach", ...: a sentence is this and the server's text. */
const char *forward_failure_text(enum forward_failure failure);
