#include "spacedns/watch_topology.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const char start[] = "watch-topology ZONES/topo.json --once";

/* Puts what spaces:topology prints into a file, and the zone file in its form. */
static void follow_once(void)
{
    ck_assert_int_eq(console_run("spaces:topology --json"), 0);
    scratch_write(&console.zones, "topo.json", console.out, strlen(console.out));
    console_expect_part(start, 0, "3 other changes: frozen-oasis-70544: has the id ");
}

static const struct console_line refused[] = {
    {"watch-topology", 2, "", NULL},
    {"watch-topology ZONES/topo.json --force", 2, "",
     "Error: --force lets one topology through, which somebody has looked at; add --once\n"},
    {"watch-topology ZONES/topo.json --once --every 0", 2, "",
     "Error: --every is a number of seconds such as 30, from 1 to 86400, not 0\n"},
    {"watch-topology ZONES/topo.json --once --timeout 3601", 2, "",
     "Error: --timeout is a number of seconds such as 30, from 1 to 3600, not 3601\n"},
};

TEST_OVER(options_that_make_no_sense_are_refused, refused)
{
    if (refused[_i].err != NULL)
        console_expect(&refused[_i]);
    else
        ck_assert_int_eq(console_run(refused[_i].line), refused[_i].code);
}

TEST(an_unchanged_topology_writes_nothing)
{
    follow_once();
    char *before = console_read("test-space.yaml");

    console_expect(&(struct console_line){start, 0, "", ""});
    char *after = console_read("test-space.yaml");
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
}

TEST(a_dyno_that_moves_is_written)
{
    follow_once();
    ck_assert(scratch_edit(&console.zones, "topo.json", "\"private_ip\": \"10.0.130.56\"",
                           "\"private_ip\": \"10.0.130.57\""));
    console_expect_part(start, 0, "frozen-oasis-70544: web.1 has the address 10.0.130.57\n");
    ck_assert(console_file_has("test-space.yaml", "{number: 1, private_ip: 10.0.130.57}"));
    ck_assert(console_file_has("test-space.yaml", "trusted_ips: [192.0.2.0/26]\n"));
}

static const struct {
    const char *topology, *part;
} losses[] = {
    {"{\"version\": 1, \"apps\": []}",
     "refused: the topology lacks 2 of the 2 internal apps, such as frozen-oasis-70544"},
    {"{\"version\": 1, \"apps\": [", "topo.json:1:24: "},
    {"{\"version\": 2, \"apps\": []}", "version must be 1, found a number"},
    {"{}", "version must be 1, found nothing"},
    {"", "topo.json is empty; fetch the topology again"},
};

TEST_OVER(what_is_not_whole_or_loses_apps_changes_nothing, losses)
{
    char *before = console_read("test-space.yaml");

    scratch_write(&console.zones, "topo.json", losses[_i].topology, strlen(losses[_i].topology));
    ck_assert_int_eq(console_run(start), 1);
    ck_assert_msg(strstr(console.out, losses[_i].part) != NULL, "%s%s", console.out, console.err);
    char *after = console_read("test-space.yaml");
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
}

static const char internal[] = "watch-topology ZONES/topo.json --once --internal-routing";

TEST(a_new_app_gets_internal_routing_as_the_command_says)
{
    static const char lake[] =
        "{\"version\": 1, \"apps\": [{\"domains\": [\"new-lake-1.herokuapp.com\"], "
        "\"formation\": []},";

    follow_once();
    ck_assert(scratch_edit(&console.zones, "topo.json", "\"apps\": [", "\"apps\": [ "));
    char *text = console_read("topo.json");
    const char *apps = strstr(text, "\"apps\": [ ");
    char *grown = malloc(strlen(text) + sizeof lake);
    ck_assert_ptr_nonnull(grown);
    strcpy(grown, lake);
    strcat(grown, apps + strlen("\"apps\": [ "));
    scratch_write(&console.zones, "topo.json", grown, strlen(grown));
    console_expect_part(internal, 0, "1 app new: new-lake-1: the app is new\n");
    ck_assert(
        console_file_has("test-space.yaml", "  - name: new-lake-1\n    internal_routing: true\n"));
    free(grown);
    free(text);
}
