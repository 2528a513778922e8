#include "spacednsd/zones.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer/policy.h"
#include "base/log.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/world.h"

static const char *names[] = {"test-space", "test-spce"};
static const char *targets[] = {"one.app", "two.app"};

static struct settings settings_of(void)
{
    return (struct settings){
        .suffix_apps = "example.app",
        .suffix_discovery = "inside",
        .suffix_targets = {.items = targets, .count = 2},
        .local_as = {.items = names, .count = 1},
        .external = EXTERNAL_NXDOMAIN,
        .localspace_to = 5,
        .recursion_for = 2,
        .server_id = "ns1.test",
    };
}

START_TEST(the_policy_follows_the_settings)
{
    struct settings settings = settings_of();
    struct policy policy;

    ck_assert(policy_set(&policy, &settings));
    ck_assert_str_eq(policy.suffixes.apps, "example.app");
    ck_assert_str_eq(policy.suffixes.discovery, "inside");
    ck_assert_str_eq(policy.suffixes.targets[0], "one.app");
    ck_assert_str_eq(policy.suffixes.targets[1], "two.app");
    ck_assert(policy.external_nxdomain);
    ck_assert_uint_eq(policy.localspace_to, 1U << CLIENT_SPACE | 1U << CLIENT_VPN);
    ck_assert_uint_eq(policy.recursion_for, 1U << CLIENT_PEERED);
    ck_assert_uint_eq(policy.routes.count, 0);
    ck_assert_uint_eq(policy.local.space_count, 1);
    ck_assert_str_eq(policy.server_id, "ns1.test");
    ck_assert_ptr_nonnull(strstr(policy.version, "spacedns "));
}
END_TEST

START_TEST(each_zone_of_upstreams_is_the_route_of_its_number)
{
    struct upstream servers[] = {{.text = "10.0.0.2"}, {.text = "tls://1.1.1.1"}};
    struct upstream_zone zones[] = {
        {.zone = "a.corp.example", .upstreams = {.items = servers, .count = 1}},
        {.zone = "corp.example", .upstreams = {.items = servers, .count = 2}, .allow_rebind = true},
        {.zone = ".", .upstreams = {.items = servers + 1, .count = 1}},
    };
    struct settings settings = settings_of();
    struct policy policy;
    struct name name;

    settings.arena = arena_new();
    settings.upstream_zones = (struct upstream_zones){.items = zones, .count = 3};
    ck_assert(policy_set(&policy, &settings));
    ck_assert_uint_eq(policy.routes.count, 3);
    ck_assert_str_eq(policy.routes.items[0].upstreams, "10.0.0.2");
    ck_assert_str_eq(policy.routes.items[1].upstreams, "10.0.0.2, tls://1.1.1.1");
    ck_assert(!policy.routes.items[0].allow_rebind && policy.routes.items[1].allow_rebind);
    ck_assert(name_from_text("x.corp.example", &name));
    ck_assert_uint_eq(route_find(&policy.routes, &name), 1);
    arena_free(settings.arena);
}
END_TEST

START_TEST(a_zone_that_is_never_forwarded_is_reported)
{
    struct upstream_zone zones[] = {
        {.zone = "x.localhost", .location = "s.yaml:2:3: upstream_zones.x.localhost"},
        {.zone = "home.arpa", .location = "s.yaml:3:3: upstream_zones.home.arpa"},
    };
    struct settings settings = {.upstream_zones = {.items = zones, .count = 2}};
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    ck_assert(!zones_check_routes(&settings, out));
    fclose(out);
    ck_assert_str_eq(text, "s.yaml:2:3: upstream_zones.x.localhost: its names are answered here "
                           "and never asked of an upstream (RFC 6761); take the zone out\n");
    settings.upstream_zones.items++;
    settings.upstream_zones.count--;
    ck_assert(zones_check_routes(&settings, stderr));
    free(text);
}
END_TEST

START_TEST(one_target_suffix_stands_for_both)
{
    struct settings settings = settings_of();
    struct policy policy;

    settings.suffix_targets.count = 1;
    ck_assert(policy_set(&policy, &settings));
    ck_assert_str_eq(policy.suffixes.targets[0], "one.app");
    ck_assert_str_eq(policy.suffixes.targets[1], "one.app");
}
END_TEST

START_TEST(a_missing_space_of_local_as_is_found)
{
    struct settings settings = settings_of();
    struct world world;
    const char *suggestion = NULL;

    world_init_fixture(&world);
    ck_assert_ptr_null(zones_find_missing_local(world.snapshot, &settings, &suggestion));
    settings.local_as.count = 2;
    ck_assert_str_eq(zones_find_missing_local(world.snapshot, &settings, &suggestion), "test-spce");
    ck_assert_str_eq(suggestion, "test-space");
    names[1] = "elsewhere";
    ck_assert_str_eq(zones_find_missing_local(world.snapshot, &settings, &suggestion), "elsewhere");
    ck_assert_ptr_null(suggestion);
    ck_assert_uint_eq(zones_count_spaces(world.snapshot), 1);
    world_close(&world);
}
END_TEST

/* Captures standard error. */
struct capture {
    int kept;
    int pipe[2];
    char text[16384];
};

static void begin_capture(struct capture *capture)
{
    ck_assert_int_eq(pipe(capture->pipe), 0);
    capture->kept = dup(STDERR_FILENO);
    dup2(capture->pipe[1], STDERR_FILENO);
}

static void end_capture(struct capture *capture)
{
    dup2(capture->kept, STDERR_FILENO);
    close(capture->kept);
    close(capture->pipe[1]);
    ssize_t length = read(capture->pipe[0], capture->text, sizeof capture->text - 1);
    capture->text[length < 0 ? 0 : length] = '\0';
    close(capture->pipe[0]);
}

/* Listen addresses, and whether they cover a space at 10.0.0.5. */
static const struct {
    const char *listen;
    bool is_covered;
} sockets[] = {
    {"10.0.0.5:53", true}, {"10.0.0.5:5300", true}, {"0.0.0.0", true},
    {"10.0.0.6", false},   {"::", false},
};

START_TEST(a_listen_address_without_a_socket_is_warned_of)
{
    struct listen_address item = {.location = "--listen"};
    struct settings settings = settings_of();
    struct world world;
    struct capture capture;

    world_init_fixture(&world);
    ck_assert(scratch_edit(&world.folder, "test-space.yaml", "space: test-space\n",
                           "space: test-space\nlisten: [10.0.0.5]\n"));
    world_must_load(&world);
    ck_assert(endpoint_read(sockets[_i].listen, 53, &item.endpoint));
    settings.listen = (struct endpoints){.items = &item, .count = 1};
    begin_capture(&capture);
    zones_warn_listen(world.snapshot, &settings);
    end_capture(&capture);
    bool warned = strstr(capture.text, "warning listen_not_covered space=test-space "
                                       "address=10.0.0.5") != NULL;
    ck_assert_msg(warned != sockets[_i].is_covered, "logged: %s", capture.text);
    world_close(&world);
}
END_TEST

/* Loads a folder as the daemon does, and captures how it logs the refusal. */
static void refuse(struct world *world, struct capture *capture)
{
    struct zones_loading loading = {
        .zones = world->folder.path,
        .request = {
            .policy = &world->policy, .key = world->key, .threads = 2, .before = world->snapshot}};

    zones_load(&loading);
    ck_assert_ptr_null(loading.snapshot);
    begin_capture(capture);
    zones_log_refusal(&loading, 7);
    end_capture(capture);
    zones_loading_close(&loading);
}

START_TEST(a_refused_reload_is_logged_with_location_code_and_count)
{
    struct world world;
    struct capture capture;

    world_init_fixture(&world);
    ck_assert(scratch_edit(&world.folder, "test-space.yaml", "10.0.0.37", "10.0.130.37"));
    ck_assert(scratch_edit(&world.folder, "test-space.yaml", "10.0.16.21", "10.0.130.38"));
    refuse(&world, &capture);
    const char *last = strstr(capture.text, "error reload_refused code=Q50 ");
    ck_assert_ptr_nonnull(last);
    ck_assert_ptr_nonnull(strstr(last, " generation=7 errors="));
    ck_assert_ptr_nonnull(strstr(last, " first=E-ROUTER-DYNO "));
    ck_assert_ptr_nonnull(strstr(last, "test-space.yaml:"));
    ck_assert_ptr_eq(strchr(last, '\n'), capture.text + strlen(capture.text) - 1);
    ck_assert_ptr_nonnull(strstr(capture.text, "error finding code=E-ROUTER-DYNO place="));
    world_close(&world);
}
END_TEST

START_TEST(an_empty_folder_refuses_the_reload)
{
    struct world world;
    struct capture capture;

    world_init_fixture(&world);
    scratch_clear(&world.folder);
    refuse(&world, &capture);
    ck_assert_ptr_nonnull(strstr(capture.text, "error reload_refused code=Q50 "));
    ck_assert_ptr_nonnull(strstr(capture.text, "holds no zone file"));
    world_close(&world);
}
END_TEST

START_TEST(a_flood_of_findings_is_cut_and_the_rest_counted)
{
    struct report *report = report_new();
    struct location at = {.line = 3, .column = 1};
    struct capture capture;

    for (unsigned i = 0; i < 130; i++)
        report_add(report, FINDING_TYPE, "z.yaml", at, "x");
    begin_capture(&capture);
    zones_log_findings(report);
    end_capture(&capture);
    size_t lines = 0;
    for (const char *next = capture.text; (next = strchr(next, '\n')) != NULL; next++)
        lines++;
    ck_assert_uint_eq(lines, 101);
    ck_assert_ptr_nonnull(strstr(capture.text, "warning findings_left_out count=30 "));
    report_free(report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zones");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_policy_follows_the_settings);
    tcase_add_test(all, each_zone_of_upstreams_is_the_route_of_its_number);
    tcase_add_test(all, a_zone_that_is_never_forwarded_is_reported);
    tcase_add_test(all, one_target_suffix_stands_for_both);
    tcase_add_test(all, a_missing_space_of_local_as_is_found);
    tcase_add_loop_test(all, a_listen_address_without_a_socket_is_warned_of, 0,
                        sizeof sockets / sizeof sockets[0]);
    tcase_add_test(all, a_refused_reload_is_logged_with_location_code_and_count);
    tcase_add_test(all, an_empty_folder_refuses_the_reload);
    tcase_add_test(all, a_flood_of_findings_is_cut_and_the_rest_counted);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
