/* Static records: valid ones, octet by octet, and refused ones. */
#include "space/records.h"

#include <check.h>
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

#define OCTETS(literal) literal, sizeof(literal) - 1

static const struct {
    const char *line;
    uint16_t type;
    uint32_t ttl_seconds;
    const char *owner;
    size_t owner_length;
    const char *rdata;
    size_t rdata_length;
} good[] = {
    {"db.internal.example.com. 60 IN A 172.23.1.5", 1, 60,
     OCTETS("\2db\10internal\7example\3com\0"), OCTETS("\254\27\1\5")},
    {"DB.Example.COM. 0 IN A 172.23.1.5", 1, 0, OCTETS("\2db\7example\3com\0"),
     OCTETS("\254\27\1\5")},
    {"db.example.com A 172.23.1.5", 1, 60, OCTETS("\2db\7example\3com\0"), OCTETS("\254\27\1\5")},
    {"a.b. 1h CNAME C.d.", 5, 3600, OCTETS("\1a\1b\0"), OCTETS("\1C\1d\0")},
    {"a.b. MX 10 m.b", 15, 60, OCTETS("\1a\1b\0"), OCTETS("\0\12\1m\1b\0")},
    {"a.b. TXT \"x y\" z", 16, 60, OCTETS("\1a\1b\0"), OCTETS("\3x y\1z")},
    {"a.b. AAAA 2001:db8::1", 28, 60, OCTETS("\1a\1b\0"),
     OCTETS("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1")},
    {"_x._tcp.b. SRV 1 2 80 h.b.", 33, 60, OCTETS("\2_x\4_tcp\1b\0"),
     OCTETS("\0\1\0\2\0\120\1h\1b\0")},
    {"a.b. 2147483647 A 172.23.1.5", 1, 2147483647, OCTETS("\1a\1b\0"), OCTETS("\254\27\1\5")},
    {"any.b. in a 172.23.1.5", 1, 60, OCTETS("\3any\1b\0"), OCTETS("\254\27\1\5")},
    {"a.b. TYPE65280 \\# 2 abcd", 65280, 60, OCTETS("\1a\1b\0"), OCTETS("\253\315")},
};

FIXTURE(set_up, tear_down)

TEST_OVER(a_record_is_read_into_wire_form, good)
{
    struct record record = {0};
    enum finding_code code;
    struct err err;

    ck_assert_msg(record_read(arena, good[_i].line, &record, &code, &err), "%s: %s", good[_i].line,
                  err.text);
    ck_assert_uint_eq(record.type, good[_i].type);
    ck_assert_uint_eq(record.ttl_seconds, good[_i].ttl_seconds);
    ck_assert_uint_eq(record.owner_length, good[_i].owner_length);
    ck_assert_mem_eq(record.owner, good[_i].owner, good[_i].owner_length);
    ck_assert_uint_eq(record.rdata_length, good[_i].rdata_length);
    ck_assert_mem_eq(record.rdata, good[_i].rdata, good[_i].rdata_length);
}

static const struct {
    const char *line;
    const char *message;
} bad[] = {
    {"", ""},
    {" IN A 172.23.1.5", "begins with its owner"},
    {"\ta.b. A 172.23.1.5", "one line"},
    {"@ A 172.23.1.5", "begins with its owner"},
    {"; comment", "begins with its owner"},
    {"$ORIGIN b.", "begins with its owner"},
    {". A 172.23.1.5", "below the root"},
    {"a.b.", ""},
    {"a.b. A", ""},
    {"a.b. A 172.23.1", "rdata"},
    {"a.b. A 172.23.1.5 172.23.1.6", ""},
    {"a.b. IN 300 A 172.23.1.5", ""}, /* ldns wants the TTL first */
    {"a.b. CH A 172.23.1.5", "class must be IN"},
    {"a.b. NONSENSE x", "NONSENSE is not a known record type"},
    {"a.b. 60 IN AA 10.1.2.3", "AA is not a known record type"},
    {"a.b. ANY", "type ANY is not allowed here"},
    {"a.b. IN AXFR", "type AXFR is not allowed here"},
    {"a.b. 1h IN NS c.d.", "upstream_zones"},
    {"a.b. DNAME c.d.", "a CNAME for each name"},
    {"a.b. SOA a.b. c.d. 1 2 3 4 5", "an SOA of its own"},
    {"a.b. TYPE6 \\# 0", "is not allowed here"},
    {"a.b. 99999999999 IN A 172.23.1.5", "TTL is above"},
    {"a.b. 2147483648 IN A 172.23.1.5", "TTL is above"},
    {"a.b. 9999w A 172.23.1.5", "TTL is above"},
    {"a..b. A 172.23.1.5", ""},
    {"a.b. 4294967295 A 172.23.1.5", "TTL"},
    {"a.b. A 172.23.1.5\nc.b. A 172.23.1.6", "one line"},
    {"m\xC3\xBC.b. A 172.23.1.5", "ASCII"},
};

TEST_OVER(an_invalid_record_is_refused_with_a_reason, bad)
{
    struct record record = {0};
    enum finding_code code;
    struct err err = {0};

    ck_assert_msg(!record_read(arena, bad[_i].line, &record, &code, &err), "%s", bad[_i].line);
    ck_assert_int_ne(err.code, ERR_NONE);
    ck_assert_msg(err.text[0] != '\0' && strstr(err.text, bad[_i].message) != NULL, "%s: %s",
                  bad[_i].line, err.text);
    ck_assert_ptr_null(record.owner);
}

TEST(a_label_of_63_is_read_and_of_64_refused)
{
    char line[128];
    struct record record;
    enum finding_code code;
    struct err err;

    memset(line, 'a', 64);
    strcpy(line + 63, ".b. A 172.23.1.5");
    ck_assert(record_read(arena, line, &record, &code, &err));
    ck_assert_uint_eq(record.owner_length, 1 + 63 + 2 + 1);
    memset(line, 'a', 64);
    strcpy(line + 64, ".b. A 172.23.1.5");
    ck_assert(!record_read(arena, line, &record, &code, &err));
}

static const struct {
    const char *line, *owner, *type, *data;
} texts[] = {
    {"DB.Example.COM 0 IN A 172.23.1.5", "db.example.com.", "A", "172.23.1.5"},
    {"a.b. 1h CNAME C.d.", "a.b.", "CNAME", "C.d."},
    {"a.b. TXT \"x \\\" y\" z", "a.b.", "TXT", "\"x \\\" y\" \"z\""},
    {"_x._tcp.b. SRV 1 2 80 h.b.", "_x._tcp.b.", "SRV", "1 2 80 h.b."},
    {"a.b. TYPE65280 \\# 2 abcd", "a.b.", "TYPE65280", "\\# 2 abcd"},
};

TEST_OVER(a_record_is_formatted_as_it_is_read, texts)
{
    struct record record = {0}, again = {0};
    struct record_text text;
    enum finding_code code;
    struct err err;
    char line[256];

    ck_assert(record_read(arena, texts[_i].line, &record, &code, &err));
    ck_assert(record_format(arena, &record, &text));
    ck_assert_str_eq(text.owner, texts[_i].owner);
    ck_assert_str_eq(text.type, texts[_i].type);
    ck_assert_str_eq(text.data, texts[_i].data);
    snprintf(line, sizeof line, "%s %s %s", text.owner, text.type, text.data);
    ck_assert_msg(record_read(arena, line, &again, &code, &err), "%s: %s", line, err.text);
    ck_assert(record_is_same(&record, &again));
}

TEST(records_that_differ_are_not_the_same)
{
    static const char *const others[] = {"a.c. A 10.9.0.1", "a.b. A 10.9.0.2", "aa.b. A 10.9.0.1",
                                         "a.b. TYPE65280 \\# 4 0a090001"};
    struct record record = {0}, other = {0};
    enum finding_code code;
    struct err err;

    ck_assert(record_read(arena, "a.b. 5 A 10.9.0.1", &record, &code, &err));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ck_assert(record_read(arena, others[i], &other, &code, &err));
        ck_assert(!record_is_same(&record, &other));
    }
}
