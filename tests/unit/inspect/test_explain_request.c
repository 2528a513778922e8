#include "inspect/explain_request.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

static bool reads(const char *name, const char *from, const char *type, const char *to,
                  struct explain_request *request, struct err *err)
{
    struct explain_question words = {
        .name = name, .type = type, .client = {.from = from, .to = to}};

    return explain_request_read(&words, request, err);
}

TEST_LOOP(a_name_in_presentation_form_becomes_its_octets, 0, 6)
{
    static const struct {
        const char *text;
        const char *octets;
        uint8_t length;
    } names[] = {
        {".", "\0", 1},
        {"A.Example", "\1a\7example\0", 11},
        {"a.example.", "\1a\7example\0", 11},
        {"a\\.b.c", "\3a.b\1c\0", 7},
        {"\\046\\000.c", "\2.\0\1c\0", 6},
        {"\\\\.c", "\1\\\1c\0", 5},
    };
    struct explain_request request;
    struct err err;

    ck_assert(reads(names[_i].text, "10.0.0.1", NULL, NULL, &request, &err));
    ck_assert_uint_eq(request.query.name.length, names[_i].length);
    ck_assert_mem_eq(request.query.name.octets, names[_i].octets, names[_i].length);
}

TEST_LOOP(an_invalid_question_is_refused_in_a_sentence, 0, 17)
{
    static const struct {
        const char *name, *from, *type, *to, *message;
    } questions[] = {
        {"", "10.0.0.1", NULL, NULL, " is not a domain name; write labels"},
        {"a..b", "10.0.0.1", NULL, NULL, "a..b is not a domain name; write labels"},
        {".a", "10.0.0.1", NULL, NULL, "is not a domain name"},
        {"a\\", "10.0.0.1", NULL, NULL, "is not a domain name"},
        {"a\\25", "10.0.0.1", NULL, NULL, "is not a domain name"},
        {"a\\256", "10.0.0.1", NULL, NULL, "is not a domain name"},
        {"0123456789012345678901234567890123456789012345678901234567890123", "10.0.0.1", NULL, NULL,
         "is not a domain name"},
        {"caf\xc3\xa9.example", "10.0.0.1", NULL, NULL,
         "caf\xc3\xa9.example is not ASCII, so no client asks for it in this form; write it in "
         "Punycode (xn--...)"},
        {"10.0.130.56", "10.0.0.1", NULL, NULL, "ask 56.130.0.10.in-addr.arpa --type PTR"},
        {"a", NULL, NULL, NULL, "add --from ADDR"},
        {"a", "10.0.0", NULL, NULL, "10.0.0 is not an address"},
        {"a", "10.0.0.256", NULL, NULL, "10.0.0.256 is not an address"},
        {"a", "localhost", NULL, NULL, "localhost is not an address"},
        {"a", "10.0.0.1", "AAA", NULL,
         "AAA is not a record type; did you mean AAAA? write one as A or TYPE65"},
        {"a", "10.0.0.1", "TYPE65536", NULL, "TYPE65536 is not a record type"},
        {"a", "10.0.0.1", "", NULL, " is not a record type"},
        {"a", "10.0.0.1", NULL, "::1", "--to: ::1 is not an IPv4 address"},
    };
    struct explain_request request;
    struct err err;

    ck_assert(!reads(questions[_i].name, questions[_i].from, questions[_i].type, questions[_i].to,
                     &request, &err));
    ck_assert_msg(strstr(err.text, questions[_i].message) != NULL, "%s", err.text);
}

static const struct {
    const char *text;
    bool is_read;
    uint16_t type;
} types[] = {
    {"A", true, 1},
    {"https", true, 65},
    {"apl", true, 42},
    {"NSAP-PTR", true, 23},
    {"ANY", true, 255},
    {"TYPE4711", true, 4711},
    {"type1", true, 1},
    {"TYPE0", true, 0},
    {"TYPE65535", true, 65535},
    {"TYPE65537", false, 0},
    {"TYPE", false, 0},
    {"TYPE-1", false, 0},
    {"TYPE1x", false, 0},
    {"AA", false, 0},
    {"TYPE 1", false, 0},
    {"TYPE99999999999999999999", false, 0},
};

TEST_OVER(a_type_is_read_by_name_or_number, types)
{
    struct explain_request request;
    struct err err;

    ck_assert_int_eq(reads("a", "10.0.0.1", types[_i].text, NULL, &request, &err),
                     types[_i].is_read);
    if (types[_i].is_read)
        ck_assert_uint_eq(request.query.type, types[_i].type);
}

TEST(a_name_too_long_is_refused)
{
    char name[400];
    struct explain_request request;
    struct err err;

    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 2 == 0 ? 'a' : '.';
    name[2 * 127] = '\0';
    ck_assert(reads(name, "10.0.0.1", NULL, NULL, &request, &err));
    ck_assert_uint_eq(request.query.name.length, 255);
    name[2 * 127] = 'a';
    name[sizeof name - 1] = '\0';
    ck_assert(!reads(name, "10.0.0.1", NULL, NULL, &request, &err));
}

TEST_LOOP(a_client_address_is_read_as_the_socket_reports_it, 0, 4)
{
    static const struct {
        const char *text;
        uint32_t source;
        const char *ipv6;
    } clients[] = {
        {"10.0.130.56", 0x0a008238, ""},
        {"::1", 0x7f000001, ""},
        {"::ffff:10.0.130.56", 0x0a008238, ""},
        {"2001:DB8:0::1", 0, "2001:db8::1"},
    };
    struct explain_source source;

    ck_assert(explain_read_source(clients[_i].text, &source));
    ck_assert_uint_eq(source.path.source, clients[_i].source);
    ck_assert_int_eq(source.path.is_ipv6, clients[_i].ipv6[0] != '\0');
    ck_assert_str_eq(source.ipv6, clients[_i].ipv6);
}

TEST(a_device_has_the_length_of_an_interface_name)
{
    static const struct {
        const char *device;
        bool is_read;
    } devices[] = {
        {"ipsec0", true}, {"abcdefghijklmno", true}, {"abcdefghijklmnop", false}, {"", false}};
    struct explain_source source = {.device = "before"};
    struct err err;

    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        const struct explain_client words = {.from = "10.0.0.1", .device = devices[i].device};
        ck_assert(explain_read_client(&words, &source, &err) == devices[i].is_read);
        if (devices[i].is_read)
            ck_assert_str_eq(source.device, devices[i].device);
        else
            ck_assert_ptr_nonnull(strstr(err.text, "--device"));
    }
    ck_assert(explain_read_client(&(struct explain_client){.from = "10.0.0.1"}, &source, &err));
    ck_assert_str_eq(source.device, "");
}

/* A snapshot has a number for each of its devices, whatever interfaces there are. */
TEST(a_client_by_a_device_has_its_number)
{
    const char *const texts[] = {
        "space: a-space\nvpns:\n"
        "  - {name: a, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec0}\n"};
    const struct policy policy = policy_usual();
    struct snapshot *snapshot = snapshot_of_texts(&policy, texts, 1);
    static const struct {
        const char *device;
        bool is_inside;
    } clients[] = {{"ipsec0", true}, {"ipsec1", false}, {NULL, false}};

    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        const struct explain_client words = {.from = "172.18.9.9", .device = clients[i].device};
        struct explain_source source = {.device = ""};
        struct client client;
        struct err err;
        ck_assert(explain_read_client(&words, &source, &err));
        struct path path = explain_path(snapshot, &source);
        client_classify(snapshot, &path, &client);
        ck_assert_uint_eq(client.count, clients[i].is_inside);
    }
    snapshot_free(snapshot);
}

static char *explain_name(const char *name, const char *from, bool is_json)
{
    struct explain_request request;
    struct err err;
    char *octets;
    size_t length;
    FILE *out = open_memstream(&octets, &length);

    ck_assert(reads(name, from, NULL, NULL, &request, &err));
    explain_print(fixture.snapshot, &request, NULL, is_json, out);
    fclose(out);
    return octets;
}

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST(the_last_line_is_the_verdict)
{
    char *octets = explain_name("sleepy-river-2739.herokuapp.com", "10.0.130.56", false);

    ck_assert_ptr_nonnull(strstr(octets, "\nremedy="));
    ck_assert_ptr_nonnull(strstr(octets, "\nverdict=NOERROR without data: Q10 app crashed: "
                                         "sleepy-river-2739 has 1 web dyno, none up\n"));
    free(octets);
}

TEST(a_client_with_ipv6_is_printed_with_its_address_and_is_external)
{
    char *lines = explain_name("api.example.com", "2001:db8::1", false);
    char *octets = explain_name("api.example.com", "2001:db8::1", true);
    json_t *object = json_loads(octets, 0, NULL);

    ck_assert_msg(strstr(lines, "\nclient=2001:db8::1 class=external: in no space") != NULL, "%s",
                  lines);
    ck_assert_str_eq(json_string_value(json_object_get(object, "from")), "2001:db8::1");
    ck_assert_str_eq(json_string_value(json_object_get(object, "class")), "external");
    json_decref(object);
    free(octets);
    free(lines);
}

TEST(json_has_the_code_the_class_and_every_step)
{
    char *octets = explain_name("sleepy-river-2739.herokuapp.com", "10.20.3.4", true);
    json_t *object = json_loads(octets, 0, NULL);
    json_t *reason = json_object_get(object, "reason");

    ck_assert_ptr_nonnull(object);
    ck_assert_str_eq(json_string_value(json_object_get(object, "class")), "peered");
    ck_assert_str_eq(json_string_value(json_object_get(object, "rcode")), "NOERROR");
    ck_assert(json_is_false(json_object_get(object, "data")));
    ck_assert_str_eq(json_string_value(json_object_get(reason, "code")), "Q10");
    ck_assert_uint_ge(json_array_size(json_object_get(object, "steps")), 4);
    json_decref(object);
    free(octets);
}

/* Returns the explanation of a forwarded name with workers of these states. */
static char *explain_live(const struct explain_worker *workers, size_t count, bool is_json)
{
    struct explain_live live = {.workers = workers, .count = count, .json = json_array()};
    struct explain_request request;
    struct err err;
    char *octets;
    size_t length;
    FILE *out = open_memstream(&octets, &length);

    json_array_append_new(live.json, json_integer(1));
    fixture.snapshot->policy.routes = routes_usual();
    fixture.snapshot->policy.recursion_for.all = 1 << CLIENT_SPACE;
    ck_assert(reads("www.debian.org", "10.0.130.56", NULL, NULL, &request, &err));
    explain_print(fixture.snapshot, &request, &live, is_json, out);
    fclose(out);
    json_decref(live.json);
    return octets;
}

static const struct {
    struct explain_worker workers[4];
    size_t count;
    const char *message;
} live_stories[] = {
    {{{.upstreams = "upstreams=a up 3ms", .cached = "cached=no"}},
     1,
     "zone=.\nupstreams=a up 3ms\ncached=no\nverdict=forward to 10.0.0.2\n"},
    {{{.upstreams = "upstreams=a up 3ms", .cached = "cached=no"},
      {.upstreams = "upstreams=a up 3ms", .cached = "cached=no"}},
     2,
     "zone=.\nupstreams=a up 3ms\ncached=no\nverdict=forward to 10.0.0.2\n"},
    {{{.upstreams = "upstreams=a up 3ms", .cached = "cached=no"},
      {.upstreams = "upstreams=a up 3ms", .cached = "cached=fresh ttl=2", .has_answer = true},
      {.upstreams = "upstreams=a up 3ms", .cached = "cached=no"}},
     3,
     "zone=. upstreams=10.0.0.2\nworkers=1,3 upstreams=a up 3ms cached=no\n"
     "workers=2 upstreams=a up 3ms cached=fresh ttl=2\nverdict=forward to 10.0.0.2\n"},
    {{{.upstreams = NULL},
      {.upstreams = "upstreams=a failing", .cached = "cached=no"},
      {.upstreams = NULL}},
     3,
     "zone=. upstreams=10.0.0.2\nworkers=1,3 have not reported; are they overloaded?\n"
     "workers=2 upstreams=a failing cached=no\nverdict=forward to 10.0.0.2\n"},
    {{{.upstreams = NULL}},
     1,
     "zone=. upstreams=10.0.0.2\nworkers=1 have not reported; are they overloaded?\n"
     "verdict=forward to 10.0.0.2\n"},
};

TEST_OVER(the_state_of_workers_is_printed_once_or_by_worker, live_stories)
{
    char *octets = explain_live(live_stories[_i].workers, live_stories[_i].count, false);

    ck_assert_msg(strstr(octets, live_stories[_i].message) != NULL, "%s", octets);
    free(octets);
}

static const struct alias_hops no_hops = {.count = 0};

/* A cached alias leads to a name of ours: the answer for that name is printed. */
TEST(cached_aliases_are_followed_if_workers_agree)
{
    static struct alias_hops hops = {.count = 1}, elsewhere = {.count = 1};
    const struct explain_worker alike[] = {
        {.upstreams = "upstreams=a up 3ms",
         .cached = "cached=fresh ttl=2",
         .has_answer = true,
         .hops = &hops},
        {.upstreams = "upstreams=a up 2ms", .cached = "cached=no", .hops = &no_hops}};
    const struct explain_worker other[] = {{.upstreams = "upstreams=a up 3ms",
                                            .cached = "cached=fresh ttl=2",
                                            .has_answer = true,
                                            .hops = &hops},
                                           {.upstreams = "upstreams=a up 3ms",
                                            .cached = "cached=fresh ttl=9",
                                            .has_answer = true,
                                            .hops = &elsewhere}};

    ck_assert(name_from_text("sleepy-river-2739.herokuapp.com", &hops.targets[0]));
    ck_assert(name_from_text("api.example.com", &elsewhere.targets[0]));
    char *lines = explain_live(alike, 2, false);
    ck_assert_msg(strstr(lines,
                         "alias=www.debian.org target=sleepy-river-2739.herokuapp.com, as an "
                         "upstream answered\n") != NULL,
                  "%s", lines);
    ck_assert_msg(strstr(lines, "verdict=NOERROR without data at sleepy-river-2739.herokuapp.com: "
                                "Q10 ") != NULL,
                  "%s", lines);
    free(lines);
    lines = explain_live(alike, 2, true);
    json_t *object = json_loads(lines, 0, NULL);
    ck_assert(json_is_false(json_object_get(object, "forwarded")));
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(object, "reason"), "code")),
                     "Q10");
    json_decref(object);
    free(lines);
    lines = explain_live(other, 2, false);
    ck_assert_msg(strstr(lines, "verdict=forward to 10.0.0.2\n") != NULL, "%s", lines);
    free(lines);
}

static const struct upstream_outcome withheld = {.has_answer = true, .has_space_address = true},
                                     failed = {.fault = UPSTREAM_FAULT_NETWORK,
                                               .fault_text = "nobody listens at",
                                               .server = "10.0.0.2"};

TEST(a_withheld_cached_answer_is_printed)
{
    const struct explain_worker workers[] = {
        {.upstreams = "upstreams=a up 3ms",
         .cached = "cached=fresh ttl=2",
         .has_answer = true,
         .outcome = &withheld},
        {.upstreams = "upstreams=a up 3ms", .cached = "cached=no"}};
    char *lines = explain_live(workers, 2, false);

    ck_assert_msg(strstr(lines, "\nverdict=NOERROR without data: Q23 ") != NULL, "%s", lines);
    ck_assert_msg(strstr(lines, "\nworkers=1 upstreams=a up 3ms cached=fresh ttl=2\n") != NULL,
                  "%s", lines);
    free(lines);
    lines = explain_live(workers, 2, true);
    json_t *object = json_loads(lines, 0, NULL);
    ck_assert(json_is_false(json_object_get(object, "forwarded")));
    ck_assert_str_eq(json_string_value(json_object_get(object, "rcode")), "NOERROR");
    json_decref(object);
    free(lines);
}

/* What clients get now is the same reason as in the EDE. */
TEST(a_cached_failure_is_the_verdict)
{
    const struct explain_worker workers[] = {
        {.upstreams = "upstreams=a failing", .cached = "cached=no"},
        {.upstreams = "upstreams=a failing", .cached = "cached=failed x", .outcome = &failed}};
    char *lines = explain_live(workers, 2, false);

    ck_assert_msg(strstr(lines, "\nremedy=look at the network, ") != NULL, "%s", lines);
    ck_assert_msg(strstr(lines, "\nverdict=SERVFAIL: Q22 nobody listens at 10.0.0.2\n") != NULL,
                  "%s", lines);
    free(lines);
    lines = explain_live(workers, 2, true);
    json_t *object = json_loads(lines, 0, NULL);
    ck_assert(json_is_false(json_object_get(object, "forwarded")));
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(object, "reason"), "code")),
                     "Q22");
    json_decref(object);
    free(lines);
}

TEST(a_failure_of_one_worker_is_not_the_verdict_if_another_has_an_answer)
{
    const struct explain_worker workers[] = {
        {.upstreams = "upstreams=a up 3ms", .cached = "cached=failed x", .outcome = &failed},
        {.upstreams = "upstreams=a up 3ms", .cached = "cached=fresh ttl=2", .has_answer = true}};
    char *lines = explain_live(workers, 2, false);

    ck_assert_msg(strstr(lines, "\nverdict=forward to 10.0.0.2\n") != NULL, "%s", lines);
    free(lines);
}

/* ---- what clients are held back by ---- */

/* Returns the explanation of a crashed app's name, as from a running server. */
static char *explain_held_back(const char *from, const struct explain_limited *limited,
                               uint32_t raised_ttl_seconds, bool is_json)
{
    struct explain_live live = {
        .json = json_array(), .raised_ttl_seconds = raised_ttl_seconds, .limited = *limited};
    struct explain_request request;
    struct err err;
    char *octets;
    size_t length;
    FILE *out = open_memstream(&octets, &length);

    ck_assert(reads("sleepy-river-2739.herokuapp.com", from, NULL, NULL, &request, &err));
    explain_print(fixture.snapshot, &request, &live, is_json, out);
    fclose(out);
    json_decref(live.json);
    return octets;
}

static const struct explain_limited not_limited = {.requests = 0};

TEST(a_raised_ttl_is_printed_for_a_name_that_is_not_forwarded)
{
    char *lines = explain_held_back("10.0.130.56", &not_limited, 20, false);

    ck_assert_msg(strstr(lines, "\nnegative_ttl=20 raised: ") != NULL, "%s", lines);
    ck_assert_msg(strstr(lines, "limited=") == NULL, "%s", lines);
    free(lines);
    lines = explain_held_back("10.0.130.56", &not_limited, 20, true);
    json_t *object = json_loads(lines, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(object, "raised_ttl_seconds")), 20);
    ck_assert(json_is_null(json_object_get(object, "limited")));
    ck_assert_ptr_null(json_object_get(object, "workers"));
    json_decref(object);
    free(lines);
}

static const struct {
    const char *from;
    struct explain_limited limited;
    uint32_t client_rate, external_rate;
    const char *line; /* NULL: none */
} limited_stories[] = {
    {"10.0.130.56",
     {.who = "10.0.130.56", .requests = 3812, .since_s = 12, .ago_s = 2},
     100,
     20,
     "limited=10.0.130.56 requests=3812 since=12s last=2s: more than client_rate=100 a second; "
     "those above it get Q60 or no reply"},
    {"203.0.113.9",
     {.who = "203.0.113.0/24", .requests = 9, .since_s = 0, .ago_s = 0},
     100,
     20,
     "limited=203.0.113.0/24 requests=9 since=0s last=0s: more than external_rate=20 a second; "
     "those above it get a truncated reply or none"},
    {"10.0.130.56", {.who = "10.0.130.56", .requests = 0}, 100, 20, NULL},
    {"10.0.130.56", {.who = "10.0.130.56", .requests = 9}, 0, 20, NULL},
};

TEST_OVER(a_limited_client_is_printed_with_its_rate, limited_stories)
{
    fixture.snapshot->policy.client_rate = limited_stories[_i].client_rate;
    fixture.snapshot->policy.external_rate = limited_stories[_i].external_rate;
    char *lines =
        explain_held_back(limited_stories[_i].from, &limited_stories[_i].limited, 0, false);
    if (limited_stories[_i].line == NULL)
        ck_assert_msg(strstr(lines, "limited=") == NULL, "%s", lines);
    else
        ck_assert_msg(strstr(lines, limited_stories[_i].line) != NULL, "%s", lines);
    ck_assert_msg(strstr(lines, "negative_ttl=") == NULL, "%s", lines);
    free(lines);
    lines = explain_held_back(limited_stories[_i].from, &limited_stories[_i].limited, 0, true);
    json_t *object = json_loads(lines, 0, NULL);
    ck_assert(json_is_null(json_object_get(object, "raised_ttl_seconds")));
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_object_get(object, "limited"), "requests")),
        (json_int_t)limited_stories[_i].limited.requests);
    json_decref(object);
    free(lines);
}

TEST(json_has_the_lines_and_the_state_of_each_worker)
{
    char *octets = explain_live(live_stories[2].workers, live_stories[2].count, true);
    json_t *object = json_loads(octets, 0, NULL);
    json_t *steps = json_object_get(object, "steps");

    ck_assert_uint_eq(json_array_size(steps), 6);
    ck_assert_str_eq(json_string_value(json_array_get(steps, 4)),
                     "workers=2 upstreams=a up 3ms cached=fresh ttl=2");
    ck_assert_uint_eq(json_array_size(json_object_get(object, "workers")), 1);
    json_decref(object);
    free(octets);
}

static char *tell_client(const char *from, bool is_json)
{
    struct explain_source source = {0};
    char *octets;
    size_t length;
    FILE *out = open_memstream(&octets, &length);

    ck_assert(explain_read_source(from, &source));
    explain_print_client(fixture.snapshot, &source, is_json, out);
    fclose(out);
    return octets;
}

/* An operator gets why a client is outside although a zone file lists its address. */
static const struct {
    const char *from, *cause;
} outsiders[] = {
    {"10.30.3.4", "10.30.3.4 is in cidr_blocks of peering pcx-222bbb222 of test-space "
                  "(space.yaml:21), which is pending-acceptance: its clients are inside once its "
                  "status is active"},
    {"192.168.7.7", "192.168.7.7 is in routable_cidrs of VPN branch of test-space "
                    "(space.yaml:28), which is failed: its clients are inside once its status is "
                    "active"},
    {"192.0.2.10", "192.0.2.10 is in trusted_ips of space test-space (space.yaml:29), which let "
                   "nobody ask for names: list the network in a peering or VPN"},
};

TEST_OVER(an_operator_gets_why_a_client_is_outside, outsiders)
{
    char line[512], *lines = tell_client(outsiders[_i].from, false);

    snprintf(line, sizeof line,
             "\nin no space, active peering or VPN: it gets Q18 for every name\n%s\n",
             outsiders[_i].cause);
    ck_assert_msg(strstr(lines, line) != NULL, "%s", lines);
    free(lines);
    lines = tell_client(outsiders[_i].from, true);
    json_t *object = json_loads(lines, 0, NULL), *outside = json_object_get(object, "outside");
    ck_assert_uint_eq(json_array_size(outside), 1);
    ck_assert_str_eq(json_string_value(json_array_get(outside, 0)), outsiders[_i].cause);
    json_decref(object);
    free(lines);
    snprintf(line, sizeof line, "class=external: in no space, active peering or VPN\n%s\nremedy=",
             outsiders[_i].cause);
    lines = explain_name("api.example.com", outsiders[_i].from, false);
    ck_assert_msg(strstr(lines, line) != NULL, "%s", lines);
    free(lines);
}

TEST_LOOP(a_clients_class_is_printed_with_the_reason, 0, 6)
{
    static const char *const clients[][2] = {
        {"10.0.130.56", "address=10.0.130.56\nclass=space space=test-space "
                        "app=frozen-oasis-70544 dyno=web.1 because of 10.0.0.0/16 (space.yaml:14)"},
        {"10.0.144.9", "address=10.0.144.9\nclass=space space=test-space because of 10.0.0.0/16"},
        {"10.20.3.4", "class=peered space=test-space connection=pcx-111aaa111 because of "
                      "10.20.0.0/16 (space.yaml:20)"},
        {"172.16.9.9", "class=vpn space=test-space connection=office because of 172.16.0.0/16 "
                       "(space.yaml:26)"},
        {"203.0.113.9", "address=203.0.113.9 class=external\nin no space"},
        {"fd00::1", "address=fd00::1 class=external\n"},
    };
    char *octets = tell_client(clients[_i][0], false);

    ck_assert_msg(strstr(octets, clients[_i][1]) != NULL, "%s", octets);
    free(octets);
    octets = tell_client(clients[_i][0], true);
    json_t *object = json_loads(octets, 0, NULL);
    ck_assert_ptr_nonnull(object);
    ck_assert(json_is_array(json_object_get(object, "memberships")));
    json_decref(object);
    free(octets);
}
