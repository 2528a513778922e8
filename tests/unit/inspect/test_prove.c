// wrap: verdict_admit verdict_set client_classify reverse_decide recursion_find
/**
 * The proof holds for the zones that tests use, and finds the faults of a broken policy: each
 * mutation stands in for one function of it.
 */
#include "inspect/prove.h"

#include <stdlib.h>
#include <string.h>

#include "decide/decide.h"
#include "decide/reverse.h"
#include "support/recursion.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"

enum mutation {
    NONE,
    EVERYBODY_IS_ADMITTED,
    ANOTHERS_NAME_IS_FORWARDED,
    OUTSIDERS_LEARN_WHAT_EXISTS,
    THE_WHOLE_WORLD_IS_INSIDE,
    IPV6_IS_INSIDE,
    REVERSE_NAMES_ARE_FOREIGN,
    A_LINE_IS_NOT_KEPT_TO,
    SUFFIXES_ARE_IGNORED,
    MUTATIONS,
    DEVICES_ARE_IGNORED, /* its test is its own */
};

static enum mutation mutation;

/* ---- the policy, broken ---- */

bool __real_verdict_admit(const struct client *client, const struct snapshot *from,
                          uint16_t segment, struct verdict *verdict);
bool __wrap_verdict_admit(const struct client *client, const struct snapshot *from,
                          uint16_t segment, struct verdict *verdict);
void __real_verdict_set(struct verdict *verdict, enum situation situation, uint8_t rcode,
                        enum reason reason);
void __wrap_verdict_set(struct verdict *verdict, enum situation situation, uint8_t rcode,
                        enum reason reason);
void __real_client_classify(const struct snapshot *from, const struct path *path,
                            struct client *client);
void __wrap_client_classify(const struct snapshot *from, const struct path *path,
                            struct client *client);
bool __real_reverse_decide(const struct snapshot *from, const struct client *client,
                           const struct query *query, struct verdict *verdict);
bool __wrap_reverse_decide(const struct snapshot *from, const struct client *client,
                           const struct query *query, struct verdict *verdict);

const struct recursion_suffix *__real_recursion_find(const struct recursion *recursion,
                                                     unsigned classes, const struct name *name);
const struct recursion_suffix *__wrap_recursion_find(const struct recursion *recursion,
                                                     unsigned classes, const struct name *name);

bool __wrap_verdict_admit(const struct client *client, const struct snapshot *from,
                          uint16_t segment, struct verdict *verdict)
{
    if (mutation == ANOTHERS_NAME_IS_FORWARDED && client_membership(client, segment) == NULL) {
        verdict_forward(verdict, 0);
        verdict->segment = NULL;
        verdict->app = NULL;
        return false;
    }
    if (mutation != EVERYBODY_IS_ADMITTED)
        return __real_verdict_admit(client, from, segment, verdict);
    verdict->segment = from->segments[segment];
    verdict->membership = client->memberships;
    return true;
}

void __wrap_verdict_set(struct verdict *verdict, enum situation situation, uint8_t rcode,
                        enum reason reason)
{
    bool is_leak = mutation == OUTSIDERS_LEARN_WHAT_EXISTS && situation == SITUATION_OUTSIDER;
    bool is_odd = mutation == A_LINE_IS_NOT_KEPT_TO && situation == SITUATION_UNSUPPORTED;

    __real_verdict_set(verdict, situation, is_leak || is_odd ? 3 : rcode, reason);
}

void __wrap_client_classify(const struct snapshot *from, const struct path *path,
                            struct client *client)
{
    struct path inside = {.source = 0x0a008238};

    __real_client_classify(from, path, client);
    if (mutation == DEVICES_ARE_IGNORED && from->access.device_count > 0) {
        struct path by_device = *path;
        by_device.interface = access_interface(&from->access, from->access.devices[0]);
        __real_client_classify(from, &by_device, client);
    }
    if (mutation == THE_WHOLE_WORLD_IS_INSIDE && client->count == 0)
        __real_client_classify(from, &inside, client);
    if (mutation == IPV6_IS_INSIDE && path->is_ipv6)
        __real_client_classify(from, &inside, client);
}

bool __wrap_reverse_decide(const struct snapshot *from, const struct client *client,
                           const struct query *query, struct verdict *verdict)
{
    return mutation != REVERSE_NAMES_ARE_FOREIGN &&
           __real_reverse_decide(from, client, query, verdict);
}

const struct recursion_suffix *__wrap_recursion_find(const struct recursion *recursion,
                                                     unsigned classes, const struct name *name)
{
    if (mutation == SUFFIXES_ARE_IGNORED)
        return recursion->suffixes;
    return __real_recursion_find(recursion, classes, name);
}

/* ---- the proof ---- */

static void set_up(void)
{
    mutation = NONE;
    snapshot_set_up();
}

FIXTURE(set_up, snapshot_tear_down)

TEST_LOOP(it_holds_for_four_spaces_at_once, 0, 3)
{
    struct proof proof;
    struct err err = {.code = ERR_NONE};

    fixture.snapshot->policy.external_nxdomain = _i == 1;
    fixture.snapshot->policy.localspace_to = _i == 2 ? 7 : 1;
    ck_assert_msg(prove(fixture.snapshot, &proof, &err), "%s", err.text);
    ck_assert_uint_gt(proof.clients, 20);
    ck_assert_uint_gt(proof.outsiders, 5);
    ck_assert_uint_lt(proof.outsiders, proof.clients);
    ck_assert_uint_gt(proof.names, 100);
    ck_assert(!proof.takes_turns);
    ck_assert_uint_eq(proof.decisions, proof.clients * proof.names * proof.types);
    uint64_t answers = 0;
    for (unsigned i = 0; i < SITUATION_COUNT; i++)
        answers += proof.answers[i];
    ck_assert_uint_eq(answers, proof.decisions);
}

/* Once with recursion for everybody, once as it is configured. */
static struct snapshot *snapshot_half_ready(void)
{
    static const char *const names[] = {"east", "north", "south", "west"};
    static const char *const texts[] = {
        "space: east\ncidr: [",
        "space: north\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
        "apps: [{name: bill, internal_routing: true}]\n"
        "peerings: [{pcx_id: pcx-11111111, type: customer-managed, status: active,\n"
        "  cidr_blocks: [10.20.0.0/16]}]\n",
        "space: south\ncidr: 10.1.0.0/16\nnonsense: 1\n"
        "peerings: [{pcx_id: pcx-22222222, type: customer-managed, status: active,\n"
        "  cidr_blocks: [10.20.0.0/16]}]\n",
        "space: west\ncidr: 10.2.0.0/16\nnonsense: 1\n",
    };
    struct policy policy = policy_usual();

    policy.routes = routes_usual();
    return snapshot_of_documents(&policy, names, texts, 4);
}

TEST(it_holds_for_spaces_that_are_unready_and_a_name_that_leaves_one_is_found)
{
    struct snapshot *snapshot = snapshot_half_ready();
    struct proof proof;
    struct err err;

    ck_assert_msg(prove(snapshot, &proof, &err), "%s", err.text);
    ck_assert_uint_gt(proof.answers[SITUATION_NOT_READY], 0);
    snapshot->unready_count = 0;
    ck_assert(!prove(snapshot, &proof, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "unready"));
    snapshot_free(snapshot);
}

TEST(it_holds_for_classes_with_suffixes)
{
    struct proof proof;
    struct err err = {.code = ERR_NONE};

    fixture.snapshot->policy.recursion_for =
        recursion_of("{space: [herokuapp.com, net], peered: [com], vpn: all}");
    ck_assert_msg(prove(fixture.snapshot, &proof, &err), "%s", err.text);
    ck_assert_uint_eq(proof.decisions, 2 * proof.clients * proof.names * proof.types);
    ck_assert_uint_gt(proof.answers[SITUATION_NOT_OURS], 0);
    ck_assert_uint_gt(proof.answers[SITUATION_FORWARD], 0);
}

static const char *const sentences[MUTATIONS] = {
    [EVERYBODY_IS_ADMITTED] = "the verdict holds something of a space that the client is not in",
    [ANOTHERS_NAME_IS_FORWARDED] = "an internal name would be forwarded to an upstream",
    [OUTSIDERS_LEARN_WHAT_EXISTS] = "an outsider's verdict differs from what every outsider gets",
    [THE_WHOLE_WORLD_IS_INSIDE] = "0.0.0.0 is taken to be inside space test-space",
    [IPV6_IS_INSIDE] = "(IPv6) is taken to be inside space test-space",
    [REVERSE_NAMES_ARE_FOREIGN] = "an internal name is treated as unknown",
    [A_LINE_IS_NOT_KEPT_TO] =
        "the verdict differs from the line of `spacedns policy` that it names",
    [SUFFIXES_ARE_IGNORED] = "recursion is offered against recursion_for",
};

TEST_LOOP(a_broken_policy_is_found_with_an_example, NONE + 1, MUTATIONS)
{
    struct proof proof;
    struct err err = {.code = ERR_NONE};

    if (_i == SUFFIXES_ARE_IGNORED)
        fixture.snapshot->policy.recursion_for = recursion_of("{peered: [herokuapp.com]}");
    mutation = (enum mutation)_i;
    ck_assert_msg(!prove(fixture.snapshot, &proof, &err), "mutation %d passes", _i);
    ck_assert_int_eq(err.code, ERR_RULE);
    ck_assert_msg(strstr(err.text, sentences[_i]) != NULL, "mutation %d: %s", _i, err.text);
}

/* ---- devices ---- */

TEST_LOOP(a_device_that_is_ignored_is_found, 0, 2)
{
    const struct policy policy = policy_usual();
    static const char text[] =
        "space: a-space\nrouters: [10.0.0.37]\nvpns:\n"
        "  - {name: a, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec0}\n"
        "  - {name: b, status: active, routable_cidrs: [172.18.0.0/17], device: ipsec1}\n"
        "apps: [{name: app-one, internal_routing: true}]\n";
    const char *texts[] = {text};
    struct snapshot *snapshot = snapshot_of_texts(&policy, texts, 1);
    struct proof proof;
    struct err err = {.code = ERR_NONE};

    mutation = _i == 1 ? DEVICES_ARE_IGNORED : NONE;
    bool holds = prove(snapshot, &proof, &err);
    ck_assert_msg(holds == (_i == 0), "%s", err.text);
    ck_assert_msg(holds || strstr(err.text, "172.18.0.0 is taken to be inside space a-space, and "
                                            "its zone file does not let it in") != NULL,
                  "%s", err.text);
    snapshot_free(snapshot);
}

/* ---- availability zones ---- */

static const char az_space[] =
    "space: az-space\naffinity: only\n"
    "dyno_cidrs: [{cidr: 10.0.128.0/20, az: a}, {cidr: 10.0.144.0/20, az: b}, "
    "{cidr: 10.0.160.0/20, az: c}]\n"
    "routers: [{ip: 10.0.0.37, az: b}, {ip: 10.0.0.38, az: a}, {ip: 10.0.0.39, az: b}, "
    "{ip: 10.0.0.40, az: c, state: down}, 10.0.0.41]\n"
    "apps: [{name: app-one, internal_routing: true, formation: {web: {ports: {http: 80}, dynos: "
    "[{number: 1, private_ip: 10.0.130.1}, {number: 2, private_ip: 10.0.144.2}]}}}]\n";

static const struct az_fault {
    const char *name, *sentence;
    size_t az;
    int first, up_count; /* added */
} az_faults[] = {
    {"none", NULL, 0, 0, 0},
    {"another's router", "the routers of an availability zone are not those", 0, 1, 0},
    {"one of two", "the routers of an availability zone are not those", 1, 0, -1},
    {"one too many", "the routers of an availability zone are not those", 0, 0, 1},
    {"one that is down", "does not begin with the client's availability zone", 2, 0, 1},
    {"none at all", "does not begin with the client's availability zone", 0, 0, -1},
};

TEST_OVER(a_fault_in_the_routers_of_a_zone_is_found, az_faults)
{
    const struct az_fault *fault = &az_faults[_i];
    const struct policy policy = policy_usual();
    const char *texts[] = {az_space};
    struct snapshot *snapshot = snapshot_of_texts(&policy, texts, 1);
    struct segment *segment = (struct segment *)snapshot->segments[0];
    struct az_entry azs[3];
    const struct az_entry *kept = segment->azs;
    struct proof proof;
    struct err err = {.code = ERR_NONE};

    ck_assert_uint_eq(segment->az_count, 3);
    memcpy(azs, kept, sizeof azs);
    azs[fault->az].first += (uint32_t)fault->first;
    azs[fault->az].up_count += (uint32_t)fault->up_count;
    segment->azs = azs;
    bool holds = prove(snapshot, &proof, &err);
    segment->azs = kept;
    ck_assert_msg(holds == (fault->sentence == NULL), "%s: %s", fault->name, err.text);
    ck_assert_msg(holds || strstr(err.text, fault->sentence) != NULL, "%s: %s", fault->name,
                  err.text);
    snapshot_free(snapshot);
}

TEST(a_router_outside_its_space_is_found)
{
    struct segment *segment = (struct segment *)fixture.snapshot->segments[0];
    uint8_t records[4 * READY_RECORD_OCTETS];
    const uint8_t *kept = segment->router_records;
    struct proof proof;
    struct err err = {.code = ERR_NONE};

    ck_assert_uint_eq(segment->router_up_count, 2);
    memcpy(records, kept, sizeof records);
    records[4 * READY_RECORD_OCTETS - 3] ^= 1; /* the second octet of the last address */
    segment->router_records = records;
    bool holds = prove(fixture.snapshot, &proof, &err);
    segment->router_records = kept;
    ck_assert(!holds);
    ck_assert_ptr_nonnull(strstr(err.text, "outside the space's cidr"));
}
