#include "decide/outside.h"

#include <stdlib.h>
#include <string.h>

#include "decide/explain.h"
#include "support/deciding.h"
#include "support/suite.h"
#include "support/zones.h"

/* A space at one address of the server, with connections of every kind that let nobody in. */
static const char first[] =
    "space: first\n"
    "cidr: 10.1.0.0/16\n"
    "listen: [10.1.0.2, 10.1.0.3]\n"
    "routers: [10.1.0.37]\n"
    "trusted_ips: [0.0.0.0/0]\n"
    "peerings:\n"
    "  - {pcx_id: pcx-1, status: active, cidr_blocks: [10.40.0.0/16]}\n"
    "  - {pcx_id: pcx-2, status: active, type: heroku-managed, cidr_blocks: [10.41.0.0/16]}\n"
    "  - {pcx_id: pcx-3, status: provisioning, cidr_blocks: [10.42.0.0/16, 10.43.0.0/16]}\n"
    "vpns:\n"
    "  - name: warehouse\n"
    "    status: active\n"
    "    routable_cidrs:\n"
    "      - 192.168.30.0/24\n"
    "      - 192.168.40.0/24\n"
    "    tunnels: [{ip: 52.44.146.196, status: DOWN}, {ip: 52.44.146.197, status: DOWN}]\n"
    "  - {name: lab, status: active, routable_cidrs: [192.168.50.0/24], device: ipsec0}\n"
    "...\n";
static const char second[] = "space: second\ncidr: 10.2.0.0/16\nrouters: [10.2.0.37]\n...\n";

static struct policy policy;
static struct snapshot *snapshot;

static void set_up(void)
{
    static const char *const texts[] = {first, second};

    policy = policy_usual();
    snapshot = snapshot_of_texts(&policy, texts, 2);
}

static void tear_down(void)
{
    snapshot_free(snapshot);
}

FIXTURE(set_up, tear_down)

/* Each line of text is an entry, without the trusted IPs that list everyone. */
static const struct {
    const char *from, *to, *text;
} clients[] = {
    {"192.168.40.3", "10.1.0.2",
     "192.168.40.3 is in routable_cidrs of VPN warehouse of first (space.yaml:15), which has no "
     "tunnel "
     "UP: its clients are inside once a tunnel is\n"},
    {"10.41.0.1", "10.1.0.2",
     "10.41.0.1 is in cidr_blocks of peering pcx-2 of first (space.yaml:8), which is not "
     "customer-managed: its clients are inside with grant: true\n"},
    {"10.43.0.1", "10.1.0.2",
     "10.43.0.1 is in cidr_blocks of peering pcx-3 of first (space.yaml:9), which is provisioning: "
     "its "
     "clients are inside once its status is active\n"},
    {"10.1.130.4", "10.0.0.9",
     "10.1.130.4 is in cidr of space first (space.yaml:2), which answers only at its `listen`: ask "
     "at "
     "10.1.0.2 or 10.1.0.3, where the server must listen too\n"},
    {"10.40.0.1", "10.0.0.9",
     "10.40.0.1 is in cidr_blocks of peering pcx-1 of first (space.yaml:7), which answers only at "
     "its "
     "`listen`: ask at 10.1.0.2 or 10.1.0.3, where the server must listen too\n"},
    {"10.2.130.4", "10.1.0.2",
     "10.2.130.4 is in cidr of space second (space.yaml:2), which does not answer at an address "
     "that "
     "another space has in `listen`: ask at another one\n"},
    {"192.168.50.3", "10.1.0.2",
     "192.168.50.3 is in routable_cidrs of VPN lab of first (space.yaml:17), whose clients are "
     "inside only when they come by its device: ask with --device ipsec0\n"},
    {"192.168.50.3", "10.0.0.9",
     "192.168.50.3 is in routable_cidrs of VPN lab of first (space.yaml:17), which answers only at "
     "its `listen`: ask at 10.1.0.2 or 10.1.0.3, where the server must listen too\n"},
    {"10.1.130.4", "10.1.0.2", NULL},
    {"203.0.113.9", "10.1.0.2", ""},
};

TEST_OVER(an_outsider_is_listed_with_what_keeps_it_out, clients)
{
    struct outside_entry entries[OUTSIDE_MOST];
    struct path path = {.is_ipv6 = false};
    char octets[1024];
    struct text text = text_over(octets, sizeof octets - 1);
    struct client client;

    ck_assert(ipv4_read(clients[_i].from, &path.source) &&
              ipv4_read(clients[_i].to, &path.destination));
    client_classify(snapshot, &path, &client);
    size_t count = outside_find(snapshot, &client, entries);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].cause == OUTSIDE_TRUSTED)
            continue;
        outside_write(&entries[i], client.address, &text);
        text_add_string(&text, "\n");
    }
    *text.next = '\0';
    ck_assert_str_eq(octets, clients[_i].text == NULL ? "" : clients[_i].text);
    ck_assert((count == 0) == (clients[_i].text == NULL));
}

/* _why and other answers: what is not for the operator. */
TEST(an_answer_does_not_have_it)
{
    struct explanation explanation;
    struct deciding deciding;

    deciding_ask(&deciding, snapshot, "192.168.40.3", "api.example.com", 1);
    explain(snapshot, &deciding.client, &deciding.query, &deciding.verdict, NULL, &explanation);
    for (unsigned i = 0; i < explanation.count; i++)
        ck_assert_ptr_null(memmem(explanation.steps[i].octets, explanation.steps[i].length,
                                  "warehouse", strlen("warehouse")));
}
