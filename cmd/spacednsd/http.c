#include "spacednsd/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/endpoint.h"

enum { LISTENER_HANDLES = 2, HOST_MOST = 80 };

struct listener {
    struct http *http;
    struct MHD_Daemon *daemon;
    int descriptor;
    bool is_unix;
    uv_poll_t poll; /* of all that the daemon watches */
    uv_timer_t timer;
    bool has_handles;
};

struct http {
    uv_loop_t *loop;
    struct http_owner owner;
    struct listener listeners[HTTP_LISTENERS_MOST];
    size_t count;
    size_t open_handles;
    bool is_closing; /* the owner is asked no more */
};

struct http_request {
    struct listener *listener;
    struct MHD_Connection *connection;
    struct MHD_Response *response; /* made, and not queued yet */
    unsigned status;
    bool is_asked;     /* the owner has it, or had it */
    bool is_suspended; /* until the owner responds */
};

const char *http_library(void)
{
    static char name[64];

    snprintf(name, sizeof name, "libmicrohttpd %s", MHD_get_version());
    return name;
}

/* ---- the loop ---- */

static void http_on_timer(uv_timer_t *timer);

static void pump(struct listener *listener)
{
    MHD_UNSIGNED_LONG_LONG ms;

    MHD_run(listener->daemon);
    if (MHD_get_timeout(listener->daemon, &ms) == MHD_YES)
        uv_timer_start(&listener->timer, http_on_timer, ms, 0);
    else
        uv_timer_stop(&listener->timer);
}

static void http_on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void http_on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    pump(poll->data);
}

/* ---- responses ---- */

static struct MHD_Response *make_response(const struct http_response *response)
{
    static const struct {
        const char *name, *value;
    } always[] = {
        {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    };
    struct MHD_Response *made = MHD_create_response_from_buffer(
        response->length, (void *)response->text, MHD_RESPMEM_MUST_COPY);

    if (made == NULL)
        return NULL;
    MHD_add_response_header(made, MHD_HTTP_HEADER_CONTENT_TYPE, response->type);
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        MHD_add_response_header(made, always[i].name, always[i].value);
    return made;
}

static enum MHD_Result queue(const struct listener *listener, struct MHD_Connection *connection,
                             struct MHD_Response *response, enum http_status status)
{
    const struct http_owner *owner = &listener->http->owner;

    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    owner->on_status(owner->context, status);
    return result;
}

/* A refusal of this file's own; `header` may be NULL. */
static enum MHD_Result refuse(const struct listener *listener, struct MHD_Connection *connection,
                              enum http_status status, const char *sentence, const char *header,
                              const char *value)
{
    struct MHD_Response *response =
        make_response(&(struct http_response){.status = status,
                                              .type = "text/plain; charset=utf-8",
                                              .text = sentence,
                                              .length = strlen(sentence)});

    if (response != NULL && header != NULL)
        MHD_add_response_header(response, header, value);
    return queue(listener, connection, response, status);
}

void http_respond(struct http_request *request, const struct http_response *response)
{
    struct listener *listener = request->listener;

    assert(request->is_asked && request->response == NULL);
    request->status = response->status;
    request->response = make_response(response);
    if (!request->is_suspended)
        return; /* answer has not returned yet */
    request->is_suspended = false;
    MHD_resume_connection(request->connection);
    uv_timer_start(&listener->timer, http_on_timer, 0, 0);
}

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* ---- who may ask ---- */

/* Takes the same time wherever the two differ; only another length shows. */
static bool is_same_secret(const char *given, const char *secret)
{
    volatile unsigned char difference = 0; /* not to be left early */
    size_t length = strlen(secret);

    if (strlen(given) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(given[i] ^ secret[i]);
    return difference == 0;
}

static bool has_token(struct MHD_Connection *connection, const char *token)
{
    static const char scheme[] = "Bearer ";
    const char *given =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

    return given != NULL && strncasecmp(given, scheme, strlen(scheme)) == 0 &&
           is_same_secret(given + strlen(scheme), token);
}

/* Copies a Host header without its port, and without the brackets of an IPv6 address. */
static void copy_host(const char *header, char host[HOST_MOST])
{
    bool is_bracketed = header[0] == '[';
    size_t length = is_bracketed ? strcspn(++header, "]") : strcspn(header, ":");

    snprintf(host, HOST_MOST, "%.*s", (int)length, header);
}

static bool names_this_host(struct MHD_Connection *connection)
{
    const char *header =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    char host[HOST_MOST];
    struct in6_addr address;

    if (header == NULL)
        return true; /* HTTP/1.0; no browser */
    copy_host(header, host);
    return strcasecmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &address) == 1 ||
           inet_pton(AF_INET6, host, &address) == 1;
}

static bool has_body(struct MHD_Connection *connection)
{
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return (length != NULL && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/* ---- requests ---- */

/* Refuses a request by its headers; MHD_YES with *passed false: it has its refusal. */
static enum MHD_Result admit(const struct listener *listener, struct MHD_Connection *connection,
                             const char *method, bool *passed)
{
    const char *token = listener->http->owner.token;

    *passed = false;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return refuse(listener, connection, HTTP_BAD_METHOD, "only GET and HEAD are answered\n",
                      MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (!listener->is_unix && token != NULL && !has_token(connection, token))
        return refuse(listener, connection, HTTP_UNAUTHORIZED,
                      "the token of the settings (http_token) is needed: Authorization: Bearer "
                      "TOKEN\n",
                      MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"spacedns\"");
    if (!listener->is_unix && token == NULL && !names_this_host(connection))
        return refuse(listener, connection, HTTP_MISDIRECTED,
                      "without http_token, name this server by its address or as localhost\n", NULL,
                      NULL);
    if (has_body(connection))
        return refuse(listener, connection, HTTP_BAD_REQUEST, "a request here has no body\n", NULL,
                      NULL);
    *passed = true;
    return MHD_YES;
}

static enum MHD_Result begin(struct listener *listener, struct MHD_Connection *connection,
                             const char *method, void **context)
{
    bool passed;
    enum MHD_Result result = admit(listener, connection, method, &passed);

    if (!passed)
        return result;
    struct http_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return MHD_NO;
    *request = (struct http_request){.listener = listener, .connection = connection};
    *context = request;
    return MHD_YES;
}

/* Asks the owner. Returns false when the answer comes later: the connection waits for it. */
static bool ask(struct listener *listener, struct http_request *request, const char *path)
{
    const struct http_owner *owner = &listener->http->owner;

    request->is_asked = true;
    owner->on_request(owner->context, request, path);
    if (request->status != 0)
        return true;
    request->is_suspended = true;
    MHD_suspend_connection(request->connection);
    return false;
}

/*
 * Called with the headers, then with the whole request, and once more when it is resumed. The
 * library wants all these arguments.
 */
// NOLINTNEXTLINE(readability-function-size)
static enum MHD_Result answer(void *own, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *body_length, void **context)
{
    struct listener *listener = own;
    struct http_request *request = *context;

    (void)version;
    (void)body;
    if (request == NULL)
        return begin(listener, connection, method, context);
    if (*body_length > 0)
        return MHD_NO;
    if (!request->is_asked && listener->http->is_closing)
        return refuse(listener, connection, HTTP_UNAVAILABLE, "the server is stopping\n", NULL,
                      NULL);
    if (!request->is_asked && !ask(listener, request, path))
        return MHD_YES;
    struct MHD_Response *response = request->response;
    request->response = NULL;
    return queue(listener, connection, response, (enum http_status)request->status);
}

static void http_on_completed(void *own, struct MHD_Connection *connection, void **context,
                              enum MHD_RequestTerminationCode how)
{
    struct http_request *request = *context;

    (void)own, (void)connection, (void)how;
    if (request == NULL)
        return;
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    free(request);
    *context = NULL;
}

/* Paths are compared as they came: %6d is no other way to write m. */
static size_t keep_escapes(void *own, struct MHD_Connection *connection, char *text)
{
    (void)own, (void)connection;
    return strlen(text);
}

/* ---- open and close ---- */

static struct MHD_Daemon *start_daemon(struct listener *listener)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer, listener,
        MHD_OPTION_LISTEN_SOCKET, listener->descriptor, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)HTTP_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MOST,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)HTTP_PER_CLIENT_MOST,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_OCTETS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, NULL, MHD_OPTION_END);
}

static void close_all(struct http *http);

struct http *http_open(uv_loop_t *loop, const struct http_listener *listeners, size_t count,
                       const struct http_owner *owner, struct err *err)
{
    struct http *http = calloc(1, sizeof *http);

    assert(count <= HTTP_LISTENERS_MOST);
    for (size_t i = 0; http == NULL && i < count; i++)
        close(listeners[i].descriptor);
    if (http == NULL) {
        err_set(err, ERR_MEMORY, "out of memory");
        return NULL;
    }
    *http = (struct http){.loop = loop, .owner = *owner, .count = count};
    bool is_whole = true;
    for (size_t i = 0; i < count; i++) {
        struct listener *listener = &http->listeners[i];
        *listener = (struct listener){
            .http = http, .descriptor = listeners[i].descriptor, .is_unix = listeners[i].is_unix};
        listener->daemon = start_daemon(listener);
        is_whole = is_whole && listener->daemon != NULL;
    }
    if (is_whole)
        return http;
    err_set(err, ERR_SYSTEM,
            "libmicrohttpd cannot serve HTTP; check the limit of file descriptors (ulimit -n)");
    close_all(http);
    free(http);
    return NULL;
}

void http_start(struct http *http)
{
    for (size_t i = 0; i < http->count; i++) {
        struct listener *listener = &http->listeners[i];
        int descriptor = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        uv_timer_init(http->loop, &listener->timer);
        uv_poll_init(http->loop, &listener->poll, descriptor);
        listener->timer.data = listener->poll.data = listener;
        listener->has_handles = true;
        http->open_handles += LISTENER_HANDLES;
        uv_poll_start(&listener->poll, UV_READABLE, http_on_readable);
        pump(listener);
    }
}

int http_descriptor(const struct http *http, size_t listener)
{
    return http->listeners[listener].descriptor;
}

static void http_on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    struct http *http = listener->http;

    if (--http->open_handles == 0)
        free(http);
}

static void close_handles(struct listener *listener)
{
    if (!listener->has_handles)
        return;
    uv_poll_stop(&listener->poll);
    uv_close((uv_handle_t *)&listener->poll, http_on_closed);
    uv_close((uv_handle_t *)&listener->timer, http_on_closed);
}

/* The socket is taken away from the daemon first, which would close it, and with threads shut it
 * down, where another process may listen on it. */
static void close_all(struct http *http)
{
    http->is_closing = true;
    for (size_t i = 0; i < http->count; i++) {
        struct listener *listener = &http->listeners[i];
        if (listener->daemon != NULL) {
            MHD_quiesce_daemon(listener->daemon);
            MHD_run(listener->daemon); /* what was responded just now is sent */
        }
        close_handles(listener); /* before the descriptor that they watch is closed */
        if (listener->daemon != NULL)
            MHD_stop_daemon(listener->daemon);
        close(listener->descriptor);
    }
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    close_all(http);
    if (http->open_handles == 0)
        free(http);
}
