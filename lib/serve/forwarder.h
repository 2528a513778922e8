#pragma once
/**
 * The forwarder on a worker's loop: what turns forward/ into something that runs.
 *
 *     prepare (before each wait) ──► forward_turn, and no wait while more is queued
 *     timer (while questions are on their way) ──► forward_tick
 *     sockets ──► responses, at the loop's time
 *     found ──► batch_on_found ──► clients
 *
 * So what is at hand is always answered before anything new is asked, and whatever part of a turn
 * has brought a question, the loop does not wait before it is sent.
 *
 * Threads: the worker's.  Memory: everything in forwarder_start.
 */
#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "config/settings.h"
#include "forward/forward.h"
#include "forward/sockets.h"
#include "serve/batch.h"

/** It must stay in its place while open. */
struct forwarder {
    uv_loop_t *loop;
    struct batch *batch;
    struct sockets *sockets;
    struct forward *forward; /* NULL: no upstreams */
    struct deferred *deferred;
    struct link_listener inner; /* what the forwarder hears of, before the time is set */
    struct forward_servers servers;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_timer_t timer;
};

/**
 * Begins to forward what the settings name upstreams for; without any, does nothing and succeeds.
 * Returns false with *err; forwarder_close is to be called whatever comes back.
 */
bool forwarder_start(struct forwarder *forwarder, uv_loop_t *loop, struct batch *batch,
                     const struct settings *settings, struct err *err);

/** Tells all who wait that nothing comes any more, and closes every handle and socket. */
void forwarder_stop(struct forwarder *forwarder);

/** After the loop has ended. */
void forwarder_close(struct forwarder *forwarder);
