// timeout: 240
/**
 * Over all names, clients, types and classes, with upstreams for everything and for the very zones
 * of our names: no name of ours is ever forwarded, nor a query of an outsider, of a client that may
 * not recurse, or with RD=0; every other query is forwarded, except for special-use names.
 *
 * The oracle reads the owner of each name from the zone files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "support/deciding.h"
#include "support/four_spaces.h"
#include "support/recursion.h"
#include "support/suite.h"
#include "wire/types.h"

enum { POOL_MOST = 4096, MADE_NAMES = 6000, ROUTE_COUNT = 8 };

static struct four_spaces four;
static struct route routes[ROUTE_COUNT];

/* The settings would refuse some of these; what is ours must not depend on that. */
static void set_up(void)
{
    static const char *const zones[ROUTE_COUNT] = {
        "0.10.in-addr.arpa", "10.in-addr.arpa", "apps.example.com", "herokuapp.com",
        "herokuspace.com",   "example.net",     "localspace",       ".",
    };

    four_spaces_init(&four);
    for (int i = 0; i < ROUTE_COUNT; i++)
        ck_assert(name_from_text(zones[i], &routes[i].zone));
    four.world.snapshot->policy.routes = (struct routes){.items = routes, .count = ROUTE_COUNT};
}

static void tear_down(void)
{
    four_spaces_close(&four);
}

/* One question, asked by one client after the other. */
struct trial {
    const char *name;
    const char *from;
    uint32_t client;
    bool wants_recursion;
    struct deciding deciding;
};

/* Check records each assertion that passes, which would take most of the time here. */
#define HOLDS(trial, condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s TYPE%u CLASS%u from %s, RD=%d: " #condition, (trial)->name,           \
                         (trial)->deciding.query.type, (trial)->deciding.query.class,              \
                         (trial)->from, (trial)->wants_recursion);                                 \
    } while (0)

/* True for a name of ours in any state, for any client. */
static bool is_ours(const char *name, uint16_t type)
{
    struct owner owner;

    if (oracle_is_special(four.spaces, FOUR_SPACES, name))
        return true;
    return oracle_find_owner(four.spaces, FOUR_SPACES, name, &owner) &&
           owner.app->internal_routing && oracle_owns_type(&owner, type);
}

static void check(struct trial *trial, bool ours)
{
    const struct query *query = &trial->deciding.query;
    const struct verdict *verdict = &trial->deciding.verdict;
    bool may_recurse =
        oracle_may_recurse(&four.world.snapshot->policy.recursion_for,
                           oracle_classes(four.spaces, FOUR_SPACES, trial->client), trial->name);
    bool is_meta = query->type == 41 || (query->type >= 249 && query->type <= 254);
    bool may_ask = may_recurse && trial->wants_recursion && query->class == CLASS_IN && !is_meta &&
                   !ours && !verdict->is_empty_name;
    bool is_forwarded = verdict->situation == SITUATION_FORWARD;
    bool is_special = verdict_is_special(verdict);

    HOLDS(trial, verdict->may_recurse == may_recurse);
    HOLDS(trial, !is_forwarded || may_ask);
    HOLDS(trial, !is_special || may_ask || verdict->is_concealed);
    HOLDS(trial, !may_ask || is_forwarded || is_special);
    HOLDS(trial, !is_forwarded || (!verdict->is_authoritative && !verdict->has_soa));
    HOLDS(trial, !is_forwarded || (verdict->route < ROUTE_COUNT &&
                                   name_is_within(&query->name, &routes[verdict->route].zone)));
}

static void read_name(struct trial *trial, const char *name)
{
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t length = request_write(&(struct ask){.name = name}, request);

    trial->name = name;
    ck_assert_int_eq(query_read(request, length, &trial->deciding.query), QUERY_READ);
}

static void ask_as(struct trial *trial, const char *from, bool ours)
{
    trial->from = from;
    HOLDS(trial, ipv4_read(from, &trial->client));
    for (int rd = 0; rd < 2; rd++) {
        trial->wants_recursion = rd == 1;
        trial->deciding.query.flags = rd == 1 ? FLAG_RD : 0;
        deciding_decide(&trial->deciding, four.world.snapshot, from);
        check(trial, ours);
    }
}

static void ask_of_all(struct trial *trial, uint16_t type)
{
    bool ours = is_ours(trial->name, type);

    trial->deciding.query.type = type;
    for (size_t i = 0; i < four_spaces_insider_count; i++)
        ask_as(trial, four_spaces_insiders[i], ours);
    for (size_t i = 0; i < four_spaces_outsider_count; i++)
        ask_as(trial, four_spaces_outsiders[i], ours);
}

static void ask_everything(void)
{
    size_t stride = four_spaces_stride();
    struct trial trial;

    for (size_t i = 0; i < four.names.count; i++) {
        read_name(&trial, four.names.items[i]);
        for (size_t j = i % stride; j < four_spaces_type_count; j += stride)
            ask_of_all(&trial, four_spaces_types[j]);
    }
}

/* No class, dynos only, every class; then classes that may ask for names below suffixes only. */
static const char *const recursions[] = {
    "[]",
    "[space]",
    "[space, peered, vpn]",
    "{space: all, peered: [herokuapp.com, herokuspace.com], vpn: [example.com]}",
    "{space: [apps.example.com, org], peered: [net, frozen-oasis-70544.herokuapp.com], vpn: all}",
    "{space: [herokuapp.com, 0.10.in-addr.arpa], vpn: [herokuapp.com, com, 168.192.in-addr.arpa]}",
};
enum { RECURSION_COUNT = sizeof recursions / sizeof recursions[0], EVERY_CLASS = 2 };

static void set_recursion(int number)
{
    four.world.snapshot->policy.recursion_for = recursion_of(recursions[number]);
}

FIXTURE(set_up, tear_down)

TEST_OVER(only_other_names_are_forwarded_and_only_for_clients_that_may_recurse, recursions)
{
    set_recursion(_i);
    ask_everything();
}

TEST(other_classes_of_the_protocol_are_never_forwarded)
{
    static const uint16_t others[] = {0, CLASS_CH, 4, 254, 255, 65280};
    struct trial trial;

    set_recursion(EVERY_CLASS);
    for (size_t i = 0; i < four.names.count; i++) {
        read_name(&trial, four.names.items[i]);
        trial.deciding.query.class = others[i % (sizeof others / sizeof others[0])];
        ask_of_all(&trial, TYPE_A);
    }
}

/* ---- unexpected names: labels of ours in any order, before suffixes of ours ---- */

struct pool {
    char labels[POOL_MOST][NAME_TEXT_MOST];
    size_t count;
    uint32_t random;
};

static uint32_t next_random(struct pool *pool, size_t below)
{
    pool->random = pool->random * 1664525 + 1013904223;
    return (pool->random >> 8) % (uint32_t)below;
}

static void fill_pool(struct pool *pool)
{
    for (size_t i = 0; i < four.names.count && pool->count < POOL_MOST; i++) {
        const char *name = four.names.items[i];
        size_t length = strcspn(name, ".");
        if (length > 0 && length <= LABEL_MAX_OCTETS && strchr(name, '\\') == NULL)
            snprintf(pool->labels[pool->count++], NAME_TEXT_MOST, "%.*s", (int)length, name);
    }
}

/* One to five labels in front of a suffix of an existing name. */
static void make_name(struct pool *pool, char *name)
{
    const char *tail = four.names.items[next_random(pool, four.names.count)];
    uint32_t skip = next_random(pool, 4), front = 1 + next_random(pool, 5);
    int length = 0;

    for (; skip > 0 && strchr(tail, '.') != NULL && strchr(tail, '.')[1] != '\0'; skip--)
        tail = strchr(tail, '.') + 1;
    if (strchr(tail, '\\') != NULL || strlen(tail) > 120)
        tail = "example.com.";
    for (; front > 0 && length < 60; front--)
        length += sprintf(name + length, "%s.", pool->labels[next_random(pool, pool->count)]);
    snprintf(name + length, (size_t)(NAME_TEXT_MOST - 2 - length), "%s",
             strcmp(tail, ".") == 0 ? "" : tail);
}

TEST_LOOP(unexpected_names_are_no_exception, EVERY_CLASS, RECURSION_COUNT)
{
    static struct pool pool = {.random = 20241016};
    char name[2 * NAME_TEXT_MOST];
    struct trial trial;

    set_recursion(_i);
    fill_pool(&pool);
    for (size_t i = 0; i < MADE_NAMES / four_spaces_stride(); i++) {
        make_name(&pool, name);
        read_name(&trial, name);
        ask_of_all(&trial, four_spaces_types[i % four_spaces_type_count]);
        ask_of_all(&trial, TYPE_A);
    }
}
