#include "config/forwarding.h"

#include <stdlib.h>
#include <string.h>

#include "support/findings.h"
#include "support/scratch.h"
#include "support/suite.h"

enum { PATH_MOST = SCRATCH_PATH_MOST + 32 };

/* A settings file and a resolv.conf on a host with the addresses 10.0.0.2 and fd00::2. */
struct reading {
    struct scratch folder;
    char settings_path[PATH_MOST], resolv_path[PATH_MOST];
    struct settings settings;
    struct report *report;
    char *messages; /* its errors and warnings, the settings' path in them replaced by FILE */
};

static struct endpoint endpoint_of(const char *text)
{
    struct endpoint endpoint;

    ck_assert_msg(endpoint_read(text, 53, &endpoint), "%s", text);
    return endpoint;
}

/* `resolv_conf` NULL: no such file. */
static void settle(struct reading *reading, const char *text, const char *resolv_conf)
{
    char *argv[] = {(char[]){"spacednsd"}, (char[]){"--settings"}, reading->settings_path, NULL};
    struct endpoint own[] = {endpoint_of("10.0.0.2"), endpoint_of("fd00::2")};
    struct ifaddrs interfaces[3] = {
        {.ifa_name = (char[]){"tun0"}, .ifa_next = &interfaces[1]}, /* without an address */
        {.ifa_name = (char[]){"eth0"}, .ifa_addr = &own[0].any, .ifa_next = &interfaces[2]},
        {.ifa_name = (char[]){"eth0"}, .ifa_addr = &own[1].any},
    };

    scratch_init(&reading->folder);
    scratch_write(&reading->folder, "s.yaml", text, strlen(text));
    if (resolv_conf != NULL)
        scratch_write(&reading->folder, "resolv.conf", resolv_conf, strlen(resolv_conf));
    snprintf(reading->settings_path, PATH_MOST, "%s/s.yaml", reading->folder.path);
    snprintf(reading->resolv_path, PATH_MOST, "%s/resolv.conf", reading->folder.path);
    reading->report = report_new();
    if (settings_init(&reading->settings, 3, argv, reading->report) == SETTINGS_READY)
        forwarding_complete(&reading->settings,
                            &(struct forwarding_host){.resolv_conf = reading->resolv_path,
                                                      .interfaces = interfaces},
                            reading->report);
    reading->messages = findings_text(reading->report, FINDING_SETTING, reading->settings_path);
}

static void end_reading(struct reading *reading)
{
    settings_close(&reading->settings);
    report_free(reading->report);
    free(reading->messages);
    scratch_close(&reading->folder);
}

/* Every zone with its upstreams: "corp.example=192.168.7.53,10.0.0.9 .=10.0.0.3 ". */
static void print_zones(const struct upstream_zones *zones, char *out, size_t size)
{
    FILE *file = fmemopen(out, size, "w");

    for (size_t i = 0; i < zones->count; i++) {
        const struct upstream_zone *zone = &zones->items[i];
        fprintf(file, "%s%s=", zone->zone, zone->allow_rebind ? "!" : "");
        for (size_t j = 0; j < zone->upstreams.count; j++)
            fprintf(file, "%s%s", j == 0 ? "" : ",", zone->upstreams.items[j].text);
        fputc(' ', file);
    }
    fputc('\0', file);
    fclose(file);
}

/* A settings file, a resolv.conf, and the resulting zones. */
static const struct {
    const char *text, *resolv_conf, *zones;
    bool lacks;
} settings[] = {
    {"upstreams: [10.0.0.3, 1.1.1.1@53, \"tls://9.9.9.9@853#dns.quad9.net\"]\n",
     "nameserver 10.9.9.9\n", ".=10.0.0.3,1.1.1.1,tls://9.9.9.9 ", false},
    {"upstreams: 10.0.0.3\n", NULL, ".=10.0.0.3 ", false},
    {"upstreams: none\n", "nameserver 10.9.9.9\n", "", false},
    {"upstreams: [none]\n", "nameserver 10.9.9.9\n", "", false},
    {"upstreams: none\nupstream_zones: {corp.example: 192.168.7.53}\n", "nameserver 10.9.9.9\n",
     "corp.example=192.168.7.53 ", false},
    {"allow_rebind: true\nupstreams: 10.0.0.3\n", NULL, ".!=10.0.0.3 ", false},
    {"upstream_zones:\n  Corp.Example.: [192.168.7.53, \"[fd00::9]:5353\"]\n"
     "  a.b.corp.example: {upstreams: 10.0.0.9, allow_rebind: true}\n"
     "  b.corp.example: {allow_rebind: false, upstreams: [10.0.0.8]}\n"
     "  _msdcs.ad.example: 10.0.0.7\n"
     "upstreams: [10.0.0.3]\n",
     NULL,
     "a.b.corp.example!=10.0.0.9 _msdcs.ad.example=10.0.0.7 b.corp.example=10.0.0.8 "
     "corp.example=192.168.7.53,fd00::9@5353 .=10.0.0.3 ",
     false},
    /* resolv.conf is used if no upstream is configured for "." */
    {"workers: 1\n", "nameserver 10.9.9.9\n", ".=10.9.9.9 ", false},
    {"upstream_zones: {corp.example: 192.168.7.53}\n", "nameserver 10.9.9.9\n",
     "corp.example=192.168.7.53 .=10.9.9.9 ", false},
    {"workers: 1\n",
     "# made by hand\nsearch example.com\nnameserver 10.9.9.9\nnameserver\tfd00::9  # second\n"
     "nameserver 10.9.9.9\n nameserver 10.9.9.8\nnameservers 10.9.9.7\nnameserver\n"
     "nameserver fe80::1%nowhere0\nnameserver 0.0.0.0\noptions edns0\nnameserver 10.9.9.6",
     ".=10.9.9.9,fd00::9,10.9.9.6 ", false},
    {"workers: 1\n", "nameserver fe80::1%lo\n", ".=fe80::1%lo ", false},
    {"workers: 1\n", "", "", true},
    {"workers: 1\n", NULL, "", true},
    {"upstream_zones: {corp.example: 192.168.7.53}\n", NULL, "corp.example=192.168.7.53 ", true},
    /* ... but never this server itself */
    {"listen: 127.0.0.1\n", "nameserver 127.0.0.1\n", "", true},
    {"listen: 127.0.0.1\n", "nameserver 127.0.0.1\nnameserver 10.9.9.9\n", ".=10.9.9.9 ", false},
    {"listen: 127.0.0.1:5300\n", "nameserver 127.0.0.1\n", ".=127.0.0.1 ", false},
    {"listen: 127.0.0.1\n", "nameserver 127.0.0.53\n", ".=127.0.0.53 ", false},
    {"listen: 127.0.0.53\n", "nameserver 127.0.0.53\n", "", true},
    {"listen: 0.0.0.0\n", "nameserver 127.0.0.53\nnameserver 10.0.0.2\nnameserver fd00::2\n",
     ".=fd00::2 ", false},
    {"listen: \"::\"\n", "nameserver ::1\nnameserver fd00::2\nnameserver 10.0.0.2\n", ".=10.0.0.2 ",
     false},
    {"listen: 0.0.0.0:5300\n", "nameserver 10.0.0.2\n", ".=10.0.0.2 ", false},
};

TEST_OVER(zones_come_from_the_settings_or_the_host, settings)
{
    struct reading reading;
    char zones[1024];

    settle(&reading, settings[_i].text, settings[_i].resolv_conf);
    ck_assert_msg(report_is_clean(reading.report), "%s", reading.messages);
    print_zones(&reading.settings.upstream_zones, zones, sizeof zones);
    ck_assert_str_eq(zones, settings[_i].zones);
    ck_assert(reading.settings.lacks_upstreams == settings[_i].lacks);
    end_reading(&reading);
}

#define LOOP(address)                                                                              \
    "`" address "` is this server itself: each query would come back to it in a loop; name "       \
    "another resolver, or `none`\n"

static const struct {
    const char *text, *messages;
} mistakes[] = {
    {"listen: 127.0.0.1\nupstreams: [10.9.9.9, 127.0.0.1]\n",
     "FILE:2:23: upstreams: " LOOP("127.0.0.1")},
    {"listen: 127.0.0.1:5300\nupstreams: 127.0.0.1@5300\n",
     "FILE:2:12: upstreams: " LOOP("127.0.0.1@5300")},
    {"listen: 0.0.0.0\nupstreams: 10.0.0.2\n", "FILE:2:12: upstreams: " LOOP("10.0.0.2")},
    {"listen: 0.0.0.0\nupstreams: 127.3.2.1\n", "FILE:2:12: upstreams: " LOOP("127.3.2.1")},
    {"listen: \"::\"\nupstreams: fd00::2\n", "FILE:2:12: upstreams: " LOOP("fd00::2")},
    {"upstreams: none\nupstream_zones: {corp.example: 127.0.0.1}\n",
     "FILE:2:32: upstream_zones.corp.example: " LOOP("127.0.0.1")},
    {"upstreams: none\nupstream_zones: {localspace: 10.9.9.9}\n",
     "FILE:2:18: upstream_zones.localspace: names in `localspace` are answered here and never sent "
     "to an upstream; remove the zone\n"},
    {"upstreams: none\nsuffixes: {discovery: inside.example}\n"
     "upstream_zones: {localspace: 10.9.9.9, A.Inside.Example.: 10.9.9.9, example: 10.9.9.9}\n",
     "FILE:3:40: upstream_zones.A.Inside.Example.: names in `inside.example` are answered here and "
     "never sent to an upstream; remove the zone\n"},
};

TEST_OVER(a_setting_that_cannot_be_forwarded_is_reported, mistakes)
{
    struct reading reading;

    settle(&reading, mistakes[_i].text, NULL);
    ck_assert_str_eq(reading.messages, mistakes[_i].messages);
    end_reading(&reading);
}

TEST(a_nameserver_on_a_missing_interface_is_ignored_with_a_warning)
{
    struct reading reading;

    settle(&reading, "workers: 1\n", "# x\n\nnameserver fe80::1%nowhere0\nnameserver 10.9.9.9\n");
    ck_assert_uint_eq(report_total(reading.report), 1);
    const struct finding *warning = report_findings(reading.report);
    ck_assert_int_eq(warning->code, FINDING_RESOLV_CONF);
    ck_assert_str_eq(warning->file, reading.resolv_path);
    ck_assert_uint_eq(warning->at.line, 3);
    ck_assert_uint_eq(warning->at.column, 12);
    ck_assert_msg(strstr(warning->sentence, "this nameserver is ignored: `fe80::1%nowhere0`: this "
                                            "host has no interface `nowhere0`; ") != NULL,
                  "%s", warning->sentence);
    end_reading(&reading);
}

TEST(an_upstream_over_tls_without_a_name_is_a_warning)
{
    struct reading reading;

    settle(&reading,
           "upstreams: [\"tls://9.9.9.9#dns.quad9.net\", \"tls://1.1.1.1\"]\n"
           "upstream_zones:\n  corp.example: \"tls://10.9.0.1@8853\"\n",
           NULL);
    ck_assert(report_is_clean(reading.report));
    ck_assert_uint_eq(report_total(reading.report), 2);
    const struct finding *warnings = report_findings(reading.report);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(warnings[i].code, FINDING_TLS_NAME);
        ck_assert_msg(strstr(warnings[i].sentence, i == 0 ? "`tls://10.9.0.1@8853` names no server"
                                                          : "`tls://1.1.1.1` names no server"),
                      "%s", warnings[i].sentence);
        ck_assert_uint_eq(warnings[i].at.line, i == 0 ? 3 : 1);
    }
    end_reading(&reading);
}

TEST(a_zone_of_apps_may_be_forwarded)
{
    struct reading reading;

    settle(&reading, "upstreams: none\nupstream_zones: {herokuapp.com: 10.9.9.9}\n", NULL);
    ck_assert(report_is_clean(reading.report));
    end_reading(&reading);
}

/* Nine zones with fifteen upstreams each: 135 different ones, or 15. */
static void write_many(FILE *out, bool are_different)
{
    fputs("upstreams: none\nupstream_zones:\n", out);
    for (int i = 0; i < 9; i++) {
        fprintf(out, "  z%d.example: [", i);
        for (int j = 0; j < 15; j++)
            fprintf(out, "%s10.%d.0.%d", j == 0 ? "" : ", ", are_different ? i : 0, j + 1);
        fputs("]\n", out);
    }
}

TEST(the_number_of_upstreams_in_all_zones_is_limited)
{
    for (int i = 0; i < 2; i++) {
        struct reading reading;
        char *text;
        size_t length;
        FILE *out = open_memstream(&text, &length);
        write_many(out, i == 1);
        fclose(out);
        settle(&reading, text, NULL);
        ck_assert_str_eq(reading.messages,
                         i == 0 ? ""
                                : "FILE:3:3: upstream_zones: 135 different upstreams in all "
                                  "zones together; at most 128 are allowed; "
                                  "remove some\n");
        end_reading(&reading);
        free(text);
    }
}

TEST(this_hosts_resolv_conf_and_interfaces_are_read)
{
    char *argv[] = {(char[]){"spacednsd"}, (char[]){"--upstream=192.0.2.1"}, NULL};
    struct settings here;

    struct report *report = report_new();

    ck_assert_int_eq(settings_init(&here, 2, argv, report), SETTINGS_READY);
    forwarding_complete_here(&here, NULL, report);
    ck_assert(report_is_clean(report));
    report_free(report);
    ck_assert_uint_eq(here.upstream_zones.count, 1);
    ck_assert_str_eq(here.upstream_zones.items[0].origin.file, "--upstream (command line)");
    settings_close(&here);
}
