#pragma once
/**
 * All workers together: they are bound, get snapshots and are stopped at once.
 *
 *     new (binds everything) → publish (the first snapshot) → start → publish ... → stop → free
 *
 * The server owns every snapshot that was published. It frees one when every worker answers from a
 * later generation, and only in server_reclaim, since loading a snapshot touches what older ones
 * share with it.
 *
 * Threads: the control thread, whose loop is given; the server does not keep it running.
 * Memory: workers and snapshots.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "answer/snapshot.h"
#include "base/err.h"
#include "config/settings.h"
#include "serve/querylog.h"
#include "serve/worker.h"
#include "serve/worker_report.h"
#include "serve/xdp.h"
#include "stats/stats.h"
#include "wire/cookie.h"

/** Called on the control thread once every worker answers from the snapshot published last. */
typedef void server_on_adopted(void *context, uint64_t generation);

/** Called on the control thread once every worker's report is ready. */
typedef void server_on_reports(void *context);

/**
 * Called on the control thread with what clients have asked of one worker; borrowed for the call.
 * Soon after it was asked: every second, or every eight seconds while there is much; before
 * on_reports, all that was asked before the request for the reports; the rest when the server
 * stops.
 */
typedef void server_on_flows(void *context, const struct flow_table *table);

/** Called on the control thread when a reader of the query log has something to take. */
typedef void server_on_lines(void *context);

struct server_options {
    const struct settings *settings;
    uv_loop_t *loop;
    int log_descriptor; /* for query lines */
    server_on_adopted *on_adopted;
    server_on_reports *on_reports; /* NULL: server_request_reports is never called */
    server_on_flows *on_flows;     /* NULL: flows are not counted */
    server_on_lines *on_lines;     /* NULL: nobody reads the query log */
    void *context;
    struct inherited *inherited; /* sockets that need not be bound; NULL: none */
    bool is_waiting;             /* serves nothing until server_begin (worker.h) */
    int connections;             /* if there are inherited sockets: as in struct worker_options */
    const struct freshness *freshness; /* for every snapshot; NULL: there is no registry */
};

struct server;

/** Binds every address for every worker. Returns NULL with *err and nothing bound. */
struct server *server_new(const struct server_options *options, struct err *err);

/** Takes a snapshot over and hands it to every worker. */
void server_publish(struct server *server, struct snapshot *snapshot);

/** Starts the workers; until then the server has no threads. Returns false with *err and none
 * running. */
bool server_start(struct server *server, struct err *err);

/** Begins to serve, for a server that waits. */
void server_begin(struct server *server);

/** Where a worker of a server that waits answers over UDP. */
const struct endpoint *server_probe(const struct server *server, size_t worker);

/** Calls for every socket of every worker. Not after server_stop or server_leave. */
void server_walk_sockets(const struct server *server, worker_on_socket *on_socket, void *context);

/** Hands the secrets of cookies to every worker; none, as before the first call: cookies are off.
 */
void server_set_cookies(struct server *server, const struct cookie_secrets *secrets);

/** Writes the query log by these settings from now on. Not after server_stop. */
void server_set_log(struct server *server, const struct settings *settings);

/** The query log; NULL after server_stop and server_leave. */
struct querylog *server_log(const struct server *server);

/** Frees the snapshots that no worker answers from. Not while a snapshot is being loaded. */
void server_reclaim(struct server *server);

/** Keeps one published snapshot from being freed, until another is pinned; NULL: none. */
void server_pin(struct server *server, const struct snapshot *snapshot);

/** The number of snapshots that are not freed yet. */
size_t server_snapshot_count(const struct server *server);

/** The snapshot published last, or NULL. */
const struct snapshot *server_current(const struct server *server);

/**
 * Requests a report from every worker; one whose previous report is not ready is left out. Not
 * after server_stop.
 */
void server_request_reports(struct server *server, const struct report_request *request);

/** The number of workers, as set at the start; they are numbered from 0. */
size_t server_worker_count(const struct server *server);

/** A worker's report on the last request; NULL while it is not ready. */
const struct worker_report *server_worker_report(const struct server *server, size_t worker);

/**
 * Requests every worker to answer a query of its own (pulse.h); before the report that is requested
 * next. Not after server_stop.
 */
void server_request_pulses(struct server *server, enum pulse_asker asker);

/** True when the worker has answered since the asker's last request, or there was none. */
bool server_has_pulse(const struct server *server, size_t worker, enum pulse_asker asker);

/** The network interfaces whose queries come past the kernel's sockets. */
const struct xdp *server_xdp(const struct server *server);

/** Adds up what all workers, their sockets, the query log and the snapshot have counted. */
void server_sum(const struct server *server, struct totals *totals);

/**
 * Stops gracefully: answers requests that have arrived, joins every worker, writes the query log.
 */
void server_stop(struct server *server);

/**
 * Stops while another process serves the same sockets: hands open connections over `channel`,
 * answers what is left, joins every worker, writes the query log (worker.h).
 */
void server_leave(struct server *server, int channel);

/**
 * Frees a stopped server and every snapshot. Its handles on the loop are closed by the loop's next
 * turn. NULL is allowed.
 */
void server_free(struct server *server);
