/* A build without libmicrohttpd. */
#include "spacednsd/http.h"

#include <unistd.h>

#include "spacednsd/http_stream.h"

const char *http_library(void)
{
    return NULL;
}

struct http *http_open(uv_loop_t *loop, const struct http_listener *listeners, size_t count,
                       const struct http_owner *owner, struct err *err)
{
    (void)loop, (void)owner;
    for (size_t i = 0; i < count; i++)
        close(listeners[i].descriptor);
    err_set(err, ERR_SYSTEM,
            "this spacednsd is built without libmicrohttpd; set http_listen: none, or build it "
            "with libmicrohttpd-dev");
    return NULL;
}

void http_start(struct http *http)
{
    (void)http;
}

const char *http_header(const struct http_request *request, const char *name)
{
    (void)request, (void)name;
    return NULL;
}

const char *http_query(const struct http_request *request)
{
    (void)request;
    return NULL;
}

void http_respond(struct http_request *request, const struct http_response *response)
{
    (void)request, (void)response;
}

int http_descriptor(const struct http *http, size_t listener)
{
    (void)http, (void)listener;
    return -1;
}

void http_close(struct http *http)
{
    (void)http;
}

struct http_stream *http_stream_begin(struct http_request *request, const char *type,
                                      const struct http_stream_owner *owner)
{
    (void)request, (void)type, (void)owner;
    return NULL;
}

void http_stream_wake(struct http_stream *stream)
{
    (void)stream;
}

bool http_stream_is_gone(const struct http_stream *stream)
{
    (void)stream;
    return true;
}

void http_stream_end(struct http_stream *stream)
{
    (void)stream;
}
