#include "support/asking.h"

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

static void remember_response(struct asking_settled *settled, const struct response *response)
{
    settled->has_response = response != NULL;
    settled->ede[0] = '\0';
    if (response == NULL)
        return;
    settled->rcode = response->rcode;
    settled->answers = response->counts[0];
    /* Option, length and info code stand before the text. */
    if (response->ede_octets > 6)
        snprintf(settled->ede, sizeof settled->ede, "%.*s", response->ede_octets - 6,
                 (const char *)response_ede(response) + 6);
}

static void on_outcome(void *context, const struct fetch_outcome *outcome)
{
    struct asking *asking = context;
    struct asking_settled *settled = &asking->settled;
    struct waiter *again = settled->again;

    settled->count++;
    settled->failure = outcome->failure;
    settled->server = outcome->server;
    settled->waiters = 0;
    remember_response(settled, outcome->response);
    for (struct waiter *waiter = outcome->waiters; waiter != NULL; waiter = waiter->next) {
        ((struct asking_client *)(void *)waiter)->told++;
        settled->waiters++;
    }
    settled->again = NULL;
    if (again != NULL)
        ck_assert(fetch_table_ask(asking->table, outcome->question, outcome->route, again,
                                  FETCH_PATIENCE_MS));
}

void asking_init(struct asking *asking, bool mixes_case)
{
    struct err err;

    memset(asking, 0, sizeof *asking);
    for (size_t i = 0; i < ASKING_SERVERS; i++) {
        asking->upstreams[i] = (struct upstream){.is_tls = i == 2, .text = "server"};
        resolver_init(&asking->servers[i], &asking->upstreams[i], &asking->standing[i]);
        asking->standings.items[asking->standings.count++] = &asking->standing[i];
    }
    scripted_init(&asking->scripted, ASKING_QUERIES, fetch_tickets(ASKING_QUESTIONS));
    asking->now_ms = FIRST_MS;
    asking->table = fetch_table_new(
        &(struct fetch_table_options){
            .servers = asking->servers,
            .routes = routes,
            .standings = &asking->standings,
            .link = &asking->scripted.link,
            .stats = &asking->stats,
            .questions = ASKING_QUESTIONS,
            .mixes_case = mixes_case,
            .on_outcome = on_outcome,
            .context = asking,
        },
        &err);
    ck_assert_ptr_nonnull(asking->table);
}

void asking_close(struct asking *asking)
{
    fetch_table_free(asking->table);
    ck_assert_uint_eq(asking->scripted.open, 0);
    scripted_close(&asking->scripted);
}

struct waiter *asking_next_client(struct asking *asking)
{
    ck_assert_uint_lt(asking->client_count, ASKING_CLIENTS);
    return &asking->clients[asking->client_count++].waiter;
}

bool asking_try(struct asking *asking, const char *name, uint8_t route)
{
    struct scripted_question asked;

    fetch_table_set_time(asking->table, asking->now_ms);
    return fetch_table_ask(asking->table, scripted_ask(&asked, name), route,
                           asking_next_client(asking), FETCH_PATIENCE_MS);
}

bool asking_refresh(struct asking *asking, const char *name, uint8_t route)
{
    struct scripted_question asked;

    fetch_table_set_time(asking->table, asking->now_ms);
    return fetch_table_ask(asking->table, scripted_ask(&asked, name), route, NULL, 0);
}

void asking_ask(struct asking *asking, const char *name, uint8_t route)
{
    ck_assert(asking_try(asking, name, route));
    fetch_table_turn(asking->table, asking->now_ms);
}

void asking_ask_numbered(struct asking *asking, unsigned number, uint8_t route)
{
    char name[32];

    snprintf(name, sizeof name, "n%u.example.org", number);
    asking_ask(asking, name, route);
}

void asking_pass(struct asking *asking, unsigned ms)
{
    uint64_t end_ms = asking->now_ms + ms;

    while (asking->now_ms < end_ms) {
        asking->now_ms += FETCH_TICK_MS;
        if (asking->now_ms > end_ms)
            asking->now_ms = end_ms;
        fetch_table_tick(asking->table, asking->now_ms);
    }
}

void asking_reply(struct asking *asking, size_t number, const struct scripted_reply *reply)
{
    fetch_table_set_time(asking->table, asking->now_ms);
    scripted_reply(&asking->scripted, number, reply);
}

void asking_answer(struct asking *asking, size_t number)
{
    asking_reply(asking, number,
                 &(struct scripted_reply){.address = ASKING_ADDRESS, .ttl_seconds = 60});
}

void asking_reply_code(struct asking *asking, size_t number, uint16_t rcode)
{
    asking_reply(asking, number, &(struct scripted_reply){.rcode = rcode});
}

void asking_break_off(struct asking *asking, size_t number, enum link_failure failure)
{
    fetch_table_set_time(asking->table, asking->now_ms);
    scripted_fail(&asking->scripted, number, failure);
}

void asking_make_failing(struct asking *asking, uint8_t server)
{
    struct standing *standing = asking->servers[server].standing;

    for (int i = 0; i < STANDING_SILENT_MOST; i++)
        standing_on_silence(standing, asking->now_ms + 1, asking->now_ms);
    for (int i = 0; i < STANDING_PROBES_MOST; i++)
        standing_on_probe_silence(standing, asking->now_ms + 1);
    ck_assert(resolver_is_failing(&asking->servers[server]));
}

void asking_pass_window(struct asking *asking)
{
    asking_pass(asking, FETCH_WINDOW_MS + FETCH_TICK_MS);
}

const struct scripted_query *asking_sent(const struct asking *asking, size_t number)
{
    ck_assert_uint_lt(number, asking->scripted.count);
    return &asking->scripted.queries[number];
}

uint64_t asking_counted(const struct asking *asking, enum counter counter)
{
    return asking->stats.counters[counter];
}

void asking_assert_sent(const struct asking *asking, size_t expected)
{
    ck_assert_uint_eq(asking->scripted.count, expected);
}

static void assert_ended(const struct asking *asking, enum forward_failure failure, uint8_t server)
{
    ck_assert_uint_eq(asking->settled.count, 1);
    ck_assert_int_eq(asking->settled.failure, failure);
    ck_assert_uint_eq(asking->settled.server, server);
    ck_assert_uint_eq(fetch_table_count(asking->table), 0);
    ck_assert_uint_eq(asking->scripted.open, 0);
}

void asking_assert_answered(const struct asking *asking, uint8_t server)
{
    assert_ended(asking, FORWARD_NO_FAILURE, server);
    ck_assert(asking->settled.has_response);
    ck_assert_uint_eq(asking->settled.answers, 1);
}

static void assert_told(const struct asking *asking, enum forward_failure failure, uint8_t server)
{
    ck_assert_uint_eq(asking->settled.count, 1);
    ck_assert_int_eq(asking->settled.failure, failure);
    ck_assert_uint_eq(asking->settled.server, server);
    ck_assert_uint_eq(asking_counted(asking, COUNTER_FORWARD_FAILURES), 1);
}

void asking_assert_failed(const struct asking *asking, enum forward_failure failure, uint8_t server)
{
    assert_told(asking, failure, server);
    assert_ended(asking, failure, server);
}

void asking_assert_lingers(const struct asking *asking, enum forward_failure failure,
                           uint8_t server)
{
    assert_told(asking, failure, server);
    ck_assert_uint_eq(fetch_table_count(asking->table), 1);
    ck_assert_uint_eq(fetch_table_room(asking->table), ASKING_QUESTIONS);
    ck_assert_uint_gt(asking->scripted.open, 0);
}
