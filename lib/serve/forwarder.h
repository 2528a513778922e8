#pragma once
/**
 * The forwarder on a worker's loop: what turns forward/ into something that runs.
 *
 *     prepare (before each wait) ──► forward_turn, and no wait while more is queued
 *     timer (while questions are on their way) ──► forward_tick
 *     sockets ──► responses, at the loop's time
 *     found ──► batch_on_result ──► clients
 *
 * So what is at hand is always answered before anything new is asked, and whatever part of a turn
 * has brought a question, the loop does not wait before it is sent.
 *
 * A way out is one list of upstreams with all that goes by their numbers or came from them:
 * sockets, questions on their way, what is kept. How the upstreams stand is shared with the other
 * workers' ways (forward/standing.h). When a snapshot brings another list, the worker
 * gets another way at once, and the one before is closed before the next wait; who waits for it
 * then is asked for anew by the way there is now:
 *
 *     snapshot's zones ──(others than before)──► new way ──► batch
 *                                       old way ──(next turn)──► batch_ask_again, closed
 *
 * Threads: the worker's.  Memory: a way owns copies of what it needs of the settings; room for
 * waiting requests is taken with the first way.
 */
#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "config/settings.h"
#include "forward/forward.h"
#include "serve/batch.h"
#include "upstream/sockets.h"

struct upstream_set;

/** It must stay in its place while open. */
struct forwarder {
    uv_loop_t *loop;
    struct batch *batch;
    size_t cache_octets;
    size_t questions;
    size_t sockets_most; /* 0: no bound */
    bool mixes_case;
    bool is_stopping;
    struct upstream_set *upstreams; /* NULL: no upstreams */
    struct upstream_set *retired;   /* to be closed */
    struct deferred *deferred;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_timer_t timer;
};

/**
 * Begins to forward what the settings name upstreams for, if they name any. Returns false with
 * *err; forwarder_stop and forwarder_close are to be called whatever comes back.
 */
bool forwarder_start(struct forwarder *forwarder, uv_loop_t *loop, struct batch *batch,
                     const struct settings *settings, struct standings *standings, struct err *err);

/**
 * Goes over to other upstreams, unless they are those that are asked already; NULL: nobody. When
 * that cannot be done for want of memory or descriptors, nobody is asked, and the log says so.
 *
 * `standings` is what all workers know of them; NULL, here and in forwarder_start: this one alone.
 */
void forwarder_adopt(struct forwarder *forwarder, const struct upstream_zones *zones,
                     struct standings *standings);

/** Asks nothing new any more; what is on its way goes on. */
void forwarder_drain(struct forwarder *forwarder);

/** True when clients wait for upstreams. */
bool forwarder_is_waited_for(const struct forwarder *forwarder);

/** Tells all who wait that nothing comes any more, and closes every handle and socket. */
void forwarder_stop(struct forwarder *forwarder);

/** After the loop has ended. */
void forwarder_close(struct forwarder *forwarder);
