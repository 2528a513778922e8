#include "inspect/status_print.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "support/zones.h"

static struct listen_address address;
static struct settings settings;
static struct state state;
static struct status status;

static void set_up(void)
{
    snapshot_set_up();
    ck_assert(endpoint_read("127.0.0.1:5300", DNS_PORT, &address.endpoint));
    address.schemes = 1U << LISTEN_UDP | 1U << LISTEN_TCP;
    settings = (struct settings){
        .cookies = true, .zones = "no/such/folder", .listen = {.items = &address, .count = 1}};
    state = (struct state){.folder = -1, .zones = -1};
    status = (struct status){.pid = 42,
                             .uptime_s = 7,
                             .snapshot = fixture.snapshot,
                             .settings = &settings,
                             .control_socket = "/run/c",
                             .state = &state,
                             .privileges = {.user = "spacedns",
                                            .capabilities = "none",
                                            .has_no_new = true,
                                            .landlock = "ABI 6",
                                            .seccomp = "kill"},
                             .worker_count = 3};
}

static void tear_down(void)
{
    snapshot_tear_down();
}

static char *lines(void)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    status_print_text(&status, out);
    fclose(out);
    return text;
}

static json_t *object(void)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    status_print_json(&status, out);
    fclose(out);
    json_t *read = json_loads(text, 0, NULL);
    free(text);
    ck_assert(json_is_object(read));
    return read;
}

static void check_line(const char *wanted)
{
    char *text = lines();

    ck_assert_msg(strstr(text, wanted) != NULL, "%s", text);
    free(text);
}

FIXTURE(set_up, tear_down)

/* Which secrets are in use, and never what they are. */
TEST(cookies_are_told_without_their_secrets)
{
    settings.cookie_secrets = (struct cookie_secrets){.count = 1, .octets = {"SECRETsecret1234"}};
    check_line("\ncookies                  cookie_secrets set\n");
    char *text = lines();
    ck_assert(strstr(text, "SECRET") == NULL && strstr(text, "534543524554") == NULL);
    free(text);
    settings.cookies = false;
    check_line("\ncookies                  off\n");
}

TEST(the_ports_of_upstream_queries_are_told_with_what_they_are_worth)
{
    settings.upstream_port_count = 28232;
    check_line("\nupstream_ports           system, 28232 ports, 14.7 bits\n");
    json_t *printed = object();
    char *ports = json_dumps(json_object_get(printed, "upstream_ports"),
                             JSON_COMPACT | JSON_REAL_PRECISION(15));
    ck_assert_str_eq(ports, "{\"drawn_from\":\"system\",\"count\":28232,\"bits\":14.7}");
    free(ports);
    json_decref(printed);
    settings.upstream_port_count = 16383;
    check_line("\nupstream_ports           ! system, 16383 ports, 13.9 bits\n");
    settings.upstream_ports = UPSTREAM_PORTS_ANY;
    settings.upstream_port_count = 64512;
    check_line("\nupstream_ports           any, 64512 ports, 15.9 bits\n");
}

TEST(a_quiet_server_prints_what_it_serves_and_nothing_else)
{
    char *text = lines(), expected[1024];

    snprintf(expected, sizeof expected,
             "version                  %s\n"
             "pid                      42\n"
             "uptime_seconds           7\n"
             "generation               %llu\n"
             "zones                    no/such/folder\n"
             "control_socket           /run/c\n"
             "listen                   127.0.0.1:5300\n"
             "workers                  3\n"
             "spaces                   4\n"
             "apps                     %zu\n"
             "hosts                    %zu\n"
             "kept_back                0\n"
             "user                     spacedns\n"
             "capabilities             none\n"
             "no_new_privileges        yes\n"
             "landlock                 ABI 6\n"
             "seccomp                  kill\n"
             "cookies                  own secrets\n"
             "upstream_ports           system, how many is not known\n",
             SPACEDNS_VERSION, (unsigned long long)fixture.snapshot->generation,
             fixture.snapshot->app_count, fixture.snapshot->host_count);
    ck_assert_str_eq(text, expected);
    free(text);
}

static const struct {
    struct status_reload last;
    const char *line;
} reloads[] = {
    {{.end = "done", .ago_s = 119}, "\nlast_reload              done 119 s ago\n"},
    {{.end = "done", .ago_s = 7199}, "\nlast_reload              done 119 min ago\n"},
    {{.end = "refused", .ago_s = 7200, .cause = "z.yaml:3:1: E-TTL: x\n"},
     "\nlast_reload              refused 2 h ago: z.yaml:3:1: E-TTL: x\\x0a\n"},
};

TEST_OVER(the_last_reload_has_its_age_and_cause, reloads)
{
    status.last = reloads[_i].last;
    check_line(reloads[_i].line);
}

static struct status_view views[] = {
    {.worker = 1, .state = "up", .has_rtt = true, .rtt_ms = 5},
    {.worker = 2, .state = "untried"},
    {.worker = 3, .state = "in doubt", .has_rtt = true, .rtt_ms = 3},
};

static const struct {
    size_t first, count; /* of the views */
    bool is_failing;
    const char *line;
} upstreams[] = {
    {0, 3, false, "\nupstream                 10.0.0.2 in doubt 3-5ms\n"},
    {0, 2, false, "\nupstream                 10.0.0.2 in doubt 5ms\n"},
    {1, 1, false, "\nupstream                 10.0.0.2 in doubt\n"},
    {0, 3, true, "\nupstream                 10.0.0.2 in doubt\n"},
};

TEST_OVER(an_upstream_has_the_worst_state_and_the_span_of_round_trips, upstreams)
{
    const struct status_upstream one = {.text = "10.0.0.2",
                                        .worst = "in doubt",
                                        .is_failing = upstreams[_i].is_failing,
                                        .views = views + upstreams[_i].first,
                                        .view_count = upstreams[_i].count};

    status.upstreams = &one;
    status.upstream_count = 1;
    check_line(upstreams[_i].line);
}

/* The root zone and one more. */
static const struct {
    uint64_t routes;
    const char *line;
} zones[] = {
    {1, "\nupstream                 10.0.0.2 up\n"},
    {2, "\nupstream                 10.0.0.2 up for corp.example\n"},
    {3, "\nupstream                 10.0.0.2 up for ., corp.example\n"},
};

TEST_OVER(an_upstream_has_its_zones_unless_it_is_the_roots_alone, zones)
{
    struct route routes[2] = {{.upstreams = "10.0.0.2"}, {.upstreams = "10.0.0.2"}};
    const struct status_upstream one = {
        .text = "10.0.0.2", .worst = "up", .routes = zones[_i].routes};
    struct snapshot snapshot = *fixture.snapshot;

    ck_assert(name_from_text(".", &routes[0].zone));
    ck_assert(name_from_text("corp.example", &routes[1].zone));
    snapshot.policy.routes = (struct routes){.items = routes, .count = 2};
    status.snapshot = &snapshot;
    status.upstreams = &one;
    status.upstream_count = 1;
    check_line(zones[_i].line);
}

TEST(what_is_wrong_is_marked)
{
    static const size_t silent[] = {2, 3};

    state.path = "/var/lib/s";
    check_line("\nstate                    /var/lib/s\n");
    status.state_problem = "disk full";
    check_line("\nstate                    ! disk full\n");
    status.upgrade_problem = "no process to start it";
    check_line("\nupgrade                  ! no process to start it\n");
    status.silent = silent;
    status.silent_count = 2;
    check_line("\nworkers                  3\nsilent_workers           2 3\n");
}

TEST(the_cache_and_counters_come_last_without_zeros)
{
    status.cache = (struct status_cache){.entries = 2, .octets = 100, .octets_most = 4096};
    status.totals.counters[COUNTER_DROPPED] = 5;
    status.totals.rcodes[0] = 6;
    check_line("\nupstream_ports           system, how many is not known\n"
               "cache                    2 entries in 100 of 4096 octets\n"
               "dropped                  5\n"
               "rcode_NOERROR            6\n");
}

/* One that is served from an accepted text, and one that is not served. */
static struct load_last_good last_good[] = {
    {.file = "zones/a.yaml",
     .code = FINDING_TTL,
     .at = {.line = 18, .column = 22},
     .cause = {.code = ERR_RULE, .text = "E-TTL: 0 is too short\n (the first of 3 errors)"},
     .accepted_s = 1729080000,
     .is_served = true},
    {.file = "zones/b.yaml",
     .code = FINDING_DUP,
     .cause = {.code = ERR_RULE, .text = "zones/c.yaml:2:1: E-DUP: it is taken"}},
};

TEST(files_that_are_not_served_as_they_are_have_a_line_each)
{
    status.last_good = last_good;
    status.last_good_count = 2;
    check_line(
        "\nlast_good                ! zones/a.yaml as accepted at 2024-10-16T12:00:00Z: 18:22: "
        "E-TTL: 0 is too short\\x0a (the first of 3 errors)\n"
        "last_good                ! zones/b.yaml is not served: zones/c.yaml:2:1: E-DUP: it "
        "is taken\n");
    json_t *printed = object(), *first, *second;
    first = json_array_get(json_object_get(printed, "last_good"), 0);
    second = json_array_get(json_object_get(printed, "last_good"), 1);
    ck_assert_str_eq(json_string_value(json_object_get(first, "code")), "E-TTL");
    ck_assert_int_eq(json_integer_value(json_object_get(first, "line")), 18);
    ck_assert_str_eq(json_string_value(json_object_get(first, "accepted")), "2024-10-16T12:00:00Z");
    ck_assert(json_is_true(json_object_get(first, "served")));
    ck_assert(json_is_null(json_object_get(second, "accepted")));
    ck_assert(json_is_false(json_object_get(second, "served")));
    json_decref(printed);
}

TEST(each_device_has_a_line)
{
    static const char text[] =
        "space: a-space\nvpns:\n"
        "  - {name: a, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec0}\n"
        "  - {name: b, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec1}\n";
    const char *const texts[] = {text};
    const struct policy policy = policy_usual();
    struct snapshot *snapshot = snapshot_of_texts(&policy, texts, 1);

    status.snapshot = snapshot;
    access_set_interface(&snapshot->access, 1, 4);
    check_line("\ndevice                   ! no interface ipsec0\n"
               "device                   ipsec1\n");
    json_t *printed = object();
    char *devices = json_dumps(json_object_get(printed, "devices"), JSON_COMPACT);
    ck_assert_str_eq(devices, "[{\"name\":\"ipsec0\",\"has_interface\":false},"
                              "{\"name\":\"ipsec1\",\"has_interface\":true}]");
    free(devices);
    json_decref(printed);
    snapshot_free(snapshot);
}

TEST(a_registry_stands_in_place_of_the_folder)
{
    const struct registry_status registry = {.endpoint = "http://10.1.0.3:2379",
                                             .server_version = "3.5.16",
                                             .cell = "eu-1",
                                             .pause = "",
                                             .problem = "",
                                             .old_text = "",
                                             .id = "",
                                             .is_connected = true,
                                             .revision = 9,
                                             .in_force = 9,
                                             .lag_ms = -1};

    status.registry = &registry;
    check_line("\nregistry                 etcd http://10.1.0.3:2379 ");
    char *text = lines();
    bool has_folder = strstr(text, "\nzones ") != NULL;
    free(text);
    ck_assert(!has_folder);
    json_t *printed = object();
    ck_assert(json_is_null(json_object_get(printed, "zones")));
    const json_t *cell = json_object_get(json_object_get(printed, "registry"), "cell");
    ck_assert_str_eq(json_string_value(cell), "eu-1");
    json_decref(printed);
}

TEST(interfaces_are_told_as_they_are_used_or_why_not)
{
    static const struct status_interface interfaces[] = {
        {.name = "eth0", .is_used = true, .state = "native, copied, 1 of 1 queue, 2 addresses"},
        {.name = "eth1\n", .state = "there is no such network interface"}};

    status.interfaces = interfaces;
    status.interface_count = 2;
    check_line("\nxdp                      eth0 native, copied, 1 of 1 queue, 2 addresses\n");
    check_line("\nxdp                      ! eth1\\x0a there is no such network interface\n");
    json_t *printed = object();
    const json_t *second = json_array_get(json_object_get(printed, "xdp"), 1);
    ck_assert(json_is_false(json_object_get(second, "used")));
    ck_assert_str_eq(json_string_value(json_object_get(second, "interface")), "eth1\n");
    json_decref(printed);
}

TEST(json_has_every_member_and_counters_that_are_zero)
{
    static const char *const keys[] = {
        "version", "pid",       "uptime_seconds",  "generation", "last_reload",    "zones",
        "listen",  "workers",   "silent_workers",  "spaces",     "apps",           "control_socket",
        "hosts",   "kept_back", "state",           "upstreams",  "cache",          "raised_ttl",
        "limited", "counters",  "settings",        "flags",      "last_good",      "privileges",
        "cookies", "devices",   "upgrade_problem", "registry",   "upstream_ports", "xdp"};
    const struct status_upstream one = {
        .text = "10.0.0.2", .worst = "up", .views = views, .view_count = 2};

    status.upstreams = &one;
    status.upstream_count = 1;
    status.control_socket = "/run/\xff";
    settings.file = "no/such/file";
    settings.argc = 3;
    settings.argv = (char *[]){"spacednsd", "--settings", "no/such/file"};
    json_t *printed = object();
    ck_assert_uint_eq(json_object_size(printed), sizeof keys / sizeof keys[0]);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        ck_assert_msg(json_object_get(printed, keys[i]) != NULL, "%s", keys[i]);
    ck_assert_str_eq(json_string_value(json_object_get(printed, "control_socket")), "/run/\\xff");
    ck_assert_str_eq(json_string_value(json_object_get(printed, "settings")), "no/such/file");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(printed, "flags"), 1)),
                     "no/such/file");
    ck_assert_uint_eq(json_object_size(json_object_get(printed, "counters")), COUNTER_COUNT);
    char *privileges = json_dumps(json_object_get(printed, "privileges"), JSON_COMPACT);
    ck_assert_str_eq(privileges, "{\"user\":\"spacedns\",\"capabilities\":\"none\","
                                 "\"no_new_privileges\":true,\"landlock\":\"ABI 6\","
                                 "\"seccomp\":\"kill\"}");
    free(privileges);
    char *upstream = json_dumps(json_object_get(printed, "upstreams"), JSON_COMPACT);
    ck_assert_str_eq(upstream, "[{\"upstream\":\"10.0.0.2\",\"zones\":[],\"workers\":["
                               "{\"state\":\"up\",\"rtt_ms\":5,\"worker\":1},"
                               "{\"state\":\"untried\",\"worker\":2}]}]");
    free(upstream);
    json_decref(printed);
}
