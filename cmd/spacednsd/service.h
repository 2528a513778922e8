#pragma once
/**
 * The server as a service: what the service manager is notified of, and when.
 *
 *     service_load ─► service_ready ─► service_reload ─► service_ready ─► ... ─► service_stop
 *      EXTEND_TIMEOUT     READY           RELOADING           READY               STOPPING
 *
 * READY is sent once every worker answers from the first snapshot. With the manager's watchdog on,
 * WATCHDOG follows as long as every worker keeps answering queries of its own (serve/pulse.h): four
 * times in each of the manager's periods they are requested, and the manager is notified only when
 * all those requested before have been answered. A worker that stands still is logged as
 * worker_silent, and the manager restarts the server.
 *
 * A start and a reload that take long extend the manager's timeouts, SERVICE_LOAD_MOST_MS at most;
 * a start that waits for the registry, as long as it waits.
 *
 * Without a manager every call does nothing.
 *
 * Threads: the control thread; a start is watched by a thread of its own, which service_loaded
 * ends.  Memory: none.
 */
#include <uv.h>

#include "spacednsd/notify.h"
#include "spacednsd/status_source.h"

enum {
    SERVICE_EXTEND_MS = 5000,      /* between two extensions */
    SERVICE_EXTENSION_MS = 60000,  /* what one adds */
    SERVICE_LOAD_MOST_MS = 900000, /* after that the manager's own patience counts */
};

struct service {
    struct notify notify;
    unsigned extend_ms; /* SERVICE_EXTEND_MS, or a test's */
    /* Of a start. */
    bool is_loading;
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t condition;
    bool is_loaded; /* under the mutex */
    /* Of a running server. */
    struct server *server;
    uv_timer_t watchdog;
    uv_timer_t upkeep; /* flushes, and extends reloads */
    bool has_timers;
    bool is_silent;             /* and that is logged */
    unsigned reload_extensions; /* left for the reload under way */
    bool is_waiting;
};

/** Opens the manager's socket. */
void service_open(struct service *service);

/** The first loading begins, on the calling thread. Each call needs a service_loaded. */
void service_load(struct service *service, const char *zones);

/** It has ended, well or not. */
void service_loaded(struct service *service);

/** Gives the manager the sockets of a server that serves, for a restart without a gap. */
void service_store(struct service *service, const struct server *server);

/** The same for a socket of HTTP; one of a path is left out, for the path goes with the server. */
void service_store_http(struct service *service, int descriptor);

/** The manager need not keep the sockets of that name any more; before service_store. */
void service_unstore(struct service *service, const char *name);

/** Starts the timers of a server that runs; `server` and the loop are borrowed. */
void service_start(struct service *service, uv_loop_t *loop, struct server *server);

/**
 * The server runs and has nothing to serve yet: the manager is to go on waiting, however long it
 * takes; until service_ready.
 */
void service_wait(struct service *service, const char *what_for);

/** Every worker answers from the current snapshot, or a reload has ended otherwise. */
void service_ready(struct service *service, const struct reload_last *last);

/** A reload begins. */
void service_reload(struct service *service);

/** Another process serves from now on: closes the timers. To be called before server_leave. */
void service_hand_over(struct service *service, pid_t pid);

/**
 * This process ends, and the service goes on in the one that it was to replace: closes the timers,
 * and lets the manager notice nothing. To be called before server_stop.
 */
void service_give_up(struct service *service);

/** The server stops: closes the timers. To be called before server_stop. */
void service_stop(struct service *service);

void service_close(struct service *service);
