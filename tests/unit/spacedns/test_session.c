// forks: its tests leave something behind
#include "spacedns/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/control_peer.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

static struct control_peer peer;

FIXTURE(console_open, console_close)

/* ---- which folder ---- */

static void write_settings(const char *format)
{
    char settings[SCRATCH_PATH_MOST + 64];

    snprintf(settings, sizeof settings, format, console.zones.path); // NOLINT: of this file
    scratch_write(&console.zones, "settings", settings, strlen(settings));
}

/* Asks for apps without --zones. The server says so, if it says anything. */
static int run_with_server(const char *zones)
{
    char answer[SCRATCH_PATH_MOST + 64];
    const struct control_exchange script[] = {{"status --json", answer}, {NULL, NULL}};

    snprintf(answer, sizeof answer, ">{\"zones\": \"%s\"}\n=0\n", zones);
    console.without = "--zones";
    control_peer_start(&peer, console.socket, script);
    int code = console_run("apps");
    control_peer_stop(&peer);
    return code;
}

TEST(the_folder_of_the_running_server_is_read)
{
    write_settings("zones: /nowhere\n");
    ck_assert_int_eq(run_with_server(console.zones.path), 0);
    ck_assert_ptr_nonnull(strstr(console.out, "Apps in space test-space"));
    ck_assert_str_eq(console.err, "");
    ck_assert_str_eq(peer.requests, "status --json\n");
}

TEST(the_folder_of_the_command_line_goes_before_the_servers)
{
    console_expect_part("apps --zones ZONES", 0, "Apps in space test-space");
    ck_assert_str_eq(console.err, "");
}

TEST(without_a_server_the_folder_of_the_settings_is_read_with_a_warning)
{
    write_settings("upstreams: none\nzones: %s\n");
    console.without = "--zones";
    console_expect_part("apps", 0, "Apps in space test-space");
    ck_assert_str_eq(console.err,
                     "no server is at ZONES/control.sock; start spacednsd with --control-socket "
                     "ZONES/control.sock, or name its socket with --socket; using zones folder "
                     "ZONES\n");
}

TEST(a_server_that_does_not_name_its_folder_is_warned_of)
{
    write_settings("upstreams: none\nzones: %s\n");
    static const struct control_exchange script[] = {{"status", ">{}\n=0\n"}, {NULL, NULL}};

    console.without = "--zones";
    control_peer_start(&peer, console.socket, script);
    console_expect_part("apps", 0, "Apps in space test-space");
    control_peer_stop(&peer);
    ck_assert_str_eq(console.err,
                     "the server at ZONES/control.sock does not report its zones folder; see "
                     "spacedns status; using zones folder ZONES\n");
}

/* ---- the environment ---- */

TEST(a_variable_names_the_folder_before_the_server_does)
{
    static const struct control_exchange script[] = {{NULL, NULL}};

    control_peer_start(&peer, console.socket, script);
    console.without = "--zones";
    setenv("SPACEDNS_ZONES", console.zones.path, 1);
    console_expect_part("apps", 0, "Apps in space test-space");
    control_peer_stop(&peer);
    ck_assert_str_eq(console.err, "");
    ck_assert_str_eq(peer.requests, "");
}

TEST(a_variable_names_the_socket)
{
    static const struct control_exchange script[] = {{"status", ">ready\n=0\n"}, {NULL, NULL}};

    console.without = "--socket";
    setenv("SPACEDNS_SOCKET", console.socket, 1);
    control_peer_start(&peer, console.socket, script);
    console_expect(&(struct console_line){"status", 0, "ready\n", ""});
    control_peer_stop(&peer);
}

TEST(a_flag_wins_over_the_variable_and_an_empty_variable_is_none)
{
    setenv("SPACEDNS_ZONES", "/nowhere", 1);
    setenv("SPACEDNS_SOCKET", "", 1);
    console_expect_part("apps --zones ZONES", 0, "Apps in space test-space");
    console.without = "--socket";
    console_expect_part("apps --zones ZONES", 0, "Apps in space test-space");
    ck_assert_str_eq(console.err, "");
}

/* Commands that read the folder, write to it, and send it to the server. */
TEST(a_wrong_variable_is_named)
{
    static const char *const lines[] = {"apps", "domains:add a.example.com -a b", "plan",
                                        "spaces:create other"};

    setenv("SPACEDNS_ZONES", "/nowhere", 1);
    console.without = "--zones";
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        console_expect_part(lines[i], 1, "(SPACEDNS_ZONES names it)\n");
    setenv("SPACEDNS_SOCKET", "/nowhere/socket", 1);
    console.without = "--socket";
    console_expect_part("status", 1, "--socket (SPACEDNS_SOCKET names it)\n");
}

/* ---- settings ---- */

TEST(wrong_settings_are_printed_with_their_place)
{
    write_settings("upstreams: none\nworkers: many\n");
    console_run("apps");
    ck_assert_int_eq(console.code, 1);
    ck_assert_msg(strstr(console.err, "ZONES/settings:2:10: error E-SETTING: ") != NULL, "%s",
                  console.err);
    ck_assert_str_eq(console.out, "");
}

/* check prints findings as JSON whatever is wrong. */
TEST(wrong_settings_are_findings_in_json)
{
    write_settings("upstreams: none\nworkers: many\n");
    ck_assert_int_eq(console_run("check --json"), 1);
    ck_assert_ptr_nonnull(strstr(console.out, "\"folder\": null,"));
    ck_assert_ptr_nonnull(strstr(console.out, "\"code\": \"E-SETTING\","));
}

TEST(settings_that_are_not_there_are_refused)
{
    console_expect(
        &(struct console_line){"apps --settings ZONES/none", 1, "",
                               "ZONES/none: error E-SETTING: the settings file cannot be "
                               "opened: No such file or directory; check --settings\n"});
}

/* A server that was started with a flag and with a settings file that this command cannot find. */
static void start_server(const char *answer)
{
    static char status[4 * SCRATCH_PATH_MOST];
    static const struct control_exchange script[] = {{"status --json", status}, {NULL, NULL}};
    const char *folder = console.zones.path;

    snprintf(status, sizeof status, answer, folder, folder); // NOLINT: of this file
    console.without = "--zones --settings";
    control_peer_start(&peer, console.socket, script);
}

static const char server_answer[] =
    ">{\"zones\": \"%s\", \"settings\": \"%s/settings\", "
    "\"flags\": [\"--settings\", \"relative\", \"--listen\", \"10.0.0.7\"]}\n=0\n";

TEST(a_running_servers_settings_are_read_with_its_zones)
{
    write_settings("upstreams: none\nlocalspace_to: [space, vpn]\n");
    start_server(server_answer);
    console_run("explain web.frozen-oasis-70544.app.localspace --from 172.16.9.9");
    ck_assert_msg(strstr(console.out, "\nverdict=NOERROR\n") != NULL, "%s", console.out);
    ck_assert_str_eq(console.err, "settings=of the running server zones=ZONES\n");
    console_expect_part("snippet dnsmasq --json", 0, "[{\"ip\": \"10.0.0.7\", \"port\": 53}]");
    ck_assert_str_eq(console.err, "settings=of the running server zones=ZONES\n");
    control_peer_stop(&peer);
    ck_assert_str_eq(peer.requests, "status --json\nstatus --json\n");
}

TEST(settings_of_the_command_line_go_before_the_servers)
{
    write_settings("upstreams: none\nlocalspace_to: [space, vpn]\n");
    start_server(server_answer);
    console_expect_part("explain web.frozen-oasis-70544.app.localspace --from 172.16.9.9 --zones "
                        "ZONES",
                        0, "\nverdict=REFUSED: Q19 ");
    ck_assert_str_eq(console.err, "settings=defaults zones=ZONES\n");
    console_expect_part("explain web.frozen-oasis-70544.app.localspace --from 172.16.9.9 "
                        "--settings ZONES/settings",
                        0, "\nverdict=NOERROR\n");
    ck_assert_str_eq(console.err, "settings=ZONES/settings zones=ZONES\n");
    control_peer_stop(&peer);
}

TEST(wrong_settings_of_the_running_server_are_printed)
{
    write_settings("workers: many\n");
    start_server(server_answer);
    console_expect_part("apps", 1, "ZONES/settings:1:10: error E-SETTING: ");
    control_peer_stop(&peer);
}

/* As of another version. */
TEST(a_server_that_does_not_report_its_flags_lends_only_its_zones)
{
    start_server(">{\"zones\": \"%s\"}\n=0\n");
    console_expect_part("explain api.example.com --from 10.0.130.56", 0, "\nverdict=NOERROR\n");
    ck_assert_str_eq(console.err, "settings=defaults zones=ZONES\n");
    control_peer_stop(&peer);
}

/* ---- findings ---- */

TEST(errors_of_zone_files_are_counted_with_the_first_place)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "\ncidr: ", "\ncidr: x"));
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "state: crashed", "state: sick"));
    ck_assert_int_eq(console_run("apps"), 1);
    ck_assert_msg(strstr(console.err,
                         "Error: ZONES has 2 errors, the first at "
                         "ZONES/test-space.yaml:14:7; fix them, then try again\n") != NULL,
                  "%s", console.err);
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "state: sick", "state: up"));
    ck_assert_int_eq(console_run("apps"), 1);
    ck_assert_msg(strstr(console.err,
                         "Error: ZONES has 1 error, at ZONES/test-space.yaml:14:7; fix "
                         "it, then try again\n") != NULL,
                  "%s", console.err);
}

/* ---- signs ---- */

/* Signs and colour by --color; without it only a terminal has them, which a test's stream is not.
 */
static const struct {
    const char *flag, *out;
} colors[] = {
    {" --color always", "=== Apps in space ⬡ test-space\n"},
    {" --color never", "=== Apps in space test-space\n"},
    {" --color auto", "=== Apps in space test-space\n"},
    {"", "=== Apps in space test-space\n"},
};

TEST_OVER(signs_follow_the_flag, colors)
{
    char line[64];

    setenv("NO_COLOR", "1", 1); // NOLINT: one thread
    snprintf(line, sizeof line, "apps%s", colors[_i].flag);
    console_expect_part(line, 0, colors[_i].out);
}

TEST(a_word_for_color_that_is_unknown_is_refused)
{
    console_expect(&(struct console_line){"version --color blue", 2, "",
                                          "Error: --color is always, never or auto, not blue\n"});
}

/* A name from a file or the command line must not command the terminal. */
TEST(errors_escape_what_they_quote)
{
    console_run("apps:info \033[2J");
    ck_assert_int_eq(console.code, 1);
    ck_assert_ptr_null(strchr(console.err, '\033'));
    ck_assert_ptr_nonnull(strstr(console.err, "Couldn't find that app: "));
}
