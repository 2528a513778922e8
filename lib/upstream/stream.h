#pragma once
/**
 * A connection to one server over TCP or TLS, shared by the questions to that server.
 *
 *               first question                TCP, TLS done
 *     closed ───────────────────► opening ──────────────────► open
 *       ▲  ▲                        │                          │
 *       │  └──(refused, TLS failed, 2 s: all questions fail)───┤
 *       └──(10 s without a question, closed by the server, 10 s without a response)
 *
 * Questions are written as they come, and responses are accepted in any order. A server may close a
 * connection just when a question is being sent. So when a connection is closed on which responses
 * came, its open questions are sent once more over a new one (RFC 7766 section 6.2.4). When a
 * connection times out, only the older questions fail: those younger than STREAM_YOUNG_MS are sent
 * once more, too.
 *
 * A question without an answer may be slow, or the connection may be dead; the two look the same.
 * So a connection with open questions on which nothing has come for STREAM_DOUBT_MS is doubtful:
 * its questions wait for as long as an answer is of use, and new questions should go over another
 * connection (sockets.h).
 *
 * stream_send and stream_forget never call the listener: failures they find are notified by the
 * next stream_turn.
 *
 * Sources: RFC 7766; RFC 7858.
 * Threads: one worker's.  Time: milliseconds, monotonic, an argument.  Memory: an output buffer
 * while it is open, and those of stream_query.h, frame.h and tls.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "config/upstream.h"
#include "forward/link.h"
#include "stats/stats.h"
#include "upstream/dot.h"
#include "upstream/frame.h"
#include "upstream/stream_query.h"

enum {
    STREAM_IDLE_MS = 10000,
    STREAM_OPENING_MS = 2000, /* until TCP and TLS are done */
    STREAM_DOUBT_MS = 500,
    STREAM_YOUNG_MS = 1000,   /* younger questions do not fail with a connection that times out */
    STREAM_SILENT_MS = 10000, /* as long as an answer is of use */
    STREAM_TICK_MS = 500,
    STREAM_LOG_INTERVAL_MS = 30000, /* between two events about one server's TLS */
    STREAM_WIRE_OCTETS = 65536,
    STREAM_PLAIN_OCTETS = 16384, /* of one TLS record */
    STREAM_OUTPUT_OCTETS = 32768,
};

/** What all streams of a worker share. */
struct stream_home {
    int epoll;
    uint32_t generation; /* of the last descriptor watched */
    struct random_source random;
    struct link_listener listener;
    struct stats *stats;
    uint8_t *wire;  /* STREAM_WIRE_OCTETS, for octets read */
    uint8_t *plain; /* STREAM_PLAIN_OCTETS, for octets decrypted */
};

enum stream_state { STREAM_CLOSED, STREAM_CONNECTING, STREAM_SHAKING, STREAM_OPEN };

struct stream {
    struct stream_home *home;
    const struct upstream *server;
    struct tls *tls; /* NULL: plain TCP */
    uint32_t slot;   /* the lower half of `event` */
    enum stream_state state;
    bool is_due;        /* stream_turn has something to do */
    bool has_worked;    /* a response has come over this connection */
    int descriptor;     /* -1: closed */
    uint64_t event;     /* epoll's data for this connection; 0: closed */
    uint32_t watched;   /* the events that epoll watches for */
    uint64_t opened_ms; /* when connect was called */
    uint64_t asked_ms;  /* when the last question came */
    uint64_t quiet_ms;  /* since when questions are open and nothing has come; 0: none is open */
    struct stream_queries stream_queries;
    struct frames frames;
    uint8_t *output;
    uint32_t unsent; /* unsent output begins here ... */
    uint32_t unsent_end;
    bool has_logged; /* a TLS failure, since TLS last worked */
    uint64_t logged_ms;
};

/** `server` is borrowed; `trust` is for a server that speaks TLS. Returns false without memory. */
bool stream_init(struct stream *stream, struct stream_home *home, const struct upstream *server,
                 struct tls_trust *trust, uint32_t slot);

/** Closes the connection and drops every question without notifying the listener. */
void stream_close(struct stream *stream);

/** Adds a question. Returns NULL for lack of descriptors, memory or room. */
struct stream_query *stream_send(struct stream *stream, link_ticket ticket, const uint8_t *query,
                                 size_t length, uint64_t now_ms);

/** True when questions are open and nothing has come for STREAM_DOUBT_MS. */
static inline bool stream_is_doubtful(const struct stream *stream, uint64_t now_ms)
{
    return stream->quiet_ms != 0 && now_ms - stream->quiet_ms >= STREAM_DOUBT_MS;
}

/**
 * Gives up a doubtful connection early, so that another can be opened. Open questions are sent once
 * more over a new one if this one has worked or they are young; the others fail in the next
 * stream_turn.
 */
void stream_give_up(struct stream *stream, uint64_t now_ms);

/** Ends a question that has not failed. */
void stream_forget(struct stream *stream, struct stream_query *stream_query);

/** Handles epoll's events. */
void stream_on_events(struct stream *stream, uint32_t events, uint64_t now_ms);

/** Writes unsent questions and notifies failures; to be called soon after is_due is set. */
void stream_turn(struct stream *stream, uint64_t now_ms);

/** Handles timeouts; to be called every STREAM_TICK_MS while open. */
void stream_tick(struct stream *stream, uint64_t now_ms);

/** Returns epoll's data for a new descriptor, unlike that of any other watched recently. */
static inline uint64_t stream_home_event(struct stream_home *home, uint32_t slot)
{
    home->generation++;
    return (uint64_t)home->generation << 32 | slot;
}

/** Maps an errno to the failure of an attempt. */
enum link_failure link_failure_of(int error);
