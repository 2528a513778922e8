#pragma once
/**
 * Questions on their way: joined, sent, sent again, settled.
 *
 *     ask ──► queued ──(turn)──► asked ──(response that matches)──────────────► over
 *                                  │ retry due: another server too      ▲   ▲
 *                                  │ TC: the same server over TCP       │   │
 *                                  │ error code: the next server        │   │
 *                                  ├─(nobody left to ask)───────────────┘   │
 *                                  └─(patience over)──► lingering ──────────┘
 *
 *     ms    0      250    1000    1800      2500      4500                10000
 *           send   retry  retry   stale at  retry     failure, when       nothing is
 *                                 hand: it  (last)    nothing is at       waited for
 *                                 goes out            hand                any more
 *
 * Equal questions are joined: who asks what is already on its way waits for the same response. A
 * question has up to FETCH_ATTEMPTS attempts under way at once, each with an id and, over UDP, a
 * port of its own, spread over the servers; the first good response ends all. Wrong responses are
 * counted and otherwise ignored; a socket that gets FETCH_FOREIGN_MOST of them is given up and
 * the question asked over TCP, so that guessing has an end (RFC 5452 section 9).
 *
 * Each who waits has a patience of his own, from when he came. When it is over he is told of a
 * failure, and his question lingers: it is waited for on, since a slow answer is an answer, and
 * what comes is settled for nobody, to be kept. Who asks the same meanwhile joins it, and has it
 * sent once more. At the end of the window those who still wait have their question asked anew.
 * What lingers holds no place, no socket and no room on a connection: the oldest goes when another
 * question needs its. So does a repeated query when a new question has no socket else.
 *
 * A question that somebody waits for is not sent to a failing server (standing.h). When the last
 * server of its zone becomes failing, those who wait are told at once. Probes have places of their
 * own.
 *
 * New questions are sent by fetch_table_turn only, at most FETCH_SENDS_PER_TURN at a time: whoever
 * floods the server with new names never delays answers that are at hand.
 *
 * Everything is of fixed size: a full pool refuses.
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
    FETCH_ATTEMPTS = 1 + FETCH_RETRIES, /* open at once: descriptors of one question */
    FETCH_STALE_MS = 1800,              /* patience of those for whom something is at hand */
    FETCH_PATIENCE_MS = 4500,           /* of the others */
    FETCH_WINDOW_MS = 10000,            /* how long a question is listened for */
    FETCH_AGAIN_MS = 2000, /* between queries for those who join what was sent often enough */
    FETCH_PROBES = RESOLVERS_MOST, /* at most on their way */
    FETCH_FOREIGN_MOST = 16,
    FETCH_SENDS_PER_TURN = 32,
    FETCH_TICK_MS = 25,
};

/** Why there is no answer. */
enum forward_failure {
    FORWARD_NO_FAILURE,
    FORWARD_SILENT,      /* no reply within the patience */
    FORWARD_FAILING,     /* every server of the zone is failing */
    FORWARD_UNREACHABLE, /* no route */
    FORWARD_CLOSED,      /* nobody listens at the port */
    FORWARD_TLS,
    /* The same over TCP, which is asked when an answer has no room in UDP. */
    FORWARD_TCP_SILENT,
    FORWARD_TCP_UNREACHABLE, /* no connection, or a broken one */
    FORWARD_TCP_CLOSED,
    /* A code from a server, and nothing better from the others. */
    FORWARD_SERVFAIL,
    FORWARD_FORMERR,
    FORWARD_NOTIMP,
    FORWARD_REFUSED,
    FORWARD_ERROR, /* any other */
    FORWARD_MALFORMED,
    FORWARD_STOPPING, /* this server is */
    FORWARD_FULL,     /* too many questions on their way, or no descriptors */
};

/** True for a code that a server answered with. */
static inline bool forward_failure_is_code(enum forward_failure failure)
{
    return failure >= FORWARD_SERVFAIL && failure <= FORWARD_ERROR;
}

/** One who waits; embedded in what the caller keeps for him. */
struct waiter {
    struct waiter *next;
    uint64_t until_ms; /* his patience; fetch_table_ask sets it */
};

/** What becomes of those who wait for a question, or of one that nobody waits for. */
struct fetch_outcome {
    const struct question *question; /* good until the listener returns */
    uint8_t route;
    const struct response *response; /* NULL, or good until the listener returns */
    enum forward_failure failure;    /* FORWARD_ERROR may have a response: SERVFAIL and its EDE */
    bool is_again;                   /* others were told so before, and it is still asked */
    uint8_t
        server; /* that answered or failed last; all failing: the first; nobody: RESOLVER_NONE */
    struct waiter *waiters; /* in the order they came; NULL: nobody */
};

/** Called when these waiters are forgotten: the question may be asked again from within. */
typedef void fetch_table_on_outcome(void *context, const struct fetch_outcome *outcome);

struct fetch_table_options {
    struct resolver *servers; /* by the numbers the link knows */
    const struct resolver_set *routes;
    struct standings *standings; /* of these servers; borrowed */
    struct link *link;           /* with room for fetch_tickets(questions) */
    struct stats *stats;
    size_t questions; /* at most on their way */
    bool mixes_case;  /* 0x20: random case in the question's letters */
    fetch_table_on_outcome *on_outcome;
    void *context;
};

struct fetch_table;

/** How many tickets there are for so many questions, and so how many descriptors at most. */
static inline size_t fetch_tickets(size_t questions)
{
    return (questions + FETCH_PROBES) * FETCH_ATTEMPTS;
}

/** Returns NULL with *err. */
struct fetch_table *fetch_table_new(const struct fetch_table_options *options, struct err *err);

/** Forgets every attempt; waiters are not told. NULL is allowed. */
void fetch_table_free(struct fetch_table *table);

/**
 * Has a question asked, or joins one on its way. The waiter is taken until on_outcome names it, at
 * the latest when `patience_ms` are over; NULL for a refresh. Returns false, and takes nothing,
 * when the pool is full; a refresh is also refused when the pool is half full.
 */
bool fetch_table_ask(struct fetch_table *table, const struct question *question, uint8_t route,
                     struct waiter *waiter, uint32_t patience_ms);

/**
 * Every server of the route is failing: tries one of them with a question, if that is due. Nobody
 * waits for it, and its silence says nothing; a reply shows that the server lives.
 */
void fetch_table_try(struct fetch_table *table, const struct question *question, uint8_t route);

/** True when a question can be joined. */
bool fetch_table_has(const struct fetch_table *table, const struct question *question);

/** Sends what is queued, up to the turn's share. Returns true when more is queued. */
bool fetch_table_turn(struct fetch_table *table, uint64_t now_ms);

/** To be called every FETCH_TICK_MS while it is busy. */
void fetch_table_tick(struct fetch_table *table, uint64_t now_ms);

/** The time of what follows: questions, responses. */
void fetch_table_set_time(struct fetch_table *table, uint64_t now_ms);

/** Questions queued, asked or lingering, probes included. */
size_t fetch_table_count(const struct fetch_table *table);

/** How many more questions can be asked. */
size_t fetch_table_room(const struct fetch_table *table);

/** True when somebody waits. */
bool fetch_table_is_waited_for(const struct fetch_table *table);

/** True when ticks are needed: something is on its way, or a server is to be probed. */
bool fetch_table_is_busy(const struct fetch_table *table);

/**
 * Settles every question as FORWARD_STOPPING, so that no waiter is left, and takes no more; when
 * the worker stops or goes over to other servers.
 */
void fetch_table_end_all(struct fetch_table *table);
