#include "traffic/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/flowing.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"
#include "traffic/handed_out.h"
#include "wire/types.h"

enum { PAIRS = 1000, BEGAN_S = 1700000000, STEPS = 60000, FEW = 3, CLIENTS = 3000 };

static const int64_t began_ms = (int64_t)BEGAN_S * 1000;

static struct flowing flowing;
static struct usage *usage;

static struct usage *make(uint32_t apps_most, uint32_t pairs_most)
{
    struct usage *made = usage_new(&(struct usage_options){
        .apps_most = apps_most, .pairs_most = pairs_most, .now_s = BEGAN_S});

    ck_assert_ptr_nonnull(made);
    return made;
}

static void set_up(void)
{
    snapshot_set_up();
    flowing_init(&flowing, fixture.snapshot);
    usage = make(100, PAIRS);
}

static void tear_down(void)
{
    flowing_close(&flowing);
    usage_free(usage);
    snapshot_tear_down();
}

FIXTURE(set_up, tear_down)

/* The worker's clock is at 0 when the wall clock is at began_ms. */
static void add_up(void)
{
    const struct flow_table *table = flowing_take(&flowing);

    if (table == NULL)
        return;
    usage_add(usage, table, began_ms + (int64_t)table->begun_ms);
    flows_return(flowing.flows);
}

/* "app frozen-oasis-70544", "outside" */
static const char *shown(const struct party *party)
{
    static char text[128];

    snprintf(text, sizeof text, "%s%s%s", party_kind_text(party->kind),
             party->name[0] == '\0' ? "" : " ", party->name);
    return text;
}

static const struct use *find_pair(const char *who, const char *app)
{
    const struct uses *pairs = usage_pairs(usage);

    for (const struct use *use = uses_next(pairs, NULL); use != NULL; use = uses_next(pairs, use))
        if (strcmp(shown(parties_at(usage_parties(usage), use->parties[0])), who) == 0 &&
            strcmp(parties_at(usage_parties(usage), use->parties[1])->name, app) == 0)
            return use;
    return NULL;
}

/* ---- who, and how it ended ---- */

static const struct {
    const char *from, *name;
    uint16_t type;
    const char *who, *app; /* app NULL: no app's name */
    enum use_outcome outcome;
} replies[] = {
    {"10.0.132.9", "frozen-oasis-70544.herokuapp.com", TYPE_A, "app open-plain-1001",
     "frozen-oasis-70544", USE_ANSWERED},
    {"10.0.132.9", "frozen-oasis-70544.herokuapp.com", TYPE_AAAA, "app open-plain-1001",
     "frozen-oasis-70544", USE_EMPTY},
    {"10.0.152.218", "api.example.com", TYPE_A, "app frozen-oasis-70544", "frozen-oasis-70544",
     USE_ANSWERED},
    {"10.0.144.9", "x.apps.example.com", TYPE_A, "space test-space", "frozen-oasis-70544",
     USE_ANSWERED},
    {"10.0.131.7", "api.example.com", TYPE_A, "space test-space", "frozen-oasis-70544",
     USE_ANSWERED}, /* its dyno has crashed, so nobody has the address */
    {"10.20.3.4", "api.example.com", TYPE_A, "peering pcx-111aaa111", "frozen-oasis-70544",
     USE_ANSWERED},
    {"172.16.9.9", "api.example.com", TYPE_A, "vpn office", "frozen-oasis-70544", USE_ANSWERED},
    {"10.0.132.9", "sleepy-river-2739.herokuapp.com", TYPE_A, "app open-plain-1001",
     "sleepy-river-2739", USE_FAILED},
    {"10.0.132.9", "web.frozen-oasis-70544.app.localspace", TYPE_A, "app open-plain-1001",
     "frozen-oasis-70544", USE_ANSWERED},
    {"10.0.132.9", "9.web.frozen-oasis-70544.app.localspace", TYPE_A, "app open-plain-1001",
     "frozen-oasis-70544", USE_FAILED},
    {"203.0.113.9", "api.example.com", TYPE_A, "outside", "frozen-oasis-70544", USE_REFUSED},
    {"203.0.113.9", "x.y.apps.example.com", TYPE_A, "outside", "frozen-oasis-70544", USE_REFUSED},
    {"203.0.113.9", "sleepy-river-2739.herokuapp.com", TYPE_A, "outside", "sleepy-river-2739",
     USE_REFUSED},
    {"203.0.113.9", "www.example.org", TYPE_A, "outside", NULL, USE_REFUSED},
    {"10.0.132.9", "www.example.org", TYPE_A, "app open-plain-1001", NULL, USE_REFUSED},
};

TEST_OVER(a_reply_is_counted_for_who_asked_and_for_the_app, replies)
{
    flowing_reply(&flowing, replies[_i].from, replies[_i].name, replies[_i].type, 3);
    add_up();

    if (replies[_i].app == NULL) {
        ck_assert_uint_eq(uses_count(usage_pairs(usage)), 0);
        ck_assert_uint_eq(uses_count(usage_apps(usage)), 0);
        return;
    }
    const struct use *pair = find_pair(replies[_i].who, replies[_i].app);
    ck_assert_ptr_nonnull(pair);
    ck_assert_uint_eq(uses_count(usage_pairs(usage)), 1);
    ck_assert_uint_eq(pair->asked.counts[replies[_i].outcome], 3);
    ck_assert_uint_eq(use_counts_total(&pair->asked), 3);
    uint32_t app = usage_find_app(usage, "test-space", replies[_i].app);
    ck_assert_uint_eq(usage_app(usage, app)->asked.counts[replies[_i].outcome], 3);
    ck_assert_str_eq(shown(parties_at(usage_parties(usage), usage_app(usage, app)->by)),
                     replies[_i].who);
}

TEST(the_first_and_the_last_time_are_kept_and_who_was_last)
{
    flowing_at(&flowing, 5000);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    flowing_at(&flowing, 9999);
    flowing_reply(&flowing, "10.20.3.4", "api.example.com", TYPE_A, 1);
    add_up();
    flowing_at(&flowing, 70000);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    add_up();

    const struct use *pair = find_pair("app open-plain-1001", "frozen-oasis-70544");
    ck_assert_uint_eq(pair->asked.first_s, BEGAN_S + 5);
    ck_assert_uint_eq(pair->asked.last_s, BEGAN_S + 70);
    const struct use *peer = find_pair("peering pcx-111aaa111", "frozen-oasis-70544");
    ck_assert_uint_eq(peer->asked.last_s, BEGAN_S + 9);
    uint32_t app = usage_find_app(usage, NULL, "frozen-oasis-70544");
    ck_assert_uint_eq(usage_app(usage, app)->by, pair->parties[0]);
    ck_assert_uint_eq(lately_last_minute(usage_lately(usage, app), BEGAN_S + 70), 1);
}

TEST(who_was_last_is_right_to_the_millisecond)
{
    flowing_at(&flowing, 5000);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    flowing_at(&flowing, 5100);
    flowing_reply(&flowing, "10.20.3.4", "api.example.com", TYPE_A, 1);
    flowing_at(&flowing, 5200);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    add_up();

    uint32_t app = usage_find_app(usage, NULL, "frozen-oasis-70544");
    ck_assert_str_eq(shown(parties_at(usage_parties(usage), usage_app(usage, app)->by)),
                     "app open-plain-1001");
}

static const struct use *find_domain(const char *name)
{
    const struct uses *domains = usage_domains(usage);

    for (const struct use *use = uses_next(domains, NULL); use != NULL;
         use = uses_next(domains, use))
        if (strcmp(parties_at(usage_parties(usage), use->parties[1])->name, name) == 0)
            return use;
    return NULL;
}

TEST(each_domain_is_counted_as_it_is_declared)
{
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 2);
    flowing_reply(&flowing, "10.0.132.9", "x.apps.example.com", TYPE_A, 3);
    flowing_reply(&flowing, "10.0.132.9", "frozen-oasis-70544.herokuapp.com", TYPE_A, 4);
    flowing_reply(&flowing, "10.0.132.9", "web.frozen-oasis-70544.app.localspace", TYPE_A, 5);
    flowing_reply(&flowing, "203.0.113.9", "frozen-oasis-70544.herokuapp.com", TYPE_A, 6);
    add_up();
    ck_assert_uint_eq(use_counts_total(&find_domain("api.example.com")->asked), 2);
    ck_assert_uint_eq(use_counts_total(&find_domain("*.apps.example.com")->asked), 3);
    ck_assert_uint_eq(use_counts_total(&find_domain("frozen-oasis-70544.herokuapp.com")->asked),
                      10);
    ck_assert_uint_eq(uses_count(usage_domains(usage)), 3);
}

/* ---- expiries ---- */

static uint32_t until(uint32_t ip)
{
    const struct expiries *expiries = usage_expiries(usage);

    for (const struct expiry *each = expiries_next(expiries, NULL); each != NULL;
         each = expiries_next(expiries, each))
        if (each->ip == ip)
            return each->until_s;
    return 0;
}

static const struct {
    const char *name;
    uint16_t type;
    uint32_t until[3]; /* of web.1, web.2 and worker.1, since BEGAN_S */
} handed_out[] = {
    {"1.web.frozen-oasis-70544.app.localspace", TYPE_A, {31, 0, 0}},
    {"web.frozen-oasis-70544.app.localspace", TYPE_A, {31, 31, 0}},
    {"web.frozen-oasis-70544.app.localspace", TYPE_AAAA, {0, 0, 0}},
    {"_http._tcp.web.frozen-oasis-70544.app.localspace", TYPE_SRV, {31, 31, 0}},
    {"worker.frozen-oasis-70544.app.localspace", TYPE_A, {0, 0, 31}},
    {"218.151.0.10.in-addr.arpa", TYPE_PTR, {0, 31, 0}},
    {"frozen-oasis-70544.herokuapp.com", TYPE_A, {0, 0, 0}},
};

TEST_OVER(an_answer_with_a_dyno_keeps_it_in_use_until_it_expires, handed_out)
{
    static const uint32_t dynos[] = {0x0a008238, 0x0a0097da, 0x0a0098da};

    flowing_reply(&flowing, "10.0.132.9", handed_out[_i].name, handed_out[_i].type, 1);
    add_up();
    for (unsigned i = 0; i < 3; i++) {
        uint32_t wanted = handed_out[_i].until[i];
        ck_assert_uint_eq(until(dynos[i]), wanted == 0 ? 0 : BEGAN_S + wanted);
    }
}

TEST(the_last_answer_counts_for_every_dyno_of_a_formation)
{
    for (uint64_t at_ms = 0; at_ms < 8000; at_ms += 400) {
        flowing_at(&flowing, at_ms);
        flowing_reply(&flowing, at_ms % 800 == 0 ? "10.0.132.9" : "10.0.144.9",
                      "web.frozen-oasis-70544.app.localspace", TYPE_A, 1);
    }
    add_up();
    ck_assert_uint_eq(until(0x0a008238), BEGAN_S + 7 + 31);
    ck_assert_uint_eq(until(0x0a0097da), BEGAN_S + 7 + 31);
}

/* The control thread has one table and does not return it, so the other one fills up. */
TEST(what_could_not_be_counted_one_by_one_keeps_dynos_in_use)
{
    char name[32];

    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    ck_assert_ptr_nonnull(flowing_take(&flowing));
    for (unsigned i = 0; i < 2 * FLOWS; i++) {
        snprintf(name, sizeof name, "n%u.example.org", i);
        flowing_foreign(&flowing, "10.0.132.9", name, RCODE_NOERROR);
    }
    flowing_reply(&flowing, "10.0.132.9", "1.web.frozen-oasis-70544.app.localspace", TYPE_A, 1);
    flows_return(flowing.flows);

    const struct flow_table *table = flowing_take(&flowing);
    bool has_coarse = table->flows[table->slots[table->used - 1]].is_coarse;
    usage_add(usage, table, began_ms);
    /* Without: all slots of the app's flow are used, one key in thousands. */
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)), has_coarse ? 0 : BEGAN_S + 31);
    if (!has_coarse)
        return;
    ck_assert_uint_eq(until(0x0a008238), BEGAN_S + 31);
    ck_assert_uint_eq(until(0x0a0098da), BEGAN_S + 31);
    uint32_t app = usage_find_app(usage, "test-space", "frozen-oasis-70544");
    ck_assert_uint_eq(usage_remainder(usage, app).counts[USE_ANSWERED], 1);
}

/* The control thread is busy while a reload comes. The worker's clock is ahead by then. */
TEST(an_answer_that_is_lost_keeps_every_dyno_in_use_until_it_expires)
{
    struct snapshot next = {.generation = fixture.snapshot->generation + 1};

    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    ck_assert_ptr_nonnull(flowing_take(&flowing));
    flowing_at(&flowing, 4000);
    flowing_reply(&flowing, "10.0.132.9", "1.web.frozen-oasis-70544.app.localspace", TYPE_A, 2);
    flowing_at(&flowing, 7000);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    flows_adopt(flowing.flows, &next);
    flows_return(flowing.flows);
    add_up();
    ck_assert_uint_eq(usage_lost(usage), 3);
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)), BEGAN_S + 4 + 31);
}

/* One dyno that asks for many names keeps no other from being stopped. */
TEST(a_flood_of_names_keeps_no_dyno_in_use)
{
    char name[32];

    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    ck_assert_ptr_nonnull(flowing_take(&flowing));
    for (unsigned i = 0; i < 2 * FLOWS; i++) {
        snprintf(name, sizeof name, "n%u.example.org", i);
        flowing_foreign(&flowing, "10.0.132.9", name, RCODE_NOERROR);
    }
    flows_return(flowing.flows);
    add_up();
    ck_assert_uint_gt(usage_lost(usage), 0);
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)), 0);
}

TEST(a_flood_from_outside_keeps_no_dyno_in_use)
{
    char name[32];

    for (unsigned i = 0; i < FLOWS; i++) {
        snprintf(name, sizeof name, "n%u.example.org", i);
        flowing_foreign(&flowing, "203.0.113.9", name, RCODE_REFUSED);
    }
    add_up();
    ck_assert_uint_gt(usage_lost(usage), 0);
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)), 0);
}

/* Served with a clock that was a year ahead. */
TEST(when_the_clock_is_set_back_nothing_stays_in_the_time_to_come)
{
    enum { YEAR_S = 365 * 86400 };
    uint32_t app;

    flowing_reply(&flowing, "10.0.132.9", "1.web.frozen-oasis-70544.app.localspace", TYPE_A, 2);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    const struct flow_table *table = flowing_take(&flowing);
    usage_add(usage, table, began_ms + (int64_t)YEAR_S * 1000);
    flows_return(flowing.flows);
    expiries_raise_floor(usage_expiries(usage), BEGAN_S + YEAR_S + 31);
    usage_set_back(usage, BEGAN_S + 10);

    app = usage_find_app(usage, "test-space", "frozen-oasis-70544");
    ck_assert_uint_eq(usage_app(usage, app)->asked.last_s, BEGAN_S + 10);
    ck_assert_uint_eq(find_pair("app open-plain-1001", "frozen-oasis-70544")->asked.last_s,
                      BEGAN_S + 10);
    ck_assert_uint_eq(uses_next(usage_domains(usage), NULL)->asked.first_s, BEGAN_S + 10);
    ck_assert_uint_eq(until(0x0a008238), BEGAN_S + 10 + 1 + LONGEST_TTL_USUAL_S);
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)),
                      BEGAN_S + 10 + 1 + LONGEST_TTL_USUAL_S);
    flowing_reply(&flowing, "10.20.3.4", "frozen-oasis-70544.herokuapp.com", TYPE_A, 1);
    table = flowing_take(&flowing);
    usage_add(usage, table, began_ms + 11000);
    flows_return(flowing.flows);
    ck_assert_str_eq(shown(parties_at(usage_parties(usage), usage_app(usage, app)->by)),
                     "peering pcx-111aaa111");
}

/* ---- guests ---- */

/* Outside, somebody asks for everything; the client of the space comes when half is full. */
TEST(who_may_not_know_of_an_app_leaves_room_for_others)
{
    const struct use_counts *other;
    struct use_counts rest;
    uint32_t app;

    usage_free(usage);
    usage = make(2, 2);
    flowing_reply(&flowing, "203.0.113.9", "sleepy.example.com", TYPE_A, 1);
    flowing_reply(&flowing, "203.0.113.9", "api.example.com", TYPE_A, 5);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 2);
    add_up();
    flowing_reply(&flowing, "203.0.113.9", "api.example.com", TYPE_A, 4);
    flowing_reply(&flowing, "203.0.113.9", "open-plain-1001-1234567890ab.herokuapp.com", TYPE_A, 3);
    add_up();

    ck_assert_uint_eq(use_counts_total(&find_pair("outside", "sleepy-river-2739")->asked), 1);
    ck_assert_ptr_null(find_pair("outside", "frozen-oasis-70544"));
    ck_assert_uint_eq(
        use_counts_total(&find_pair("app open-plain-1001", "frozen-oasis-70544")->asked), 2);
    app = usage_find_app(usage, "test-space", "frozen-oasis-70544");
    ck_assert_uint_eq(use_counts_total(&usage_app(usage, app)->asked), 6);
    other = usage_other(usage);
    ck_assert_uint_eq(other->counts[USE_REFUSED], 5 + 3);
    rest = usage_remainder(usage, app);
    ck_assert_uint_eq(rest.counts[USE_REFUSED], 9);
    ck_assert_uint_eq(usage_sums(usage)->remainder.counts[USE_REFUSED], 3);
}

/* ---- without room for parties ---- */

static void fill_parties(void)
{
    struct parties *parties = usage_parties(usage);
    char name[16];
    uint32_t number;

    for (unsigned i = 0; i < PARTIES_MOST; i++) {
        snprintf(name, sizeof name, "p%u", i);
        number = parties_add(
            parties,
            &(struct party_key){.kind = PARTY_WORD, .name = name, .name_length = strlen(name)});
        if (number == PARTY_NONE)
            return;
        parties_hold(parties, number);
    }
    ck_abort_msg("parties have no bound");
}

static void usage_on_any_app(void *context, const struct usage_app *app)
{
    uint64_t *other = context;

    ck_assert_str_eq(app->name, "_other");
    for (unsigned i = 0; i < USE_OUTCOMES; i++)
        *other += app->counts[i];
}

TEST(without_room_for_parties_apps_are_counted_together_and_dynos_stay_in_use)
{
    uint64_t other = 0;

    fill_parties();
    flowing_reply(&flowing, "10.0.132.9", "1.web.frozen-oasis-70544.app.localspace", TYPE_A, 2);
    flowing_reply(&flowing, "203.0.113.9", "api.example.com", TYPE_A, 1);
    flowing_foreign(&flowing, "10.0.132.9", "db.example.org", RCODE_NOERROR);
    flowing_foreign(&flowing, "10.0.132.9", "db.example.org.corp.example", RCODE_NXDOMAIN);
    add_up();
    usage_walk_apps(usage, usage_on_any_app, &other);
    ck_assert_uint_eq(other, 3);
    ck_assert_uint_eq(uses_count(usage_pairs(usage)), 0);
    ck_assert_uint_eq(uses_count(usage_domains(usage)), 0);
    ck_assert_uint_eq(uses_count(waste_uses(usage_waste(usage))), 0);
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)), BEGAN_S + 31);
}

/* ---- waste ---- */

TEST(a_search_list_is_seen_across_tables)
{
    flowing_foreign(&flowing, "10.0.132.9", "db.example.org.corp.example", RCODE_NXDOMAIN);
    flowing_foreign(&flowing, "10.0.132.9", "db.example.org.corp.example", RCODE_NXDOMAIN);
    add_up();
    flowing_at(&flowing, 900);
    flowing_foreign(&flowing, "10.0.132.9", "db.example.org", RCODE_NOERROR);
    add_up();

    const struct use *use = uses_next(waste_uses(usage_waste(usage)), NULL);
    ck_assert_ptr_nonnull(use);
    ck_assert_str_eq(shown(parties_at(usage_parties(usage), use->parties[0])),
                     "app open-plain-1001");
    ck_assert_str_eq(parties_at(usage_parties(usage), use->parties[1])->name, "corp.example");
    ck_assert_uint_eq(use->asked.counts[WASTE_BY_NDOTS], 2);
}

/* ---- many clients ---- */

/* More than are remembered at once. */
TEST(each_of_many_clients_is_counted_where_it_belongs)
{
    char from[32];

    for (unsigned i = 0; i < CLIENTS; i++) {
        snprintf(from, sizeof from, i % 3 == 0 ? "172.16.%u.%u" : "10.20.%u.%u", i / 200,
                 1 + i % 200);
        flowing_reply(&flowing, from, "api.example.com", TYPE_A, 1);
        flowing_reply(&flowing, from, "sleepy.example.com", TYPE_A, 1);
    }
    add_up();
    const struct use *vpn = find_pair("vpn office", "frozen-oasis-70544");
    ck_assert_uint_eq(vpn->asked.counts[USE_ANSWERED], CLIENTS / 3);
    const struct use *peering = find_pair("peering pcx-111aaa111", "frozen-oasis-70544");
    ck_assert_uint_eq(peering->asked.counts[USE_ANSWERED], CLIENTS / 3 * 2);
}

/* ---- bounds ---- */

struct walked {
    uint64_t sums[2]; /* apps, _other */
    unsigned count;
};

static void usage_on_walked(void *context, const struct usage_app *app)
{
    struct walked *walked = context;

    walked->count++;
    for (size_t i = 0; i < USE_OUTCOMES; i++)
        walked->sums[strcmp(app->name, "_other") == 0] += app->counts[i];
}

TEST(apps_beyond_the_bound_are_counted_together)
{
    struct walked walked = {.count = 0};

    usage_free(usage);
    usage = make(1, PAIRS);
    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 5);
    flowing_reply(&flowing, "10.0.132.9", "sleepy.example.com", TYPE_A, 7);
    add_up();
    usage_walk_apps(usage, usage_on_walked, &walked);
    ck_assert_uint_eq(walked.count, 2);
    ck_assert_uint_eq(walked.sums[0], 5);
    ck_assert_uint_eq(walked.sums[1], 7);

    flowing_at(&flowing, (uint64_t)(USAGE_APP_IDLE_S + 1) * 1000);
    flowing_reply(&flowing, "10.0.132.9", "sleepy.example.com", TYPE_A, 2);
    add_up();
    walked = (struct walked){.count = 0};
    usage_walk_apps(usage, usage_on_walked, &walked);
    ck_assert_uint_eq(walked.sums[0], 2);
    ck_assert_uint_eq(walked.sums[1], 12);
}

/* ---- against a plain count ---- */

static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (unsigned)(*state >> 33) % below;
}

enum { REPLIES = sizeof replies / sizeof replies[0] };

static uint64_t asked_of(const uint64_t counted[REPLIES], const char *who, const char *app,
                         unsigned outcome)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < REPLIES; i++)
        if (replies[i].app != NULL && strcmp(replies[i].app, app) == 0 &&
            (who == NULL || strcmp(replies[i].who, who) == 0) && replies[i].outcome == outcome)
            sum += counted[i];
    return sum;
}

static void play(uint64_t counted[REPLIES], uint64_t seed)
{
    uint64_t state = seed;

    for (unsigned step = 0; step < STEPS; step++) {
        unsigned number = draw(&state, REPLIES);
        flowing_at(&flowing, step);
        flowing_reply(&flowing, replies[number].from, replies[number].name, replies[number].type,
                      1);
        counted[number]++;
        if (draw(&state, 500) == 0)
            add_up();
    }
    add_up();
    ck_assert_uint_eq(usage_lost(usage), 0);
}

TEST(pairs_and_apps_agree_with_a_plain_count)
{
    uint64_t counted[REPLIES] = {0};

    play(counted, 11);
    for (unsigned i = 0; i < REPLIES; i++) {
        if (replies[i].app == NULL)
            continue;
        const struct use *pair = find_pair(replies[i].who, replies[i].app);
        uint32_t app = usage_find_app(usage, "test-space", replies[i].app);
        for (unsigned j = 0; j < USE_OUTCOMES; j++) {
            ck_assert_uint_eq(pair->asked.counts[j],
                              asked_of(counted, replies[i].who, replies[i].app, j));
            ck_assert_uint_eq(usage_app(usage, app)->asked.counts[j],
                              asked_of(counted, NULL, replies[i].app, j));
        }
    }
}

/* Of the eight pairs, three have room. */
TEST(what_was_pushed_out_is_in_the_remainder)
{
    uint64_t counted[REPLIES] = {0};
    static const char *const apps[] = {"frozen-oasis-70544", "sleepy-river-2739"};

    usage_free(usage);
    usage = make(100, FEW);
    play(counted, 12);
    ck_assert_uint_eq(uses_count(usage_pairs(usage)), FEW);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t app = usage_find_app(usage, "test-space", apps[i]);
        struct use_counts sum = usage_remainder(usage, app);
        const struct uses *pairs = usage_pairs(usage);
        for (const struct use *use = uses_next(pairs, NULL); use != NULL;
             use = uses_next(pairs, use))
            if (use->parties[1] == app)
                use_counts_add(&sum, &use->asked);
        for (unsigned j = 0; j < USE_OUTCOMES; j++)
            ck_assert_uint_eq(sum.counts[j], asked_of(counted, NULL, apps[i], j));
    }
}

/* ---- static records ---- */

static const char records[] = "records:\n"
                              "  - db.internal.first.com. 60 IN A 10.0.130.56\n"
                              "  - db.internal.first.com. 60 IN A 10.0.131.7\n"
                              "  - db.internal.first.com. 60 IN TXT \"x\"\n"
                              "  - far.internal.first.com. 900 IN A 192.0.2.1\n"
                              "  - far.internal.first.com. 900 IN TXT \"x\"\n";

static void set_up_records(void)
{
    char *space = zone_text("zones/test-space.yaml"), text[1 << 13];

    *strstr(space, "\n...") = '\0';
    snprintf(text, sizeof text, "%s\n%s...\n", space, records);
    free(space);
    fixture.policy = policy_usual();
    fixture.snapshot = snapshot_of_texts(&fixture.policy, (const char *[]){text}, 1);
    flowing_init(&flowing, fixture.snapshot);
    usage = make(100, PAIRS);
}

FIXTURE(set_up_records, tear_down)

/* Of a dyno that is up, and of one that has crashed. */
static const struct {
    const char *name;
    uint16_t type;
    bool has_dynos;
} recorded[] = {
    {"db.internal.first.com", TYPE_A, true},    {"db.internal.first.com", TYPE_ANY, true},
    {"db.internal.first.com", TYPE_TXT, false}, {"db.internal.first.com", TYPE_AAAA, false},
    {"far.internal.first.com", TYPE_A, false},
};

TEST_OVER(an_answer_with_a_static_record_keeps_the_dyno_of_its_address_in_use, recorded)
{
    flowing_reply(&flowing, "10.0.132.9", recorded[_i].name, recorded[_i].type, 1);
    add_up();
    ck_assert_uint_eq(until(0x0a008238), recorded[_i].has_dynos ? BEGAN_S + 61 : 0);
    ck_assert_uint_eq(until(0x0a008307), recorded[_i].has_dynos ? BEGAN_S + 61 : 0);
    ck_assert_uint_eq(until(0xc0000201), 0);
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)), 0);
}

TEST(a_static_record_is_not_the_dynos_app)
{
    flowing_reply(&flowing, "10.0.132.9", "db.internal.first.com", TYPE_A, 1);
    flowing_reply(&flowing, "10.0.132.9", "1.web.frozen-oasis-70544.app.localspace", TYPE_A, 1);
    add_up();
    const struct expiries *expiries = usage_expiries(usage);
    unsigned by_record = 0, by_app = 0;
    for (const struct expiry *each = expiries_next(expiries, NULL); each != NULL;
         each = expiries_next(expiries, each))
        handed_out_by_record(usage_parties(usage), each) ? by_record++ : by_app++;
    ck_assert_uint_eq(by_record, 2);
    ck_assert_uint_eq(by_app, 1);
}

TEST(a_static_record_with_a_dynos_address_may_have_the_longest_ttl)
{
    ck_assert_uint_eq(longest_ttl_of(fixture.snapshot), 60);
}

/* The control thread is busy while a reload comes. */
TEST_OVER(an_answer_with_a_static_record_that_is_lost_keeps_every_dyno_in_use, recorded)
{
    struct snapshot next = {.generation = fixture.snapshot->generation + 1};

    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    ck_assert_ptr_nonnull(flowing_take(&flowing));
    flowing_at(&flowing, 4000);
    flowing_reply(&flowing, "10.0.132.9", recorded[_i].name, recorded[_i].type, 2);
    flows_adopt(flowing.flows, &next);
    flows_return(flowing.flows);
    add_up();
    ck_assert_uint_eq(usage_lost(usage), 2);
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)),
                      recorded[_i].has_dynos ? BEGAN_S + 4 + 31 : 0);
}

/* The table is full of other names. */
TEST_OVER(an_answer_with_a_static_record_that_finds_no_room_keeps_every_dyno_in_use, recorded)
{
    char name[32];

    flowing_reply(&flowing, "10.0.132.9", "api.example.com", TYPE_A, 1);
    ck_assert_ptr_nonnull(flowing_take(&flowing));
    for (unsigned i = 0; i < 2 * FLOWS; i++) {
        snprintf(name, sizeof name, "n%u.example.org", i);
        flowing_foreign(&flowing, "10.0.132.9", name, RCODE_NOERROR);
    }
    flowing_reply(&flowing, "10.0.132.9", recorded[_i].name, recorded[_i].type, 1);
    flows_return(flowing.flows);
    add_up();
    ck_assert_uint_eq(expiries_floor(usage_expiries(usage)),
                      recorded[_i].has_dynos ? BEGAN_S + 31 : 0);
}
