// label: threads
// wrap: uv_timer_start peer_read
// forks: its tests leave something behind
#include "control/control_socket.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "support/suite.h"

enum { LONG_LINES = 60000, RESPONSE_MOST = 8 << 20 };

static char folder[] = "/tmp/spacedns-control-socket.XXXXXX";
static char path[sizeof folder + 16];
static uv_loop_t loop;
static struct control_socket *control;
static struct control_access roles;
static struct call *held; /* finished by the next call */

static void control_socket_on_test_call(void *context, struct call *call)
{
    (void)context;
    switch (call->invocation.command) {
    case COMMAND_STATUS: /* more than any socket takes at once */
        for (unsigned i = 0; i < LONG_LINES; i++)
            fprintf(call->out, "line %u of many, each of which is about fifty octets\n", i);
        call_finish(call, 0);
        break;
    case COMMAND_RELOAD:
        held = call;
        break;
    default:
        fputs("a sentence\n", call->err);
        if (held != NULL)
            call_finish(held, 0);
        held = NULL;
        call_finish(call, 7);
    }
}

static const struct control_owner owner = {.access = &roles,
                                           .on_call = control_socket_on_test_call};

static struct control_socket *open_one(struct err *err)
{
    return control_socket_open(&loop, path, &owner, err);
}

/* Time is short for callers, so that a test need not wait for them. */
enum { HURRY_MS = 30 };
static bool is_hurried;
static uint64_t granted_ms; /* what the last caller would have had */

int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t ms, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t ms, uint64_t repeat);

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t ms, uint64_t repeat)
{
    granted_ms = ms;
    return __real_uv_timer_start(timer, on_timeout, is_hurried ? HURRY_MS : ms, repeat);
}

/* Who the next client is. */
static bool is_stranger, is_unknown;
static gid_t stranger_gid;

bool __real_peer_read(int descriptor, struct peer *peer);
bool __wrap_peer_read(int descriptor, struct peer *peer);

bool __wrap_peer_read(int descriptor, struct peer *peer)
{
    if (is_unknown || !__real_peer_read(descriptor, peer))
        return false;
    if (!is_stranger)
        return true;
    peer_close(peer);
    *peer = (struct peer){.uid = 61234, .gid = stranger_gid};
    return true;
}

static void set_up(void)
{
    struct err err;

    strcpy(folder + strlen(folder) - 6, "XXXXXX"); // NOLINT: each test its own
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    signal(SIGPIPE, SIG_IGN); // NOLINT: cannot fail
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    control = open_one(&err);
    ck_assert_msg(control != NULL, "%s", err.text);
}

static void tear_down(void)
{
    if (held != NULL)
        call_finish(held, 1);
    held = NULL;
    control_socket_close(control);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_int_ne(access(path, F_OK), 0);
    rmdir(folder);
}

/* A client that sends a request and waits for the answer. */
struct client {
    uv_thread_t thread;
    const char *request;
    bool waits; /* false: it sends and disconnects */
    char *response;
    size_t length;
};

static uv_async_t wake;

static int connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, path); // NOLINT
    ck_assert_int_eq(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

static void run_client(void *argument)
{
    struct client *client = argument;
    int descriptor = connect_client();

    (void)!send(descriptor, client->request, strlen(client->request), MSG_NOSIGNAL);
    for (ssize_t count = 1; client->waits && count > 0;) {
        count =
            recv(descriptor, client->response + client->length, RESPONSE_MOST - client->length, 0);
        client->length += count > 0 ? (size_t)count : 0;
    }
    close(descriptor);
    uv_async_send(&wake);
}

static void stop_loop(uv_async_t *handle)
{
    uv_stop(handle->loop);
}

static char *read_answer(const char *request, bool waits)
{
    struct client client = {
        .request = request, .waits = waits, .response = calloc(1, RESPONSE_MOST + 1)};

    uv_async_init(&loop, &wake, stop_loop);
    uv_thread_create(&client.thread, run_client, &client);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_thread_join(&client.thread);
    uv_close((uv_handle_t *)&wake, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return client.response;
}

static void expect(const char *request, const char *wanted)
{
    char *response = read_answer(request, true);

    ck_assert_str_eq(response, wanted);
    free(response);
}

FIXTURE(set_up, tear_down)

TEST(a_call_is_answered_with_its_lines_and_its_code)
{
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
}

TEST(an_answer_longer_than_the_socket_takes_arrives_whole)
{
    char *response = read_answer("spacedns/1 status\n", true);
    size_t lines = 0;

    for (const char *at = response; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    ck_assert_uint_eq(lines, LONG_LINES + 1);
    ck_assert_str_eq(response + strlen(response) - 4, "\n=0\n");
    free(response);
}

TEST(a_client_that_disconnects_before_the_answer_does_no_harm)
{
    free(read_answer("spacedns/1 status\n", false));
    free(read_answer("spacedns/1 reload\n", false));
    free(read_answer("spacedns/1 sta", false));
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
}

TEST(a_line_longer_than_a_request_is_refused)
{
    char line[2 * CONTROL_REQUEST_OCTETS_MOST];

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    expect(line, "!Error: the request is longer than the server reads; shorten it\n=2\n");
}

/* Runs the loop until a caller's connection is closed by the server; returns what it was sent. */
static size_t await_close(int descriptor, char *room, size_t size)
{
    size_t length = 0;

    for (;;) {
        uv_run(&loop, UV_RUN_NOWAIT);
        ssize_t got = recv(descriptor, room + length, size - length, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return length;
        length += got > 0 ? (size_t)got : 0;
    }
}

enum { ADMINS = 61001, READERS = 61002 };

/* Opens the socket again for the two groups. */
static void open_to_groups(void)
{
    struct err err;

    roles = (struct control_access){.all = {"admins", ADMINS}, .read = {"readers", READERS}};
    control_socket_close(control);
    uv_run(&loop, UV_RUN_DEFAULT);
    control = open_one(&err);
    ck_assert_msg(control != NULL, "%s", err.text);
    is_stranger = true;
}

static void expect_refusal(const char *request, const char *part)
{
    char *response = read_answer(request, true);

    ck_assert_msg(strncmp(response, "!Error: uid 61234 may not run ", 30) == 0, "%s", response);
    ck_assert_msg(strstr(response, part) != NULL, "%s", response);
    ck_assert_str_eq(response + strlen(response) - 4, "\n=1\n");
    free(response);
}

TEST(a_call_needs_the_role_of_its_command)
{
    struct stat status;

    open_to_groups();
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0666);
    stranger_gid = ADMINS;
    expect("spacedns/1 kept-back\n", "!a sentence\n=7\n");
    expect("spacedns/1 forget a.example\n", "!a sentence\n=7\n");
    stranger_gid = READERS;
    expect("spacedns/1 kept-back\n", "!a sentence\n=7\n");
    expect_refusal("spacedns/1 forget a.example\n", "usermod -aG admins USER");
    expect_refusal("spacedns/1 reload\n", "usermod -aG admins USER");
    expect_refusal("spacedns/1 plan /tmp\n", "usermod -aG admins USER");
    ck_assert_ptr_null(held); /* the owner has not seen the reload */
    stranger_gid = 61003;
    expect_refusal("spacedns/1 kept-back\n", "usermod -aG readers USER");
}

TEST(a_peer_that_the_kernel_does_not_name_is_disconnected)
{
    is_unknown = true;
    expect("spacedns/1 version\n", "");
    is_unknown = false;
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
}

static const struct {
    gid_t gid;
    size_t places;
} shares[] = {{61003, CONTROL_SOCKET_STRANGERS_MOST}, {READERS, CONTROL_SOCKET_READERS_MOST}};

TEST_OVER(those_with_a_lesser_role_cannot_keep_out_the_others, shares)
{
    int callers[CONTROL_SOCKET_CONNECTIONS_MOST];
    char room[256] = "";

    open_to_groups();
    stranger_gid = shares[_i].gid;
    for (size_t i = 0; i < shares[_i].places + 1; i++)
        callers[i] = connect_client();
    size_t last = shares[_i].places;
    ck_assert_int_gt(send(callers[last], "spacedns/1 version\n", 19, MSG_NOSIGNAL), 0);
    await_close(callers[last], room, sizeof room - 1);
    ck_assert_msg(strstr(room, "has no room for another command") != NULL, "%s", room);
    is_stranger = false;
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
    for (size_t i = 0; i <= last; i++)
        close(callers[i]);
    is_stranger = true;
    stranger_gid = ADMINS;
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
    stranger_gid = shares[_i].gid; /* their room is given back */
    expect_refusal("spacedns/1 version\n", "may not run version");
}

TEST(only_the_owner_may_use_the_socket)
{
    struct stat status;

    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}

TEST(a_socket_that_a_server_answers_is_not_replaced)
{
    struct err err;

    ck_assert_ptr_null(open_one(&err));
    ck_assert_ptr_nonnull(strstr(err.text, "another server listens on"));
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
}

TEST(a_socket_that_a_dead_server_left_is_replaced)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct err err;

    control_socket_close(control);
    uv_run(&loop, UV_RUN_DEFAULT);
    strcpy(address.sun_path, path); // NOLINT
    int left = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(left, (struct sockaddr *)&address, sizeof address), 0);
    close(left);
    control = open_one(&err);
    ck_assert_msg(control != NULL, "%s", err.text);
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
}

TEST(a_file_that_is_not_a_socket_stays)
{
    struct err err;

    control_socket_close(control);
    uv_run(&loop, UV_RUN_DEFAULT);
    fclose(fopen(path, "w"));
    control = open_one(&err);
    ck_assert_ptr_null(control);
    ck_assert_ptr_nonnull(strstr(err.text, "is not a socket"));
    ck_assert_int_eq(unlink(path), 0);
}

TEST(an_invalid_socket_path_is_refused_in_a_sentence)
{
    char name[200];
    struct err err;

    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    ck_assert_ptr_null(control_socket_open(&loop, name, &owner, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is longer than the 107 octets"));
    snprintf(name, sizeof name, "%s/nowhere/socket", folder);
    ck_assert_ptr_null(control_socket_open(&loop, name, &owner, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "its folder does not exist"));
}

/* ---- callers who take their time ---- */

static const char *const halves[] = {"", "s", "spacedns/1 version", "\n"};

TEST_OVER(a_caller_who_sends_no_whole_line_is_disconnected, halves)
{
    char room[256] = "";
    bool is_whole = strcmp(halves[_i], "\n") == 0; /* though no request */

    is_hurried = !is_whole;
    int stalled = connect_client();
    (void)!send(stalled, halves[_i], strlen(halves[_i]), MSG_NOSIGNAL);
    size_t length = await_close(stalled, room, sizeof room - 1);
    close(stalled);
    if (is_whole)
        ck_assert_ptr_nonnull(strstr(room, "!Error: this is the control socket of spacednsd"));
    else
        ck_assert_uint_eq(length, 0);
    ck_assert_uint_eq(granted_ms, CONTROL_SOCKET_REQUEST_MS);
    is_hurried = false;
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
}

/* A line that comes an octet at a time is as good as one that comes at once. */
TEST(a_line_may_come_in_pieces)
{
    static const char request[] = "spacedns/1 version\n";
    char room[256] = "";
    int slow = connect_client();

    for (size_t i = 0; i < strlen(request); i++) {
        ck_assert_int_eq(send(slow, request + i, 1, MSG_NOSIGNAL), 1);
        for (unsigned rounds = 0; rounds < 3; rounds++)
            uv_run(&loop, UV_RUN_NOWAIT);
    }
    await_close(slow, room, sizeof room - 1);
    close(slow);
    ck_assert_str_eq(room, "!a sentence\n=7\n");
}

TEST(a_caller_who_does_not_read_the_answer_is_disconnected)
{
    static const char request[] = "spacedns/1 status\n";
    int deaf = connect_client();

    is_hurried = true;
    ck_assert_int_gt(send(deaf, request, strlen(request), MSG_NOSIGNAL), 0);
    granted_ms = 0;
    while (granted_ms != CONTROL_SOCKET_RESPONSE_MS) /* the socket is full */
        uv_run(&loop, UV_RUN_NOWAIT);
    struct pollfd end = {.fd = deaf, .events = POLLRDHUP};
    while (poll(&end, 1, 0) == 0)
        uv_run(&loop, UV_RUN_NOWAIT);
    char *room = malloc(RESPONSE_MOST);
    size_t length = await_close(deaf, room, RESPONSE_MOST);
    close(deaf);
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_lt(length, (size_t)LONG_LINES * 30); /* cut off */
    free(room);
}

TEST(a_caller_too_many_is_refused_and_room_is_given_back)
{
    int callers[CONTROL_SOCKET_CONNECTIONS_MOST + 1];
    char room[256] = "";

    for (size_t i = 0; i < CONTROL_SOCKET_CONNECTIONS_MOST; i++)
        callers[i] = connect_client();
    for (unsigned rounds = 0; rounds < 40; rounds++)
        uv_run(&loop, UV_RUN_NOWAIT);
    callers[CONTROL_SOCKET_CONNECTIONS_MOST] = connect_client();
    await_close(callers[CONTROL_SOCKET_CONNECTIONS_MOST], room, sizeof room - 1);
    ck_assert_str_eq(room, "!Error: the server has no room for another command; try again in a "
                           "moment\n=2\n");
    for (size_t i = 0; i <= CONTROL_SOCKET_CONNECTIONS_MOST; i++)
        close(callers[i]);
    for (unsigned rounds = 0; rounds < 40; rounds++)
        uv_run(&loop, UV_RUN_NOWAIT);
    expect("spacedns/1 version\n", "!a sentence\n=7\n");
}

/* Hands the socket over within the process: the other end of an upgrade. */
static int hand_over(void)
{
    int descriptor = dup(control_socket_descriptor(control));

    control_socket_hand_over(control);
    control_socket_close(control);
    uv_run(&loop, UV_RUN_NOWAIT);
    return descriptor;
}

TEST(a_socket_that_is_handed_over_loses_no_caller)
{
    struct err err;
    int descriptor = hand_over();

    ck_assert_int_eq(access(path, F_OK), 0);
    int waiting = connect_client(); /* while nobody accepts */
    ck_assert_int_eq(send(waiting, "spacedns/1 version\n", 19, 0), 19);
    control = control_socket_take_over(&loop, path, descriptor, &owner, &err);
    ck_assert_msg(control != NULL, "%s", err.text);
    char *response = read_answer("spacedns/1 version\n", true);
    ck_assert_str_eq(response, "!a sentence\n=7\n");
    char got[64] = "";
    ck_assert_int_gt(recv(waiting, got, sizeof got - 1, 0), 0);
    ck_assert_str_eq(got, "!a sentence\n=7\n");
    free(response);
    close(waiting);
}

TEST(a_socket_whose_path_the_settings_no_longer_have_is_removed)
{
    char before[sizeof path];
    struct err err;
    int descriptor = hand_over();

    memcpy(before, path, sizeof path);
    snprintf(path, sizeof path, "%s/other", folder);
    control = control_socket_take_over(&loop, path, descriptor, &owner, &err);
    ck_assert_msg(control != NULL, "%s", err.text);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_ne(access(before, F_OK), 0);
}
