#pragma once
/**
 * Requests that are answered together, and the snapshot that one worker answers from.
 *
 * UDP and TCP fill the exchanges of the worker's one batch, then
 *
 *     batch_begin → batch_prepare → batch_finish for each → batch_end
 *
 * The three passes (prepare, prefetch, finish) let memory arrive for one request while another is
 * worked on. A batch answers from one snapshot: the newest is taken in batch_begin only.
 *
 * A request that needs an upstream's answer which is not cached is deferred: batch_finish returns
 * 0, and the reply is sent through the carrier after the batch. If the upstreams change before
 * that, the request is decided again and may be deferred again: every client that waits gets a
 * reply.
 *
 * Threads: one batch per worker, used on its thread.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/mailbox.h"
#include "respond/dead_apps.h"
#include "respond/limits.h"
#include "respond/respond.h"
#include "serve/deferred.h"
#include "serve/querylog_ring.h"
#include "stats/stats.h"
#include "tap/tap.h"
#include "traffic/flows.h"

enum { BATCH_MOST = 64 };

typedef void batch_on_adopted(void *context);

struct batch {
    const struct snapshot *snapshot;
    struct mailbox *mailbox;
    struct stats *stats;
    struct querylog_ring *log; /* NULL: nothing is logged */
    struct tap_feed *tap;      /* NULL: no dnstap */
    struct dnstap_origin tap_origin;
    struct forward *forward;   /* NULL: other names are not forwarded */
    struct deferred *deferred; /* with `forward` */
    struct limits *limits;     /* NULL: nobody is limited */
    struct flows *flows;       /* NULL: who asks what is not counted */
    struct dead_apps dead_apps;
    struct cookie_server cookies;
    uint64_t wall_read_ms; /* when the time of day is read again */
    int64_t wall_ahead_us; /* of the monotonic clock, when it was read last */
    bool is_stopping;      /* the server stops; nothing is forwarded */
    batch_on_adopted *on_adopted;
    void *context;
    uint32_t rotation;
    uint64_t begun_ns;
    uint64_t answered_ns;            /* of the replies that dnstap has; 0: not read yet */
    unsigned replies[STATS_SOURCES]; /* counted since the batch began */
    struct exchange exchanges[BATCH_MOST];
};

/** Takes the newest snapshot if there is one, and calls on_adopted. */
void batch_adopt(struct batch *batch);

/**
 * Sets the forwarder for names that are not ours (NULL: none). Not within a batch except at its
 * beginning. Requests waiting in `deferred` stay there.
 */
void batch_set_forward(struct batch *batch, struct forward *forward, struct deferred *deferred);

/** Lets the negative TTL of dead apps rise (respond/dead_apps.h); `workers` share their rate. */
void batch_watch_dead_apps(struct batch *batch, unsigned workers);

/** Sets the secrets of cookies; at the start there are none, and cookies are ignored. */
void batch_set_cookies(struct batch *batch, const struct cookie_secrets *secrets);

/** Counts who asks what; before the first snapshot is adopted. */
void batch_set_flows(struct batch *batch, struct flows *flows);

/** Sets the limits of the clients' rates. */
void batch_set_limits(struct batch *batch, struct limits *limits);

/** Begins a batch, which may be empty. `now_ms` is the loop's time. */
void batch_begin(struct batch *batch, uint64_t now_ms);

/** First and second pass over the first `count` exchanges. */
void batch_prepare(struct batch *batch, size_t count);

/**
 * Third pass for one exchange, whose reply buffer is set; counts and logs it. Returns the reply's
 * length, 0 when there is none, or none yet: then `is_deferred` of the exchange is set.
 */
size_t batch_finish(struct batch *batch, size_t number, const struct endpoint *client,
                    struct carrier *carrier);

/** Ends the batch, after the replies have been sent. */
void batch_end(struct batch *batch);

/**
 * The forwarder's on_result, with the batch as context: replies to all waiting clients. Not within
 * a batch.
 */
void batch_on_result(void *context, struct waiter *waiters, const struct forward_result *found);

/**
 * Decides the requests again that waited for upstreams no longer in use: they are forwarded again
 * or answered from the newest snapshot. Not within a batch.
 */
void batch_decide_again(struct batch *batch, struct waiter *waiters);

/** Sets the source of a request; IPv6 loopback counts as loopback. */
void path_set_source(struct path *path, const struct endpoint *source);
