#include "tap/dnstap.h"

#include <string.h>

#include "support/suite.h"

static const uint8_t query[] = "QUERY", response[] = "RESPONSE";
static uint8_t out[1 << 18];
static struct dnstap_origin origin;

/* Without the closing zero octet. */
#define OCTETS(text) (const uint8_t *)(text), sizeof(text) - 1

static struct dnstap_message usual(void)
{
    dnstap_write_origin("ns1", "v", &origin);
    return (struct dnstap_message){
        .kind = DNSTAP_AUTH_RESPONSE,
        .protocol = DNSTAP_UDP,
        .origin = &origin,
        .client = {10, 0, 130, 56},
        .port = 5353,
        .server = 0x0a000002,
        .query_us = INT64_C(1700000000000007),
        .response_us = INT64_C(1700000000500000),
        .query = query,
        .query_length = sizeof query - 1,
        .response = response,
        .response_length = sizeof response - 1,
        .policy = {.rule = "Q10", .action = DNSTAP_NODATA, .match = DNSTAP_QNAME},
    };
}

static void expect(const struct dnstap_message *message, const uint8_t *octets, size_t length)
{
    struct dnstap_octets written = dnstap_write(message, out);

    ck_assert(written.first >= out && written.first < out + 4);
    ck_assert_uint_eq(written.length, length);
    ck_assert_mem_eq(written.first, octets, length);
    ck_assert_uint_le((size_t)(written.first + length - out), dnstap_octets_most(message));
}

/* By hand, from the fields' numbers: 1700000000 is e2 cf ab d0 ... as a varint: */
#define SECONDS "\x80\xe2\xcf\xaa\x06"

TEST(a_response_has_every_field)
{
    const struct dnstap_message message = usual();

    expect(&message, OCTETS("\x72\x51" /* message */
                            "\x08\x02"
                            "\x10\x01"
                            "\x18\x01"
                            "\x22\x04\x0a\x00\x82\x38"
                            "\x2a\x04\x0a\x00\x00\x02"
                            "\x30\xe9\x29"
                            "\x40" SECONDS "\x4d\x58\x1b\x00\x00"
                            "\x52\x05QUERY"
                            "\x60" SECONDS "\x6d\x00\x65\xcd\x1d"
                            "\x72\x08RESPONSE"
                            "\x7a\x13" /* policy */
                            "\x0a\x08spacedns"
                            "\x12\x03Q10"
                            "\x18\x02"
                            "\x20\x01"
                            "\x0a\x03ns1"
                            "\x12\x01v"
                            "\x78\x01"));
}

TEST(a_query_has_neither_a_response_nor_what_is_not_known)
{
    struct dnstap_message message = usual();

    message.kind = DNSTAP_CLIENT_QUERY;
    message.protocol = DNSTAP_TCP;
    dnstap_write_origin(NULL, "", &origin);
    message.server = 0;
    message.response_length = 0;
    message.policy.rule = NULL;
    expect(&message, OCTETS("\x72\x21"
                            "\x08\x05"
                            "\x10\x01"
                            "\x18\x02"
                            "\x22\x04\x0a\x00\x82\x38"
                            "\x30\xe9\x29"
                            "\x40" SECONDS "\x4d\x58\x1b\x00\x00"
                            "\x52\x05QUERY"
                            "\x78\x01"));
}

TEST(an_ipv6_client_has_sixteen_octets)
{
    struct dnstap_message message = usual();

    message.is_ipv6 = true;
    memcpy(message.client, "0123456789abcdef", sizeof message.client);
    message.server = 0;
    message.response_length = 0;
    message.policy.action = DNSTAP_NO_ACTION;
    message.policy.match = DNSTAP_CLIENT_IP;
    dnstap_write_origin("", NULL, &origin);
    expect(&message, OCTETS("\x72\x40"
                            "\x08\x02"
                            "\x10\x02"
                            "\x18\x01"
                            "\x22\x10"
                            "0123456789abcdef"
                            "\x30\xe9\x29"
                            "\x40" SECONDS "\x4d\x58\x1b\x00\x00"
                            "\x52\x05QUERY"
                            "\x7a\x11"
                            "\x0a\x08spacedns"
                            "\x12\x03Q10"
                            "\x20\x02"
                            "\x78\x01"));
}

/* The length before the message takes one, two or three octets. */
static const struct {
    size_t response_length;
    uint8_t first[5]; /* then KIND, 08 02 */
} lengths[] = {
    {1, {0x72, 0x4a, 0x08, 0x02, 0x10}},     {54, {0x72, 0x7f, 0x08, 0x02, 0x10}},
    {55, {0x72, 0x80, 0x01, 0x08, 0x02}},    {60, {0x72, 0x85, 0x01, 0x08, 0x02}},
    {16309, {0x72, 0xff, 0x7f, 0x08, 0x02}}, {16310, {0x72, 0x80, 0x80, 0x01, 0x08}},
    {65535, {0x72, 0xca, 0x80, 0x04, 0x08}},
};

TEST_OVER(long_messages_have_long_lengths, lengths)
{
    static uint8_t large[UINT16_MAX];
    struct dnstap_message message = usual();

    message.response = large;
    message.response_length = lengths[_i].response_length;
    struct dnstap_octets written = dnstap_write(&message, out);
    ck_assert_mem_eq(written.first, lengths[_i].first, sizeof lengths[_i].first);
    ck_assert_uint_le((size_t)(written.first + written.length - out), dnstap_octets_most(&message));
}

/* However long the texts are, and whatever the clock says, the room is enough. */
TEST(texts_that_are_too_long_are_cut)
{
    static char text[1000];
    static uint8_t large[UINT16_MAX];
    struct dnstap_message message = usual();

    memset(text, 'x', sizeof text - 1);
    dnstap_write_origin(text, text, &origin);
    message.policy.rule = text;
    message.query_us = message.response_us = -1;
    message.is_ipv6 = true;
    message.query = message.response = large;
    message.query_length = message.response_length = UINT16_MAX;
    struct dnstap_octets written = dnstap_write(&message, out + 3);
    ck_assert_uint_le((size_t)(written.first + written.length - out), dnstap_octets_most(&message));
}
