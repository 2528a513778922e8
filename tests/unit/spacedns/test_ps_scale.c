#include "spacedns/ps_scale.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

#define APP " -a frozen-oasis-70544 --no-reload"

static const struct console_line lines[] = {
    {"ps:scale"
     " -a frozen-oasis-70544",
     0, "web=2 worker=1\n", ""},
    {"ps:scale web=2" APP, 0, "",
     "Scaling web to 2 on frozen-oasis-70544... done, it is so already\n"},
    {"ps:scale web=3 clock=1" APP, 0, "",
     "Scaling web to 3, clock to 1 on frozen-oasis-70544... done, ZONES/test-space.yaml:43\n"},
    {"ps:scale web=0" APP, 0, "",
     "Scaling web to 0 on frozen-oasis-70544... done, ZONES/test-space.yaml:41\n"},
    {"ps:scale web" APP, 2, "", "Error: web is not of the form TYPE=N; write it as web=2\n"},
    {"ps:scale =2" APP, 2, "", "Error: =2 is not of the form TYPE=N; write it as web=2\n"},
    {"ps:scale web=-1" APP, 2, "", "Error: web=-1 is not of the form TYPE=N; write it as web=2\n"},
    {"ps:scale web=101" APP, 2, "",
     "Error: web=101 is more than a process type may have; write 100 at most\n"},
    {"ps:scale web=1 web=2" APP, 2, "", "Error: web is given twice; give it once\n"},
};

TEST_OVER(a_scale_is_reported, lines)
{
    console_expect(&lines[_i]);
}

/* What ps prints after one scale after another. */
static const struct {
    const char *line, *scale;
} steps[] = {
    {"ps:scale web=4 worker=2", "{'web':4,'worker':2}"},
    {"ps:scale web=1", "{'web':1,'worker':2}"},
    {"ps:scale web=0 worker=0 clock=3", "{'web':0,'worker':0,'clock':3}"},
    {"ps:scale web=2 worker=2", "{'web':2,'worker':2,'clock':3}"},
};

TEST(scales_follow_each_other)
{
    char line[128];

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        snprintf(line, sizeof line, "%s" APP, steps[i].line);
        console_expect_part(line, 0, "");
        console_expect_json("ps:scale -a frozen-oasis-70544 --json", steps[i].scale);
        console_expect_part("check", 0, ": 0 errors"); /* no number or address is given twice */
    }
}

/* The highest numbers go first, and the lowest that are free come back. */
TEST(numbers_are_filled_from_below)
{
    console_expect_part("ps:remove web.1" APP, 0, "");
    console_expect_part("ps:scale web=3" APP, 0, "");
    console_expect_part("ps -a frozen-oasis-70544", 0, "web.1");
    ck_assert_ptr_nonnull(strstr(console.out, "web.3"));
    console_expect_part("ps:scale web=1" APP, 0, "");
    console_expect_part("ps -a frozen-oasis-70544", 0, "web.1");
    ck_assert_ptr_null(strstr(console.out, "web.2"));
    ck_assert_ptr_null(strstr(console.out, "web.3"));
}

TEST(a_space_without_addresses_stays_as_it_is)
{
    static const char text[] = "space: small\ncidr: 10.7.0.0/16\n"
                               "dyno_cidrs: [10.7.128.0/29, 10.7.144.0/29]\n"
                               "apps: [{name: small-app}]\n...\n";

    scratch_write(&console.zones, "small.yaml", text, sizeof text - 1);
    console_expect_part("ps:scale web=7 -a small-app --no-reload", 1,
                        "space small has no free address left in its dyno_cidrs");
    ck_assert(!console_file_has("small.yaml", "web"));
    console_expect_part("ps:scale web=6 -a small-app --no-reload", 0, "");
    ck_assert(console_file_has("small.yaml", "10.7.144.6"));
    console_expect_part("check", 0, ": 0 errors");
}
