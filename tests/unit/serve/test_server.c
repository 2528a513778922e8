// label: threads
// wrap: snapshot_free
// forks: its tests leave something behind
#include "serve/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/listener.h"
#include "serve/pass.h"
#include "serve/socket.h"
#include "support/serving.h"
#include "support/suite.h"
#include "wire/types.h"

enum { WORKERS = 3, PATIENCE_MS = 15000, TRIES_MOST = 8, CLIENTS = 12 };

/* A server on a port of its own, and the control loop. */
struct scene {
    uv_loop_t loop;
    struct listen_address listen;
    struct settings settings;
    struct server *server;
    uint64_t adopted; /* last generation reported */
    unsigned adoptions;
    unsigned reports;
    uint64_t flows;            /* replies that flows have counted, or lost */
    unsigned tables;           /* of flows that were taken */
    uint64_t flows_generation; /* of the last table's snapshot */
    uint64_t flows_at_reports; /* counted when the reports came */
};

/* The generation that was freed last, and the older ones before it, if the test has one server. */
static uint64_t freed_generation;
static bool has_one_server;

void __real_snapshot_free(struct snapshot *snapshot);
void __wrap_snapshot_free(struct snapshot *snapshot);

void __wrap_snapshot_free(struct snapshot *snapshot)
{
    if (snapshot != NULL && snapshot->generation > freed_generation)
        freed_generation = snapshot->generation;
    __real_snapshot_free(snapshot);
}

/* What a test does at the moment when every worker has adopted a snapshot; NULL: nothing. */
static void (*do_when_adopted)(struct scene *scene);

static void on_adopted(void *context, uint64_t generation)
{
    struct scene *scene = context;

    if (do_when_adopted != NULL)
        do_when_adopted(scene);

    scene->adopted = generation;
    scene->adoptions++;
    uv_stop(&scene->loop);
}

static void on_reports(void *context)
{
    struct scene *scene = context;

    scene->reports++;
    scene->flows_at_reports = scene->flows;
}

/* Not counted where a test looks at which snapshots are left: flows refer to one for a while. */
static bool has_flows = true;

/* What a test does when so many tables of flows have been taken; NULL: nothing. */
static void (*do_when_taken)(struct scene *scene);

static void on_flows(void *context, const struct flow_table *table)
{
    struct scene *scene = context;

    for (uint32_t i = 0; i < table->used; i++)
        scene->flows += table->flows[table->slots[i]].count;
    scene->flows += table->lost;
    scene->flows_generation = table->snapshot->generation;
    if (has_one_server)
        ck_assert_uint_gt(scene->flows_generation, freed_generation);
    if (++scene->tables == WORKERS && do_when_taken != NULL)
        do_when_taken(scene);
}

/* A list of one upstream, different for each generation, owned by the policy. */
static void add_upstream(struct policy *policy, uint64_t generation)
{
    policy->arena = arena_new();
    struct upstream_zones *zones = arena_take(policy->arena, sizeof *zones);
    struct upstream *upstream = arena_take(policy->arena, sizeof *upstream);
    zones->items = arena_take(policy->arena, sizeof *zones->items);
    zones->count = 1;
    zones->items[0] = (struct upstream_zone){.zone = arena_text(policy->arena, ".", 1),
                                             .upstreams = {.items = upstream, .count = 1}};
    upstream->text = arena_text(policy->arena, "127.0.0.1", 9);
    ck_assert(endpoint_read("127.0.0.1", (uint16_t)(1 + generation % 3), &upstream->endpoint));
    policy->routes.zones = zones;
}

/* A snapshot without spaces: every client is outside and gets REFUSED. */
static struct snapshot *snapshot_with(uint64_t generation, bool has_upstream)
{
    struct policy policy = {
        .suffixes = {.apps = "herokuapp.com",
                     .discovery = "localspace",
                     .targets = {"herokuspace.com", "herokudns.com"}},
        .server_id = "ns1.test",
        .version = "0-test",
    };
    struct snapshot_parts parts = {
        .policy = &policy, .generation = generation, .segments = calloc(1, sizeof(void *))};
    static const struct segment *const none[1];
    static const bool added[1];
    struct index_change change = {.segments = none, .dropped = none, .added = added};

    parts.index.key.second = 1;
    ck_assert(name_from_text("herokuapp.com", &parts.index.apps_suffix));
    ck_assert(index_build(&parts.index, &change, NULL, NULL));
    if (has_upstream)
        add_upstream(&policy, generation);
    struct snapshot *snapshot = snapshot_seal(&parts);
    ck_assert_ptr_nonnull(snapshot);
    arena_release(policy.arena);
    return snapshot;
}

static struct snapshot *snapshot_of(uint64_t generation)
{
    return snapshot_with(generation, false);
}

/* A port that was free a moment ago. */
static void find_port(struct endpoint *endpoint)
{
    struct err err;

    ck_assert(endpoint_read("127.0.0.1", 1, endpoint));
    endpoint->v4.sin_port = 0;
    int descriptor = socket_open_udp(endpoint, 1 << 16, &err);
    *endpoint = serving_local(descriptor);
    close(descriptor);
}

static bool try_begin(struct scene *scene, struct err *err)
{
    struct server_options options = {.settings = &scene->settings,
                                     .loop = &scene->loop,
                                     .log_descriptor = STDOUT_FILENO,
                                     .on_adopted = on_adopted,
                                     .on_reports = on_reports,
                                     .on_flows = has_flows ? on_flows : NULL,
                                     .context = scene};

    scene->server = server_new(&options, err);
    return scene->server != NULL;
}

static void prepare(struct scene *scene)
{
    *scene = (struct scene){.listen = {.schemes = LISTEN_WITHOUT_SCHEME, .origin.file = "--listen"},
                            .settings = {.workers = WORKERS,
                                         .tcp_connections = 128,
                                         .tcp_per_client = 16,
                                         .tcp_idle_ms = 10000,
                                         .udp_buffer = 1 << 20,
                                         .cache_size = WORKERS << 20,
                                         .upstream_questions = 16}};
    ck_assert_int_eq(uv_loop_init(&scene->loop), 0);
    find_port(&scene->listen.endpoint);
    scene->settings.listen = (struct listen_addresses){.items = &scene->listen, .count = 1};
}

static void close_loop(struct scene *scene)
{
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&scene->loop), 0);
}

/* Binds, and runs nothing yet. */
static void bind_workers(struct scene *scene)
{
    struct err err;
    bool has_begun = false;

    for (int tries = 0; !has_begun && tries < TRIES_MOST; tries++) {
        prepare(scene);
        has_begun = try_begin(scene, &err);
        if (!has_begun)
            close_loop(scene); /* the port that was free has been taken meanwhile */
    }
    ck_assert_msg(has_begun, "%s", err.text);
}

static void begin(struct scene *scene)
{
    struct err err;

    bind_workers(scene);
    server_publish(scene->server, snapshot_of(1));
    ck_assert(server_start(scene->server, &err));
}

static void end(struct scene *scene)
{
    server_stop(scene->server);
    server_free(scene->server);
    close_loop(scene);
}

static void keep_waiting(uv_timer_t *timer)
{
    ck_abort_msg("not every worker has answered after %d ms", (int)PATIENCE_MS);
    uv_timer_stop(timer);
}

/* Runs the control loop until every worker has adopted a generation and reported. */
static void await_both(struct scene *scene, uint64_t generation, unsigned reports)
{
    uv_timer_t timer;

    /* The server does not keep the loop running; the timer does, and ends a test that hangs. */
    uv_timer_init(&scene->loop, &timer);
    uv_timer_start(&timer, keep_waiting, PATIENCE_MS, 0);
    while (scene->adopted < generation || scene->reports < reports)
        uv_run(&scene->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&scene->loop, UV_RUN_NOWAIT);
}

static void await(struct scene *scene, uint64_t generation)
{
    await_both(scene, generation, 0);
}

/* Asks over UDP from a new port; returns the response code. */
static unsigned ask(const struct scene *scene, uint16_t id)
{
    uint8_t octets[1500];
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    struct pollfd poller = {.fd = client, .events = POLLIN};

    ck_assert_int_eq(connect(client, &scene->listen.endpoint.any, sizeof(struct sockaddr_in)), 0);
    size_t length = serving_query(id, octets);
    ck_assert_int_eq(send(client, octets, length, 0), (ssize_t)length);
    ck_assert_int_eq(poll(&poller, 1, PATIENCE_MS), 1);
    ck_assert_int_ge(recv(client, octets, sizeof octets, 0), 12);
    ck_assert_uint_eq(load16(octets), id);
    close(client);
    return octets[3] & 15;
}

TEST(every_worker_answers_from_what_was_published)
{
    struct scene scene;

    begin(&scene);
    await(&scene, 1);
    for (uint16_t id = 1; id <= 50; id++)
        ck_assert_uint_eq(ask(&scene, id), RCODE_REFUSED);
    end(&scene);
}

TEST(counters_add_up_over_workers)
{
    struct scene scene;
    struct totals totals;

    begin(&scene);
    await(&scene, 1);
    for (uint16_t id = 1; id <= 50; id++)
        ask(&scene, id);
    server_stop(scene.server);
    server_sum(scene.server, &totals);
    ck_assert_uint_eq(totals.counters[COUNTER_UDP_REQUESTS], 50);
    ck_assert_uint_eq(totals.counters[COUNTER_UDP_REPLIES], 50);
    ck_assert_uint_eq(totals.rcodes[RCODE_REFUSED], 50);
    ck_assert_uint_eq(totals.counters[COUNTER_UDP_KERNEL_DROPS], 0);
    server_free(scene.server);
    close_loop(&scene);
}

TEST(who_asked_what_is_known_before_the_reports)
{
    struct scene scene;

    begin(&scene);
    await(&scene, 1);
    for (uint16_t id = 1; id <= 50; id++)
        ask(&scene, id);
    server_request_reports(scene.server, &(struct report_request){.has_query = false});
    await_both(&scene, 1, 1);
    ck_assert_uint_eq(scene.flows, 50);
    end(&scene);
}

static void request_and_await_reports(struct scene *scene)
{
    server_request_reports(scene->server, &(struct report_request){.has_query = false});
    for (size_t i = 0; i < WORKERS; i++)
        while (server_worker_report(scene->server, i) == NULL)
            sched_yield();
}

/*
 * A registry that was restored from a copy has a smaller revision. What is replaced by it is in use
 * until the workers have the new one, which they rarely have at once.
 */
TEST(a_generation_may_go_back)
{
    struct scene scene;
    unsigned freed = 0;

    begin(&scene);
    await(&scene, 1);
    for (uint64_t generation = 50; generation > 20; generation--) {
        scene.adopted = freed_generation = 0;
        server_publish(scene.server, snapshot_of(generation));
        server_reclaim(scene.server);
        freed += freed_generation != 0;
        await(&scene, generation);
        request_and_await_reports(&scene);
        for (size_t i = 0; i < WORKERS; i++)
            ck_assert_uint_eq(server_worker_report(scene.server, i)->generation, generation);
        server_reclaim(scene.server);
        ck_assert_uint_eq(freed_generation, generation == 50 ? 1 : generation + 1);
    }
    ck_assert_uint_lt(freed, 15);
    end(&scene);
}

static void ask_and_await_reports(struct scene *scene)
{
    for (uint16_t id = 1; id <= 50; id++)
        ask(scene, id);
    request_and_await_reports(scene);
}

/*
 * The flows come behind the control thread's back: after it has looked for some in this turn, and
 * before it looks for reports.
 */
TEST(what_comes_with_the_reports_is_known_before_them)
{
    struct scene scene;

    begin(&scene);
    await(&scene, 1);
    do_when_adopted = ask_and_await_reports;
    server_publish(scene.server, snapshot_of(2));
    await_both(&scene, 2, 1);
    do_when_adopted = NULL;
    ck_assert_uint_eq(scene.flows_at_reports, 50);
    end(&scene);
}

/* Nobody has taken the tables that workers handed over when they adopted a snapshot. */
TEST(reports_come_with_all_flows_though_a_table_was_not_taken)
{
    struct scene scene;

    begin(&scene);
    await(&scene, 1);
    for (uint16_t id = 1; id <= 50; id++)
        ask(&scene, id);
    server_publish(scene.server, snapshot_of(2));
    for (uint16_t id = 1; id <= 50; id++)
        ask(&scene, id);
    request_and_await_reports(&scene);
    await_both(&scene, 2, 1);
    ck_assert_uint_eq(scene.flows_at_reports, 100);
    end(&scene);
}

enum { MANY = 60 }; /* every worker gets some of them */

static void ask_many(struct scene *scene)
{
    for (uint16_t id = 1; id <= MANY; id++)
        ask(scene, id);
}

/* Every worker hands one table over, for the next snapshot, and has something in the other. */
static void fill_both_tables(struct scene *scene)
{
    ask_many(scene);
    server_publish(scene->server, snapshot_of(scene->flows == 0 ? 2 : 3));
    ask_many(scene);
}

/* Until all workers have done what was requested of them by now, as far as they can. */
static void await_turns(struct scene *scene)
{
    for (unsigned turn = 0; turn < 2; turn++) { /* a pulse comes amid a turn */
        server_request_pulses(scene->server, PULSE_HEALTH);
        for (size_t i = 0; i < WORKERS; i++)
            while (!server_has_pulse(scene->server, i, PULSE_HEALTH))
                sched_yield();
    }
}

/* The first workers' tables go again while the last one's is read, so that the others wait. */
TEST(reports_wait_for_flows_whose_worker_has_handed_over_others)
{
    struct scene scene;

    begin(&scene);
    await(&scene, 1);
    do_when_taken = fill_both_tables;
    fill_both_tables(&scene);
    server_request_reports(scene.server, &(struct report_request){.has_query = false});
    await_turns(&scene);
    await_both(&scene, 3, 1);
    ck_assert_uint_eq(scene.flows_at_reports, 4 * MANY);
    do_when_taken = NULL;
    end(&scene);
}

TEST(who_asked_what_is_known_once_the_server_has_stopped)
{
    struct scene scene;

    begin(&scene);
    await(&scene, 1);
    for (uint16_t id = 1; id <= 50; id++)
        ask(&scene, id);
    end(&scene);
    ck_assert_uint_eq(scene.flows, 50);
}

/* The control thread adds up in its own turns; meanwhile workers adopt the next snapshots. */
TEST(a_snapshot_stays_while_flows_refer_to_it)
{
    struct scene scene;

    has_one_server = true;
    begin(&scene);
    await(&scene, 1);
    for (uint64_t generation = 2; generation <= 20; generation++) {
        for (uint16_t id = 1; id <= 8; id++)
            ask(&scene, id);
        server_publish(scene.server, snapshot_of(generation));
        server_reclaim(scene.server);
        await(&scene, generation);
        server_reclaim(scene.server);
    }
    end(&scene);
    ck_assert_uint_gt(scene.flows, 0);
    ck_assert_uint_le(scene.flows, 19 * 8); /* less where a worker was faster than this thread */
}

/* All workers have adopted the next snapshot, and their tables of the former are not taken. */
TEST(a_snapshot_stays_while_a_table_that_is_not_taken_refers_to_it)
{
    struct scene scene;

    has_one_server = true;
    begin(&scene);
    await(&scene, 1);
    for (uint16_t id = 1; id <= 50; id++)
        ask(&scene, id);
    server_publish(scene.server, snapshot_of(2));
    for (uint16_t id = 1; id <= 50; id++)
        ask(&scene, id);
    server_reclaim(scene.server);
    await(&scene, 2);
    end(&scene);
    ck_assert_uint_eq(scene.flows, 100);
}

TEST(a_new_snapshot_is_taken_by_idle_workers_too)
{
    struct scene scene;

    has_flows = false;
    begin(&scene);
    await(&scene, 1);
    for (uint64_t generation = 2; generation <= 20; generation++) {
        server_publish(scene.server, snapshot_of(generation));
        await(&scene, generation);
        server_reclaim(scene.server);
        ck_assert_ptr_null(server_current(scene.server)->older);
        ck_assert_uint_eq(ask(&scene, 7), RCODE_REFUSED);
    }
    ck_assert_uint_eq(scene.adoptions, 20);
    end(&scene);
}

TEST(a_pinned_snapshot_is_not_freed)
{
    struct scene scene;

    has_flows = false;
    begin(&scene);
    await(&scene, 1);
    const struct snapshot *first = server_current(scene.server);
    server_pin(scene.server, first);
    for (uint64_t generation = 2; generation <= 5; generation++) {
        server_publish(scene.server, snapshot_of(generation));
        await(&scene, generation);
        server_reclaim(scene.server);
        ck_assert_uint_eq(server_snapshot_count(scene.server), 2);
        ck_assert_ptr_eq(server_current(scene.server)->older, first);
    }
    server_pin(scene.server, NULL);
    server_reclaim(scene.server);
    ck_assert_uint_eq(server_snapshot_count(scene.server), 1);
    end(&scene);
}

TEST(what_a_worker_may_use_is_not_freed)
{
    struct scene scene;
    struct err err;

    bind_workers(&scene);
    /* No worker runs yet, so none has taken anything. */
    for (uint64_t generation = 1; generation <= 3; generation++)
        server_publish(scene.server, snapshot_of(generation));
    server_reclaim(scene.server);
    ck_assert_ptr_nonnull(server_current(scene.server)->older);
    ck_assert_uint_eq(server_current(scene.server)->older->older->generation, 1);
    ck_assert(server_start(scene.server, &err));
    await(&scene, 3);
    server_reclaim(scene.server);
    ck_assert_ptr_null(server_current(scene.server)->older);
    ck_assert_uint_eq(scene.adoptions, 1);
    end(&scene);
}

TEST(upstreams_come_and_go_with_snapshots)
{
    struct scene scene;

    begin(&scene);
    await(&scene, 1);
    for (uint64_t generation = 2; generation <= 60; generation++) {
        server_publish(scene.server, snapshot_with(generation, generation % 4 != 0));
        ck_assert_uint_eq(ask(&scene, 7), RCODE_REFUSED);
        if (generation % 3 == 0)
            await(&scene, generation);
        server_reclaim(scene.server);
    }
    await(&scene, 60);
    end(&scene);
}

static const enum listen_scheme only[] = {LISTEN_UDP, LISTEN_TCP};

TEST_OVER(a_scheme_that_no_address_has_gets_no_socket, only)
{
    bool is_bound[LISTEN_SCHEMES];
    struct scene scene;
    struct err err;

    bind_workers(&scene);
    server_free(scene.server);
    close_loop(&scene);
    ck_assert_int_eq(uv_loop_init(&scene.loop), 0);
    scene.listen.schemes = 1U << only[_i];
    ck_assert_msg(try_begin(&scene, &err), "%s", err.text);
    for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
        is_bound[scheme] = !listener_kinds[scheme].probe(&scene.listen.endpoint, &err);
    ck_assert(is_bound[LISTEN_UDP] == (only[_i] == LISTEN_UDP));
    ck_assert(is_bound[LISTEN_TCP] == (only[_i] == LISTEN_TCP));
    server_publish(scene.server, snapshot_of(1));
    ck_assert(server_start(scene.server, &err));
    await(&scene, 1);
    end(&scene);
}

static void refuse_the_second(struct endpoint *listen)
{
    struct scene first, second;
    struct err err = {.code = ERR_NONE};

    begin(&first);
    prepare(&second);
    second.listen = first.listen;
    ck_assert(!try_begin(&second, &err));
    ck_assert_msg(strstr(err.text, "another program has this port") != NULL, "%s", err.text);
    close_loop(&second);
    end(&first);
    *listen = first.listen.endpoint;
}

TEST(a_port_in_use_is_reported_and_nothing_stays_bound)
{
    bool is_free = false;
    struct endpoint listen;
    struct err err;

    /* Another program may have taken the port the moment it was free. */
    for (int tries = 0; !is_free && tries < TRIES_MOST; tries++) {
        refuse_the_second(&listen);
        is_free = socket_probe_udp(&listen, &err) && socket_probe_tcp(&listen, &err);
    }
    ck_assert_msg(is_free, "%s", err.text);
}

static size_t count_reports(const struct scene *scene)
{
    size_t count = 0;

    for (size_t i = 0; i < WORKERS; i++)
        count += server_worker_report(scene->server, i) != NULL;
    return count;
}

TEST(every_worker_reports_when_requested)
{
    static const struct report_request request = {.has_query = false};
    struct scene scene;

    begin(&scene);
    ck_assert_uint_eq(count_reports(&scene), 0);
    await(&scene, 1);
    for (unsigned round = 1; round <= 200; round++) {
        server_request_reports(scene.server, &request);
        await_both(&scene, 1, round);
        ck_assert_uint_eq(count_reports(&scene), WORKERS);
        ck_assert_uint_eq(server_worker_report(scene.server, WORKERS - 1)->generation, 1);
    }
    ck_assert_uint_eq(scene.reports, 200);
    end(&scene);
}

TEST(a_late_worker_is_left_out_until_it_has_reported)
{
    static const struct report_request request = {.has_query = false};
    struct scene scene;
    struct err err;

    bind_workers(&scene);
    server_publish(scene.server, snapshot_of(1));
    /* No worker runs yet, so none has reported when the second request comes. */
    server_request_reports(scene.server, &request);
    server_request_reports(scene.server, &request);
    ck_assert_uint_eq(count_reports(&scene), 0);
    ck_assert(server_start(scene.server, &err));
    await_both(&scene, 1, 1);
    ck_assert_uint_eq(count_reports(&scene), 0); /* they received only the first */
    server_request_reports(scene.server, &request);
    await_both(&scene, 1, 2);
    ck_assert_uint_eq(count_reports(&scene), WORKERS);
    end(&scene);
}

static size_t count_pulses(const struct scene *scene)
{
    size_t count = 0;

    for (size_t i = 0; i < WORKERS; i++)
        count += server_has_pulse(scene->server, i, PULSE_SERVICE);
    return count;
}

TEST(a_worker_has_a_pulse_only_while_its_loop_turns)
{
    static const struct report_request request = {.has_query = false};
    struct scene scene;
    struct err err;

    bind_workers(&scene);
    server_publish(scene.server, snapshot_of(1));
    ck_assert_uint_eq(count_pulses(&scene), WORKERS); /* nothing was requested */
    server_request_pulses(scene.server, PULSE_SERVICE);
    ck_assert_uint_eq(count_pulses(&scene), 0);                 /* no worker runs yet */
    ck_assert(server_has_pulse(scene.server, 0, PULSE_HEALTH)); /* each asker has its own */
    ck_assert(server_start(scene.server, &err));
    await(&scene, 1);
    /* A pulse is answered before the report that is requested after it. */
    for (unsigned round = 1; round <= 50; round++) {
        server_request_pulses(scene.server, PULSE_SERVICE);
        server_request_reports(scene.server, &request);
        await_both(&scene, 1, round);
        ck_assert_uint_eq(count_pulses(&scene), WORKERS);
    }
    end(&scene);
}

TEST(a_server_that_is_asked_and_stopped_ends)
{
    static const struct report_request request = {.has_query = false};

    for (unsigned round = 0; round < 20; round++) {
        struct scene scene;
        begin(&scene);
        server_request_reports(scene.server, &request);
        server_stop(scene.server);
        ck_assert_uint_eq(count_reports(&scene), WORKERS); /* each reported before it ended */
        server_free(scene.server);
        close_loop(&scene);
    }
}

TEST(a_tcp_query_before_the_stop_is_answered)
{
    struct scene scene;
    uint8_t octets[1500];
    int client = socket(AF_INET, SOCK_STREAM, 0);

    begin(&scene);
    await(&scene, 1);
    ck_assert_int_eq(connect(client, &scene.listen.endpoint.any, sizeof(struct sockaddr_in)), 0);
    size_t length = serving_query(5, octets + 2);
    store16(octets, (uint16_t)length);
    ck_assert_int_eq(send(client, octets, length + 2, 0), (ssize_t)length + 2);
    end(&scene);
    ck_assert_int_ge(recv(client, octets, sizeof octets, 0), 14);
    ck_assert_uint_eq(load16(octets + 2), 5);
    ck_assert_int_eq(recv(client, octets, sizeof octets, 0), 0);
    close(client);
}

/* ---- one server takes over from another ---- */

static void inherit_socket(void *context, enum listen_scheme scheme, size_t worker, int descriptor)
{
    char name[INHERITED_NAME_OCTETS];
    struct err err;

    inherited_write_name(scheme, worker, name);
    ck_assert_msg(inherited_add(context, name, dup(descriptor), &err), "%s", err.text);
}

/* A second server, with the sockets of the first, that waits. */
static void begin_second(struct scene *second, const struct scene *first, uint16_t workers,
                         int connections)
{
    struct inherited inherited = {.items = NULL};
    struct err err;

    prepare(second);
    second->listen = first->listen;
    second->settings.workers = workers;
    server_walk_sockets(first->server, inherit_socket, &inherited);
    struct server_options options = {.settings = &second->settings,
                                     .loop = &second->loop,
                                     .log_descriptor = STDOUT_FILENO,
                                     .on_adopted = on_adopted,
                                     .on_reports = on_reports,
                                     .context = second,
                                     .inherited = &inherited,
                                     .is_waiting = true,
                                     .connections = connections};
    second->server = server_new(&options, &err);
    ck_assert_msg(second->server != NULL, "%s", err.text);
    ck_assert_ptr_null(inherited_next_left(&inherited, NULL));
    inherited_close(&inherited);
    server_publish(second->server, snapshot_of(1));
    ck_assert(server_start(second->server, &err));
    await(second, 1);
}

static uint64_t count_requests(const struct scene *scene, enum counter counter)
{
    struct totals totals;

    server_sum(scene->server, &totals);
    return totals.counters[counter];
}

static int connect_tcp(const struct scene *scene)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(client, &scene->listen.endpoint.any, sizeof(struct sockaddr_in)), 0);
    return client;
}

static void ask_tcp(int client, uint16_t id)
{
    uint8_t octets[1500];
    struct pollfd poller = {.fd = client, .events = POLLIN};
    size_t length = serving_query(id, octets + 2);

    store16(octets, (uint16_t)length);
    ck_assert_int_eq(send(client, octets, length + 2, MSG_NOSIGNAL), (ssize_t)length + 2);
    ck_assert_int_eq(poll(&poller, 1, PATIENCE_MS), 1);
    ck_assert_int_ge(recv(client, octets, sizeof octets, 0), 14);
    ck_assert_uint_eq(load16(octets + 2), id);
}

TEST(a_server_that_waits_answers_at_its_probes_only)
{
    struct scene first, second, probed;

    begin(&first);
    await(&first, 1);
    begin_second(&second, &first, WORKERS, -1);
    for (size_t worker = 0; worker < WORKERS; worker++) {
        probed = second;
        probed.listen.endpoint = *server_probe(second.server, worker);
        ck_assert_uint_eq(ask(&probed, 9), RCODE_REFUSED);
    }
    for (uint16_t id = 1; id <= 50; id++)
        ask(&first, id);
    server_stop(second.server); /* so that everything is counted */
    ck_assert_uint_eq(count_requests(&second, COUNTER_UDP_REQUESTS), WORKERS);
    server_free(second.server);
    close_loop(&second);
    ask(&first, 51); /* its sockets are as they were */
    server_stop(first.server);
    ck_assert_uint_eq(count_requests(&first, COUNTER_UDP_REQUESTS), 51);
    server_free(first.server);
    close_loop(&first);
}

static const uint16_t other_workers[] = {WORKERS, 1, WORKERS + 2};

TEST_OVER(a_server_takes_over_sockets_and_connections, other_workers)
{
    int ends[2], clients[CLIENTS];
    struct scene first, second;

    begin(&first);
    await(&first, 1);
    ck_assert(pass_pair(ends, SOCK_NONBLOCK));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = connect_tcp(&first);
        ask_tcp(clients[i], 1);
    }
    begin_second(&second, &first, other_workers[_i], ends[1]);
    server_begin(second.server);
    server_leave(first.server, ends[0]);
    ck_assert_uint_eq(count_requests(&first, COUNTER_TCP_HANDED_OVER), CLIENTS);
    close(ends[0]);
    for (int i = 0; i < CLIENTS; i++)
        ask_tcp(clients[i], 2);
    for (uint16_t id = 1; id <= 50; id++)
        ck_assert_uint_eq(ask(&second, id), RCODE_REFUSED);
    server_free(first.server);
    close_loop(&first);
    for (int i = 0; i < CLIENTS; i++) {
        ask_tcp(clients[i], 3);
        close(clients[i]);
    }
    int last = connect_tcp(&second);
    ask_tcp(last, 4);
    close(last);
    end(&second);
    close(ends[1]);
}

TEST(a_server_that_leaves_at_once_passes_on_what_was_handed_to_it)
{
    int first_ends[2], second_ends[2], clients[CLIENTS];
    struct scene first, second, third;

    begin(&first);
    await(&first, 1);
    ck_assert(pass_pair(first_ends, SOCK_NONBLOCK));
    ck_assert(pass_pair(second_ends, SOCK_NONBLOCK));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = connect_tcp(&first);
        ask_tcp(clients[i], 1);
    }
    begin_second(&second, &first, WORKERS, first_ends[1]);
    server_leave(first.server, first_ends[0]);
    close(first_ends[0]);
    begin_second(&third, &second, WORKERS, second_ends[1]);
    server_begin(second.server); /* none of its workers has read the channel yet */
    server_leave(second.server, second_ends[0]);
    ck_assert_uint_eq(count_requests(&second, COUNTER_TCP_HANDED_OVER), CLIENTS);
    server_begin(third.server);
    for (int i = 0; i < CLIENTS; i++) {
        ask_tcp(clients[i], 2);
        close(clients[i]);
    }
    server_free(first.server);
    close_loop(&first);
    server_free(second.server);
    close_loop(&second);
    end(&third);
    close(first_ends[1]), close(second_ends[0]), close(second_ends[1]);
}
