#pragma once
/**
 * Takes the flows of all workers (traffic/flows.h) every second, or every eight while there is
 * much: adding flows up costs the more, the fewer replies each of them counts.
 *
 * Threads: the control thread.  Memory: the workers' tables, borrowed for each call.
 */
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "serve/worker.h"
#include "traffic/flows.h"

typedef void flow_collector_on_table(void *context, const struct flow_table *table);

struct flow_collector {
    uv_timer_t timer;                  /* does not keep the loop running; its owner closes it */
    flow_collector_on_table *on_table; /* NULL: flows are not counted */
    void *context;
    struct worker **workers;
    size_t worker_count;
    size_t taken; /* flows, since the timer was started */
};

/** Begins without workers. on_table: NULL if flows are not counted, then every call does nothing.
 */
void flow_collector_init(struct flow_collector *collector, uv_loop_t *loop,
                         flow_collector_on_table *on_table, void *context);

/** Sets the workers, which are borrowed. */
void flow_collector_set_workers(struct flow_collector *collector, struct worker **workers,
                                size_t count);

/** Begins to request flows. */
void flow_collector_start(struct flow_collector *collector);

/** Takes what the workers have handed over. */
void flow_collector_take(struct flow_collector *collector);

/** Takes all that is left, once the workers have been joined; requests nothing any more. */
void flow_collector_stop(struct flow_collector *collector);

/** The oldest turn (snapshot.h) that flows refer to: those not taken, too. UINT64_MAX: none. */
uint64_t flow_collector_oldest(const struct flow_collector *collector);
