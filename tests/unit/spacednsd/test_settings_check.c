// wrap: tap_library
#include "spacednsd/settings_check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/findings.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/world.h"

/* Frees the report. */
static void expect(struct report *report, const char *findings)
{
    char *text = findings_text(report, FINDING_SETTING, NULL);

    ck_assert_str_eq(text, findings);
    free(text);
    report_free(report);
}

TEST(a_zone_that_is_never_forwarded_is_reported)
{
    struct upstream_zone zones[] = {
        {.zone = "x.localhost",
         .origin = {"s.yaml", {.line = 2, .column = 3}, "upstream_zones.x.localhost"}},
        {.zone = "home.arpa", .origin = {"s.yaml", {.line = 3, .column = 3}, "home.arpa"}},
    };
    struct settings settings = {.upstream_zones = {.items = zones, .count = 2}};
    struct report *report = report_new();

    settings_check_routes(&settings, report);
    expect(report, "s.yaml:2:3: upstream_zones.x.localhost: its names are answered here and never "
                   "asked of an upstream (RFC 6761); take the zone out\n");
}

/* Whether the build has it or not. */
static const char *library;

const char *__wrap_tap_library(void);

const char *__wrap_tap_library(void)
{
    return library;
}

TEST(dnstap_without_its_library_is_reported)
{
    struct settings settings = {.dnstap = NULL};
    struct report *report = report_new();

    library = NULL;
    settings_check_dnstap(&settings, report);
    settings.dnstap = "/run/tap";
    library = "libfstrm";
    settings_check_dnstap(&settings, report);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 0);
    library = NULL;
    settings_check_dnstap(&settings, report);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 1);
    ck_assert_int_eq(report_findings(report)[0].code, FINDING_SETTING);
    report_free(report);
}

TEST(a_state_dir_around_the_zone_files_is_reported)
{
    char zones[SCRATCH_PATH_MOST + 8];
    struct scratch home;

    scratch_init(&home);
    snprintf(zones, sizeof zones, "%s/zones", home.path);
    ck_assert_int_eq(mkdir(zones, 0700), 0);
    struct settings settings = {.zones = zones, .state_dir = home.path};
    struct report *report = report_new();
    settings_check_state(&settings, report);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 1);
    ck_assert_int_eq(report_findings(report)[0].code, FINDING_SETTING);
    settings.zones = home.path;
    settings_check_state(&settings, report);
    settings.state_dir = NULL;
    settings_check_state(&settings, report);
    ck_assert_uint_eq(report_count(report, FINDING_ERROR), 1);
    report_free(report);
    ck_assert_int_eq(rmdir(zones), 0);
    scratch_close(&home);
}

TEST(a_missing_space_of_local_as_is_reported_with_a_suggestion)
{
    static const char *names[] = {"test-space", "test-spce"};
    static char flag[] = "--local-as=test-space,test-spce", program[] = "spacednsd";
    struct settings given = {.zones = "z", .local_as = {.items = names, .count = 1}};
    struct settings read;
    struct world world;

    world_init_fixture(&world);
    struct report *report = report_new();
    settings_check_spaces(&given, world.snapshot, FINDING_SETTING, report);
    expect(report, "");
    report = report_new();
    ck_assert_int_eq(settings_init(&read, 2, (char *[]){program, flag, NULL}, report),
                     SETTINGS_READY);
    settings_check_spaces(&read, world.snapshot, FINDING_SETTING, report);
    expect(report, "--local-as (command line): no zone file of /etc/spacedns/zones has a space "
                   "`test-spce`; did you mean `test-space`?\n");
    report = report_new();
    given.local_as.count = 2;
    names[1] = "elsewhere";
    settings_check_spaces(&given, world.snapshot, FINDING_SETTING, report);
    expect(report, "settings: local_as: no zone file of z has a space `elsewhere`; declare it "
                   "there, or take it out of local_as\n");
    report = report_new();
    settings_check_spaces(&given, world.snapshot, FINDING_LOCAL_AS, report);
    expect(report, "settings: W-LOCAL-AS: local_as: no zone file of z has a space `elsewhere`; "
                   "declare it there, or take it out of local_as\n");
    settings_close(&read);
    world_close(&world);
}

/* Listen addresses, and whether they cover a space at 10.0.0.5. */
static const struct {
    const char *listen;
    bool is_covered;
} sockets[] = {
    {"10.0.0.5:53", true}, {"10.0.0.5:5300", true}, {"0.0.0.0", true},
    {"10.0.0.6", false},   {"::", false},
};

TEST_OVER(a_listen_address_of_a_space_without_a_socket_is_reported, sockets)
{
    struct listen_address item = {.origin.file = "--listen"};
    struct settings settings = {.listen = {.items = &item, .count = 1}};
    struct report *report = report_new();
    struct world world;

    world_init_fixture(&world);
    ck_assert(scratch_edit(&world.folder, "test-space.yaml", "space: test-space\n",
                           "space: test-space\nlisten: [10.0.0.5]\n"));
    world_must_load(&world);
    ck_assert(endpoint_read(sockets[_i].listen, 53, &item.endpoint));
    settings_check_spaces(&settings, world.snapshot, FINDING_SETTING, report);
    char *text = findings_text(report, FINDING_SETTING, NULL);
    bool warned =
        strstr(text, "/test-space.yaml: W-LISTEN-SPACE: space test-space is answered only "
                     "at its `listen` address 10.0.0.5, ") != NULL;
    ck_assert_msg(warned != sockets[_i].is_covered, "reported: %s", text);
    ck_assert_uint_eq(report_total(report), warned ? 1 : 0);
    free(text);
    report_free(report);
    world_close(&world);
}
