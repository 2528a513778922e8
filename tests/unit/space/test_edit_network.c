/*
 * Edits of routers, records and connections: the subject changes, and every other octet stays.
 */
#include "space/edit.h"

#include <check.h>
#include <string.h>

#include "support/edit_check.h"
#include "support/suite.h"

#define TEXT "space: s\n"

enum verb {
    ADD_ROUTER,
    ADD_ROUTER_AZ,
    REMOVE_ROUTER,
    DRAIN_ROUTER,
    ADD_RECORD,
    ADD_TEXT,
    REMOVE_RECORD,
    SET_PEERING,
    SET_VPN,
    ADD_PEERING,
    ADD_VPN,
    REMOVE_PEERING,
    REMOVE_VPN,
};

static const struct new_connection new_peering = {
    .name = "pcx-1", .status = "pending-acceptance", .blocks = "10.20.0.0/16, 10.21.0.0/24"};
static const struct new_connection new_vpn = {
    .name = "head office", .status = "active", .blocks = "192.168.7.0/24", .public_ip = 0x23a1451e};

/* db.b. A 172.23.1.5 */
static const struct record record = {.owner = (const uint8_t *)"\2db\1b",
                                     .owner_length = 6,
                                     .type = 1,
                                     .ttl_seconds = 60,
                                     .rdata = (const uint8_t *)"\254\27\1\5",
                                     .rdata_length = 4};

static bool run(struct edit *edit, unsigned verb, struct err *err)
{
    switch (verb) {
    case ADD_ROUTER:
        return edit_add_router(edit, 0x0a000007, NULL, err);
    case ADD_ROUTER_AZ:
        return edit_add_router(edit, 0x0a000007, "us-east-1a", err);
    case REMOVE_ROUTER:
        return edit_remove_router(edit, 0x0a000007, err);
    case DRAIN_ROUTER:
        return edit_set_router(edit, 0x0a000007, ROUTER_DRAINING, err);
    case ADD_RECORD:
        return edit_add_record(edit, "db.b. 60 IN A 172.23.1.5", err);
    case ADD_TEXT:
        return edit_add_record(edit, "db.b. TXT \"it's \\\\; [a]: #b\"", err);
    case REMOVE_RECORD:
        return edit_remove_record(edit, &record, err);
    case SET_PEERING:
        return edit_set_peering(edit, "pcx-1", PEERING_INITIATING_REQUEST, err);
    case SET_VPN:
        return edit_set_vpn(edit, "head office", VPN_ACTIVE, err);
    case ADD_PEERING:
        return edit_add_peering(edit, &new_peering, err);
    case ADD_VPN:
        return edit_add_vpn(edit, &new_vpn, err);
    case REMOVE_PEERING:
        return edit_remove_peering(edit, "pcx-1", err);
    case REMOVE_VPN:
        return edit_remove_vpn(edit, "head office", err);
    }
    return false;
}

/* The text after the edit; NULL: refused, and unchanged. */
static const struct {
    enum verb verb;
    const char *before;
    const char *after;
} cases[] = {
    /* routers, which are addresses or mappings */
    {ADD_ROUTER, "space: s\n", "space: s\nrouters:\n  - 10.0.0.7\n"},
    {ADD_ROUTER, "space: s\nrouters: [] # none\n", "space: s\nrouters:  # none\n  - 10.0.0.7\n"},
    {ADD_ROUTER, "space: s\nrouters: [10.0.0.70] # one\napps:\n",
     "space: s\nrouters: [10.0.0.70, 10.0.0.7] # one\napps:\n"},
    {ADD_ROUTER, "routers:\n- ip: 10.0.0.70 # one\n  az: a\n# end\n",
     "routers:\n- ip: 10.0.0.70 # one\n  az: a\n- 10.0.0.7\n# end\n"},
    {ADD_ROUTER_AZ, "routers: [10.0.0.70]\n",
     "routers: [10.0.0.70, {ip: 10.0.0.7, az: us-east-1a}]\n"},
    {ADD_ROUTER_AZ, "routers:\n  - 10.0.0.70\n",
     "routers:\n  - 10.0.0.70\n  - {ip: 10.0.0.7, az: us-east-1a}\n"},
    {ADD_ROUTER, "routers: [10.0.0.7]\n", NULL},
    {ADD_ROUTER, "routers: [{az: a, ip: '10.0.0.7'}]\n", NULL},
    {ADD_ROUTER, "routers: 10.0.0.70\n", NULL},
    {REMOVE_ROUTER, "routers: [10.0.0.70, 10.0.0.7]\n", "routers: [10.0.0.70]\n"},
    {REMOVE_ROUTER, "routers:\n  # a\n  - {ip: 10.0.0.7} # b\n  - 10.0.0.70\n",
     "routers:\n  # a\n  - 10.0.0.70\n"},
    {REMOVE_ROUTER, "routers:\n  - state: down\n    ip: 10.0.0.7\n  - 10.0.0.70\n",
     "routers:\n  - 10.0.0.70\n"},
    {REMOVE_ROUTER, "routers: [10.0.0.70]\n", NULL},
    {REMOVE_ROUTER, "routers: {ip: 10.0.0.7}\n", NULL},
    {REMOVE_ROUTER, "space: s\n", NULL},
    {DRAIN_ROUTER, "routers: [10.0.0.70, 10.0.0.7] # two\n",
     "routers: [10.0.0.70, {ip: 10.0.0.7, state: draining}] # two\n"},
    {DRAIN_ROUTER, "routers:\n  - \"10.0.0.7\" # it\n",
     "routers:\n  - {ip: 10.0.0.7, state: draining} # it\n"},
    {DRAIN_ROUTER, "routers: [{ip: 10.0.0.7, state: down, az: a}]\n",
     "routers: [{ip: 10.0.0.7, state: draining, az: a}]\n"},
    {DRAIN_ROUTER, "routers:\n  - ip: 10.0.0.7 # it\n  - 10.0.0.70\n",
     "routers:\n  - ip: 10.0.0.7 # it\n    state: draining\n  - 10.0.0.70\n"},
    {DRAIN_ROUTER, "routers: [10.0.0.70]\n", NULL},
    /* records, which are compared in wire form */
    {ADD_RECORD, "space: s\n", "space: s\nrecords:\n  - db.b. 60 IN A 172.23.1.5\n"},
    {ADD_RECORD, "records: []\n", "records:\n  - db.b. 60 IN A 172.23.1.5\n"},
    {ADD_RECORD, "records: [a.b. A 10.9.0.1] # one\n",
     "records: [a.b. A 10.9.0.1, db.b. 60 IN A 172.23.1.5] # one\n"},
    {ADD_TEXT, "records:\n- a.b. A 10.9.0.1\n# end\n",
     "records:\n- a.b. A 10.9.0.1\n- 'db.b. TXT \"it''s \\\\; [a]: #b\"'\n# end\n"},
    {ADD_TEXT, "records: [a.b. A 10.9.0.1]\n",
     "records: [a.b. A 10.9.0.1, 'db.b. TXT \"it''s \\\\; [a]: #b\"']\n"},
    {ADD_RECORD, "records: a.b. A 10.9.0.1\n", NULL},
    {REMOVE_RECORD, "records:\n  - a.b. A 172.23.1.5\n  - DB.b 5 in A  172.23.1.5 # db\n",
     "records:\n  - a.b. A 172.23.1.5\n"},
    {REMOVE_RECORD, "records: [\"db.b. A 172.23.1.6\", \"db.b. A 172.23.1.5\"]\n",
     "records: [\"db.b. A 172.23.1.6\"]\n"},
    {REMOVE_RECORD, "records: [db.b. A 172.23.1.6, db.b. A, [], db.b. TXT x]\n", NULL},
    {REMOVE_RECORD, "records: db.b. A 172.23.1.5\n", NULL},
    {REMOVE_RECORD, "space: s\n", NULL},
    /* connections; these two statuses have no octet in common at either end */
    {SET_PEERING, "peerings:\n  - {pcx_id: pcx-1, status: pending-acceptance} # one\n",
     "peerings:\n  - {pcx_id: pcx-1, status: initiating-request} # one\n"},
    {SET_PEERING, "peerings:\n- status: 'active' # on\n  pcx_id: pcx-1\n- pcx_id: pcx-2\n",
     "peerings:\n- status: initiating-request # on\n  pcx_id: pcx-1\n- pcx_id: pcx-2\n"},
    {SET_PEERING, "peerings: [{pcx_id: pcx-2, status: active}]\n", NULL},
    {SET_PEERING, "peerings: [{pcx_id: pcx-1, status: [active]}]\n", NULL},
    {SET_PEERING, "space: s\n", NULL},
    {SET_VPN, "vpns:\n  - name: head office\n    status: failed\n    tunnels: [{status: UP}]\n",
     "vpns:\n  - name: head office\n    status: active\n    tunnels: [{status: UP}]\n"},
    {SET_VPN, "vpns: [{name: head, status: failed}]\n", NULL},
    {ADD_PEERING, "space: s\n...\n",
     "space: s\npeerings:\n  - {pcx_id: pcx-1, status: pending-acceptance, cidr_blocks: "
     "[10.20.0.0/16, 10.21.0.0/24]}\n...\n"},
    {ADD_PEERING, "peerings:\n- pcx_id: pcx-2 # two\n  status: active\n# end\n",
     "peerings:\n- pcx_id: pcx-2 # two\n  status: active\n- {pcx_id: pcx-1, status: "
     "pending-acceptance, cidr_blocks: [10.20.0.0/16, 10.21.0.0/24]}\n# end\n"},
    {ADD_PEERING, "peerings: [{pcx_id: pcx-1, status: active}]\n", NULL},
    {ADD_VPN, "vpns: [] # none\n",
     "vpns:  # none\n  - {name: \"head office\", status: active, public_ip: 35.161.69.30, "
     "routable_cidrs: [192.168.7.0/24]}\n"},
    {ADD_VPN, "vpns: [{name: 'head office', status: failed}]\n", NULL},
    {REMOVE_PEERING,
     "peerings:\n  # one\n  - {pcx_id: pcx-1, status: active}\n  - {pcx_id: pcx-2} # two\n",
     "peerings:\n  # one\n  - {pcx_id: pcx-2} # two\n"},
    {REMOVE_PEERING, "peerings: [{pcx_id: pcx-11, status: active}]\n", NULL},
    {REMOVE_VPN, "vpns: [{name: a}, {status: failed, name: head office}, {name: b}]\n",
     "vpns: [{name: a}, {name: b}]\n"},
    {REMOVE_VPN, "space: s\n", NULL},
};

TEST_OVER(an_edit_changes_its_subject_and_nothing_else, cases)
{
    edit_check(run, cases[_i].verb, cases[_i].before, cases[_i].after);
}

/* The longest address; a mapping of it differs from it in most octets. */
TEST(a_router_with_the_longest_address_becomes_a_mapping)
{
    static const char text[] = "routers: [192.168.100.200]\n";
    static const char expected[] = "routers: [{ip: 192.168.100.200, state: draining}]\n";
    struct edit edit;
    struct err err;

    ck_assert(edit_init(&edit, text, strlen(text)));
    ck_assert(edit_set_router(&edit, 0xc0a864c8, ROUTER_UP, &err));
    ck_assert_ptr_eq(edit.text, text);
    ck_assert(edit_set_router(&edit, 0xc0a864c8, ROUTER_DRAINING, &err));
    ck_assert_uint_eq(edit.length, strlen(expected));
    ck_assert_mem_eq(edit.text, expected, edit.length);
    edit_close(&edit);
}

TEST(a_record_of_several_lines_is_refused)
{
    struct edit edit;
    struct err err;

    ck_assert(edit_init(&edit, TEXT, strlen(TEXT)));
    ck_assert(!edit_add_record(&edit, "a.b. A 10.9.0.1\n...", &err));
    ck_assert(!edit_add_record(&edit, "a.b. TXT caf\xc3\xa9", &err));
    ck_assert_str_eq(err.text, "a record is one line of ASCII text");
    edit_close(&edit);
}
