#pragma once
/**
 * Questions on their way: joined, sent, sent again, settled.
 *
 *     ask ──► queued ──(turn)──► asked ──(response that matches)──────────► settled
 *                                  │ wait over: the next server too         ▲
 *                                  │ TC: the same server over TCP           │
 *                                  │ error code: the next server            │
 *                                  └─(deadline, or nobody left to ask)──────┘
 *
 * Equal questions are joined: who asks what is already on its way waits for the same response. A
 * question has up to PENDING_ATTEMPTS attempts under way at once, each to a server of its own with
 * an id and, over UDP, a port of its own; the first good response ends all. Wrong responses are
 * counted and otherwise ignored; a socket that gets PENDING_FOREIGN_MOST of them is given up and
 * the question asked over TCP, so that guessing has an end (RFC 5452 section 9).
 *
 * A failing server whose probe is due is asked the same question on the side, with nobody waiting,
 * as soon as a question is asked; when all servers are failing, the question itself is the probe.
 *
 * New questions are sent by pending_turn only, at most PENDING_SENDS_PER_TURN at a time: whoever
 * floods the server with new names never delays answers that are at hand.
 *
 * Everything is of fixed size: a full pool refuses.
 *
 * Sources: RFC 5452; RFC 5625; RFC 7766 section 5 (TC); RFC 9520 section 3.
 * Threads: one worker's.  Memory: everything in pending_new.  Time: milliseconds, monotonic.
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
    PENDING_ATTEMPTS = 3,
    PENDING_DEADLINE_MS = 1900, /* of a question, whoever has joined it */
    PENDING_FOREIGN_MOST = 16,
    PENDING_SENDS_PER_TURN = 32,
    PENDING_TICK_MS = 25,
};

/** Why there is no answer. */
enum forward_failure {
    FORWARD_NO_FAILURE,
    FORWARD_SILENT,      /* no reply within the deadline */
    FORWARD_FAILING,     /* not asked: every server of the zone is failing */
    FORWARD_UNREACHABLE, /* refused, no route, connection broken */
    FORWARD_TLS,
    FORWARD_ERROR, /* SERVFAIL and the like from a server, and nothing better from the others */
    FORWARD_MALFORMED,
    FORWARD_FULL, /* too many questions on their way, or no descriptors */
};

/** One who waits; embedded in what the caller keeps for him. */
struct waiter {
    struct waiter *next;
};

/** How a question ended. */
struct settlement {
    const struct question *question; /* good until the listener returns */
    uint8_t route;
    const struct response *response; /* NULL, or good until the listener returns */
    enum forward_failure failure;    /* FORWARD_ERROR may have a response: SERVFAIL and its EDE */
    uint8_t
        server; /* that answered or failed last; all failing: the first; nobody: RESOLVER_NONE */
    struct waiter *waiters; /* in the order they came; NULL: a refresh that nobody waits for */
};

/** Called when all about the question is forgotten: it may be asked again from within. */
typedef void pending_on_settled(void *context, const struct settlement *settlement);

struct pending_options {
    struct resolver *servers; /* by the numbers the link knows */
    const struct resolver_set *routes;
    struct link *link;
    struct stats *stats;
    size_t questions; /* at most on their way */
    bool mixes_case;  /* 0x20: random case in the question's letters */
    pending_on_settled *on_settled;
    void *context;
};

struct pending;

/** Returns NULL with *err. */
struct pending *pending_new(const struct pending_options *options, struct err *err);

/** Forgets every attempt; waiters are not told. NULL is allowed. */
void pending_free(struct pending *pending);

/**
 * Has a question asked, or joins one on its way. The waiter is taken until on_settled names it;
 * NULL for a refresh. Returns false, and takes nothing, when the pool is full; a refresh is also
 * refused when the pool is half full.
 */
bool pending_ask(struct pending *pending, const struct question *question, uint8_t route,
                 struct waiter *waiter, uint64_t now_ms);

/** Sends what is queued, up to the turn's share. Returns true when more is queued. */
bool pending_turn(struct pending *pending, uint64_t now_ms);

/** To be called every PENDING_TICK_MS while there are questions. */
void pending_tick(struct pending *pending, uint64_t now_ms);

/** To be told before responses are handed in, so that round trips are measured from it. */
void pending_set_time(struct pending *pending, uint64_t now_ms);

/** Questions queued or asked, probes included. */
size_t pending_count(const struct pending *pending);

/** How often a failing server has replied again: what failed before may go well now. */
uint32_t pending_recoveries(const struct pending *pending);

/**
 * Settles every question as FORWARD_FULL, so that no waiter is left, and takes no more; when the
 * worker stops or goes over to other servers.
 */
void pending_end_all(struct pending *pending);
