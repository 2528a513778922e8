#pragma once
/**
 * HTTP over sockets that listen, by libmicrohttpd on a loop of libuv: no thread of its own.
 *
 *     open ─► start ─► on_request ─► ... owner ... ─► http_respond ─► sent ─► closed, or the next
 *      (the sockets are there)          no limit                10 s
 *
 * Only what this server needs: requests that http_admit.h lets pass, with paths and queries as they
 * stand on the request line, and the whole response at once or a stream (http_stream.h). Nothing
 * waits for a client: one that sends or reads nothing for HTTP_TIMEOUT_S is disconnected. A
 * connection's memory is bounded, so that long headers get 431 and long paths 414 of the library,
 * and so are the connections: beyond them a client waits in the queue of the socket, and one client
 * has a share of them only. How each connection ends is counted.
 *
 * Without libmicrohttpd (without/http.c) http_open fails, and http_library returns NULL.
 *
 * Sources: RFC 9110, RFC 9112; libmicrohttpd(3), external event loop.
 * Threads: the loop's; the process ignores SIGPIPE.
 * Memory: per connection; a request belongs to its connection, and to the owner until it responds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

enum {
    HTTP_LISTENERS_MOST = 8,
    HTTP_CONNECTIONS_MOST = 64, /* of one listener */
    HTTP_PER_CLIENT_MOST = 32,  /* of one address */
    HTTP_CONNECTION_OCTETS = 16384,
    HTTP_TIMEOUT_S = 10,
};

/** How a connection has ended. */
enum http_end {
    HTTP_END_DONE,    /* every request got its response */
    HTTP_END_REFUSED, /* what came was no HTTP, or longer than its bounds */
    HTTP_END_TIMEOUT, /* the client sent or read nothing for HTTP_TIMEOUT_S */
    HTTP_END_CLIENT,  /* the client left before its response, or amid it */
    HTTP_END_LIMIT,   /* the client had HTTP_PER_CLIENT_MOST of them already */
    HTTP_END_SERVER,  /* the server stopped, or had no memory */
    HTTP_ENDS
};

/** The codes of responses. */
enum http_status {
    HTTP_OK = 200,
    HTTP_BAD_REQUEST = 400,
    HTTP_UNAUTHORIZED = 401,
    HTTP_NOT_FOUND = 404,
    HTTP_BAD_METHOD = 405,
    HTTP_MISDIRECTED = 421,
    HTTP_UNAVAILABLE = 503,
};

struct http;
struct http_request;

/** A listening socket, taken over. */
struct http_listener {
    int descriptor;
    bool is_unix; /* its clients need no token */
};

/** Called for each request that passes; the owner responds now or later, before http_close. */
typedef void http_on_request(void *context, struct http_request *request, const char *path);

/** Called for each response, also those that the owner does not make. */
typedef void http_on_status(void *context, enum http_status status);

/** Called for each connection that has ended. */
typedef void http_on_end(void *context, enum http_end end);

struct http_owner {
    const char *token; /* borrowed; NULL: none is needed */
    http_on_request *on_request;
    http_on_status *on_status;
    http_on_end *on_end;
    bool (*is_public)(const char *path); /* it needs no token */
    void *context;
};

/** What a request gets. */
struct http_response {
    enum http_status status;
    bool is_page;     /* for a browser to show, with its style and its script */
    const char *type; /* Content-Type */
    const char *text; /* copied */
    size_t length;
};

/** The library's name and version; NULL: this build has none. */
const char *http_library(void);

/**
 * Takes the sockets over, which listen; nothing is accepted before http_start. Returns NULL with
 * *err, and the sockets closed.
 */
struct http *http_open(uv_loop_t *loop, const struct http_listener *listeners, size_t count,
                       const struct http_owner *owner, struct err *err);

/** Accepts connections from now on. */
void http_start(struct http *http);

/** A header of the request, without its name; NULL: it has none. */
const char *http_header(const struct http_request *request, const char *name);

/** What stands behind the `?` of the request line, as it stands; NULL: there is none. */
const char *http_query(const struct http_request *request);

/** Responds, and lets go of the request. Without memory the connection is closed. */
void http_respond(struct http_request *request, const struct http_response *response);

/** The descriptor of a listener, for another process. */
int http_descriptor(const struct http *http, size_t listener);

/** Closes all connections and the sockets; the loop frees the rest. NULL is allowed. */
void http_close(struct http *http);
