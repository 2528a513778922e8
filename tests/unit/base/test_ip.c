#include "base/ip.h"

#include <string.h>

#include "support/suite.h"

/* 10.0.130.56, port 40000, asks 10.0.0.2, port 53, for "abc". */
static const uint8_t request_v4[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, /* Ethernet */
    0x08, 0x00,                                                             /* IPv4 */
    0x45, 0x00, 0x00, 0x1f, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0x92, 0x60, /* its head */
    0x0a, 0x00, 0x82, 0x38, 0x0a, 0x00, 0x00, 0x02,                         /* and addresses */
    0x9c, 0x40, 0x00, 0x35, 0x00, 0x0b, 0x08, 0xc6,                         /* UDP */
    0x61, 0x62, 0x63,
};

/* It answers "abcd". */
static const uint8_t reply_v4[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x08, 0x00, 0x45, 0x00,
    0x00, 0x20, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xa4, 0x93, 0x0a, 0x00, 0x00, 0x02, 0x0a, 0x00,
    0x82, 0x38, 0x00, 0x35, 0x9c, 0x40, 0x00, 0x0c, 0x08, 0x60, 0x61, 0x62, 0x63, 0x64,
};

/* The same from 2001:db8::99 to 2001:db8::2, and back. */
static const uint8_t request_v6[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x86,
    0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x11, 0x40, 0x20, 0x01, 0x0d, 0xb8,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x99, 0x20,
    0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x02, 0x9c, 0x40, 0x00, 0x35, 0x00, 0x0b, 0x42, 0xf3, 0x61, 0x62, 0x63,
};

static const uint8_t reply_v6[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x86, 0xdd,
    0x60, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x11, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x20, 0x01, 0x0d, 0xb8,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x99, 0x00, 0x35,
    0x9c, 0x40, 0x00, 0x0c, 0x42, 0x8d, 0x61, 0x62, 0x63, 0x64,
};

/* One octet of a request changed. */
struct change {
    bool is_v6;
    uint8_t at;
    uint8_t octet;
    enum ip_status status;
};

static struct ip_heads heads;
static size_t payload;

static enum ip_status read_changed(const struct change *change)
{
    uint8_t frame[sizeof request_v6];
    const uint8_t *request = change->is_v6 ? request_v6 : request_v4;
    size_t length = change->is_v6 ? sizeof request_v6 : sizeof request_v4;

    memcpy(frame, request, length);
    frame[change->at] = change->octet;
    return ip_read(frame, length, &heads, &payload);
}

TEST(the_heads_of_an_ipv4_datagram_are_read)
{
    static const uint8_t source[16] = {10, 0, 130, 56}, destination[16] = {10, 0, 0, 2};

    memset(&heads, 0xff, sizeof heads);
    ck_assert_int_eq(ip_read(request_v4, sizeof request_v4, &heads, &payload), IP_GOOD);
    ck_assert(!heads.is_ipv6);
    ck_assert_uint_eq(payload, 3);
    ck_assert_uint_eq(ip_heads_octets(&heads), sizeof request_v4 - 3);
    ck_assert_uint_eq(heads.source_port, 40000);
    ck_assert_uint_eq(heads.destination_port, 53);
    ck_assert_mem_eq(heads.source, source, sizeof source);
    ck_assert_mem_eq(heads.destination, destination, sizeof destination);
    ck_assert_mem_eq(heads.destination_mac, request_v4, 6);
    ck_assert_mem_eq(heads.source_mac, request_v4 + 6, 6);
}

TEST(the_heads_of_an_ipv6_datagram_are_read)
{
    ck_assert_int_eq(ip_read(request_v6, sizeof request_v6, &heads, &payload), IP_GOOD);
    ck_assert(heads.is_ipv6);
    ck_assert_uint_eq(payload, 3);
    ck_assert_uint_eq(ip_heads_octets(&heads), sizeof request_v6 - 3);
    ck_assert_uint_eq(heads.source_port, 40000);
    ck_assert_mem_eq(heads.source, request_v6 + 22, 16);
    ck_assert_mem_eq(heads.destination, request_v6 + 38, 16);
}

TEST(a_reply_goes_back_with_right_sums)
{
    uint8_t frame[128];

    for (unsigned is_v6 = 0; is_v6 < 2; is_v6++) {
        const uint8_t *request = is_v6 ? request_v6 : request_v4;
        const uint8_t *reply = is_v6 ? reply_v6 : reply_v4;
        size_t length = is_v6 ? sizeof reply_v6 : sizeof reply_v4;

        memset(frame, 0xaa, sizeof frame);
        ck_assert_int_eq(ip_read(request, length - 1, &heads, &payload), IP_GOOD);
        ip_turn(&heads);
        memcpy(frame + ip_heads_octets(&heads), "abcd", 4);
        ck_assert_uint_eq(ip_write(frame, &heads, 4), length);
        ck_assert_mem_eq(frame, reply, length);
        ck_assert_uint_eq(frame[length], 0xaa);
    }
}

/* A sum of zero would say that there is none. */
TEST(a_sum_that_comes_out_as_zero_is_written_as_all_ones)
{
    uint8_t frame[64];

    ck_assert_int_eq(ip_read(reply_v4, sizeof reply_v4, &heads, &payload), IP_GOOD);
    memcpy(frame + IP_HEADS_V4, "\xcd\x2a", 2);
    ip_write(frame, &heads, 2);
    ck_assert_uint_eq(frame[40], 0xff);
    ck_assert_uint_eq(frame[41], 0xff);
    ck_assert_int_eq(ip_read(frame, IP_HEADS_V4 + 2, &heads, &payload), IP_GOOD);
}

static const struct change changes[] = {
    {.at = 12, .octet = 0x81, .status = IP_FOREIGN},                /* a VLAN tag */
    {.at = 13, .octet = 0x06, .status = IP_FOREIGN},                /* ARP */
    {.at = 14, .octet = 0x46, .status = IP_FOREIGN},                /* options */
    {.at = 14, .octet = 0x65, .status = IP_FOREIGN},                /* another version */
    {.at = 20, .octet = 0x60, .status = IP_FOREIGN},                /* more fragments */
    {.at = 21, .octet = 0x01, .status = IP_FOREIGN},                /* not the first */
    {.at = 23, .octet = 6, .status = IP_FOREIGN},                   /* TCP */
    {.at = 17, .octet = 0x20, .status = IP_DAMAGED},                /* longer than the frame */
    {.at = 17, .octet = 0x13, .status = IP_DAMAGED},                /* shorter than its head */
    {.at = 24, .octet = 0x93, .status = IP_DAMAGED},                /* a wrong sum */
    {.at = 22, .octet = 0x3f, .status = IP_DAMAGED},                /* a hop that it missed */
    {.at = 39, .octet = 0x0c, .status = IP_DAMAGED},                /* longer than the packet */
    {.at = 39, .octet = 0x07, .status = IP_DAMAGED},                /* shorter than its head */
    {.at = 41, .octet = 0xc7, .status = IP_DAMAGED},                /* a wrong sum of UDP */
    {.at = 44, .octet = 0x64, .status = IP_DAMAGED},                /* another payload */
    {.at = 6, .octet = 0x03, .status = IP_DAMAGED},                 /* from a group */
    {.is_v6 = true, .at = 14, .octet = 0x45, .status = IP_FOREIGN}, /* another version */
    {.is_v6 = true, .at = 20, .octet = 44, .status = IP_FOREIGN},   /* a fragment */
    {.is_v6 = true, .at = 20, .octet = 0, .status = IP_FOREIGN},    /* options for each hop */
    {.is_v6 = true, .at = 19, .octet = 0x0c, .status = IP_DAMAGED}, /* longer than the frame */
    {.is_v6 = true, .at = 19, .octet = 0x07, .status = IP_DAMAGED}, /* shorter than UDP's head */
    {.is_v6 = true, .at = 61, .octet = 0xf4, .status = IP_DAMAGED}, /* a wrong sum */
    {.is_v6 = true, .at = 37, .octet = 0x98, .status = IP_DAMAGED}, /* another source */
};

TEST_OVER(what_is_no_whole_and_right_datagram_is_not_read, changes)
{
    memset(&heads, 0x77, sizeof heads);
    payload = 77;
    ck_assert_int_eq(read_changed(&changes[_i]), changes[_i].status);
    ck_assert_uint_eq(payload, 77);
    ck_assert_uint_eq(heads.source_port, 0x7777);
}

TEST(a_short_frame_is_not_read_past_its_end)
{
    for (size_t length = 0; length < sizeof request_v4; length++)
        ck_assert_int_ne(ip_read(request_v4, length, &heads, &payload), IP_GOOD);
    for (size_t length = 0; length < sizeof request_v6; length++)
        ck_assert_int_ne(ip_read(request_v6, length, &heads, &payload), IP_GOOD);
}

TEST(padding_belongs_to_nothing)
{
    uint8_t frame[60] = {0};

    memcpy(frame, request_v4, sizeof request_v4);
    ck_assert_int_eq(ip_read(frame, sizeof frame, &heads, &payload), IP_GOOD);
    ck_assert_uint_eq(payload, 3);
}

TEST(ipv4_may_go_without_a_sum_of_udp_and_ipv6_may_not)
{
    uint8_t frame[sizeof request_v6];

    memcpy(frame, request_v4, sizeof request_v4);
    memset(frame + 40, 0, 2);
    ck_assert_int_eq(ip_read(frame, sizeof request_v4, &heads, &payload), IP_GOOD);
    memcpy(frame, request_v6, sizeof request_v6);
    memset(frame + 60, 0, 2);
    ck_assert_int_eq(ip_read(frame, sizeof request_v6, &heads, &payload), IP_DAMAGED);
}

/* What this host's kernel leaves to a network card: the pseudo header's sum, not complemented. */
TEST(a_frame_that_never_left_the_host_has_the_pseudo_headers_sum)
{
    uint8_t frame[sizeof request_v6];

    memcpy(frame, request_v4, sizeof request_v4);
    memcpy(frame + 40, "\x96\x56", 2);
    ck_assert_int_eq(ip_read(frame, sizeof request_v4, &heads, &payload), IP_GOOD);
    memcpy(frame, request_v6, sizeof request_v6);
    memcpy(frame + 60, "\x5c\x29", 2);
    ck_assert_int_eq(ip_read(frame, sizeof request_v6, &heads, &payload), IP_GOOD);
}
