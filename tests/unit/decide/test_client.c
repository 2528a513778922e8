#include "decide/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"

static struct client classify(const char *source)
{
    struct path path = {.destination = 0x0a000002};
    struct client client;

    ck_assert(ipv4_read(source, &path.source));
    client_classify(fixture.snapshot, &path, &client);
    return client;
}

/* Clients of every class. */
static const struct {
    const char *what, *source;
    enum client_class class;
    unsigned memberships;
} clients[] = {
    {"DYNO", "10.0.130.56", CLIENT_SPACE, 1},      {"RUN", "10.0.144.9", CLIENT_SPACE, 1},
    {"PEER", "10.20.3.4", CLIENT_PEERED, 1},       {"PENDING", "10.30.3.4", CLIENT_EXTERNAL, 0},
    {"VPN", "172.16.9.9", CLIENT_VPN, 2},          {"BRANCH", "192.168.7.7", CLIENT_EXTERNAL, 0},
    {"TRUSTED", "192.0.2.10", CLIENT_EXTERNAL, 0}, {"EXT", "203.0.113.9", CLIENT_EXTERNAL, 0},
    {"OTHER", "10.1.130.4", CLIENT_SPACE, 1},      {"gateway", "35.161.69.30", CLIENT_EXTERNAL, 0},
    {"loopback", "127.0.0.1", CLIENT_EXTERNAL, 0}, {"data", "172.23.0.9", CLIENT_EXTERNAL, 0},
    {"a router", "10.0.0.37", CLIENT_SPACE, 1},    {"nobody", "0.0.0.0", CLIENT_EXTERNAL, 0},
};

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST_OVER(a_client_has_its_class, clients)
{
    struct client client = classify(clients[_i].source);

    ck_assert_msg(client_class(&client) == clients[_i].class, "%s is %s", clients[_i].what,
                  class_text(client_class(&client)));
    ck_assert_uint_eq(client.count, clients[_i].memberships);
    for (unsigned class = CLIENT_SPACE; class < CLIENT_EXTERNAL; class ++)
        ck_assert(client_has_class(&client, 1U << class) == (class == clients[_i].class));
    ck_assert(!client_has_class(&client, 0));
}

TEST(a_membership_is_found_by_space)
{
    struct client office = classify("172.16.9.9"), dyno = classify("10.0.130.56");

    ck_assert_uint_eq(client_membership(&office, 0)->segment, 0);
    ck_assert_uint_eq(client_membership(&office, 1)->segment, 1);
    ck_assert_ptr_null(client_membership(&office, 2));
    ck_assert_ptr_nonnull(client_membership(&dyno, 0));
    ck_assert_ptr_null(client_membership(&dyno, 1));
}

TEST(an_ipv6_client_is_external_whatever_its_bits)
{
    struct path path = {.source = 0x0a008238, .is_ipv6 = true};
    struct client client;

    client_classify(fixture.snapshot, &path, &client);
    ck_assert_uint_eq(client.count, 0);
    ck_assert_int_eq(client_class(&client), CLIENT_EXTERNAL);
}

TEST(before_the_first_snapshot_everyone_is_external)
{
    struct path path = {.source = 0x0a008238};
    struct client client;

    client_classify(NULL, &path, &client);
    ck_assert_uint_eq(client.count, 0);
    ck_assert_ptr_null(client.view);
}

TEST(classes_have_names)
{
    ck_assert_str_eq(class_text(CLIENT_SPACE), "space");
    ck_assert_str_eq(class_text(CLIENT_PEERED), "peered");
    ck_assert_str_eq(class_text(CLIENT_VPN), "vpn");
    ck_assert_str_eq(class_text(CLIENT_EXTERNAL), "external");
}

/* The memberships of a client are those of what comes by its interface. */
TEST(a_client_of_a_device_is_external_by_another_interface)
{
    static const char text[] =
        "space: a-space\nvpns:\n"
        "  - {name: a, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec0}\n";
    const char *const texts[] = {text};
    const struct policy policy = policy_usual();
    struct snapshot *snapshot = snapshot_of_texts(&policy, texts, 1);
    struct path path = {.source = 0xac120909};
    struct client client;

    access_set_interface(&snapshot->access, 0, 4);
    for (path.interface = 0; path.interface < 8; path.interface++) {
        client_classify(snapshot, &path, &client);
        ck_assert(client_class(&client) == (path.interface == 4 ? CLIENT_VPN : CLIENT_EXTERNAL));
        ck_assert_uint_eq(client.view->address, 0);
    }
    path = (struct path){.is_ipv6 = true, .interface = 4};
    client_classify(snapshot, &path, &client);
    ck_assert_uint_eq(client.count, 0);
    snapshot_free(snapshot);
}
