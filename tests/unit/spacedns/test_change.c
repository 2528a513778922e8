// wrap: edit_mark_end
#include "spacedns/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/control_peer.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

static struct control_peer peer;
static bool has_memory;
static void (*on_mark)(void); /* NULL, or called while the change is made */

bool __real_edit_mark_end(struct edit *edit, struct err *err);
bool __wrap_edit_mark_end(struct edit *edit, struct err *err);

bool __wrap_edit_mark_end(struct edit *edit, struct err *err)
{
    if (on_mark != NULL)
        on_mark();
    return has_memory ? __real_edit_mark_end(edit, err) : err_set(err, ERR_MEMORY, "out of memory");
}

static void set_up(void)
{
    console_open();
    has_memory = true;
    on_mark = NULL;
}

FIXTURE(set_up, console_close)

static const char creation[] = "apps:create new-app --space test-space";

TEST(a_change_leaves_its_file_with_the_end_mark)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "\n...\n", "\n"));
    console_expect_part(creation, 0, "new-app");
    char *after = console_read("test-space.yaml");
    ck_assert_ptr_nonnull(strstr(after, "new-app"));
    ck_assert_str_eq(after + strlen(after) - 5, "\n...\n");
    free(after);
}

/* Runs a line that must be refused with these words and leave the file as it is. */
static void expect_refusal(const char *line, const char *part)
{
    char *before = console_read("test-space.yaml");

    console_expect_part(line, 1, part);
    char *after = console_read("test-space.yaml");
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}

TEST(a_change_that_cannot_be_marked_is_not_made)
{
    has_memory = false;
    expect_refusal(creation, "out of memory");
}

TEST(a_change_that_would_be_refused_is_not_made)
{
    expect_refusal("ps:add web -a frozen-oasis-70544 --ip 10.9.0.1",
                   "E-DYNO-IP: dyno web.3 has private_ip 10.9.0.1 outside dyno_cidrs");
    ck_assert_ptr_nonnull(strstr(console.err, "; nothing was changed\n"));
}

/* The error of another file is located, that of the draft is not: nobody sees the draft. */
TEST(an_error_in_another_file_is_located)
{
    static const char text[] = "space: other\ncidr: 10.0.0.0/16\n...\n";

    scratch_write(&console.zones, "other.yaml", text, sizeof text - 1);
    expect_refusal(creation, "ZONES has 1 error, at ZONES/");
}

/* ---- others who change the file meanwhile ---- */

static void edit_by_hand(void)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "192.0.2.0/26", "192.0.2.0/27"));
}

TEST(a_file_that_was_edited_meanwhile_is_not_overwritten)
{
    on_mark = edit_by_hand;
    console_expect_part(creation, 1, "changed");
    ck_assert(console_file_has("test-space.yaml", "192.0.2.0/27"));
    ck_assert(!console_file_has("test-space.yaml", "new-app"));
}

/* One command after the other: the lock is released, and each finds what the last one wrote. */
TEST(changes_follow_each_other)
{
    console_expect_part(creation, 0, "new-app");
    console_expect_part("ps:add web -a new-app", 0, "");
    console_expect_part("domains:add www.example.org -a new-app --no-reload", 0, "");
    console_expect_part("apps:destroy new-app --confirm new-app", 0, "");
    ck_assert(!console_file_has("test-space.yaml", "new-app"));
    console_expect_part("check", 0, "1 space, 3 apps: 0 errors");
}

/* ---- the running server ---- */

static char status[SCRATCH_PATH_MOST + 64]; /* its answer: which folder it serves */

static const char *serve_folder(const char *folder)
{
    snprintf(status, sizeof status, ">{\"zones\": \"%s\"}\n=0\n", folder);
    return status;
}

/* Runs a line while a server answers by the script. */
static int run_served(const struct control_exchange *script, const char *line)
{
    control_peer_start(&peer, console.socket, script);
    int code = console_run(line);
    control_peer_stop(&peer);
    return code;
}

TEST(a_server_of_the_folder_is_reloaded)
{
    const struct control_exchange script[] = {{"status --json", serve_folder(console.zones.path)},
                                              {"reload", ">Reloading... done\n=0\n"},
                                              {NULL, NULL}};

    ck_assert_int_eq(run_served(script, creation), 0);
    ck_assert_str_eq(peer.requests, "status --json\n"
                                    "reload --note=apps:create%20new-app%20--space%20test-space\n");
    ck_assert_str_eq(console.err, "Creating app in space test-space... done, new-app\n"
                                  "Reloading... done\n");
}

TEST(no_server_is_asked_to_reload_when_that_is_not_wanted)
{
    const struct control_exchange script[] = {{"status --json", serve_folder(console.zones.path)},
                                              {NULL, NULL}};

    ck_assert_int_eq(run_served(script, "ps:add web -a open-plain-1001 --no-reload"), 0);
    ck_assert_str_eq(peer.requests, "");
}

TEST(a_server_of_another_folder_is_left_alone)
{
    const struct control_exchange script[] = {{"status --json", serve_folder("/")}, {NULL, NULL}};

    ck_assert_int_eq(run_served(script, creation), 0);
    ck_assert_str_eq(peer.requests, "status --json\n");
    ck_assert_ptr_nonnull(
        strstr(console.err, "The running server serves /, so it does not load this change\n"));
}

TEST(a_server_that_refuses_the_reload_leaves_the_file_changed)
{
    const struct control_exchange script[] = {{"status --json", serve_folder(console.zones.path)},
                                              {"reload", "!Error: another file is wrong\n=1\n"},
                                              {NULL, NULL}};

    ck_assert_int_eq(run_served(script, creation), 1);
    ck_assert_ptr_nonnull(strstr(console.err, "Error: another file is wrong\n"));
    ck_assert_ptr_nonnull(strstr(console.err, "is changed, and the server answers as before until "
                                              "spacedns reload succeeds; spacedns plan shows"));
    ck_assert(console_file_has("test-space.yaml", "new-app"));
}

TEST(a_server_that_does_not_answer_is_reported)
{
    static const struct control_exchange script[] = {{"status", ">half"}, {NULL, NULL}};

    ck_assert_int_eq(run_served(script, creation), 1);
    ck_assert_ptr_nonnull(strstr(console.err,
                                 "ZONES/test-space.yaml is changed, but the server has "
                                 "not loaded it: run spacedns reload\n"));
    ck_assert_ptr_nonnull(strstr(console.err, "hung up before it had answered"));
}

/* ---- names that are removed ---- */

TEST(a_long_command_line_is_cut_in_the_note)
{
    const struct control_exchange script[] = {
        {"status --json", serve_folder(console.zones.path)}, {"reload", "=0\n"}, {NULL, NULL}};
    char line[512] = "records:add long.internal.example.com 300 TXT ";

    for (size_t length = strlen(line); length < 240; length++)
        line[length] = 'x';
    snprintf(line + strlen(line), sizeof line - strlen(line), " --space test-space");
    ck_assert_msg(run_served(script, line) == 0, "%s", console.err);
    const char *note = strstr(
        peer.requests, "reload --note=records:add%20long.internal.example.com%20300%20TXT%20xxx");
    ck_assert_msg(note != NULL, "%s", peer.requests);
    ck_assert_ptr_nonnull(strstr(note, "xxx...\n"));
    ck_assert_uint_lt(strcspn(note, "\n"), 2 * CHANGE_NOTE_MOST);
}

static const char destruction[] = "apps:destroy sleepy-river-2739 --confirm sleepy-river-2739";
static const char forgetting[] = "forget sleepy-river-2739.herokuapp.com sleepy.example.com "
                                 "drowsy-haiku-7.also-random-3847.herokuspace.com";
static const char destroyed[] = "apps:destroy%20sleepy-river-2739";

TEST(names_that_are_removed_are_released_after_the_reload)
{
    const struct control_exchange script[] = {{"status --json", serve_folder(console.zones.path)},
                                              {"reload", "=0\n"},
                                              {"forget", "!one is not kept back\n=1\n"},
                                              {NULL, NULL}};
    char wanted[512];

    ck_assert_msg(run_served(script, destruction) == 0, "%s", console.err);
    snprintf(wanted, sizeof wanted, "status --json\nreload --note=%s\n%s --note=%s\n", destroyed,
             forgetting, destroyed);
    ck_assert_str_eq(peer.requests, wanted);
    ck_assert_str_eq(console.err, "Destroying sleepy-river-2739... done\n");
}

TEST(names_that_could_not_be_released_are_listed)
{
    const struct control_exchange script[] = {{"status --json", serve_folder(console.zones.path)},
                                              {"reload", "=0\n"},
                                              {"forget", ""},
                                              {NULL, NULL}};

    ck_assert_int_eq(run_served(script, destruction), 1);
    ck_assert_ptr_nonnull(strstr(console.err, "release them with spacedns forget "
                                              "sleepy-river-2739.herokuapp.com"));
    ck_assert_ptr_nonnull(strstr(console.err, "hung up before it had answered"));
}

#define LONG_LABEL "a-label-of-some-fifty-octets-that-makes-a-name-long"
#define LONG_LABELS LONG_LABEL "." LONG_LABEL "." LONG_LABEL "." LONG_LABEL

enum { DOMAINS = 100 };

/* An app with more names than a request may have. */
static void write_wide(void)
{
    char text[65536] =
        "space: wide\ncidr: 10.7.0.0/16\nrouters: [10.7.0.9]\napps:\n  - name: wide\n"
        "    internal_routing: true\n    domains:\n";

    for (unsigned i = 0; i < DOMAINS; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used,
                 "      - {hostname: d%u." LONG_LABELS ".com, cname: t%u.herokuspace.com}\n", i, i);
    }
    scratch_write(&console.zones, "wide.yaml", text, strlen(text));
}

TEST(many_names_are_released_in_several_requests)
{
    const struct control_exchange script[] = {{"status --json", serve_folder(console.zones.path)},
                                              {"reload", "=0\n"},
                                              {"forget", "=0\n"},
                                              {NULL, NULL}};
    write_wide();
    ck_assert_msg(run_served(script, "apps:destroy wide --confirm wide --force") == 0, "%s",
                  console.err);
    for (unsigned i = 0; i < DOMAINS; i++) {
        char domain[256], target[64];
        snprintf(domain, sizeof domain, " d%u." LONG_LABELS ".com", i);
        snprintf(target, sizeof target, " t%u.herokuspace.com", i);
        ck_assert_msg(strstr(peer.requests, domain) != NULL, "%s", domain);
        ck_assert_msg(strstr(peer.requests, target) != NULL, "%s", target);
    }
    for (const char *at = peer.requests; *at != '\0'; at = strchr(at, '\n') + 1)
        ck_assert_uint_lt(strcspn(at, "\n"), 4096);
}

/* ---- the guard ---- */

TEST(what_the_guard_would_refuse_is_not_written)
{
    const struct control_exchange script[] = {{"status --json", serve_folder(console.zones.path)},
                                              {"reload --force", "=0\n"},
                                              {"forget", "=0\n"},
                                              {NULL, NULL}};

    write_wide();
    ck_assert_int_eq(run_served(script, "apps:destroy wide --confirm wide"), 1);
    ck_assert_msg(
        strstr(console.err, "; nothing was changed; use --force if it is meant to go\n") != NULL,
        "%s", console.err);
    ck_assert(console_file_has("wide.yaml", "- name: wide"));
    ck_assert_ptr_null(strstr(peer.requests, "reload"));
    ck_assert_int_eq(run_served(script, "apps:destroy wide --confirm wide --force"), 0);
    ck_assert_ptr_nonnull(strstr(peer.requests, "reload --force --note="));
    ck_assert(!console_file_has("wide.yaml", "- name: wide"));
}

/* Without an internal app no rule needs the router, so the guard is what stops the accident. */
TEST(the_last_router_is_not_lost_unless_forced)
{
    static const char text[] = "space: bare\ncidr: 10.7.0.0/16\nrouters:\n  - 10.7.0.37\n...\n";
    static const char *const lines[] = {"spaces:routers:remove 10.7.0.37 -s bare",
                                        "spaces:routers:set 10.7.0.37 --state draining -s bare"};
    const struct control_exchange script[] = {{"status --json", serve_folder(console.zones.path)},
                                              {"reload --force", "=0\n"},
                                              {NULL, NULL}};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char forced[128];
        snprintf(forced, sizeof forced, "%s --force", lines[i]);
        scratch_write(&console.zones, "bare.yaml", text, sizeof text - 1);
        ck_assert_int_eq(run_served(script, lines[i]), 1);
        ck_assert_msg(strstr(console.err, "; use --force if it is meant to go\n") != NULL, "%s",
                      console.err);
        ck_assert(console_file_has("bare.yaml", "  - 10.7.0.37\n"));
        ck_assert_msg(run_served(script, forced) == 0, "%s", console.err);
        ck_assert_ptr_nonnull(strstr(peer.requests, "reload --force --note="));
        ck_assert(!console_file_has("bare.yaml", "  - 10.7.0.37\n"));
    }
}

/* ---- JSON ---- */

static const char *const changes[] = {
    "ps:add worker -a frozen-oasis-70544",
    "ps:set web.1=down -a frozen-oasis-70544",
    "ps:remove worker.1 -a frozen-oasis-70544",
    "domains:remove api.example.com -a frozen-oasis-70544",
    "apps:destroy frozen-oasis-70544 --confirm frozen-oasis-70544",
};

TEST_OVER(a_change_is_printed_as_json, changes)
{
    char line[CONSOLE_LINE_MOST];

    snprintf(line, sizeof line, "%s --no-reload --json", changes[_i]);
    console_expect_json(line, "{'space':'test-space','app':'frozen-oasis-70544',"
                              "'file':'ZONES/test-space.yaml'}");
}
