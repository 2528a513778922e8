#include "spacedns/records.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

#define NO_SERVER                                                                                  \
    "No server answers here; to load the change into a running one, use spacedns reload or kill "  \
    "-HUP\n"
#define NOT_FORWARDED(name)                                                                        \
    "The server will not forward the removed names (Q27); once it has loaded the file, release "   \
    "them with spacedns forget " name "\n"

static const char text[] = "space: data\n"
                           "cidr: 10.7.0.0/16\n"
                           "records:\n"
                           "  - db.example.com. IN A 10.7.9.1 # first\n"
                           "  - db.example.com. IN A 10.7.9.2\n"
                           "  - db.example.com. 30 IN TXT \"a b\" c\n"
                           "  - q.example.com. CNAME db.example.com.\n"
                           "...\n";

static void set_up(void)
{
    console_open();
    scratch_write(&console.zones, "data.yaml", text, sizeof text - 1);
}

FIXTURE(set_up, console_close)

static const struct console_line lists[] = {
    {"records -s data", 0,
     "=== data Static Records\n"
     " Name             TTL  Type   Data\n"
     " db.example.com.  60   A      10.7.9.1\n"
     " db.example.com.  60   A      10.7.9.2\n"
     " db.example.com.  30   TXT    \"a b\" \"c\"\n"
     " q.example.com.   60   CNAME  db.example.com.\n",
     ""},
    {"records -s test-space", 0, "=== test-space has no static records\n", ""},
    {"records", 2, "",
     "Error: Space name required. Write --space NAME; spacedns spaces lists the 2 of ZONES\n"},
};

TEST_OVER(records_are_listed, lists)
{
    console_expect(&lists[_i]);
}

TEST(records_are_listed_as_json)
{
    console_expect_json("records -s test-space --json", "[]");
    console_expect_json("records -s data --json",
                        "[{'name':'db.example.com.','ttl':60,'class':'IN','type':'A',"
                        "'data':'10.7.9.1','line':4},"
                        "{'name':'db.example.com.','ttl':60,'class':'IN','type':'A',"
                        "'data':'10.7.9.2','line':5},"
                        "{'name':'db.example.com.','ttl':30,'class':'IN','type':'TXT',"
                        "'data':'\\'a b\\' \\'c\\'','line':6},"
                        "{'name':'q.example.com.','ttl':60,'class':'IN','type':'CNAME',"
                        "'data':'db.example.com.','line':7}]");
}

static const struct console_line changes[] = {
    {"records:add w.example.com. 60 IN A 10.7.9.3 -s data", 0, "",
     "Adding record w.example.com. 60 IN A 10.7.9.3 to data... done, "
     "ZONES/data.yaml:8\n" NO_SERVER},
    {"records:add w.example.com. -s data", 1, "",
     "Adding record w.example.com. to data... !\n"
     "Error: E-REC-SYNTAX: record `w.example.com.`: Syntax error, could not parse the RR's TTL; "
     "write it as `db.internal.example.com. 60 IN A 172.23.1.5`; nothing was changed\n"},
    {"records:add DB.example.com IN A 10.7.9.1 -s data", 1, "",
     "Adding record DB.example.com IN A 10.7.9.1 to data... !\n"
     "Error: E-REC-DUP: this record of db.example.com is already given on line 4; remove one of "
     "them; nothing was changed\n"},
    {"records:remove db.example.com A 10.7.9.1 -s data", 0, "",
     "Removing record db.example.com A 10.7.9.1 from data... done, ZONES/data.yaml:4\n" NO_SERVER},
    {"records:remove DB.example.com. a -s data --no-reload", 0, "",
     "Removing record DB.example.com. a from data... done, ZONES/data.yaml:4\n"},
    {"records:remove db.example.com TXT \"a b\" \"c\" -s data --no-reload", 0, "",
     "Removing record db.example.com TXT \"a b\" \"c\" from data... done, ZONES/data.yaml:6\n"},
    {"records:remove q.example.com CNAME -s data", 0, "",
     "Removing record q.example.com CNAME from data... done, ZONES/data.yaml:7\n" NO_SERVER
         NOT_FORWARDED("q.example.com")},
    {"records:remove db.example.com AAAA -s data", 1, "",
     "Removing record db.example.com AAAA from data... !\n"
     "Error: space data has no such record of db.example.com; spacedns records --space data lists "
     "them\n"},
    {"records:remove db.example.com A 10.7.9 -s data", 2, "",
     "Error: 10.7.9: Syntax error, could not parse the RR's rdata; write it as DATA of spacedns "
     "records\n"},
};

TEST_OVER(a_change_of_records_is_reported, changes)
{
    console_expect(&changes[_i]);
}

TEST(all_records_of_a_name_and_type_are_removed)
{
    ck_assert_int_eq(console_run("records:remove db.example.com A -s data --no-reload"), 0);
    ck_assert(!console_file_has("data.yaml", "10.7.9"));
    ck_assert(console_file_has("data.yaml", "records:\n  - db.example.com. 30 IN TXT \"a b\" c\n"));
}

/* The name is let go once its last record is removed, and not before. */
TEST(the_last_record_of_a_name_lets_it_go)
{
    ck_assert_int_eq(console_run("records:remove db.example.com A -s data"), 0);
    ck_assert_ptr_null(strstr(console.err, "forget"));
    ck_assert_int_eq(console_run("records:remove db.example.com TXT -s data"), 0);
    ck_assert_ptr_nonnull(strstr(console.err, "spacedns forget db.example.com\n"));
}

TEST(a_record_that_was_added_is_listed)
{
    ck_assert_int_eq(console_run("records:add t.example.com TXT \"it's\" -s data"), 0);
    ck_assert(console_file_has("data.yaml", "  - 't.example.com TXT \"it''s\"'\n"));
    console_expect_part("records -s data", 0, " t.example.com.   60   TXT    \"it's\"\n");
}

TEST(a_refused_record_changes_nothing)
{
    char *before = console_read("data.yaml");

    ck_assert_int_eq(console_run("records:add x.herokuapp.com A 10.7.9.1 -s data"), 1);
    char *after = console_read("data.yaml");
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}
