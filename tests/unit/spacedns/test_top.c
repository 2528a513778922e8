#include "spacedns/top.h"

#include <string.h>

#include "spacedns/commands.h"
#include "support/console.h"
#include "support/control_peer.h"
#include "support/suite.h"

console_command *const console_runs = commands_run;

static struct control_peer peer;

static void serve(const char *answer)
{
    static struct control_exchange script[2];

    script[0] = (struct control_exchange){"top", answer};
    control_peer_start(&peer, console.socket, script);
}

FIXTURE(console_open, console_close)

/* A pretty-printed object comes in several lines. */
static const char some[] = ">{\n>\"generation\": 7, \"apps\": 2, \"spaces\": 1,\n"
                           ">\"busiest_apps\": [{\"name\": \"calm-bay\", \"asked_least\": 9,"
                           " \"asked_most\": 12, \"failed\": 3}]}\n=0\n";

TEST(once_is_printed_in_lines)
{
    serve(some);
    console_expect_part("top --once", 0, "generation 7, 1 space, 2 apps, up 0 s");
    control_peer_stop(&peer);
    ck_assert_str_eq(peer.requests, "top --once\n");
    ck_assert_ptr_nonnull(strstr(console.out, "\ncalm-bay"));
    ck_assert_ptr_nonnull(strstr(console.out, "    9+       3 "));
    ck_assert_ptr_null(strstr(console.out, "q quit"));
    ck_assert_ptr_null(strchr(console.out, '\033'));
    for (const char *line = console.out; *line != '\0'; line = strchr(line, '\n') + 1)
        ck_assert_uint_le(strcspn(line, "\n"), 80);
}

TEST(once_is_coloured_if_that_is_wanted)
{
    serve(some);
    console_expect_part("top --once --color always", 0, "\033[31m3\033[0m");
    control_peer_stop(&peer);
}

TEST(json_comes_as_the_server_sends_it)
{
    serve(">{\"generation\": 7}\n=0\n");
    console_expect(&(struct console_line){"top --once --json", 0, "{\"generation\": 7}\n", ""});
    control_peer_stop(&peer);
    ck_assert_str_eq(peer.requests, "top --json --once\n");
}

TEST(a_stream_of_json_ends_with_the_server)
{
    serve(">{\"generation\":7}\n>{\"generation\":8}\n!Error: the server is stopping\n=1\n");
    console_expect(&(struct console_line){"top --json", 1,
                                          "{\"generation\":7}\n{\"generation\":8}\n",
                                          "Error: the server is stopping\n"});
    control_peer_stop(&peer);
    ck_assert_str_eq(peer.requests, "top --json\n");
}

static const char *const others[] = {">not JSON\n=0\n", ">[]\n=0\n", "=0\n"};

TEST_OVER(what_is_not_of_this_protocol_is_refused, others)
{
    serve(others[_i]);
    console_expect_part("top --once", 1, "what the server sends cannot be read; check that it is");
    control_peer_stop(&peer);
}

TEST(an_error_of_the_server_is_printed)
{
    serve("!Error: out of memory\n=1\n");
    console_expect(&(struct console_line){"top --once", 1, "", "Error: out of memory\n"});
    control_peer_stop(&peer);
    console_expect_part("top --once", 1, "no server is at ");
}

TEST(without_a_terminal_there_is_no_screen)
{
    ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin));
    console_expect_part("top", 2, "top fills a terminal, and there is none; print it with --once");
}
