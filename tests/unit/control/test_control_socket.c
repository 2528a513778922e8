// label: threads
#include "control/control_socket.h"

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

static struct control_socket *open_one(struct err *err)
{
    return control_socket_open(&loop, path, control_socket_on_test_call, NULL, err);
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
    char line[2 * REQUEST_OCTETS_MOST];

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    expect(line, "!Error: the request is longer than the server reads; shorten it\n=2\n");
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
    ck_assert_ptr_null(control_socket_open(&loop, name, control_socket_on_test_call, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is longer than the 107 octets"));
    snprintf(name, sizeof name, "%s/nowhere/socket", folder);
    ck_assert_ptr_null(control_socket_open(&loop, name, control_socket_on_test_call, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "its folder does not exist"));
}
