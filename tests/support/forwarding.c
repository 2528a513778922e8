#include "support/forwarding.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

enum { FIRST_MS = 5000 };

static struct upstream corp[] = {{.text = "192.168.7.53"}};
static struct upstream lab[] = {{.text = "10.0.0.2"}};
static struct upstream rest[] = {{.text = "10.0.0.2"}, {.text = "1.1.1.1"}};

static struct upstream_zone zone_items[] = {
    {.zone = "corp.example", .label_count = 2, .upstreams = {.items = corp, .count = 1}},
    {.zone = "lab.example", .label_count = 2, .upstreams = {.items = lab, .count = 1}},
    {.zone = ".", .upstreams = {.items = rest, .count = 2}},
};
static const struct upstream_zones zones = {.items = zone_items, .count = 3};

static void read_endpoints(void)
{
    for (size_t i = 0; i < zones.count; i++)
        for (size_t j = 0; j < zones.items[i].upstreams.count; j++) {
            struct upstream *upstream = &zones.items[i].upstreams.items[j];
            ck_assert(endpoint_read(upstream->text, 53, &upstream->endpoint));
        }
}

static void keep(struct forwarding *forwarding, const struct forward_result *found)
{
    struct forwarding_found *last = &forwarding->last;

    *last = (struct forwarding_found){.found = *found, .has_response = found->response != NULL};
    if (!last->has_response)
        return;
    last->rcode = found->response->rcode;
    last->answers = found->response->counts[0];
    /* Option, length and info code stand before the text. */
    if (found->response->ede_octets > 6)
        snprintf(last->ede, sizeof last->ede, "%.*s", found->response->ede_octets - 6,
                 (const char *)response_ede(found->response) + 6);
}

static void on_result(void *context, struct waiter *waiters, const struct forward_result *found)
{
    struct forwarding *forwarding = context;

    scripted_must(waiters != NULL, "somebody waits");
    for (; waiters != NULL; waiters = waiters->next)
        forwarding->told++;
    keep(forwarding, found);
}

static void init(struct forwarding *forwarding, struct standings *standings)
{
    struct err err;

    memset(forwarding, 0, sizeof *forwarding);
    read_endpoints();
    scripted_init(&forwarding->scripted, FORWARDING_QUERIES, fetch_tickets(FORWARDING_QUESTIONS));
    forwarding->standings =
        standings == NULL ? standings_new(&zones, NULL, &err) : standings_hold(standings);
    ck_assert_ptr_nonnull(forwarding->standings);
    forwarding->forward = forward_new(
        &(struct forward_options){
            .zones = &zones,
            .cache_octets = 4 << 20,
            .questions = FORWARDING_QUESTIONS,
            .stats = &forwarding->stats,
            .standings = forwarding->standings,
            .link = &forwarding->scripted.link,
            .on_result = on_result,
            .context = forwarding,
        },
        &err);
    ck_assert_ptr_nonnull(forwarding->forward);
    forwarding->now_ms = FIRST_MS;
    forward_set_time(forwarding->forward, FIRST_MS);
}

void forwarding_init(struct forwarding *forwarding)
{
    init(forwarding, NULL);
}

void forwarding_init_beside(struct forwarding *forwarding, const struct forwarding *first)
{
    init(forwarding, first->standings);
    forwarding->now_ms = first->now_ms;
    forward_set_time(forwarding->forward, forwarding->now_ms);
}

void forwarding_close(struct forwarding *forwarding)
{
    forward_free(forwarding->forward);
    standings_release(forwarding->standings);
    ck_assert_uint_eq(forwarding->scripted.open, 0);
    scripted_close(&forwarding->scripted);
}

bool forwarding_ask(struct forwarding *forwarding, const char *name, uint8_t route)
{
    struct scripted_question asked;
    const struct question *question = scripted_ask(&asked, name);
    struct forward_result found;

    memset(&found, 0xee, sizeof found);
    if (forward_find(forwarding->forward, question, route, &found)) {
        keep(forwarding, &found);
        forward_turn(forwarding->forward);
        return true;
    }
    scripted_must(forwarding->client_count < FORWARDING_CLIENTS, "there is a client left");
    struct waiter *client = &forwarding->clients[forwarding->client_count++];
    bool is_taken = forward_ask(forwarding->forward, question, route, client, &found);
    if (!is_taken)
        keep(forwarding, &found);
    forward_turn(forwarding->forward);
    return !is_taken;
}

void forwarding_pass(struct forwarding *forwarding, uint64_t ms)
{
    uint64_t end_ms = forwarding->now_ms + ms;

    while (forwarding->now_ms < end_ms) {
        forwarding->now_ms += FETCH_TICK_MS;
        if (forwarding->now_ms > end_ms)
            forwarding->now_ms = end_ms;
        forward_set_time(forwarding->forward, forwarding->now_ms);
        forward_tick(forwarding->forward);
    }
}

void forwarding_skip(struct forwarding *forwarding, uint64_t seconds)
{
    forwarding->now_ms += seconds * 1000;
    forward_set_time(forwarding->forward, forwarding->now_ms);
    forward_tick(forwarding->forward);
}

void forwarding_reply(struct forwarding *forwarding, size_t number,
                      const struct scripted_reply *reply)
{
    scripted_reply(&forwarding->scripted, number, reply);
}

void forwarding_answer(struct forwarding *forwarding, size_t number)
{
    forwarding_reply(forwarding, number,
                     &(struct scripted_reply){.address = FORWARDING_ADDRESS, .ttl_seconds = 60});
}

void forwarding_break_off(struct forwarding *forwarding, size_t number, enum link_failure failure)
{
    scripted_fail(&forwarding->scripted, number, failure);
}

void forwarding_make_failing(struct forwarding *forwarding, uint8_t route)
{
    char name[32], told[256] = "";
    struct text text = text_over(told, sizeof told - 1);

    forwarding_pass(forwarding, 1); /* later than any reply */
    for (unsigned i = 0; i < 2 * STANDING_SILENT_MOST; i++) {
        snprintf(name, sizeof name, "silent%u.example", i);
        ck_assert(!forwarding_ask(forwarding, name, route));
    }
    forwarding_pass(forwarding, FETCH_WINDOW_MS + FETCH_TICK_MS);
    forward_format_servers(forwarding->forward, route, &text);
    ck_assert_msg(strstr(told, " up ") == NULL && strstr(told, " untried") == NULL &&
                      strstr(told, " in doubt") == NULL,
                  "%s", told);
    forwarding->told = 0;
}

size_t forwarding_probe(const struct forwarding *forwarding)
{
    size_t number = forwarding_last(forwarding);

    while (number > 0 && !scripted_is_probe(forwarding_sent(forwarding, number)))
        number--;
    scripted_must(scripted_is_probe(forwarding_sent(forwarding, number)), "a probe was sent");
    return number;
}

size_t forwarding_last(const struct forwarding *forwarding)
{
    scripted_must(forwarding->scripted.count > 0, "a query was sent");
    return forwarding->scripted.count - 1;
}

const struct scripted_query *forwarding_sent(const struct forwarding *forwarding, size_t number)
{
    scripted_must(number < forwarding->scripted.count, "the query was sent");
    return &forwarding->scripted.queries[number];
}

uint64_t forwarding_counted(const struct forwarding *forwarding, enum counter counter)
{
    return forwarding->stats.counters[counter];
}

static void assert_server(const struct forward_result *found, const char *server)
{
    if (server == NULL)
        ck_assert_ptr_null(found->server);
    else
        ck_assert_str_eq(found->server, server);
}

void forwarding_assert_fresh(const struct forwarding *forwarding, uint32_t age_seconds)
{
    const struct forward_result *found = &forwarding->last.found;

    ck_assert(forwarding->last.has_response && found->is_cached && !found->is_stale);
    ck_assert_int_eq(found->failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(found->age_seconds, age_seconds);
    assert_server(found, NULL);
}

void forwarding_assert_new(const struct forwarding *forwarding, const char *server)
{
    const struct forward_result *found = &forwarding->last.found;

    ck_assert(forwarding->last.has_response && !found->is_cached && !found->is_stale);
    ck_assert_int_eq(found->failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(found->age_seconds, 0);
    assert_server(found, server);
}

void forwarding_assert_stale(const struct forwarding *forwarding, enum forward_failure failure,
                             const char *server)
{
    const struct forward_result *found = &forwarding->last.found;

    ck_assert(forwarding->last.has_response && found->is_cached && found->is_stale);
    ck_assert_int_eq(found->failure, failure);
    assert_server(found, server);
}

void forwarding_assert_failed(const struct forwarding *forwarding, enum forward_failure failure,
                              const char *server)
{
    const struct forward_result *found = &forwarding->last.found;

    ck_assert(!found->is_stale);
    ck_assert_int_eq(found->failure, failure);
    assert_server(found, server);
}
