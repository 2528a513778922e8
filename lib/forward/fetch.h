#pragma once
/**
 * One question on its way: those who wait for it, whom it was sent to, and how it will end.
 *
 *     fetch ─┬─ question, in the case that goes out
 *              ├─ waiters, in the order they came
 *              ├─ attempts: one for each server that is being asked
 *              └─ the failure it ends with unless a response comes
 *
 * Threads: one worker's.  Memory: stands in a pool (pool.h).
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
    FETCH_EDE_OCTETS_MOST = 192, /* of an error that is kept; longer EDE options are left out */
};

/** One question sent to one server once. */
struct attempt {
    uint64_t sent_ms;
    uint16_t id;
    uint8_t place;   /* of the server in the route */
    uint8_t foreign; /* responses that did not match */
    bool is_open;
    bool over_stream;
    bool is_plain;      /* without EDNS */
    bool is_other_case; /* a response in other letters came */
    bool is_late;       /* its wait is over */
    bool is_silent;     /* ... and so long that it counts as silence */
    bool is_repeated;   /* the server had the same question before */
};

/*
 * Where an fetch is. It lingers while nobody waits for it: the clients have been answered with
 * something else, or there were none; whoever needs its place takes it.
 */
enum fetch_state { FETCH_FREE, FETCH_QUEUED, FETCH_ASKED, FETCH_LINGERING };

struct fetch {
    struct question question; /* its name is the one below */
    struct name name;
    uint8_t spelling[NAME_MAX_OCTETS]; /* the name as it goes out */
    uint8_t route;                     /* of a probe: the number of its server */
    uint8_t state;                     /* enum fetch_state */
    bool is_probe;                     /* ours: nobody waits, nobody joins, one attempt */
    bool is_iterative;                 /* RD=0: only a probe is */
    bool has_failed;                   /* those who waited were told of a failure once */
    uint8_t failure;       /* enum forward_failure: how it ends unless a response comes */
    uint8_t failed_server; /* ... and by whom */
    uint8_t first_place;   /* of a failing server that it is tried on; RESOLVER_NONE: the best */
    uint8_t last_place;    /* of the server asked last */
    uint8_t retries;       /* sent again so often */
    uint16_t tried;        /* servers asked: a bit for each place */
    uint32_t next;         /* in the queue, of those that linger, or of the free ones */
    uint32_t previous;     /* of those that linger */
    uint32_t next_in_bucket;
    uint64_t begun_ms; /* sent first */
    uint64_t sent_ms;  /* sent last */
    uint64_t retry_ms; /* to be sent again */
    uint64_t end_ms;   /* nothing is waited for any more; of no meaning while queued */
    struct waiter *first_waiter;
    struct waiter *last_waiter;
    struct attempt attempts[FETCH_ATTEMPTS];
    /* The SERVFAIL that goes out unless another server does better; octets 0: none. */
    alignas(struct response) uint8_t error[sizeof(struct response) + FETCH_EDE_OCTETS_MOST];
};

static_assert(UPSTREAMS_MOST <= 16, "a bit of `tried` for each server of a route");

/** Puts somebody at the end of those who wait. */
void fetch_join(struct fetch *fetch, struct waiter *waiter);

/** Takes out those whose patience is over, in the order they came. */
struct waiter *fetch_take_impatient(struct fetch *fetch, uint64_t now_ms);

/** Spells the name to send: as it is, or each letter in upper or lower case by chance (0x20). */
void fetch_spell(struct fetch *fetch, struct random_source *random, bool mixes_case);

/** Makes it as new, but for those who wait and what they were told. */
void fetch_restart(struct fetch *fetch, struct random_source *random, bool mixes_case);

/** Remembers how the question ends unless a response comes. What servers say outweighs the rest. */
void fetch_remember(struct fetch *fetch, enum forward_failure failure, uint8_t server);

/** As fetch_remember, for an error code; keeps the first SERVFAIL with its EDE. */
void fetch_remember_error(struct fetch *fetch, const struct response *response, uint8_t server);

/** The SERVFAIL that was kept, or NULL. */
const struct response *fetch_error(const struct fetch *fetch);

/** The place of the server that was asked longest ago and is still waited for, or RESOLVER_NONE. */
uint8_t fetch_open_place(const struct fetch *fetch);

/** How many attempts are open. */
unsigned fetch_count_open(const struct fetch *fetch);

/** True when some attempt is open. */
static inline bool fetch_is_under_way(const struct fetch *fetch)
{
    return fetch_open_place(fetch) != RESOLVER_NONE;
}

/** The open attempt that was begun last, or NULL. */
struct attempt *fetch_newest_attempt(struct fetch *fetch);

/** An attempt that is not open, or NULL. */
struct attempt *fetch_free_attempt(struct fetch *fetch);

/** True when an open attempt at the server of this place got responses that did not match. */
bool fetch_has_foreign(const struct fetch *fetch, uint8_t place);

/** True when the server of this place was asked. */
static inline bool fetch_has_tried(const struct fetch *fetch, uint8_t place)
{
    return (fetch->tried >> place & 1) != 0;
}
