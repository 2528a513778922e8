#pragma once
/**
 * A look into one worker: what only it knows, copied out on its own thread.
 *
 *     control thread   look_ask, wake ──┐                      ┌──► look_is_told, reads
 *     worker                            └──► look_answer, tell ┘
 *
 * A look has one owner at a time, and `is_asked` says who: the worker from look_ask to look_answer,
 * the control thread otherwise. What is told is the look's own: nothing in it points into what the
 * worker or the settings have.
 *
 * Threads: look_answer on the worker's, the rest on the control thread.  Memory: never allocates.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/alias.h"
#include "forward/forward.h"
#include "wire/query.h"

enum { LOOK_TEXT_OCTETS = 256, LOOK_SERVER_OCTETS = 80 };

/** What is to be looked for besides how the upstreams are. */
struct look_request {
    /* What is kept for it, or what its aliases lead to, if the client gets that from upstreams. */
    bool has_query;
    struct query query;
    struct path path;
};

/** One upstream as the worker sees it. */
struct look_server {
    char text[LOOK_SERVER_OCTETS];
    uint64_t routes;   /* bit per number of a route that it is asked for */
    const char *state; /* as tell_state says */
    uint32_t rtt_ms;   /* smoothed, once there was a reply */
    bool has_rtt;
};

struct look {
    _Atomic bool is_asked;
    uint64_t number; /* of the request; the control thread's */
    struct look_request request;

    /* What is told. */
    uint64_t generation; /* that the worker answers from; 0: none yet */
    bool has_forward;    /* upstreams are asked at all */
    struct cache_use cache;
    struct look_server servers[RESOLVERS_MOST];
    size_t server_count;
    struct alias_hops hops; /* where the query's aliases lead on by what is kept */
    bool is_forwarded;      /* the query, if by a hop only in part; then, of the last such name: */
    bool is_withheld;       /* what is kept of it is not passed on */
    uint8_t route;
    char upstreams[LOOK_TEXT_OCTETS]; /* as in _why: "upstreams=10.0.0.2 up 3ms" */
    char cached[LOOK_TEXT_OCTETS];    /* and "cached=fresh ttl=23" */
    struct tell_kept kept;
};

/** Hands the look to the worker, to be woken then. Not while it is asked. */
void look_ask(struct look *look, const struct look_request *request, uint64_t number);

/** True when the worker has told what it was asked, or was never asked. */
bool look_is_told(const struct look *look);

/**
 * Tells what was asked, from the snapshot (or NULL) and the forwarder (or NULL) that the worker
 * answers with.
 */
void look_answer(struct look *look, const struct snapshot *snapshot, const struct forward *forward);
