/*
 * The filter runs in the kernel on frames that stand here; without the right to load one
 * (CAP_BPF), there is nothing to test.
 */
#include "serve/xdp_filter.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "serve/xsk.h"
#include "support/suite.h"

enum { LOOPBACK = 1, FRAME_MOST = 2000 };

static const uint8_t mac[6] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x0a};

/* 10.0.130.56, port 40000, asks 10.0.0.2, port 53. */
static const uint8_t frame_v4[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x08, 0x00, 0x45,
    0x00, 0x00, 0x1f, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0x92, 0x60, 0x0a, 0x00, 0x82, 0x38,
    0x0a, 0x00, 0x00, 0x02, 0x9c, 0x40, 0x00, 0x35, 0x00, 0x0b, 0x08, 0xc6, 0x61, 0x62, 0x63,
};

/* The same from 2001:db8::99 to 2001:db8::2. */
static const uint8_t frame_v6[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x86,
    0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x11, 0x40, 0x20, 0x01, 0x0d, 0xb8,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x99, 0x20,
    0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x02, 0x9c, 0x40, 0x00, 0x35, 0x00, 0x0b, 0x42, 0xf3, 0x61, 0x62, 0x63,
};

static struct xdp_filter filter;
static struct xsk xsk;
static bool may_run;
static uint8_t frame[FRAME_MOST];

static void add(const char *address)
{
    struct endpoint endpoint;
    struct err err;

    ck_assert(endpoint_read(address, 53, &endpoint));
    ck_assert_msg(xdp_filter_add_address(&filter, &endpoint, &err), "%s", err.text);
}

static void set_up(void)
{
    struct err err;

    xsk.descriptor = -1;
    may_run = xdp_filter_open(&filter, mac, 1, &err);
    if (!may_run) {
        printf("not run: %s\n", err.text);
        return;
    }
    add("10.0.0.2:53");
    add("[2001:db8::2]:53");
    may_run = xsk_open(&xsk, LOOPBACK, 0, XDP_MODE_SKB, true, &err) &&
              xdp_filter_add_socket(&filter, 0, xsk.descriptor, &err);
    if (!may_run)
        printf("not run: %s\n", err.text);
}

static void tear_down(void)
{
    xsk_close(&xsk);
    xdp_filter_close(&filter);
}

FIXTURE(set_up, tear_down)

/* What becomes of the first `length` octets of the frame. */
static unsigned run(size_t length)
{
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof attributes);
    attributes.test.prog_fd = (uint32_t)filter.program;
    attributes.test.data_in = (uint64_t)(uintptr_t)frame;
    attributes.test.data_size_in = (uint32_t)length;
    ck_assert_int_eq(syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attributes, sizeof attributes), 0);
    return attributes.test.retval;
}

static size_t put(bool is_v6)
{
    size_t length = is_v6 ? sizeof frame_v6 : sizeof frame_v4;

    memset(frame, 0, sizeof frame);
    memcpy(frame, is_v6 ? frame_v6 : frame_v4, length);
    return length;
}

TEST(whole_datagrams_to_our_address_and_port_are_taken)
{
    if (!may_run)
        return;
    ck_assert_uint_eq(run(put(false)), XDP_REDIRECT);
    ck_assert_uint_eq(run(put(true)), XDP_REDIRECT);
}

static const struct {
    const char *what;
    bool is_v6;
    uint8_t at;
    uint8_t count;
    uint8_t octets[16];
} others[] = {
    {"another MAC address", false, 0, 1, {0x06}},
    {"another MAC address, at its end", false, 5, 1, {0x0b}},
    {"every host", false, 0, 6, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    {"ARP", false, 12, 2, {0x08, 0x06}},
    {"a VLAN tag", false, 12, 4, {0x81, 0x00, 0x00, 0x64}},
    {"options", false, 14, 1, {0x46}},
    {"more fragments", false, 20, 1, {0x20}},
    {"a later fragment", false, 21, 1, {0x01}},
    {"TCP", false, 23, 1, {6}},
    {"ICMP", false, 23, 1, {1}},
    {"from 0.0.0.1", false, 26, 4, {0, 0, 0, 1}},
    {"from loopback", false, 26, 4, {127, 0, 0, 1}},
    {"from a group", false, 26, 4, {224, 0, 0, 1}},
    {"from everybody", false, 26, 4, {255, 255, 255, 255}},
    {"from ourselves", false, 26, 4, {10, 0, 0, 2}},
    {"another address", false, 33, 1, {3}},
    {"another port", false, 37, 1, {54}},
    {"another port, other octet", false, 36, 1, {1}},
    {"another MAC address", true, 5, 1, {0x0b}},
    {"another version", true, 14, 1, {0x50}},
    {"an extension header", true, 20, 1, {0}},
    {"a fragment", true, 20, 1, {44}},
    {"from a group", true, 22, 1, {0xff}},
    {"from loopback", true, 22, 16, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
    {"from mapped IPv4", true, 22, 16, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 130, 56}},
    {"from nobody", true, 22, 16, {0}},
    {"from ourselves", true, 37, 1, {2}},
    {"another address", true, 53, 1, {3}},
    {"another network", true, 38, 1, {0x21}},
    {"another port", true, 57, 1, {54}},
};

TEST_OVER(everything_else_goes_on_to_the_kernel, others)
{
    if (!may_run)
        return;
    size_t length = put(others[_i].is_v6);
    memcpy(frame + others[_i].at, others[_i].octets, others[_i].count);
    ck_assert_msg(run(length) == XDP_PASS, "%s", others[_i].what);
}

/* A key that looks at a part of the address alone would take one of these. */
TEST(each_octet_of_address_and_port_counts)
{
    if (!may_run)
        return;
    for (size_t at = 30; at < 38; at++) {
        size_t length = put(false);
        frame[at] ^= 0x40;
        ck_assert_uint_eq(run(length), at < 34 || at >= 36 ? XDP_PASS : XDP_REDIRECT);
    }
    for (size_t at = 38; at < 58; at++) {
        size_t length = put(true);
        frame[at] ^= 0x40;
        ck_assert_uint_eq(run(length), at < 54 || at >= 56 ? XDP_PASS : XDP_REDIRECT);
    }
}

/* Addresses of one half that are the same are two addresses. */
TEST(a_source_that_shares_a_half_with_the_destination_is_taken)
{
    if (!may_run)
        return;
    size_t length = put(true);
    memcpy(frame + 22, "\x20\x01\x0d\xb9", 4); /* another network */
    frame[37] = 2;                             /* the same host in it */
    ck_assert_uint_eq(run(length), XDP_REDIRECT);
}

TEST(short_and_long_frames_go_on_to_the_kernel)
{
    if (!may_run)
        return;
    put(false);
    for (size_t length = 14; length < 42; length++)
        ck_assert_uint_eq(run(length), XDP_PASS);
    ck_assert_uint_eq(run(XDP_FRAME_MOST), XDP_REDIRECT);
    ck_assert_uint_eq(run(XDP_FRAME_MOST + 1), XDP_PASS);
    put(true);
    for (size_t length = 42; length < 62; length++)
        ck_assert_uint_eq(run(length), XDP_PASS);
}

TEST(a_queue_without_a_socket_is_the_kernels)
{
    if (!may_run)
        return;
    size_t length = put(false);
    ck_assert_uint_eq(run(length), XDP_REDIRECT);
    xsk_close(&xsk);
    ck_assert_uint_eq(run(length), XDP_PASS);
}
