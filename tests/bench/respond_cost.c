/*
 * The cost of one answer in respond(), or of finding and relaying a cached response: nanoseconds
 * and allocations for each kind of answer.
 *
 *     respond_cost                 one line per row
 *     respond_cost ROW COUNT       asks one row COUNT times and prints nothing: for callgrind
 *
 * Callgrind counts counted_answer() alone (count.bash). Rows:
 *
 *     T1   the routers of an app; of its custom domain (cname); to a client with a cookie
 *     T2   another type            T3   an app without a running web dyno
 *     T4   a client outside; "outsider" with the rates of such clients limited
 *     T9   dynos of a formation    T10  a name below localspace that is not there
 *     T11  a kept name of an upstream: addresses; an alias; a name that is not there
 *
 * The zones are the fixture and a second space. Every row is asked twice before, and its response
 * code is checked.
 */
// wrap: malloc calloc realloc
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "respond/dead_apps.h"
#include "respond/limits.h"
#include "support/allocations.h"
#include "support/cold.h"
#include "support/request.h"
#include "support/world.h"
#include "wire/types.h"

enum { ROUNDS = 200000 };

#define APP "frozen-oasis-70544.herokuapp.com."

static const struct row {
    const char *name;
    struct ask ask;
    uint16_t rcode;
    bool is_limited;
} rows[] = {
    {.name = "T1", .ask = {.name = APP}},
    {.name = "T1-cname", .ask = {.name = "api.example.com."}},
    {.name = "T1-cookie", .ask = {.name = APP, .cookie_octets = 8}},
    {.name = "T2", .ask = {.name = APP, .type = TYPE_AAAA}},
    {.name = "T3", .ask = {.name = "sleepy-river-2739.herokuapp.com."}},
    {.name = "T4", .ask = {.name = APP, .from = "203.0.113.9"}, .rcode = RCODE_REFUSED},
    {.name = "outsider",
     .ask = {.name = APP, .from = "203.0.113.9"},
     .rcode = RCODE_REFUSED,
     .is_limited = true},
    {.name = "T9", .ask = {.name = "web.frozen-oasis-70544.app.localspace."}},
    {.name = "T10",
     .ask = {.name = "web.frozen-oasis-7054.app.localspace."},
     .rcode = RCODE_NXDOMAIN},
    {.name = "wildcard", .ask = {.name = "a.b.apps.example.com."}},
    {.name = "T11", .ask = {.name = "two.addresses.example.org."}},
    {.name = "T11-cname", .ask = {.name = "alias.example.org."}},
    {.name = "T11-none", .ask = {.name = "none.example.org."}, .rcode = RCODE_NXDOMAIN},
};

static const char *const facts[] = {
    "two.addresses.example.org. A 300 198.51.100.1",
    "two.addresses.example.org. A 300 198.51.100.2",
    "alias.example.org. CNAME 300 two.addresses.example.org.",
    "none.example.org. NXDOMAIN 300 300",
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

/* A request that is ready to be answered again and again. */
struct prepared {
    uint8_t request[REQUEST_OCTETS_MOST];
    struct exchange exchange;
    struct dead_apps dead_apps; /* zeroed: counts, and raises no TTL */
};

static void prepare(struct world *world, const struct row *row, struct prepared *prepared)
{
    size_t length = request_write(&row->ask, prepared->request);

    world_send(world, prepared->request, length,
               &row->ask); /* so that answers of upstreams are cached */
    if (world_send(world, prepared->request, length, &row->ask) == 0 ||
        world->exchange.rcode != row->rcode) {
        fprintf(stderr, "respond_cost: %s is answered with code %u, expected %u\n", row->name,
                (unsigned)world->exchange.rcode, (unsigned)row->rcode);
        exit(EXIT_FAILURE);
    }
    prepared->exchange = world->exchange;
    prepared->exchange.limits = row->is_limited ? world->limits : NULL;
    prepared->exchange.dead_apps = &prepared->dead_apps;
    prepared->exchange.request = prepared->request;
    prepared->exchange.request_length = length;
}

/* Relays a cached response as a worker's batch does. */
static void relay_kept(const struct world *world, struct exchange *exchange)
{
    struct forward_result found;

    respond_prepare(world->snapshot, exchange);
    respond_prefetch(world->snapshot, exchange);
    respond_decide(world->snapshot, exchange);
    /* The exchange has it to look ahead; a batch has it to find with. */
    struct forward *forward = (struct forward *)exchange->forward;
    const struct question question = question_of(&exchange->query, exchange->hash);
    if (!forward_find(forward, &question, exchange->verdict.route, &found)) {
        fprintf(stderr, "respond_cost: what was asked is not kept\n");
        exit(EXIT_FAILURE);
    }
    respond_relay(world->snapshot, exchange, &found);
}

/* Limits as a worker has them, with a rate that nobody reaches. */
static void limit(struct world *world, struct limits *limits, struct stats *stats)
{
    struct policy *policy = &world->snapshot->policy;

    limits_init(limits, limit_tables_new(), stats);
    limits->now_us = RATE_SECOND_US;
    policy->external_rate = 100000;
    policy->external_interval_us = rate_interval_us(policy->external_rate);
    policy->external_slip = 2;
    world->limits = limits;
}

__attribute__((noinline)) static void counted_answer(const struct world *world,
                                                     struct exchange *exchange)
{
    if (exchange->verdict.situation == SITUATION_FORWARD)
        relay_kept(world, exchange);
    else
        respond(world->snapshot, exchange);
}

static void answer_next(const struct world *world, struct prepared *prepared)
{
    prepared->exchange.rotation++;
    world->limits->now_us += 100;
    counted_answer(world, &prepared->exchange);
}

static void answer_often(const struct world *world, struct prepared *prepared, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        answer_next(world, prepared);
}

static void answer_cold(const struct world *world, struct prepared *prepared, unsigned long count)
{
    COLD_STACK;
    for (unsigned long i = 0; i < count; i++) {
        cold_start();
        answer_next(world, prepared);
    }
}

static void measure(struct world *world, const struct row *row)
{
    struct prepared prepared = {.exchange.reply = NULL};

    prepare(world, row, &prepared);
    size_t before = allocations_count();
    uint64_t start = clock_monotonic_ns();
    answer_often(world, &prepared, ROUNDS);
    uint64_t elapsed = clock_monotonic_ns() - start;
    printf("{\"row\":\"%s\",\"ns\":%.1f,\"allocations\":%.3f,\"octets\":%zu}\n", row->name,
           (double)elapsed / ROUNDS, (double)(allocations_count() - before) / ROUNDS,
           prepared.exchange.reply_length);
}

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    fprintf(stderr, "respond_cost: there is no row %s\n", name);
    exit(EXIT_FAILURE);
}

static void open_world(struct world *world, struct responders *responders)
{
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        facts_learn(&responders->facts, facts[i]);
    responders_add(responders, "10.9.0.1");
    world_init(world);
    world_forward(world, (struct clocked_options){
                             .responders = responders,
                             .zones = {{.zone = ".", .addresses = "10.9.0.1"}},
                             .zone_count = 1,
                         });
    scratch_copy(&world->folder, "zones/test-space.yaml");
    scratch_copy(&world->folder, "tests/zones_good/other-space.yaml");
    world_must_load(world);
}

int main(int count, char **arguments)
{
    /* Their places do not depend on the environment, so neither do the lines that they have. */
    static struct responders responders;
    static struct world world;
    static struct prepared prepared;
    static struct limits limits;
    static struct stats stats;

    if (count != 1 && count != 3) {
        fprintf(stderr, "usage: respond_cost [ROW COUNT]\n");
        return 2;
    }
    open_world(&world, &responders);
    limit(&world, &limits, &stats);
    if (count == 3) {
        prepare(&world, find_row(arguments[1]), &prepared);
        answer_cold(&world, &prepared, strtoul(arguments[2], NULL, 10));
    } else {
        for (size_t i = 0; i < ROW_COUNT; i++)
            measure(&world, &rows[i]);
    }
    world_close(&world);
    limit_tables_free(limits.tables);
    responders_close(&responders);
    return EXIT_SUCCESS;
}
