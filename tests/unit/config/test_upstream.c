#include "config/upstream.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static const struct {
    const char *text;
    const char *endpoint;
    const char *name;    /* in the certificate; NULL: none given */
    const char *message; /* in messages */
    bool is_tls;
} good[] = {
    {"10.0.0.2", "10.0.0.2:53", NULL, "10.0.0.2", false},
    {"10.0.0.2@53", "10.0.0.2:53", NULL, "10.0.0.2", false},
    {"10.0.0.2@5353", "10.0.0.2:5353", NULL, "10.0.0.2@5353", false},
    {"10.0.0.2:5353", "10.0.0.2:5353", NULL, "10.0.0.2@5353", false},
    {"10.0.0.2@65535", "10.0.0.2:65535", NULL, "10.0.0.2@65535", false},
    {"fd00::2", "[fd00::2]:53", NULL, "fd00::2", false},
    {"fd00::2@5353", "[fd00::2]:5353", NULL, "fd00::2@5353", false},
    {"[fd00::2]", "[fd00::2]:53", NULL, "fd00::2", false},
    {"[fd00::2]:5353", "[fd00::2]:5353", NULL, "fd00::2@5353", false},
    {"[fd00::2]@5353", "[fd00::2]:5353", NULL, "fd00::2@5353", false},
    {"FD00:0::2", "[fd00::2]:53", NULL, "fd00::2", false},
    {"::ffff:10.0.0.2", "10.0.0.2:53", NULL, "10.0.0.2", false},
    {"fe80::1%lo", "[fe80::1%lo]:53", NULL, "fe80::1%lo", false},
    {"[fe80::1%lo]:5353", "[fe80::1%lo]:5353", NULL, "fe80::1%lo@5353", false},
    {"tls://fe80::1%1#ns1", "[fe80::1%lo]:853", "ns1", "tls://fe80::1%lo", true},
    {"127.0.0.53", "127.0.0.53:53", NULL, "127.0.0.53", false},
    {"tls://9.9.9.9", "9.9.9.9:853", NULL, "tls://9.9.9.9", true},
    {"tls://9.9.9.9@853", "9.9.9.9:853", NULL, "tls://9.9.9.9", true},
    {"tls://9.9.9.9@53", "9.9.9.9:53", NULL, "tls://9.9.9.9@53", true},
    {"tls://9.9.9.9@853#dns.quad9.net", "9.9.9.9:853", "dns.quad9.net", "tls://9.9.9.9", true},
    {"tls://9.9.9.9#DNS.Quad9.net.", "9.9.9.9:853", "dns.quad9.net", "tls://9.9.9.9", true},
    {"tls://[fd00::2]:8853#ns1", "[fd00::2]:8853", "ns1", "tls://fd00::2@8853", true},
};

FIXTURE(set_up, tear_down)

TEST_OVER(an_upstream_is_an_address_and_what_differs_from_the_usual, good)
{
    char endpoint[ENDPOINT_TEXT_MAX];
    struct upstream upstream;
    struct err err;

    ck_assert_msg(upstream_read(arena, good[_i].text, &upstream, &err), "%s: %s", good[_i].text,
                  err.text);
    endpoint_write(&upstream.endpoint, endpoint);
    ck_assert_str_eq(endpoint, good[_i].endpoint);
    ck_assert_str_eq(upstream.text, good[_i].message);
    ck_assert(upstream.is_tls == good[_i].is_tls);
    ck_assert_pstr_eq(upstream.tls_name, good[_i].name);
}

#define NOT_AN_ADDRESS                                                                             \
    " is not the address of a server; give one like 10.0.0.2, 10.0.0.2@5353, [fd00::2]:53 or "     \
    "tls://9.9.9.9#dns.quad9.net"
#define BAD_PORT "; give a number from 1 to 65535"
#define BAD_NAME                                                                                   \
    " is not a name for a server's certificate; give one like dns.quad9.net, or leave it and # "   \
    "out "                                                                                         \
    "when the certificate has the address"

static const struct {
    const char *text, *message;
} bad[] = {
    {"", "``" NOT_AN_ADDRESS},
    {"@53", "`@53`" NOT_AN_ADDRESS},
    {"10.0.0", "`10.0.0`" NOT_AN_ADDRESS},
    {"10.0.0.256", "`10.0.0.256`" NOT_AN_ADDRESS},
    {"10.0.0.02", "`10.0.0.02`" NOT_AN_ADDRESS},
    {"10.0.0.2/32", "`10.0.0.2/32`" NOT_AN_ADDRESS},
    {"10.0.0.2:53@53", "`10.0.0.2:53@53`" NOT_AN_ADDRESS},
    {" 10.0.0.2", "` 10.0.0.2`" NOT_AN_ADDRESS},
    {"fd00::2:", "`fd00::2:`" NOT_AN_ADDRESS},
    {"[fd00::2", "`[fd00::2`" NOT_AN_ADDRESS},
    {"[fd00::2]53", "`[fd00::2]53`" NOT_AN_ADDRESS},
    {"fe80::1%", "`fe80::1%`" NOT_AN_ADDRESS},
    {"fd00::1%lo", "`fd00::1%lo`" NOT_AN_ADDRESS},
    {"fe80::1%eth0eth0eth0eth0", "`fe80::1%eth0eth0eth0eth0`" NOT_AN_ADDRESS},
    {"fe80::1%nowhere0", "`fe80::1%nowhere0`: this host has no interface `nowhere0`; `ip link` "
                         "lists those it has"},
    {"tls://", "`tls://`" NOT_AN_ADDRESS},
    {"ns1.example.com", "`ns1.example.com` is a name; give the server's address, like 10.0.0.2"},
    {"localhost", "`localhost` is a name; give the server's address, like 10.0.0.2"},
    {"tls://dns.quad9.net", "`dns.quad9.net` is a name; give the server's address, like 10.0.0.2"},
    {"ns1.example.com@53", "`ns1.example.com` is a name; give the server's address, like 10.0.0.2"},
    {"10.0.0.2@0", "`10.0.0.2@0` has the bad port `0`" BAD_PORT},
    {"10.0.0.2:0", "`10.0.0.2:0` has the bad port `0`" BAD_PORT},
    {"10.0.0.2@65536", "`10.0.0.2@65536` has the bad port `65536`" BAD_PORT},
    {"10.0.0.2@4294967349", "`10.0.0.2@4294967349` has the bad port `4294967349`" BAD_PORT},
    {"10.0.0.2@", "`10.0.0.2@` has the bad port ``" BAD_PORT},
    {"10.0.0.2@dns", "`10.0.0.2@dns` has the bad port `dns`" BAD_PORT},
    {"10.0.0.2@+53", "`10.0.0.2@+53` has the bad port `+53`" BAD_PORT},
    {"[fd00::2]:", "`[fd00::2]:` has the bad port ``" BAD_PORT},
    {"https://9.9.9.9/dns-query", "unknown scheme `https://`; give tls://ADDRESS for DNS over TLS, "
                                  "or an address alone for UDP and TCP"},
    {"TLS://9.9.9.9", "unknown scheme `TLS://`; give tls://ADDRESS for DNS over TLS, or an address "
                      "alone for UDP and TCP"},
    {"9.9.9.9#dns.quad9.net", "a name after # is for DNS over TLS; write "
                              "tls://9.9.9.9#dns.quad9.net, or leave the name out"},
    {"tls://9.9.9.9#", "``" BAD_NAME},
    {"tls://9.9.9.9#a_b", "`a_b`" BAD_NAME},
    {"tls://9.9.9.9#*.quad9.net", "`*.quad9.net`" BAD_NAME},
    {"tls://9.9.9.9#9.9.9.9", "`9.9.9.9`" BAD_NAME},
    {"0.0.0.0", "`0.0.0.0` is the unspecified address; give the address of one server"},
    {"::", "`::` is the unspecified address; give the address of one server"},
    {"255.255.255.255", "`255.255.255.255` is the broadcast address; give the address of one "
                        "server"},
    {"224.0.0.251", "`224.0.0.251` is a multicast address; give the address of one server"},
    {"239.255.255.255", "`239.255.255.255` is a multicast address; give the address of one server"},
    {"ff02::fb", "`ff02::fb` is a multicast address; give the address of one server"},
    {"fe80::1", "`fe80::1` is a link-local address, which only its own link knows; name the "
                "interface, like fe80::1%eth0"},
    {"::ffff:224.0.0.1", "`::ffff:224.0.0.1` is a multicast address; give the address of one "
                         "server"},
};

TEST_OVER(an_invalid_upstream_is_reported_with_the_remedy, bad)
{
    struct upstream upstream = {.text = "before"};
    struct err err;

    ck_assert_msg(!upstream_read(arena, bad[_i].text, &upstream, &err), "%s", bad[_i].text);
    ck_assert_str_eq(err.text, bad[_i].message);
    ck_assert_str_eq(upstream.text, "before");
}

TEST(a_text_longer_than_any_upstream_is_refused)
{
    struct upstream upstream;
    char text[1000];
    struct err err;

    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert(!upstream_read(arena, text, &upstream, &err));
    ck_assert_str_eq(err.text, "longer than 400 octets; give an address like 10.0.0.2");
}

static struct upstream upstream_of(const char *text)
{
    struct upstream upstream;
    struct err err;

    ck_assert_msg(upstream_read(arena, text, &upstream, &err), "%s", err.text);
    return upstream;
}

TEST(equal_upstreams_are_reached_in_the_same_way)
{
    static const struct {
        const char *one, *other;
        bool equal;
    } pairs[] = {
        {"10.0.0.2", "10.0.0.2@53", true},
        {"::ffff:10.0.0.2", "10.0.0.2:53", true},
        {"10.0.0.2", "10.0.0.3", false},
        {"10.0.0.2", "10.0.0.2@5353", false},
        {"10.0.0.2@853", "tls://10.0.0.2", false},
        {"tls://10.0.0.2#a.example", "tls://10.0.0.2@853#A.example", true},
        {"tls://10.0.0.2#a.example", "tls://10.0.0.2#b.example", false},
        {"tls://10.0.0.2#a.example", "tls://10.0.0.2", false},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct upstream one = upstream_of(pairs[i].one), other = upstream_of(pairs[i].other);
        ck_assert_msg(upstream_equals(&one, &other) == pairs[i].equal, "%s %s", pairs[i].one,
                      pairs[i].other);
        ck_assert(upstream_equals(&other, &one) == pairs[i].equal);
    }
}

static bool add(struct upstreams *list, const char *text, struct err *err)
{
    struct upstream upstream = upstream_of(text);

    return upstreams_add(arena, list, &upstream, err);
}

TEST(a_list_contains_a_server_once)
{
    struct upstreams list = {.count = 0};
    struct err err;

    ck_assert(add(&list, "10.0.0.2", &err));
    ck_assert(add(&list, "tls://10.0.0.2#a.example", &err));
    ck_assert(!add(&list, "10.0.0.2:53", &err));
    ck_assert_str_eq(err.text, "`10.0.0.2` is given twice; keep one of them");
    ck_assert(!add(&list, "tls://10.0.0.2#b.example", &err));
    ck_assert_str_eq(err.text, "`tls://10.0.0.2` is given twice; keep one of them");
    ck_assert_uint_eq(list.count, 2);
}

TEST(the_length_of_a_list_is_limited)
{
    struct upstreams list = {.count = 0};
    struct err err;
    char text[32];

    for (int i = 0; i < UPSTREAMS_MOST; i++) {
        snprintf(text, sizeof text, "10.0.0.%d", i + 1);
        ck_assert(add(&list, text, &err));
    }
    ck_assert(!add(&list, "10.0.1.1", &err));
    ck_assert_str_eq(err.text, "more than 16 entries; remove some");
    ck_assert_uint_eq(list.count, UPSTREAMS_MOST);
    ck_assert_str_eq(list.items[15].text, "10.0.0.16");
}

/* Zones as "zone upstream,upstream zone ...", each in turn. */
static struct upstream_zones zones_of(const char *text)
{
    static char copies[4][256];
    static unsigned next;
    char *copy = copies[next++ % 4], *rest = NULL;
    struct upstream_zones zones = {.count = 0};
    struct err err;

    snprintf(copy, sizeof copies[0], "%s", text);
    for (char *zone = strtok_r(copy, " ", &rest); zone != NULL; zone = strtok_r(NULL, " ", &rest)) {
        zones.items =
            arena_grow(arena, zones.items, zones.count, &zones.capacity, sizeof *zones.items);
        struct upstream_zone *added = &zones.items[zones.count++];
        *added = (struct upstream_zone){.zone = zone, .origin.file = "here"};
        for (char *list = strtok_r(NULL, " ", &rest), *word = strtok(list, ","); word != NULL;
             word = strtok(NULL, ","))
            ck_assert(add(&added->upstreams, word, &err));
    }
    return zones;
}

static const struct {
    const char *zones;
    const char *others;
    bool is_equal;
} pairs[] = {
    {"", "", true},
    {". 10.0.0.2", "", false},
    {". 10.0.0.2", ". 10.0.0.2@53", true},
    {". 10.0.0.2", ". 10.0.0.3", false},
    {". 10.0.0.2", ". 10.0.0.2@54", false},
    {". 10.0.0.2", ". tls://10.0.0.2", false},
    {". tls://10.0.0.2#a.example", ". tls://10.0.0.2#b.example", false},
    {". 10.0.0.2,10.0.0.3", ". 10.0.0.3,10.0.0.2", false},
    {". 10.0.0.2,10.0.0.3", ". 10.0.0.2", false},
    {"corp.example 10.0.0.2", ". 10.0.0.2", false},
    {"corp.example 10.0.0.2 . 10.0.0.3", "corp.example 10.0.0.2 . 10.0.0.3", true},
    {"corp.example 10.0.0.2 . 10.0.0.3", "corp.example 10.0.0.3 . 10.0.0.2", false},
};

TEST_OVER(zones_are_equal_if_they_have_the_same_servers, pairs)
{
    struct upstream_zones zones = zones_of(pairs[_i].zones), others = zones_of(pairs[_i].others);

    ck_assert(upstream_zones_equal(&zones, &others) == pairs[_i].is_equal);
    ck_assert(upstream_zones_equal(&others, &zones) == pairs[_i].is_equal);
    if (zones.count > 0)
        zones.items[0].allow_rebind = true; /* does not change the servers */
    ck_assert(upstream_zones_equal(&zones, &others) == pairs[_i].is_equal);
}

TEST(a_copy_of_zones_is_independent)
{
    struct arena *own = arena_new();
    struct upstream_zones zones =
        zones_of("corp.example tls://10.0.0.2#a.example,10.0.0.4 . 10.0.0.3");
    struct upstream_zones copy;

    ck_assert(upstream_zones_copy(own, &zones, &copy));
    ck_assert(upstream_zones_equal(&zones, &copy));
    arena_free(arena);
    arena = arena_new();
    ck_assert_str_eq(copy.items[0].zone, "corp.example");
    ck_assert_str_eq(copy.items[0].upstreams.items[0].text, "tls://10.0.0.2");
    ck_assert_str_eq(copy.items[0].upstreams.items[0].tls_name, "a.example");
    ck_assert_ptr_null(copy.items[0].upstreams.items[0].origin.file);
    ck_assert_ptr_null(copy.items[0].origin.file);
    ck_assert_uint_eq(copy.items[0].upstreams.count, 2);
    ck_assert_str_eq(copy.items[1].upstreams.items[0].text, "10.0.0.3");
    arena_free(own);
}
