#include "traffic/flows.h"

#include <string.h>

#include "support/deciding.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "wire/types.h"

enum { ASKED_AT = 0x0a000002, STEPS = 200000, CLIENTS = 40, NAMES = 700 };

static struct flows *flows;
static unsigned handed_over;

static void flows_on_handed(void *context)
{
    (void)context;
    handed_over++;
}

static void set_up(void)
{
    snapshot_set_up();
    flows = flows_new(flows_on_handed, NULL);
    ck_assert_ptr_nonnull(flows);
    flows_set_time(flows, 1000);
    flows_adopt(flows, fixture.snapshot);
    handed_over = 0;
}

static void tear_down(void)
{
    flows_free(flows);
    snapshot_tear_down();
}

FIXTURE(set_up, tear_down)

/* The server hashes no name of a client outside. */
static uint64_t hash_of(const struct client *client, const struct name *name)
{
    return client->count == 0 ? 0 : index_hash(&fixture.snapshot->index, name);
}

/* A reply to a client's question, as decided by the fixture's snapshot. */
static void add(const char *from, const char *name, uint16_t type)
{
    struct deciding deciding;

    deciding_ask(&deciding, fixture.snapshot, from, name, type);
    struct path path = {.source = deciding.client.address, .destination = ASKED_AT};
    flows_add(flows,
              &(struct flow_reply){.path = &path,
                                   .name = &deciding.query.name,
                                   .name_hash = hash_of(&deciding.client, &deciding.query.name),
                                   .verdict = &deciding.verdict,
                                   .ttl_seconds = 30,
                                   .type = type,
                                   .rcode = deciding.verdict.rcode,
                                   .answer_count = deciding.verdict.answer != ANSWER_NONE,
                                   .class = (uint8_t)client_class(&deciding.client)});
}

/* A reply about a name of no space. */
static void add_other(uint32_t source, uint32_t name_number, uint8_t class)
{
    struct path path = {.source = source, .destination = ASKED_AT};
    struct verdict verdict = {.rcode = RCODE_NXDOMAIN};
    struct name name;
    char text[32];

    snprintf(text, sizeof text, "n%u.example.org", (unsigned)name_number);
    ck_assert(name_from_text(text, &name));
    flows_add(flows,
              &(struct flow_reply){.path = &path,
                                   .name = &name,
                                   .name_hash = class == CLIENT_EXTERNAL
                                                    ? 0
                                                    : index_hash(&fixture.snapshot->index, &name),
                                   .verdict = &verdict,
                                   .type = TYPE_A,
                                   .rcode = RCODE_NXDOMAIN,
                                   .class = class});
}

static const struct flow_table *take(void)
{
    flows_request(flows);
    flows_answer(flows);
    return flows_take(flows);
}

static const struct flow *flow_number(const struct flow_table *table, uint32_t number)
{
    ck_assert_uint_lt(number, table->used);
    return &table->flows[table->slots[number]];
}

/* Replies to one question; each differs from the first in one thing. */
static const struct {
    uint32_t destination, interface;
    uint16_t rcode;
    enum reason reason;
    bool is_concealed;
} differing[] = {
    {ASKED_AT, 0, RCODE_NXDOMAIN, REASON_WITHHELD, false},
    {ASKED_AT + 1, 0, RCODE_NXDOMAIN, REASON_WITHHELD, false},
    {ASKED_AT, 3, RCODE_NXDOMAIN, REASON_WITHHELD, false},
    {ASKED_AT, 0, RCODE_REFUSED, REASON_WITHHELD, false},
    {ASKED_AT, 0, RCODE_NXDOMAIN, REASON_NOT_DECLARED, false},
    {ASKED_AT, 0, RCODE_NXDOMAIN, REASON_WITHHELD, true},
};

TEST(replies_that_differ_in_anything_are_flows_of_their_own)
{
    enum { COUNT = sizeof differing / sizeof differing[0] };
    struct name name;

    ck_assert(name_from_text("www.example.org", &name));
    for (unsigned round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT; i++) {
            struct path path = {.source = 0x0a008238,
                                .destination = differing[i].destination,
                                .interface = differing[i].interface};
            struct verdict verdict = {.reason = differing[i].reason,
                                      .is_concealed = differing[i].is_concealed};
            flows_add(flows,
                      &(struct flow_reply){.path = &path,
                                           .name = &name,
                                           .name_hash = index_hash(&fixture.snapshot->index, &name),
                                           .verdict = &verdict,
                                           .type = TYPE_A,
                                           .rcode = differing[i].rcode});
        }
    const struct flow_table *table = take();
    ck_assert_uint_eq(table->used, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert_uint_eq(flow_number(table, i)->count, 3);
    flows_return(flows);
}

/* More of them than would all find a first slot of their own. */
TEST(clients_whose_flows_meet_in_a_slot_are_told_apart)
{
    enum { SOURCES = 5000 };

    for (unsigned round = 0; round < 2; round++)
        for (uint32_t source = 1; source <= SOURCES; source++)
            add_other(0x0a000000 + source, 1, CLIENT_SPACE);
    const struct flow_table *table = take();
    ck_assert_uint_eq(table->used, SOURCES);
    for (uint32_t i = 0; i < SOURCES; i++)
        ck_assert_uint_eq(flow_number(table, i)->count, 2);
    flows_return(flows);
}

TEST(the_same_question_of_a_client_is_one_flow)
{
    add("10.0.130.56", "api.example.com", TYPE_A);
    flows_set_time(flows, 1750);
    add("10.0.130.56", "api.example.com", TYPE_A);
    add("10.0.130.56", "api.example.com", TYPE_AAAA);
    add("10.20.3.4", "api.example.com", TYPE_A);

    const struct flow_table *table = take();
    ck_assert_uint_eq(table->used, 3);
    const struct flow *flow = flow_number(table, 0);
    ck_assert_uint_eq(flow->count, 2);
    ck_assert_uint_eq(flow->source, 0x0a008238);
    ck_assert_uint_eq(flow->type, TYPE_A);
    ck_assert_uint_eq(flow->class, CLIENT_SPACE);
    ck_assert_uint_eq(table->begun_ms, 1000);
    ck_assert_uint_eq(flow->first_ms, 0);
    ck_assert_uint_eq(flow->last_ms, 750);
    ck_assert_uint_eq(flow->ttl_seconds, 30);
    ck_assert(flow->is_answered);
    ck_assert(!flow_number(table, 1)->is_answered);
    ck_assert_uint_eq(flow_number(table, 2)->class, CLIENT_PEERED);
}

/* Who asks what, and what the flow is about. */
static const struct {
    const char *from;
    const char *name;
    enum flow_owner owner;
    const char *app; /* NULL: none */
} owners[] = {
    {"10.0.130.56", "frozen-oasis-70544.herokuapp.com", FLOW_APP, "frozen-oasis-70544"},
    {"10.0.130.56", "api.example.com", FLOW_HOST, "frozen-oasis-70544"},
    {"10.0.130.56", "x.y.apps.example.com", FLOW_HOST, "frozen-oasis-70544"},
    {"10.0.130.56", "web.frozen-oasis-70544.app.localspace", FLOW_FORMATION, "frozen-oasis-70544"},
    {"10.0.130.56", "1.web.frozen-oasis-70544.app.localspace", FLOW_DYNO, "frozen-oasis-70544"},
    {"10.0.130.56", "nosuch.frozen-oasis-70544.app.localspace", FLOW_APP, "frozen-oasis-70544"},
    {"10.0.130.56", "www.example.org", FLOW_OTHER, NULL},
    {"203.0.113.9", "api.example.com", FLOW_OTHER, NULL},
};

TEST_OVER(a_flow_knows_what_it_is_about, owners)
{
    char shown[256];
    struct text text = text_over(shown, sizeof shown);
    struct name name;

    add(owners[_i].from, owners[_i].name, TYPE_A);
    const struct flow_table *table = take();
    const struct flow *flow = flow_number(table, 0);
    const struct app_entry *app = flow_app(flow);
    ck_assert_uint_eq(flow->owner, owners[_i].owner);
    ck_assert((app == NULL) == (owners[_i].app == NULL));
    if (app != NULL)
        ck_assert_mem_eq(segment_text(flow->segment, app->name), owners[_i].app, app->name_length);
    flow_name(table, flow, &name);
    name_add(&text, name.octets);
    shown[text_length(&text)] = '\0';
    ck_assert_int_eq(strncmp(shown, owners[_i].name, strlen(owners[_i].name)), 0);
}

TEST(all_clients_outside_are_one)
{
    add("203.0.113.9", "api.example.com", TYPE_A);
    add("198.51.100.7", "api.example.com", TYPE_A);
    add("198.51.100.7", "example.net", TYPE_A);

    const struct flow_table *table = take();
    ck_assert_uint_eq(table->used, 2);
    ck_assert_uint_eq(flow_number(table, 0)->count, 2);
    ck_assert_uint_eq(flow_number(table, 0)->source, 0);
}

TEST(a_flood_from_outside_leaves_room_for_the_others)
{
    for (uint32_t i = 0; i < FLOWS; i++)
        add_other(i, i, CLIENT_EXTERNAL);
    add("10.0.130.56", "api.example.com", TYPE_A);

    const struct flow_table *table = take();
    ck_assert_uint_eq(table->outside, FLOWS_OUTSIDE);
    ck_assert_uint_eq(table->used, FLOWS_OUTSIDE + 1);
    ck_assert_uint_eq(table->lost, FLOWS - FLOWS_OUTSIDE);
}

TEST(a_table_is_handed_over_as_it_fills_up)
{
    for (uint32_t i = 0; i < FLOWS_HANDED_OVER; i++)
        add_other(1, i, CLIENT_SPACE);
    ck_assert_uint_eq(handed_over, 1);
    ck_assert_uint_eq(flows_take(flows)->used, FLOWS_HANDED_OVER);
}

/* Four labels that fill a name, with a number. */
static void add_long(uint32_t number)
{
    struct path path = {.source = 1, .destination = ASKED_AT};
    struct verdict verdict = {.rcode = RCODE_NXDOMAIN};
    struct name name;
    char text[256];

    snprintf(text, sizeof text, "%063u.%063u.%063u.%061u", number, 0U, 0U, 0U);
    ck_assert(name_from_text(text, &name));
    ck_assert_uint_eq(name.length, NAME_MAX_OCTETS);
    flows_add(flows, &(struct flow_reply){.path = &path,
                                          .name = &name,
                                          .name_hash = index_hash(&fixture.snapshot->index, &name),
                                          .verdict = &verdict,
                                          .type = TYPE_A,
                                          .rcode = RCODE_NXDOMAIN,
                                          .class = CLIENT_SPACE});
}

TEST(a_table_is_handed_over_as_its_names_fill_up)
{
    for (uint32_t i = 0; i < FLOW_NAMES_OCTETS / NAME_MAX_OCTETS + 1; i++)
        add_long(i);
    ck_assert_uint_eq(handed_over, 1);
    const struct flow_table *table = flows_take(flows);
    ck_assert_uint_lt(table->used, FLOWS_HANDED_OVER);
    ck_assert_uint_eq(table->lost, 0);
}

TEST_LOOP(a_full_table_is_handed_over_once_the_other_is_back, 0, 2)
{
    add_other(1, 0, CLIENT_SPACE);
    ck_assert_ptr_nonnull(take());
    for (uint32_t i = 0; i < FLOWS; i++)
        _i == 0 ? add_other(i, i, CLIENT_SPACE) : add_long(i);
    flows_set_time(flows, 1000);
    ck_assert_uint_eq(handed_over, 1);
    flows_return(flows);
    flows_set_time(flows, 1000);
    ck_assert_uint_eq(handed_over, 2);
    add("10.0.130.56", "api.example.com", TYPE_A);
    flows_return(flows);
    const struct flow_table *table = take();
    ck_assert_uint_eq(table->used, 1);
    ck_assert(!flow_number(table, 0)->is_coarse);
}

/* Outsiders with the longest names do not have tables taken more often. */
TEST(a_flood_from_outside_fills_no_names_either)
{
    ck_assert_uint_lt(FLOWS_OUTSIDE * NAME_MAX_OCTETS, FLOW_NAMES_HANDED_OVER);
}

/* The control thread has one table and does not return it. */
TEST(a_full_table_counts_by_app_alone)
{
    add_other(1, 0, CLIENT_SPACE);
    ck_assert_ptr_nonnull(take());
    for (uint32_t i = 0; i < 4 * FLOWS; i++)
        add_other(i, i, CLIENT_SPACE);
    for (unsigned i = 0; i < 3; i++)
        add("10.0.130.56", "1.web.frozen-oasis-70544.app.localspace", TYPE_A);
    add("172.16.9.9", "api.example.com", TYPE_A);
    flows_return(flows);

    const struct flow_table *table = take();
    if (table->used == FLOWS_FINE) /* all slots of the app's flow are used: one key in thousands */
        return;
    const struct flow *flow = flow_number(table, table->used - 1);
    ck_assert_uint_eq(table->used, FLOWS_FINE + 1);
    ck_assert(flow->is_coarse);
    ck_assert_uint_eq(flow->count, 4);
    ck_assert_uint_eq(flow->owner, FLOW_APP);
    ck_assert_mem_eq(segment_text(flow->segment, flow_app(flow)->name), "frozen-oasis", 12);
}

TEST(a_new_snapshot_begins_a_new_table)
{
    add("10.0.130.56", "api.example.com", TYPE_A);
    ck_assert_uint_eq(flows_oldest(flows), fixture.snapshot->turn);
    struct snapshot next = {.turn = fixture.snapshot->turn + 1};
    flows_adopt(flows, &next);
    ck_assert_uint_eq(flows_oldest(flows), fixture.snapshot->turn);
    ck_assert_ptr_eq(flows_take(flows)->snapshot, fixture.snapshot);
    flows_return(flows);
    ck_assert_uint_eq(flows_oldest(flows), next.turn);
}

/* Two snapshots at once, and the control thread is busy with the first table. */
TEST(what_was_counted_for_a_snapshot_is_lost_when_nobody_takes_it)
{
    struct snapshot next[2] = {{.turn = fixture.snapshot->turn + 1},
                               {.turn = fixture.snapshot->turn + 2}};

    add_other(1, 1, CLIENT_SPACE);
    flows_adopt(flows, &next[0]);
    add_other(1, 1, CLIENT_SPACE);
    add_other(1, 1, CLIENT_SPACE);
    add_other(1, 2, CLIENT_SPACE);
    flows_adopt(flows, &next[1]);
    flows_return(flows);
    ck_assert_uint_eq(flows_oldest(flows), next[1].turn);
    const struct flow_table *table = take();
    ck_assert_uint_eq(table->used, 0);
    ck_assert_uint_eq(table->lost, 3);
    ck_assert_uint_eq(table->lost_until_ms, 0);
    flows_return(flows);
    ck_assert_ptr_null(take());
}

/* What is asked, and whether the answer may have a dyno. */
static const struct {
    const char *name;
    bool has_dyno;
} kinds[] = {
    {"1.web.frozen-oasis-70544.app.localspace", true},
    {"web.frozen-oasis-70544.app.localspace", true},
    {"9.web.frozen-oasis-70544.app.localspace", false},
    {"api.example.com", false},
    {"frozen-oasis-70544.herokuapp.com", false},
};

TEST_OVER(a_table_knows_until_when_an_answer_that_it_lost_may_be_used, kinds)
{
    struct snapshot next = {.turn = fixture.snapshot->turn + 1};

    add_other(1, 1, CLIENT_SPACE);
    ck_assert_ptr_nonnull(take());
    flows_set_time(flows, 2000);
    add("10.0.130.56", "api.example.com", TYPE_A);
    flows_set_time(flows, 5000);
    add("10.0.130.56", kinds[_i].name, TYPE_A);
    flows_set_time(flows, 9000);
    flows_adopt(flows, &next);
    flows_return(flows);
    const struct flow_table *table = take();
    ck_assert_uint_eq(table->lost, 2);
    ck_assert_uint_eq(table->lost_until_ms, kinds[_i].has_dyno ? 35000 : 0);
    for (unsigned i = 0; i < 2; i++) { /* either table */
        flows_return(flows);
        add_other(1, 1, CLIENT_SPACE);
        ck_assert_uint_eq(take()->lost_until_ms, 0);
    }
}

TEST(an_empty_table_is_not_handed_over)
{
    ck_assert_ptr_null(take());
    ck_assert_uint_eq(handed_over, 0);
}

/* A request that finds the other table taken is answered once it has been returned. */
TEST(a_request_stays_until_it_can_be_answered)
{
    add_other(1, 1, CLIENT_SPACE);
    ck_assert_ptr_nonnull(take());
    add_other(1, 2, CLIENT_SPACE);
    flows_request(flows);
    ck_assert(!flows_answer(flows));
    ck_assert(flows_is_requested(flows));
    ck_assert_uint_eq(handed_over, 1);
    flows_return(flows);
    ck_assert(flows_is_requested(flows));
    ck_assert(flows_answer(flows));
    ck_assert(!flows_is_requested(flows));
    ck_assert_uint_eq(handed_over, 2);
    ck_assert_uint_eq(flows_take(flows)->used, 1);
}

TEST(a_request_without_anything_counted_is_answered)
{
    flows_request(flows);
    ck_assert(flows_answer(flows));
    ck_assert(!flows_is_requested(flows));
    ck_assert_uint_eq(handed_over, 0);
}

/* What was counted before the request is in the table that went, and a flood delays no answer. */
TEST(a_table_that_fills_up_answers_a_request)
{
    add_other(1, 0, CLIENT_SPACE);
    ck_assert_ptr_nonnull(take());
    add_other(1, 1, CLIENT_SPACE);
    flows_request(flows);
    ck_assert(!flows_answer(flows));
    flows_return(flows);
    for (uint32_t i = 0; i < FLOWS_HANDED_OVER; i++)
        add_other(1, i, CLIENT_SPACE);
    ck_assert_uint_eq(handed_over, 2);
    ck_assert(!flows_is_requested(flows));
    ck_assert(flows_answer(flows));
    ck_assert_uint_eq(handed_over, 2);
}

/* ---- against a plain count ---- */

static uint64_t counted[CLIENTS][NAMES];
static uint64_t lost;

static void add_up(const struct flow_table *table)
{
    for (uint32_t i = 0; i < table->used; i++) {
        const struct flow *flow = flow_number(table, i);
        struct name name;
        unsigned number = 0;
        flow_name(table, flow, &name);
        for (size_t j = 2; j <= name.octets[0]; j++)
            number = number * 10 + (name.octets[j] - '0');
        ck_assert_uint_lt(flow->source, CLIENTS);
        ck_assert_uint_lt(number, NAMES);
        ck_assert_uint_gt(flow->count, 0);
        counted[flow->source][number] -= flow->count;
    }
    lost += table->lost;
}

static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (unsigned)(*state >> 33) % below;
}

TEST(nothing_is_counted_twice_and_what_is_missing_is_counted_as_lost)
{
    uint64_t state = 1, missing = 0;

    for (unsigned i = 0; i < STEPS; i++) {
        unsigned client = draw(&state, CLIENTS), name = draw(&state, NAMES);
        add_other(client, name, CLIENT_SPACE);
        counted[client][name]++;
        if (draw(&state, 5000) > 0)
            continue;
        const struct flow_table *table = take();
        if (table == NULL)
            continue;
        add_up(table);
        flows_return(flows);
    }
    for (const struct flow_table *table; (table = take()) != NULL; flows_return(flows))
        add_up(table);
    for (size_t i = 0; i < CLIENTS; i++)
        for (size_t j = 0; j < NAMES; j++)
            missing += counted[i][j];
    ck_assert_uint_eq(missing, lost);
    ck_assert_uint_lt(missing, STEPS / 10);
}
