#pragma once
/**
 * HTTP over sockets that listen, by libmicrohttpd on a loop of libuv: no thread of its own.
 *
 *     open ─► start ─► on_request ─► ... owner ... ─► http_respond ─► sent ─► closed, or the next
 *      (the sockets are there)          no limit                10 s
 *
 * Only what this server needs: GET and HEAD (405 for others), paths that are compared as they
 * stand on the request line, without a body, and the whole response at once. Nothing waits for a
 * client: one that sends or reads nothing for HTTP_TIMEOUT_S is disconnected. A connection's memory
 * is bounded, so that long headers get 431 and long paths 414, and so are the connections: beyond
 * them a client waits in the queue of the socket, and one client has a share of them only.
 *
 * With a token, requests over TCP must bring it (RFC 6750), else they get 401. Without one, the
 * server listens on loopback alone, and a request must name this host by address or as localhost
 * (421): a page in a browser may else read from here by a name that it leads to loopback.
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

struct http_owner {
    const char *token; /* borrowed; NULL: none is needed */
    http_on_request *on_request;
    http_on_status *on_status;
    void *context;
};

/** What a request gets. */
struct http_response {
    enum http_status status;
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

/** Responds, and lets go of the request. Without memory the connection is closed. */
void http_respond(struct http_request *request, const struct http_response *response);

/** The descriptor of a listener, for another process. */
int http_descriptor(const struct http *http, size_t listener);

/** Closes all connections and the sockets; the loop frees the rest. NULL is allowed. */
void http_close(struct http *http);
