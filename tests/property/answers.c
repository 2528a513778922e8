// timeout: 240
/**
 * Over all names, clients and types, and cases that need more than that: response code, AA, the
 * sections and the extended errors of each reply are those of the line of answers.def that its
 * verdict names; every line is met; and each name of names.def is answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/answers.h"
#include "decide/names.h"
#include "respond/limits.h"
#include "support/four_spaces.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

enum { SPACE_ONLY = 1 };

static unsigned long met[SITUATION_COUNT];

/* One reply, and what it should be like. */
struct trial {
    const struct ask *ask;
    const struct decoded *reply;
    const struct verdict *verdict;
    const struct answer_row *row;
};

/* Check records each assertion that passes, which would take most of the time here. */
#define HOLDS(trial, condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s TYPE%u CLASS%u from %s, line %s: " #condition, (trial)->ask->name,    \
                         (trial)->ask->type, (trial)->ask->class, (trial)->ask->from,              \
                         (trial)->row->symbol);                                                    \
    } while (0)

static unsigned count_type(const struct decoded *reply, ldns_pkt_section section, unsigned total,
                           ldns_rr_type type)
{
    unsigned count = 0;

    for (unsigned i = 0; i < total; i++)
        count += ldns_rr_get_type(decoded_record(reply, section, i)) == type;
    return count;
}

static void check_answer(const struct trial *trial)
{
    const struct decoded *reply = trial->reply;
    unsigned total = reply->answer_count;
    unsigned addresses = count_type(reply, LDNS_SECTION_ANSWER, total, LDNS_RR_TYPE_A);
    unsigned aliases = count_type(reply, LDNS_SECTION_ANSWER, total, LDNS_RR_TYPE_CNAME);

    switch (trial->row->answer) {
    case PART_NOTHING:
        HOLDS(trial, total == 0);
        break;
    case PART_ROUTERS:
        HOLDS(trial, addresses == trial->verdict->segment->router_up_count);
        HOLDS(trial, aliases <= 1 && addresses + aliases == total);
        break;
    case PART_CNAME:
        HOLDS(trial, total == aliases && aliases <= 1);
        break;
    case PART_RECORDS:
        HOLDS(trial, total > 0);
        break;
    case PART_DYNOS:
        HOLDS(trial, total > 0 && addresses == total);
        break;
    case PART_TEXTS:
        HOLDS(trial,
              total == addresses + count_type(reply, LDNS_SECTION_ANSWER, total, LDNS_RR_TYPE_TXT));
        break;
    case PART_LOOPBACK:
        HOLDS(trial, total == 1 && aliases == 0);
        break;
    case PART_ALIASES:
        HOLDS(trial, aliases > 0 && ldns_rr_get_type(decoded_record(reply, LDNS_SECTION_ANSWER,
                                                                    0)) == LDNS_RR_TYPE_CNAME);
        break;
    case PART_UPSTREAM:
        break;
    case PART_LAST:
    case PART_SOA:
    case PART_REASON:
    case PART_REASON_OR_UPSTREAM:
        ck_abort_msg("line %s cannot have this answer section", trial->row->symbol);
    }
}

static void check_authority(const struct trial *trial)
{
    unsigned total = trial->reply->authority_count;
    unsigned count = count_type(trial->reply, LDNS_SECTION_AUTHORITY, total, LDNS_RR_TYPE_SOA);

    if (trial->row->authority == PART_NOTHING)
        HOLDS(trial, total == 0);
    else if (trial->row->authority == PART_SOA)
        HOLDS(trial, total == 1 && count == 1);
    else
        HOLDS(trial, trial->row->authority == PART_UPSTREAM || trial->row->authority == PART_LAST);
}

static void check_errors(const struct trial *trial)
{
    const struct decoded *reply = trial->reply;
    const struct reason_entry *reason = reason_entry(trial->verdict->reason);

    HOLDS(trial, (trial->row->reasons >> trial->verdict->reason & 1) != 0);
    if (trial->row->ede == PART_NOTHING) {
        HOLDS(trial, reply->ede_count == 0);
        return;
    }
    bool is_ours = trial->row->ede == PART_REASON;
    HOLDS(trial, is_ours || trial->row->ede == PART_REASON_OR_UPSTREAM);
    HOLDS(trial, !is_ours || reply->ede_count == (reason->code[0] != '\0'));
    if (reason->code[0] == '\0')
        return;
    HOLDS(trial, reply->ede_code == reason->ede);
    HOLDS(trial, strncmp(reply->ede_text, reason->code, 3) == 0);
}

static void check(const struct ask *ask, const struct decoded *reply,
                  const struct exchange *exchange)
{
    enum situation situation = verdict_answer(&exchange->verdict);
    const struct answer_row *row = answer_row(situation);
    const struct trial trial = {
        .ask = ask, .reply = reply, .verdict = &exchange->verdict, .row = row};

    met[situation]++;
    HOLDS(&trial, verdict_fits(&exchange->verdict));
    HOLDS(&trial, row->rcode == RCODE_OF_UPSTREAM || row->rcode == RCODE_OF_LAST ||
                      row->rcode == reply->rcode);
    HOLDS(&trial, row->aa == AA_OF_FIRST || reply->aa == (row->aa == AA_YES));
    HOLDS(&trial, reply->tc == (situation == SITUATION_OUTSIDER_LIMITED));
    check_answer(&trial);
    check_authority(&trial);
    check_errors(&trial);
}

/*
 * Asks twice, because the verdict of a reply that had to wait is its worker's: the second reply
 * comes from the cache, at once.
 */
static void ask_it(struct world *world, struct ask ask)
{
    struct decoded reply;

    ask.transport = ASK_TCP;
    if (world->clocked != NULL) {
        world_ask(world, &ask, &reply);
        decoded_close(&reply);
    }
    world_ask(world, &ask, &reply);
    check(&ask, &reply, &world->exchange);
    decoded_close(&reply);
}

static void ask_of(struct four_spaces *four, const char *from, size_t stride)
{
    for (size_t i = 0; i < four->names.count; i++)
        for (size_t j = i % stride; j < four_spaces_type_count; j += stride)
            ask_it(&four->world, (struct ask){.name = four->names.items[i],
                                              .type = four_spaces_types[j],
                                              .from = from});
}

static void ask_everything(void)
{
    struct four_spaces four;

    four_spaces_init(&four);
    for (size_t i = 0; i < four_spaces_insider_count; i++)
        ask_of(&four, four_spaces_insiders[i], 2 * four_spaces_stride());
    ask_of(&four, four_spaces_outsiders[0], 4 * four_spaces_stride());
    four.world.snapshot->policy.external_nxdomain = true;
    ask_of(&four, four_spaces_outsiders[1], 4 * four_spaces_stride());
    four_spaces_close(&four);
}

static struct responders responders;

static void open_upstreams(struct clocked_options *options)
{
    static const char *const facts[] = {
        "www.example.org. A 60 192.0.2.80",
        "gone.example.org. NXDOMAIN 60",
        "broken.example.org. SERVFAIL",
        "poisoned.example.org. A 60 10.0.130.99",
        "shop.example.org. CNAME 60 api.example.com.",
        "api.example.com. A 60 192.0.2.66",
        "endless.example.org. CNAME 60 endless.corp.example.",
        "endless.corp.example. A 60 192.0.2.66",
    };

    responders = (struct responders){.count = 0};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        ck_assert(facts_learn(&responders.facts, facts[i]));
    responders_add(&responders, "10.9.0.1");
    responders_add(&responders, "10.9.0.2");
    responders_behave(&responders, "10.9.0.2", "silent");
    *options = (struct clocked_options){
        .responders = &responders,
        .zones = {{.zone = ".", .addresses = "10.9.0.1"},
                  {.zone = "silent.example", .addresses = "10.9.0.2"}},
        .zone_count = 2,
    };
}

static void ask_with_upstreams(void)
{
    struct clocked_options options;
    struct four_spaces four;

    open_upstreams(&options);
    four_spaces_init_forwarding(&four, &options, SPACE_ONLY);
    ask_of(&four, "10.0.130.56", 8 * four_spaces_stride());
    four_spaces_close(&four);
    responders_close(&responders);
}

static const char aliases[] = "space: alias-space\n"
                              "cidr: 10.5.0.0/16\n"
                              "routers: [10.5.0.37]\n"
                              "records:\n"
                              "  - www.corp.example. 60 IN CNAME www.example.org.\n"
                              "  - gone.corp.example. 60 IN CNAME gone.example.org.\n"
                              "  - endless.corp.example. 60 IN CNAME endless.example.org.\n"
                              "  - foreign.corp.example. 60 IN CNAME api.example.com.\n";

static void ask_of_upstreams(struct world *world)
{
    static const struct ask asks[] = {
        {.name = "www.example.org.", .from = "10.0.130.56"},
        {.name = "gone.example.org.", .from = "10.0.130.56"},
        {.name = "broken.example.org.", .from = "10.0.130.56"},
        {.name = "poisoned.example.org.", .from = "10.0.130.56"},
        {.name = "shop.example.org.", .from = "10.0.130.56"},
        {.name = "www.silent.example.", .from = "10.0.130.56"},
        {.name = "www.example.org.", .from = "10.0.130.56", .no_rd = true},
        {.name = "www.corp.example.", .from = "10.5.130.1"},
        {.name = "gone.corp.example.", .from = "10.5.130.1"},
        {.name = "foreign.corp.example.", .from = "10.5.130.1"},
        {.name = "endless.corp.example.", .from = "10.5.130.1"},
        {.name = "endless.example.org.", .from = "10.5.130.1"},
        {.name = "localhost.", .from = "10.0.130.56", .type = TYPE_AAAA},
        {.name = "localhost.", .from = "10.0.130.56", .type = TYPE_MX},
        {.name = "home.arpa.", .from = "10.0.130.56", .type = TYPE_SOA},
        {.name = "printer.local.", .from = "10.0.130.56"},
        {.name = "_dns.resolver.arpa.", .from = "10.0.130.56", .type = TYPE_SVCB},
    };

    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
        ask_it(world, asks[i]);
    responders_behave(&responders, "10.9.0.1", "silent");
    clocked_pass(world->clocked, 120 * 1000);
    ask_it(world, asks[0]);
    ask_it(world, asks[1]);
}

/* The fixture without its first domain, which is kept back then. */
static void rename_domain(struct world *world)
{
    char *text = zone_text("zones/test-space.yaml");

    memcpy(strstr(text, "api.example.com"), "new", 3);
    scratch_write(&world->folder, "test-space.yaml", text, strlen(text));
    world_must_load(world);
    free(text);
}

static void ask_upstreams(void)
{
    struct clocked_options options;
    struct world world;

    open_upstreams(&options);
    world_init(&world);
    world_forward(&world, options);
    scratch_copy(&world.folder, "zones/test-space.yaml");
    scratch_write(&world.folder, "alias-space.yaml", aliases, sizeof aliases - 1);
    world_must_load(&world);
    ask_of_upstreams(&world);
    rename_domain(&world);
    ask_it(&world, (struct ask){.name = "api.example.com.", .from = "10.0.130.56"});
    world_close(&world);
    responders_close(&responders);
}

/* A client's cookie alone, or a wrong one of a server with it. */
static void ask_for_a_cookie(struct world *world, uint8_t octets)
{
    ask_it(world, (struct ask){.name = ".",
                               .from = "10.0.130.56",
                               .no_question = true,
                               .cookie_octets = octets,
                               .cookie = {1}});
}

/* Requests that are no questions about a name, and other classes. */
static void ask_oddly(void)
{
    static const struct ask odd[] = {
        {.name = "api.example.com.", .from = "10.0.130.56", .opcode = 4},
        {.name = "api.example.com.", .from = "203.0.113.9", .opcode = 4},
        {.name = "api.example.com.", .from = "10.0.130.56", .edns_version = 1},
        {.name = "api.example.com.", .from = "10.0.130.56", .type = TYPE_AXFR},
        {.name = "api.example.com.", .from = "10.0.130.56", .class = 4},
        {.name = "id.server.", .from = "10.0.130.56", .class = CLASS_CH, .type = TYPE_A},
        {.name = "api.example.com.", .from = "203.0.113.9", .class = CLASS_CH},
    };
    uint8_t request[REQUEST_OCTETS_MOST];
    struct decoded reply;
    struct world world;

    world_init(&world);
    ask_it(&world, (struct ask){.name = "api.example.com.", .from = "10.0.130.56"});
    world_close(&world);
    world_init_fixture(&world);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        ask_it(&world, odd[i]);
    struct ask ask = {.name = "api.example.com.", .from = "10.0.130.56", .no_edns = true};
    size_t length = request_write(&ask, request);
    request[5] = 2; /* questions */
    decode(world.reply, world_send(&world, request, length, &ask), &reply);
    check(&ask, &reply, &world.exchange);
    decoded_close(&reply);
    ask_for_a_cookie(&world, 8);
    ask_for_a_cookie(&world, 24);
    world_close(&world);
}

/* Clients above their rates; each is met with the second query. */
static void ask_too_often(void)
{
    static const struct ask client = {.name = "api.example.com.", .from = "10.0.130.56"};
    static const struct ask outsider = {.name = "api.example.com.", .from = "203.0.113.9"};
    static struct stats stats;
    struct limits limits;
    struct world world;

    world_init_fixture(&world);
    limits_init(&limits, limit_tables_new(), &stats);
    limits.now_us = 9 * (uint64_t)RATE_SECOND_US;
    world.limits = &limits;
    struct policy *policy = &world.snapshot->policy;
    policy->client_rate = policy->external_rate = policy->external_slip = 1;
    policy->client_interval_us = policy->external_interval_us = rate_interval_us(1);
    for (unsigned i = 0; i < 2; i++)
        ask_it(&world, client);
    for (unsigned i = 0; i < 2; i++) {
        struct decoded reply;
        world_ask(&world, &outsider, &reply);
        if (i > 0)
            check(&outsider, &reply, &world.exchange);
        decoded_close(&reply);
    }
    limit_tables_free(limits.tables);
    world_close(&world);
}

TEST(every_reply_agrees_with_the_line_that_its_verdict_names)
{
    ask_too_often();
    ask_everything();
    ask_with_upstreams();
    ask_upstreams();
    ask_oddly();
    for (unsigned i = 0; i < SITUATION_COUNT; i++)
        ck_assert_msg(met[i] > 0, "no reply was of the line %s",
                      answer_row((enum situation)i)->symbol);
}

static const struct {
    enum answer_kind kind;
    enum name_parent parent;
    const char *label;
    uint16_t type;
} introspection[] = {
#define NAME(symbol, parent, label, type, printer, help)                                           \
    {ANSWER_##symbol, PARENT_##parent, label, TYPE_##type},
#include "decide/names.def"
};
enum { INTROSPECTION_COUNT = sizeof introspection / sizeof introspection[0] };

TEST_LOOP(every_name_about_the_server_is_answered, 0, INTROSPECTION_COUNT)
{
    static const char *const parents[] = {
        [PARENT_SUFFIX] = "localspace.",
        [PARENT_APP] = "frozen-oasis-70544.app.localspace.",
        [PARENT_ANY] = "www.example.org.",
        [PARENT_CHAOS] = "",
    };
    char name[NAME_TEXT_MOST];
    struct decoded reply;
    struct world world;
    struct ask ask = {.name = name,
                      .type = introspection[_i].type,
                      .class = introspection[_i].parent == PARENT_CHAOS ? CLASS_CH : CLASS_IN};

    snprintf(name, sizeof name, "%s.%s", introspection[_i].label,
             parents[introspection[_i].parent]);
    world_init_fixture(&world);
    world_ask(&world, &ask, &reply);
    ck_assert_int_eq(world.exchange.verdict.answer, introspection[_i].kind);
    ck_assert_uint_gt(reply.answer_count, 0);
    const ldns_rr *record = decoded_record(&reply, LDNS_SECTION_ANSWER, 0);
    ck_assert_uint_eq(ldns_rr_get_type(record), introspection[_i].type);
    ck_assert_uint_eq(ldns_rr_get_class(record), ask.class);
    decoded_close(&reply);
    world_close(&world);
}
