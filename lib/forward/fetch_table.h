#pragma once
/**
 * The fetch table: the questions that are being asked of upstreams.
 *
 *     ask ──► queued ──(turn)──► asked ──(matching response)──────────────────► done
 *                                  │ retry due: another server too      ▲   ▲
 *                                  │ TC: the same server over TCP       │   │
 *                                  │ error code: the next server        │   │
 *                                  ├─(no server left to ask)────────────┘   │
 *                                  └─(last waiter times out)─► lingering ───┘
 *
 *     ms    0      250    1000    1800      2500      4500                10000
 *           send   retry  retry   waiters   retry     waiters without     the fetch
 *                                 with a    (last)    a stale answer      ends
 *                                 stale               get a failure
 *                                 answer get it
 *
 * Equal questions share one fetch, and all its waiters get the same response. A fetch has up to
 * FETCH_ATTEMPTS attempts open at once, spread over the servers. Each has its own id and, over UDP,
 * its own port. The first good response ends them all. Mismatched responses are counted and
 * otherwise ignored; after FETCH_MISMATCHED_MOST of them the UDP socket is closed and the question
 * is asked over TCP, which limits guessing (RFC 5452 section 9).
 *
 * Each waiter has its own timeout, counted from its arrival. When it expires, the waiter gets a
 * failure. A fetch without waiters lingers: a late answer is still accepted and goes into the
 * cache. An equal question that arrives meanwhile joins the fetch and has it sent once more. If
 * there are waiters at the end of the window, the question is asked anew. A lingering fetch
 * reserves no slot, no socket and no room on a connection: the oldest is dropped when another
 * fetch needs its resources. A repeated query is dropped, too, when a new question finds no socket.
 *
 * A query counts in the share that one of the fetch's waiters has of the connections to its server
 * (server_streams.h): the first query in that of the first waiter, and each further one in that of
 * another client, if one waits. So whoever joins the fetch of a client that has used up its share
 * does not stay behind that client's questions.
 *
 * A question with waiters is not sent to a failing server (standing.h). When the last server of its
 * zone becomes failing, its waiters get a failure at once. Probes have slots of their own.
 *
 * Only fetch_table_turn sends new questions, at most FETCH_SENDS_PER_TURN at a time: a flood of new
 * names does not delay answers from the cache.
 *
 * All sizes are fixed: a full pool refuses.
 *
 * Sources: RFC 5452; RFC 5625; RFC 7766 section 5 (TC); RFC 8767 section 5 (1.8 s); RFC 9520
 * section 3. Stub resolvers wait for 5 s before they ask again (resolv.conf(5)).
 * Threads: one worker's.  Memory: everything in fetch_table_new.  Time: milliseconds, monotonic.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "forward/link.h"
#include "forward/resolver.h"
#include "forward/response.h"
#include "stats/stats.h"

enum {
    FETCH_RETRIES = 3,
    FETCH_ATTEMPTS = 1 + FETCH_RETRIES, /* open at once: descriptors of one fetch */
    FETCH_STALE_MS = 1800,              /* a waiter's timeout when a stale answer is cached */
    FETCH_PATIENCE_MS = 4500,           /* ... and when none is */
    FETCH_WINDOW_MS = 10000,            /* how long a fetch accepts responses */
    FETCH_AGAIN_MS = 2000,         /* between queries for waiters that join after the last retry */
    FETCH_PROBES = RESOLVERS_MOST, /* at most open */
    FETCH_MISMATCHED_MOST = 16,
    FETCH_SENDS_PER_TURN = 8,
    FETCH_TICK_MS = 25,
};

/** Why there is no answer. */
enum forward_failure {
    FORWARD_NO_FAILURE,
    FORWARD_SILENT,      /* no reply within the timeout */
    FORWARD_FAILING,     /* every server of the zone is failing */
    FORWARD_UNREACHABLE, /* no route */
    FORWARD_CLOSED,      /* the port is closed */
    FORWARD_TLS,
    /* The same over TCP, which is used when an answer does not fit into UDP. */
    FORWARD_TCP_SILENT,
    FORWARD_TCP_UNREACHABLE, /* no connection, or a broken one */
    FORWARD_TCP_CLOSED,
    /* A server's response code, and nothing better from the others. */
    FORWARD_SERVFAIL,
    FORWARD_FORMERR,
    FORWARD_NOTIMP,
    FORWARD_REFUSED,
    FORWARD_ERROR, /* any other */
    FORWARD_MALFORMED,
    FORWARD_STOPPING, /* this server is stopping */
    FORWARD_FULL,     /* too many fetches, or no descriptors */
};

/** True for a response code that a server sent. */
static inline bool forward_failure_is_code(enum forward_failure failure)
{
    return failure >= FORWARD_SERVFAIL && failure <= FORWARD_ERROR;
}

/** A request that waits for a fetch; embedded in the caller's own struct. */
struct waiter {
    struct waiter *next;
    uint64_t until_ms; /* its deadline; fetch_table_ask sets it */
    uint64_t client;   /* who waits: any number, equal for one client; the caller sets it */
};

/** How a fetch ended, or how it failed for some of its waiters. */
struct fetch_outcome {
    const struct question *question; /* good until the listener returns */
    uint8_t route;
    const struct response *response; /* NULL, or good until the listener returns */
    enum forward_failure failure;    /* FORWARD_ERROR may have a response: SERVFAIL and its EDE */
    bool is_again;                   /* the fetch goes on, and failed for other waiters before */
    uint8_t server; /* that answered or failed last; all failing: the first; none: RESOLVER_NONE */
    struct waiter *waiters; /* in order of arrival; NULL: none */
};

/** Called once the table has let go of these waiters: the question may be asked again from here. */
typedef void fetch_table_on_outcome(void *context, const struct fetch_outcome *outcome);

struct fetch_table_options {
    struct resolver *servers; /* by the link's numbers */
    const struct resolver_set *routes;
    struct standings *standings; /* of these servers; borrowed */
    struct link *link;           /* with room for fetch_tickets(questions) */
    struct stats *stats;
    size_t questions; /* fetches at most */
    bool mixes_case;  /* 0x20: random case in the question's letters */
    fetch_table_on_outcome *on_outcome;
    void *context;
};

struct fetch_table;

/** How the server at an index of a route was used since the table is there. */
struct resolver_use fetch_table_use(const struct fetch_table *table, uint8_t route, uint8_t index);

/** The number of tickets for so many questions, and so of descriptors at most. */
static inline size_t fetch_tickets(size_t questions)
{
    return (questions + FETCH_PROBES) * FETCH_ATTEMPTS;
}

/** Returns NULL with *err. */
struct fetch_table *fetch_table_new(const struct fetch_table_options *options, struct err *err);

/** Ends every attempt without notifying the waiters. NULL is allowed. */
void fetch_table_free(struct fetch_table *table);

/**
 * Starts a fetch of the question, or joins the one that is open. The table holds the waiter until
 * on_outcome returns it, `patience_ms` later at most; NULL for a refresh. Returns false, without
 * holding the waiter, when the pool is full. A refresh is refused when the pool is half full.
 */
bool fetch_table_ask(struct fetch_table *table, const struct question *question, uint8_t route,
                     struct waiter *waiter, uint32_t patience_ms);

/**
 * Sends the question to a failing server, if a trial is due; every server of the route is failing.
 * The fetch has no waiters. No reply means nothing; a reply shows that the server is up.
 */
void fetch_table_try(struct fetch_table *table, const struct question *question, uint8_t route);

/** True when an open fetch of the question can be joined. */
bool fetch_table_has(const struct fetch_table *table, const struct question *question);

/** Sends queued questions, FETCH_SENDS_PER_TURN at most. Returns true when more are queued. */
bool fetch_table_turn(struct fetch_table *table, uint64_t now_ms);

/** Handles deadlines and probes; to be called every FETCH_TICK_MS while fetch_table_is_busy. */
void fetch_table_tick(struct fetch_table *table, uint64_t now_ms);

/** Sets the time for the questions and responses that follow. */
void fetch_table_set_time(struct fetch_table *table, uint64_t now_ms);

/** The number of fetches queued, asked or lingering, probes included. */
size_t fetch_table_count(const struct fetch_table *table);

/** The number of fetches that can still be added. */
size_t fetch_table_room(const struct fetch_table *table);

/** True when some fetch has a waiter. */
bool fetch_table_has_waiters(const struct fetch_table *table);

/** True when ticks are needed: a fetch is open, or a server is to be probed. */
bool fetch_table_is_busy(const struct fetch_table *table);

/**
 * Ends every fetch as FORWARD_STOPPING, so that no waiter is left, and accepts no more; for a
 * worker that stops or switches to other servers.
 */
void fetch_table_end_all(struct fetch_table *table);
