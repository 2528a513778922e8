#pragma once
/**
 * A fetch: one question that is being asked of upstreams, its waiters and its attempts.
 *
 *     fetch ─┬─ question, in the case it is sent in
 *            ├─ waiters, in order of arrival
 *            ├─ attempts: one for each server that is being asked
 *            └─ the failure it ends with unless a response comes
 *
 * Threads: one worker's.  Memory: a slot of a pool (pool.h).
 */
#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "forward/fetch_table.h"

enum {
    FETCH_NONE = INT32_MAX,      /* no number */
    FETCH_NOBODY = 0,            /* no client: the query is ours */
    FETCH_EDE_OCTETS_MOST = 192, /* of a SERVFAIL that is kept; longer EDE options are left out */
};

/** One question sent to one server once. */
struct attempt {
    uint64_t sent_ms;
    uint16_t id;
    uint8_t index;      /* of the server in the route */
    uint8_t mismatched; /* responses that did not match */
    bool is_open;
    bool over_stream;
    bool is_plain;      /* without EDNS */
    bool is_other_case; /* a response in another case came */
    bool is_late;       /* longer open than resolver_wait_ms */
    bool is_silent;     /* ... and than resolver_silence_ms: counted as silence */
    bool is_repeated;   /* the server was sent this question before */
};

/*
 * A fetch lingers while it has no waiters: they have been answered with something else, or there
 * were none. A fetch that needs its slot takes it.
 */
enum fetch_state { FETCH_FREE, FETCH_QUEUED, FETCH_ASKED, FETCH_LINGERING };

struct fetch {
    struct question question; /* its name is the one below */
    struct name name;
    uint8_t spelling[NAME_MAX_OCTETS]; /* the name in the case it is sent in */
    uint8_t route;                     /* of a probe: the number of its server */
    uint8_t state;                     /* enum fetch_state */
    bool is_probe;                     /* ours: no waiters, cannot be joined, one attempt */
    bool is_iterative;                 /* RD=0: only a probe is */
    bool has_failed;                   /* some waiter got a failure */
    uint8_t failure;       /* enum forward_failure: how it ends unless a response comes */
    uint8_t failed_server; /* number of the server that failed */
    uint8_t first_index;   /* of a failing server to try; RESOLVER_NONE: choose the best */
    uint8_t last_index;    /* of the server asked last */
    uint8_t retries;       /* number of retries sent */
    uint16_t tried;        /* servers asked: a bit for each index */
    uint32_t next;         /* in the queue, the lingering list or the free list */
    uint32_t previous;     /* in the lingering list */
    uint32_t next_in_bucket;
    uint64_t begun_ms; /* sent first */
    uint64_t sent_ms;  /* sent last */
    uint64_t retry_ms; /* to be sent again */
    uint64_t end_ms;   /* end of the window; of no meaning while queued */
    struct waiter *first_waiter;
    struct waiter *last_waiter;
    uint64_t client; /* in whose share the last query counts; FETCH_NOBODY: in no waiter's */
    struct attempt attempts[FETCH_ATTEMPTS];
    /* The SERVFAIL to answer with unless another server does better; octets 0: none. */
    alignas(struct response) uint8_t error[sizeof(struct response) + FETCH_EDE_OCTETS_MOST];
};

static_assert(UPSTREAMS_MOST <= 16, "a bit of `tried` for each server of a route");

/** Appends a waiter. */
void fetch_join(struct fetch *fetch, struct waiter *waiter);

/** Removes and returns the waiters whose deadline has passed, in order of arrival. */
struct waiter *fetch_take_expired(struct fetch *fetch, uint64_t now_ms);

/** Sets `client` for the next query: a waiter's that differs, if there is one. */
void fetch_charge(struct fetch *fetch);

/** Sets the name to send: as it is, or each letter in random case (0x20). */
void fetch_spell(struct fetch *fetch, struct random_source *random, bool mixes_case);

/** Resets the fetch, but for its waiters and has_failed. */
void fetch_restart(struct fetch *fetch, struct random_source *random, bool mixes_case);

/** Sets how the fetch ends unless a response comes. A response code outweighs other failures. */
void fetch_remember(struct fetch *fetch, enum forward_failure failure, uint8_t server);

/** As fetch_remember, for an error code; keeps the first SERVFAIL with its EDE. */
void fetch_remember_error(struct fetch *fetch, const struct response *response, uint8_t server);

/** The SERVFAIL that was kept, or NULL. */
const struct response *fetch_error(const struct fetch *fetch);

/** The index of the oldest open attempt's server, or RESOLVER_NONE. */
uint8_t fetch_open_index(const struct fetch *fetch);

/** The number of open attempts. */
unsigned fetch_count_open(const struct fetch *fetch);

/** True when some attempt is open. */
static inline bool fetch_is_under_way(const struct fetch *fetch)
{
    return fetch_open_index(fetch) != RESOLVER_NONE;
}

/** The newest open attempt, or NULL. */
struct attempt *fetch_newest_attempt(struct fetch *fetch);

/** An attempt that is not open, or NULL. */
struct attempt *fetch_free_attempt(struct fetch *fetch);

/** True when an open attempt at the server of this index got responses that did not match. */
bool fetch_has_mismatched(const struct fetch *fetch, uint8_t index);

/** True when the server of this index was asked. */
static inline bool fetch_has_tried(const struct fetch *fetch, uint8_t index)
{
    return (fetch->tried >> index & 1) != 0;
}
