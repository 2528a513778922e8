#include "spacedns/apps.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const struct console_line lists[] = {
    {"apps", 0,
     "=== Apps in space test-space\n"
     "\n"
     "frozen-oasis-70544 [internal]\n"
     "sleepy-river-2739  [internal]\n"
     "open-plain-1001\n",
     ""},
    {"apps -s tset-space", 1, "",
     "Error: there is no space tset-space in ZONES; did you mean test-space? spacedns "
     "spaces lists them\n"},
    {"apps --color always", 0,
     "=== Apps in space ⬡ test-space\n"
     "\n"
     "frozen-oasis-70544 [internal]\n"
     "sleepy-river-2739  [internal]\n"
     "open-plain-1001\n",
     ""},
    {"apps:info frozen-oasis-70544", 0,
     "=== frozen-oasis-70544\n"
     "\n"
     "Auto Cert Mgmt:   false\n"
     "Dynos:            web: 2, worker: 1\n"
     "Git URL:          https://git.heroku.com/frozen-oasis-70544.git\n"
     "Internal Routing: true\n"
     "Space:            test-space\n"
     "Web URL:          https://frozen-oasis-70544.herokuapp.com/\n",
     ""},
    {"apps:info frozen-oasis-7054", 1, "",
     "Error: Couldn't find that app: frozen-oasis-7054; did you mean frozen-oasis-70544? "
     "spacedns apps --space SPACE lists them\n"},
    {"apps:info open-plain-1001 --color always", 0,
     "=== ⬢ open-plain-1001\n"
     "\n"
     "Auto Cert Mgmt:   false\n"
     "Dynos:            web: 1\n"
     "Git URL:          https://git.heroku.com/open-plain-1001.git\n"
     "Internal Routing: false\n"
     "Space:            test-space\n"
     "Web URL:          https://open-plain-1001-1234567890ab.herokuapp.com/\n",
     ""},
    {"apps:info", 2, "", "Error: Missing required flag app; write -a APP\n"},
    {"apps:info sleepy-river-2739 -a open-plain-1001", 2, "",
     "Error: Two apps are named, sleepy-river-2739 and open-plain-1001; name one\n"},
};

TEST_OVER(apps_are_shown, lists)
{
    console_expect(&lists[_i]);
}

static const struct {
    const char *line, *json;
} objects[] = {
    {"apps --space test-space --json",
     "[{'id':null,'name':'frozen-oasis-70544','space':'test-space',"
     "'internal_routing':true,'acm':false,'maintenance':false,"
     "'default_domain':'frozen-oasis-70544.herokuapp.com'},{'id':null,"
     "'name':'sleepy-river-2739','space':'test-space','internal_routing':true,'acm':false,"
     "'maintenance':false,'default_domain':'sleepy-river-2739.herokuapp.com'},{'id':null,"
     "'name':'open-plain-1001','space':'test-space','internal_routing':false,'acm':false,"
     "'maintenance':false,'default_domain':'open-plain-1001-1234567890ab.herokuapp.com'}]"},
    {"apps:info -a frozen-oasis-70544 --json",
     "{'id':null,'name':'frozen-oasis-70544','space':'test-space','internal_routing':true,"
     "'acm':false,'maintenance':false,'default_domain':'frozen-oasis-70544.herokuapp.com'}"},
    {"apps:create new-app -s test-space --json --internal-routing",
     "{'id':null,'name':'new-app','space':'test-space','internal_routing':true,"
     "'acm':false,'maintenance':false,'default_domain':'new-app.herokuapp.com'}"},
};

TEST_OVER(apps_are_shown_as_json, objects)
{
    console_expect_json(objects[_i].line, objects[_i].json);
}

static const struct console_line changes[] = {
    {"apps:create", 2, "",
     "Error: Space name required.\n"
     "USAGE: spacedns apps:create --space my-space\n"},
    {"apps:create x --internal-routing", 2, "",
     "Error: Space name required.\n"
     "Internal Web Apps are only available for Private Spaces.\n"
     "USAGE: spacedns apps:create --space my-space --internal-routing\n"},
    {"apps:create new-app -s test-space", 0,
     "https://new-app.herokuapp.com/ | https://git.heroku.com/new-app.git\n",
     "Creating app in space test-space... done, new-app\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"},
    {"apps:create new-app -s test-space --color always", 0,
     "https://new-app.herokuapp.com/ | https://git.heroku.com/new-app.git\n",
     "Creating app in space ⬡ test-space... done, ⬢ new-app\n"
     " ▸    No server answers here; to load the change into a running one, use spacedns "
     "reload or kill -HUP\n"},
    {"apps:create new-app -s test-space --no-reload", 0,
     "https://new-app.herokuapp.com/ | https://git.heroku.com/new-app.git\n",
     "Creating app in space test-space... done, new-app\n"},
    {"apps:create open-plain-1001 -s test-space", 1, "",
     "Creating app in space test-space... !\n"
     "Error: Name open-plain-1001 is already taken; choose another\n"},
    {"apps:create Bad_Name -s test-space", 1, "",
     "Creating app in space test-space... !\n"
     "Error: E-APP-NAME: app name `Bad_Name` has characters other than a-z, 0-9 and "
     "hyphens; a name has 3 to 30 of a-z, 0-9 and -, and begins with a letter; nothing "
     "was changed\n"},
    {"apps:create new-app -s none", 1, "",
     "Error: there is no space none in ZONES; spacedns spaces lists them\n"},
    {"apps:destroy open-plain-1001", 1, "",
     "Error: destroying open-plain-1001 cannot be undone; to go on, write spacedns "
     "apps:destroy open-plain-1001 --confirm open-plain-1001\n"},
    {"apps:destroy open-plain-1001 --confirm sleepy-river-2739", 1, "",
     "Error: Confirmation sleepy-river-2739 did not match open-plain-1001. Aborted. Write "
     "--confirm open-plain-1001\n"},
    {"apps:destroy open-plain-1001 --confirm open-plain-1001", 0, "",
     "Destroying open-plain-1001... done\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"},
    {"apps:destroy sleepy-river-2739 --confirm sleepy-river-2739", 0, "",
     "Destroying sleepy-river-2739... done\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"
     "The server will not forward the removed names (Q27); once it has loaded the file, "
     "release them with spacedns forget sleepy-river-2739.herokuapp.com "
     "sleepy.example.com drowsy-haiku-7.also-random-3847.herokuspace.com\n"},
    {"apps:destroy frozen-oasis-70544 --confirm frozen-oasis-70544 --no-reload", 0, "",
     "Destroying frozen-oasis-70544... done\n"
     "The server will not forward the removed names (Q27); once it has loaded the file, "
     "release them with spacedns forget frozen-oasis-70544.herokuapp.com api.example.com "
     "random-haiku-5196.also-random-3847.herokuspace.com *.apps.example.com ...\n"},
};

TEST_OVER(a_change_of_apps_is_reported, changes)
{
    console_expect(&changes[_i]);
}

TEST(a_space_without_apps_is_shown_so)
{
    static const char text[] = "space: empty\ncidr: 10.7.0.0/16\n...\n";

    scratch_write(&console.zones, "empty.yaml", text, sizeof text - 1);
    console_expect(
        &(struct console_line){"apps -s empty", 0, "There are no apps in space empty.\n", ""});
}

TEST(all_facts_of_an_app_are_shown)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml", "  - name: open-plain-1001\n",
                           "  - name: open-plain-1001\n    acm: true\n    maintenance: true\n"));
    console_expect_part("apps:info open-plain-1001", 0, "Auto Cert Mgmt:   true\n");
    console_expect_part("apps:info open-plain-1001", 0, "Maintenance:      true\n");
}

TEST(an_app_is_created_where_it_was_asked_for)
{
    console_expect_part("apps:create new-app -s test-space --internal-routing", 0, "new-app");
    console_expect_part("apps:info new-app", 0, "Dynos:            none\n");
    console_expect_part("apps:info new-app", 0, "Internal Routing: true\n");
}

TEST(an_app_without_a_name_gets_one)
{
    console_expect_part("apps:create -s test-space", 0,
                        ".herokuapp.com/ | https://git.heroku.com/");
    console_expect_part("apps:create -s test-space", 0, "https://");
    ck_assert_int_eq(console_run("check"), 0);
    ck_assert_ptr_nonnull(strstr(console.out, "1 space, 5 apps: 0 errors"));
}

TEST(a_destroyed_app_is_gone_and_the_rest_stays)
{
    console_expect_part("apps:destroy -a sleepy-river-2739 --confirm sleepy-river-2739", 0, "");
    ck_assert(!console_file_has("test-space.yaml", "- name: sleepy-river-2739"));
    ck_assert(!console_file_has("test-space.yaml", "drowsy-haiku-7"));
    ck_assert(console_file_has("test-space.yaml", "- name: open-plain-1001"));
    ck_assert(console_file_has("test-space.yaml", "# zones/README.md explains every key"));
}

static const struct console_line renames[] = {
    {"apps:rename frozen-oasis-70544 warm-oasis-1", 0, "",
     "Renaming frozen-oasis-70544 to warm-oasis-1... done, ZONES/test-space.yaml:31\n"
     "No server answers here; to load the change into a running one, use spacedns reload or kill "
     "-HUP\n"
     "The server will not forward the removed names (Q27); once it has loaded the file, release "
     "them with spacedns forget frozen-oasis-70544.herokuapp.com\n"},
    {"apps:rename open-plain-1001 shut-plain-1", 1, "",
     "Renaming open-plain-1001 to shut-plain-1... !\n"
     "Error: E-DOM-HEROKU: default_domain `open-plain-1001-1234567890ab.herokuapp.com` does not "
     "fit "
     "app shut-plain-1; write shut-plain-1.herokuapp.com, or shut-plain-1-IDENTIFIER.herokuapp.com "
     "with the 12 characters the platform gave, or remove the key; nothing was changed\n"},
    {"apps:rename frozen-oasis-70544 open-plain-1001", 1, "",
     "Renaming frozen-oasis-70544 to open-plain-1001... !\n"
     "Error: Name open-plain-1001 is already taken; choose another\n"},
    {"apps:rename no-such-app other", 1, "",
     "Error: Couldn't find that app: no-such-app; spacedns apps --space SPACE lists them\n"},
};

TEST_OVER(a_rename_is_reported, renames)
{
    console_expect(&renames[_i]);
}

TEST(a_renamed_app_keeps_its_domains_and_dynos)
{
    ck_assert_int_eq(console_run("apps:rename frozen-oasis-70544 warm-oasis-1"), 0);
    console_expect_part("domains -a warm-oasis-1", 0, " api.example.com ");
    console_expect_part("domains -a warm-oasis-1", 0, "warm-oasis-1.herokuapp.com");
    console_expect_part("ps -a warm-oasis-1", 0, "web.2: up 10.0.151.218\n");
    ck_assert_int_eq(console_run("ps -a frozen-oasis-70544"), 1);
}

TEST(a_refused_name_changes_nothing)
{
    char *before = console_read("test-space.yaml");

    ck_assert_int_eq(console_run("apps:rename frozen-oasis-70544 Bad_Name"), 1);
    char *after = console_read("test-space.yaml");
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}
