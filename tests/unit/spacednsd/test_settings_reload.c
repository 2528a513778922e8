#include "spacednsd/settings_reload.h"

#include <stdio.h>
#include <string.h>

#include "config/forwarding.h"
#include "support/scratch.h"
#include "support/suite.h"

enum { PATH_MOST = SCRATCH_PATH_MOST + 32 };

static struct {
    struct scratch folder;
    char path[PATH_MOST];
    char *argv[4];
    struct settings now;
    struct report *report;
} stand;

static void write_file(const char *text)
{
    scratch_write(&stand.folder, "s.yaml", text, strlen(text));
}

static void set_up(void)
{
    static char program[] = "spacednsd", settings[] = "--settings";

    memset(&stand, 0, sizeof stand);
    scratch_init(&stand.folder);
    snprintf(stand.path, sizeof stand.path, "%s/s.yaml", stand.folder.path);
    stand.argv[0] = program, stand.argv[1] = settings, stand.argv[2] = stand.path;
    write_file("upstreams: [10.0.0.9]\n");
    stand.report = report_new();
    ck_assert_int_eq(settings_init(&stand.now, 3, stand.argv, stand.report), SETTINGS_READY);
    forwarding_complete_here(&stand.now, NULL, stand.report);
    ck_assert_uint_eq(report_total(stand.report), 0);
}

static void tear_down(void)
{
    report_free(stand.report);
    settings_close(&stand.now);
    scratch_close(&stand.folder);
}

FIXTURE(set_up, tear_down)

TEST(a_reload_has_the_policy_of_the_new_settings)
{
    write_file("upstreams: [10.0.0.8]\nexternal: nxdomain\n");
    struct settings_reload *reload = settings_reload_read(&stand.now, stand.report);
    ck_assert_ptr_nonnull(reload);
    ck_assert_uint_eq(reload->changed.count, 2);
    ck_assert_str_eq(reload->changed.items[0], "external");
    ck_assert_str_eq(reload->changed.items[1], "upstreams");
    ck_assert(reload->policy.external_nxdomain);
    ck_assert_str_eq(reload->policy.routes.items[0].upstreams, "10.0.0.8");
    ck_assert_str_eq(reload->policy.routes.zones->items[0].upstreams.items[0].text, "10.0.0.8");
    ck_assert_uint_eq(report_total(stand.report), 0);
    settings_reload_free(reload);
}

TEST(a_policy_outlives_its_settings_while_it_is_held)
{
    struct settings_reload *reload = settings_reload_read(&stand.now, stand.report);
    ck_assert_ptr_nonnull(reload);
    ck_assert_uint_eq(reload->changed.count, 0);
    struct policy policy = reload->policy;
    arena_hold(policy.arena);
    settings_reload_free(reload);
    ck_assert_str_eq(policy.routes.zones->items[0].upstreams.items[0].text, "10.0.0.9");
    arena_release(policy.arena);
}

TEST(a_setting_that_needs_a_restart_is_a_warning)
{
    write_file("upstreams: [10.0.0.9]\ncontrol_socket: /run/other\n");
    struct settings_reload *reload = settings_reload_read(&stand.now, stand.report);
    ck_assert_ptr_nonnull(reload);
    ck_assert_uint_eq(reload->changed.count, 0);
    ck_assert_uint_eq(report_total(stand.report), 1);
    const struct finding *finding = report_findings(stand.report);
    ck_assert_int_eq(finding->code, FINDING_RESTART);
    ck_assert_str_eq(finding->file, stand.path);
    ck_assert_uint_eq(finding->at.line, 2);
    ck_assert_uint_eq(finding->at.column, 17);
    ck_assert_str_eq(finding->sentence, "control_socket: the change from (not set) to /run/other "
                                        "takes effect after a restart");
    settings_reload_free(reload);
}

/* Each refuses a start, and so a reload. */
static const struct {
    const char *text;
    unsigned line, column; /* 0: none */
    const char *begin;
} broken[] = {
    {"upstreams: [10.0.0.9]\nworkers: many\n", 2, 10, "workers: `many` is not a whole number"},
    {"upstraems: none\n", 1, 1, "unknown key `upstraems`; did you mean `upstreams`?"},
    {"upstreams: [127.0.0.1]\n", 1, 13, "upstreams: `127.0.0.1` is this server itself"},
    {"listen: [8.8.8.8]\nupstreams: none\n", 1, 10, "listen: 8.8.8.8:53 is outside loopback"},
    {"upstream_zones: {localhost: [10.0.0.9]}\n", 1, 18, "upstream_zones.localhost: its names are"},
    {"suffixes: {apps: localspace}\n", 1, 18,
     "suffixes.apps: `localspace` is given for two purposes"},
};

TEST_OVER(what_refuses_a_start_is_an_error_with_its_location, broken)
{
    write_file(broken[_i].text);
    ck_assert_ptr_null(settings_reload_read(&stand.now, stand.report));
    ck_assert_uint_eq(report_count(stand.report, FINDING_ERROR), 1);
    report_sort(stand.report);
    const struct finding *finding = report_findings(stand.report);
    while (finding->code == FINDING_RESTART)
        finding++;
    ck_assert_int_eq(finding->code, strstr(finding->sentence, "is outside loopback") == NULL
                                        ? FINDING_SETTING
                                        : FINDING_LISTEN_PUBLIC);
    ck_assert_str_eq(finding->file, stand.path);
    ck_assert_uint_eq(finding->at.line, broken[_i].line);
    ck_assert_uint_eq(finding->at.column, broken[_i].column);
    ck_assert_msg(strncmp(finding->sentence, broken[_i].begin, strlen(broken[_i].begin)) == 0, "%s",
                  finding->sentence);
}

TEST(a_flag_that_is_wrong_by_now_is_named_as_the_location)
{
    static char flag[] = "--upstream=127.0.0.1";

    stand.now.argv = (char *[]){stand.argv[0], stand.argv[1], stand.argv[2], flag};
    stand.now.argc = 4;
    ck_assert_ptr_null(settings_reload_read(&stand.now, stand.report));
    ck_assert_uint_eq(report_total(stand.report), 1);
    const struct finding *finding = report_findings(stand.report);
    ck_assert_int_eq(finding->code, FINDING_SETTING);
    ck_assert_str_eq(finding->file, "--upstream (command line)");
    ck_assert_uint_eq(finding->at.line, 0);
}

TEST(all_problems_are_found_in_one_run)
{
    write_file("workers: many\nexternal: maybe\ntcp_idle_ms: 1\n");
    ck_assert_ptr_null(settings_reload_read(&stand.now, stand.report));
    ck_assert_uint_eq(report_count(stand.report, FINDING_ERROR), 3);
}

TEST(a_value_is_escaped_and_makes_one_finding)
{
    write_file("external: \"a\\e[31m\\nb\\u202E\"\n");
    ck_assert_ptr_null(settings_reload_read(&stand.now, stand.report));
    ck_assert_uint_eq(report_total(stand.report), 1);
    const struct finding *finding = report_findings(stand.report);
    ck_assert_uint_eq(finding->at.line, 1);
    ck_assert_msg(strstr(finding->sentence, "`a\\x1b[31m\\x0ab<U+202E right-to-left override>`") !=
                      NULL,
                  "%s", finding->sentence);
}

TEST(a_file_that_is_gone_is_an_error)
{
    scratch_clear(&stand.folder);
    ck_assert_ptr_null(settings_reload_read(&stand.now, stand.report));
    ck_assert_uint_eq(report_count(stand.report, FINDING_ERROR), 1);
    ck_assert_ptr_nonnull(strstr(report_findings(stand.report)->sentence, "No such file"));
}

/* Two workers; a listener has 2, a worker 8 + 1, the process 48 + 16. */
enum { FIXED = 72 + 2 * (2 + 9) };

static struct settings sharing(void)
{
    static struct listen_address listen;

    listen.schemes = LISTEN_WITHOUT_SCHEME;
    return (struct settings){.workers = 2,
                             .listen = {.items = &listen, .count = 1},
                             .tcp_connections = 100,
                             .upstream_questions = 200};
}

static const struct {
    uint64_t limit;
    uint32_t upstream_sockets, tcp_sockets; /* 0: no bound */
} limits[] = {
    {FIXED + 2 * 1412, 0, 0},  {FIXED + 2 * 1411, 1311, 0}, {FIXED + 2 * 300, 200, 0},
    {FIXED + 2 * 120, 30, 90}, {FIXED + 2 * 40, 10, 30},    {64, 2, 6},
};

TEST_OVER(a_small_limit_takes_from_upstreams_first_and_leaves_the_reserve, limits)
{
    struct settings settings = sharing();

    ck_assert_uint_eq(settings_share_descriptors(&settings, limits[_i].limit), FIXED + 2 * 1412);
    ck_assert_uint_eq(settings.upstream_sockets, limits[_i].upstream_sockets);
    ck_assert_uint_eq(settings.tcp_sockets, limits[_i].tcp_sockets);
}

TEST(each_scheme_of_an_address_needs_a_descriptor_per_worker)
{
    struct settings settings = sharing();
    uint64_t both = settings_share_descriptors(&settings, UINT64_MAX);

    settings.listen.items[0].schemes = 1 << LISTEN_TCP;
    ck_assert_uint_eq(settings_share_descriptors(&settings, UINT64_MAX), both - 2);
}
