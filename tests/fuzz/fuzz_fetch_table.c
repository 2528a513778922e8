// fuzz: stateful 2500
/**
 * Two workers' forwarders with shared standings: the input is a list of steps of two octets, an
 * event and its target. Clients ask, time passes, servers reply in many ways, or fail, or do not
 * reply; the clock and the link are this file's.
 *
 * Invariants: every client is notified exactly once, about the name it asked for, by its deadline,
 * and of silence not before that; each query sent is a question that a client asked, or a probe;
 * the link's contract is kept (scripted.h), and nothing is leaked.
 */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "forward/forward.h"
#include "support/scripted.h"

enum {
    WORKERS = 2,
    NAMES = 16,
    QUESTIONS = 8,
    STEPS_MOST = 600,
    CLIENTS_MOST = 2 * STEPS_MOST,
    QUERIES_MOST = 1 << 14,
    FIRST_MS = 5000,
    FIRST_ADDRESS = 0x0a000000,
    NAME_OFFSET = 12,
};

struct client {
    struct waiter waiter;
    unsigned name;
    unsigned notified;
    uint64_t asked_ms;
};

struct worker {
    struct scripted scripted;
    struct stats stats;
    struct forward *forward;
    size_t seen; /* queries that were checked */
};

static struct upstream upstreams[] = {{.text = "10.0.0.2"}, {.text = "1.1.1.1", .is_tls = true}};
static struct upstream_zone zone_items[] = {
    {.zone = "n.example", .label_count = 2, .upstreams = {.items = upstreams, .count = 2}},
    {.zone = ".", .upstreams = {.items = upstreams, .count = 1}},
};
static const struct upstream_zones zones = {.items = zone_items, .count = 2};

static struct {
    struct worker workers[WORKERS];
    struct client clients[CLIENTS_MOST];
    size_t client_count;
    size_t notified;
    uint64_t now_ms;
} run;

static bool is_address_of(void *context, uint32_t address)
{
    return address != FIRST_ADDRESS + *(const unsigned *)context;
}

static void check_result(const struct forward_result *result, const struct client *client)
{
    uint64_t waited_ms = run.now_ms - client->asked_ms;
    unsigned name = client->name;

    assert(result->response != NULL || result->failure != FORWARD_NO_FAILURE);
    assert(!result->is_stale ||
           (result->response != NULL && result->failure != FORWARD_NO_FAILURE));
    assert(waited_ms <= FETCH_PATIENCE_MS + FETCH_TICK_MS);
    assert(result->failure != FORWARD_SILENT || result->is_stale || result->is_cached ||
           waited_ms >= FETCH_PATIENCE_MS);
    if (result->response != NULL && !forward_failure_is_code(result->failure))
        assert(!response_find_address(result->response, NULL, is_address_of, &name));
}

static void notify_client(struct client *client, const struct forward_result *result)
{
    assert(client->notified++ == 0);
    run.notified++;
    check_result(result, client);
}

static void on_result(void *context, struct waiter *waiters, const struct forward_result *result)
{
    (void)context;
    for (struct waiter *waiter = waiters; waiter != NULL;) {
        struct client *client = (struct client *)(void *)waiter;
        waiter = waiter->next;
        notify_client(client, result);
    }
}

/* The number of the name that a query asks for; NAMES: it is a probe. */
static unsigned name_of(const struct scripted_query *query)
{
    unsigned name;
    char text[8] = "";

    if (scripted_is_probe(query))
        return NAMES;
    assert(query->octets[NAME_OFFSET] < sizeof text);
    memcpy(text, query->octets + NAME_OFFSET + 1, query->octets[NAME_OFFSET]);
    text[0] |= 0x20; /* whatever its case */
    assert(sscanf(text, "x%u", &name) == 1 && name < NAMES);
    return name;
}

static bool was_asked(unsigned name)
{
    for (size_t i = 0; i < run.client_count; i++)
        if (run.clients[i].name == name)
            return true;
    return false;
}

static void check_queries(struct worker *worker)
{
    for (; worker->seen < worker->scripted.count; worker->seen++) {
        unsigned name = name_of(&worker->scripted.queries[worker->seen]);
        assert(name == NAMES || was_asked(name));
    }
    assert(worker->scripted.open <= fetch_tickets(QUESTIONS));
}

static void ask(struct worker *worker, unsigned name)
{
    struct client *client = &run.clients[run.client_count++];
    struct scripted_question asked;
    struct forward_result result;
    char text[32];

    *client = (struct client){.name = name, .asked_ms = run.now_ms};
    snprintf(text, sizeof text, name % 2 == 0 ? "x%u.n.example" : "x%u.example", name);
    const struct question *question = scripted_ask(&asked, text);
    uint8_t route = (uint8_t)(name % 2);
    if (forward_find(worker->forward, question, route, &result) ||
        !forward_ask(worker->forward, question, route, &client->waiter, &result))
        notify_client(client, &result);
}

/* The n-th query that is open, counted around; NULL when none is. */
static size_t find_open(const struct worker *worker, size_t n)
{
    size_t result = worker->scripted.count;

    n = worker->scripted.open == 0 ? 0 : n % worker->scripted.open;
    for (size_t i = 0; i < worker->scripted.count; i++)
        if (worker->scripted.queries[i].is_open && n-- == 0)
            result = i;
    return result;
}

static void reply(struct worker *worker, size_t number, unsigned kind)
{
    static const uint16_t rcodes[] = {1, 2, 3, 4, 5, 16};
    const struct scripted_query *query = &worker->scripted.queries[number];
    struct scripted_reply made = {.address = FIRST_ADDRESS + name_of(query),
                                  .ttl_seconds = kind / 16};

    switch (kind % 8) {
    case 0:
        made.has_wrong_id = true;
        break;
    case 1:
        made.has_wrong_question = true;
        break;
    case 2:
        made.is_cut_short = true;
        break;
    case 3:
        made.is_truncated = true;
        break;
    case 4:
        made = (struct scripted_reply){.rcode = rcodes[kind / 8 % 6], .ede = "so"};
        break;
    default:
        break;
    }
    scripted_reply(&worker->scripted, number, &made);
}

static void pass(unsigned ticks)
{
    for (unsigned i = 0; i < ticks; i++) {
        run.now_ms += FETCH_TICK_MS;
        for (size_t n = 0; n < WORKERS; n++) {
            struct worker *worker = &run.workers[n];
            forward_set_time(worker->forward, run.now_ms);
            while (forward_turn(worker->forward))
                continue;
            forward_tick(worker->forward);
            check_queries(worker);
        }
    }
}

static void step(uint8_t what, uint8_t whom)
{
    struct worker *worker = &run.workers[what >> 7];
    size_t open = find_open(worker, whom);
    bool is_open = open < worker->scripted.count;

    switch (what & 7) {
    case 0:
    case 1:
        ask(worker, whom % NAMES);
        break;
    case 2:
        pass(1 + whom % 8);
        break;
    case 3:
        pass(whom);
        break;
    case 4:
    case 5:
        if (is_open)
            reply(worker, open, (what >> 3 & 15U) | (whom & 0xf0U));
        break;
    case 6:
        if (is_open)
            scripted_fail(&worker->scripted, open, (enum link_failure)((what >> 3) % 3));
        break;
    default:
        worker->scripted.is_exhausted = whom % 4 == 0;
        worker->scripted.open_most = whom % 4 == 1 ? 1U + whom / 16 : 0; /* few sockets */
        break;
    }
    forward_turn(worker->forward);
    check_queries(worker);
}

static void start(struct standings *standings)
{
    struct err err;

    run.client_count = run.notified = 0;
    run.now_ms = FIRST_MS;
    for (size_t n = 0; n < WORKERS; n++) {
        struct worker *worker = &run.workers[n];
        *worker = (struct worker){.seen = 0};
        scripted_init(&worker->scripted, QUERIES_MOST, fetch_tickets(QUESTIONS));
        worker->forward = forward_new(
            &(struct forward_options){
                .zones = &zones,
                .cache_octets = CACHE_OCTETS_LEAST,
                .questions = QUESTIONS,
                .mixes_case = n == 1,
                .stats = &worker->stats,
                .standings = standings,
                .link = &worker->scripted.link,
                .on_result = on_result,
            },
            &err);
        assert(worker->forward != NULL);
        forward_set_time(worker->forward, run.now_ms);
    }
}

static void reply_to_all(void)
{
    for (size_t n = 0; n < WORKERS; n++)
        for (size_t i = 0; i < run.workers[n].scripted.count; i++)
            if (run.workers[n].scripted.queries[i].is_open)
                reply(&run.workers[n], i, 7);
}

/*
 * Servers stop replying; only probes are left in the end. The reply to a late question may raise
 * the suspicion that its server replies to no probe: then one more probe settles that.
 */
static void wind_up(void)
{
    for (size_t n = 0; n < WORKERS; n++)
        run.workers[n].scripted.is_exhausted = false;
    pass(2 * (FETCH_WINDOW_MS + FETCH_PATIENCE_MS) / FETCH_TICK_MS);
    assert(run.notified == run.client_count);
    reply_to_all();
    pass(STANDING_PROBE_MS / FETCH_TICK_MS + 1);
    reply_to_all();
    pass(2);
    for (size_t n = 0; n < WORKERS; n++) {
        assert(!forward_is_busy(run.workers[n].forward));
        assert(run.workers[n].scripted.open == 0);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    log_set_level(LOG_ERROR);
    for (size_t i = 0; i < sizeof upstreams / sizeof upstreams[0]; i++)
        assert(endpoint_read(upstreams[i].text, 53, &upstreams[i].endpoint));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    struct standings *standings = standings_new(&zones, NULL, CACHE_OCTETS_LEAST, &err);

    assert(standings != NULL);
    start(standings);
    for (size_t i = 0; i + 1 < size && i / 2 < STEPS_MOST; i += 2)
        step(data[i], data[i + 1]);
    wind_up();
    for (size_t n = 0; n < WORKERS; n++) {
        forward_free(run.workers[n].forward);
        assert(run.workers[n].scripted.open == 0);
        scripted_close(&run.workers[n].scripted);
    }
    standings_release(standings);
    return 0;
}
