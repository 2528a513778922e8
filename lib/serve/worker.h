#pragma once
/**
 * One worker: a thread with a loop of its own, and its listeners on every address.
 *
 *     new (binds) → start (thread) → wake, wake, ... → stop (answers, drains) → join → free
 *          waiting: └─► answers its probe only ─► begin ┘ └► leave (hands over, drains) ─► ┘
 *
 * A worker that waits reads none of its sockets, which another process may still serve; it answers
 * at an address of its own on loopback, from its snapshot, so that it can be tried before it
 * begins.
 *
 * To leave is to stop while another process goes on: its sockets are read by that one from now on,
 * open connections are handed over to it, and what is left is answered, WORKER_DRAIN_MS at most.
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
#include "serve/inherited.h"
#include "serve/pulse.h"
#include "serve/worker_report.h"
#include "serve/xsk.h"

struct xdp;

enum { WORKER_DRAIN_MS = 2000, WORKER_DRAIN_TICK_MS = 10 };

struct worker_options {
    const struct settings *settings;
    struct standings *standings; /* of the settings' upstreams; NULL: not shared */
    struct querylog_ring *log;   /* NULL: nothing is logged */
    struct tap_feed *tap;        /* NULL: no dnstap */
    struct limit_tables *limits; /* of all workers; NULL: nobody is limited */
    /* On the worker's thread: */
    batch_on_adopted *on_adopted;      /* it has adopted a snapshot */
    void (*on_reports)(void *context); /* worker_last_report is ready */
    void (*on_limited)(void *context); /* worker_limits has clients */
    void (*on_flows)(void *context);   /* worker_flows has a table; NULL: flows are not counted */
    void *context;
    size_t number;               /* of this worker, of settings->workers */
    struct xdp *xdp;             /* interfaces whose frames it takes; NULL: none */
    struct inherited *inherited; /* sockets to take before any is bound; NULL: none */
    bool is_waiting;             /* until worker_begin */
    int connections; /* where connections are handed over to it (pass.h); -1: nowhere; borrowed */
};

/** Called for each socket that a worker listens on. */
typedef void worker_on_socket(void *context, enum listen_scheme scheme, size_t worker,
                              int descriptor);

struct worker;

/** Makes a worker and binds all its sockets. Returns NULL with *err. */
struct worker *worker_new(const struct worker_options *options, struct err *err);

/** Frees a worker that is not running. NULL is allowed. */
void worker_free(struct worker *worker);

/** Starts the thread. Returns false with *err. */
bool worker_start(struct worker *worker, struct err *err);

/** Requests a waiting worker to serve; returns at once. */
void worker_begin(struct worker *worker);

/** Where a waiting worker answers over UDP. */
const struct endpoint *worker_probe(const struct worker *worker);

/** Calls for each socket; they stay the worker's. Not after worker_stop or worker_leave. */
void worker_walk_sockets(const struct worker *worker, worker_on_socket *on_socket, void *context);

/** Requests the worker to stop; returns at once. */
void worker_stop(struct worker *worker);

/** Requests the worker to leave, handing connections over `channel`; returns at once. */
void worker_leave(struct worker *worker, int channel);

/** Waits until a worker that was asked to stop has stopped. */
void worker_join(struct worker *worker);

/** Posts the secrets of cookies to the worker and wakes it. */
void worker_set_cookies(struct worker *worker, const struct cookie_secrets *secrets);

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
void worker_request_pulse(struct worker *worker, enum pulse_asker asker);

/** True when the worker has answered the last request for its pulse, or there was none. */
bool worker_has_pulse(const struct worker *worker, enum pulse_asker asker);

/** The turn of the snapshot that the worker answers from; 0 before the first. */
uint64_t worker_turn(const struct worker *worker);

/** The worker's counters. */
const struct stats *worker_stats(const struct worker *worker);

/** The worker's limits, for limits_take_over. */
struct limits *worker_limits(struct worker *worker);

/** Requests the worker's flows (traffic/flows.h). Not if they are not counted. */
void worker_request_flows(struct worker *worker);

/** What clients have asked of the worker; NULL: not counted. */
struct flows *worker_flows(struct worker *worker);

/** Requests that the kernel dropped because the worker was slower than they arrived. */
uint64_t worker_kernel_drops(const struct worker *worker);

/** Adds to *sum what the kernel has counted of the worker's frames. */
void worker_add_frames(const struct worker *worker, struct xsk_statistics *sum);
