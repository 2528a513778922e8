#include "config/exposure.h"

#include <stdlib.h>
#include <string.h>

#include "support/findings.h"
#include "support/suite.h"

static struct endpoint endpoint_of(const char *text)
{
    struct endpoint endpoint;

    ck_assert_msg(endpoint_read(text, 53, &endpoint), "%s", text);
    return endpoint;
}

static const struct {
    const char *address;
    bool is_private;
} addresses[] = {
    {"127.0.0.1", true},    {"127.255.255.255", true},
    {"10.0.0.0", true},     {"10.255.255.255", true},
    {"172.16.0.0", true},   {"172.31.255.255", true},
    {"192.168.0.0", true},  {"192.168.255.255", true},
    {"::1", true},          {"fc00::1", true},
    {"fdff::1", true},      {"fe80::1", true},
    {"febf::1", true},      {"126.255.255.255", false},
    {"128.0.0.0", false},   {"9.255.255.255", false},
    {"11.0.0.0", false},    {"172.15.255.255", false},
    {"172.32.0.0", false},  {"192.167.255.255", false},
    {"192.169.0.0", false}, {"169.254.1.1", false},
    {"100.64.0.1", false},  {"fbff::1", false},
    {"fe00::1", false},     {"fec0::1", false},
    {"2001:db8::1", false}, {"0.0.0.0", false},
    {"::", false},
};

TEST_OVER(private_blocks_end_where_the_rfcs_say, addresses)
{
    struct endpoint endpoint = endpoint_of(addresses[_i].address);

    ck_assert_msg(endpoint_is_private(&endpoint) == addresses[_i].is_private, "%s",
                  addresses[_i].address);
}

/* Checks one listen address on a host with these interface addresses; returns the problems. */
static char *check(const char *listen, bool allow, const char *first, const char *second)
{
    struct endpoint own[2] = {endpoint_of(first), endpoint_of(second)};
    struct ifaddrs interfaces[3] = {
        {.ifa_name = (char[]){"tun0"}, .ifa_next = &interfaces[1]}, /* without an address */
        {.ifa_name = (char[]){"eth0"}, .ifa_addr = &own[0].any, .ifa_next = &interfaces[2]},
        {.ifa_name = (char[]){"eth1"}, .ifa_addr = &own[1].any},
    };
    struct listen_address item = {.endpoint = endpoint_of(listen), .origin.file = "--listen"};
    struct settings settings = {.listen = {.items = &item, .count = 1},
                                .allow_public_listen = allow};
    struct report *report = report_new();

    exposure_check_against(&settings, interfaces, report);
    char *problems = findings_text(report, FINDING_LISTEN_PUBLIC, NULL);
    report_free(report);
    return problems;
}

static void expect(const char *listen, const char *first, const char *second, const char *words)
{
    char *problems = check(listen, false, first, second);

    if (words == NULL)
        ck_assert_str_eq(problems, "");
    else
        ck_assert_msg(strstr(problems, words) != NULL, "problems: %s", problems);
    free(problems);
}

TEST(a_public_address_is_refused_with_the_remedy)
{
    expect("192.0.2.1", "10.0.0.2", "10.0.0.3",
           "--listen: 192.0.2.1:53 is outside loopback and the private "
           "blocks (RFC 1918); listen on a private address, or set allow_public_listen: true "
           "(--allow-public-listen)\n");
    expect("10.0.0.2", "192.0.2.1", "10.0.0.3", NULL);
}

TEST(http_is_held_to_the_same)
{
    struct http_address items[] = {
        {.path = "/run/http.sock", .origin.file = "one"},
        {.endpoint = endpoint_of("10.0.0.2:9153"), .origin.file = "two"},
        {.endpoint = endpoint_of("192.0.2.1:9153"), .origin.file = "three"},
    };
    struct settings settings = {.http_listen = {.items = items, .count = 3}};
    struct report *report = report_new();

    exposure_check_against(&settings, NULL, report);
    char *problems = findings_text(report, FINDING_LISTEN_PUBLIC, NULL);
    ck_assert_ptr_nonnull(strstr(problems, "three: 192.0.2.1:9153 is outside loopback"));
    ck_assert_uint_eq(report_total(report), 1);
    free(problems);
    settings.allow_public_listen = true;
    report_free(report);
    report = report_new();
    exposure_check_against(&settings, NULL, report);
    ck_assert_uint_eq(report_total(report), 0);
    report_free(report);
}

TEST(a_wildcard_is_refused_where_an_interface_is_public)
{
    expect("0.0.0.0", "10.0.0.2", "192.0.2.7",
           "0.0.0.0:53 covers the public address 192.0.2.7 of interface eth1");
    expect("0.0.0.0", "10.0.0.2", "172.16.0.9", NULL);
    expect("::", "2001:db8::5", "10.0.0.2",
           "[::]:53 covers the public address 2001:db8::5 of interface eth0");
}

TEST(a_wildcard_covers_only_its_own_family)
{
    expect("0.0.0.0", "2001:db8::5", "10.0.0.2", NULL);
    expect("::", "fe80::5", "192.0.2.7", NULL);
}

TEST(the_operator_may_allow_it)
{
    char *problems = check("192.0.2.1", true, "10.0.0.2", "192.0.2.1");

    ck_assert_str_eq(problems, "");
    free(problems);
    problems = check("0.0.0.0", true, "10.0.0.2", "192.0.2.1");
    ck_assert_str_eq(problems, "");
    free(problems);
}

TEST(loopback_passes_on_any_host)
{
    struct listen_address item = {.endpoint = endpoint_of("127.0.0.1"), .origin.file = "--listen"};
    struct settings settings = {.listen = {.items = &item, .count = 1}};

    struct report *report = report_new();

    exposure_check(&settings, report);
    ck_assert_uint_eq(report_total(report), 0);
    report_free(report);
}
