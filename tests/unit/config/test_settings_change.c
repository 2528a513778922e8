#include "config/settings_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/forwarding.h"
#include "support/findings.h"
#include "support/scratch.h"
#include "support/suite.h"

enum { PATH_MOST = SCRATCH_PATH_MOST + 32 };

static struct {
    struct scratch folder;
    char path[PATH_MOST];
    char resolv_conf[PATH_MOST];
    char *argv[6];
    struct settings now;
    struct settings next;
    struct report *report; /* of the reload */
    char changed[SETTINGS_CHANGES_OCTETS];
} stand;

/* A settings file must not be empty. */
static void write_file(const char *text)
{
    if (text[0] == '\0')
        text = "{}\n";
    scratch_write(&stand.folder, "s.yaml", text, strlen(text));
}

static void write_nameserver(const char *text)
{
    scratch_write(&stand.folder, "resolv.conf", text, strlen(text));
}

static void settle(struct settings *settings)
{
    const struct forwarding_host around = {.resolv_conf = stand.resolv_conf,
                                           .in_force = settings == &stand.next ? &stand.now : NULL};

    forwarding_complete(settings, &around, stand.report);
    ck_assert(report_is_clean(stand.report));
}

static void set_up(void)
{
    memset(&stand, 0, sizeof stand);
    scratch_init(&stand.folder);
    stand.report = report_new();
    snprintf(stand.path, sizeof stand.path, "%s/s.yaml", stand.folder.path);
    snprintf(stand.resolv_conf, sizeof stand.resolv_conf, "%s/resolv.conf", stand.folder.path);
    write_nameserver("nameserver 10.9.9.9\n");
}

static void tear_down(void)
{
    settings_close(&stand.next);
    settings_close(&stand.now);
    report_free(stand.report);
    scratch_close(&stand.folder);
}

/* Reads the settings that are in force; `flag` may be NULL. */
static void start(const char *text, char *flag, char *value)
{
    static char program[] = "spacednsd", settings[] = "--settings";
    char *argv[] = {program, settings, stand.path, flag, value, NULL};

    memcpy(stand.argv, argv, sizeof argv);
    write_file(text);
    ck_assert_int_eq(settings_init(&stand.now, flag == NULL ? 3 : 5, stand.argv, stand.report),
                     SETTINGS_READY);
    settle(&stand.now);
}

/* Rereads the settings like a reload. Returns the changed keys. */
static const char *read_again(const char *text)
{
    struct string_list keys;

    settings_close(&stand.next);
    report_free(stand.report);
    stand.report = report_new();
    write_file(text);
    ck_assert_int_eq(settings_reread(&stand.next, &stand.now, stand.report), SETTINGS_READY);
    ck_assert(settings_keep(&stand.next, &stand.now, stand.report));
    settle(&stand.next);
    ck_assert(settings_list_changes(&stand.now, &stand.next, &keys));
    settings_format_changes(&keys, stand.changed);
    return stand.changed;
}

FIXTURE(set_up, tear_down)

TEST(the_same_file_changes_nothing)
{
    static const char text[] = "listen: [10.0.0.2, \"[::1]:5300\"]\n"
                               "upstreams: [10.0.0.9, tls://1.1.1.1#one.example]\n"
                               "upstream_zones: {corp.example: [192.168.7.53]}\n"
                               "suffixes: {targets: [a.example, b.example]}\n"
                               "recursion_for: [vpn, space]\n";

    start(text, NULL, NULL);
    ck_assert_str_eq(read_again(text), "");
    ck_assert_uint_eq(report_total(stand.report), 0);
}

#define RESTART(before, after)                                                                     \
    ": the change from " before " to " after " takes effect after a restart\n"

#define REGISTRY "registry: {endpoints: [10.1.0.3], cell: a"

#define SECRET_A "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define SECRET_B "dd3bdf9344b678b185a6f5cb60fca715"

/* One changed setting, and the result. */
static const struct {
    const char *before;
    const char *after;
    const char *changed; /* keys */
    const char *kept;
} edits[] = {
    {"", "zones: /z", "zones", ""},
    {"local_as: [a-space]", "local_as: [a-space, b-space]", "local_as", ""},
    {"", "external: nxdomain", "external", ""},
    {"", "localspace_to: [space, vpn]", "localspace_to", ""},
    {"recursion_for: [space, vpn]", "recursion_for: [vpn, space]", "", ""},
    {"recursion_for: [space, vpn]", "recursion_for: [peered]", "recursion_for", ""},
    {"recursion_for: [space, vpn]", "recursion_for: {space: all, vpn: all}", "", ""},
    {"recursion_for: [space, vpn]", "recursion_for: {space: all, vpn: [a.b]}", "recursion_for", ""},
    {"recursion_for: {vpn: [a.b, b.c]}", "recursion_for: {vpn: [a.b, c.d]}", "recursion_for", ""},
    {"upstreams: [10.0.0.9]", "upstreams: [10.0.0.9@53]", "", ""},
    {"upstreams: [10.0.0.9]", "upstreams: [10.0.0.8]", "upstreams", ""},
    {"", "http_listen: none", "", "FILE:1:14: http_listen" RESTART("127.0.0.1:9153", "none")},
    {"http_listen: [unix:/a, \"[::1]:1\"]", "", "",
     "FILE: http_listen" RESTART("unix:/a,[::1]:1", "127.0.0.1:9153")},
    {"", "http_token: 0123456789abcdef", "", "FILE:1:13: http_token" RESTART("(not set)", "set")},
    {"http_token: 0123456789abcdef", "http_token: 0123456789abcdee", "",
     "FILE:1:13: http_token" RESTART("set", "another value")},
    {"http_token: 0123456789abcdef", "http_token: 0123456789abcdef", "", ""},
    {"", "metrics_apps: 5", "", "FILE:1:15: metrics_apps" RESTART("10000", "5")},
    {"upstreams: [10.0.0.9]", "upstreams: none", "upstreams", ""},
    {"upstreams: [10.0.0.9]", "", "upstreams", ""},
    {"upstreams: [10.9.9.9]", "", "", ""},
    {"upstreams: [tls://1.1.1.1#a.example]", "upstreams: [tls://1.1.1.1#b.example]", "upstreams",
     ""},
    {"", "allow_rebind: true", "allow_rebind", ""},
    {"", "nat64_prefix: 2001:db8:64::/96", "nat64_prefix", ""},
    {"nat64_prefix: 2001:db8:64::/96", "nat64_prefix: 2001:DB8:64:0::/96", "", ""},
    {"upstream_zones: {a.example: [10.0.0.8]}", "upstream_zones: {a.example: [10.0.0.7]}",
     "upstream_zones", ""},
    {"upstream_zones: {a.example: [10.0.0.8]}",
     "upstream_zones: {a.example: {upstreams: [10.0.0.8], allow_rebind: true}}", "upstream_zones",
     ""},
    {"", "cookies: false", "cookies", ""},
    {"", "cookie_secrets: [" SECRET_A "]", "cookie_secrets", ""},
    {"cookie_secrets: [" SECRET_A "]", "cookie_secrets: [" SECRET_B "]", "cookie_secrets", ""},
    {"cookie_secrets: [" SECRET_A "]", "cookie_secrets: [" SECRET_B ", " SECRET_A "]",
     "cookie_secrets", ""},
    {"cookie_secrets: [" SECRET_A "]", "cookie_secrets: [E5E973E5A6B2A43F48E7DC849E37BFCF]", "",
     ""},
    {"", "server_id: ns2", "server_id", ""},
    {"", "log_level: error", "log_level", ""},
    {"", "reload_guard: false", "reload_guard", ""},
    {"", "guard_share: 20", "guard_share", ""},
    {"reload_guard: false\nserver_id: ns1", "server_id: ns2", "server_id,reload_guard", ""},
    {"listen: [10.0.0.2, 10.0.0.3]", "listen: [10.0.0.2]", "",
     "FILE:1:10: listen" RESTART("10.0.0.2:53,10.0.0.3:53", "10.0.0.2:53")},
    {"listen: [udp://10.0.0.2, tcp://10.0.0.3]", "listen: [10.0.0.2]", "",
     "FILE:1:10: listen" RESTART("udp://10.0.0.2:53,tcp://10.0.0.3:53", "10.0.0.2:53")},
    {"workers: 1", "workers: 2", "", "FILE:1:10: workers" RESTART("1", "2")},
    {"", "allow_public_listen: true", "",
     "FILE:1:22: allow_public_listen" RESTART("false", "true")},
    {"cache_size: 33554432\nworkers: 1", "cache_size: 16777216\nworkers: 1", "",
     "FILE:1:13: cache_size" RESTART("33554432", "16777216")},
    {"", "upstream_questions: 100", "", "FILE:1:21: upstream_questions" RESTART("2000", "100")},
    {"", "upstream_ports: any", "", "FILE:1:17: upstream_ports" RESTART("system", "any")},
    {"", "upstream_0x20: true", "", "FILE:1:16: upstream_0x20" RESTART("false", "true")},
    {"", "metrics_apps: 9", "", "FILE:1:15: metrics_apps" RESTART("10000", "9")},
    {"", "suffixes: {apps: example.app}", "",
     "FILE:1:18: suffixes.apps" RESTART("herokuapp.com", "example.app")},
    {"", "suffixes: {discovery: inside}", "",
     "FILE:1:23: suffixes.discovery" RESTART("localspace", "inside")},
    {"", "suffixes: {targets: [a.example]}", "",
     "FILE:1:22: suffixes.targets" RESTART("herokuspace.com,herokudns.com", "a.example")},
    {"", "log_queries: all\nlog_rate: 0", "log_queries,log_rate", ""},
    {"", "log_format: json", "", "FILE:1:13: log_format" RESTART("logfmt", "json")},
    {"", "dnstap: /run/tap", "", "FILE:1:9: dnstap" RESTART("(not set)", "/run/tap")},
    {"", "dnstap_sample: 9", "", "FILE:1:16: dnstap_sample" RESTART("1", "9")},
    {"", "tcp_connections: 9", "", "FILE:1:18: tcp_connections" RESTART("1000", "9")},
    {"", "tcp_per_client: 9", "", "FILE:1:17: tcp_per_client" RESTART("100", "9")},
    {"", "tcp_idle_ms: 900", "", "FILE:1:14: tcp_idle_ms" RESTART("10000", "900")},
    {"", "external_rate: 0", "external_rate", ""},
    {"", "external_slip: 1", "external_slip", ""},
    {"", "client_rate: 1000", "client_rate", ""},
    {"", "udp_buffer: 65536", "", "FILE:1:13: udp_buffer" RESTART("4194304", "65536")},
    {"", "xdp: [eth0]", "", "FILE:1:7: xdp" RESTART("(not set)", "eth0")},
    {"", "xdp_mode: skb", "", "FILE:1:11: xdp_mode" RESTART("auto", "skb")},
    {"", "user: dns", "", "FILE:1:7: user" RESTART("spacedns", "dns")},
    {"", "sandbox: log", "", "FILE:1:10: sandbox" RESTART("on", "log")},
    {"", "state_dir: /s", "", "FILE:1:12: state_dir" RESTART("(not set)", "/s")},
    {"", "kept_back_seconds: 60", "kept_back_seconds", ""},
    {"", "kept_back_most: 1000", "kept_back_most", ""},
    {"", "control_group: ops", "", "FILE:1:16: control_group" RESTART("(not set)", "ops")},
    {"", "control_read_group: ops", "",
     "FILE:1:21: control_read_group" RESTART("(not set)", "ops")},
    {REGISTRY "}", REGISTRY ", gather_ms: 5, stale_after_s: 90, announce: false}",
     "registry.gather_ms,registry.stale_after_s,registry.announce", ""},
    {REGISTRY "}", "registry: {endpoints: [10.1.0.4], cell: a}", "",
     "FILE:1:24: registry.endpoints" RESTART("http://10.1.0.3:2379", "http://10.1.0.4:2379")},
    {REGISTRY "}", "registry: {endpoints: [10.1.0.3], cell: b}", "",
     "FILE:1:41: registry.cell" RESTART("a", "b")},
    {REGISTRY "}", REGISTRY ", root: /dns}", "",
     "FILE:1:50: registry.root" RESTART("/spacedns", "/dns")},
    {REGISTRY "}", REGISTRY ", spaces: [b]}", "",
     "FILE:1:53: registry.spaces" RESTART("(not set)", "b")},
    {REGISTRY "}", REGISTRY ", channel: canary}", "",
     "FILE:1:53: registry.channel" RESTART("stable", "canary")},
    {REGISTRY ", ca: /a}", REGISTRY ", ca: /b}", "", "FILE:1:48: registry.ca" RESTART("/a", "/b")},
    {REGISTRY ", certificate: /a, key: /b}", REGISTRY ", certificate: /c, key: /b}", "",
     "FILE:1:57: registry.certificate" RESTART("/a", "/c")},
    {REGISTRY ", certificate: /a, key: /b}", REGISTRY ", certificate: /a, key: /c}", "",
     "FILE:1:66: registry.key" RESTART("/b", "/c")},
    {REGISTRY ", user: a, password_file: /b}", REGISTRY ", user: c, password_file: /b}", "",
     "FILE:1:50: registry.user" RESTART("a", "c")},
    {REGISTRY ", user: a, password_file: /b}", REGISTRY ", user: a, password_file: /c}", "",
     "FILE:1:68: registry.password_file" RESTART("/b", "/c")},
    {"", "control_socket: /run/s", "", "FILE:1:17: control_socket" RESTART("(not set)", "/run/s")},
};

TEST_OVER(an_edit_takes_effect_or_is_reported_to_need_a_restart, edits)
{
    start(edits[_i].before, NULL, NULL);
    ck_assert_str_eq(read_again(edits[_i].after), edits[_i].changed);
    char *kept = findings_text(stand.report, FINDING_RESTART, stand.path);
    ck_assert_str_eq(kept, edits[_i].kept);
    free(kept);
    /* The new settings keep the value in force, so the next reload reports it again. */
    ck_assert_uint_eq(stand.next.workers, stand.now.workers);
    ck_assert_ptr_eq(stand.next.listen.items, stand.now.listen.items);
    ck_assert_str_eq(stand.next.suffix_apps, stand.now.suffix_apps);
}

/* Every key of the table is in an edit above, so none is forgotten here or there. */
TEST(every_setting_is_either_live_or_takes_a_restart)
{
    static const char *const keys[] = {
#define SETTING(member, key, flag, value, type, words, initial, least, most, change, help) key,
#include "config/settings.def"
#undef SETTING
    };
    static const char changes[] = {
#define SETTING(member, key, flag, value, type, words, initial, least, most, change, help)         \
#change[0],
#include "config/settings.def"
#undef SETTING
    };

    for (size_t i = 0; i < sizeof changes; i++) {
        bool is_listed = false;
        for (size_t j = 0; keys[i] != NULL && j < sizeof edits / sizeof edits[0]; j++)
            is_listed |=
                strstr(changes[i] == 'L' ? edits[j].changed : edits[j].kept, keys[i]) != NULL;
        ck_assert_msg(is_listed || keys[i] == NULL, "%s is in no edit", keys[i]);
    }
}

TEST(a_flag_still_overrides_the_file)
{
    static char flag[] = "--upstream", value[] = "10.0.0.7";

    start("upstreams: [10.0.0.9]", flag, value);
    ck_assert_str_eq(read_again("upstreams: [10.0.0.8]\nexternal: nxdomain"), "external");
    ck_assert_str_eq(stand.next.upstreams.items[0].text, "10.0.0.7");
}

TEST(the_hosts_nameservers_are_read_again)
{
    start("", NULL, NULL);
    ck_assert_str_eq(read_again(""), "");
    write_nameserver("nameserver 10.9.9.8\n");
    ck_assert_str_eq(read_again(""), "upstreams");
    ck_assert_str_eq(stand.next.upstreams.items[0].text, "10.9.9.8");
    write_nameserver("nameserver 127.0.0.1\nnameserver 10.9.9.9\n");
    ck_assert_str_eq(read_again(""), ""); /* the server itself is ignored again */
}

static void remove_resolv_conf(void)
{
    ck_assert_int_eq(unlink(stand.resolv_conf), 0);
}

static void pipe_for_resolv_conf(void)
{
    remove_resolv_conf();
    ck_assert_int_eq(mkfifo(stand.resolv_conf, 0600), 0);
}

static void empty_resolv_conf(void)
{
    write_nameserver("# being written\n");
}

static const struct {
    void (*spoil)(void);
    const char *fault, *remedy;
} spoilt[] = {
    {empty_resolv_conf, "the file names no resolver but this server; ",
     "9; restore its nameserver lines, or name resolvers in upstreams, and reload"},
    {remove_resolv_conf, "the file cannot be opened: No such file or directory; ",
     "restart the server (or spacedns upgrade), or name resolvers in upstreams and reload"},
    {pipe_for_resolv_conf, "the file is a named pipe (FIFO), not a file; ",
     "restart the server (or spacedns upgrade), or name resolvers in upstreams and reload"},
};

TEST_OVER(a_resolv_conf_that_is_empty_for_a_moment_keeps_the_nameservers, spoilt)
{
    start("", NULL, NULL);
    spoilt[_i].spoil();
    ck_assert_str_eq(read_again(""), "");
    ck_assert(!stand.next.lacks_upstreams);
    ck_assert_str_eq(stand.next.upstream_zones.items[0].upstreams.items[0].text, "10.9.9.9");
    ck_assert_uint_eq(report_total(stand.report), 1);
    const struct finding *warning = report_findings(stand.report);
    ck_assert_int_eq(warning->code, FINDING_RESOLV_CONF);
    ck_assert_str_eq(warning->file, stand.resolv_conf);
    ck_assert_msg(strncmp(warning->sentence, spoilt[_i].fault, strlen(spoilt[_i].fault)) == 0, "%s",
                  warning->sentence);
    ck_assert_ptr_nonnull(strstr(warning->sentence, "stay in use: 10.9.9.9; "));
    ck_assert_msg(strstr(warning->sentence, spoilt[_i].remedy) != NULL, "%s", warning->sentence);
}

TEST(upstreams_removed_from_the_settings_are_not_kept)
{
    start("upstreams: [10.0.0.9]", NULL, NULL);
    empty_resolv_conf();
    ck_assert_str_eq(read_again(""), "upstreams");
    ck_assert(stand.next.lacks_upstreams);
}

TEST(a_broken_file_is_reported_as_at_the_start)
{
    start("", NULL, NULL);
    write_file("external: refuse\nworkers: many\n");
    ck_assert_int_eq(settings_reread(&stand.next, &stand.now, stand.report), SETTINGS_BAD_FILE);
    char *text = findings_text(stand.report, FINDING_SETTING, stand.path);
    ck_assert_str_eq(text, "FILE:2:10: workers: `many` is not a whole number; give one from 0 to "
                           "256\n");
    free(text);
}
