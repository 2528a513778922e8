#pragma once
/**
 * Responses that go on: octets are sent as they come, until either side ends it.
 *
 *     http_stream_begin ─► fill ... nothing more ─► waits ─► http_stream_wake ─► fill ─► ...
 *                                                     └─► http_stream_end, http_close ─► on_end
 *                           the client goes, or reads nothing for HTTP_TIMEOUT_S ───────► on_end
 *
 * A stream that waits for its owner has no time limit; one that waits for its client has that of
 * every connection. What a client has not read is bounded by HTTP_STREAM_SENT_OCTETS in the kernel,
 * besides what the owner keeps. That a client has gone is noticed when something is sent, or asked
 * for with http_stream_is_gone.
 *
 * Threads: the loop's.  Memory: until on_end.
 */
#include "spacednsd/http.h"

enum { HTTP_STREAM_SENT_OCTETS = 65536 };

struct http_stream;

struct http_stream_owner {
    /** Fills in what there is. Returns its octets, `room` at most; 0: nothing until it is woken. */
    size_t (*fill)(void *context, char *to, size_t room);

    /** It has ended, and the handle is gone. */
    void (*on_end)(void *context);
    void *context;
};

/** Responds 200 with a stream; lets go of the request. Returns NULL without memory. */
struct http_stream *http_stream_begin(struct http_request *request, const char *type,
                                      const struct http_stream_owner *owner);

/** There is something to fill in. */
void http_stream_wake(struct http_stream *stream);

/** True when its client has closed the connection, or its half of it. */
bool http_stream_is_gone(const struct http_stream *stream);

/** Ends it behind what has been filled in; on_end follows. */
void http_stream_end(struct http_stream *stream);
