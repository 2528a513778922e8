// wrap: peer_read uv_timer_start
// forks: its tests leave something behind
#include "control/control_stream.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "control/control_socket.h"
#include "support/suite.h"

enum { STREAMS = 16, READERS = 61002, RECEIVED_MOST = 1 << 20, PART_LINES = 3000 };

static char folder[] = "/tmp/spacedns-control-stream.XXXXXX";
static char path[sizeof folder + 16];
static uv_loop_t loop;
static struct control_socket *control;
static struct control_access roles;

/* The owner's side: the streams in the order they began. */
static struct call *streams[STREAMS];
static size_t stream_count;
static unsigned ready_count, gone_count, stalled_count;

static void on_ready(void *context, struct call *call)
{
    (void)context, (void)call;
    ready_count++;
}

static void on_gone(void *context, struct call *call)
{
    (void)context;
    gone_count++;
    ck_assert(!call_is_ready(call));
    for (size_t i = 0; i < stream_count; i++)
        if (streams[i] == call)
            streams[i] = NULL;
    call_finish(call, 0);
}

static void on_stalled(void *context, struct call *call, const char *sentence)
{
    (void)context;
    stalled_count++;
    for (size_t i = 0; i < stream_count; i++)
        if (streams[i] == call)
            streams[i] = NULL;
    ck_assert_str_eq(sentence, "the command has read nothing for 60 s while lines waited for it, "
                               "so its place was given to others; run it again");
    fputs("stalled\n", call->err);
    call_finish(call, 1);
}

static const struct call_stream stream = {
    .on_ready = on_ready, .on_gone = on_gone, .on_stalled = on_stalled};

static void control_socket_on_test_call(void *context, struct call *call)
{
    (void)context;
    if (call->invocation.command != COMMAND_LOGS) {
        call_finish(call, 7);
    } else if (call_begin_stream(call, &stream)) {
        streams[stream_count++] = call;
    } else {
        fputs("no place\n", call->err);
        call_finish(call, 1);
    }
}

/* The timers that look after streams never run; a test calls them. */
static uv_timer_t *checks[STREAMS];
static uv_timer_cb on_check;
static size_t check_count;

int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms, uint64_t repeat);

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms, uint64_t repeat)
{
    if (repeat == 0)
        return __real_uv_timer_start(timer, callback, ms, repeat);
    ck_assert_uint_eq(ms, CONTROL_STREAM_CHECK_MS);
    ck_assert_uint_eq(repeat, CONTROL_STREAM_CHECK_MS);
    checks[check_count++] = timer;
    on_check = callback;
    return 0;
}

/* Who the next client is. */
static bool is_reader;

bool __real_peer_read(int descriptor, struct peer *peer);
bool __wrap_peer_read(int descriptor, struct peer *peer);

bool __wrap_peer_read(int descriptor, struct peer *peer)
{
    if (!__real_peer_read(descriptor, peer))
        return false;
    if (is_reader) {
        peer_close(peer);
        *peer = (struct peer){.uid = 61234, .gid = READERS};
    }
    return true;
}

static const struct control_owner owner = {.access = &roles,
                                           .on_call = control_socket_on_test_call};

static void set_up(void)
{
    struct err err;

    strcpy(folder + strlen(folder) - 6, "XXXXXX"); // NOLINT: each test its own
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    signal(SIGPIPE, SIG_IGN); // NOLINT: cannot fail
    roles = (struct control_access){.read = {"readers", READERS}};
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    control = control_socket_open(&loop, path, &owner, &err);
    ck_assert_msg(control != NULL, "%s", err.text);
}

static void tear_down(void)
{
    for (size_t i = 0; i < stream_count; i++)
        if (streams[i] != NULL)
            call_finish(streams[i], 1);
    control_socket_close(control);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    rmdir(folder);
}

FIXTURE(set_up, tear_down)

static int connect_client(const char *request)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    strcpy(address.sun_path, path); // NOLINT
    ck_assert_int_eq(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_gt(send(descriptor, request, strlen(request), MSG_NOSIGNAL), 0);
    return descriptor;
}

/* A client whose stream has begun. */
static int begin_stream(void)
{
    size_t before = stream_count;
    int descriptor = connect_client("spacedns/1 logs --tail\n");

    while (stream_count == before)
        uv_run(&loop, UV_RUN_NOWAIT);
    return descriptor;
}

/* Runs the loop until the client has received so much text, or its connection is closed. */
static void await_text(int descriptor, const char *wanted)
{
    char room[1024] = "";
    size_t length = 0;

    while (length < strlen(wanted)) {
        uv_run(&loop, UV_RUN_NOWAIT);
        ssize_t got = recv(descriptor, room + length, sizeof room - 1 - length, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        length += got > 0 ? (size_t)got : 0;
    }
    ck_assert_str_eq(room, wanted);
}

static void await_close(int descriptor)
{
    char room[4096];
    ssize_t got;

    do {
        uv_run(&loop, UV_RUN_NOWAIT);
        got = recv(descriptor, room, sizeof room, 0);
    } while (got > 0 || (got < 0 && errno == EAGAIN));
    close(descriptor);
}

TEST(lines_are_sent_as_they_come_and_the_end_closes_the_stream)
{
    int client = begin_stream();

    fputs("one\n", streams[0]->out);
    call_send(streams[0]);
    await_text(client, ">one\n");
    fputs("two\nthree\n", streams[0]->out);
    fputs("a note\n", streams[0]->err);
    call_send(streams[0]);
    await_text(client, ">two\n>three\n!a note\n");
    call_send(streams[0]); /* nothing */
    fputs("the end\n", streams[0]->err);
    call_finish(streams[0], 3);
    streams[0] = NULL;
    await_text(client, "!the end\n=3\n");
    await_close(client);
    ck_assert_uint_eq(gone_count, 0);
}

/* Prints and sends until the client's socket takes no more. */
static void fill(struct call *call)
{
    while (call_is_ready(call)) {
        for (unsigned i = 0; i < PART_LINES; i++)
            fprintf(call->out, "line %u of many, each of which is about fifty octets\n", i);
        call_send(call);
    }
}

/* What `fill` has sent: PART_LINES lines, and again, each whole and in its turn. */
static void assert_filled(const char *text)
{
    char line[80];
    unsigned number = 0;

    for (; *text == '>'; number++) {
        snprintf(line, sizeof line, ">line %u of many, each of which is about fifty octets\n",
                 number % PART_LINES);
        ck_assert_msg(strncmp(text, line, strlen(line)) == 0, "%u: %.60s", number, text);
        text += strlen(line);
    }
    ck_assert_uint_gt(number, PART_LINES);
    ck_assert_uint_eq(number % PART_LINES, 0);
}

TEST(a_client_that_does_not_read_holds_up_nobody_and_goes_on_later)
{
    int slow = begin_stream(), quick = begin_stream();
    char *room = malloc(RECEIVED_MOST);
    size_t length = 0;

    fill(streams[0]);
    fputs("one\n", streams[1]->out);
    call_send(streams[1]);
    await_text(quick, ">one\n");
    close(connect_client("spacedns/1 version\n"));
    for (unsigned rounds = 0; rounds < 20; rounds++)
        uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert(!call_is_ready(streams[0]));
    ck_assert_uint_eq(ready_count, 0);
    while (ready_count == 0) {
        ssize_t got = recv(slow, room + length, RECEIVED_MOST - length, 0);
        length += got > 0 ? (size_t)got : 0;
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    ck_assert(call_is_ready(streams[0]));
    ck_assert_int_eq(room[0], '>');
    free(room);
    close(slow), close(quick);
}

TEST(the_end_of_a_stream_that_is_not_read_waits_behind_its_lines)
{
    int slow = begin_stream();
    char *room = calloc(1, RECEIVED_MOST + 1);
    size_t length = 0;

    fill(streams[0]);
    fputs("the end\n", streams[0]->err);
    call_finish(streams[0], 1);
    streams[0] = NULL;
    for (ssize_t got = 1; got > 0 || (got < 0 && errno == EAGAIN);) {
        uv_run(&loop, UV_RUN_NOWAIT);
        got = recv(slow, room + length, RECEIVED_MOST - length, 0);
        length += got > 0 ? (size_t)got : 0;
    }
    assert_filled(room);
    ck_assert_ptr_nonnull(strstr(room, "octets\n!the end\n=1\n"));
    ck_assert_uint_eq(ready_count, 0); /* the call was finished */
    free(room);
    close(slow);
}

TEST(the_owner_is_called_when_a_client_disconnects)
{
    int full = begin_stream(), idle = begin_stream();

    fill(streams[0]);
    close(full);
    while (gone_count < 1)
        uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_ptr_null(streams[0]);
    ck_assert_ptr_nonnull(streams[1]);
    shutdown(idle, SHUT_WR);
    while (gone_count < 2)
        uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_ptr_null(streams[1]);
    await_close(idle);
}

TEST(a_client_that_sends_more_is_gone)
{
    int client = begin_stream();

    ck_assert_int_gt(send(client, "spacedns/1 version\n", 19, MSG_NOSIGNAL), 0);
    while (gone_count < 1)
        uv_run(&loop, UV_RUN_NOWAIT);
    await_close(client);
}

TEST(streams_have_places_of_their_own)
{
    int clients[CONTROL_SOCKET_STREAMS_MOST], others[CONTROL_SOCKET_CONNECTIONS_MOST];

    for (size_t i = 0; i < CONTROL_SOCKET_STREAMS_MOST; i++)
        clients[i] = begin_stream();
    int ninth = connect_client("spacedns/1 logs --tail\n");
    await_text(ninth, "!no place\n=1\n");
    close(ninth);
    for (size_t i = 0; i + 1 < CONTROL_SOCKET_CONNECTIONS_MOST; i++) /* all others */
        others[i] = connect_client("spacedns/1");
    int last = connect_client("spacedns/1 version\n");
    await_text(last, "=7\n");
    close(last);
    close(clients[0]);
    while (gone_count < 1)
        uv_run(&loop, UV_RUN_NOWAIT);
    clients[0] = begin_stream(); /* its place is given back */
    for (size_t i = 0; i < CONTROL_SOCKET_STREAMS_MOST; i++)
        close(clients[i]);
    for (size_t i = 0; i + 1 < CONTROL_SOCKET_CONNECTIONS_MOST; i++)
        close(others[i]);
}

TEST(those_with_a_lesser_role_do_not_get_every_place)
{
    int clients[CONTROL_SOCKET_READER_STREAMS_MOST];

    is_reader = true;
    control_socket_close(control); /* the mode of the socket depends on the groups */
    uv_run(&loop, UV_RUN_DEFAULT);
    struct err err;
    control = control_socket_open(&loop, path, &owner, &err);
    for (size_t i = 0; i < CONTROL_SOCKET_READER_STREAMS_MOST; i++)
        clients[i] = begin_stream();
    int next = connect_client("spacedns/1 logs --tail\n");
    await_text(next, "!no place\n=1\n");
    is_reader = false;
    int greater = begin_stream();
    for (size_t i = 0; i < CONTROL_SOCKET_READER_STREAMS_MOST; i++)
        close(clients[i]);
    close(greater), close(next);
}

/* ---- clients that read nothing ---- */

enum { CHECKS = CONTROL_STREAM_STALLED_MS / CONTROL_STREAM_CHECK_MS };

static void send_line(struct call *call)
{
    fputs("one\n", call->out);
    call_send(call);
}

/* So many looks at the first stream; the client's socket takes what it can between them. */
static void look(unsigned times)
{
    for (unsigned i = 0; i < times && streams[0] != NULL; i++) {
        on_check(checks[0]);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
}

/* What waits is in the kernel, or behind it as well. */
static void (*const sendings[])(struct call *) = {send_line, fill};

TEST_OVER(a_client_that_reads_nothing_while_lines_wait_loses_its_place, sendings)
{
    int client = begin_stream();

    sendings[_i](streams[0]);
    look(CHECKS);
    ck_assert_uint_eq(stalled_count, 0);
    look(1);
    ck_assert_uint_eq(stalled_count, 1);
    ck_assert_uint_eq(gone_count, 0);
    await_close(client);
}

TEST(a_client_that_reads_nothing_learns_why_it_was_ended)
{
    int client = begin_stream();

    send_line(streams[0]);
    look(CHECKS + 1);
    await_text(client, ">one\n!stalled\n=1\n");
    await_close(client);
}

/* More lines come meanwhile, and it reads none. */
TEST(lines_that_come_are_no_reading)
{
    int client = begin_stream();

    for (unsigned i = 0; i <= CHECKS; i++) {
        send_line(streams[0]);
        look(1);
    }
    ck_assert_uint_eq(stalled_count, 1);
    await_close(client);
}

TEST_OVER(a_client_that_reads_a_little_keeps_its_place, sendings)
{
    int client = begin_stream();
    char room[1 << 16];

    for (unsigned i = 0; i < 4 * CHECKS; i++) {
        if (call_is_ready(streams[0]))
            sendings[_i](streams[0]);
        look(CHECKS);
        ck_assert_int_gt(recv(client, room, sizeof room, 0), 0);
        uv_run(&loop, UV_RUN_NOWAIT); /* what waits behind the kernel follows */
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    ck_assert_uint_eq(stalled_count, 0);
    close(client);
}

TEST(a_client_for_which_nothing_waits_keeps_its_place)
{
    int client = begin_stream();

    look(4 * CHECKS);
    send_line(streams[0]);
    await_text(client, ">one\n");
    look(4 * CHECKS);
    send_line(streams[0]); /* what waited for nothing does not count */
    look(CHECKS);
    ck_assert_uint_eq(stalled_count, 0);
    close(client);
}

TEST(the_place_of_a_client_that_read_nothing_is_free_again)
{
    int clients[CONTROL_SOCKET_STREAMS_MOST];

    for (size_t i = 0; i < CONTROL_SOCKET_STREAMS_MOST; i++)
        clients[i] = begin_stream();
    send_line(streams[0]);
    look(CHECKS + 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    int next = begin_stream();
    for (size_t i = 0; i < CONTROL_SOCKET_STREAMS_MOST; i++)
        close(clients[i]);
    close(next);
}
