#include "config/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/findings.h"
#include "support/scratch.h"
#include "support/suite.h"

enum { PATH_MOST = SCRATCH_PATH_MOST + 32 };

/* A settings file, and the result of reading it. */
struct reading {
    struct scratch folder;
    char path[PATH_MOST];
    struct settings settings;
    enum settings_status status;
    char *messages; /* the findings, the path in them replaced by FILE */
};

/* Reads a file with this text; `flag` comes before --settings when there is one. */
static void read_octets(struct reading *reading, const char *text, size_t length, char *flag)
{
    char *argv[] = {(char[]){"spacednsd"}, (char[]){"--settings"}, reading->path, flag, NULL};
    struct report *report = report_new();

    scratch_init(&reading->folder);
    scratch_write(&reading->folder, "s.yaml", text, length);
    snprintf(reading->path, sizeof reading->path, "%s/s.yaml", reading->folder.path);
    reading->status = settings_init(&reading->settings, flag == NULL ? 3 : 4, argv, report);
    reading->messages = findings_text(report, FINDING_SETTING, reading->path);
    report_free(report);
}

static void read_text(struct reading *reading, const char *text)
{
    read_octets(reading, text, strlen(text), NULL);
}

static void end_reading(struct reading *reading)
{
    settings_close(&reading->settings);
    free(reading->messages);
    scratch_close(&reading->folder);
}

TEST(every_kind_of_value_is_read)
{
    struct reading reading;

    read_text(&reading, "zones: /srv/zones\n"
                        "listen: [10.0.0.2, \"[::1]:5300\"]\n"
                        "workers: 2\n"
                        "local_as: [test-space]\n"
                        "external: nxdomain\n"
                        "allow_public_listen: true\n"
                        "localspace_to: [space, vpn]\n"
                        "recursion_for: []\n"
                        "suffixes: {apps: Example.App., discovery: inside, targets: [cname.app]}\n"
                        "server_id: ns1.test\n"
                        "tcp_idle_ms: 500\n"
                        "upstreams: [10.0.0.9, \"tls://9.9.9.9@853#dns.quad9.net\"]\n"
                        "upstream_zones: {corp.example: [192.168.7.53]}\n"
                        "allow_rebind: true\n"
                        "cache_size: 4194304\n"
                        "upstream_questions: 16\n"
                        "upstream_ports: any\n"
                        "upstream_0x20: true\n");
    const struct settings *settings = &reading.settings;
    ck_assert_str_eq(reading.messages, "");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_str_eq(settings->zones, "/srv/zones");
    ck_assert_uint_eq(settings->listen.count, 2);
    ck_assert_uint_eq(settings->workers, 2);
    ck_assert_str_eq(settings->local_as.items[0], "test-space");
    ck_assert_uint_eq(settings->external, EXTERNAL_NXDOMAIN);
    ck_assert(settings->allow_public_listen);
    ck_assert_uint_eq(settings->localspace_to, 1 | 4);
    ck_assert_uint_eq(settings->recursion_for.all, 0);
    ck_assert_str_eq(settings->suffix_apps, "example.app");
    ck_assert_str_eq(settings->suffix_discovery, "inside");
    ck_assert_uint_eq(settings->suffix_targets.count, 1);
    ck_assert_str_eq(settings->suffix_targets.items[0], "cname.app");
    ck_assert_str_eq(settings->server_id, "ns1.test");
    ck_assert_uint_eq(settings->tcp_idle_ms, 500);
    ck_assert_uint_eq(settings->upstreams.count, 2);
    ck_assert_str_eq(settings->upstreams.items[1].text, "tls://9.9.9.9");
    ck_assert_uint_eq(settings->upstream_zones.count, 1);
    ck_assert_str_eq(settings->upstream_zones.items[0].zone, "corp.example");
    ck_assert_uint_eq(settings->upstream_zones.items[0].label_count, 2);
    ck_assert(settings->allow_rebind && settings->upstream_0x20);
    ck_assert_uint_eq(settings->upstream_ports, UPSTREAM_PORTS_ANY);
    ck_assert_uint_eq(settings->cache_size, 4 << 20);
    ck_assert_uint_eq(settings->upstream_questions, 16);
    end_reading(&reading);
}

TEST(a_class_may_ask_for_every_name_or_for_names_below_suffixes)
{
    struct reading reading;
    char *text;
    size_t length;

    read_text(&reading,
              "recursion_for: {space: all, peered: [Herokuapp.com., _x.example.com], vpn: a.b}\n");
    const struct recursion *recursion = &reading.settings.recursion_for;
    FILE *out = open_memstream(&text, &length);
    recursion_print(recursion, out);
    fclose(out);
    ck_assert_str_eq(reading.messages, "");
    ck_assert_str_eq(text, "space: all, peered: [herokuapp.com, _x.example.com], vpn: [a.b]");
    ck_assert_uint_eq(recursion->all, 1);
    ck_assert_uint_eq(recursion->count, 3);
    ck_assert_uint_eq(recursion->suffixes[1].class, 1);
    ck_assert_uint_eq(recursion->suffixes[2].origin.at.column, 76);
    ck_assert_uint_eq(recursion_classes(recursion), 7);
    free(text);
    end_reading(&reading);
}

/* The initial value is for a setting that is not given, not for classes left out. */
TEST(a_class_that_is_left_out_may_ask_for_nothing)
{
    struct reading reading;

    read_text(&reading, "recursion_for: {peered: all}\n");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_uint_eq(recursion_classes(&reading.settings.recursion_for), 2);
    end_reading(&reading);
    read_text(&reading, "recursion_for: {}\n");
    ck_assert_uint_eq(recursion_classes(&reading.settings.recursion_for), 0);
    end_reading(&reading);
}

/* One more than the 64 of all classes together. */
TEST(the_number_of_suffixes_is_limited)
{
    struct reading reading;
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    fputs("recursion_for:\n  vpn: [a.example, b.example]\n  peered:\n", out);
    for (int i = 0; i < RECURSION_SUFFIXES_MOST - 1; i++)
        fprintf(out, "    - z%d.example\n", i);
    fclose(out);
    read_octets(&reading, text, length, NULL);
    ck_assert_str_eq(reading.messages, "FILE:66:7: recursion_for.peered: more than 64 suffixes in "
                                       "all classes; remove some, or give all\n");
    ck_assert_uint_eq(reading.settings.recursion_for.count, RECURSION_SUFFIXES_MOST);
    end_reading(&reading);
    free(text);
}

TEST(a_single_text_is_a_list_of_one)
{
    struct reading reading;

    read_text(&reading, "listen: 127.0.0.1:5300\n");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_uint_eq(reading.settings.listen.count, 1);
    end_reading(&reading);
}

TEST(a_flag_replaces_a_list_of_the_file)
{
    const char text[] = "listen: [10.0.0.2, 10.0.0.3]\n";
    struct reading reading;

    read_octets(&reading, text, sizeof text - 1, (char[]){"--listen=127.0.0.1"});
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_uint_eq(reading.settings.listen.count, 1);
    ck_assert_str_eq(reading.settings.listen.items[0].origin.file, "--listen (command line)");
    end_reading(&reading);
}

TEST(a_flag_replaces_the_files_upstreams)
{
    const char text[] =
        "upstreams: [10.0.0.2, 10.0.0.3]\nupstream_zones: {corp.example: 10.0.0.4}\n";
    struct reading reading;

    read_octets(&reading, text, sizeof text - 1, (char[]){"--upstream=none"});
    ck_assert_str_eq(reading.messages, "");
    ck_assert(reading.settings.upstreams.is_none);
    ck_assert_uint_eq(reading.settings.upstreams.count, 0);
    ck_assert_uint_eq(reading.settings.upstream_zones.count, 1);
    end_reading(&reading);
}

TEST(the_number_of_zones_is_limited)
{
    struct reading reading;
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    fputs("upstream_zones:\n", out);
    for (int i = 0; i < UPSTREAM_ZONES_MOST; i++)
        fprintf(out, "  z%d.example: 10.0.0.2\n", i);
    fclose(out);
    read_octets(&reading, text, length, NULL);
    ck_assert_str_eq(reading.messages,
                     "FILE:65:3: upstream_zones.z63.example: more than 63 zones; remove some\n");
    end_reading(&reading);
    free(text);
}

TEST(a_bad_value_is_reported_even_if_a_flag_overrides_it)
{
    const char text[] = "workers: 999\n";
    struct reading reading;

    read_octets(&reading, text, sizeof text - 1, (char[]){"--workers=1"});
    ck_assert_int_eq(reading.status, SETTINGS_BAD_FILE);
    ck_assert_str_eq(reading.messages,
                     "FILE:1:10: workers: 999 is out of range; give a whole number "
                     "from 0 to 256\n");
    end_reading(&reading);
}

static const struct {
    const char *text;
    const char *messages;
} mistakes[] = {
    {"worker: 2\n", "FILE:1:1: unknown key `worker`; did you mean `workers`?\n"},
    {"zones: z\nshoe_size: 2\n",
     "FILE:2:1: unknown key `shoe_size`; spacednsd --help lists the keys\n"},
    {"suffixes: {aps: x.y}\n",
     "FILE:1:12: unknown key `suffixes.aps`; did you mean `suffixes.apps`?\n"},
    {"sufixes: {apps: x.y}\n", "FILE:1:1: unknown key `sufixes`; did you mean `suffixes`?\n"},
    {"http_token: short-secret\n", "FILE:1:13: http_token: the token is not 16 to 200 letters, "
                                   "digits and -._~+/=; make one with: "
                                   "openssl rand -hex 32\n"},
    /* Nor is it said that there is none. */
    {"http_listen: [10.0.0.2]\nhttp_token: short-secret\n",
     "FILE:2:13: http_token: the token is not 16 to 200 letters, digits and -._~+/=; make one "
     "with: "
     "openssl rand -hex 32\n"},
    {"http_token: \"a secret with blanks\"\n", "FILE:1:13: http_token: the token is not 16 to 200 "
                                               "letters, digits and -._~+/=; make one with: "
                                               "openssl rand -hex 32\n"},
    {"http_listen: []\n", "FILE:1:14: http_listen: the list is empty; give at least 1, or none\n"},
    {"http_listen: [unix:sock]\n",
     "FILE:1:15: http_listen: `unix:sock` has no path from the root; give one like "
     "unix:/run/spacedns/http.sock\n"},
    {"workers: two\n", "FILE:1:10: workers: `two` is not a whole number; give one from 0 to 256\n"},
    {"cookies: yes\n", "FILE:1:10: cookies: `yes` is neither true nor false\n"},
    {"log_queries: true\n",
     "FILE:1:14: log_queries: `true` is not known; give failures, all or none\n"},
    {"log_queries: false\n",
     "FILE:1:14: log_queries: `false` is not known; give failures, all or none\n"},
    {"log_rate: 1000001\n",
     "FILE:1:11: log_rate: 1000001 is out of range; give a whole number from "
     "0 to 1000000\n"},
    {"workers: [1]\n", "FILE:1:10: workers: a list where one value is expected\n"},
    {"listen: {a: b}\n", "FILE:1:9: listen: a mapping where one value is expected\n"},
    {"zones:\n", "FILE:1:7: zones: no value; give one or remove the key\n"},
    {"listen: []\n", "FILE:1:9: listen: the list is empty; give at least 1\n"},
    {"localspace_to: [space, pered]\n", "FILE:1:24: localspace_to: `pered` is not known; did you "
                                        "mean peered? Allowed: space, peered or vpn\n"},
    {"suffixes: {apps: \"-x.com\"}\n",
     "FILE:1:18: suffixes.apps: `-x.com` is not a domain name; give labels of letters, digits and "
     "inner hyphens with dots between, like example.app\n"},
    {"suffixes: {targets: [a.b, c.d, e.f]}\n",
     "FILE:1:32: suffixes.targets: more than 2 entries; remove some\n"},
    {"suffixes: {apps: localspace}\n", "FILE:1:18: suffixes.apps: `localspace` is given for two "
                                       "purposes; each needs a name of its own\n"},
    {"workers: 1\nworkers: 2\n",
     "FILE:2:1: key `workers` is already given on line 1; keep one of them\n"},
    {"workers: 1\n---\nzones: x\n",
     "FILE:2:1: a second document begins here; put it into a file of its own\n"},
    {"upstreams: [ns1.example.com]\n", "FILE:1:13: upstreams: `ns1.example.com` is a name; give "
                                       "the server's address, like 10.0.0.2\n"},
    {"upstreams: [10.0.0.2, 10.0.0.2@53]\n",
     "FILE:1:23: upstreams: `10.0.0.2` is given twice; keep one of them\n"},
    {"upstreams: [10.0.0.2, none]\n",
     "FILE:1:23: upstreams: `none` is given with an address; give addresses, or `none` alone\n"},
    {"upstreams: []\n", "FILE:1:12: upstreams: the list is empty; give at least 1, or none\n"},
    {"upstreams: {corp.example: 10.0.0.2}\n",
     "FILE:1:12: upstreams: a mapping where one value is expected\n"},
    {"upstream_zones: 10.0.0.2\n",
     "FILE:1:17: upstream_zones: a mapping is expected, not a text; give "
     "{corp.example: [192.168.7.53]}\n"},
    {"upstream_zones: [10.0.0.2]\n",
     "FILE:1:17: upstream_zones: a list where one value is expected\n"},
    {"upstream_zones: {corp..example: 10.0.0.2}\n",
     "FILE:1:18: upstream_zones.corp..example: not a domain name; give labels of letters, digits, "
     "hyphens and underscores with dots between, like corp.example\n"},
    {"upstream_zones: {.: 10.0.0.2}\n",
     "FILE:1:18: upstream_zones..: `.` is everything else; give its servers to the key "
     "upstreams\n"},
    {"upstream_zones: {corp.example: 10.0.0.2, Corp.Example.: 10.0.0.3}\n",
     "FILE:1:42: upstream_zones.Corp.Example.: the zone is listed twice; keep one of them\n"},
    {"upstream_zones: {corp.example: 10.0.0.2, corp.example: 10.0.0.3}\n",
     "FILE:1:42: key `corp.example` is already given on line 1; keep one of them\n"},
    {"upstream_zones: {corp.example: []}\n",
     "FILE:1:32: upstream_zones.corp.example: the list is empty; give at least 1\n"},
    {"upstream_zones: {corp.example: none}\n",
     "FILE:1:32: upstream_zones.corp.example: `none` is allowed in upstreams only; a zone needs an "
     "address\n"},
    {"upstream_zones: {corp.example: }\n",
     "FILE:1:32: upstream_zones.corp.example: no value; give one or remove the key\n"},
    {"upstream_zones: {corp.example: [10.0.0.2, 10.0.0.2]}\n",
     "FILE:1:43: upstream_zones.corp.example: `10.0.0.2` is given twice; keep one of them\n"},
    {"upstream_zones: {corp.example: [10.0.0.2@99999]}\n",
     "FILE:1:33: upstream_zones.corp.example: `10.0.0.2@99999` has the bad port `99999`; give a "
     "number from 1 to 65535\n"},
    {"upstream_zones: {corp.example: {allow_rebind: true}}\n",
     "FILE:1:32: upstream_zones.corp.example: no upstreams; give {upstreams: [192.168.7.53]}\n"},
    {"upstream_zones: {corp.example: {upstreams: 10.0.0.2, allow_rebind: yes}}\n",
     "FILE:1:68: upstream_zones.corp.example: allow_rebind is neither true nor false\n"},
    {"upstream_zones: {corp.example: {upstream: 10.0.0.2}}\n",
     "FILE:1:33: upstream_zones.corp.example: unknown key `upstream`; did you mean "
     "`upstreams`?\nFILE:1:32: upstream_zones.corp.example: no upstreams; give {upstreams: "
     "[192.168.7.53]}\n"},
    {"recursion_for: [space, pered]\n", "FILE:1:24: recursion_for: `pered` is not known; did you "
                                        "mean peered? Allowed: space, peered or vpn\n"},
    {"recursion_for: {pered: all}\n",
     "FILE:1:17: recursion_for: `pered` is not a class of clients; did you mean peered?\n"},
    {"recursion_for: {external: all}\n",
     "FILE:1:17: recursion_for: `external` is not a class of clients; give space, peered or vpn\n"},
    {"recursion_for: {peered: [herokuapp.com, -x.com]}\n",
     "FILE:1:41: recursion_for.peered: not a domain name; give labels of letters, digits, hyphens "
     "and underscores with dots between, like example.com, or all\n"},
    {"recursion_for:\n  vpn:\n    - herokuapp.com\n    - Herokuapp.COM.\n",
     "FILE:4:7: recursion_for.vpn: the suffix is listed twice; keep one of them\n"},
    {"recursion_for: {vpn: [.]}\n",
     "FILE:1:23: recursion_for.vpn: `.` is every name; give all instead of the list\n"},
    {"recursion_for: {vpn: .}\n",
     "FILE:1:22: recursion_for.vpn: `.` is every name; give all instead of the list\n"},
    {"recursion_for: {vpn: []}\n",
     "FILE:1:22: recursion_for.vpn: the list is empty; give suffixes, or leave the class out\n"},
    {"recursion_for: {vpn: }\n",
     "FILE:1:22: recursion_for.vpn: no value; give one or remove the key\n"},
    {"recursion_for: {vpn: {a: b}}\n",
     "FILE:1:22: recursion_for.vpn: a mapping where one value is expected\n"},
    {"recursion_for: {vpn: [all, herokuapp.com]}\n",
     "FILE:1:23: recursion_for.vpn: `all` is given in a list; give suffixes, or `all` alone\n"},
    {"recursion_for: {vpn: all, vpn: all}\n",
     "FILE:1:27: key `vpn` is already given on line 1; keep one of them\n"},
    {"recursion_for: {vpn: [web.app.localspace]}\n",
     "FILE:1:23: recursion_for.vpn: names in `localspace` are answered here and never sent to an "
     "upstream; remove it, and see the setting localspace_to\n"},
    {"recursion_for: {vpn: [in.side]}\nsuffixes: {discovery: side}\n",
     "FILE:1:23: recursion_for.vpn: names in `side` are answered here and never sent to an "
     "upstream; remove it, and see the setting localspace_to\n"},
    {"nat64_prefix: 2001:db8::/33\n",
     "FILE:1:15: nat64_prefix: `2001:db8::/33` is not a NAT64 prefix; give one like "
     "2001:db8:64::/96, of 32, 40, 48, 56, 64 or 96 bits\n"},
    {"cache_size: 0\n",
     "FILE:1:13: cache_size: 0 is out of range; give a whole number from 1048576 to "
     "4294967295\n"},
    {"cache_size: 4294967296\n", "FILE:1:13: cache_size: 4294967296 is out of range; give a whole "
                                 "number from 1048576 to 4294967295\n"},
    {"cache_size: 1000\n", "FILE:1:13: cache_size: 1000 is out of range; give a whole number from "
                           "1048576 to 4294967295\n"},
    {"cache_size: 4294967296\n",
     "FILE:1:13: cache_size: 4294967296 is out of range; give a whole number from "
     "1048576 to 4294967295\n"},
    {"suffixes: herokuapp.com\n",
     "FILE:1:1: `suffixes` holds keys of its own; write them below it, "
     "as {apps: example.app}\n"},
    {"registry: [10.1.0.3]\n", "FILE:1:1: `registry` holds keys of its own; write them below it, "
                               "as {endpoints: [https://10.1.0.3:2379], cell: eu-1}\n"},
    {"registri: {cell: a}\n", "FILE:1:1: unknown key `registri`; did you mean `registry`?\n"},
    {"registry: {endpoints: [], cell: a}\n",
     "FILE:1:23: registry.endpoints: the list is empty; give at least 1\n"},
    {"registry: {endpoints: [10.1.0.300], cell: a}\n",
     "FILE:1:24: registry.endpoints: `10.1.0.300` is not a member of etcd; give one like "
     "10.1.0.3:2379, http://10.1.0.3:2379 or https://etcd-1.example:2379\n"},
    {"registry: {endpoints: [10.1.0.3, \"http://10.1.0.3:2379\"], cell: a}\n",
     "FILE:1:34: registry.endpoints: `http://10.1.0.3:2379` is given twice; keep one of them\n"},
    {"registry: {endpoints: [http://10.1.0.3, https://10.1.0.4], cell: a}\n",
     "FILE:1:41: registry.endpoints: some are http:// and some https://; write all of them with "
     "one scheme\n"},
    {"registry: {endpoints: [http://10.1.0.3], cell: a, ca: /a}\n",
     "FILE:1:24: registry.endpoints: http:// is in the clear, and registry.ca and "
     "registry.certificate are for TLS; write https://, or take those out\n"},
    {"registry: {endpoints: [10.1.0.3]}\n",
     "FILE:1:24: registry.endpoints: there is no registry.cell, which names the set of spaces to "
     "answer; give it, like eu-1\n"},
    {"zones: /z\nregistry: {endpoints: [10.1.0.3], cell: a}\n",
     "FILE:2:24: registry.endpoints: zone files are read from a registry or from the folder "
     "`zones`, not from both; take one of the two settings out\n"},
    {"registry: {endpoints: [10.1.0.3], cell: a/b}\n",
     "FILE:1:41: registry.cell: a cell is at most 64 of a-z, 0-9, -, . and _; give one like "
     "eu-1\n"},
    {"registry: {endpoints: [10.1.0.3], cell: a, root: spacedns}\n",
     "FILE:1:50: registry.root: a root begins with a slash and does not end with one; give one "
     "like /spacedns\n"},
    {"registry: {endpoints: [10.1.0.3], cell: a, root: /a/}\n",
     "FILE:1:50: registry.root: a root begins with a slash and does not end with one; give one "
     "like /spacedns\n"},
    {"registry: {endpoints: [10.1.0.3], cell: a, certificate: /c}\n",
     "FILE:1:57: registry.certificate: it is of no use without registry.key; give both or none\n"},
    {"registry: {endpoints: [10.1.0.3], cell: a, key: /c}\n",
     "FILE:1:49: registry.key: it is of no use without registry.certificate; give both or none\n"},
    {"registry: {endpoints: [10.1.0.3], cell: a, user: u}\n",
     "FILE:1:50: registry.user: it is of no use without registry.password_file; give both or "
     "none\n"},
    {"registry: {endpoints: [10.1.0.3], cell: a, password_file: /p}\n",
     "FILE:1:59: registry.password_file: it is of no use without registry.user; give both or "
     "none\n"},
    {"registry: {cell: a}\n",
     "FILE:1:18: registry.cell: it is of no use without registry.endpoints; give the members of "
     "etcd there, or take it out\n"},
    {"registry: {endpoints: [10.1.0.3], cell: a, channel: cannary}\n",
     "FILE:1:53: registry.channel: `cannary` is not known; did you mean canary? Allowed: stable or "
     "canary\n"},
    {"upstream_questions: 15\n", "FILE:1:21: upstream_questions: 15 is out of range; give a whole "
                                 "number from 16 to 20000\n"},
    {"", "FILE:1:1: nothing is in the file\n"},
    {"help: true\n", "FILE:1:1: unknown key `help`; spacednsd --help lists the keys\n"},
};

TEST_OVER(a_mistake_is_one_message_with_its_location, mistakes)
{
    struct reading reading;

    read_text(&reading, mistakes[_i].text);
    ck_assert_int_eq(reading.status, SETTINGS_BAD_FILE);
    ck_assert_str_eq(reading.messages, mistakes[_i].messages);
    end_reading(&reading);
}

#define TOKEN_20 "abcdefghijklmnopqrst"
#define TOKEN_100 TOKEN_20 TOKEN_20 TOKEN_20 TOKEN_20 TOKEN_20

static const struct {
    const char *token;
    bool is_good;
} tokens[] = {
    {"0123456789abcde", false},   {"0123456789abcdef", true},  {"AZaz09-._~+/=_16", true},
    {"0123456789abcdef,", false}, {TOKEN_100 TOKEN_100, true}, {TOKEN_100 TOKEN_100 "a", false},
};

TEST_OVER(a_token_is_16_to_200_characters_and_lets_others_be_served, tokens)
{
    struct reading reading;
    char text[400];

    snprintf(text, sizeof text, "zones: z\nhttp_listen: [10.0.0.2]\nhttp_token: \"%s\"\n",
             tokens[_i].token);
    read_text(&reading, text);
    ck_assert_int_eq(reading.status, tokens[_i].is_good ? SETTINGS_READY : SETTINGS_BAD_FILE);
    if (tokens[_i].is_good)
        ck_assert_str_eq(reading.settings.http_token, tokens[_i].token);
    else
        ck_assert_ptr_null(strstr(reading.messages, tokens[_i].token)); /* it may be a secret */
    end_reading(&reading);
}

/* Invalid domain names: the shortest for each rule of the reader. */
static const char *const bad_names[] = {
    ".",
    "a..b",
    ".a",
    "a-",
    "a-.b",
    "a.-b",
    "a_b",
    "a b",
    "ä",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", /* a label of 64 */
};

TEST_OVER(a_suffix_is_a_domain_name, bad_names)
{
    struct reading reading;
    char text[128];

    snprintf(text, sizeof text, "suffixes: {discovery: \"%s\"}\n", bad_names[_i]);
    read_text(&reading, text);
    ck_assert_int_eq(reading.status, SETTINGS_BAD_FILE);
    ck_assert_msg(strstr(reading.messages, "is not a domain name") != NULL, "problems: %s",
                  reading.messages);
    end_reading(&reading);
}

TEST(all_mistakes_are_reported_in_one_run)
{
    struct reading reading;

    read_text(&reading, "worker: 2\nexternal: drop\n");
    ck_assert_str_eq(reading.messages,
                     "FILE:1:1: unknown key `worker`; did you mean `workers`?\n"
                     "FILE:2:11: external: `drop` is not known; give refuse or nxdomain\n");
    end_reading(&reading);
}

TEST(a_long_key_is_cut_in_its_message)
{
    struct reading reading;
    char text[1024];

    memset(text, 'k', sizeof text);
    strcpy(text + 1000, ": 1\n");
    read_text(&reading, text);
    ck_assert_int_eq(reading.status, SETTINGS_BAD_FILE);
    ck_assert_uint_lt(strlen(reading.messages), 200);
    end_reading(&reading);
}

TEST(a_file_that_is_too_large_is_refused)
{
    size_t length = (1 << 20) + 1;
    char *text = malloc(length);
    struct reading reading;

    memset(text, '#', length);
    read_octets(&reading, text, length, NULL);
    ck_assert_int_eq(reading.status, SETTINGS_BAD_FILE);
    ck_assert_str_eq(reading.messages,
                     "FILE: the settings file is larger than the 1048576 octets that "
                     "are read; check --settings\n");
    end_reading(&reading);
    free(text);
}

/* Reads the settings at a path that is not a regular file. */
static void expect_at(const char *path, const char *messages)
{
    struct settings settings;
    char *copy = strdup(path);
    char *argv[] = {(char[]){"spacednsd"}, (char[]){"--settings"}, copy, NULL};
    struct report *report = report_new();

    ck_assert_int_eq(settings_init(&settings, 3, argv, report), SETTINGS_BAD_FILE);
    char *problems = findings_text(report, FINDING_SETTING, NULL);
    ck_assert_str_eq(problems, messages);
    settings_close(&settings);
    report_free(report);
    free(problems);
    free(copy);
}

TEST(a_pipe_without_a_writer_is_reported_and_does_not_block)
{
    char path[] = "/tmp/spacedns-settings.XXXXXX", messages[256];

    ck_assert_ptr_nonnull(mkdtemp(path));
    char fifo[sizeof path + 8];
    snprintf(fifo, sizeof fifo, "%s/s.yaml", path);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    snprintf(messages, sizeof messages,
             "%s: the settings file is a named pipe (FIFO), not a file; check --settings\n", fifo);
    expect_at(fifo, messages);
    unlink(fifo);
    rmdir(path);
}

TEST(a_missing_file_and_a_folder_are_reported)
{
    expect_at("/nowhere/s.yaml",
              "/nowhere/s.yaml: the settings file cannot be opened: No such file "
              "or directory; check --settings\n");
    expect_at("/tmp", "/tmp: the settings file is a folder, not a file; check --settings\n");
}
