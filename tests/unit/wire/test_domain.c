#include "wire/domain.h"

#include <string.h>

#include "support/suite.h"

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    const char *as_host; /* NULL: it is none */
    const char *as_zone;
} names[] = {
    {"Example.COM.", "example.com", "example.com"},
    {"x", "x", "x"},
    {"0.10.in-addr.arpa", "0.10.in-addr.arpa", "0.10.in-addr.arpa"},
    {"a-b.c", "a-b.c", "a-b.c"},
    {LABEL_63 ".b", LABEL_63 ".b", LABEL_63 ".b"},
    {"_tcp.example.com", NULL, "_tcp.example.com"},
    {"a" LABEL_63, NULL, NULL},
    {"", NULL, NULL},
    {".", NULL, NULL},
    {"a..b", NULL, NULL},
    {".a", NULL, NULL},
    {"-a", NULL, NULL},
    {"a-.b", NULL, NULL},
    {"a b", NULL, NULL},
    {"a/b", NULL, NULL},
    {"*.example.com", NULL, NULL},
};

static void expect(enum domain_kind kind, const char *text, const char *expected)
{
    char folded[DOMAIN_MOST];
    size_t length = domain_fold(kind, text, folded, sizeof folded);

    ck_assert_msg(length == (expected == NULL ? 0 : strlen(expected)), "%s: %zu", text, length);
    ck_assert_msg(length == 0 || memcmp(folded, expected, length) == 0, "%s", text);
}

TEST_OVER(a_name_is_folded_or_refused, names)
{
    expect(DOMAIN_HOST, names[_i].text, names[_i].as_host);
    expect(DOMAIN_ZONE, names[_i].text, names[_i].as_zone);
}

TEST(a_name_longer_than_its_room_is_refused)
{
    char folded[3];

    ck_assert_uint_eq(domain_fold(DOMAIN_HOST, "a.b", folded, 3), 3);
    ck_assert_uint_eq(domain_fold(DOMAIN_HOST, "a.b.", folded, 3), 3);
    ck_assert_uint_eq(domain_fold(DOMAIN_HOST, "a.bc", folded, 3), 0);
}

TEST(a_suffix_begins_where_a_label_does)
{
    ck_assert(domain_is_within("corp.example", "corp.example"));
    ck_assert(domain_is_within("a.corp.example", "corp.example"));
    ck_assert(!domain_is_within("acorp.example", "corp.example"));
    ck_assert(!domain_is_within("example", "corp.example"));
    ck_assert(!domain_is_within("corp.example.net", "corp.example"));
}

TEST(labels_are_counted)
{
    ck_assert_uint_eq(domain_label_count("."), 0);
    ck_assert_uint_eq(domain_label_count("example"), 1);
    ck_assert_uint_eq(domain_label_count("a.corp.example"), 3);
}
