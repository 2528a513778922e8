#pragma once
/**
 * A server without workers, for tests of what the control thread does with one. A program links it
 * by
 *
 *     wrap: server_current server_publish server_reclaim server_worker_count
 *
 * and the other functions of serve/server.h below that it needs. A test publishes by
 * server_script.current, or sees what was published there.
 *
 * Threads: one.
 */
#include "serve/server.h"

enum { SCRIPT_WORKERS_MOST = 4 };

extern struct server_script {
    struct snapshot *current;
    struct snapshot *previous; /* freed by server_reclaim */
    unsigned publications;
    size_t worker_count;
    const struct worker_report *reports[SCRIPT_WORKERS_MOST]; /* NULL: silent */
    struct totals totals;
    unsigned log_queries; /* what server_set_log was given last */
} server_script;

/** What a server is passed as; it is never read. */
struct server *server_script_server(void);

/** Frees the snapshots, and starts anew. */
void server_script_close(void);
