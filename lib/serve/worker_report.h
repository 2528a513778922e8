#pragma once
/**
 * A look into one worker: what only it knows, copied out on its own thread.
 *
 *     control thread   worker_report_request, wake ──┐                      ┌──►
 * worker_report_is_ready, reads worker                            └──► worker_report_fill, tell ┘
 *
 * A look has one owner at a time, and `is_asked` says who: the worker from worker_report_request to
 * worker_report_fill, the control thread otherwise. What is told is the look's own: nothing in it
 * points into what the worker or the settings have.
 *
 * Threads: worker_report_fill on the worker's, the rest on the control thread.  Memory: never
 * allocates.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/alias.h"
#include "forward/forward.h"
#include "wire/query.h"

enum { REPORT_TEXT_OCTETS = 256, REPORT_SERVER_OCTETS = 80 };

/** What is to be looked for besides how the upstreams are. */
struct report_request {
    /* What is kept for it, or what its aliases lead to, if the client gets that from upstreams. */
    bool has_query;
    struct query query;
    struct path path;
};

/** One upstream as the worker sees it. */
struct reported_server {
    char text[REPORT_SERVER_OCTETS];
    uint64_t routes;   /* bit per number of a route that it is asked for */
    const char *state; /* as resolver_state_text says */
    uint32_t rtt_ms;   /* smoothed, once there was a reply */
    bool has_rtt;
};

struct worker_report {
    _Atomic bool is_asked;
    uint64_t number; /* of the request; the control thread's */
    struct report_request request;

    /* What is told. */
    uint64_t generation; /* that the worker answers from; 0: none yet */
    bool has_forward;    /* upstreams are asked at all */
    struct cache_use cache;
    struct reported_server servers[RESOLVERS_MOST];
    size_t server_count;
    struct alias_hops hops; /* where the query's aliases lead on by what is kept */
    bool is_forwarded;      /* the query, if by a hop only in part; then, of the last such name: */
    bool is_withheld;       /* what is kept of it is not passed on */
    uint8_t route;
    char upstreams[REPORT_TEXT_OCTETS]; /* as in _why: "upstreams=10.0.0.2 up 3ms" */
    char cached[REPORT_TEXT_OCTETS];    /* and "cached=fresh ttl=23" */
    struct kept_state kept;
};

/** Hands the look to the worker, to be woken then. Not while it is asked. */
void worker_report_request(struct worker_report *report, const struct report_request *request,
                           uint64_t number);

/** True when the worker has told what it was asked, or was never asked. */
bool worker_report_is_ready(const struct worker_report *report);

/**
 * Tells what was asked, from the snapshot (or NULL) and the forwarder (or NULL) that the worker
 * answers with.
 */
void worker_report_fill(struct worker_report *report, const struct snapshot *snapshot,
                        const struct forward *forward);
