#pragma once
/**
 * The forwarder on a worker's loop: drives forward/ with sockets, timers and turns.
 *
 *     prepare (before each wait) ──► forward_turn, and no wait while more is queued
 *     timer (while questions are in flight) ──► forward_tick
 *     sockets ──► responses, at the loop's time
 *     results ──► batch_on_result ──► clients
 *
 *     a few of these ──► requests that have come are answered, then the next few
 *     all for now ──► late replies leave together
 *
 * So local answers and cached ones never wait for more than a few questions or responses of
 * upstreams, however many there are; and the loop never waits before a new question is sent.
 *
 * An upstream set is one list of upstreams with everything that depends on it: sockets, questions
 * in flight. The state of the upstreams and the cache of their responses are shared with the other
 * workers' sets (forward/standing.h); before the loop waits, the forwarder rests, so that others
 * may write over what it has found. When a snapshot brings another list, the worker opens a new set
 * at once and closes the old one before the next wait; requests that wait for the old one are then
 * forwarded again by the new one:
 *
 *     snapshot's zones ──(changed)──► new set ──► batch
 *                                       old set ──(next turn)──► batch_decide_again, closed
 *
 * Threads: the worker's.  Memory: an upstream set owns copies of the settings it needs; slots for
 * waiting requests are allocated with the first set.
 */
#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "config/settings.h"
#include "forward/forward.h"
#include "serve/batch.h"
#include "upstream/sockets.h"

struct upstream_set;

/** What the owner of the clients' sockets does; both may be NULL. */
struct forwarder_owner {
    void (*send_late)(void *context);     /* late replies have been delivered, no more for now */
    void (*serve_clients)(void *context); /* answers requests that have come, a few at most */
    void *context;
};

/** It must not move while open. */
struct forwarder {
    uv_loop_t *loop;
    struct batch *batch;
    size_t cache_octets; /* of its own cache, if the workers share none */
    size_t questions;
    size_t sockets_most; /* 0: no bound */
    bool uses_any_port;
    bool mixes_case;
    bool is_stopping;
    struct forwarder_owner owner;   /* may be set after the start */
    struct upstream_set *upstreams; /* NULL: no upstreams */
    struct upstream_set *retired;   /* to be closed */
    struct deferred *deferred;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_timer_t timer;
};

/**
 * Begins to forward to the settings' upstreams, if there are any. Returns false with *err; call
 * forwarder_stop and forwarder_close in either case.
 */
bool forwarder_start(struct forwarder *forwarder, uv_loop_t *loop, struct batch *batch,
                     const struct settings *settings, struct standings *standings, struct err *err);

/**
 * Changes to other upstreams, unless they are those in use; NULL: none. Without memory or
 * descriptors nothing is forwarded, which is logged.
 *
 * `standings` is the state of the upstreams shared by all workers, who must not part: a worker
 * changes to another one also while the upstreams are the same. NULL, here and in forwarder_start:
 * not shared.
 */
void forwarder_adopt(struct forwarder *forwarder, const struct upstream_zones *zones,
                     struct standings *standings);

/** Forwards nothing new; questions in flight continue. */
void forwarder_drain(struct forwarder *forwarder);

/** True when clients wait for upstreams. */
bool forwarder_has_waiters(const struct forwarder *forwarder);

/** Fails all waiting requests, and closes every handle and socket. */
void forwarder_stop(struct forwarder *forwarder);

/** Frees the rest. Call it after the loop has ended. */
void forwarder_close(struct forwarder *forwarder);
