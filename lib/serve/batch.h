#pragma once
/**
 * The requests that are answered together, and what one worker answers from.
 *
 * UDP and TCP fill the exchanges of the worker's one batch, then
 *
 *     batch_begin → batch_prepare → batch_finish for each → batch_end
 *
 * The three passes (prepare, prefetch, finish) let memory arrive for one request while another is
 * worked on. A batch answers from one snapshot: the newest is taken in batch_begin only.
 *
 * A request whose answer is an upstream's and not at hand is deferred: batch_finish returns 0, and
 * the reply comes through the reply_sink after the batch. When the upstreams are others before
 * that, the request is decided anew and perhaps deferred again: whoever waits gets a reply.
 *
 * Threads: one batch per worker, used on its thread.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/mailbox.h"
#include "respond/respond.h"
#include "serve/deferred.h"
#include "serve/querylog.h"
#include "stats/stats.h"

enum { BATCH_MOST = 64 };

typedef void batch_on_adopted(void *context);

struct batch {
    const struct snapshot *snapshot;
    struct mailbox *mailbox;
    struct stats *stats;
    struct querylog_ring *log; /* NULL: off */
    struct forward *forward;   /* NULL: nobody is asked for what is not ours */
    struct deferred *deferred; /* with `forward` */
    bool is_stopping;          /* nobody is asked, for the server ends */
    batch_on_adopted *on_adopted;
    void *context;
    uint32_t rotation;
    int64_t begun_us; /* only with a log */
    struct exchange exchanges[BATCH_MOST];
};

/** Takes the newest snapshot if there is one, and tells so. */
void batch_adopt(struct batch *batch);

/**
 * Has what is not ours asked of others, or of nobody (`forward` NULL); not within a batch, but for
 * its beginning. Those who wait in `deferred` stay there.
 */
void batch_set_forward(struct batch *batch, struct forward *forward, struct deferred *deferred);

/** Begins; also with nothing to answer. `now_ms` is the loop's time. */
void batch_begin(struct batch *batch, uint64_t now_ms);

/** First and second pass over the first `count` exchanges. */
void batch_prepare(struct batch *batch, size_t count);

/**
 * Third pass for one exchange, whose reply buffer is set; counts and logs it. Returns the reply's
 * length, 0 when there is none, or none yet: then the exchange says `is_deferred`.
 */
size_t batch_finish(struct batch *batch, size_t number, const struct endpoint *client,
                    struct reply_sink *reply_sink);

/** Ends, after the replies have left. */
void batch_end(struct batch *batch);

/** forward_on_result, with the batch as context: replies to all who waited. Not within a batch. */
void batch_on_result(void *context, struct waiter *waiters, const struct forward_result *found);

/**
 * Asks anew for those who waited for upstreams that are asked no more, or replies with what the
 * newest snapshot says. Not within a batch.
 */
void batch_ask_again(struct batch *batch, struct waiter *waiters);

/** Fills in where a request came from; IPv6 loopback counts as loopback. */
void path_set_source(struct path *path, const struct endpoint *source);
