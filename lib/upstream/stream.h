#pragma once
/**
 * One server's connection over TCP or TLS, shared by all questions to that server.
 *
 *               first question                TCP, TLS done
 *     closed ───────────────────► opening ──────────────────► open
 *       ▲  ▲                        │                          │
 *       │  └──(refused, TLS failed, 2 s: all questions fail)───┤
 *       └──(10 s without a question, closed by the server, 10 s without a response)
 *
 * Questions are written as they come and responses taken in any order. A server may close a
 * connection just when a question is on its way; so when a connection on which responses came is
 * closed, what was under way is asked once more over a new one (RFC 7766 section 6.2.4). One that
 * is given up for want of time takes only those along that have waited: a question younger than
 * STREAM_YOUNG_MS is asked once more, too.
 *
 * A question may simply be slow to answer, or the connection may have died without a word; nothing
 * tells one from the other. So a connection from which nothing has come for STREAM_DOUBT_MS, with
 * questions out, is doubtful: it is waited for as long as an answer is of use, and new questions
 * are better asked over other ones (sockets.h).
 *
 * Nothing is told to the listener by stream_send and stream_forget: what they find out is told by
 * the next stream_turn.
 *
 * Sources: RFC 7766; RFC 7858.
 * Threads: one worker's.  Time: milliseconds, monotonic, handed in.  Memory: a buffer for what is
 * to be written while it is open, stream_query.h's, frame.h's and tls.h's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "config/upstream.h"
#include "forward/link.h"
#include "stats/stats.h"
#include "upstream/frame.h"
#include "upstream/stream_query.h"
#include "upstream/tls.h"

enum {
    STREAM_IDLE_MS = 10000,
    STREAM_OPENING_MS = 2000, /* until TCP and TLS are done */
    STREAM_DOUBT_MS = 500,
    STREAM_YOUNG_MS = 1000,   /* not failed with those that waited longer */
    STREAM_SILENT_MS = 10000, /* as long as an answer is of use */
    STREAM_TICK_MS = 500,
    STREAM_TELL_MS = 30000, /* between two lines about one server's TLS */
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
    uint8_t *wire;  /* STREAM_WIRE_OCTETS, for what is read */
    uint8_t *plain; /* STREAM_PLAIN_OCTETS, for what TLS makes of it */
};

enum stream_state { STREAM_CLOSED, STREAM_CONNECTING, STREAM_SHAKING, STREAM_OPEN };

struct stream {
    struct stream_home *home;
    const struct upstream *server;
    struct tls *tls; /* NULL: plain TCP */
    uint32_t slot;   /* the lower half of what epoll hands back */
    enum stream_state state;
    bool is_due;        /* stream_turn has something to do */
    bool has_worked;    /* a response has come over this connection */
    int descriptor;     /* -1: closed */
    uint64_t event;     /* as epoll hands it back for this connection; 0: closed */
    uint32_t watched;   /* for what epoll watches */
    uint64_t opened_ms; /* when this connection was begun */
    uint64_t asked_ms;  /* when the last question came */
    uint64_t quiet_ms;  /* since when a question is out and nothing has come; 0: none is */
    struct stream_queries stream_queries;
    struct frames frames;
    uint8_t *output;
    uint32_t unsent; /* output from here ... */
    uint32_t unsent_end;
    bool has_notified; /* that TLS fails, since it last went well */
    uint64_t notified_ms;
};

/** `server` is borrowed; `trust` is for a server that speaks TLS. Returns false without memory. */
bool stream_init(struct stream *stream, struct stream_home *home, const struct upstream *server,
                 struct tls_trust *trust, uint32_t slot);

/** Closes the connection and forgets every question; nobody is told. */
void stream_close(struct stream *stream);

/** Takes a question in. Returns NULL for want of descriptors, memory or room. */
struct stream_query *stream_send(struct stream *stream, link_ticket ticket, const uint8_t *query,
                                 size_t length, uint64_t now_ms);

/** True when questions are out and nothing has come for STREAM_DOUBT_MS. */
static inline bool stream_is_doubtful(const struct stream *stream, uint64_t now_ms)
{
    return stream->quiet_ms != 0 && now_ms - stream->quiet_ms >= STREAM_DOUBT_MS;
}

/**
 * Gives up a doubtful connection before its time, so that another can be opened: what was under way
 * on one that has worked, and what is young, is asked once more over a new one; the rest fails in
 * the next stream_turn.
 */
void stream_give_up(struct stream *stream, uint64_t now_ms);

/** Ends a question that has not failed. */
void stream_forget(struct stream *stream, struct stream_query *stream_query);

/** Epoll has something to say. */
void stream_on_events(struct stream *stream, uint32_t events, uint64_t now_ms);

/** Writes what is unsent and tells of what has failed; soon after is_due is set. */
void stream_turn(struct stream *stream, uint64_t now_ms);

/** Looks after time; every STREAM_TICK_MS while open. */
void stream_tick(struct stream *stream, uint64_t now_ms);

/** What epoll hands back, unlike that of any other descriptor watched at about the same time. */
static inline uint64_t stream_home_event(struct stream_home *home, uint32_t slot)
{
    home->generation++;
    return (uint64_t)home->generation << 32 | slot;
}

/** What an error of the system means for an attempt. */
enum link_failure link_failure_of(int error);
