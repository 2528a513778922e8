#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "serve/querylog_line.h"
#include "support/suite.h"
#include "wire/types.h"

/* 2024-10-16T12:00:00Z */
enum { NOON_SECONDS = 1729080000 };

/* The record behind the first example of the log's description. */
static struct querylog_record example(void)
{
    static const uint8_t name[] = "\x12"
                                  "frozen-oasis-70544\x09"
                                  "herokuapp\x03"
                                  "com";
    struct querylog_record record = {
        .wall_us = NOON_SECONDS * (int64_t)1000000,
        .ttl_seconds = 30,
        .type = TYPE_A,
        .answer_count = 2,
        .reply_octets = 82,
        .transport = TRANSPORT_UDP,
        .class = CLIENT_SPACE,
        .space_length = 10,
        .app_length = 18,
        .space = "test-space",
        .app = "frozen-oasis-70544",
        .name_length = sizeof name,
    };

    memcpy(record.name, name, sizeof name);
    ck_assert(endpoint_read("10.0.130.56", 40000, &record.client));
    return record;
}

static void expect(const struct querylog_record *record, enum querylog_format format,
                   const char *line)
{
    char octets[QUERYLOG_LINE_OCTETS + 1];
    struct text text = text_over(octets, QUERYLOG_LINE_OCTETS);

    querylog_format(record, format, &text);
    ck_assert(!text.cut);
    *text.next = '\0';
    ck_assert_str_eq(octets, line);
}

TEST(a_good_answer_is_an_info_line)
{
    struct querylog_record record = example();

    expect(&record, QUERYLOG_LOGFMT,
           "2024-10-16T12:00:00.000000+00:00 heroku[dns]: at=info "
           "host=frozen-oasis-70544.herokuapp.com qtype=A fwd=\"10.0.130.56\" class=space "
           "space=test-space app=frozen-oasis-70544 status=NOERROR answers=2 ttl=30 service=0ms "
           "bytes=82 protocol=udp\n");
}

TEST(a_reason_adds_code_and_description)
{
    struct querylog_record record = example();

    record.reason = REASON_NO_WEB;
    record.answer_count = 0;
    record.ttl_seconds = 5;
    record.reply_octets = 121;
    record.wall_us += 1000000;
    expect(
        &record, QUERYLOG_LOGFMT,
        "2024-10-16T12:00:01.000000+00:00 heroku[dns]: at=error code=Q14 desc=\"No web dynos "
        "running\" host=frozen-oasis-70544.herokuapp.com qtype=A fwd=\"10.0.130.56\" class=space "
        "space=test-space app=frozen-oasis-70544 status=NOERROR answers=0 ttl=5 service=0ms "
        "bytes=121 protocol=udp\n");
}

TEST(a_note_is_no_error)
{
    struct querylog_record record = example();

    record.reason = REASON_ROUTE_MISSING;
    record.class = CLIENT_PEERED;
    record.transport = TRANSPORT_TCP;
    record.service_ms = 12;
    expect(&record, QUERYLOG_LOGFMT,
           "2024-10-16T12:00:00.000000+00:00 heroku[dns]: at=info code=Q40 desc=\"The peering has "
           "no route to a router\" host=frozen-oasis-70544.herokuapp.com qtype=A "
           "fwd=\"10.0.130.56\" class=peered space=test-space app=frozen-oasis-70544 "
           "status=NOERROR answers=2 ttl=30 service=12ms bytes=82 protocol=tcp\n");
}

TEST(what_is_not_known_stays_empty)
{
    struct querylog_record record = {.rcode = RCODE_FORMERR, .class = CLIENT_EXTERNAL};

    ck_assert(endpoint_read("2001:db8::9", 40000, &record.client));
    expect(&record, QUERYLOG_LOGFMT,
           "1970-01-01T00:00:00.000000+00:00 heroku[dns]: at=info host= qtype= "
           "fwd=\"2001:db8::9\" class=external space= app= status=FORMERR answers=0 ttl=0 "
           "service=0ms bytes=0 protocol=udp\n");
    expect(
        &record, QUERYLOG_JSON,
        "{\"time\":\"1970-01-01T00:00:00.000000+00:00\",\"source\":\"heroku[dns]\","
        "\"at\":\"info\",\"host\":null,\"qtype\":null,\"fwd\":\"2001:db8::9\","
        "\"class\":\"external\",\"space\":null,\"app\":null,\"status\":\"FORMERR\",\"answers\":0,"
        "\"ttl\":0,\"service\":\"0ms\",\"bytes\":0,\"protocol\":\"udp\"}\n");
}

static const struct {
    enum upstream_use use;
    const char *upstream;
    const char *pairs;
    const char *json;
} uses[] = {
    {UPSTREAM_UNUSED, "10.0.0.2", "app=", "\"app\":null"},
    {UPSTREAM_ASKED, "10.0.0.2@5353", "app= upstream=10.0.0.2@5353 cached=no",
     "\"app\":null,\"upstream\":\"10.0.0.2@5353\",\"cached\":\"no\""},
    {UPSTREAM_CACHED, "", "app= upstream= cached=fresh",
     "\"app\":null,\"upstream\":null,\"cached\":\"fresh\""},
    {UPSTREAM_STALE, "tls://9.9.9.9#dns.quad9.net",
     "app= upstream=tls://9.9.9.9#dns.quad9.net cached=stale",
     "\"app\":null,\"upstream\":\"tls://9.9.9.9#dns.quad9.net\",\"cached\":\"stale\""},
};

TEST_OVER(a_forwarded_name_has_its_upstream_and_whether_it_was_cached, uses)
{
    struct querylog_record record = example();
    char line[1024];

    record.app_length = 0;
    record.upstream_use = (uint8_t)uses[_i].use;
    record.upstream_length = (uint8_t)strlen(uses[_i].upstream);
    memcpy(record.upstream, uses[_i].upstream, strlen(uses[_i].upstream));
    snprintf(line, sizeof line,
             "2024-10-16T12:00:00.000000+00:00 heroku[dns]: at=info "
             "host=frozen-oasis-70544.herokuapp.com qtype=A fwd=\"10.0.130.56\" class=space "
             "space=test-space %s status=NOERROR answers=2 ttl=30 service=0ms bytes=82 "
             "protocol=udp\n",
             uses[_i].pairs);
    expect(&record, QUERYLOG_LOGFMT, line);
    snprintf(line, sizeof line,
             "{\"time\":\"2024-10-16T12:00:00.000000+00:00\",\"source\":\"heroku[dns]\","
             "\"at\":\"info\",\"host\":\"frozen-oasis-70544.herokuapp.com\",\"qtype\":\"A\","
             "\"fwd\":\"10.0.130.56\",\"class\":\"space\",\"space\":\"test-space\",%s,"
             "\"status\":\"NOERROR\",\"answers\":2,\"ttl\":30,\"service\":\"0ms\",\"bytes\":82,"
             "\"protocol\":\"udp\"}\n",
             uses[_i].json);
    expect(&record, QUERYLOG_JSON, line);
}

TEST(the_log_counts_what_it_leaves_out_in_a_line_of_its_own)
{
    char octets[QUERYLOG_LINE_OCTETS + 1];
    struct text text = text_over(octets, QUERYLOG_LINE_OCTETS);

    querylog_format_left_out(0, 1204, "more than fits", QUERYLOG_LOGFMT, &text);
    querylog_format_left_out(0, 1204, "more than fits", QUERYLOG_JSON, &text);
    *text.next = '\0';
    ck_assert_str_eq(octets,
                     "1970-01-01T00:00:00.000000+00:00 heroku[dns]: at=info left_out=1204 "
                     "desc=\"more than fits\"\n"
                     "{\"time\":\"1970-01-01T00:00:00.000000+00:00\",\"source\":\"heroku[dns]\","
                     "\"at\":\"info\",\"left_out\":1204,\"desc\":\"more than fits\"}\n");
}

TEST(json_has_the_same_keys)
{
    struct querylog_record record = example();

    record.reason = REASON_CRASHED;
    expect(&record, QUERYLOG_JSON,
           "{\"time\":\"2024-10-16T12:00:00.000000+00:00\",\"source\":\"heroku[dns]\","
           "\"at\":\"error\",\"code\":\"Q10\",\"desc\":\"App crashed\","
           "\"host\":\"frozen-oasis-70544.herokuapp.com\",\"qtype\":\"A\",\"fwd\":\"10.0.130.56\","
           "\"class\":\"space\",\"space\":\"test-space\",\"app\":\"frozen-oasis-70544\","
           "\"status\":\"NOERROR\",\"answers\":2,\"ttl\":30,\"service\":\"0ms\",\"bytes\":82,"
           "\"protocol\":\"udp\"}\n");
}

TEST(a_name_cannot_forge_a_line_or_a_pair)
{
    static const uint8_t name[] = "\x0b"
                                  "a b\"\n=.\\\x7f\xffz";
    struct querylog_record record = example();
    char octets[QUERYLOG_LINE_OCTETS];

    memcpy(record.name, name, sizeof name);
    record.name_length = sizeof name;
    for (enum querylog_format format = QUERYLOG_LOGFMT; format <= QUERYLOG_JSON; format++) {
        struct text text = text_over(octets, sizeof octets);
        querylog_format(&record, format, &text);
        for (const char *at = octets; at < text.next - 1; at++)
            ck_assert(*at >= ' ' && *at <= '~');
        ck_assert_int_eq(text.next[-1], '\n');
        *text.next = '\0';
        const char *host = strstr(octets, format == QUERYLOG_JSON ? "\"host\":" : "host=");
        ck_assert_ptr_nonnull(host);
        if (format == QUERYLOG_LOGFMT)
            ck_assert_ptr_eq(strchr(host, ' '), strstr(host, " qtype=A"));
    }
}

/* A reader of common logfmt: key=bare or key="JSON string", separated by blanks. */
static const char *read_pair(const char *at, char *key, char *value)
{
    while (*at == ' ')
        at++;
    while (*at != '=' && *at != ' ' && *at != '\0')
        *key++ = *at++;
    *key = '\0';
    ck_assert_msg(*at == '=', "no pair at: %s", at);
    at++;
    if (*at != '"') {
        while (*at != ' ' && *at != '\n' && *at != '\0') {
            ck_assert_msg(strchr("\"=\\", *at) == NULL, "a bare value with: %s", at);
            *value++ = *at++;
        }
        *value = '\0';
        return at;
    }
    for (at++; *at != '"'; at++) {
        ck_assert_int_ne(*at, '\0');
        if (*at == '\\') {
            at++;
            ck_assert_msg(*at == '"' || *at == '\\', "an escape of our own: %s", at);
        }
        *value++ = *at;
    }
    *value = '\0';
    at++;
    ck_assert_msg(*at == ' ' || *at == '\n', "text behind a quote: %s", at);
    return at;
}

static const struct {
    uint8_t name[16];
    const char *host;
} hosts[] = {
    {"\x01"
     "a\x03"
     "com",
     "a.com"},
    {"\x03"
     "a=b\x03"
     "com",
     "a=b.com"},
    {"\x03"
     "a\"b\x03"
     "com",
     "a\\\"b.com"},
    {"\x03"
     "a\\b\x03"
     "com",
     "a\\\\b.com"},
    {"\x03"
     "a b\x03"
     "com",
     "a\\032b.com"},
    {"\x03"
     "a.b\x03"
     "com",
     "a\\.b.com"},
};

TEST_OVER(a_reader_of_logfmt_finds_every_pair, hosts)
{
    static const char *const keys[] = {"at",      "host",  "qtype",   "fwd",     "class",
                                       "space",   "app",   "status",  "answers", "ttl",
                                       "service", "bytes", "protocol"};
    struct querylog_record record = example();
    char octets[QUERYLOG_LINE_OCTETS], key[64], value[QUERYLOG_LINE_OCTETS];
    struct text text = text_over(octets, sizeof octets - 1);

    memset(record.name, 0, sizeof record.name);
    memcpy(record.name, hosts[_i].name, sizeof hosts[_i].name);
    record.name_length = (uint8_t)(strlen((const char *)hosts[_i].name) + 1);
    querylog_format(&record, QUERYLOG_LOGFMT, &text);
    *text.next = '\0';
    const char *at = strstr(octets, "heroku[dns]: ") + strlen("heroku[dns]:");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        at = read_pair(at, key, value);
        ck_assert_str_eq(key, keys[i]);
        if (i == 1)
            ck_assert_str_eq(value, hosts[_i].host);
    }
    ck_assert_str_eq(at, "\n");
}

TEST(the_longest_line_is_short_enough)
{
    struct querylog_record record = example();
    char octets[QUERYLOG_LINE_OCTETS];

    /* Three labels of 63 octets and one of 61, each octet of which needs four characters. */
    memset(record.name, 1, sizeof record.name);
    record.name[0] = record.name[64] = record.name[128] = 63;
    record.name[192] = 61;
    record.name[254] = 0;
    record.name_length = 255;
    record.type = 65280;
    record.rcode = 4095;
    record.service_ms = UINT32_MAX;
    record.ttl_seconds = UINT32_MAX;
    record.reason = REASON_NOT_SUPPORTED;
    record.upstream_use = UPSTREAM_STALE;
    record.upstream_length = sizeof record.upstream;
    memset(record.upstream, 'u', sizeof record.upstream);
    record.space_length = sizeof record.space;
    record.app_length = sizeof record.app;
    memset(record.space, 's', sizeof record.space);
    memset(record.app, 'a', sizeof record.app);
    for (enum querylog_format format = QUERYLOG_LOGFMT; format <= QUERYLOG_JSON; format++) {
        struct text text = text_over(octets, sizeof octets);
        querylog_format(&record, format, &text);
        ck_assert(!text.cut);
        ck_assert_int_eq(text.next[-1], '\n');
    }
}
