// wrap: worker_flows worker_request_flows uv_timer_start uv_timer_stop
// forks: its tests leave something behind
#include "serve/flow_collector.h"

#include <stdlib.h>

#include "support/flowing.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

enum { WORKERS = 3 };

static uv_loop_t loop;
static struct snapshot *snapshot;
static struct flowing workers[WORKERS];
static struct flow_collector collector;
static uint64_t counted;
static unsigned tables;

/* The timer, which never runs: its callback and the time that it was started for. */
static uv_timer_cb on_due;
static uint64_t due_ms;
static unsigned requested;

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms, uint64_t repeat);
int __wrap_uv_timer_stop(uv_timer_t *timer);
struct flows *__wrap_worker_flows(struct worker *worker);
void __wrap_worker_request_flows(struct worker *worker);

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms, uint64_t repeat)
{
    (void)timer;
    ck_assert_uint_eq(repeat, 0);
    on_due = callback;
    due_ms = ms;
    return 0;
}

int __wrap_uv_timer_stop(uv_timer_t *timer)
{
    (void)timer;
    on_due = NULL;
    return 0;
}

/* The workers are tables of flows here. */
struct flows *__wrap_worker_flows(struct worker *worker)
{
    return ((struct flowing *)(void *)worker)->flows;
}

/* A worker that is awake. */
void __wrap_worker_request_flows(struct worker *worker)
{
    requested++;
    flows_request(__wrap_worker_flows(worker));
    flows_answer(__wrap_worker_flows(worker));
}

static void on_table(void *context, const struct flow_table *table)
{
    ck_assert_ptr_eq(context, &counted);
    tables++;
    for (uint32_t i = 0; i < table->used; i++)
        counted += table->flows[table->slots[i]].count;
}

static struct worker *pointers[WORKERS];

static void set_up(void)
{
    char *text = zone_text("zones/test-space.yaml");
    struct policy policy = policy_usual();

    snapshot = snapshot_of_texts(&policy, (const char *const[]){text}, 1);
    free(text);
    for (size_t i = 0; i < WORKERS; i++) {
        flowing_init(&workers[i], snapshot);
        pointers[i] = (struct worker *)(void *)&workers[i];
    }
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    flow_collector_init(&collector, &loop, on_table, &counted);
    flow_collector_set_workers(&collector, pointers, WORKERS);
}

static void tear_down(void)
{
    uv_close((uv_handle_t *)&collector.timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    for (size_t i = 0; i < WORKERS; i++)
        flowing_close(&workers[i]);
    snapshot_free(snapshot);
}

FIXTURE(set_up, tear_down)

/* Flows of so many different names. */
static void ask_for(struct flowing *worker, unsigned names)
{
    char name[32];

    for (unsigned i = 0; i < names; i++) {
        snprintf(name, sizeof name, "n%u.example.org", i);
        flowing_foreign(worker, "10.0.130.56", name, RCODE_NOERROR);
    }
}

static void tick(void)
{
    on_due(&collector.timer);
    flow_collector_take(&collector);
}

TEST(flows_of_all_workers_are_requested_each_second)
{
    flow_collector_start(&collector);
    ck_assert_uint_eq(due_ms, 1000);
    ask_for(&workers[0], 2);
    ask_for(&workers[2], 3);
    for (unsigned seconds = 1; seconds <= 3; seconds++) {
        tick();
        ck_assert_uint_eq(requested, seconds * WORKERS);
        ck_assert_uint_eq(due_ms, 1000);
    }
    ck_assert_uint_eq(counted, 5);
    ck_assert_uint_eq(tables, 2); /* empty ones are not handed over */
}

TEST(while_there_are_many_they_are_requested_less_often)
{
    flow_collector_start(&collector);
    ask_for(&workers[0], 1000);
    ask_for(&workers[1], 1000);
    tick();
    tick(); /* knows of these */
    ck_assert_uint_eq(due_ms, 8000);
    tick();
    ck_assert_uint_eq(due_ms, 1000);
    ck_assert_uint_eq(counted, 2000);
}

TEST(a_worker_may_count_on_once_its_table_is_taken)
{
    for (unsigned round = 1; round <= 5; round++) {
        ask_for(&workers[1], 4);
        __wrap_worker_request_flows(pointers[1]);
        flow_collector_take(&collector);
        ck_assert_uint_eq(counted, round * 4U);
    }
}

TEST(the_end_takes_what_was_handed_over_and_what_was_not)
{
    flow_collector_start(&collector);
    ask_for(&workers[1], 4);
    __wrap_worker_request_flows(pointers[1]);
    ask_for(&workers[1], 5);
    ask_for(&workers[2], 6);
    flow_collector_stop(&collector);
    ck_assert_uint_eq(counted, 15);
    ck_assert(on_due == NULL);
}

TEST(the_oldest_generation_is_that_of_any_worker)
{
    struct snapshot newer = *snapshot;

    newer.turn = snapshot->turn + 5;
    ck_assert_uint_eq(flow_collector_oldest(&collector), snapshot->turn);
    for (size_t i = 0; i < WORKERS; i++)
        flows_adopt(workers[i].flows, i == 1 ? snapshot : &newer);
    ck_assert_uint_eq(flow_collector_oldest(&collector), snapshot->turn);
    flows_adopt(workers[1].flows, &newer);
    ck_assert_uint_eq(flow_collector_oldest(&collector), newer.turn);
}

TEST(without_a_callback_nothing_is_counted)
{
    static struct flow_collector none;

    flow_collector_init(&none, &loop, NULL, NULL);
    flow_collector_set_workers(&none, pointers, WORKERS);
    flow_collector_start(&none);
    ck_assert(on_due == NULL);
    ask_for(&workers[0], 2);
    __wrap_worker_request_flows(pointers[0]);
    flow_collector_take(&none);
    ck_assert_uint_eq(counted, 0);
    ck_assert_uint_eq(flow_collector_oldest(&none), UINT64_MAX);
    uv_close((uv_handle_t *)&none.timer, NULL);
}
