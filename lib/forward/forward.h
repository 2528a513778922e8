#pragma once
/**
 * Names that are not ours, for one worker: what is kept, what is on its way, whom to ask.
 *
 *     forward_find ──► fresh, stale or failed answer: at once
 *          └─ nothing ──► forward_ask ──► pending ──► link ──► on_result, for each who waits
 *
 * Policy is decided before anything here is looked at: who may not ask never comes this far.
 *
 * When a response is stale, it is asked for anew and handed out only when that fails: after
 * FETCH_STALE_MS, or at once while a failure of lately is remembered or all servers are failing
 * (RFC 8767 section 5). A fresh one in use is asked for again in the last tenth of its time.
 *
 * A remembered failure answers at once, too, unless the question is still on its way: then who asks
 * waits for the answer that may yet come. Answers that come when nobody waits any more are kept.
 *
 * Threads: one worker's.  Memory: everything in forward_new.  Time: milliseconds, monotonic, handed
 * in by forward_set_time; nothing here reads a clock.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "config/upstream.h"
#include "forward/cache.h"
#include "forward/fetch_table.h"
#include "forward/format.h"
#include "forward/resolver.h"

/** What there is for a question. */
struct forward_result {
    const struct response *response; /* NULL: only a failure; good until the next call */
    uint32_t age_seconds;
    bool is_stale;
    bool is_cached;               /* it was there when asked for */
    enum forward_failure failure; /* why there is no response, or only a stale or failed one */
    const char *server;           /* text of the server that answered or failed; NULL: none */
};

/** Those who waited for one question; `found` is for all of them. */
typedef void forward_on_result(void *context, struct waiter *waiters,
                               const struct forward_result *found);

struct forward_options {
    const struct upstream_zones *zones; /* routes, by number */
    size_t cache_octets;
    size_t questions;
    bool mixes_case;
    struct stats *stats;
    struct standings *standings; /* of the zones' servers, shared; NULL: its own */
    struct link *link; /* made for forward_list_servers' numbers and fetch_tickets; borrowed */
    forward_on_result *on_result;
    void *context;
};

struct forward;

/** Every upstream once, in the order of the numbers that a link is given. */
struct forward_servers {
    const struct upstream *items[RESOLVERS_MOST];
    size_t count;
};
void forward_list_servers(const struct upstream_zones *zones, struct forward_servers *servers);

/** Returns NULL with *err. */
struct forward *forward_new(const struct forward_options *options, struct err *err);

/** NULL is allowed. */
void forward_free(struct forward *forward);

/** The time of everything that follows. */
void forward_set_time(struct forward *forward, uint64_t now_ms);

void forward_prefetch(const struct forward *forward, uint64_t question_hash);
void forward_prefetch_entry(const struct forward *forward, uint64_t question_hash);

/** Looks for what can be handed out at once. Returns false when the question must be asked. */
bool forward_find(struct forward *forward, const struct question *question, uint8_t route,
                  struct forward_result *found);

/** The second that it is. */
uint32_t forward_now_s(const struct forward *forward);

/**
 * As forward_find, for a request that came in the second `since_s` and has waited for this question
 * already: a response that came since is for it, however short its TTL.
 */
bool forward_find_since(struct forward *forward, const struct question *question, uint8_t route,
                        uint32_t since_s, struct forward_result *found);

/**
 * Asks; the waiter hears of it through on_result, never before this returns. Returns false, with
 * `found` filled in, when there is nobody to ask or no room.
 */
bool forward_ask(struct forward *forward, const struct question *question, uint8_t route,
                 struct waiter *waiter, struct forward_result *found);

/**
 * For one whom there is no room to let wait: fills in what is stale, or that everything is full.
 */
void forward_refuse(struct forward *forward, const struct question *question,
                    struct forward_result *found);

/** Sends what is queued. Returns true when more is. Call it before the loop waits. */
bool forward_turn(struct forward *forward);

/** Looks after deadlines and probes; every FETCH_TICK_MS while forward_is_busy. */
void forward_tick(struct forward *forward);

bool forward_is_busy(const struct forward *forward);

/** How many more questions can be asked. */
size_t forward_room(const struct forward *forward);

/**
 * Asks nothing new any more: who comes now is told that the server is stopping, unless the same is
 * on its way already.
 */
void forward_drain(struct forward *forward);

/** True when somebody waits for what is on its way. */
bool forward_is_waited_for(const struct forward *forward);

/** Settles all that is on its way as failed; when the worker stops, or forwards by another. */
void forward_end_all(struct forward *forward);

/** The answer that is kept of a question and still fresh, or NULL; good until the next call. */
const struct response *forward_peek(const struct forward *forward, const struct question *question);

/** Text for _why: each upstream with its state, and what the cache has ("cached=fresh ttl=23"). */
void forward_format_servers(const struct forward *forward, uint8_t route, struct text *text);
void forward_format_cached(const struct forward *forward, const struct question *question,
                           struct text *text);

/** The same for those who make their own words. */
struct kept_state forward_kept(const struct forward *forward, const struct question *question);

/** The upstream at a place of a route, in the order of the settings; NULL beyond the last. */
const struct resolver *forward_server(const struct forward *forward, uint8_t route, uint8_t place);

struct cache_use forward_cache_use(const struct forward *forward);

/** "no reply from", "cannot reach", ...: a sentence is this and the server's text. */
const char *forward_failure_text(enum forward_failure failure);
