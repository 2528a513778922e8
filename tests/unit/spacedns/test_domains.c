#include "spacedns/domains.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

static const struct console_line lists[] = {
    {"domains", 2, "", "Error: Missing required flag app; write -a APP\n"},
    {"domains -a frozen-oasis-70544", 0,
     "=== frozen-oasis-70544 Heroku Domain\n"
     "\n"
     "frozen-oasis-70544.herokuapp.com\n"
     "\n"
     "=== frozen-oasis-70544 Custom Domains\n"
     " Domain Name         DNS Record Type  DNS Target\n"
     " api.example.com     CNAME            "
     "random-haiku-5196.also-random-3847.herokuspace.com\n"
     " *.apps.example.com  CNAME            "
     "wild-haiku-1188.also-random-3847.herokuspace.com\n"
     " example.net         ALIAS or ANAME   "
     "apex-haiku-2201.also-random-3847.herokuspace.com\n",
     ""},
    {"domains -a open-plain-1001", 0,
     "=== open-plain-1001 Heroku Domain\n"
     "\n"
     "open-plain-1001-1234567890ab.herokuapp.com\n",
     ""},
    {"domains -a nope", 1, "",
     "Error: Couldn't find that app: nope; spacedns apps --space SPACE lists them\n"},
};

TEST_OVER(domains_are_listed, lists)
{
    console_expect(&lists[_i]);
}

static const struct {
    const char *line, *json;
} objects[] = {
    {"domains -a open-plain-1001 --json",
     "[{'kind':'heroku','hostname':'open-plain-1001-1234567890ab.herokuapp.com',"
     "'record':null,'cname':null,'status':'none'}]"},
    {"domains -a frozen-oasis-70544 --json",
     "[{'kind':'heroku','hostname':'frozen-oasis-70544.herokuapp.com','record':null,"
     "'cname':null,'status':'none'},{'kind':'custom','hostname':'api.example.com',"
     "'record':'CNAME','cname':'random-haiku-5196.also-random-3847.herokuspace.com',"
     "'status':'succeeded'},{'kind':'custom','hostname':'*.apps.example.com',"
     "'record':'CNAME','cname':'wild-haiku-1188.also-random-3847.herokuspace.com',"
     "'status':'succeeded'},{'kind':'custom','hostname':'example.net',"
     "'record':'ALIAS or ANAME',"
     "'cname':'apex-haiku-2201.also-random-3847.herokuspace.com','status':'succeeded'}]"},
    {"domains:add x.example -a frozen-oasis-70544 --cname a-b-1.c.herokuspace.com --json",
     "{'kind':'custom','hostname':'x.example','record':'ALIAS or ANAME',"
     "'cname':'a-b-1.c.herokuspace.com','status':'succeeded'}"},
    {"domains:add *.x.example -a frozen-oasis-70544 --cname a-b-1.c.herokuspace.com --json",
     "{'kind':'custom','hostname':'*.x.example','record':'CNAME',"
     "'cname':'a-b-1.c.herokuspace.com','status':'succeeded'}"},
};

TEST_OVER(domains_are_listed_as_json, objects)
{
    console_expect_json(objects[_i].line, objects[_i].json);
}

static const struct console_line changes[] = {
    {"domains:add WWW.New.example. -a frozen-oasis-70544 --cname A-b-1.c.Herokuspace.com.", 0, "",
     "Adding www.new.example to frozen-oasis-70544... done\n"
     "Configure your app's DNS provider to point to the DNS Target\n"
     "a-b-1.c.herokuspace.com.\n"
     "For help, see https://devcenter.heroku.com/articles/custom-domains\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"},
    {"domains:add www.new.example -a frozen-oasis-70544 --cname target.example.com", 1, "",
     "Adding www.new.example to frozen-oasis-70544... !\n"
     "Error: E-DOM-TARGET: DNS target `target.example.com` is not a name below "
     "herokuspace.com or herokudns.com; copy the domain's DNS target from the platform; "
     "nothing was changed\n"},
    {"domains:add sleepy.example.com -a frozen-oasis-70544", 1, "",
     "Adding sleepy.example.com to frozen-oasis-70544... !\n"
     "Error: sleepy.example.com is currently in use by another app; remove it there first, or "
     "choose another\n"},
    {"domains:add api.example.com -a frozen-oasis-70544", 1, "",
     "Adding api.example.com to frozen-oasis-70544... !\n"
     "Error: domain api.example.com is already added to app frozen-oasis-70544\n"},
    {"domains:add bad..name -a frozen-oasis-70544 --cname x.y", 1, "",
     "Adding bad..name to frozen-oasis-70544... !\n"
     "Error: E-DOM-NAME: domain `bad..name` has an empty label; remove the extra dot (the "
     "first of 2 errors); nothing was changed\n"},
    {"domains:remove api.example.com -a frozen-oasis-70544", 0, "",
     "Removing api.example.com from frozen-oasis-70544... done\n"
     "No server answers here; to load the change into a running one, use spacedns reload "
     "or kill -HUP\n"
     "The server will not forward the removed names (Q27); once it has loaded the file, "
     "release them with spacedns forget api.example.com "
     "random-haiku-5196.also-random-3847.herokuspace.com\n"},
    {"domains:remove nothing.example -a frozen-oasis-70544", 1, "",
     "Removing nothing.example from frozen-oasis-70544... !\n"
     "Error: Couldn't find that domain name: nothing.example; spacedns domains -a "
     "frozen-oasis-70544 lists them\n"},
    {"domains:remove sleepy.example.com -a frozen-oasis-70544", 1, "",
     "Removing sleepy.example.com from frozen-oasis-70544... !\n"
     "Error: Couldn't find that domain name: sleepy.example.com; spacedns domains -a "
     "frozen-oasis-70544 lists them\n"},
    {"domains:remove *.APPS.example.com. -a frozen-oasis-70544 --no-reload", 0, "",
     "Removing *.apps.example.com from frozen-oasis-70544... done\n"
     "The server will not forward the removed names (Q27); once it has loaded the file, "
     "release them with spacedns forget *.apps.example.com "
     "wild-haiku-1188.also-random-3847.herokuspace.com\n"},
    {"domains:remove x.y", 2, "", "Error: Missing required flag app; write -a APP\n"},
};

TEST_OVER(a_change_of_domains_is_reported, changes)
{
    console_expect(&changes[_i]);
}

TEST(a_pending_domain_is_listed_as_such)
{
    ck_assert(scratch_edit(&console.zones, "test-space.yaml",
                           "{hostname: sleepy.example.com, cname: "
                           "drowsy-haiku-7.also-random-3847.herokuspace.com}",
                           "{hostname: sleepy.example.com, status: pending}"));
    console_expect_part("domains -a sleepy-river-2739", 0,
                        " sleepy.example.com  CNAME            (pending)\n");
    console_expect_part("domains -a sleepy-river-2739 --json", 0, "\"status\": \"pending\"");
}

/* All but the first label is as in the space's other targets. */
TEST(a_generated_target_is_like_those_of_the_space)
{
    console_expect_part("domains:add www.example.org -a frozen-oasis-70544", 0, "");
    ck_assert_ptr_nonnull(strstr(console.err, ".also-random-3847.herokuspace.com.\n"));
    ck_assert(console_file_has("test-space.yaml", "hostname: www.example.org"));
}

TEST(the_first_target_of_a_space_is_generated_whole)
{
    static const char text[] = "space: empty\ncidr: 10.7.0.0/16\napps:\n  - name: lonely\n...\n";

    scratch_write(&console.zones, "empty.yaml", text, sizeof text - 1);
    console_expect_part("domains:add www.example.org -a lonely", 0, "");
    ck_assert_ptr_nonnull(strstr(console.err, ".herokuspace.com.\n"));
    ck_assert_ptr_null(strstr(console.err, "also-random-3847"));
}

TEST(a_removed_domain_is_gone_with_its_target)
{
    console_expect_part("domains:remove example.net -a frozen-oasis-70544", 0, "");
    ck_assert(!console_file_has("test-space.yaml", "example.net"));
    ck_assert(!console_file_has("test-space.yaml", "apex-haiku-2201"));
    ck_assert(console_file_has("test-space.yaml", "api.example.com"));
}

TEST_LOOP(a_name_longer_than_a_host_name_is_refused, 0, 3)
{
    static const char *const formats[] = {"domains:add %s -a frozen-oasis-70544",
                                          "domains:add x.y --cname %s -a frozen-oasis-70544",
                                          "domains:remove %s -a frozen-oasis-70544"};
    char name[300], line[400];

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(line, sizeof line, formats[_i], name);
    console_expect_part(line, 1,
                        "... is longer than a host name may be; write one of 253 octets at most\n");
}
