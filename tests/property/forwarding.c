// timeout: 120
/*
 * Whatever servers do and in whatever order: every waiter gets exactly one result, in time and for
 * its own name; the link's contract is kept; nothing is left over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/forward.h"
#include "support/scripted.h"
#include "support/suite.h"

enum { SEEDS = 8, EVENTS = 10000, NAMES = 60, QUESTIONS = 40, QUERIES = 4 * EVENTS };
enum { FIRST_ADDRESS = 0x0a000000, TICK_LATE_MS = 10 };

struct client {
    struct waiter waiter;
    unsigned name;
    unsigned results;
    uint64_t asked_ms;
};

static struct upstream upstreams[] = {
    {.text = "10.0.0.2"}, {.text = "1.1.1.1"}, {.text = "9.9.9.9", .is_tls = true}};
static struct upstream_zone zone_items[] = {
    {.upstreams = {.items = upstreams, .count = 1}},
    {.upstreams = {.items = upstreams, .count = 2}},
    {.upstreams = {.items = upstreams, .count = 3}},
};
static const struct upstream_zones zones = {.items = zone_items, .count = 3};

static struct {
    struct scripted scripted;
    struct stats stats;
    struct forward *forward;
    struct client *clients;
    size_t client_count;
    size_t results;
    uint64_t now_ms;
    uint64_t ticked_ms;
    uint64_t state; /* of the generator of events */
    unsigned seen[FORWARD_FULL + 1];
    unsigned seen_stale;
    unsigned seen_fresh;
    bool may_ask_again;
} run;

/* Random enough, and the same for a seed everywhere (xorshift). */
static unsigned below(unsigned limit)
{
    run.state ^= run.state << 13;
    run.state ^= run.state >> 7;
    run.state ^= run.state << 17;
    return (unsigned)(run.state >> 33) % limit;
}

static bool is_address_of(void *context, uint32_t address)
{
    return address != FIRST_ADDRESS + *(unsigned *)context;
}

static const struct nat64_prefix no_nat64;

/* The result is consistent and belongs to the name. */
static void check_found(const struct forward_result *found, unsigned name)
{
    bool is_answer = found->response != NULL && !forward_failure_is_code(found->failure);

    ck_assert_int_le(found->failure, FORWARD_FULL);
    ck_assert(found->response != NULL || found->failure != FORWARD_NO_FAILURE);
    ck_assert(!found->is_stale ||
              (found->response != NULL && found->failure != FORWARD_NO_FAILURE));
    if (is_answer) {
        ck_assert(found->is_stale || found->failure == FORWARD_NO_FAILURE);
        ck_assert_uint_eq(found->response->counts[0], 1);
        ck_assert(!response_find_address(found->response, &no_nat64, is_address_of, &name));
    }
    run.seen[found->failure]++;
    run.seen_stale += found->is_stale;
    run.seen_fresh += found->is_cached && found->failure == FORWARD_NO_FAILURE;
}

static void ask(unsigned name)
{
    struct client *client = &run.clients[run.client_count++];
    struct scripted_question asked;
    struct forward_result found;
    char text[32];

    *client = (struct client){.name = name, .asked_ms = run.now_ms};
    snprintf(text, sizeof text, "n%u.example", name);
    const struct question *question = scripted_ask(&asked, text);
    uint8_t route = (uint8_t)(name % 3);
    if (forward_find(run.forward, question, route, &found) ||
        !forward_ask(run.forward, question, route, &client->waiter, &found)) {
        client->results++;
        run.results++;
        check_found(&found, name);
    }
}

static void on_result(void *context, struct waiter *waiters, const struct forward_result *found)
{
    (void)context;
    for (struct waiter *waiter = waiters; waiter != NULL;) {
        struct client *client = (struct client *)(void *)waiter;
        waiter = waiter->next;
        ck_assert_uint_eq(client->results++, 0);
        uint64_t waited_ms = run.now_ms - client->asked_ms;
        ck_assert_uint_le(waited_ms, FETCH_PATIENCE_MS + FETCH_TICK_MS + TICK_LATE_MS);
        ck_assert(found->failure != FORWARD_SILENT || found->is_stale ||
                  waited_ms >= FETCH_PATIENCE_MS);
        check_found(found, client->name);
        run.results++;
        if (run.may_ask_again && below(8) == 0 && run.client_count < EVENTS)
            ask(below(4) == 0 ? below(NAMES) : client->name);
    }
}

/* The number in the name that a query asks for. */
static unsigned name_of(const struct scripted_query *query)
{
    char digits[8] = "";

    if (scripted_is_probe(query))
        return 0;
    memcpy(digits, query->octets + 14, query->octets[12] - 1U);
    return (unsigned)atoi(digits);
}

/* Some query that is open, or the count of queries. */
static size_t find_open(void)
{
    if (run.scripted.count == 0)
        return 0;
    size_t first = below((unsigned)run.scripted.count);
    for (size_t i = 0; i < run.scripted.count; i++) {
        size_t number = (first + i) % run.scripted.count;
        if (run.scripted.queries[number].is_open)
            return number;
    }
    return run.scripted.count;
}

static void reply_somehow(size_t number)
{
    static const uint16_t rcodes[] = {1, 2, 2, 4, 5, 16, 23};
    struct scripted_reply reply = {.ttl_seconds = below(6)};
    unsigned kind = below(20);

    reply.address = FIRST_ADDRESS + name_of(&run.scripted.queries[number]);
    if (kind == 0)
        reply.has_wrong_id = true;
    else if (kind == 1)
        reply.has_wrong_question = true;
    else if (kind == 2)
        reply.is_cut_short = true;
    else if (kind == 3)
        reply.is_truncated = true;
    else if (kind == 4)
        reply.folds_case = true;
    else if (kind < 9)
        reply = (struct scripted_reply){.rcode = rcodes[below(7)], .ede = "so"};
    scripted_reply(&run.scripted, number, &reply);
}

/* Time passes, and ticks come a little late. */
static void pass(unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        forward_set_time(run.forward, ++run.now_ms);
        if (run.now_ms - run.ticked_ms < FETCH_TICK_MS + below(TICK_LATE_MS))
            continue;
        run.ticked_ms = run.now_ms;
        forward_tick(run.forward);
    }
}

/* Sets the number of sockets: none, few, or enough. */
static void set_room(void)
{
    run.scripted.is_exhausted = !run.scripted.is_exhausted && below(4) == 0;
    run.scripted.open_most = below(4) == 0 ? 20 + below(40) : 0;
}

/* Servers answer two thirds of the time, and are silent for the rest. */
static void happen(unsigned event)
{
    bool are_silent = event / 1000 % 3 == 2;
    unsigned kind = below(100);
    size_t open = find_open();

    if (kind < 30 && run.client_count < EVENTS)
        ask(below(NAMES));
    else if (kind < 60)
        forward_turn(run.forward);
    else if (kind < 70)
        pass(1 + below(80));
    else if (kind == 70)
        set_room();
    else if (kind < 73 && open < run.scripted.count)
        scripted_fail(&run.scripted, open, (enum link_failure)below(3));
    else if (!are_silent && open < run.scripted.count)
        reply_somehow(open);
}

/* The servers answer again when they are asked. */
static void answer_probes(void)
{
    for (size_t number = 0; number < run.scripted.count; number++)
        if (run.scripted.queries[number].is_open)
            scripted_reply(&run.scripted, number, &(struct scripted_reply){.rcode = 0});
}

/* No more responses and no more questions. */
static void wind_up(void)
{
    run.may_ask_again = false;
    run.scripted.is_exhausted = false;
    for (int i = 0; i < 3; i++) {
        while (forward_turn(run.forward))
            continue;
        pass(FETCH_WINDOW_MS + FETCH_TICK_MS + TICK_LATE_MS);
    }
    answer_probes();
    pass(FETCH_TICK_MS + TICK_LATE_MS);
    ck_assert(!forward_is_busy(run.forward));
    ck_assert_uint_eq(run.scripted.open, 0);
    ck_assert_uint_eq(run.results, run.client_count);
    for (size_t i = 0; i < run.client_count; i++)
        ck_assert_uint_eq(run.clients[i].results, 1);
}

static void start(unsigned seed)
{
    struct err err;

    memset(&run, 0, sizeof run);
    run.state = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
    run.now_ms = run.ticked_ms = 1000;
    run.may_ask_again = true;
    run.clients = calloc(2 * EVENTS, sizeof run.clients[0]);
    scripted_init(&run.scripted, QUERIES, fetch_tickets(QUESTIONS));
    for (size_t i = 0; i < 3; i++)
        ck_assert(endpoint_read(upstreams[i].text, 53, &upstreams[i].endpoint));
    run.forward = forward_new(
        &(struct forward_options){
            .zones = &zones,
            .cache_octets = 4 << 20,
            .questions = QUESTIONS,
            .mixes_case = seed % 2 == 1,
            .stats = &run.stats,
            .link = &run.scripted.link,
            .on_result = on_result,
        },
        &err);
    ck_assert_ptr_nonnull(run.forward);
    forward_set_time(run.forward, run.now_ms);
}

TEST_LOOP(every_waiter_gets_one_result_in_time_and_for_its_name, 0, SEEDS)
{
    static const enum forward_failure expected[] = {
        FORWARD_NO_FAILURE, FORWARD_SILENT,   FORWARD_FAILING,   FORWARD_UNREACHABLE,
        FORWARD_TLS,        FORWARD_SERVFAIL, FORWARD_MALFORMED, FORWARD_FULL,
    };

    start((unsigned)_i);
    for (unsigned event = 0; event < EVENTS; event++)
        happen(event);
    wind_up();
    /* The run went everywhere. */
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        ck_assert_msg(run.seen[expected[i]] > 0, "failure %d was never seen", expected[i]);
    ck_assert_uint_gt(run.seen_stale, 10);
    ck_assert_uint_gt(run.seen_fresh, 10);
    forward_free(run.forward);
    ck_assert_uint_eq(run.scripted.open, 0);
    scripted_close(&run.scripted);
    free(run.clients);
}
