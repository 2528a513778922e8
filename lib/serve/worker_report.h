#pragma once
/**
 * A report on one worker: state that only the worker knows, copied on its own thread.
 *
 *     control thread   worker_report_request, wake ─┐                  ┌─► worker_report_is_ready
 *     worker                                        └─► ..._fill, wake ┘
 *
 * A report has one owner at a time, by `is_asked`: the worker from worker_report_request to
 * worker_report_fill, the control thread otherwise. Its contents are copies: nothing in it points
 * into the worker or the settings.
 *
 * Threads: worker_report_fill on the worker's, the rest on the control thread.  Memory: never
 * allocates.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/alias.h"
#include "decide/outcome.h"
#include "forward/format.h"
#include "forward/forward.h"
#include "respond/dead_apps.h"
#include "respond/limited.h"
#include "serve/batch.h"
#include "wire/query.h"

enum {
    REPORT_TEXT_OCTETS = 256,
    REPORT_SERVER_OCTETS = 80,
    REPORT_NAME_OCTETS = 256,
    REPORT_USES_MOST = UPSTREAM_ZONES_MOST * UPSTREAMS_MOST,
};

/** What to report besides the state of the upstreams. */
struct report_request {
    /*
     * Report its cached answer, or that of its aliases' target, if it is forwarded for this client.
     */
    bool has_query;
    struct query query;
    struct path path;
    struct sweep sweep; /* what to list of the cache, or to remove: by one worker for all */
};

/** One upstream as the worker sees it. */
struct reported_server {
    char text[REPORT_SERVER_OCTETS];
    uint64_t routes; /* bit per number of a route that names it */
    enum resolver_state state;
    uint32_t rtt_ms; /* smoothed, once there was a reply */
    bool has_rtt;
};

/** How often a server was asked for the names of one zone. */
struct reported_use {
    uint8_t route;  /* number in the snapshot's policy */
    uint8_t server; /* index of the reported one */
    struct resolver_use use;
};

/** The apps with a raised negative TTL (respond/dead_apps.h). */
struct reported_raised {
    const struct app_entry *apps[DEAD_APPS]; /* to be compared with other workers', never read */
    size_t count;
    uint32_t longest_seconds; /* the longest TTL, and an app that has it: */
    char app[REPORT_NAME_OCTETS];
    char space[REPORT_NAME_OCTETS];
};

struct worker_report {
    _Atomic bool is_asked;
    uint64_t number; /* of the request, set by the control thread */
    bool is_begun;
    bool has_claimed;              /* the cache: this worker sweeps it, and reports its use */
    struct report_request request; /* with what the sweep has done */

    /* The report. */
    uint64_t generation;    /* of the worker's snapshot; 0: none yet */
    bool has_forward;       /* names are forwarded at all */
    struct cache_use cache; /* zeros unless it has claimed the cache */
    struct reported_server servers[RESOLVERS_MOST];
    size_t server_count;
    struct reported_use uses[REPORT_USES_MOST];
    size_t use_count;
    struct reported_raised raised;
    struct limited_list clients;  /* limited in the last minute, by limits_who ... */
    struct limited_list networks; /* ... and outsiders */
    uint32_t raised_ttl_seconds;  /* of the app that the query leads to; 0: not raised */
    struct alias_hops hops;       /* where the query's aliases in cached answers lead */
    bool is_forwarded; /* the query or a name its aliases lead to; then, of the last such name: */
    bool has_outcome;  /* what is cached is withheld, or has failed */
    struct upstream_outcome outcome;
    char server[REPORT_TEXT_OCTETS]; /* the outcome's */
    uint8_t route;
    char upstreams[REPORT_TEXT_OCTETS]; /* as in _why: "upstreams=10.0.0.2 up 3ms" */
    char cached[REPORT_TEXT_OCTETS];    /* and "cached=fresh ttl=23" */
    struct cached_state kept;
};

/** Hands the report to the worker; the caller wakes it. Not while a request is open. */
void worker_report_request(struct worker_report *report, const struct report_request *request,
                           uint64_t number);

/** True when the report is filled, or was never requested. */
bool worker_report_is_ready(const struct worker_report *report);

/**
 * Goes on with the report's sweep, then fills the report from the worker's batch, whose snapshot,
 * forwarder and limits may be NULL. `now_ms` is the loop's time. Returns false while the sweep goes
 * on: call it again, soon.
 */
bool worker_report_fill(struct worker_report *report, const struct batch *batch, uint64_t now_ms);
