#include "spacedns/live.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/control_peer.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

static struct control_peer peer;

static void serve(const struct control_exchange *script)
{
    control_peer_start(&peer, console.socket, script);
}

FIXTURE(console_open, console_close)

/* Commands that a server answers, and what is sent: the line without local options. %s: the folder.
 */
static const struct {
    const char *line, *request;
} requests[] = {
    {"status", "status\n"},
    {"status --json", "status --json\n"},
    {"whoami --to 10.0.0.2", "whoami --to=10.0.0.2\n"},
    {"kept-back", "kept-back\n"},
    {"forget a.example.com b%c", "forget a.example.com b%%25c\n"},
    {"cache", "cache\n"},
    {"cache www.example.org --json", "cache www.example.org --json\n"},
    {"cache:flush", "cache:flush\n"},
    {"cache:flush a.example b.example --below", "cache:flush a.example b.example --below\n"},
    {"who-uses frozen-oasis-70544", "who-uses frozen-oasis-70544\n"},
    {"last-asked api.example.com --json", "last-asked api.example.com --json\n"},
    {"safe-to-stop web.1 -a frozen-oasis-70544", "safe-to-stop web.1 --app=frozen-oasis-70544\n"},
    {"waste", "waste\n"},
    {"reload --force --color always", "reload --force\n"},
    {"reload --dry-run", "reload --dry-run\n"},
    {"reload --dry-run --traffic", "reload --dry-run --traffic\n"},
    {"plan --force", "plan %s --force\n"},
    {"plan --traffic --json", "plan %s --json --traffic\n"},
    {"explain a.example.com --live --from 10.0.130.56",
     "explain a.example.com --from=10.0.130.56 --live\n"},
};

TEST_OVER(a_command_of_the_server_is_sent_to_it, requests)
{
    const struct control_exchange script[] = {{"", ">an answer\n!a warning\n=3\n"}, {NULL, NULL}};
    char wanted[2 * SCRATCH_PATH_MOST];

    serve(script);
    console_expect(&(struct console_line){requests[_i].line, 3, "an answer\n", "a warning\n"});
    control_peer_stop(&peer);
    snprintf(wanted, sizeof wanted, requests[_i].request, console.zones.path); // NOLINT: a table
    ck_assert_str_eq(peer.requests, wanted);
}

static const char *const lines[] = {"status",
                                    "whoami",
                                    "kept-back",
                                    "cache",
                                    "who-uses a",
                                    "last-asked a",
                                    "safe-to-stop 10.0.130.56 --wait",
                                    "waste",
                                    "cache:flush",
                                    "forget a.b",
                                    "reload",
                                    "explain a.b --live --from 10.0.0.1"};

TEST_OVER(without_a_server_the_remedy_is_printed, lines)
{
    console_expect(&(struct console_line){
        lines[_i], 1, "",
        "Error: no server is at ZONES/control.sock; start spacednsd with --control-socket "
        "ZONES/control.sock, or name its socket with --socket\n"});
}

TEST(plan_without_a_server_names_the_other_way)
{
    console_expect(&(struct console_line){
        "plan", 1, "",
        "Error: no server is at ZONES/control.sock; start spacednsd with --control-socket "
        "ZONES/control.sock, or name its socket with --socket\n"
        "Without a server, --against OLD compares with another folder: spacedns plan NEW --against "
        "OLD\n"});
}

TEST(a_client_is_the_servers_question_unless_a_folder_is_named)
{
    static const struct control_exchange script[] = {
        {"status --json", ">{\"zones\":\"elsewhere\"}\n=0\n"},
        {"whoami", ">an answer\n=0\n"},
        {NULL, NULL}};

    console.without = "--zones";
    serve(script);
    console_expect(&(struct console_line){"whoami --from 10.0.130.56", 0, "an answer\n", ""});
    control_peer_stop(&peer);
    console.without = NULL;
    console_expect(&(struct console_line){
        "whoami --from 10.0.130.56", 0,
        "address=10.0.130.56\n"
        "class=space space=test-space app=frozen-oasis-70544 dyno=web.1 because of 10.0.0.0/16 "
        "(ZONES/test-space.yaml:14)\n",
        "settings=ZONES/settings zones=ZONES\n"});
    console_expect(
        &(struct console_line){"whoami --from x", 2, "",
                               "Error: --from: x is not an address; write one as 10.0.130.56\n"});
}

TEST(the_socket_of_the_settings_is_used)
{
    static const struct control_exchange script[] = {
        {"version", ""}, {"status", "=0\n"}, {NULL, NULL}};
    char settings[2 * SCRATCH_PATH_MOST];

    snprintf(settings, sizeof settings, "upstreams: none\ncontrol_socket: %s\n", console.socket);
    scratch_write(&console.zones, "settings", settings, strlen(settings));
    console.without = "--socket";
    serve(script);
    console_expect(&(struct console_line){"status", 0, "", ""});
    control_peer_stop(&peer);
}

/* ---- plan ---- */

static void edit(const char *old, const char *new)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", old, new));
}

TEST(a_plan_for_a_folder_that_is_not_there_is_refused)
{
    console_expect_part("plan ZONES/none", 1, "ZONES/none cannot be opened: No such file");
    console_expect_part("plan --against ZONES/none", 1,
                        "ZONES/none cannot be opened: No such file");
}

TEST(a_plan_against_the_same_folder_changes_nothing)
{
    console_expect(&(struct console_line){"plan --against ZONES", 0, "no answer changes\n", ""});
}

TEST(a_plan_prints_what_changes_and_what_the_guard_refuses)
{
    struct scratch old;
    char line[2 * SCRATCH_PATH_MOST];

    scratch_init(&old);
    scratch_copy(&old, "zones/test-space.yaml");
    edit("10.0.130.56, state: up", "10.0.130.57, state: up");
    snprintf(line, sizeof line, "plan --against %s", old.path);
    console_expect_part(line, 0, "10.0.130.57");
    snprintf(line, sizeof line, "plan --against %s --color always", old.path);
    console_expect_part(line, 0, "\033[3");
    snprintf(line, sizeof line, "plan --against %s --json", old.path);
    console_expect_part(line, 0, "{");
    scratch_copy(&old, "tests/zones_good/other-space.yaml"); /* which the folder lacks */
    snprintf(line, sizeof line, "plan --against %s", old.path);
    console_expect_part(line, 1, "; put it back, or use --force if it is meant to go\n");
    snprintf(line, sizeof line, "plan --against %s --force", old.path);
    console_expect_part(line, 0, "guard");
    edit("\nspace: ", "\nspice: ");
    console_expect_part(line, 1, "; fix ");
    ck_assert_ptr_nonnull(strstr(console.err, ", then plan again"));
    scratch_close(&old);
}
