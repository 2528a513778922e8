#include "support/forward_rig.h"

#include <stdio.h>
#include <string.h>

#include "forward/forward_report.h"
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

static void keep(struct forward_rig *rig, const struct forward_result *found)
{
    struct forward_rig_result *last = &rig->last;

    *last = (struct forward_rig_result){.found = *found, .has_response = found->response != NULL};
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
    struct forward_rig *rig = context;

    scripted_must(waiters != NULL, "a client waits");
    for (; waiters != NULL; waiters = waiters->next)
        rig->notified++;
    keep(rig, found);
}

static void init(struct forward_rig *rig, struct standings *standings)
{
    struct err err;

    memset(rig, 0, sizeof *rig);
    read_endpoints();
    scripted_init(&rig->scripted, FORWARD_RIG_QUERIES, fetch_tickets(FORWARD_RIG_QUESTIONS));
    rig->standings =
        standings == NULL ? standings_new(&zones, NULL, 4 << 20, &err) : standings_hold(standings);
    ck_assert_ptr_nonnull(rig->standings);
    rig->forward = forward_new(
        &(struct forward_options){
            .zones = &zones,
            .cache_octets = 4 << 20,
            .questions = FORWARD_RIG_QUESTIONS,
            .stats = &rig->stats,
            .standings = rig->standings,
            .link = &rig->scripted.link,
            .on_result = on_result,
            .context = rig,
        },
        &err);
    ck_assert_ptr_nonnull(rig->forward);
    rig->now_ms = FIRST_MS;
    forward_set_time(rig->forward, FIRST_MS);
}

void forward_rig_init(struct forward_rig *rig)
{
    init(rig, NULL);
}

void forward_rig_init_beside(struct forward_rig *rig, const struct forward_rig *first)
{
    init(rig, first->standings);
    rig->now_ms = first->now_ms;
    forward_set_time(rig->forward, rig->now_ms);
}

void forward_rig_close(struct forward_rig *rig)
{
    forward_free(rig->forward);
    standings_release(rig->standings);
    ck_assert_uint_eq(rig->scripted.open, 0);
    scripted_close(&rig->scripted);
}

bool forward_rig_ask(struct forward_rig *rig, const char *name, uint8_t route)
{
    struct scripted_question asked;
    const struct question *question = scripted_ask(&asked, name);
    struct forward_result found;

    memset(&found, 0xee, sizeof found);
    if (forward_find(rig->forward, question, route, &found)) {
        keep(rig, &found);
        forward_turn(rig->forward);
        return true;
    }
    scripted_must(rig->client_count < FORWARD_RIG_CLIENTS, "there is a client left");
    struct waiter *client = &rig->clients[rig->client_count++];
    bool is_taken = forward_ask(rig->forward, question, route, client, &found);
    if (!is_taken)
        keep(rig, &found);
    forward_turn(rig->forward);
    return !is_taken;
}

void forward_rig_pass(struct forward_rig *rig, uint64_t ms)
{
    uint64_t end_ms = rig->now_ms + ms;

    while (rig->now_ms < end_ms) {
        rig->now_ms += FETCH_TICK_MS;
        if (rig->now_ms > end_ms)
            rig->now_ms = end_ms;
        forward_set_time(rig->forward, rig->now_ms);
        forward_tick(rig->forward);
    }
}

void forward_rig_skip(struct forward_rig *rig, uint64_t seconds)
{
    rig->now_ms += seconds * 1000;
    forward_set_time(rig->forward, rig->now_ms);
    forward_tick(rig->forward);
}

void forward_rig_reply(struct forward_rig *rig, size_t number, const struct scripted_reply *reply)
{
    scripted_reply(&rig->scripted, number, reply);
}

void forward_rig_answer(struct forward_rig *rig, size_t number)
{
    forward_rig_reply(rig, number,
                      &(struct scripted_reply){.address = FORWARD_RIG_ADDRESS, .ttl_seconds = 60});
}

void forward_rig_break_off(struct forward_rig *rig, size_t number, enum link_failure failure)
{
    scripted_fail(&rig->scripted, number, failure);
}

void forward_rig_make_failing(struct forward_rig *rig, uint8_t route)
{
    char name[32], notified[256] = "";
    struct text text = text_over(notified, sizeof notified - 1);

    forward_rig_pass(rig, 1); /* later than any reply */
    for (unsigned i = 0; i < 2 * STANDING_SILENT_MOST; i++) {
        snprintf(name, sizeof name, "silent%u.example", i);
        ck_assert(!forward_rig_ask(rig, name, route));
    }
    forward_rig_pass(rig, FETCH_WINDOW_MS + FETCH_TICK_MS);
    forward_format_servers(rig->forward, route, &text);
    ck_assert_msg(strstr(notified, " up ") == NULL && strstr(notified, " untried") == NULL &&
                      strstr(notified, " in doubt") == NULL,
                  "%s", notified);
    rig->notified = 0;
}

size_t forward_rig_probe(const struct forward_rig *rig)
{
    size_t number = forward_rig_last(rig);

    while (number > 0 && !scripted_is_probe(forward_rig_sent(rig, number)))
        number--;
    scripted_must(scripted_is_probe(forward_rig_sent(rig, number)), "a probe was sent");
    return number;
}

size_t forward_rig_last(const struct forward_rig *rig)
{
    scripted_must(rig->scripted.count > 0, "a query was sent");
    return rig->scripted.count - 1;
}

const struct scripted_query *forward_rig_sent(const struct forward_rig *rig, size_t number)
{
    scripted_must(number < rig->scripted.count, "the query was sent");
    return &rig->scripted.queries[number];
}

uint64_t forward_rig_counted(const struct forward_rig *rig, enum counter counter)
{
    return rig->stats.counters[counter];
}

static void assert_server(const struct forward_result *found, const char *server)
{
    if (server == NULL)
        ck_assert_ptr_null(found->server);
    else
        ck_assert_str_eq(found->server, server);
}

void forward_rig_assert_fresh(const struct forward_rig *rig, uint32_t age_seconds)
{
    const struct forward_result *found = &rig->last.found;

    ck_assert(rig->last.has_response && found->is_cached && !found->is_stale);
    ck_assert_int_eq(found->failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(found->age_seconds, age_seconds);
    ck_assert_ptr_nonnull(found->server); /* that gave it */
}

void forward_rig_assert_new(const struct forward_rig *rig, const char *server)
{
    const struct forward_result *found = &rig->last.found;

    ck_assert(rig->last.has_response && !found->is_cached && !found->is_stale);
    ck_assert_int_eq(found->failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(found->age_seconds, 0);
    assert_server(found, server);
}

void forward_rig_assert_stale(const struct forward_rig *rig, enum forward_failure failure,
                              const char *server)
{
    const struct forward_result *found = &rig->last.found;

    ck_assert(rig->last.has_response && found->is_cached && found->is_stale);
    ck_assert_int_eq(found->failure, failure);
    assert_server(found, server);
}

void forward_rig_assert_failed(const struct forward_rig *rig, enum forward_failure failure,
                               const char *server)
{
    const struct forward_result *found = &rig->last.found;

    ck_assert(!found->is_stale);
    ck_assert_int_eq(found->failure, failure);
    assert_server(found, server);
}
