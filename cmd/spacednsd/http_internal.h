#pragma once
/**
 * What the files about libmicrohttpd share: http.c (requests), http_connection.c (who is connected,
 * and how it ended), http_stream.c (responses that go on).
 *
 * Threads: the loop's.  Memory: http.h.
 */
#include <microhttpd.h>

#include "base/endpoint.h"
#include "spacednsd/http.h"
#include "spacednsd/http_stream.h"

struct http_listener_state {
    struct http *http;
    struct MHD_Daemon *daemon;
    int descriptor;
    bool is_unix;
    uv_poll_t poll; /* of all that the daemon watches */
    uv_timer_t timer;
    bool has_handles;
    struct http_connection *connections;
};

struct http {
    uv_loop_t *loop;
    struct http_owner owner;
    struct http_listener_state listeners[HTTP_LISTENERS_MOST];
    size_t count;
    size_t open_handles;
    bool is_closing; /* the owner is asked no more */
    struct http_stream *streams;
};

struct http_request {
    struct http_listener_state *listener;
    struct MHD_Connection *connection;
    struct MHD_Response *response; /* made, and not queued yet */
    unsigned status;
    bool is_begun;     /* it has passed */
    bool is_asked;     /* the owner has it, or had it */
    bool is_suspended; /* until the owner responds */
    char *query;       /* NULL: none */
    char uri[];        /* as on the request line, ended at its `?` */
};

/* ---- http.c ---- */

/** Lets the library go on, in the loop's next turn. */
void http_wake(struct http_listener_state *listener);

/** Adds the headers that every response has. */
void http_add_headers(struct MHD_Response *response, const char *type, bool is_page);

/** Responds with a response that has been made; NULL: without memory. */
void http_respond_with(struct http_request *request, enum http_status status,
                       struct MHD_Response *response);

/** Frees a request that is over. */
void http_request_free(struct http_request *request);

/* ---- http_connection.c ---- */

/** For MHD_start_daemon: refuses a client that has its share of connections. */
enum MHD_Result http_on_accept(void *listener, const struct sockaddr *address, socklen_t octets);

/** For MHD_OPTION_NOTIFY_CONNECTION. */
void http_on_connection(void *listener, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code);

/**
 * Takes over the connection's request, which is freed when it is over, or with the connection: the
 * library forgets some that it refuses. Returns false without memory for the connection.
 */
bool http_connection_hold(struct MHD_Connection *connection, struct http_request *request);

/** The request is over. */
void http_connection_note(struct MHD_Connection *connection, enum MHD_RequestTerminationCode how);

/* ---- http_stream.c ---- */

/** Ends all streams: the server closes HTTP. */
void http_streams_end(struct http *http);
