// wrap: server_current server_worker_count server_worker_report server_sum
// wrap: inspection_add_visit uv_timer_start
// wrap: call_begin_stream call_is_ready call_send call_finish
#include "spacednsd/top_calls.h"

#include <string.h>

#include "control/control_stream.h"
#include "support/asked.h"
#include "support/server_script.h"
#include "support/suite.h"
#include "support/zones.h"

enum { CALLS = 3 };

static struct policy policy;
static struct worker_report report;
static struct reload_last last;
static struct reload_history history;
static struct usage_keeping keeping;
static struct status_source source;
static struct top_calls calls;
static uv_loop_t loop;
static uv_timer_cb on_tick;
static struct inspection inspection;
static struct inspection_visit *visit; /* that waits for reports; NULL: none */
static unsigned visits;
static struct asked asked[CALLS];
static struct call_stream streams[CALLS];
static bool is_busy[CALLS]; /* it has not read yet */
static unsigned sent[CALLS];
static bool has_places;

void __wrap_inspection_add_visit(struct inspection *to, struct inspection_visit *added);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t ms, uint64_t repeat);
bool __wrap_call_begin_stream(struct call *call, const struct call_stream *stream);
bool __wrap_call_is_ready(const struct call *call);
void __wrap_call_send(struct call *call);

void __wrap_inspection_add_visit(struct inspection *to, struct inspection_visit *added)
{
    ck_assert_ptr_eq(to, &inspection);
    ck_assert_ptr_null(visit);
    visit = added;
    visits++;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t ms, uint64_t repeat)
{
    (void)timer, (void)ms;
    ck_assert_uint_eq(repeat, TOP_INTERVAL_MS);
    on_tick = on_timeout;
    return 0;
}

static size_t number_of(const struct call *call)
{
    return (size_t)((const struct asked *)call - asked);
}

bool __wrap_call_begin_stream(struct call *call, const struct call_stream *stream)
{
    streams[number_of(call)] = *stream;
    return has_places;
}

bool __wrap_call_is_ready(const struct call *call)
{
    return !is_busy[number_of(call)];
}

void __wrap_call_send(struct call *call)
{
    ck_assert(!is_busy[number_of(call)]);
    sent[number_of(call)]++;
}

static void set_up(void)
{
    static const char *const files[] = {"zones/test-space.yaml"};

    policy = policy_usual();
    server_script = (struct server_script){
        .current = snapshot_of_files(&policy, files, 1), .worker_count = 1, .reports = {&report}};
    keeping.usage =
        usage_new(&(struct usage_options){.apps_most = 10, .pairs_most = 10, .now_s = 1});
    source = (struct status_source){.server = server_script_server(),
                                    .last = &last,
                                    .history = &history,
                                    .usage = &keeping,
                                    .minute = &calls.minute};
    visit = NULL;
    visits = 0;
    has_places = true;
    memset(is_busy, 0, sizeof is_busy);
    memset(sent, 0, sizeof sent);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    top_calls_start(&calls, &loop, &inspection, &source);
}

static void tear_down(void)
{
    top_calls_end_streams(&calls, "over");
    top_calls_stop(&calls);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    for (size_t i = 0; i < CALLS; i++)
        asked_close(&asked[i]);
    memset(asked, 0, sizeof asked);
    usage_free(keeping.usage);
    server_script_close();
}

FIXTURE(set_up, tear_down)

static void begin(size_t number)
{
    top_calls_begin_stream(&calls, asked_begin(&asked[number], "top --json"));
}

static void tick(void)
{
    on_tick(&calls.timer);
}

static void report_all(void)
{
    struct inspection_visit *waiting = visit;

    ck_assert_ptr_nonnull(waiting);
    visit = NULL;
    waiting->on_reports(waiting);
}

TEST(without_somebody_who_watches_only_the_minute_is_noted)
{
    tick();
    tick();
    ck_assert_uint_eq(visits, 0);
    ck_assert_uint_eq(calls.minute.count, 2);
}

TEST(a_stream_gets_an_object_at_once_and_each_second)
{
    begin(0);
    ck_assert_uint_eq(sent[0], 0);
    report_all();
    ck_assert_uint_eq(sent[0], 1);
    tick();
    report_all();
    ck_assert_uint_eq(sent[0], 2);
    ck_assert_uint_eq(visits, 2);
    fflush(asked[0].call.out);
    ck_assert_int_eq(asked[0].out[0], '{');
    ck_assert_int_eq(asked[0].code, ASKED_UNFINISHED);
}

TEST(all_who_watch_share_one_report)
{
    begin(0);
    begin(1);
    begin(2);
    ck_assert_uint_eq(visits, 1);
    report_all();
    tick();
    tick(); /* the workers are slow */
    ck_assert_uint_eq(visits, 2);
    report_all();
    for (size_t i = 0; i < CALLS; i++)
        ck_assert_uint_eq(sent[i], 2);
}

TEST(a_client_that_does_not_read_has_nothing_waiting_but_what_was_sent)
{
    begin(0);
    begin(1);
    report_all();
    is_busy[0] = true;
    for (unsigned i = 0; i < 100; i++) {
        tick();
        report_all();
    }
    ck_assert_uint_eq(sent[0], 1);
    ck_assert_uint_eq(sent[1], 101);
    is_busy[0] = false;
    streams[0].on_ready(streams[0].context, &asked[0].call);
    tick();
    report_all();
    ck_assert_uint_eq(sent[0], 2);
}

TEST(a_client_that_has_gone_is_finished_and_the_others_go_on)
{
    begin(0);
    begin(1);
    report_all();
    streams[0].on_gone(streams[0].context, &asked[0].call);
    ck_assert_int_eq(asked[0].code, 0);
    tick();
    report_all();
    ck_assert_uint_eq(sent[0], 1);
    ck_assert_uint_eq(sent[1], 2);
    streams[1].on_gone(streams[1].context, &asked[1].call);
    tick();
    ck_assert_ptr_null(visit);
}

TEST(a_client_that_reads_nothing_is_finished_and_the_others_go_on)
{
    begin(0);
    begin(1);
    report_all();
    streams[0].on_stalled(streams[0].context, &asked[0].call, "why");
    ck_assert_int_eq(asked[0].code, 1);
    tick();
    report_all();
    ck_assert_uint_eq(sent[0], 1);
    ck_assert_uint_eq(sent[1], 2);
    streams[1].on_gone(streams[1].context, &asked[1].call);
}

/* It has gone while the workers were asked. */
TEST(reports_that_nobody_waits_for_any_more_do_no_harm)
{
    begin(0);
    streams[0].on_gone(streams[0].context, &asked[0].call);
    report_all();
    begin(1);
    report_all();
    ck_assert_uint_eq(sent[0], 0);
    ck_assert_uint_eq(sent[1], 1);
}

TEST(when_all_places_are_taken_there_is_a_sentence)
{
    has_places = false;
    begin(0);
    asked_expect(&asked[0], 1, "end a top or a logs --tail, then try again");
    ck_assert_uint_eq(visits, 0);
}

TEST(the_end_is_said_to_all_who_watch)
{
    begin(0);
    begin(1);
    report_all();
    top_calls_end_streams(&calls, "the server is stopping; start it again");
    asked_expect(&asked[0], 1, "Error: the server is stopping; start it again\n");
    asked_expect(&asked[1], 1, "Error: the server is stopping; start it again\n");
}

TEST(one_object_is_the_whole_answer_without_a_stream)
{
    top_calls_answer_once(asked_begin(&asked[0], "top --once"), &source);
    asked_expect(&asked[0], 0, "\n  \"generation\": ");
}
