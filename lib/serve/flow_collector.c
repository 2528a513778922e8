#include "serve/flow_collector.h"

enum { INTERVAL_MS = 1000, LONG_INTERVAL_MS = 8000, MANY = 2000 };

void flow_collector_init(struct flow_collector *collector, uv_loop_t *loop,
                         flow_collector_on_table *on_table, void *context)
{
    collector->on_table = on_table;
    collector->context = context;
    uv_timer_init(loop, &collector->timer);
    uv_unref((uv_handle_t *)&collector->timer);
    collector->timer.data = collector;
}

void flow_collector_set_workers(struct flow_collector *collector, struct worker **workers,
                                size_t count)
{
    if (collector->on_table == NULL)
        return;
    collector->workers = workers;
    collector->worker_count = count;
}

void flow_collector_take(struct flow_collector *collector)
{
    for (size_t i = 0; i < collector->worker_count; i++) {
        struct flows *flows = worker_flows(collector->workers[i]);
        const struct flow_table *table;
        while ((table = flows_take(flows)) != NULL) {
            collector->on_table(collector->context, table);
            collector->taken += table->used;
            flows_return(flows);
        }
        if (flows_is_requested(flows)) /* it may have waited for that table */
            worker_request_flows(collector->workers[i]);
    }
}

static void flow_collector_on_tick(uv_timer_t *timer)
{
    struct flow_collector *collector = timer->data;
    bool has_many = collector->taken >= MANY;

    collector->taken = 0;
    for (size_t i = 0; i < collector->worker_count; i++)
        worker_request_flows(collector->workers[i]);
    uv_timer_start(timer, flow_collector_on_tick, has_many ? LONG_INTERVAL_MS : INTERVAL_MS, 0);
}

void flow_collector_start(struct flow_collector *collector)
{
    if (collector->on_table != NULL)
        uv_timer_start(&collector->timer, flow_collector_on_tick, INTERVAL_MS, 0);
}

void flow_collector_stop(struct flow_collector *collector)
{
    uv_timer_stop(&collector->timer);
    flow_collector_take(collector);
    for (size_t i = 0; i < collector->worker_count; i++) {
        flows_request(worker_flows(collector->workers[i]));
        flows_answer(worker_flows(collector->workers[i]));
    }
    flow_collector_take(collector);
}

uint64_t flow_collector_oldest(const struct flow_collector *collector)
{
    uint64_t oldest = UINT64_MAX;

    for (size_t i = 0; i < collector->worker_count; i++) {
        uint64_t turn = flows_oldest(worker_flows(collector->workers[i]));
        oldest = turn < oldest ? turn : oldest;
    }
    return oldest;
}
