// timeout: 240
/**
 * Over all names, insiders and types: the server answers as an independent implementation of the
 * policy does (the oracle).
 *
 * An internal name is never refused as "not ours" (and so will never be forwarded); addresses go
 * only to members of the space they belong to; nothing else is claimed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "support/four_spaces.h"
#include "support/recursion.h"
#include "support/suite.h"
#include "wire/types.h"

enum { ADDRESSES_MOST = 64 };

static struct four_spaces four;

/* One of many questions: the query, the client, and the reply. */
struct trial {
    struct ask ask;
    uint32_t client;
    struct decoded reply;
};

#define HOLDS(trial, condition)                                                                    \
    ck_assert_msg(condition, "%s TYPE%u from %s by %s over %s: " #condition, (trial)->ask.name,    \
                  (trial)->ask.type, (trial)->ask.from,                                            \
                  (trial)->ask.by == NULL ? "any" : (trial)->ask.by,                               \
                  (trial)->ask.transport == ASK_TCP ? "tcp" : "udp")

static bool reason_is(const struct trial *trial, const char *code, int ede)
{
    return trial->reply.ede_code == ede && strncmp(trial->reply.ede_text, code, 3) == 0;
}

static int compare_addresses(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

/* An app with a running web dyno: exactly the routers that are up. */
static void check_routers(const struct trial *trial, const struct space *space)
{
    uint32_t expected[ADDRESSES_MOST], answered[ADDRESSES_MOST];
    size_t count = oracle_routers(space, expected, ADDRESSES_MOST);

    HOLDS(trial, decoded_addresses(&trial->reply, answered, ADDRESSES_MOST) == count);
    qsort(answered, count, sizeof *answered, compare_addresses);
    HOLDS(trial, memcmp(answered, expected, count * sizeof *expected) == 0);
    HOLDS(trial, trial->reply.authority_count == 0);
}

static bool has_cname(const struct owner *owner)
{
    const char *dot = owner->domain == NULL ? NULL : strchr(owner->domain->hostname.text, '.');

    if (dot == NULL || owner->domain->is_flat || owner->domain->is_alias)
        return false;
    return owner->is_wildcard || strchr(dot + 1, '.') != NULL;
}

static bool has_running_web(const struct app *app)
{
    for (size_t i = 0; i < app->formation_count; i++) {
        const struct formation *formation = &app->formations[i];
        for (size_t j = 0; j < formation->dyno_count; j++)
            if (strcmp(formation->type.text, "web") == 0 && formation->dynos[j].state == DYNO_UP)
                return true;
    }
    return false;
}

static void check_member(const struct trial *trial, const struct owner *owner)
{
    const struct decoded *reply = &trial->reply;
    uint16_t type = trial->ask.type;
    bool cname = has_cname(owner);
    bool cname_is_all = cname && (type == TYPE_CNAME || type == TYPE_ANY);
    bool asks_address = type == TYPE_A || (type == TYPE_ANY && !cname);

    HOLDS(trial, reply->rcode == RCODE_NOERROR && reply->aa);
    if (owner->space->state != SPACE_ALLOCATED) {
        HOLDS(trial, reply->answer_count == 0 && reason_is(trial, "Q31", 0));
    } else if (!has_running_web(owner->app)) {
        HOLDS(trial, reply->answer_count == 0 && reply->authority_count == 1);
        HOLDS(trial, reason_is(trial, "Q10", 0) || reason_is(trial, "Q14", 0));
    } else if (cname_is_all) {
        HOLDS(trial, reply->answer_count == 1 && reply->authority_count == 0);
    } else if (asks_address) {
        check_routers(trial, owner->space);
    } else {
        unsigned soa = type == TYPE_SOA;
        HOLDS(trial, reply->answer_count == cname + soa && reply->authority_count == 1 - soa);
        HOLDS(trial, reply->ede_code == NO_EDE);
    }
}

static void check_not_ours(const struct trial *trial)
{
    HOLDS(trial, trial->reply.rcode == RCODE_REFUSED && !trial->reply.aa);
    HOLDS(trial, trial->reply.answer_count == 0 && trial->reply.authority_count == 0);
    HOLDS(trial, reason_is(trial, "Q20", 20));
}

/* An internal name: never "not ours" to its own clients, and nothing else to all others. */
static void check_internal(const struct trial *trial, const struct owner *owner)
{
    if (oracle_is_member(owner->space, trial->client, trial->ask.by)) {
        check_member(trial, owner);
        return;
    }
    check_not_ours(trial);
}

/* A name above static records of the client's own space. */
static void check_empty_name(const struct trial *trial)
{
    bool is_soa = trial->ask.type == TYPE_SOA;

    HOLDS(trial, trial->reply.rcode == RCODE_NOERROR && trial->reply.aa);
    HOLDS(trial, trial->reply.answer_count == is_soa && trial->reply.authority_count == !is_soa);
}

/* Every address in any answer is of a space that the client is inside of. */
static void check_addresses(const struct trial *trial)
{
    uint32_t addresses[ADDRESSES_MOST];
    size_t count = decoded_addresses(&trial->reply, addresses, ADDRESSES_MOST);

    for (size_t i = 0; i < count; i++) {
        bool is_known = addresses[i] == 0x7f000001; /* upcheck */
        for (size_t j = 0; j < FOUR_SPACES; j++) {
            const struct space *space = four.spaces[j];
            bool is_inside = cidr_contains(space->cidr.cidr, addresses[i]) ||
                             cidr_contains(space->data_cidr.cidr, addresses[i]);
            is_known =
                is_known || (is_inside && oracle_is_member(space, trial->client, trial->ask.by));
        }
        HOLDS(trial, is_known);
    }
}

/* EDE and _why match the verdict's reason. */
static void check_reason(const struct trial *trial)
{
    const struct verdict *verdict = &four.world.exchange.verdict;
    const struct reason_entry *reason = reason_entry(verdict->reason);

    if (verdict->reason == REASON_NONE)
        HOLDS(trial, trial->reply.ede_code == NO_EDE);
    else
        HOLDS(trial, reason_is(trial, reason->code, reason->ede));
    HOLDS(trial, strlen(trial->reply.ede_text) <= 100);
    HOLDS(trial, trial->reply.rcode == verdict->rcode);
}

/* In no space, whatever it asks: no record at all. */
static void check_outside(const struct trial *trial)
{
    const struct decoded *reply = &trial->reply;

    HOLDS(trial, reply->rcode == RCODE_REFUSED && !reply->aa);
    HOLDS(trial, reply->answer_count + reply->authority_count + reply->additional_count == 0);
    HOLDS(trial, reason_is(trial, "Q18", 18));
}

static bool is_outside(const struct trial *trial)
{
    for (size_t i = 0; i < FOUR_SPACES; i++)
        if (oracle_is_member(four.spaces[i], trial->client, trial->ask.by))
            return false;
    return true;
}

static void check(const struct trial *trial)
{
    struct owner owner;
    bool is_owned = oracle_find_owner(four.spaces, FOUR_SPACES, trial->ask.name, &owner);

    HOLDS(trial, trial->reply.qr && !trial->reply.ad && !trial->reply.ra && !trial->reply.tc);
    check_addresses(trial);
    check_reason(trial);
    if (is_outside(trial)) {
        check_outside(trial);
        return;
    }
    if (trial->ask.type == 41 || (trial->ask.type >= 249 && trial->ask.type <= 254)) {
        HOLDS(trial, trial->reply.rcode == RCODE_REFUSED && reason_is(trial, "Q70", 21));
        return;
    }
    /* _why.NAME and the like come before wildcards. */
    if (oracle_is_special(four.spaces, FOUR_SPACES, trial->ask.name)) {
        const struct space *space = oracle_special_space(four.spaces, FOUR_SPACES, trial->ask.name);
        bool is_concealed = space != NULL &&
                            !oracle_is_member(space, trial->client, trial->ask.by) &&
                            strncmp(trial->ask.name, "_why.", 5) != 0;
        HOLDS(trial, reason_is(trial, "Q20", 20) == is_concealed);
        return;
    }
    if (is_owned && owner.app->internal_routing && oracle_owns_type(&owner, trial->ask.type))
        check_internal(trial, &owner);
    else if (!is_owned && oracle_is_empty_name(four.spaces, FOUR_SPACES, trial->ask.name,
                                               trial->client, trial->ask.by))
        check_empty_name(trial);
    else
        check_not_ours(trial);
}

static void ask_all(struct ask how)
{
    struct trial trial = {.ask = how};
    size_t stride = four_spaces_stride();

    ck_assert(ipv4_read(how.from, &trial.client));
    for (size_t i = 0; i < four.names.count; i++) {
        trial.ask.name = four.names.items[i];
        for (size_t j = i % stride; j < four_spaces_type_count; j += stride) {
            trial.ask.type = four_spaces_types[j];
            world_ask(&four.world, &trial.ask, &trial.reply);
            check(&trial);
            decoded_close(&trial.reply);
        }
    }
}

static void ask_everything(const char *from, enum ask_transport transport)
{
    ask_all((struct ask){.from = from, .transport = transport});
}

static void set_up(void)
{
    four_spaces_init(&four);
}

static void tear_down(void)
{
    four_spaces_close(&four);
}

FIXTURE(set_up, tear_down)

TEST_LOOP(insiders_get_the_oracles_answer_over_udp, 0, (int)four_spaces_insider_count)
{
    ask_everything(four_spaces_insiders[_i], ASK_UDP);
}

TEST_LOOP(insiders_get_the_oracles_answer_over_tcp, 0, 4)
{
    ask_everything(four_spaces_insiders[_i], ASK_TCP);
}

/* Members of one space, of two and of none, by what interface they come. */
static const struct ask by_devices[] = {
    {.from = "10.20.3.4", .by = "ipsec0"},  {.from = "10.20.3.4", .by = "ipsec1"},
    {.from = "10.20.3.4", .by = "eth0"},    {.from = "10.20.3.4"},
    {.from = "172.16.9.9", .by = "ipsec0"}, {.from = "172.16.9.9", .by = "ipsec1"},
    {.from = "172.16.9.9", .by = "eth0"},   {.from = "172.16.9.9"},
    {.from = "10.23.0.0", .by = "ipsec0"},  {.from = "10.23.0.0", .by = "ipsec1"},
    {.from = "172.25.3.4", .by = "eth0"},   {.from = "10.0.130.56", .by = "ipsec1"},
    {.from = "203.0.113.9", .by = "ipsec0"}};

/* The same source address by another interface is inside of nothing that names its device. */
TEST_OVER(what_a_client_gets_depends_on_its_device, by_devices)
{
    four_spaces_name_devices(&four);
    ask_all(by_devices[_i]);
}

/* The same for every setting of localspace_to. */
TEST(opening_discovery_to_all_classes_opens_nothing_else)
{
    four.world.policy.localspace_to = 7;
    four.world.snapshot->policy.localspace_to = 7;
    ask_everything("10.20.3.4", ASK_UDP);
    ask_everything("172.16.9.9", ASK_UDP);
}

/* What a class may ask upstreams for changes nothing while there are none, and at names of ours. */
TEST(suffixes_for_a_class_open_nothing_else)
{
    four.world.policy.recursion_for =
        recursion_of("{peered: [herokuapp.com, example.com], vpn: [com, org]}");
    four.world.snapshot->policy.recursion_for = four.world.policy.recursion_for;
    ask_everything("10.20.3.4", ASK_UDP);
    ask_everything("172.16.9.9", ASK_UDP);
}

/* _why gives the reason that a query for the name gets. */
TEST_LOOP(why_gives_the_reason_that_the_answer_has, 0, (int)four_spaces_insider_count)
{
    struct ask ask = {.from = four_spaces_insiders[_i], .transport = ASK_TCP};
    char why[NAME_TEXT_MOST + 8], pattern[64];
    struct decoded reply;

    for (size_t i = 0; i < four.names.count; i++) {
        ask.name = four.names.items[i];
        ask.type = TYPE_A;
        world_ask(&four.world, &ask, &reply);
        snprintf(pattern, sizeof pattern, "verdict=%s*%.3s*", rcode_name(reply.rcode),
                 reply.ede_text);
        decoded_close(&reply);
        int length =
            snprintf(why, sizeof why, "_why.%s", strcmp(ask.name, ".") == 0 ? "" : ask.name);
        if (length > 254)
            continue;
        ask.name = why;
        ask.type = TYPE_TXT;
        world_ask(&four.world, &ask, &reply);
        ck_assert_msg(decoded_says(&reply, pattern), "%s from %s: no %s", why, ask.from, pattern);
        decoded_close(&reply);
    }
}
