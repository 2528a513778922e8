#pragma once
/**
 * How often a client may ask: rate limits of one worker, counted for all workers together.
 *
 *     who                              bucket of            above its rate
 *     outside every space, over UDP    a /24 or an IPv6 /56 dropped; every external_slip-th reply
 *                                                           is truncated, so that a resolver asks
 *                                                           again over TCP
 *     a client of a space              an address           REFUSED with Q60, over UDP a few a
 *                                                           second; the others are dropped
 *
 * Outsiders are limited because a source address over UDP may be forged: the replies go to a victim
 * who never asked. Over TCP it is not, nor with a right cookie (wire/cookie.h), so such requests
 * are not limited. A truncated reply is the request's header and question, and for a second after a
 * request above the rate no reply to that network has a text either (exchange's is_terse): nobody
 * is sent more octets than were sent in its name.
 *
 * Both kinds of clients have tables of their own (base/rate.h), so a flood of outsiders never takes
 * a slot from a client of a space.
 *
 * Limits are of arrivals: a request that waited for an upstream is not counted again.
 *
 * Sources: "Response Rate Limiting in the Domain Name System (DNS RRL)", ISC-TN-2012-1 (prefixes,
 * slip); RFC 8914 section 4.19 (EDE 18, Prohibited).
 * Threads: limit_tables shared by all workers, limits by one and limits_take_over by the control
 * thread.  Memory: everything in limit_tables_new.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "base/rate.h"
#include "decide/client.h"
#include "respond/limited.h"
#include "stats/stats.h"

struct exchange;

enum {
    LIMITS_SLIP_ROWS = 256,
    LIMITS_REPORTED_MOST = 64, /* clients to log that have not been taken over yet */
    LIMITS_WHO_OCTETS = 64,
};

/** The buckets of all workers. */
struct limit_tables {
    struct rate_table *outsiders;
    struct rate_table *clients;
};

/** One worker's limits. */
struct limits {
    struct limit_tables *tables;
    struct stats *stats;
    /* Called on the worker's thread: there are clients to take over. NULL: none is reported. */
    void (*on_reported)(void *context);
    void *context;
    uint64_t now_us; /* set at a batch's beginning */
    struct hash_key key;
    uint8_t slips[LIMITS_SLIP_ROWS];         /* refused outsiders, by a hash of their network */
    uint32_t reported[LIMITS_REPORTED_MOST]; /* a ring of addresses */
    _Atomic uint32_t reported_end;           /* written by the worker ... */
    _Atomic uint32_t reported_start;         /* ... and by the control thread; both only grow */
    struct limited clients;                  /* who was limited lately, by limits_who */
    struct limited networks;                 /* of outsiders */
};

/** Returns NULL without memory. */
struct limit_tables *limit_tables_new(void);

/** NULL is allowed. */
void limit_tables_free(struct limit_tables *tables);

/** Sets the first two; the caller may set on_reported and its context. */
void limits_init(struct limits *limits, struct limit_tables *tables, struct stats *stats);

/**
 * Counts a request that would get a reply. Returns true when it is above a limit: then its verdict
 * is set, or its status is QUERY_DROPPED.
 */
bool limits_apply(struct limits *limits, const struct snapshot *snapshot,
                  struct exchange *exchange);

/** True when some limit is in force for such a client. */
static inline bool limits_concern(const struct snapshot *snapshot, const struct client *client)
{
    return client->count == 0 || snapshot->policy.client_rate > 0;
}

/**
 * Takes over the addresses of clients that were limited, each at most once a second; on the control
 * thread. Returns how many there are; `out` has room for LIMITS_REPORTED_MOST.
 */
size_t limits_take_over(struct limits *limits, uint32_t *out);

/** Numbers whom a limit is of: the client of a space, or the outsider's network. */
uint64_t limits_who(const struct path *path, const struct client *client);

/** Writes it as an address or a prefix, "203.0.113.0/24", in LIMITS_WHO_OCTETS at most. */
void limits_who_write(uint64_t who, char *out);
