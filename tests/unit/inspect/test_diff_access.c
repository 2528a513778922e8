#include "inspect/diff_access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/client.h"
#include "support/suite.h"
#include "support/zones.h"

enum { TEXT_MOST = 4096, ROUNDS = 300, ASKED = 200, SPACES = 3 };

static struct {
    struct policy policy;
    struct snapshot *before;
    struct snapshot *after;
    struct arena *arena;
    struct access_changes changes;
    uint64_t seed;
} scene;

static void set_up(void)
{
    memset(&scene, 0, sizeof scene);
    scene.policy = policy_usual();
    scene.seed = 1;
}

static void drop(void)
{
    snapshot_free(scene.before);
    snapshot_free(scene.after);
    arena_free(scene.arena);
    scene.before = scene.after = NULL;
    scene.arena = NULL;
}

static void compare(const char *const *before, const char *const *after, size_t count)
{
    scene.before = snapshot_of_texts(&scene.policy, before, count);
    scene.after = snapshot_of_texts(&scene.policy, after, count);
    scene.arena = arena_new();
    ck_assert_ptr_nonnull(scene.arena);
    ck_assert(access_compare(scene.before, scene.after, scene.arena, &scene.changes));
}

static const char *printed(size_t number)
{
    static char octets[256];
    struct text text = text_over(octets, sizeof octets - 1);

    ck_assert_uint_lt(number, scene.changes.count);
    memset(octets, 0, sizeof octets);
    access_format(&scene.changes.items[number], &text);
    return octets;
}

#define SMALL "space: small\ncidr: 10.4.0.0/16\n"

FIXTURE(set_up, NULL)

TEST(a_block_that_moves_to_another_kind_of_connection_is_two_changes)
{
    const char *before = SMALL "peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: "
                               "[10.40.0.0/16]}]\n";
    const char *after = SMALL "vpns: [{name: hq, status: active, public_ip: 35.161.69.30, "
                              "routable_cidrs: [10.40.0.0/16]}]\n";

    compare(&before, &after, 1);
    ck_assert_uint_eq(scene.changes.count, 2);
    ck_assert_str_eq(printed(0), "- 10.40.0.0/16 ceases to be inside of small (peered, pcx-1): "
                                 "65536 addresses");
    ck_assert_str_eq(printed(1),
                     "+ 10.40.0.0/16 becomes inside of small (vpn, hq): 65536 addresses");
    drop();
}

TEST(another_name_of_a_connection_is_no_change)
{
    const char *before = SMALL "peerings: [{pcx_id: pcx-1, status: active, cidr_blocks: "
                               "[10.40.0.0/16]}]\n";
    const char *after = SMALL "peerings: [{pcx_id: pcx-2, status: active, cidr_blocks: "
                              "[10.40.0.0/17, 10.40.128.0/17]}]\n";

    compare(&before, &after, 1);
    ck_assert_uint_eq(scene.changes.count, 0);
    drop();
}

TEST(a_connection_with_a_device_is_let_in_by_that_device)
{
    const char *before = SMALL;
    const char *after = SMALL "vpns: [{name: hq, status: active, routable_cidrs: [10.40.0.0/16], "
                              "device: ipsec0}]\n";

    compare(&before, &after, 1);
    ck_assert_uint_eq(scene.changes.count, 1);
    ck_assert_str_eq(printed(0),
                     "+ 10.40.0.0/16 becomes inside of small (vpn, hq) when it comes by "
                     "ipsec0: 65536 addresses");
    drop();
}

TEST(another_device_is_two_changes)
{
    const char *before = SMALL "vpns: [{name: hq, status: active, routable_cidrs: [10.40.0.0/16], "
                               "device: ipsec1}]\n";
    const char *after = SMALL "vpns: [{name: hq, status: active, routable_cidrs: [10.40.0.0/16], "
                              "device: ipsec0}]\n";

    compare(&before, &after, 1);
    ck_assert_uint_eq(scene.changes.count, 2);
    ck_assert_str_eq(printed(0),
                     "+ 10.40.0.0/16 becomes inside of small (vpn, hq) when it comes by "
                     "ipsec0: 65536 addresses");
    ck_assert_str_eq(printed(1), "- 10.40.0.0/16 ceases to be inside of small (vpn, hq) when it "
                                 "comes by ipsec1: 65536 addresses");
    drop();
}

TEST(a_connection_that_gets_a_device_shuts_the_others_out)
{
    const char *before = SMALL "vpns: [{name: hq, status: active, routable_cidrs: "
                               "[10.40.0.0/16]}]\n";
    const char *after = SMALL "vpns: [{name: hq, status: active, routable_cidrs: [10.40.0.0/16], "
                              "device: ipsec0}]\n";

    compare(&before, &after, 1);
    ck_assert_uint_eq(scene.changes.count, 1);
    ck_assert_str_eq(printed(0), "- 10.40.0.0/16 ceases to be inside of small (vpn, hq): "
                                 "65536 addresses");
    drop();
}

TEST(a_space_that_gets_a_listen_address_is_visible_only_there)
{
    const char *before = SMALL;
    const char *after = SMALL "listen: [10.1.0.2]\n";

    compare(&before, &after, 1);
    ck_assert_uint_eq(scene.changes.count, 1);
    ck_assert_str_eq(printed(0),
                     "- 10.4.0.0/16 ceases to be inside of small (space): 65536 addresses");
    drop();
}

TEST(loopback_that_leaves_a_space_is_reported)
{
    const char *text = SMALL;
    const char *spaces[] = {"small"};
    struct policy local = scene.policy;

    local.local = (struct local_access){.spaces = spaces, .space_count = 1};
    scene.before = snapshot_of_texts(&local, &text, 1);
    scene.after = snapshot_of_texts(&scene.policy, &text, 1);
    scene.arena = arena_new();
    ck_assert(access_compare(scene.before, scene.after, scene.arena, &scene.changes));
    ck_assert_uint_eq(scene.changes.count, 1);
    ck_assert_str_eq(printed(0),
                     "- 127.0.0.0/8 ceases to be inside of small (space): 16777216 addresses");
    drop();
}

/* ---- against classing one address after the other ---- */

static uint32_t draw(uint32_t below)
{
    scene.seed ^= scene.seed << 13;
    scene.seed ^= scene.seed >> 7;
    scene.seed ^= scene.seed << 17;
    return (uint32_t)((scene.seed >> 16) % below);
}

/* A space with some of the adjacent blocks, active or not, with a listen address or not. */
static void write_random(unsigned number, char *text)
{
    int used = snprintf(text, TEXT_MOST, "space: space-%u\ncidr: 10.%u.0.0/16\n", number, number);

    if (draw(3) == 0)
        used +=
            snprintf(text + used, TEXT_MOST - (size_t)used, "listen: [10.200.0.%u]\n", 1 + draw(2));
    used += snprintf(text + used, TEXT_MOST - (size_t)used, "vpns:\n");
    for (unsigned i = 0; i < 3; i++)
        used += snprintf(text + used, TEXT_MOST - (size_t)used,
                         "  - {name: vpn-%u, status: %s, public_ip: 35.161.69.3%u, "
                         "routable_cidrs: [172.16.%u.0/%u]}\n",
                         i, draw(3) == 0 ? "failed" : "active", i, 64 * i, 18 + draw(9));
}

static bool is_member(const struct snapshot *snapshot, uint32_t asked_at, uint32_t address,
                      const char *space, enum client_class class)
{
    struct path path = {.source = address, .destination = asked_at};
    struct client client;

    client_classify(snapshot, &path, &client);
    for (uint32_t i = 0; i < client.count; i++)
        if (client.memberships[i].class == class &&
            strcmp(snapshot->segments[client.memberships[i].segment]->name, space) == 0)
            return true;
    return false;
}

/* 1 becomes inside, -1 ceases to be, 0 stays as it was, by what was compared. */
static int compared(uint32_t asked_at, uint32_t address, const char *space, enum client_class class)
{
    int change = 0;

    for (size_t i = 0; i < scene.changes.count; i++) {
        const struct access_change *item = &scene.changes.items[i];
        if (item->asked_at == asked_at && item->first <= address && address <= item->last &&
            item->class == class && strcmp(item->space, space) == 0)
            change += item->is_inside ? 1 : -1;
    }
    return change;
}

static void check_one(uint32_t asked_at, uint32_t address)
{
    for (unsigned number = 0; number < SPACES; number++)
        for (unsigned class = CLIENT_SPACE; class < CLIENT_EXTERNAL; class ++) {
            char space[16];
            snprintf(space, sizeof space, "space-%u", number);
            int was = is_member(scene.before, asked_at, address, space, class);
            int is = is_member(scene.after, asked_at, address, space, class);
            ck_assert_int_eq(compared(asked_at, address, space, class), is - was);
        }
}

static uint32_t some_address(void)
{
    return draw(4) == 0 ? 0x0a000000 + (draw(4) << 16) + draw(65536)
                        : 0xac100000 + (draw(4) << 14) + draw(16384);
}

TEST(every_address_changes_as_its_classes_do)
{
    static char texts[2][SPACES][TEXT_MOST];
    const char *sides[2][SPACES];

    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < 2 * SPACES; i++) {
            write_random(i % SPACES, texts[i / SPACES][i % SPACES]);
            sides[i / SPACES][i % SPACES] = texts[i / SPACES][i % SPACES];
        }
        compare(sides[0], sides[1], SPACES);
        ck_assert_uint_eq(scene.changes.left_out, 0);
        for (unsigned i = 0; i < ASKED; i++)
            check_one(0, some_address());
        drop();
    }
}
