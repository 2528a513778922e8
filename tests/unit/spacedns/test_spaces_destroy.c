#include "spacedns/spaces_destroy.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/control_peer.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

static struct control_peer peer;

static void set_up(void)
{
    console_open();
    scratch_copy(&console.zones, "tests/zones_good/other-space.yaml");
}

FIXTURE(set_up, console_close)

#define DESTROY "spaces:destroy test-space --confirm test-space"

static const struct console_line refusals[] = {
    {"spaces:destroy test-space", 1, "",
     "Error: destroying test-space and its 3 apps cannot be undone; to go on, write spacedns "
     "spaces:destroy test-space --confirm test-space\n"},
    {"spaces:destroy test-space --confirm other-space", 1, "",
     "Error: Confirmation other-space did not match test-space. Aborted. Write --confirm "
     "test-space\n"},
    {"spaces:destroy tst-space --confirm tst-space", 1, "",
     "Error: there is no space tst-space in ZONES; did you mean test-space? spacedns spaces lists "
     "them\n"},
};

TEST_OVER(a_space_is_not_destroyed_by_mistake, refusals)
{
    console_expect(&refusals[_i]);
    ck_assert(console_file_has("test-space.yaml", "space: test-space"));
}

TEST(a_destroyed_space_is_gone_and_the_others_stay)
{
    console_expect_part(DESTROY " --no-reload --json", 0,
                        "{\n  \"space\": \"test-space\",\n  \"app\": null,\n");
    ck_assert_ptr_nonnull(strstr(console.err,
                                 "Destroying space test-space... done\n"
                                 "The server will not forward the removed names (Q27); "));
    ck_assert_ptr_null(console_read("test-space.yaml"));
    console_expect_part("check", 0, "1 space, ");
    console_expect_part("spaces", 0, "other-space");
    console_expect_part("spaces:destroy test-space --confirm test-space", 1,
                        "there is no space test-space in ZONES");
}

/* A folder without zone files is not served. */
TEST(the_last_space_stays)
{
    console_expect_part(DESTROY, 0, "");
    console_expect_part(
        "spaces:destroy other-space --confirm other-space", 1,
        "ZONES would hold no zone file, and a server needs one; create another space first");
    ck_assert(console_file_has("other-space.yaml", "space: other-space"));
}

/* What else is wrong in the folder would refuse the reload. */
TEST(a_space_stays_while_another_file_is_broken)
{
    scratch_write(&console.zones, "more.yaml", "space: [\n", 9);
    console_expect_part(DESTROY, 1, "E-SYNTAX");
    ck_assert(console_file_has("test-space.yaml", "space: test-space"));
}

static const char *serve_folder(void)
{
    static char status[SCRATCH_PATH_MOST + 64];

    snprintf(status, sizeof status, ">{\"zones\": \"%s\"}\n=0\n", console.zones.path);
    return status;
}

TEST(the_guard_is_asked_and_the_names_are_released)
{
    const struct control_exchange script[] = {{"status --json", serve_folder()},
                                              {"reload --force", "=0\n"},
                                              {"forget", "=0\n"},
                                              {NULL, NULL}};

    control_peer_start(&peer, console.socket, script);
    console_expect_part(DESTROY, 1, "; nothing was changed; use --force if it is meant to go\n");
    control_peer_stop(&peer);
    ck_assert_ptr_null(strstr(peer.requests, "reload"));
    ck_assert(console_file_has("test-space.yaml", "space: test-space"));
    control_peer_start(&peer, console.socket, script);
    console_expect_part(DESTROY " --force", 0, "");
    control_peer_stop(&peer);
    ck_assert_ptr_nonnull(
        strstr(peer.requests, "reload --force --note=spaces:destroy%20test-space\n"));
    ck_assert_ptr_nonnull(strstr(peer.requests, " frozen-oasis-70544.herokuapp.com"));
    ck_assert_ptr_nonnull(strstr(peer.requests, " api.example.com"));
    ck_assert_ptr_null(strstr(peer.requests, "open-plain-1001"));
}
