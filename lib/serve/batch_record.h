#pragma once
/**
 * What is kept of a request once it is over; a part of batch.c:
 *
 *     counters, by class, transport, rcode and reason   stats
 *     who asks what                                     flows
 *     a line, if the log wants one of its kind          log
 *     a message, of one request in dnstap_sample        tap
 *
 * All are made from the verdict that made the reply, so none can differ from it.
 *
 * Threads: the worker's.  Memory: never allocates; what has no room is counted as dropped.
 */
#include "base/endpoint.h"
#include "serve/batch.h"

/** A reply that is written. `begun_ns`: when the request came, by clock_monotonic_ns. */
void batch_record_reply(struct batch *batch, const struct exchange *exchange,
                        const struct endpoint *client, uint64_t begun_ns);

/** A request of this batch that gets none: for its client's rate, or because it is no query. */
void batch_record_dropped(struct batch *batch, const struct exchange *exchange,
                          const struct endpoint *client);
