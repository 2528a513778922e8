#include "base/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static const struct {
    const char *text;
    const char *expected; /* NULL: refused */
} endpoints[] = {
    {"127.0.0.1:5300", "127.0.0.1:5300"},
    {"127.0.0.1", "127.0.0.1:53"},
    {"[::1]:5300", "[::1]:5300"},
    {"[::1]", "[::1]:53"},
    {"::1", "[::1]:53"},
    {"0.0.0.0:65535", "0.0.0.0:65535"},
    {"[fe80::1%lo]:5300", "[fe80::1%lo]:5300"},
    {"fe80::1%lo", "[fe80::1%lo]:53"},
    {"fe80::1%1", "[fe80::1%lo]:53"},
    {"fe80::1%4000000", "[fe80::1%4000000]:53"},
    {"fe80::1%nowhere0", "[fe80::1]:53"}, /* the interface does not exist */
    {"fd00::1%lo", NULL},
    {"fe80::1%", NULL},
    {"fe80::1%a-name-of-17-octet", NULL},
    {"127.0.0.1:0", NULL},
    {"127.0.0.1:65536", NULL},
    {"127.0.0.1:", NULL},
    {"127.0.0.1:53x", NULL},
    {"127.0.0.1: 53", NULL},
    {"127.0.0:53", NULL},
    {"[::1", NULL},
    {"[::1]53", NULL},
    {"localhost:53", NULL},
    {"", NULL},
    {"1111111111111111111111111111111111111111111111111111111111111111111111", NULL},
};

TEST_OVER(an_endpoint_is_an_address_and_perhaps_a_port, endpoints)
{
    struct endpoint endpoint;
    char text[ENDPOINT_TEXT_MAX];
    bool is_read = endpoint_read(endpoints[_i].text, 53, &endpoint);

    ck_assert_msg(is_read == (endpoints[_i].expected != NULL), "%s", endpoints[_i].text);
    if (!is_read)
        return;
    endpoint_write(&endpoint, text);
    ck_assert_str_eq(text, endpoints[_i].expected);
}

static struct endpoint read(const char *text)
{
    struct endpoint endpoint;

    ck_assert_msg(endpoint_read(text, 53, &endpoint), "%s", text);
    return endpoint;
}

static const struct {
    const char *text;
    bool is_wildcard, is_loopback, is_private;
} kinds[] = {
    {"0.0.0.0", true, false, false},     {"::", true, false, false},
    {"127.0.0.1", false, true, true},    {"127.255.255.255", false, true, true},
    {"128.0.0.1", false, false, false},  {"::1", false, true, true},
    {"::2", false, false, false},        {"10.0.0.2", false, false, true},
    {"172.32.0.1", false, false, false}, {"fd00::1", false, false, true},
    {"fc00::1", false, false, true},     {"fe80::1", false, false, true},
    {"fec0::1", false, false, false},    {"2001:db8::1", false, false, false},
};

TEST_OVER(an_address_is_of_its_kind, kinds)
{
    struct endpoint endpoint = read(kinds[_i].text);

    ck_assert_int_eq(endpoint_is_wildcard(&endpoint), kinds[_i].is_wildcard);
    ck_assert_int_eq(endpoint_is_loopback(&endpoint), kinds[_i].is_loopback);
    ck_assert_int_eq(endpoint_is_private(&endpoint), kinds[_i].is_private);
}

static const struct {
    const char *one, *other;
    bool is_same;
} hosts[] = {
    {"10.0.0.2:53", "10.0.0.2:5353", true}, {"10.0.0.2", "10.0.0.3", false},
    {"[fd00::1]:53", "[fd00::1]:54", true}, {"fd00::1", "fd00::2", false},
    {"fe80::1%1", "fe80::1%2", false},      {"10.0.0.2", "::ffff:10.0.0.2", false},
};

TEST_OVER(hosts_are_compared_without_ports, hosts)
{
    struct endpoint one = read(hosts[_i].one), other = read(hosts[_i].other);

    ck_assert_int_eq(endpoint_has_same_host(&one, &other), hosts[_i].is_same);
}

static const struct {
    const char *text, *expected;
} mapped[] = {
    {"[::ffff:10.0.0.2]:5353", "10.0.0.2:5353"},
    {"[::10.0.0.2]:53", "[::10.0.0.2]:53"},
    {"10.0.0.2:53", "10.0.0.2:53"},
};

TEST_OVER(an_ipv4_address_inside_ipv6_becomes_ipv4, mapped)
{
    struct endpoint endpoint = read(mapped[_i].text);
    char text[ENDPOINT_TEXT_MAX];

    endpoint_unmap(&endpoint);
    endpoint_write(&endpoint, text);
    ck_assert_str_eq(text, mapped[_i].expected);
}

static const struct {
    const char *text, *expected;
    socklen_t octets;
} ports[] = {
    {"10.0.0.2:53", "10.0.0.2:5300", sizeof(struct sockaddr_in)},
    {"[fd00::1]:53", "[fd00::1]:5300", sizeof(struct sockaddr_in6)},
};

TEST_OVER(a_port_is_set_in_either_family, ports)
{
    struct endpoint endpoint = read(ports[_i].text);
    char text[ENDPOINT_TEXT_MAX];

    ck_assert_uint_eq(endpoint_octets(&endpoint), ports[_i].octets);
    ck_assert_uint_eq(endpoint_port(&endpoint), 53);
    endpoint_set_port(&endpoint, 5300);
    endpoint_write(&endpoint, text);
    ck_assert_str_eq(text, ports[_i].expected);
}
