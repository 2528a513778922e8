#include "support/fetch_rig.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

enum { FIRST_MS = 1000 };

static const struct resolver_set routes[ROUTES] = {
    [ROUTE_TWO] = {.numbers = {0, 1}, .count = 2},
    [ROUTE_ONE] = {.numbers = {0}, .count = 1},
    [ROUTE_TLS] = {.numbers = {2}, .count = 1},
    [ROUTE_ALL] = {.numbers = {0, 1, 2}, .count = 3},
};

static void remember_response(struct fetch_rig_outcome *outcome, const struct response *response)
{
    outcome->has_response = response != NULL;
    outcome->ede[0] = '\0';
    if (response == NULL)
        return;
    outcome->rcode = response->rcode;
    outcome->answers = response->counts[0];
    /* Option, length and info code stand before the text. */
    if (response->ede_octets > 6)
        snprintf(outcome->ede, sizeof outcome->ede, "%.*s", response->ede_octets - 6,
                 (const char *)response_ede(response) + 6);
}

static void on_outcome(void *context, const struct fetch_outcome *outcome)
{
    struct fetch_rig *rig = context;
    struct fetch_rig_outcome *last = &rig->outcome;
    struct waiter *again = last->again;

    last->count++;
    last->failure = outcome->failure;
    last->server = outcome->server;
    last->waiters = 0;
    remember_response(last, outcome->response);
    for (struct waiter *waiter = outcome->waiters; waiter != NULL; waiter = waiter->next) {
        ((struct fetch_rig_client *)(void *)waiter)->notified++;
        last->waiters++;
    }
    last->again = NULL;
    if (again != NULL)
        ck_assert(fetch_table_ask(rig->table, outcome->question, outcome->route, again,
                                  FETCH_PATIENCE_MS));
}

void fetch_rig_init(struct fetch_rig *rig, bool mixes_case)
{
    struct err err;

    memset(rig, 0, sizeof *rig);
    for (size_t i = 0; i < FETCH_RIG_SERVERS; i++) {
        rig->upstreams[i] = (struct upstream){.is_tls = i == 2, .text = "server"};
        resolver_init(&rig->servers[i], &rig->upstreams[i], &rig->standing[i]);
        rig->standings.items[rig->standings.count++] = &rig->standing[i];
    }
    scripted_init(&rig->scripted, FETCH_RIG_QUERIES, fetch_tickets(FETCH_RIG_QUESTIONS));
    rig->now_ms = FIRST_MS;
    rig->table = fetch_table_new(
        &(struct fetch_table_options){
            .servers = rig->servers,
            .routes = routes,
            .standings = &rig->standings,
            .link = &rig->scripted.link,
            .stats = &rig->stats,
            .questions = FETCH_RIG_QUESTIONS,
            .mixes_case = mixes_case,
            .on_outcome = on_outcome,
            .context = rig,
        },
        &err);
    ck_assert_ptr_nonnull(rig->table);
}

void fetch_rig_close(struct fetch_rig *rig)
{
    fetch_table_free(rig->table);
    ck_assert_uint_eq(rig->scripted.open, 0);
    scripted_close(&rig->scripted);
}

struct waiter *fetch_rig_next_client(struct fetch_rig *rig)
{
    ck_assert_uint_lt(rig->client_count, FETCH_RIG_CLIENTS);
    return &rig->clients[rig->client_count++].waiter;
}

bool fetch_rig_try(struct fetch_rig *rig, const char *name, uint8_t route)
{
    struct scripted_question asked;

    fetch_table_set_time(rig->table, rig->now_ms);
    return fetch_table_ask(rig->table, scripted_ask(&asked, name), route,
                           fetch_rig_next_client(rig), FETCH_PATIENCE_MS);
}

bool fetch_rig_refresh(struct fetch_rig *rig, const char *name, uint8_t route)
{
    struct scripted_question asked;

    fetch_table_set_time(rig->table, rig->now_ms);
    return fetch_table_ask(rig->table, scripted_ask(&asked, name), route, NULL, 0);
}

void fetch_rig_ask(struct fetch_rig *rig, const char *name, uint8_t route)
{
    ck_assert(fetch_rig_try(rig, name, route));
    fetch_table_turn(rig->table, rig->now_ms);
}

void fetch_rig_ask_numbered(struct fetch_rig *rig, unsigned number, uint8_t route)
{
    char name[32];

    snprintf(name, sizeof name, "n%u.example.org", number);
    fetch_rig_ask(rig, name, route);
}

void fetch_rig_pass(struct fetch_rig *rig, unsigned ms)
{
    uint64_t end_ms = rig->now_ms + ms;

    while (rig->now_ms < end_ms) {
        rig->now_ms += FETCH_TICK_MS;
        if (rig->now_ms > end_ms)
            rig->now_ms = end_ms;
        fetch_table_tick(rig->table, rig->now_ms);
    }
}

void fetch_rig_reply(struct fetch_rig *rig, size_t number, const struct scripted_reply *reply)
{
    fetch_table_set_time(rig->table, rig->now_ms);
    scripted_reply(&rig->scripted, number, reply);
}

void fetch_rig_answer(struct fetch_rig *rig, size_t number)
{
    fetch_rig_reply(rig, number,
                    &(struct scripted_reply){.address = FETCH_RIG_ADDRESS, .ttl_seconds = 60});
}

void fetch_rig_reply_code(struct fetch_rig *rig, size_t number, uint16_t rcode)
{
    fetch_rig_reply(rig, number, &(struct scripted_reply){.rcode = rcode});
}

void fetch_rig_break_off(struct fetch_rig *rig, size_t number, enum link_failure failure)
{
    fetch_table_set_time(rig->table, rig->now_ms);
    scripted_fail(&rig->scripted, number, failure);
}

void fetch_rig_make_failing(struct fetch_rig *rig, uint8_t server)
{
    struct standing *standing = rig->servers[server].standing;

    for (int i = 0; i < STANDING_SILENT_MOST; i++)
        standing_on_silence(standing, rig->now_ms + 1, rig->now_ms);
    for (int i = 0; i < STANDING_PROBES_MOST; i++)
        standing_on_probe_silence(standing, rig->now_ms + 1);
    ck_assert(resolver_is_failing(&rig->servers[server]));
}

void fetch_rig_pass_window(struct fetch_rig *rig)
{
    fetch_rig_pass(rig, FETCH_WINDOW_MS + FETCH_TICK_MS);
}

const struct scripted_query *fetch_rig_sent(const struct fetch_rig *rig, size_t number)
{
    ck_assert_uint_lt(number, rig->scripted.count);
    return &rig->scripted.queries[number];
}

uint64_t fetch_rig_counted(const struct fetch_rig *rig, enum counter counter)
{
    return rig->stats.counters[counter];
}

void fetch_rig_assert_sent(const struct fetch_rig *rig, size_t expected)
{
    ck_assert_uint_eq(rig->scripted.count, expected);
}

static void assert_ended(const struct fetch_rig *rig, enum forward_failure failure, uint8_t server)
{
    ck_assert_uint_eq(rig->outcome.count, 1);
    ck_assert_int_eq(rig->outcome.failure, failure);
    ck_assert_uint_eq(rig->outcome.server, server);
    ck_assert_uint_eq(fetch_table_count(rig->table), 0);
    ck_assert_uint_eq(rig->scripted.open, 0);
}

void fetch_rig_assert_answered(const struct fetch_rig *rig, uint8_t server)
{
    assert_ended(rig, FORWARD_NO_FAILURE, server);
    ck_assert(rig->outcome.has_response);
    ck_assert_uint_eq(rig->outcome.answers, 1);
}

static void assert_notified(const struct fetch_rig *rig, enum forward_failure failure,
                            uint8_t server)
{
    ck_assert_uint_eq(rig->outcome.count, 1);
    ck_assert_int_eq(rig->outcome.failure, failure);
    ck_assert_uint_eq(rig->outcome.server, server);
    ck_assert_uint_eq(fetch_rig_counted(rig, COUNTER_FORWARD_FAILURES), 1);
}

void fetch_rig_assert_failed(const struct fetch_rig *rig, enum forward_failure failure,
                             uint8_t server)
{
    assert_notified(rig, failure, server);
    assert_ended(rig, failure, server);
}

void fetch_rig_assert_lingers(const struct fetch_rig *rig, enum forward_failure failure,
                              uint8_t server)
{
    assert_notified(rig, failure, server);
    ck_assert_uint_eq(fetch_table_count(rig->table), 1);
    ck_assert_uint_eq(fetch_table_room(rig->table), FETCH_RIG_QUESTIONS);
    ck_assert_uint_gt(rig->scripted.open, 0);
}
