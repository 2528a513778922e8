#pragma once
/**
 * TCP connections that another process hands over to a worker (pass.h).
 *
 *     start ─► begin ─► each goes to the worker's listener ─► (its sender is gone) ─► stop
 *                                                       take_all ─────────────────►
 *
 * All workers take from one queue, each with a descriptor of its own: libuv watches one once.
 *
 * Threads: start on the control thread; the rest on the worker's, or the control thread while the
 * worker does not run.  Memory: none; the struct must stay until its handle is closed by the loop.
 */
#include "serve/listener.h"

struct intake {
    int descriptor; /* -1: none */
    uv_poll_t poll;
    struct listener *listener; /* for TCP; NULL: no such address */
};

/**
 * Prepares to take over from `connections`, which stays the caller's; -1: from nobody. Returns
 * false with *err.
 */
bool intake_start(struct intake *intake, uv_loop_t *loop, int connections,
                  struct listener *listener, struct err *err);

/** Begins to take over. */
void intake_begin(struct intake *intake);

/** Takes over all that wait. */
void intake_take_all(struct intake *intake);

/** Takes over nothing more; a second call does nothing. */
void intake_stop(struct intake *intake);
