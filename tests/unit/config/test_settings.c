#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

#include "support/findings.h"
#include "support/suite.h"

enum { ARGUMENTS_MOST = 16 };

/* The result of one command line. */
struct reading {
    struct settings settings;
    enum settings_status status;
    char *problems;
};

/* Splits at blanks and reads. */
static void read_line(struct reading *reading, const char *line)
{
    char *copy = strdup(line), *rest = NULL;
    char *argv[ARGUMENTS_MOST + 1] = {(char[]){"spacednsd"}};
    int argc = 1;

    for (char *word = strtok_r(copy, " ", &rest); word != NULL && argc < ARGUMENTS_MOST;
         word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    struct report *report = report_new();
    reading->status = settings_init(&reading->settings, argc, argv, report);
    reading->problems = findings_text(report, FINDING_SETTING, NULL);
    report_free(report);
    free(copy);
}

static void end_reading(struct reading *reading)
{
    settings_close(&reading->settings);
    free(reading->problems);
}

TEST(an_empty_command_line_gives_the_initial_values)
{
    struct reading reading;
    char address[ENDPOINT_TEXT_MAX];

    read_line(&reading, "");
    const struct settings *settings = &reading.settings;
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_str_eq(reading.problems, "");
    ck_assert_str_eq(settings->zones, "/etc/spacedns/zones");
    ck_assert_uint_eq(settings->listen.count, 1);
    endpoint_write(&settings->listen.items[0].endpoint, address);
    ck_assert_str_eq(address, "127.0.0.1:53");
    ck_assert_uint_ge(settings->workers, 1);
    ck_assert_uint_eq(settings->local_as.count, 0);
    ck_assert_uint_eq(settings->external, EXTERNAL_REFUSE);
    ck_assert_uint_eq(settings->localspace_to, 1);
    ck_assert_uint_eq(settings->recursion_for.all, 1);
    ck_assert_str_eq(settings->suffix_apps, "herokuapp.com");
    ck_assert_str_eq(settings->suffix_discovery, "localspace");
    ck_assert_uint_eq(settings->suffix_targets.count, 2);
    ck_assert_str_eq(settings->suffix_targets.items[1], "herokudns.com");
    ck_assert_uint_gt(strlen(settings->server_id), 0);
    ck_assert_uint_eq(settings->log_queries, LOG_QUERIES_FAILURES);
    ck_assert_uint_eq(settings->log_rate, 200);
    ck_assert(!settings->allow_public_listen);
    ck_assert(settings->reload_guard);
    ck_assert_uint_eq(settings->guard_share, 10);
    ck_assert_uint_eq(settings->udp_buffer, 4 << 20);
    ck_assert_uint_eq(settings->upstreams.count + settings->upstream_zones.count, 0);
    ck_assert(!settings->upstreams.is_none && !settings->allow_rebind && !settings->upstream_0x20);
    ck_assert_uint_eq(settings->upstream_ports, UPSTREAM_PORTS_SYSTEM);
    ck_assert_uint_ge(settings->cache_size, 64 << 20);
    ck_assert_uint_eq(settings->upstream_questions, 2000);
    end_reading(&reading);
}

TEST(flags_set_values)
{
    struct reading reading;

    read_line(&reading, "--zones z --workers 3 --external nxdomain --allow-public-listen "
                        "--log-queries all --log-format=json --log-level debug");
    const struct settings *settings = &reading.settings;
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_str_eq(settings->zones, "z");
    ck_assert_uint_eq(settings->workers, 3);
    ck_assert_uint_eq(settings->external, EXTERNAL_NXDOMAIN);
    ck_assert(settings->allow_public_listen);
    ck_assert_uint_eq(settings->log_queries, LOG_QUERIES_ALL);
    ck_assert_uint_eq(settings->log_format, LOG_FORMAT_JSON);
    ck_assert_uint_eq(settings->log_level, 3);
    end_reading(&reading);
}

TEST(lists_add_up_and_split_at_commas)
{
    struct reading reading;

    read_line(&reading, "--listen 127.0.0.1:5300 --listen [::1]:5301,10.0.0.2 "
                        "--local-as one,two --local-as three");
    const struct settings *settings = &reading.settings;
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_uint_eq(settings->listen.count, 3);
    ck_assert_uint_eq(ntohs(settings->listen.items[1].endpoint.v6.sin6_port), 5301);
    ck_assert_uint_eq(ntohs(settings->listen.items[2].endpoint.v4.sin_port), 53);
    ck_assert_str_eq(settings->listen.items[2].origin.file, "--listen (command line)");
    ck_assert_uint_eq(settings->local_as.count, 3);
    ck_assert_str_eq(settings->local_as.items[2], "three");
    end_reading(&reading);
}

TEST(upstreams_are_given_one_by_one_or_none)
{
    struct reading reading;

    read_line(&reading, "--upstream 10.0.0.2 --upstream 1.1.1.1@53,tls://9.9.9.9#dns.quad9.net");
    const struct upstreams *list = &reading.settings.upstreams;
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_uint_eq(list->count, 3);
    ck_assert_str_eq(list->items[1].text, "1.1.1.1");
    ck_assert_str_eq(list->items[2].tls_name, "dns.quad9.net");
    ck_assert_str_eq(list->items[2].origin.file, "--upstream (command line)");
    end_reading(&reading);
    read_line(&reading, "--upstream none");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert(reading.settings.upstreams.is_none);
    end_reading(&reading);
}

TEST(http_is_served_on_loopback_unless_the_settings_say_otherwise)
{
    struct reading reading;
    const struct http_addresses *list = &reading.settings.http_listen;
    char address[HTTP_ADDRESS_OCTETS];

    read_line(&reading, "");
    ck_assert_uint_eq(list->count, 1);
    ck_assert(list->is_initial);
    http_address_write(&list->items[0], address);
    ck_assert_str_eq(address, "127.0.0.1:9153");
    end_reading(&reading);
    read_line(&reading, "--http-listen unix:/run/a.sock,[::1]:80 --http-listen 127.0.0.1:9153");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_uint_eq(list->count, 3);
    ck_assert(!list->is_initial);
    ck_assert_str_eq(list->items[0].path, "/run/a.sock");
    ck_assert_str_eq(list->items[2].origin.file, "--http-listen (command line)");
    end_reading(&reading);
    read_line(&reading, "--http-listen none");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert(list->is_none && list->count == 0);
    end_reading(&reading);
}

TEST(http_outside_loopback_needs_a_token)
{
    struct reading reading;

    read_line(&reading, "--http-listen 127.0.0.1,10.0.0.2,[::]:80");
    ck_assert_int_eq(reading.status, SETTINGS_BAD_FILE);
    ck_assert_str_eq(
        reading.problems,
        "--http-listen (command line): 10.0.0.2:9153 can be reached from other hosts and there is "
        "no http_token; set http_token (make one with: openssl rand -hex 32), or serve HTTP at "
        "127.0.0.1 or unix:PATH\n"
        "--http-listen (command line): [::]:80 can be reached from other hosts and there is no "
        "http_token; set http_token (make one with: openssl rand -hex 32), or serve HTTP at "
        "127.0.0.1 or unix:PATH\n");
    end_reading(&reading);
}

TEST(the_cache_is_as_large_for_many_workers)
{
    struct reading reading;

    read_line(&reading, "--workers 64");
    ck_assert_uint_eq(reading.settings.cache_size, 64 << 20);
    end_reading(&reading);
    read_line(&reading, "--workers 200");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_uint_eq(reading.settings.cache_size, 64 << 20);
    end_reading(&reading);
}

TEST(a_mapped_address_becomes_plain)
{
    struct reading reading;

    read_line(&reading, "--listen [::ffff:10.0.0.2]:5300");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert_int_eq(reading.settings.listen.items[0].endpoint.any.sa_family, AF_INET);
    ck_assert_uint_eq(ntohl(reading.settings.listen.items[0].endpoint.v4.sin_addr.s_addr),
                      0x0a000002);
    end_reading(&reading);
}

/* A command line, and a part of its one message. */
static const struct {
    const char *line;
    const char *message;
} mistakes[] = {
    {"--zone x", "--zone (command line): unknown flag; did you mean --zones?"},
    {"--zone=x", "--zone (command line): unknown flag; did you mean --zones?"},
    {"--frobnicate", "--frobnicate (command line): unknown flag; spacednsd --help lists the flags"},
    {"zones", "zones (command line): not a flag; a value follows its flag, as in --zones DIR"},
    {"--zones", "--zones (command line): has no value; give one: --zones DIR"},
    {"--zones --check", "--zones (command line): has no value; give one: --zones DIR"},
    {"--workers 257",
     "--workers (command line): 257 is out of range; give a whole number from 0 to 256"},
    {"--workers 99999999999", "is not a whole number"},
    {"--workers 4294967295", "is out of range"},
    {"--workers 01",
     "--workers (command line): `01` is not a whole number; give one from 0 to 256"},
    {"--workers two", "`two` is not a whole number"},
    {"--workers=", "`` is not a whole number"},
    {"--external nxdomian", "`nxdomian` is not known; did you mean nxdomain?"},
    {"--external drop", "--external (command line): `drop` is not known; give refuse or nxdomain"},
    {"--log-queries --check",
     "--log-queries (command line): has no value; give one: --log-queries failures|all|none"},
    {"--log-queries=true",
     "--log-queries (command line): `true` is not known; give failures, all or none"},
    {"--check=yes", "--check (command line): `yes` is neither true nor false"},
    {"--listen 10.0.0.256", "--listen (command line): `10.0.0.256` is not an address to listen on"},
    {"--listen 10.0.0.1:0", "with a port from 1 to 65535"},
    {"--listen 10.0.0.1:65536", "with a port from 1 to 65535"},
    {"--listen ,", "--listen (command line): the list is empty; give at least 1"},
    {"--listen 10.0.0.1,10.0.0.1:53", "`10.0.0.1:53` is given twice"},
    {"--listen upd://10.0.0.1",
     "--listen (command line): unknown scheme `upd://`; did you mean udp://?"},
    {"--listen 10.0.0.1,tcp://10.0.0.1", "`10.0.0.1:53` and `tcp://10.0.0.1:53` overlap"},
    {"--listen 10.0.0.1,0.0.0.0",
     "0.0.0.0:53 is every IPv4 address of this host, 10.0.0.1:53 too; keep 0.0.0.0:53, or leave it "
     "out and list the addresses one by one"},
    {"--listen [::]:53,[fd00::1]:53",
     "[::]:53 is every IPv6 address of this host, [fd00::1]:53 too; keep [::]:53, or leave it out "
     "and list the addresses one by one"},
    {"--upstream ns1.example.com",
     "--upstream (command line): `ns1.example.com` is a name; give the server's "
     "address, like 10.0.0.2"},
    {"--http-listen none,127.0.0.1",
     "--http-listen (command line): `none` is given with an address; give addresses, or `none` "
     "alone"},
    {"--http-listen 127.0.0.1 --http-listen 127.0.0.1:9153",
     "--http-listen (command line): `127.0.0.1:9153` is given twice; keep one of them"},
    {"--http-listen ,",
     "--http-listen (command line): the list is empty; give at least 1, or none"},
    {"--http-listen localhost", "`localhost` is not an address for HTTP; give one like"},
    {"--upstream none,10.0.0.2",
     "--upstream (command line): `none` is given with an address; give addresses, or `none` alone"},
    {"--upstream 10.0.0.2 --upstream none", "`none` is given with an address"},
    {"--upstream 10.0.0.2 --upstream 10.0.0.2:53",
     "--upstream (command line): `10.0.0.2` is given twice"},
    {"--upstream ,", "--upstream (command line): the list is empty; give at least 1, or none"},
    {"--upstream", "--upstream (command line): has no value; give one: --upstream ADDR[@PORT]"},
    {"--upstreams 10.0.0.2", "--upstreams (command line): unknown flag; did you mean --upstream?"},
    {"--zones=", "--zones (command line): a text of 0 octets; give 1 to 4095 printable ones"},
};

TEST_OVER(a_mistake_is_one_message_with_the_remedy, mistakes)
{
    struct reading reading;

    read_line(&reading, mistakes[_i].line);
    ck_assert_int_eq(reading.status, SETTINGS_BAD_USAGE);
    ck_assert_msg(strstr(reading.problems, mistakes[_i].message) != NULL, "problems: %s",
                  reading.problems);
    ck_assert_ptr_eq(strchr(reading.problems, '\n'),
                     reading.problems + strlen(reading.problems) - 1);
    end_reading(&reading);
}

TEST(all_mistakes_are_reported_in_one_run)
{
    struct reading reading;

    read_line(&reading, "--zone x --worker 3 --workers 999");
    ck_assert_str_eq(
        reading.problems,
        "--zone (command line): unknown flag; did you mean --zones?\n"
        "--worker (command line): unknown flag; did you mean --workers?\n"
        "--workers (command line): 999 is out of range; give a whole number from 0 to 256\n");
    end_reading(&reading);
}

TEST(help_and_version_need_nothing_else)
{
    struct reading reading;

    read_line(&reading, "--help --settings /nowhere/settings.yaml");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert(reading.settings.help);
    end_reading(&reading);
    read_line(&reading, "-h");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert(reading.settings.help);
    end_reading(&reading);
    read_line(&reading, "-V");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert(reading.settings.version);
    end_reading(&reading);
    read_line(&reading, "--version --settings /nowhere/settings.yaml");
    ck_assert_int_eq(reading.status, SETTINGS_READY);
    ck_assert(reading.settings.version);
    end_reading(&reading);
}

TEST(the_help_text_names_every_flag_and_key)
{
    static const char *const words[] = {
#define SETTING(member, key, flag, value, type, words, initial, least, most, change, help)         \
    flag != NULL ? flag : key,
#include "config/settings.def"
#undef SETTING
    };
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    settings_print_help(out);
    fclose(out);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        ck_assert_msg(strstr(text, words[i]) != NULL, "%s is missing", words[i]);
    free(text);
}
