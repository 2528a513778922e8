#include "spacednsd/http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spacednsd/http_admit.h"
#include "spacednsd/http_internal.h"

enum { LISTENER_HANDLES = 2, SENTENCE_MOST = 256, TURNS_AT_END = 4 };

const char *http_library(void)
{
    static char name[64];

    snprintf(name, sizeof name, "libmicrohttpd %s", MHD_get_version());
    return name;
}

/* ---- the loop ---- */

static void http_on_timer(uv_timer_t *timer);

static void pump(struct http_listener_state *listener)
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

void http_wake(struct http_listener_state *listener)
{
    if (listener->has_handles)
        uv_timer_start(&listener->timer, http_on_timer, 0, 0);
}

/* ---- responses ---- */

struct header {
    const char *name, *value;
};

static const struct header of_data[] = {
    {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {NULL, NULL},
};

static const struct header of_pages[] = {
    {MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {NULL, NULL},
};

void http_add_headers(struct MHD_Response *response, const char *type, bool is_page)
{
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    for (const struct header *each = is_page ? of_pages : of_data; each->name != NULL; each++)
        MHD_add_response_header(response, each->name, each->value);
}

static struct MHD_Response *make_response(const struct http_response *response)
{
    struct MHD_Response *made = MHD_create_response_from_buffer(
        response->length, (void *)response->text, MHD_RESPMEM_MUST_COPY);

    if (made != NULL)
        http_add_headers(made, response->type, response->is_page);
    return made;
}

static enum MHD_Result queue(struct http_request *request, struct MHD_Response *response,
                             enum http_status status)
{
    const struct http_owner *owner = &request->listener->http->owner;

    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    owner->on_status(owner->context, status);
    return result;
}

/* A refusal of this file's own. */
static enum MHD_Result refuse(struct http_request *request, const struct http_refusal *refusal)
{
    char text[SENTENCE_MOST];
    int length = snprintf(text, sizeof text, "{\"error\": \"%s\"}\n", refusal->sentence);
    struct MHD_Response *response =
        make_response(&(struct http_response){.status = refusal->status,
                                              .type = "application/json; charset=utf-8",
                                              .text = text,
                                              .length = (size_t)length});

    if (response != NULL && refusal->header != NULL)
        MHD_add_response_header(response, refusal->header, refusal->value);
    return queue(request, response, refusal->status);
}

void http_respond_with(struct http_request *request, enum http_status status,
                       struct MHD_Response *response)
{
    assert(request->is_asked && request->response == NULL && request->status == 0);
    request->status = status;
    request->response = response;
    if (!request->is_suspended)
        return; /* answer has not returned yet */
    request->is_suspended = false;
    MHD_resume_connection(request->connection);
    http_wake(request->listener);
}

void http_respond(struct http_request *request, const struct http_response *response)
{
    http_respond_with(request, response->status, make_response(response));
}

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_query(const struct http_request *request)
{
    return request->query;
}

/* ---- requests ---- */

/* Called with the request line's path and query, before there are headers. NULL: no memory. */
static void *http_on_uri(void *own, const char *uri, struct MHD_Connection *connection)
{
    size_t octets = strlen(uri) + 1;
    struct http_request *request = calloc(1, sizeof *request + octets);

    if (request == NULL)
        return NULL;
    request->listener = own;
    request->connection = connection;
    memcpy(request->uri, uri, octets);
    if (!http_connection_hold(connection, request)) {
        free(request);
        return NULL;
    }
    char *question = strchr(request->uri, '?');
    if (question != NULL) {
        *question = '\0';
        request->query = question + 1;
    }
    return request;
}

/* Refuses a request by its headers, or lets it pass. */
static enum MHD_Result begin(struct http_request *request, const char *version, const char *method)
{
    const struct http_owner *owner = &request->listener->http->owner;
    const struct http_asking asking = {
        .version = version,
        .method = method,
        .host = http_header(request, MHD_HTTP_HEADER_HOST),
        .authorization = http_header(request, MHD_HTTP_HEADER_AUTHORIZATION),
        .content_length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH),
        .transfer_encoding = http_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING),
        .is_unix = request->listener->is_unix,
        .is_public = owner->is_public(request->uri)};
    const struct http_refusal *refusal = http_admit(&asking, owner->token);

    request->is_begun = true;
    return refusal == NULL ? MHD_YES : refuse(request, refusal);
}

/* Asks the owner. Returns false when the answer comes later: the connection waits for it. */
static bool ask(struct http_request *request)
{
    const struct http_owner *owner = &request->listener->http->owner;

    request->is_asked = true;
    owner->on_request(owner->context, request, request->uri);
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
    static const struct http_refusal stopping = {.status = HTTP_UNAVAILABLE,
                                                 .sentence = "the server is stopping"};
    struct http_request *request = *context;

    (void)own, (void)connection, (void)path, (void)body;
    if (request == NULL)
        return MHD_NO;
    if (!request->is_begun)
        return begin(request, version, method);
    if (*body_length > 0)
        return MHD_NO;
    if (!request->is_asked && request->listener->http->is_closing)
        return refuse(request, &stopping);
    if (!request->is_asked && !ask(request))
        return MHD_YES;
    struct MHD_Response *response = request->response;
    request->response = NULL;
    return queue(request, response, (enum http_status)request->status);
}

void http_request_free(struct http_request *request)
{
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    free(request);
}

static void http_on_completed(void *own, struct MHD_Connection *connection, void **context,
                              enum MHD_RequestTerminationCode how)
{
    (void)own;
    http_connection_note(connection, how);
    *context = NULL;
}

/* Paths are compared as they came: %6d is no other way to write m. */
static size_t keep_escapes(void *own, struct MHD_Connection *connection, char *text)
{
    (void)own, (void)connection;
    return strlen(text);
}

/* ---- open and close ---- */

static struct MHD_Daemon *start_daemon(struct http_listener_state *listener)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, http_on_accept, listener, answer, listener,
        MHD_OPTION_LISTEN_SOCKET, listener->descriptor, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)HTTP_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MOST,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_OCTETS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, http_on_uri, listener, MHD_OPTION_NOTIFY_COMPLETED,
        http_on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, listener,
        MHD_OPTION_END);
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
        struct http_listener_state *listener = &http->listeners[i];
        *listener = (struct http_listener_state){
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
        struct http_listener_state *listener = &http->listeners[i];
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
    struct http_listener_state *listener = handle->data;
    struct http *http = listener->http;

    if (--http->open_handles == 0)
        free(http);
}

static void close_handles(struct http_listener_state *listener)
{
    if (!listener->has_handles)
        return;
    uv_poll_stop(&listener->poll);
    uv_close((uv_handle_t *)&listener->poll, http_on_closed);
    uv_close((uv_handle_t *)&listener->timer, http_on_closed);
}

/* What was responded just now is sent, and streams are ended, as far as clients take it at once. */
static void finish_responses(struct MHD_Daemon *daemon)
{
    for (unsigned i = 0; i < TURNS_AT_END; i++)
        MHD_run(daemon);
}

/* The socket is taken away from the daemon first, which would close it, and with threads shut it
 * down, where another process may listen on it. */
static void close_all(struct http *http)
{
    http->is_closing = true;
    http_streams_end(http);
    for (size_t i = 0; i < http->count; i++) {
        struct http_listener_state *listener = &http->listeners[i];
        if (listener->daemon != NULL) {
            MHD_quiesce_daemon(listener->daemon);
            finish_responses(listener->daemon);
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
