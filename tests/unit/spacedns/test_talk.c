#include "spacedns/talk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/protocol.h"
#include "support/control_peer.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct scratch folder;
static struct control_peer peer;
static char path[SCRATCH_PATH_MOST + 16];
static char *out, *err;
static size_t out_length, err_length;
static struct talk talk;

static void set_up(void)
{
    scratch_init(&folder);
    snprintf(path, sizeof path, "%s/socket", folder.path);
    talk = (struct talk){.path = path,
                         .out = open_memstream(&out, &out_length),
                         .err = open_memstream(&err, &err_length)};
}

static void tear_down(void)
{
    fclose(talk.out);
    fclose(talk.err);
    free(out);
    free(err);
    scratch_close(&folder);
}

/* Sends `status` to a server that answers so. */
static bool answered_by(const char *answer)
{
    const struct control_exchange script[] = {{"status", answer}, {NULL, NULL}};
    const struct invocation status = {.command = COMMAND_STATUS};

    control_peer_start(&peer, path, script);
    bool passed = talk_run(&talk, &status);
    control_peer_stop(&peer);
    fflush(talk.out);
    fflush(talk.err);
    return passed;
}

FIXTURE(set_up, tear_down)

TEST(lines_go_to_their_stream_and_the_code_is_kept)
{
    ck_assert(answered_by(">one\n!two\n>\n>three\n=7\n"));
    ck_assert_str_eq(out, "one\n\nthree\n");
    ck_assert_str_eq(err, "two\n");
    ck_assert_int_eq(talk.code, 7);
    ck_assert_str_eq(peer.requests, "status\n");
}

/* An answer may quote a file that a stranger wrote; it must not command the terminal. */
TEST(octets_of_an_answer_that_would_command_a_terminal_are_escaped)
{
    ck_assert(answered_by(">a\033[2Jb\n!\x07\n=0\n"));
    ck_assert_ptr_null(strchr(out, '\033'));
    ck_assert_ptr_null(strchr(err, '\x07'));
    ck_assert_ptr_nonnull(strstr(out, "[2Jb"));
}

/* Each: what the peer sends, and the problem. %s is the path. */
static const struct {
    const char *answer, *problem;
} broken[] = {
    {"", "the server at %s hung up before it had answered; see its log"},
    {">half a li", "the server at %s hung up before it had answered; see its log"},
    {">whole\n", "the server at %s hung up before it had answered; see its log"},
    {"HTTP/1.1 400 Bad Request\r\n", "what answers at %s does not use the protocol of spacednsd "},
    {"=256\n", "what answers at %s does not use the protocol of spacednsd "},
    {"=0", "what answers at %s does not use the protocol of spacednsd "},
    {"\n", "what answers at %s does not use the protocol of spacednsd "},
};

TEST_OVER(a_broken_answer_is_a_problem_in_a_sentence, broken)
{
    char wanted[SCRATCH_PATH_MOST + 128];

    ck_assert(!answered_by(broken[_i].answer));
    snprintf(wanted, sizeof wanted, broken[_i].problem, path); // NOLINT: of the table
    ck_assert_msg(strncmp(talk.problem.text, wanted, strlen(wanted)) == 0, "%s", talk.problem.text);
    ck_assert(!talk.is_absent);
}

static void expect_problem(const char *part, bool is_absent)
{
    const struct invocation status = {.command = COMMAND_STATUS};

    ck_assert(!talk_run(&talk, &status));
    ck_assert_msg(strstr(talk.problem.text, part) != NULL, "%s", talk.problem.text);
    ck_assert(talk.is_absent == is_absent);
}

TEST(a_server_that_is_not_there_is_absent)
{
    expect_problem("start spacednsd with --control-socket", true);
    scratch_write(&folder, "socket", "x", 1);
    expect_problem("nothing listens on", true);
}

TEST(a_socket_that_a_dead_server_left_is_absent)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int left = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    ck_assert_int_eq(bind(left, (struct sockaddr *)&address, sizeof address), 0);
    close(left);
    expect_problem("the server has stopped, or it is not a socket; start spacednsd again", true);
}

TEST(a_path_longer_than_a_socket_has_is_refused)
{
    char name[200];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    talk.path = name;
    expect_problem("... is longer than the 107 octets that a socket's path may have", false);
}

TEST(a_command_longer_than_a_request_is_not_sent)
{
    char name[CONTROL_REQUEST_OCTETS_MOST];
    const struct invocation forget = {
        .command = COMMAND_FORGET, .operands = {name}, .operand_count = 1};

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert(!talk_run(&talk, &forget));
    ck_assert_str_eq(
        talk.problem.text,
        "the command is longer than the 4096 octets that a server reads; give it less at once");
}

/* ---- lines for somebody who watches ---- */

static struct {
    char lines[256];
    unsigned inputs, ends;
    unsigned inputs_wanted; /* after so many it ends */
    int pipe[2];
} watching;

static void test_on_line(void *context, FILE *to, const char *line)
{
    (void)context;
    ck_assert_ptr_eq(to, talk.out);
    ck_assert_uint_eq(watching.ends, 0);
    strncat(watching.lines, line, sizeof watching.lines - strlen(watching.lines) - 1);
    strncat(watching.lines, "|", sizeof watching.lines - strlen(watching.lines) - 1);
}

static bool test_on_input(void *context)
{
    char octet;

    (void)context;
    ck_assert_int_eq(read(watching.pipe[0], &octet, 1), 1);
    return ++watching.inputs < watching.inputs_wanted;
}

static void test_on_end(void *context)
{
    (void)context;
    watching.ends++;
}

static void watch(unsigned inputs_wanted)
{
    static struct talk_watch watch;

    memset(&watching, 0, sizeof watching);
    watching.inputs_wanted = inputs_wanted;
    ck_assert_int_eq(pipe(watching.pipe), 0);
    watch = (struct talk_watch){.descriptors = {-1, watching.pipe[0]}, .on_input = test_on_input};
    talk.is_endless = talk.is_raw = true;
    talk.on_line = test_on_line;
    talk.on_end = test_on_end;
    talk.watch = &watch;
}

TEST(raw_lines_come_as_they_were_sent_and_are_not_printed)
{
    watch(1);
    ck_assert(answered_by(">a\033[2Jb\n!\x07\n>c\n=3\n"));
    ck_assert_str_eq(watching.lines, "a\033[2Jb|c|");
    ck_assert_str_eq(out, "");
    ck_assert_ptr_null(strchr(err, '\x07'));
    ck_assert_int_eq(talk.code, 3);
    ck_assert_uint_eq(watching.ends, 1);
}

/* The answer never ends, so that only the input can have ended it. */
TEST(what_else_is_watched_may_end_it_well)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    watch(2);
    ck_assert_int_eq(write(watching.pipe[1], "ab", 2), 2);
    ck_assert(talk_run(&talk, &(struct invocation){.command = COMMAND_STATUS}));
    ck_assert_uint_eq(watching.inputs, 2);
    ck_assert_uint_eq(watching.ends, 1);
    ck_assert_int_eq(talk.code, 0);
    close(listener);
}

TEST(the_end_is_called_for_before_a_problem_is_reported)
{
    watch(1);
    ck_assert(!answered_by(">a\n"));
    ck_assert_uint_eq(watching.ends, 1);
    ck_assert_ptr_nonnull(strstr(talk.problem.text, "has ended without a word; see its log, "));
    watch(1);
    ck_assert(!talk_run(&talk, &(struct invocation){.command = COMMAND_STATUS}));
    ck_assert_uint_eq(watching.ends, 1);
}

/* ---- the folder of zone files ---- */

static const struct {
    const char *answer, *zones; /* NULL: none */
} folders[] = {
    {">{\"zones\": \"/etc/zones\"}\n=0\n", "/etc/zones"},
    {">{\n>  \"zones\": \"z\"\n>}\n!warning\n=0\n", "z"},
    {">{\"zones\": \"/etc/zones\"}\n=1\n", NULL},
    {">{\"zones\": 7}\n=0\n", NULL},
    {">{}\n=0\n", NULL},
    {">not JSON\n=0\n", NULL},
    {"=0\n", NULL},
};

TEST_OVER(a_status_has_the_folder_of_zone_files, folders)
{
    const struct control_exchange script[] = {{"status --json\n", folders[_i].answer},
                                              {NULL, NULL}};
    struct talk other = {.path = path};

    control_peer_start(&peer, path, script);
    json_t *status = talk_ask_status(&other);
    control_peer_stop(&peer);
    const char *zones = json_string_value(json_object_get(status, "zones"));
    ck_assert_pstr_eq(zones, folders[_i].zones);
    if (status == NULL)
        ck_assert_ptr_nonnull(
            strstr(other.problem.text, "does not report its zones folder; see spacedns status"));
    json_decref(status);
}
