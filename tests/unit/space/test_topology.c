/* The platform's topology: written text can be read again, and other text does no harm. */
#include "space/topology.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "space/parse.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct arena *arena;
static struct suffixes suffixes;

static void set_up(void)
{
    arena = arena_new();
    suffixes = suffixes_default();
}

static void tear_down(void)
{
    arena_free(arena);
}

static struct space *parse(const char *yaml)
{
    struct report *report = report_new();
    struct space *space = space_parse(arena, "test.yaml", yaml, strlen(yaml), report);

    if (!report_is_clean(report))
        report_print(report, stderr);
    ck_assert(report_is_clean(report));
    report_free(report);
    ck_assert_ptr_nonnull(space);
    return space;
}

static struct space *parse_test_space(void)
{
    const char *source = getenv("SOURCE_DIR");
    char path[SCRATCH_PATH_MOST];
    size_t length;

    snprintf(path, sizeof path, "%s/zones/test-space.yaml", source == NULL ? "." : source);
    char *text = file_read(path, &length);
    ck_assert_ptr_nonnull(text);
    char *yaml = arena_text(arena, text, length);
    free(text);
    return parse(yaml);
}

static char *write(const struct space *space)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ck_assert(topology_write(space, &suffixes, out));
    fclose(out);
    char *kept = arena_text(arena, text, size);
    free(text);
    return kept;
}

static bool read_text(const char *text, size_t length, struct topology *topology, struct err *err)
{
    const struct topology_text given = {.file = "t.json", .octets = text, .length = length};

    return topology_read(arena, &given, &suffixes, topology, err);
}

static struct topology read_good(const char *json)
{
    struct topology topology;
    struct err err = {.text = ""};

    ck_assert_msg(read_text(json, strlen(json), &topology, &err), "%s", err.text);
    return topology;
}

static char *write_again(const struct topology *topology)
{
    const struct space space = {.apps = topology->apps, .app_count = topology->app_count};

    return write(&space);
}

FIXTURE(set_up, tear_down)

TEST(one_app_is_written_in_the_platform_s_keys_and_order)
{
    const struct space *space = parse(
        "space: test-space\n"
        "apps:\n"
        "  - name: cloudapp\n"
        "    id: 7ef41ec6-b4a9-4739-a646-fab8e08960a3\n"
        "    domains: [{hostname: api.example.com, cname: a-1.b-2.herokuspace.com}]\n"
        "    formation:\n"
        "      web: {dynos: [{number: 2, private_ip: 10.0.130.56}, {number: 1, state: down}]}\n");

    ck_assert_str_eq(write(space),
                     "{\n"
                     "  \"version\": 1,\n"
                     "  \"apps\": [\n"
                     "    {\n"
                     "      \"id\": \"7ef41ec6-b4a9-4739-a646-fab8e08960a3\",\n"
                     "      \"domains\": [\n"
                     "        \"a-1.b-2.herokuspace.com\",\n"
                     "        \"api.example.com\",\n"
                     "        \"cloudapp.herokuapp.com\"\n"
                     "      ],\n"
                     "      \"formation\": [\n"
                     "        {\n"
                     "          \"id\": \"824412e4-156f-841d-9aad-5aef113c1f84\",\n"
                     "          \"process_type\": \"web\",\n"
                     "          \"dynos\": [\n"
                     "            {\n"
                     "              \"id\": \"51db0291-8932-8750-af71-505844c13381\",\n"
                     "              \"number\": 2,\n"
                     "              \"private_ip\": \"10.0.130.56\",\n"
                     "              \"hostname\": \"2.web.cloudapp.app.localspace\",\n"
                     "              \"host_entry\": \"10.0.130.56 2.web.cloudapp.app.localspace "
                     "web.cloudapp.app.localspace\"\n"
                     "            }\n"
                     "          ]\n"
                     "        }\n"
                     "      ]\n"
                     "    }\n"
                     "  ]\n"
                     "}\n");
}

TEST(everything_in_an_app_is_sorted_however_the_file_has_it)
{
    const char *first = write(parse(
        "space: test-space\n"
        "apps: [{name: cloudapp, formation: {web: {dynos: [{number: 2, private_ip: 10.0.130.2}, "
        "{number: 10, private_ip: 10.0.130.10}]}, clock: {}}}]\n"));
    const char *second = write(parse(
        "space: test-space\n"
        "apps: [{name: cloudapp, formation: {clock: {}, web: {dynos: [{number: 10, private_ip: "
        "10.0.130.10}, {number: 2, private_ip: 10.0.130.2}]}}}]\n"));

    ck_assert_str_eq(first, second);
    ck_assert_ptr_nonnull(strstr(first, "\"process_type\": \"clock\""));
    ck_assert_uint_lt((size_t)(strstr(first, "\"clock\"") - first),
                      (size_t)(strstr(first, "\"web\"") - first));
    ck_assert_uint_lt((size_t)(strstr(first, "\"number\": 2,") - first),
                      (size_t)(strstr(first, "\"number\": 10,") - first));
}

TEST(what_was_written_and_read_is_written_the_same)
{
    const char *first = write(parse_test_space());
    const struct topology topology = read_good(first);

    ck_assert_uint_eq(topology.app_count, 3);
    ck_assert_str_eq(topology.apps[0].name.text, "frozen-oasis-70544");
    ck_assert_ptr_null(topology.apps[0].default_domain.text);
    ck_assert_uint_eq(topology.apps[0].domain_count, 3);
    ck_assert(topology.apps[0].domains[0].is_wildcard);
    ck_assert_str_eq(topology.apps[1].name.text, "sleepy-river-2739");
    ck_assert_str_eq(topology.apps[2].name.text, "open-plain-1001");
    ck_assert_str_eq(topology.apps[2].default_domain.text,
                     "open-plain-1001-1234567890ab.herokuapp.com");
    ck_assert_uint_eq(topology.guessed_count, 3);
    ck_assert_uint_eq(topology.left_count, 0);
    ck_assert_str_eq(write_again(&topology), first);
}

#define APP(rest) "{\"version\": 1, \"apps\": [{" rest "}]}"

TEST(formations_is_accepted_for_formation)
{
    const struct topology topology =
        read_good(APP("\"domains\": [\"cloudapp.herokuapp.com\"], \"formations\": "
                      "[{\"process_type\": \"web\", \"dynos\": [{\"number\": 3, \"private_ip\": "
                      "\"10.0.130.56\"}]}]"));

    ck_assert_str_eq(topology.apps[0].formations[0].type.text, "web");
    ck_assert_uint_eq(topology.apps[0].formations[0].dynos[0].number, 3);
    ck_assert_uint_eq(topology.apps[0].formations[0].dynos[0].ip, 0x0a008238);
}

static const struct naming {
    const char *domain;
    const char *hostname; /* or NULL */
    const char *name;
    const char *default_domain; /* NULL: the default one */
} namings[] = {
    {"cloudapp.herokuapp.com", NULL, "cloudapp", NULL},
    {"Cloudapp.HerokuApp.com.", NULL, "cloudapp", NULL},
    {"cloudapp-1234567890ab.herokuapp.com", NULL, "cloudapp",
     "cloudapp-1234567890ab.herokuapp.com"},
    {"cloudapp-abcdefghijkl.herokuapp.com", NULL, "cloudapp-abcdefghijkl", NULL},
    {"cloudapp-1234567890ab.dns.herokuapp.com", NULL, "cloudapp",
     "cloudapp-1234567890ab.dns.herokuapp.com"},
    {"cloudapp-1234567890ab.herokuapp.com", "1.web.cloudapp-1234567890ab.app.localspace",
     "cloudapp-1234567890ab", NULL},
    {"example.com", "1.example-app-90210.app.localspace", "example-app-90210", NULL},
    {"example.com", "1.web.app.app.localspace", "app", NULL},
};

TEST_OVER(an_app_s_name_comes_from_its_dynos_or_its_default_domain, namings)
{
    const struct naming *naming = &namings[_i];
    char json[512], hostname[128] = "";

    if (naming->hostname != NULL)
        snprintf(hostname, sizeof hostname,
                 "{\"number\": 1, \"private_ip\": \"10.0.130.56\", \"hostname\": \"%s\"}",
                 naming->hostname);
    snprintf(json, sizeof json,
             APP("\"domains\": [\"%s\"], \"formation\": [{\"process_type\": \"web\", "
                 "\"dynos\": [%s]}]"),
             naming->domain, hostname);
    const struct app *app = read_good(json).apps;
    ck_assert_str_eq(app->name.text, naming->name);
    if (naming->default_domain == NULL)
        ck_assert_ptr_null(app->default_domain.text);
    else
        ck_assert_str_eq(app->default_domain.text, naming->default_domain);
}

TEST(targets_are_assigned_in_order_and_the_last_one_to_the_rest)
{
    const struct topology topology =
        read_good(APP("\"domains\": [\"b.example.com\", \"t2.herokudns.com\", \"a.example.com\", "
                      "\"t1.herokudns.com\", \"c.example.com\", \"a.example.com\", "
                      "\"cloudapp.herokuapp.com\"], \"formation\": []"));
    const struct app *app = &topology.apps[0];

    ck_assert_uint_eq(app->domain_count, 3);
    ck_assert_str_eq(app->domains[0].hostname.text, "a.example.com");
    ck_assert_str_eq(app->domains[0].cname.text, "t1.herokudns.com");
    ck_assert_str_eq(app->domains[1].cname.text, "t2.herokudns.com");
    ck_assert_str_eq(app->domains[2].cname.text, "t2.herokudns.com");
    ck_assert_uint_eq(topology.guessed_count, 3);
}

TEST(a_target_without_a_domain_is_counted_as_left_over)
{
    const struct topology topology =
        read_good(APP("\"domains\": [\"t1.x.herokuspace.com\", \"cloudapp.herokuapp.com\"], "
                      "\"formation\": []"));

    ck_assert_uint_eq(topology.apps[0].domain_count, 0);
    ck_assert_uint_eq(topology.left_count, 1);
}

#define AGAIN "; correct it, or fetch the topology again"
#define GOOD "\"domains\": [\"cloudapp.herokuapp.com\"]"
#define FORMATION(rest) APP(GOOD ", \"formation\": [{" rest "}]")
#define DYNO(rest) FORMATION("\"process_type\": \"web\", \"dynos\": [{" rest "}]")

static const struct refusal {
    const char *json;
    const char *text;
} refusals[] = {
    {"", "t.json:1:0: '[' or '{' expected near end of file; it is incomplete, fetch the topology "
         "again"},
    {"{\"version\": 1",
     "t.json:1:13: '}' expected near end of file; it is incomplete, fetch the topology again"},
    {"{\"version\": 1, \"version\": 1}",
     "t.json:1:24: duplicate object key near '\"version\"'" AGAIN},
    {"{\"version\": \x01}", "t.json:1:13: invalid token near '?'" AGAIN},
    {"[]", "t.json: it must be an object with `apps`, found a list" AGAIN},
    {"{}", "t.json: version must be 1, found nothing" AGAIN},
    {"{\"version\": 2, \"apps\": []}", "t.json: version must be 1, found a number" AGAIN},
    {"{\"version\": 1, \"apps\": {}}", "t.json: apps must be a list, found an object" AGAIN},
    {"{\"version\": 1, \"apps\": [7]}", "t.json: apps[0] must be an object, found a number" AGAIN},
    {APP("\"id\": \"x\\u001b\""), "t.json: apps[0].id must be a UUID, found a text `x?`" AGAIN},
    {APP(GOOD), "t.json: apps[0].formation must be a list, found nothing" AGAIN},
    {APP(GOOD ", \"formation\": [], \"formations\": []"),
     "t.json: apps[0].formations must be absent where there is `formation`, found a list" AGAIN},
    {APP("\"formation\": []"),
     "t.json: apps[0].domains must be a list of host names, found nothing" AGAIN},
    {APP("\"formation\": [], \"domains\": [\"caf\\u00e9.example.com\"]"),
     "t.json: apps[0].domains must be a list of host names, found a text "
     "`caf??.example.com`" AGAIN},
    {APP("\"formation\": [], \"domains\": [\"a.herokuapp.com\", \"b.herokuapp.com\"]"),
     "t.json: apps[0].domains must be a list with one default domain, found a text "
     "`b.herokuapp.com`" AGAIN},
    {APP("\"formation\": [], \"domains\": [\"example.com\"]"),
     "t.json: apps[0] does not contain the app's name; it needs a dyno with a hostname, or the "
     "app's "
     "default domain below herokuapp.com among its domains"},
    {APP(GOOD ", \"formations\": [true]"),
     "t.json: apps[0].formations[0] must be an object, found true" AGAIN},
    {FORMATION("\"process_type\": \"we b\""),
     "t.json: apps[0].formation[0].process_type must be 1 to 128 letters, digits, underscores and "
     "hyphens, found a text `we b`" AGAIN},
    {FORMATION("\"process_type\": \"web\", \"dynos\": null"),
     "t.json: apps[0].formation[0].dynos must be a list, found null" AGAIN},
    {DYNO("\"number\": 0"), "t.json: apps[0].formation[0].dynos[0].number must be a whole number "
                            "from 1, found a number" AGAIN},
    {DYNO("\"number\": 1.5"), "t.json: apps[0].formation[0].dynos[0].number must be a whole number "
                              "from 1, found a fraction" AGAIN},
    {DYNO("\"number\": 4294967296"), "t.json: apps[0].formation[0].dynos[0].number must be a whole "
                                     "number from 1, found a number" AGAIN},
    {DYNO("\"number\": 1, \"private_ip\": \"10.0.0.256\""),
     "t.json: apps[0].formation[0].dynos[0].private_ip must be an IPv4 address, found a text "
     "`10.0.0.256`" AGAIN},
    {DYNO("\"number\": 1, \"private_ip\": \"10.0.130.1\", \"hostname\": \"web.1\""),
     "t.json: apps[0].formation[0].dynos[0].hostname must be a name such as "
     "1.web.APP.app.localspace, found a text `web.1`" AGAIN},
};

TEST_OVER(an_invalid_topology_is_refused_with_its_location_and_the_remedy, refusals)
{
    const struct refusal *refusal = &refusals[_i];
    struct topology topology = {.app_count = 77};
    struct err err = {.text = ""};

    ck_assert(!read_text(refusal->json, strlen(refusal->json), &topology, &err));
    ck_assert_str_eq(err.text, refusal->text);
    ck_assert_uint_eq(topology.app_count, 77);
}

/* A generator with a fixed seed: a failure can be repeated. */
static uint64_t state;

static size_t draw(size_t below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % below;
}

static void mutate(char *text, size_t *length)
{
    static const char pieces[] = "{}[]\",:0123456789-.eE\\u \n\x80\xc3\x1b"
                                 "null";
    size_t at = draw(*length), span = draw(24);

    if (span > *length - at)
        span = *length - at;
    switch (draw(5)) {
    case 0: /* cut short */
        *length = at + 1;
        return;
    case 1: /* lose some */
        memmove(text + at, text + at + span, *length - at - span);
        *length -= span;
        *length += *length == 0;
        return;
    case 2: /* copy some elsewhere */
        memmove(text + draw(*length - span + 1), text + at, span);
        return;
    default:
        text[at] = pieces[draw(sizeof pieces - 1)];
        return;
    }
}

TEST_LOOP(mutated_text_is_read_or_refused_with_a_sentence, 0, 10)
{
    enum { EACH = 500 };
    const char *good = write(parse_test_space());
    size_t size = strlen(good), read_count = 0;

    state = (uint64_t)_i + 1;
    for (unsigned i = 0; i < EACH; i++) {
        struct topology topology;
        struct err err = {.text = ""};
        char *text = malloc(size); /* its own, so that a sanitizer sees its end */
        size_t length = size;
        memcpy(text, good, size);
        for (size_t count = 1 + draw(4); count > 0; count--)
            mutate(text, &length);
        if (read_text(text, length, &topology, &err)) {
            ck_assert_ptr_nonnull(write_again(&topology));
            read_count++;
        } else {
            ck_assert_msg(strncmp(err.text, "t.json:", 7) == 0, "%s", err.text);
            ck_assert_ptr_nonnull(strchr(err.text, ';'));
        }
        free(text);
    }
    ck_assert_uint_gt(read_count, 0);
    ck_assert_uint_lt(read_count, EACH);
}

TEST(a_truncated_text_is_never_a_topology)
{
    const char *good = write(parse_test_space());

    for (size_t length = 0; length + 2 < strlen(good); length++) {
        struct topology topology;
        struct err err;
        ck_assert(!read_text(good, length, &topology, &err));
    }
}

/* `head`, then `piece` so often, then `tail`. */
static bool read_long(const char *head, const char *piece, size_t count, const char *tail,
                      struct err *err)
{
    char *text = NULL;
    size_t length = 0;
    struct topology topology;
    FILE *out = open_memstream(&text, &length);

    fputs(head, out);
    for (size_t i = 0; i < count; i++)
        fputs(piece, out);
    fputs(tail, out);
    fclose(out);
    bool is_read = read_text(text, length, &topology, err);
    free(text);
    return is_read;
}

TEST(more_than_any_topology_has_is_refused_before_it_is_parsed)
{
    static const char head[] = "{\"version\":1,\"apps\":[],\"x\":["; /* two [, two commas, one { */
    size_t values = TOPOLOGY_VALUES_MOST - 5;
    struct err err;

    ck_assert_msg(read_long(head, "0,", values, "0]}", &err), "%s", err.text);
    ck_assert(!read_long(head, "0,", values + 1, "no JSON at all", &err));
    ck_assert_str_eq(err.text, "t.json has more than the 1048576 values of any topology; is it "
                               "another file?");
    ck_assert(!read_long("", " ", TOPOLOGY_OCTETS_MOST + 1, "", &err));
    ck_assert_str_eq(err.text, "t.json has more than the 16777216 octets of any topology; is it "
                               "another file?");
    ck_assert(!read_long("", " ", TOPOLOGY_OCTETS_MOST, "", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is incomplete"));
}
