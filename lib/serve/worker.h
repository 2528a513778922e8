#pragma once
/**
 * One worker: a thread with a loop of its own, and its listeners on every address.
 *
 *     new (binds) → start (thread) → wake, wake, ... → stop (answers, drains) → join → free
 *
 * To drain is to keep answering while clients wait for upstreams, WORKER_DRAIN_MS at most, without
 * forwarding anything new.
 *
 * Workers share nothing but the snapshots that the control thread posts into their mailboxes and
 * the state of upstreams (forward/standing.h), so they never wait for each other.
 *
 * Threads: called on the control thread; the loop runs on the worker's own from start to stop.
 * Memory: allocated in worker_new, except for upstreams that a snapshot brings.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer/mailbox.h"
#include "base/err.h"
#include "config/settings.h"
#include "serve/batch.h"
#include "serve/worker_report.h"

enum { WORKER_DRAIN_MS = 2000, WORKER_DRAIN_TICK_MS = 10 };

struct worker_options {
    const struct settings *settings;
    struct standings *standings;       /* of the settings' upstreams; NULL: not shared */
    struct querylog_ring *log;         /* NULL: off */
    batch_on_adopted *on_adopted;      /* on the worker's thread: it has adopted a snapshot */
    void (*on_reports)(void *context); /* on the worker's thread: worker_last_report is ready */
    void *context;
};

struct worker;

/** Makes a worker and binds all its sockets. Returns NULL with *err. */
struct worker *worker_new(const struct worker_options *options, struct err *err);

/** Frees a worker that is not running. NULL is allowed. */
void worker_free(struct worker *worker);

/** Starts the thread. Returns false with *err. */
bool worker_start(struct worker *worker, struct err *err);

/** Requests the worker to stop; returns at once. */
void worker_stop(struct worker *worker);

/** Waits until a worker that was asked to stop has stopped. */
void worker_join(struct worker *worker);

/** Posts a snapshot to the worker and wakes it. */
void worker_post(struct worker *worker, const struct snapshot *snapshot);

/**
 * Requests a report from the worker. Not while worker_last_report is NULL; a worker that stops
 * fills the report first.
 */
void worker_request_report(struct worker *worker, const struct report_request *request,
                           uint64_t number);

/** The worker's last report; NULL while it is not ready. */
const struct worker_report *worker_last_report(const struct worker *worker);

/** Requests the worker to answer a query of its own (pulse.h). */
void worker_request_pulse(struct worker *worker);

/** True when the worker has answered the last request for its pulse, or there was none. */
bool worker_has_pulse(const struct worker *worker);

/** The generation that the worker answers from; 0 before the first. */
uint64_t worker_generation(const struct worker *worker);

/** The worker's counters. */
const struct stats *worker_stats(const struct worker *worker);

/** Requests that the kernel dropped because the worker was slower than they arrived. */
uint64_t worker_kernel_drops(const struct worker *worker);
