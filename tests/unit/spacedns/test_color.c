#include "spacedns/color.h"

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

FIXTURE(console_open, console_close)

/* ---- what is coloured ---- */

static const struct {
    const char *line;
    int code;
    const char *part;
} colored[] = {
    {"ps -a sleepy-river-2739 --color always", 0, "web.1: \033[31mcrashed\033[0m 10.0.131.7\n"},
    {"ps -a frozen-oasis-70544 --color always", 0, "web.1: \033[32mup\033[0m 10.0.130.56\n"},
    {"spaces:routers --color always", 0, " \033[1mIP\033[0m          \033[1mState\033[0m  "},
    {"spaces:routers --color always", 0, " 10.0.0.37   \033[32mup\033[0m\n"},
    {"spaces:peerings --color always", 0, "10.30.0.0/16  \033[33mpending-acceptance\033[0m\n"},
    {"check --color always", 0, ": \033[33mwarning\033[0m W-NO-WEB: "},
    {"ps -a nothing --color always", 1, " ▸    \033[31mError:\033[0m "},
};

TEST_OVER(states_levels_and_titles_have_colors, colored)
{
    console_expect_part(colored[_i].line, colored[_i].code, colored[_i].part);
}

TEST_OVER(without_a_terminal_nothing_has, colored)
{
    char line[128];

    snprintf(line, sizeof line, "%.*s",
             (int)(strstr(colored[_i].line, " --color") - colored[_i].line), colored[_i].line);
    console_run(line);
    ck_assert_ptr_null(strchr(console.out, '\033'));
    ck_assert_ptr_null(strchr(console.err, '\033'));
}

/* ---- states ---- */

static const struct {
    const char *state;
    enum color color;
} states[] = {
    {"up", COLOR_GOOD},    {"active", COLOR_GOOD},       {"crashed", COLOR_BAD},
    {"failed", COLOR_BAD}, {"starting", COLOR_DOUBTFUL}, {"draining", COLOR_DOUBTFUL},
    {"down", COLOR_BAD},
};

TEST_OVER(a_state_has_a_color, states)
{
    ck_assert_int_eq(color_of_state(states[_i].state), states[_i].color);
}
