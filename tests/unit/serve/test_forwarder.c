/*
 * A worker's forwarder over real sockets, while snapshots bring other upstreams: two upstreams on
 * loopback, one client.
 */
#include "serve/forwarder.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "forward/forward_state.h"
#include "support/request.h"
#include "support/serving.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

enum {
    A,
    B,
    UPSTREAMS,
    PATIENCE_TURNS = 500,
    QUIET_TURNS = 20,
    WIRE_OCTETS = 1500,
    GENERATIONS = 8
};

static const char *const zone = "space: test-space\n"
                                "cidr: 10.0.0.0/16\n";

/* One list of upstreams, as settings and policy have it. */
struct list {
    struct upstream items[UPSTREAMS];
    struct upstream_zone zone;
    struct upstream_zones zones;
    struct route route;
};

struct scene {
    struct serving serving;
    struct forwarder forwarder;
    int upstreams[UPSTREAMS];
    struct list lists[GENERATIONS];
    struct snapshot *snapshots[GENERATIONS];
    size_t generations;
    struct standings *standings; /* of the next snapshots; NULL: not shared */
    struct carrier carrier;
    uint8_t octets[WIRE_OCTETS]; /* of the last reply */
    size_t length;               /* of it; 0: none yet */
    unsigned replies;
    unsigned kept;      /* clients whose replies come later, numbered from 1 */
    unsigned delivered; /* a bit for each of the first 31 that got its reply */
};

static void on_adopted(void *context)
{
    struct scene *scene = context;

    forwarder_adopt(&scene->forwarder, scene->serving.batch.snapshot->policy.routes.zones,
                    scene->standings);
}

static struct scene *scene_of(struct carrier *carrier)
{
    return (struct scene *)(void *)((char *)carrier - offsetof(struct scene, carrier));
}

/* Each client's octets are its number. */
static void keep(struct carrier *carrier, size_t number, struct late_client *client)
{
    (void)number;
    memset(client->octets, (int)++scene_of(carrier)->kept, sizeof client->octets);
}

static void take(struct scene *scene, const uint8_t *reply, size_t length)
{
    memcpy(scene->octets, reply, length);
    scene->length = length;
    scene->replies++;
}

static bool deliver(struct carrier *carrier, const struct late_client *client, const uint8_t *reply,
                    size_t length)
{
    for (size_t i = 0; i < sizeof client->octets; i++)
        ck_assert_uint_eq(client->octets[i], client->octets[0]);
    scene_of(carrier)->delivered |= 1U << client->octets[0] % 32;
    take(scene_of(carrier), reply, length);
    return true;
}

static struct endpoint address_of(const struct late_client *client)
{
    (void)client;
    return (struct endpoint){.v4 = {.sin_family = AF_INET}};
}

/* ---- upstreams ---- */

/* "A", "AB" or "": the upstreams in use from now on. */
static void list_upstreams(const struct scene *scene, const char *who, struct list *list)
{
    *list = (struct list){.zone = {.zone = ".", .upstreams = {.items = list->items}}};
    for (; *who != '\0'; who++)
        list->items[list->zone.upstreams.count++] =
            (struct upstream){.endpoint = serving_local(scene->upstreams[*who - 'A']),
                              .text = *who == 'A' ? "first" : "second"};
    list->zones =
        (struct upstream_zones){.items = &list->zone, .count = list->zone.upstreams.count > 0};
    list->route = (struct route){.upstreams = "whoever"};
    ck_assert(name_from_text(".", &list->route.zone));
}

/* Posts a snapshot that the worker has not taken yet. */
static void post(struct scene *scene, const char *who)
{
    struct list *list = &scene->lists[scene->generations];
    struct policy policy = policy_usual();
    struct snapshot *snapshot;

    list_upstreams(scene, who, list);
    policy.routes = (struct routes){.items = &list->route,
                                    .count = list->zones.count,
                                    .zones = list->zones.count == 0 ? NULL : &list->zones};
    snapshot = snapshot_of_texts(&policy, &zone, 1);
    snapshot->generation = scene->generations + 1;
    scene->snapshots[scene->generations++] = snapshot;
    mailbox_post(&scene->serving.mailbox, snapshot);
}

static void go_over_to(struct scene *scene, const char *who)
{
    post(scene, who);
    batch_adopt(&scene->serving.batch);
}

/* Reads a query at an upstream; runs the loop until one arrives. */
static size_t read_answer(struct scene *scene, int upstream, struct endpoint *from, uint8_t *octets)
{
    struct pollfd wanted = {.fd = scene->upstreams[upstream], .events = POLLIN};
    socklen_t size = sizeof *from;

    for (unsigned turn = 0; turn < PATIENCE_TURNS && poll(&wanted, 1, 10) == 0; turn++)
        serving_turn(&scene->serving);
    ssize_t length = recvfrom(wanted.fd, octets, WIRE_OCTETS, MSG_DONTWAIT, &from->any, &size);
    ck_assert_int_gt(length, 12);
    return (size_t)length;
}

/* The question and one address, 198.51.100.1 or .2, which identifies the upstream. */
static void answer(struct scene *scene, int upstream)
{
    const uint8_t record[] = {0xc0, 12, 0, 1, 0,   1,  0,   0,
                              1,    44, 0, 4, 198, 51, 100, (uint8_t)(upstream + 1)};
    uint8_t octets[WIRE_OCTETS];
    struct endpoint from;
    size_t end = 12;

    read_answer(scene, upstream, &from, octets);
    while (octets[end] != 0)
        end += octets[end] + 1U;
    end += 1 + 4;
    octets[2] |= 0x80, octets[3] = 0x80;
    octets[7] = 1, octets[11] = 0;
    memcpy(octets + end, record, sizeof record);
    ck_assert_int_gt(sendto(scene->upstreams[upstream], octets, end + sizeof record, 0, &from.any,
                            sizeof from.v4),
                     0);
}

static bool has_heard(const struct scene *scene, int upstream)
{
    struct pollfd wanted = {.fd = scene->upstreams[upstream], .events = POLLIN};

    return poll(&wanted, 1, 0) > 0;
}

/* ---- the client ---- */

static void ask(struct scene *scene, const char *name)
{
    static const struct endpoint client;
    struct batch *batch = &scene->serving.batch;
    uint8_t request[REQUEST_OCTETS_MOST], reply[UDP_OCTETS_MOST];

    batch_begin(batch, uv_now(&scene->serving.loop));
    batch->exchanges[0].request = request;
    batch->exchanges[0].request_length = request_write(&(struct ask){.name = name}, request);
    batch->exchanges[0].path = (struct path){.source = 0x0a008238, .destination = 0x0a000002};
    batch->exchanges[0].transport = TRANSPORT_UDP;
    batch->exchanges[0].reply = reply;
    scene->length = 0;
    batch_prepare(batch, 1);
    size_t length = batch_finish(batch, 0, &client, &scene->carrier);
    if (length > 0)
        take(scene, reply, length);
    batch_end(batch);
}

static unsigned rcode(const struct scene *scene)
{
    ck_assert_uint_gt(scene->length, 12);
    return scene->octets[3] & 15;
}

static bool says(const struct scene *scene, const char *text)
{
    return memmem(scene->octets, scene->length, text, strlen(text)) != NULL;
}

/* The last octet of the address that the client got; 0: no address. */
static unsigned answered_by(struct scene *scene, unsigned replies)
{
    for (unsigned turn = 0; turn < PATIENCE_TURNS && scene->replies < replies; turn++) {
        serving_turn(&scene->serving);
        poll(NULL, 0, 1);
    }
    ck_assert_uint_eq(scene->replies, replies);
    ck_assert_uint_eq(rcode(scene), RCODE_NOERROR);
    const uint8_t *data = scene->octets + 12;
    while (*data != 0)
        data += *data + 1U;
    return scene->octets[7] == 0 ? 0 : data[1 + 4 + 12 + 3];
}

static void calm_down(struct scene *scene)
{
    for (unsigned turn = 0; turn < QUIET_TURNS; turn++)
        serving_turn(&scene->serving);
}

/* ---- life ---- */

static unsigned upstream_ports; /* UPSTREAM_PORTS_... */
static uint32_t upstream_questions = 16;

static void begin(struct scene *scene, const char *who)
{
    struct settings settings = {.workers = 1,
                                .cache_size = 1 << 20,
                                .upstream_questions = upstream_questions,
                                .upstream_ports = upstream_ports};
    struct list list;
    struct endpoint any;
    struct err err;

    memset(scene, 0, sizeof *scene);
    serving_init(&scene->serving);
    scene->serving.batch.on_adopted = on_adopted;
    scene->serving.batch.context = scene;
    scene->carrier = (struct carrier){.keep = keep, .deliver = deliver, .address = address_of};
    ck_assert(endpoint_read("127.0.0.1", 1, &any));
    any.v4.sin_port = 0;
    for (int i = 0; i < UPSTREAMS; i++) {
        scene->upstreams[i] = socket(AF_INET, SOCK_DGRAM, 0);
        ck_assert_int_eq(bind(scene->upstreams[i], &any.any, sizeof any.v4), 0);
    }
    list_upstreams(scene, who, &list);
    settings.upstream_zones = list.zones;
    ck_assert(forwarder_start(&scene->forwarder, &scene->serving.loop, &scene->serving.batch,
                              &settings, NULL, &err));
    memset(&list, 0xee, sizeof list); /* the settings' list may change afterwards */
    go_over_to(scene, who);
}

static void close_all(struct scene *scene)
{
    serving_close(&scene->serving);
    forwarder_close(&scene->forwarder);
    for (size_t i = 0; i < scene->generations; i++)
        snapshot_free(scene->snapshots[i]);
    for (int i = 0; i < UPSTREAMS; i++)
        close(scene->upstreams[i]);
}

static void end(struct scene *scene)
{
    forwarder_stop(&scene->forwarder);
    close_all(scene);
    upstream_ports = UPSTREAM_PORTS_SYSTEM; /* as the next test in this process begins */
    upstream_questions = 16;
}

/* ---- what cannot be predicted ---- */

enum { DRAWS = 4096, CELLS = 64 };

struct draw {
    uint16_t port, id;
};

static double chi_square(const unsigned *cells)
{
    double sum = 0, expected = (double)DRAWS / CELLS;

    for (size_t i = 0; i < CELLS; i++)
        sum += (cells[i] - expected) * (cells[i] - expected) / expected;
    return sum;
}

/*
 * 63 degrees of freedom: a fair draw is above 170 once in 10^11 times, and below 14 as seldom,
 * which what only looks random, a counter, would be.
 */
static void check_uniform(const unsigned *cells, const char *what)
{
    double sum = chi_square(cells);

    ck_assert_msg(sum > 14 && sum < 170, "%s: %.1f", what, sum);
}

static uint32_t sixteenth_of_range(uint16_t port, uint32_t first, uint32_t count)
{
    return (uint32_t)(port - first) * 16 / count;
}

static void check_draws(const struct draw *draws, uint32_t first, uint32_t count)
{
    unsigned ports[CELLS] = {0}, ids[CELLS] = {0}, low[CELLS] = {0}, pairs[CELLS] = {0},
             steps[CELLS] = {0};

    for (size_t i = 0; i < DRAWS; i++) {
        uint16_t port = draws[i].port, next = draws[(i + 1) % DRAWS].port;
        ck_assert(port >= first && port < first + count);
        ports[(uint32_t)(port - first) * CELLS / count]++;
        ids[draws[i].id >> 10]++;
        low[draws[i].id % CELLS]++;
        /* Neither tells the other, nor does a port tell the next one. */
        pairs[sixteenth_of_range(port, first, count) / 2 * 8 + (draws[i].id >> 13)]++;
        steps[sixteenth_of_range(port, first, count) / 2 * 8 +
              sixteenth_of_range(next, first, count) / 2]++;
    }
    check_uniform(ports, "ports");
    check_uniform(ids, "ids");
    check_uniform(low, "the ids' lowest bits");
    check_uniform(pairs, "ports with their ids");
    check_uniform(steps, "ports with the next ones");
}

/* ---- tests ---- */

static struct scene scene;

TEST(what_is_kept_stays_while_the_upstreams_do)
{
    begin(&scene, "A");
    ask(&scene, "www.example.org.");
    answer(&scene, A);
    ck_assert_uint_eq(answered_by(&scene, 1), 1);
    go_over_to(&scene, "A");
    ask(&scene, "www.example.org.");
    ck_assert_uint_eq(answered_by(&scene, 2), 1);
    calm_down(&scene);
    ck_assert(!has_heard(&scene, A));
    end(&scene);
}

TEST_LOOP(ports_and_ids_are_uniform_and_of_nothing_else, 0, 2)
{
    static struct draw draws[DRAWS];
    uint32_t first = 1024, last = 65535;
    uint8_t octets[WIRE_OCTETS];
    struct endpoint from;
    char name[64];

    upstream_ports = _i == 0 ? UPSTREAM_PORTS_SYSTEM : UPSTREAM_PORTS_ANY;
    if (_i == 0) {
        FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%" SCNu32 " %" SCNu32, &first, &last), 2);
        fclose(file);
    }
    begin(&scene, "A");
    for (size_t i = 0; i < DRAWS; i++) {
        snprintf(name, sizeof name, "n%zu.example.org.", i);
        ask(&scene, name);
        socklen_t size = sizeof from;
        serving_turn(&scene.serving);
        ck_assert_int_gt(
            recvfrom(scene.upstreams[A], octets, sizeof octets, MSG_PEEK, &from.any, &size), 12);
        draws[i] = (struct draw){.port = endpoint_port(&from), .id = load16(octets)};
        answer(&scene, A);
        for (unsigned turn = 0; turn < PATIENCE_TURNS && scene.replies == i; turn++)
            serving_turn(&scene.serving);
        ck_assert_uint_eq(scene.replies, i + 1);
    }
    check_draws(draws, first, last - first + 1);
    end(&scene);
}

static struct {
    unsigned late, served;
    bool goes_over; /* the first time that clients are served, a snapshot has another upstream */
} owner;

static void owner_send_late(void *context)
{
    (void)context;
    owner.late++;
}

static void owner_serve_clients(void *context)
{
    struct scene *played = context;

    if (owner.served++ == 0 && owner.goes_over)
        go_over_to(played, "B");
    ask(played, "also.example.org."); /* a client's, outside of any callback about a question */
}

/* A turn sends 8 questions before clients are served, and serves 8 responses. */
TEST_LOOP(clients_are_served_between_questions_and_between_responses, 0, 2)
{
    enum { QUESTIONS = 12 };
    char name[64];

    upstream_questions = 64;         /* of which a client has a quarter */
    memset(&owner, 0, sizeof owner); /* of an earlier test in the same process */
    begin(&scene, "A");
    scene.forwarder.owner = (struct forwarder_owner){
        .send_late = owner_send_late, .serve_clients = owner_serve_clients, .context = &scene};
    for (unsigned i = 0; i < QUESTIONS; i++) {
        snprintf(name, sizeof name, "n%u.example.org.", i);
        ask(&scene, name);
    }
    serving_turn(&scene.serving);
    ck_assert_uint_eq(owner.served, 1);
    ck_assert_uint_eq(scene.replies, 0);
    for (unsigned i = 0; i < QUESTIONS + 1; i++)
        answer(&scene, A);
    owner.served = 0;
    owner.goes_over = _i == 1;
    unsigned late = owner.late;
    serving_turn(&scene.serving);
    ck_assert_uint_ge(owner.served, 1);
    ck_assert_uint_gt(owner.late, late);
    for (unsigned turn = 0; turn < PATIENCE_TURNS && scene.replies < QUESTIONS + 1; turn++) {
        if (has_heard(&scene, B)) /* what was asked of the former upstream is asked again */
            answer(&scene, B);
        serving_turn(&scene.serving);
    }
    ck_assert_uint_ge(scene.replies, QUESTIONS + 1);
    end(&scene);
}

static void owner_goes_over_once(void *context)
{
    struct scene *played = context;

    if (owner.served++ > 0)
        return;
    answer(played, A); /* read only once the loop waits */
    go_over_to(played, "B");
}

/* Whoever rests may find octets that another worker writes over. */
TEST(new_upstreams_do_not_rest_while_a_former_one_brings_their_first_question)
{
    enum { QUESTIONS = 12 };
    char name[64];

    upstream_questions = 64;
    begin(&scene, "A");
    owner.served = 0;
    scene.forwarder.owner =
        (struct forwarder_owner){.serve_clients = owner_goes_over_once, .context = &scene};
    for (unsigned i = 0; i < QUESTIONS; i++) {
        snprintf(name, sizeof name, "n%u.example.org.", i);
        ask(&scene, name);
    }
    serving_turn(&scene.serving);
    ck_assert_uint_gt(owner.served, 0);
    ck_assert(forward_is_busy(scene.serving.batch.forward));
    ck_assert(!grace_rests(scene.serving.batch.forward->member));
    end(&scene);
}

TEST(other_upstreams_are_asked_and_what_was_kept_is_forgotten)
{
    begin(&scene, "A");
    ask(&scene, "www.example.org.");
    answer(&scene, A);
    ck_assert_uint_eq(answered_by(&scene, 1), 1);
    go_over_to(&scene, "B");
    ask(&scene, "www.example.org.");
    answer(&scene, B);
    ck_assert_uint_eq(answered_by(&scene, 2), 2);
    ck_assert(!has_heard(&scene, A));
    end(&scene);
}

/* From A to B and back, with the snapshot of B missed: the others have a new cache meanwhile. */
TEST(the_same_upstreams_with_another_cache_are_gone_over_to)
{
    struct standings *standings[2];
    struct err err;

    begin(&scene, "A");
    for (size_t i = 0; i < 2; i++) {
        standings[i] = standings_new(&scene.lists[0].zones, NULL, 1 << 20, &err);
        ck_assert_ptr_nonnull(standings[i]);
        scene.standings = standings[i];
        go_over_to(&scene, "A");
        ck_assert_ptr_eq(scene.serving.batch.forward->standings, standings[i]);
        go_over_to(&scene, "A");
        standings_release(standings[i]);
    }
    scene.standings = NULL; /* without memory; those that are there are better */
    go_over_to(&scene, "A");
    ck_assert_ptr_eq(scene.serving.batch.forward->standings, standings[1]);
    end(&scene);
}

TEST(a_request_that_waits_for_a_former_upstream_is_forwarded_again)
{
    uint8_t octets[WIRE_OCTETS];
    struct endpoint from;

    begin(&scene, "A");
    ask(&scene, "one.example.org.");
    ask(&scene, "two.example.org.");
    ask(&scene, "two.example.org.");
    read_answer(&scene, A, &from, octets);
    go_over_to(&scene, "B");
    answer(&scene, B);
    answer(&scene, B);
    ck_assert_uint_eq(answered_by(&scene, 3), 2);
    end(&scene);
}

TEST(each_reply_comes_with_the_octets_that_the_carrier_kept_for_its_client)
{
    uint8_t octets[WIRE_OCTETS];
    struct endpoint from;

    begin(&scene, "A");
    ask(&scene, "one.example.org.");
    ask(&scene, "two.example.org.");
    ask(&scene, "two.example.org.");
    answer(&scene, A);
    answered_by(&scene, 1);
    ck_assert_uint_eq(scene.delivered, 1U << 1);
    read_answer(&scene, A, &from, octets);
    go_over_to(&scene, "B"); /* the two others are forwarded again */
    answer(&scene, B);
    answered_by(&scene, 3);
    ck_assert_uint_eq(scene.delivered, 1U << 1 | 1U << 2 | 1U << 3);
    ck_assert_uint_eq(scene.kept, 3);
    end(&scene);
}

/* The response and the snapshot are both there before the worker reads either. */
TEST(a_late_answer_of_a_former_upstream_is_not_passed_on)
{
    begin(&scene, "A");
    ask(&scene, "www.example.org.");
    answer(&scene, A);
    post(&scene, "B");
    answer(&scene, B);
    ck_assert_uint_eq(answered_by(&scene, 1), 2);
    end(&scene);
}

TEST(upstreams_come_and_go)
{
    uint8_t octets[WIRE_OCTETS];
    struct endpoint from;

    begin(&scene, "");
    ask(&scene, "www.example.org.");
    ck_assert_uint_eq(rcode(&scene), RCODE_REFUSED);
    go_over_to(&scene, "A");
    ask(&scene, "www.example.org.");
    read_answer(&scene, A, &from, octets);
    ck_assert_uint_eq(scene.replies, 1);
    go_over_to(&scene, "");
    calm_down(&scene);
    ck_assert_uint_eq(scene.replies, 2);
    ck_assert_uint_eq(rcode(&scene), RCODE_REFUSED);
    go_over_to(&scene, "BA");
    ask(&scene, "www.example.org.");
    answer(&scene, B);
    ck_assert_uint_eq(answered_by(&scene, 3), 2);
    end(&scene);
}

TEST(several_changes_at_once_lose_no_request)
{
    begin(&scene, "A");
    ask(&scene, "www.example.org.");
    serving_turn(&scene.serving);
    go_over_to(&scene, "B");
    go_over_to(&scene, "AB");
    go_over_to(&scene, "B");
    answer(&scene, B);
    ck_assert_uint_eq(answered_by(&scene, 1), 2);
    end(&scene);
}

TEST(a_client_that_still_waits_at_the_end_gets_a_reply)
{
    begin(&scene, "A");
    ask(&scene, "www.example.org.");
    serving_turn(&scene.serving);
    go_over_to(&scene, "B");
    end(&scene);
    ck_assert_uint_eq(scene.replies, 1);
    ck_assert_uint_eq(rcode(&scene), RCODE_SERVFAIL);
}

TEST(a_client_that_still_waits_at_the_end_learns_that_the_server_stops)
{
    begin(&scene, "A");
    ask(&scene, "www.example.org.");
    serving_turn(&scene.serving);
    end(&scene);
    ck_assert_uint_eq(scene.replies, 1);
    ck_assert_uint_eq(rcode(&scene), RCODE_SERVFAIL);
    ck_assert(says(&scene, "this server is stopping and waits no longer for first"));
}

TEST(a_client_that_comes_at_the_end_learns_it_too)
{
    begin(&scene, "A");
    ask(&scene, "www.example.org.");
    serving_turn(&scene.serving);
    forwarder_drain(&scene.forwarder);
    ask(&scene, "other.example.org.");
    ck_assert(says(&scene, "this server is stopping"));
    forwarder_stop(&scene.forwarder);
    ask(&scene, "third.example.org.");
    ck_assert_uint_eq(rcode(&scene), RCODE_SERVFAIL);
    ck_assert(says(&scene, "this server is stopping"));
    close_all(&scene);
}

TEST(without_descriptors_names_fail_until_the_next_snapshot)
{
    struct rlimit limit;

    begin(&scene, "A");
    ask(&scene, "www.example.org.");
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_max = limit.rlim_max}), 0);
    go_over_to(&scene, "B");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    calm_down(&scene);
    ck_assert_uint_eq(scene.replies, 1);
    ck_assert_uint_eq(rcode(&scene), RCODE_SERVFAIL);
    ask(&scene, "www.example.org.");
    ck_assert_uint_eq(rcode(&scene), RCODE_SERVFAIL);
    go_over_to(&scene, "B");
    ask(&scene, "www.example.org.");
    answer(&scene, B);
    ck_assert_uint_eq(answered_by(&scene, 3), 2);
    end(&scene);
}
