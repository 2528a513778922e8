#include "answer/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "support/suite.h"
#include "support/zones.h"

/* Two spaces behind one office, one space that listens at addresses of its own. */
static const char *const texts[] = {
    "space: one-space\n"
    "cidr: 10.0.0.0/16\n"
    "peerings:\n"
    "  - {pcx_id: pcx-1, status: active, cidr_blocks: [10.20.0.0/16, 192.168.0.0/24]}\n"
    "  - {pcx_id: pcx-2, status: expired, cidr_blocks: [10.30.0.0/16]}\n"
    "vpns:\n"
    "  - name: office\n"
    "    status: active\n"
    "    routable_cidrs:\n"
    "      - 172.18.0.0/16\n"
    "      - 172.16.0.0/16\n"
    "trusted_ips: [192.0.2.0/26]\n",
    "space: two-space\n"
    "cidr: 10.1.0.0/16\n"
    "vpns:\n"
    "  - {name: branch, status: active, routable_cidrs: [172.16.128.0/17]}\n",
    "space: own-space\n"
    "cidr: 10.0.0.0/16\n"
    "listen: [10.0.0.9, 10.9.0.9]\n",
};
enum { SEGMENTS = sizeof texts / sizeof texts[0] };

static const struct segment *segments[SEGMENTS + 1]; /* one number is unused */
static struct access access_made;
static const char *const local_spaces[] = {"two-space"};

static void set_up(void)
{
    static const struct local_access local = {.spaces = local_spaces, .space_count = 1};

    for (int i = 0; i < SEGMENTS; i++)
        segments[i] = segment_of_text(texts[i]);
    ck_assert(access_build(&access_made, segments, SEGMENTS + 1, &local));
}

static void tear_down(void)
{
    access_close(&access_made);
    for (int i = 0; i < SEGMENTS; i++)
        segment_release((struct segment *)segments[i]);
}

static struct membership_set find(const char *asked, const char *client, const struct view **view)
{
    uint32_t destination, source;

    ck_assert(ipv4_read(asked, &destination) && ipv4_read(client, &source));
    *view = access_view(&access_made, destination);
    return view_find(*view, source);
}

/* "0:space 1:vpn" for members of the segments 0 and 1. */
static const char *describe(struct membership_set set, const struct view *view, char *out)
{
    static const char *const classes[] = {"space", "peered", "vpn"};

    out[0] = '\0';
    for (uint32_t i = 0; i < set.count; i++) {
        const struct membership *member = &view->memberships[set.first + i];
        sprintf(out + strlen(out), "%s%d:%s", i > 0 ? " " : "", member->segment,
                classes[member->class]);
    }
    return out;
}

static const struct {
    const char *asked, *client, *expected;
} cases[] = {
    {"10.0.0.2", "10.0.130.56", "0:space"},
    {"10.0.0.2", "10.0.0.0", "0:space"},
    {"10.0.0.2", "10.0.255.255", "0:space"},
    {"10.0.0.2", "9.255.255.255", ""},
    {"10.0.0.2", "10.1.0.0", "1:space"},
    {"10.0.0.2", "10.2.0.0", ""},
    {"10.0.0.2", "10.20.3.4", "0:peered"},
    {"10.0.0.2", "192.168.0.255", "0:peered"},
    {"10.0.0.2", "192.168.1.0", ""},
    {"10.0.0.2", "10.30.3.4", ""},
    {"10.0.0.2", "192.0.2.10", ""},
    {"10.0.0.2", "172.16.127.255", "0:vpn"},
    {"10.0.0.2", "172.16.128.0", "0:vpn 1:vpn"},
    {"10.0.0.2", "172.16.255.255", "0:vpn 1:vpn"},
    {"10.0.0.2", "172.17.0.0", ""},
    {"10.0.0.2", "127.0.0.1", "1:space"},
    {"10.0.0.2", "127.255.255.255", "1:space"},
    {"10.0.0.2", "128.0.0.0", ""},
    {"10.0.0.2", "0.0.0.0", ""},
    {"10.0.0.2", "255.255.255.255", ""},
    {"10.0.0.9", "10.0.130.56", "2:space"},
    {"10.9.0.9", "10.0.130.56", "2:space"},
    {"10.0.0.9", "10.1.130.56", ""},
    {"10.0.0.9", "172.16.128.0", ""},
    {"10.0.0.10", "10.0.130.56", "0:space"},
    {"0.0.0.0", "10.0.130.56", "0:space"},
};

FIXTURE(set_up, tear_down)

TEST_OVER(an_address_belongs_to_its_spaces, cases)
{
    const struct view *view;
    char text[256];
    struct membership_set set = find(cases[_i].asked, cases[_i].client, &view);

    ck_assert_msg(strcmp(describe(set, view, text), cases[_i].expected) == 0, "%s at %s: %s",
                  cases[_i].client, cases[_i].asked, text);
}

TEST(a_membership_has_the_block_that_matched)
{
    const struct view *view;
    struct membership_set set = find("10.0.0.2", "172.16.200.1", &view);
    const struct membership *members = view->memberships + set.first;
    char block[CIDR_TEXT_MAX];

    ck_assert_uint_eq(set.count, 2);
    ck_assert_str_eq(segments[0]->connections[members[0].connection].name, "office");
    ck_assert_str_eq(segments[1]->connections[members[1].connection].name, "branch");
    cidr_write(members[1].block, block);
    ck_assert_str_eq(block, "172.16.128.0/17");
    set = find("10.0.0.2", "10.0.1.2", &view);
    ck_assert_uint_eq(view->memberships[set.first].connection, ENTRY_NONE);
}

TEST(ranges_are_sorted_and_begin_at_the_first_address)
{
    for (size_t i = 0; i < access_made.view_count; i++) {
        const struct view *view = &access_made.views[i];
        ck_assert_uint_eq(view->starts[0], 0);
        for (uint32_t j = 1; j < view->range_count; j++)
            ck_assert_uint_lt(view->starts[j - 1], view->starts[j]);
    }
    ck_assert_uint_eq(access_made.view_count, 3);
}

/* ---- devices ---- */

/* Two spaces with the same office by different interfaces, one space at an address of its own. */
static const char *const device_texts[] = {
    "space: one-space\n"
    "cidr: 10.0.0.0/16\n"
    "vpns:\n"
    "  - {name: office, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec0}\n"
    "  - {name: lab, status: active, routable_cidrs: [172.19.0.0/16]}\n"
    "  - {name: off, status: failed, routable_cidrs: [172.20.0.0/16], device: ipsec2}\n",
    "space: two-space\n"
    "cidr: 10.1.0.0/16\n"
    "peerings:\n"
    "  - {pcx_id: pcx-1, status: active, cidr_blocks: [172.18.0.0/16], device: ipsec1}\n"
    "vpns:\n"
    "  - {name: lab, status: active, routable_cidrs: [172.19.1.0/24], device: ipsec1}\n",
    "space: own-space\n"
    "cidr: 10.0.0.0/16\n"
    "listen: [10.0.0.9]\n"
    "vpns:\n"
    "  - {name: own, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec0}\n",
};
enum { DEVICE_SEGMENTS = sizeof device_texts / sizeof device_texts[0] };

/* The numbers of ipsec0 and ipsec1; 9 is another interface's, and 0 is not known. */
enum { IPSEC0 = 4, IPSEC1 = 7 };

static const struct {
    const char *asked, *client;
    uint32_t interface;
    const char *expected;
} device_cases[] = {
    {"10.0.0.2", "172.18.9.9", IPSEC0, "0:vpn"},
    {"10.0.0.2", "172.18.9.9", IPSEC1, "1:peered"},
    {"10.0.0.2", "172.18.9.9", 9, ""},
    {"10.0.0.2", "172.18.9.9", 0, ""},
    {"10.0.0.2", "172.19.1.1", IPSEC0, "0:vpn"},
    {"10.0.0.2", "172.19.1.1", IPSEC1, "0:vpn 1:vpn"},
    {"10.0.0.2", "172.19.1.1", 9, "0:vpn"},
    {"10.0.0.2", "172.19.1.1", 0, "0:vpn"},
    {"10.0.0.2", "172.20.0.1", IPSEC0, ""},
    {"10.0.0.2", "10.0.130.56", IPSEC1, "0:space"},
    {"10.0.0.9", "172.18.9.9", IPSEC0, "2:vpn"},
    {"10.0.0.9", "172.18.9.9", IPSEC1, ""},
    {"10.0.0.9", "10.0.130.56", IPSEC0, "2:space"},
};

static void build_devices(const struct segment **made, struct access *access)
{
    static const struct local_access nobody = {.space_count = 0};

    for (int i = 0; i < DEVICE_SEGMENTS; i++)
        made[i] = segment_of_text(device_texts[i]);
    ck_assert(access_build(access, made, DEVICE_SEGMENTS, &nobody));
    ck_assert_uint_eq(access->device_count, 2);
    ck_assert_str_eq(access->devices[0], "ipsec0");
    ck_assert_str_eq(access->devices[1], "ipsec1");
}

static void drop_devices(const struct segment **made, struct access *access)
{
    access_close(access);
    for (int i = 0; i < DEVICE_SEGMENTS; i++)
        segment_release((struct segment *)made[i]);
}

static const char *find_by(const struct access *access, const char *asked, const char *client,
                           uint32_t interface, char *out)
{
    uint32_t destination, source;

    ck_assert(ipv4_read(asked, &destination) && ipv4_read(client, &source));
    const struct view *view =
        view_by_interface(access, access_view(access, destination), interface);
    return describe(view_find(view, source), view, out);
}

TEST_OVER(a_connection_with_a_device_lets_in_what_comes_by_it, device_cases)
{
    const struct segment *made[DEVICE_SEGMENTS];
    struct access access;
    char text[256];

    build_devices(made, &access);
    ck_assert(access_set_interface(&access, 0, IPSEC0));
    ck_assert(access_set_interface(&access, 1, IPSEC1));
    ck_assert_str_eq(find_by(&access, device_cases[_i].asked, device_cases[_i].client,
                             device_cases[_i].interface, text),
                     device_cases[_i].expected);
    drop_devices(made, &access);
}

TEST(a_device_without_an_interface_lets_nobody_in)
{
    const struct segment *made[DEVICE_SEGMENTS];
    struct access access;
    char text[256];

    build_devices(made, &access);
    ck_assert(!access_has_interface(&access, 0));
    ck_assert_str_eq(find_by(&access, "10.0.0.2", "172.18.9.9", 0, text), "");
    ck_assert(access_set_interface(&access, 0, IPSEC0));
    ck_assert(!access_set_interface(&access, 0, IPSEC0));
    ck_assert(access_has_interface(&access, 0));
    ck_assert_uint_eq(access_interface(&access, "ipsec0"), IPSEC0);
    ck_assert_str_eq(access_device(&access, IPSEC0), "ipsec0");
    ck_assert_str_eq(find_by(&access, "10.0.0.2", "172.18.9.9", IPSEC0, text), "0:vpn");
    ck_assert(access_set_interface(&access, 0, 0));
    ck_assert_str_eq(find_by(&access, "10.0.0.2", "172.18.9.9", IPSEC0, text), "");
    ck_assert_str_eq(find_by(&access, "10.0.0.2", "172.18.9.9", 0, text), "");
    drop_devices(made, &access);
}

/* So that the operator's command can ask for a device wherever it runs. */
TEST(a_device_has_a_number_before_its_interface_is_known)
{
    const struct segment *made[DEVICE_SEGMENTS];
    struct access access;
    char text[256];

    build_devices(made, &access);
    uint32_t interface = access_interface(&access, "ipsec1");
    ck_assert_str_eq(access_device(&access, interface), "ipsec1");
    ck_assert_str_eq(find_by(&access, "10.0.0.2", "172.18.9.9", interface, text), "1:peered");
    ck_assert_ptr_null(access_device(&access, 0));
    ck_assert_ptr_null(access_device(&access, access_interface(&access, "eth0")));
    drop_devices(made, &access);
}

/* Thousands of blocks, each found again, with nothing in the gaps between them. */
TEST(thousands_of_blocks_are_kept_apart)
{
    enum { BLOCKS = 4000 };
    char *text = malloc(BLOCKS * 32 + 200);
    static const struct local_access nobody = {.space_count = 0};
    struct access many;
    size_t length = (size_t)sprintf(text, "space: many-blocks\ncidr: 10.255.0.0/16\npeerings:\n"
                                          "- {pcx_id: pcx-1, status: active, cidr_blocks: [");

    for (int i = 0; i < BLOCKS; i++)
        length += (size_t)sprintf(text + length, "10.%d.%d.0/25,", i / 250, i % 250);
    sprintf(text + length, "]}\n");
    const struct segment *segment = segment_of_text(text);
    ck_assert(access_build(&many, &segment, 1, &nobody));
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint32_t first = 0x0a000000 | (i / 250) << 16 | (i % 250) << 8;
        const struct view *view = access_view(&many, 0);
        ck_assert_uint_eq(view_find(view, first).count, 1);
        ck_assert_uint_eq(view_find(view, first + 127).count, 1);
        ck_assert_uint_eq(view_find(view, first + 128).count, 0);
        ck_assert_uint_eq(view_find(view, first + 255).count, 0);
    }
    access_close(&many);
    segment_release((struct segment *)segment);
    free(text);
}

/* Each of many addresses has a view of its own, and any other one that of all others. */
TEST(each_of_many_addresses_leads_to_its_view)
{
    enum { SPACES = 700 };
    static const struct local_access nobody = {.space_count = 0};
    static const struct segment *many[SPACES];
    struct access access;

    for (uint32_t i = 0; i < SPACES; i++) {
        char text[128];
        snprintf(text, sizeof text, "space: space-%u\ncidr: 10.0.0.0/16\nlisten: [10.9.%u.%u]\n", i,
                 i / 200, 1 + i % 200);
        many[i] = segment_of_text(text);
    }
    ck_assert(access_build(&access, many, SPACES, &nobody));
    ck_assert_uint_eq(access.view_count, SPACES + 1);
    for (uint32_t address = 0x0a090000; address < 0x0a090500; address++) {
        uint32_t low = address & 0xff, number = (address >> 8 & 0xff) * 200 + low - 1;
        bool is_listed = low >= 1 && low <= 200 && number < SPACES;
        const struct view *view = access_view(&access, address);
        ck_assert_uint_eq(view->address, is_listed ? address : 0);
        struct membership_set set = view_find(view, 0x0a000001);
        ck_assert_uint_eq(set.count, is_listed);
        ck_assert(!is_listed || view->memberships[set.first].segment == number);
    }
    ck_assert_ptr_eq(access_view(&access, 0), access.views);
    access_close(&access);
    for (uint32_t i = 0; i < SPACES; i++)
        segment_release((struct segment *)many[i]);
}

TEST(without_spaces_everyone_is_outside)
{
    static const struct local_access nobody = {.space_count = 0};
    const struct segment *none[1] = {NULL};
    struct access empty;

    ck_assert(access_build(&empty, none, 1, &nobody));
    ck_assert_uint_eq(view_find(access_view(&empty, 0x0a000002), 0x0a000001).count, 0);
    access_close(&empty);
}

/* Counted in the texts above; 0: in none of them. */
static const struct {
    const char *client;
    uint32_t line;
} lines[] = {
    {"10.0.130.56", 2}, {"10.20.3.4", 4},   {"192.168.0.7", 4},
    {"172.18.0.1", 10}, {"172.16.0.1", 11}, {"127.0.0.1", 0},
};

TEST_OVER(a_membership_knows_the_line_of_its_block, lines)
{
    const struct view *view;
    struct membership_set set = find("10.0.0.2", lines[_i].client, &view);

    ck_assert_uint_eq(set.count, 1);
    const struct membership *member = &view->memberships[set.first];
    ck_assert_uint_eq(membership_line(segments[member->segment], member), lines[_i].line);
}

TEST(a_space_without_a_cidr_is_named_by_its_own_line)
{
    const struct segment *segment = segment_of_text("# Space\nspace: old-space\n");
    const struct membership member = {.connection = ENTRY_NONE, .block = segment->cidr};

    ck_assert_uint_eq(membership_line(segment, &member), 2);
    segment_release((struct segment *)segment);
}
