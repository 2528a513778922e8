// wrap: malloc calloc realloc
// forks: its tests leave something behind
#include "spacednsd/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spacednsd/http_stream.h"
#include "support/allocations.h"
#include "support/suite.h"

enum { RESPONSE_MOST = 4096, STATUS_MOST = 600, CLIENTS_MOST = HTTP_PER_CLIENT_MOST + 8 };

static uv_loop_t loop;
static struct http *http;
static struct http_owner owner;
static struct sockaddr_in address;
static unsigned asked;
static char path[128];
static struct http_request *kept; /* not responded to yet */
static bool keeps;                /* requests are */
static http_on_request *handler;  /* of requests, if it is another one */
static unsigned statuses[STATUS_MOST];
static unsigned ends[HTTP_ENDS];

static void respond_ok(struct http_request *request)
{
    http_respond(request, &(struct http_response){
                              .status = HTTP_OK, .type = "text/plain", .text = "hi", .length = 2});
}

static void test_on_request(void *context, struct http_request *request, const char *asked_path)
{
    asked++;
    if (handler != NULL) {
        handler(context, request, asked_path);
        return;
    }
    snprintf(path, sizeof path, "%s", asked_path);
    if (keeps)
        kept = request;
    else
        respond_ok(request);
}

static void test_on_status(void *context, enum http_status status)
{
    (void)context;
    statuses[status]++;
}

static void test_on_end(void *context, enum http_end end)
{
    (void)context;
    ends[end]++;
}

static bool test_is_public(const char *asked_path)
{
    return strcmp(asked_path, "/public") == 0;
}

static int listen_on_loopback(void)
{
    socklen_t octets = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ck_assert_int_eq(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(descriptor, 64), 0);
    ck_assert_int_eq(getsockname(descriptor, (struct sockaddr *)&address, &octets), 0);
    return descriptor;
}

static void open_with(const char *token, bool is_unix)
{
    const struct http_listener listener = {.descriptor = listen_on_loopback(), .is_unix = is_unix};
    struct err err;

    owner = (struct http_owner){.token = token,
                                .on_request = test_on_request,
                                .on_status = test_on_status,
                                .on_end = test_on_end,
                                .is_public = test_is_public};
    http = http_open(&loop, &listener, 1, &owner, &err);
    ck_assert_msg(http != NULL, "%s", err.text);
    http_start(http);
}

static void set_up(void)
{
    if (http_library() == NULL)
        exit(0); /* a build without it */
    ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void tear_down(void)
{
    http_close(http);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

/* ---- a client on the same loop ---- */

struct client {
    int descriptor;
    uv_poll_t poll;
    char response[RESPONSE_MOST];
    size_t length;
    bool is_closed; /* by the server */
};

static void client_on_readable(uv_poll_t *poll, int status, int events)
{
    struct client *client = poll->data;

    (void)status, (void)events;
    ssize_t length = recv(client->descriptor, client->response + client->length,
                          sizeof client->response - 1 - client->length, 0);
    if (length > 0)
        client->length += (size_t)length;
    else
        client->is_closed = true;
    if (client->is_closed)
        uv_poll_stop(poll);
    client->response[client->length] = '\0';
}

static void client_open(struct client *client, const char *request, size_t length)
{
    *client = (struct client){.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ck_assert_int_eq(connect(client->descriptor, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(send(client->descriptor, request, length, MSG_NOSIGNAL), (ssize_t)length);
    uv_poll_init(&loop, &client->poll, client->descriptor);
    client->poll.data = client;
    uv_poll_start(&client->poll, UV_READABLE, client_on_readable);
}

static bool has_response(const struct client *client)
{
    return client->is_closed || strstr(client->response, "\r\n\r\n") != NULL;
}

static void client_close(struct client *client)
{
    uv_close((uv_handle_t *)&client->poll, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    close(client->descriptor);
}

/* What the server sends for these octets, until its head is complete or it has hung up. */
static const char *ask(const char *request)
{
    static struct client client;

    client_open(&client, request, strlen(request));
    while (!has_response(&client))
        uv_run(&loop, UV_RUN_ONCE);
    client_close(&client);
    return client.response;
}

FIXTURE(set_up, tear_down)

/* A request, and the first line of what it gets. */
static const struct {
    const char *request;
    const char *begins;
    const char *path; /* that the owner was asked for; NULL: it was not */
} requests[] = {
    {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 200 ", "/"},
    {"HEAD /a/b HTTP/1.1\r\nHost: localhost:1\r\n\r\n", "HTTP/1.1 200 ", "/a/b"},
    {"GET //a/../b HTTP/1.1\r\nHost: [::1]:9153\r\n\r\n", "HTTP/1.1 200 ", "//a/../b"},
    {"GET /%6d%00 HTTP/1.1\r\nHost: [::1]\r\n\r\n", "HTTP/1.1 200 ", "/%6d%00"},
    {"GET /a?b=%2f HTTP/1.1\r\nHost: 10.0.0.2\r\n\r\n", "HTTP/1.1 200 ", "/a"},
    {"GET /a HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "/a"},
    {"GET /a HTTP/1.2\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 400 ", NULL},
    {"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP/1.1 421 ", NULL},
    {"GET /a HTTP/1.1\r\nHost: 127.0.0.1.a.example\r\n\r\n", "HTTP/1.1 421 ", NULL},
    {"GET /a HTTP/1.1\r\nHost: localhost.a.example\r\n\r\n", "HTTP/1.1 421 ", NULL},
    {"GET /a HTTP/1.1\r\nHost: \r\n\r\n", "HTTP/1.1 421 ", NULL},
    {"POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 405 ", NULL},
    {"POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 405 ", NULL},
    {"get /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 405 ", NULL},
    {"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 400 ", NULL},
    {"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400 ",
     NULL},
};

TEST_OVER(only_a_plain_request_for_this_host_reaches_the_owner, requests)
{
    open_with(NULL, false);
    const char *response = ask(requests[_i].request);
    ck_assert_msg(strncmp(response, requests[_i].begins, strlen(requests[_i].begins)) == 0, "%s",
                  response);
    ck_assert_uint_eq(asked, requests[_i].path != NULL);
    if (requests[_i].path != NULL)
        ck_assert_str_eq(path, requests[_i].path);
    ck_assert_uint_eq(statuses[strtoul(response + strlen("HTTP/1.1 "), NULL, 10)], 1);
}

TEST(every_response_forbids_to_be_kept_or_guessed_at)
{
    open_with(NULL, false);
    const char *response = ask("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(response, "\r\nCache-Control: no-store\r\n"));
    ck_assert_ptr_nonnull(strstr(response, "\r\nX-Content-Type-Options: nosniff\r\n"));
    ck_assert_ptr_nonnull(strstr(response, "\r\nContent-Security-Policy: default-src 'none'"));
    ck_assert_ptr_nonnull(strstr(response, "\r\nContent-Length: 2\r\n"));
}

/* A header of authorization, and whether it passes. */
static const struct {
    const char *header;
    bool passes;
} authorizations[] = {
    {"", false},
    {"Authorization: Bearer secret-of-16-xx\r\n", true},
    {"authorization: bearer secret-of-16-xx\r\n", true},
    {"Authorization: Bearer secret-of-16-xy\r\n", false},
    {"Authorization: Bearer Secret-of-16-xx\r\n", false},
    {"Authorization: Bearer secret-of-16-x\r\n", false},
    {"Authorization: Bearer secret-of-16-xxx\r\n", false},
    {"Authorization: Bearer \r\n", false},
    {"Authorization: Bearer\r\n", false},
    {"Authorization: Basic secret-of-16-xx\r\n", false},
    {"Authorization: secret-of-16-xx\r\n", false},
};

static void ask_with(const char *header, const char *begins)
{
    char request[256];

    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: dns.example\r\n%s\r\n", header);
    const char *response = ask(request);
    ck_assert_msg(strncmp(response, begins, strlen(begins)) == 0, "%s", response);
}

TEST_OVER(the_token_is_needed_whole, authorizations)
{
    open_with("secret-of-16-xx", false);
    ask_with(authorizations[_i].header,
             authorizations[_i].passes ? "HTTP/1.1 200 " : "HTTP/1.1 401 ");
    ck_assert_uint_eq(asked, authorizations[_i].passes);
}

TEST(a_unix_socket_needs_no_token)
{
    open_with("secret-of-16-xx", true);
    ask_with("", "HTTP/1.1 200 ");
}

/* ---- limits ---- */

TEST(headers_and_paths_are_bounded)
{
    static char request[2 * HTTP_CONNECTION_OCTETS];

    open_with(NULL, false);
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ");
    memset(request + strlen(request), 'x', sizeof request - strlen(request) - 1);
    memcpy(request + sizeof request - 5, "\r\n\r\n", 5);
    ck_assert_msg(strncmp(ask(request), "HTTP/1.1 431 ", 13) == 0, "headers");
    memset(request + 5, 'x', sizeof request - 10);
    memcpy(request + sizeof request - 64, " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 31);
    ck_assert_msg(strncmp(ask(request), "HTTP/1.1 414 ", 13) == 0, "path");
    ck_assert_uint_eq(asked, 0);
}

TEST(one_client_has_a_share_of_the_connections)
{
    static struct client clients[CLIENTS_MOST];
    size_t closed = 0;

    open_with(NULL, false);
    for (size_t i = 0; i < CLIENTS_MOST; i++)
        client_open(&clients[i], "GET / ", strlen("GET / "));
    while (closed < CLIENTS_MOST - HTTP_PER_CLIENT_MOST) {
        uv_run(&loop, UV_RUN_ONCE);
        closed = 0;
        for (size_t i = 0; i < CLIENTS_MOST; i++)
            closed += clients[i].is_closed;
    }
    ck_assert_uint_eq(closed, CLIENTS_MOST - HTTP_PER_CLIENT_MOST);
    for (size_t i = 0; i < CLIENTS_MOST; i++)
        client_close(&clients[i]);
}

/* ---- responses that come later ---- */

static const char plain[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

TEST(a_response_may_come_later)
{
    static struct client client;

    keeps = true;
    open_with(NULL, false);
    client_open(&client, plain, strlen(plain));
    while (kept == NULL)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_uint_eq(client.length, 0);
    ck_assert_ptr_null(http_header(kept, "Accept"));
    ck_assert_str_eq(http_header(kept, "host"), "127.0.0.1");
    respond_ok(kept);
    while (!has_response(&client))
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_msg(strncmp(client.response, "HTTP/1.1 200 ", 13) == 0, "%s", client.response);
    ck_assert_uint_eq(asked, 1);
    client_close(&client);
}

TEST(a_client_that_has_gone_is_responded_to_in_vain)
{
    static struct client client;

    keeps = true;
    open_with(NULL, false);
    client_open(&client, plain, strlen(plain));
    while (kept == NULL)
        uv_run(&loop, UV_RUN_ONCE);
    client_close(&client);
    respond_ok(kept);
    uv_run(&loop, UV_RUN_NOWAIT);
    keeps = false;
    ask(plain);
    ck_assert_uint_eq(asked, 2);
}

TEST(a_response_just_before_the_end_is_sent)
{
    static struct client client;

    keeps = true;
    open_with(NULL, false);
    client_open(&client, plain, strlen(plain));
    while (kept == NULL)
        uv_run(&loop, UV_RUN_ONCE);
    respond_ok(kept);
    http_close(http);
    http = NULL;
    while (!client.is_closed)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_msg(strncmp(client.response, "HTTP/1.1 200 ", 13) == 0, "%s", client.response);
    client_close(&client);
}

/* The socket may be listened on by another process: it is closed, not shut down. */
TEST(the_end_leaves_the_socket_to_others)
{
    static struct client client;

    open_with(NULL, false);
    int other = dup(http_descriptor(http, 0));
    http_close(http);
    http = NULL;
    client_open(&client, plain, strlen(plain));
    int accepted = accept(other, NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    close(accepted);
    close(other);
    client_close(&client);
}

/* ---- how connections end ---- */

static void run_until_ended(enum http_end end, unsigned count)
{
    while (ends[end] < count)
        uv_run(&loop, UV_RUN_NOWAIT); /* an end may come by a timer, after which once would wait */
}

static void check_one_end(enum http_end end)
{
    for (unsigned i = 0; i < HTTP_ENDS; i++)
        ck_assert_msg(ends[i] == (i == (unsigned)end), "end %u: %u", i, ends[i]);
}

TEST(a_connection_with_a_response_is_done)
{
    open_with(NULL, false);
    ask("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    run_until_ended(HTTP_END_DONE, 1);
    check_one_end(HTTP_END_DONE);
}

/* What the library refuses by itself: how it begins, and what follows again and again. */
static const struct {
    const char *begins, *repeated;
} refused_by_library[] = {
    {"frozen oasis\r\n\r\n", NULL},
    {"GET / HTTP/9.0\r\nHost: 127.0.0.1\r\n\r\n", NULL},
    {"GET /\r\n\r\n", NULL},
    {"GET /", "x"},
    {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", "x"},
    {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", "X: x\r\n"},
};

TEST_OVER(what_the_library_refuses_is_counted, refused_by_library)
{
    static char octets[2 * HTTP_CONNECTION_OCTETS];
    static struct client client;
    const char *repeated = refused_by_library[_i].repeated;

    open_with(NULL, false);
    size_t length = (size_t)snprintf(octets, sizeof octets, "%s", refused_by_library[_i].begins);
    while (repeated != NULL && length + strlen(repeated) < sizeof octets)
        length += (size_t)snprintf(octets + length, sizeof octets - length, "%s", repeated);
    client_open(&client, octets, length);
    run_until_ended(HTTP_END_REFUSED, 1);
    check_one_end(HTTP_END_REFUSED);
    ck_assert_uint_eq(asked, 0);
    client_close(&client);
}

/* So many arguments that the library has no memory for them: it neither responds nor reports it. */
TEST(a_request_that_the_library_gives_up_is_freed)
{
    static char request[HTTP_CONNECTION_OCTETS];
    static struct client client;
    size_t length = (size_t)snprintf(request, sizeof request, "GET /?");

    open_with(NULL, false);
    while (length < HTTP_CONNECTION_OCTETS - 512)
        length += (size_t)snprintf(request + length, sizeof request - length, "a=1&");
    snprintf(request + length, sizeof request - length, " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    client_open(&client, request, strlen(request));
    for (int i = 0; i < 3; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    client_close(&client);
    while (ends[HTTP_END_CLIENT] + ends[HTTP_END_REFUSED] == 0)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_uint_eq(asked, 0); /* the sanitizer sees what is left */
}

/* What a client has sent when it leaves. */
static const char *const left_with[] = {"", "GET / HT", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"};

TEST_OVER(a_client_that_leaves_before_its_response_is_counted, left_with)
{
    static struct client client;

    open_with(NULL, false);
    client_open(&client, left_with[_i], strlen(left_with[_i]));
    uv_run(&loop, UV_RUN_NOWAIT);
    client_close(&client);
    run_until_ended(HTTP_END_CLIENT, 1);
    check_one_end(HTTP_END_CLIENT);
}

TEST(connections_beyond_a_client_s_share_are_counted)
{
    static struct client clients[CLIENTS_MOST];

    open_with(NULL, false);
    for (size_t i = 0; i < CLIENTS_MOST; i++)
        client_open(&clients[i], "GET / ", strlen("GET / "));
    run_until_ended(HTTP_END_LIMIT, CLIENTS_MOST - HTTP_PER_CLIENT_MOST);
    ck_assert_uint_eq(ends[HTTP_END_LIMIT], CLIENTS_MOST - HTTP_PER_CLIENT_MOST);
    ends[HTTP_END_LIMIT] = 0;
    check_one_end(HTTP_ENDS); /* the others go on */
    for (size_t i = 0; i < CLIENTS_MOST; i++)
        client_close(&clients[i]);
}

TEST(connections_that_the_server_ends_are_counted)
{
    static struct client client;

    open_with(NULL, false);
    client_open(&client, "GET / ", strlen("GET / "));
    uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_NOWAIT);
    http_close(http);
    http = NULL;
    check_one_end(HTTP_END_SERVER);
    client_close(&client);
}

/* ---- streams ---- */

static struct http_stream *stream;
static char ready[RESPONSE_MOST]; /* to be filled in */
static unsigned fills, over;

static size_t test_fill(void *context, char *to, size_t room)
{
    size_t length = strlen(ready);

    (void)context;
    fills++;
    ck_assert_uint_le(length, room);
    memcpy(to, ready, length);
    ready[0] = '\0';
    return length;
}

static void test_on_over(void *context)
{
    (void)context;
    over++;
    stream = NULL;
}

static void stream_on_request(void *context, struct http_request *request, const char *asked_path)
{
    static const struct http_stream_owner stream_owner = {.fill = test_fill,
                                                          .on_end = test_on_over};

    (void)context, (void)asked_path;
    stream = http_stream_begin(request, "text/event-stream", &stream_owner);
}

static void open_stream(struct client *client, const char *request)
{
    open_with(NULL, false);
    handler = stream_on_request;
    client_open(client, request, strlen(request));
    while (!has_response(client))
        uv_run(&loop, UV_RUN_ONCE);
}

static void run_until_client_has(const struct client *client, const char *text)
{
    while (strstr(client->response, text) == NULL && !client->is_closed)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_msg(strstr(client->response, text) != NULL, "%s", client->response);
}

TEST(a_stream_sends_what_there_is_and_what_comes)
{
    static struct client client;

    strcpy(ready, "first\n");
    open_stream(&client, plain);
    run_until_client_has(&client, "first\n");
    ck_assert_ptr_nonnull(strstr(client.response, "\r\nContent-Type: text/event-stream\r\n"));
    unsigned before = fills;
    for (int i = 0; i < 3; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_uint_le(fills, before + 1); /* it waits, and is not asked over and over */
    strcpy(ready, "second\n");
    http_stream_wake(stream);
    http_stream_wake(stream);
    run_until_client_has(&client, "second\n");
    ck_assert_uint_eq(over, 0);
    http_stream_end(stream);
    run_until_client_has(&client, "\r\n0\r\n\r\n");
    while (over == 0)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_ptr_null(strstr(client.response, "HTTP/1.1 503"));
    client_close(&client);
}

TEST(a_stream_ends_when_its_client_has_gone)
{
    static struct client client;

    open_stream(&client, plain);
    ck_assert(!http_stream_is_gone(stream));
    client_close(&client);
    ck_assert(http_stream_is_gone(stream));
    http_stream_wake(stream);
    while (over == 0)
        uv_run(&loop, UV_RUN_NOWAIT);
}

TEST(the_end_of_http_ends_streams_as_they_should)
{
    enum { STREAMS = 4 };
    static struct client clients[STREAMS];

    open_stream(&clients[0], plain);
    for (size_t i = 1; i < STREAMS; i++) {
        client_open(&clients[i], plain, strlen(plain));
        while (!has_response(&clients[i]))
            uv_run(&loop, UV_RUN_ONCE);
    }
    http_close(http);
    http = NULL;
    ck_assert_uint_eq(over, STREAMS);
    for (size_t i = 0; i < STREAMS; i++) {
        run_until_client_has(&clients[i], "\r\n0\r\n\r\n");
        client_close(&clients[i]);
    }
}

TEST(a_request_for_the_head_of_a_stream_has_no_stream)
{
    static struct client client;

    open_stream(&client, "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    while (over == 0)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_uint_eq(fills, 0);
    client_close(&client);
}

/* ---- without memory ---- */

/* The first three of a connection: itself, its request, and a stream. */
TEST_LOOP(without_memory_a_connection_is_closed_and_nothing_is_left, 1, 4)
{
    static struct client client;

    open_with(NULL, false);
    handler = stream_on_request;
    client_open(&client, plain, strlen(plain));
    allocations_fail((size_t)_i);
    while (!client.is_closed)
        uv_run(&loop, UV_RUN_ONCE);
    allocations_fail(0);
    ck_assert_uint_eq(client.length, 0);
    ck_assert_ptr_null(stream);
    client_close(&client);
    handler = NULL;
    const char *response = ask(plain);
    ck_assert_msg(strncmp(response, "HTTP/1.1 200 ", 13) == 0, "%s", response);
}

/* ---- pages ---- */

static void page_on_request(void *context, struct http_request *request, const char *asked_path)
{
    (void)context, (void)asked_path;
    ck_assert_str_eq(http_query(request), "a=%2f?b");
    http_respond(
        request,
        &(struct http_response){
            .status = HTTP_OK, .is_page = true, .type = "text/html", .text = "hi", .length = 2});
}

TEST(a_page_may_have_its_own_files_and_no_others)
{
    open_with("secret-of-16-xx", false);
    handler = page_on_request;
    const char *response = ask("GET /public?a=%2f?b HTTP/1.1\r\nHost: dns.example\r\n\r\n");
    ck_assert_msg(strncmp(response, "HTTP/1.1 200 ", 13) == 0, "%s", response);
    ck_assert_ptr_nonnull(strstr(response, "\r\nContent-Security-Policy: default-src 'none'; "
                                           "script-src 'self'; style-src 'self'; connect-src "
                                           "'self'; img-src 'self' data:; base-uri 'none'; "
                                           "form-action 'none'; frame-ancestors 'none'\r\n"));
    ck_assert_ptr_nonnull(strstr(response, "\r\nCache-Control: no-cache\r\n"));
    ck_assert_ptr_nonnull(strstr(response, "\r\nReferrer-Policy: no-referrer\r\n"));
}
