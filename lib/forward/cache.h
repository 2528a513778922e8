#pragma once
/**
 * Responses kept: one cache per worker, of fixed size.
 *
 *     index   lines of eight slots (64 octets), found by hash; a slot: 32 bits of hash, 32 of place
 *     ghosts  16 bits of hash each: who was here lately
 *     small   a tenth of the rest: where new entries begin
 *     main    what is left: entries that were asked for again
 *
 * `small` and `main` are rings (ring.h): entries are written one behind another, and the oldest
 * gives way. An oldest entry of `small` that was used since it was written moves into `main`, an
 * unused one goes, leaving a trace in `ghosts`; who comes back while the trace is there begins in
 * `main`. An oldest entry of `main` that was used is written again at the front, with one use less.
 * So a flood of names that nobody asks twice passes through `small` and leaves `main` alone
 * (S3-FIFO); only while `main` has room that nobody needs, unused entries move there too.
 *
 * An entry that no slot points to is dead: replaced, or pushed out of its line by a ninth. Its
 * octets are free again when it is its ring's oldest. A response as large as the one before is
 * written over it.
 *
 * Storing moves at most CACHE_MOVES_MOST entries; more than that, or octets beyond
 * CACHE_MOVED_OCTETS_MOST, are dropped whether used or not. What is dropped makes room for what is
 * stored and moved, so it is bounded too.
 *
 * An entry holds a response, or only the memory of a failure, or both: then the response is stale
 * and what is known is that asking again has failed lately.
 *
 *     fresh ──(TTL)──► stale ──(a day)──► gone          failed_until: not asked again before
 *     passing (TTL 0) ──(a minute)──► gone
 *
 * A response with TTL 0 is for those who waited for it and for nobody else (RFC 1035 section
 * 3.2.1): it passes, neither fresh nor stale, and serves a request that has waited for it and comes
 * back to it on its way along a chain of aliases.
 *
 * The room is mapped once and touched as it fills; it never grows. Time is seconds of the caller's
 * own monotonic clock, at least 1.
 *
 * Sources: RFC 2308 (negative), RFC 8767 (stale), RFC 9520 (failures); Yang et al., "FIFO queues
 * are all you need for cache eviction", SOSP 2023.
 * Threads: one worker's.  Memory: everything in cache_new.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "forward/response.h"

enum {
    CACHE_OCTETS_LEAST = 1 << 20,
    CACHE_STALE_SECONDS = 86400,
    CACHE_PASSING_SECONDS = 60, /* longer than a request waits for all links of a chain */
    /* Doubles with each failure in a row; a second that has begun counts as one, so two is the
       least that is no less than one (RFC 9520 section 3.2). */
    CACHE_FAILURE_LEAST_SECONDS = 2,
    CACHE_FAILURE_MOST_SECONDS = 30,
    CACHE_USES_MOST = 3,
    CACHE_MOVES_MOST = 32,
    CACHE_MOVED_OCTETS_MOST = 2 * RESPONSE_OCTETS_MOST,
};

/** What is kept for one question. `response` and the name stand behind it. */
struct cache_entry {
    uint64_t hash;
    uint32_t octets;         /* of all this, a multiple of 16 */
    uint32_t stored_s;       /* when the response came */
    uint32_t fresh_until_s;  /* exclusive; stored_s: it passes */
    uint32_t failed_until_s; /* exclusive; 0: asking has not failed since */
    uint32_t failed_era;     /* the failure counts only in the era it happened in */
    uint16_t type;
    uint16_t class;
    uint8_t bits;       /* of the question */
    uint8_t uses;       /* since last looked over, at most CACHE_USES_MOST */
    uint8_t failure;    /* enum forward_failure, while failed_until_s holds */
    uint8_t failures;   /* in a row */
    uint8_t server;     /* number of the server that failed */
    bool has_response;  /* else only a failure */
    bool is_refreshing; /* asked for again before its end; the caller's, false in a new entry */
    uint8_t name_length;
    alignas(8) uint8_t data[]; /* the response, then the name */
};

struct cache;

/**
 * `octets` is everything the cache will ever take, index included. Returns NULL with *err, also
 * when they are fewer than CACHE_OCTETS_LEAST or more than slots can tell apart (64 GB).
 */
struct cache *cache_new(size_t octets, struct err *err);

/** NULL is allowed. */
void cache_free(struct cache *cache);

/** Asks for the index line; then, once it is there, for the entry that it names. */
void cache_prefetch(const struct cache *cache, uint64_t hash);
void cache_prefetch_entry(const struct cache *cache, uint64_t hash);

/**
 * Finds the entry of a question, fresh, stale, passing or failed (in whatever era), and counts a
 * use. NULL: none. The entry stays in its place until something is stored.
 */
struct cache_entry *cache_find(struct cache *cache, const struct question *question,
                               uint32_t now_s);

/** As cache_find, without counting a use: for those who only look. */
const struct cache_entry *cache_peek(const struct cache *cache, const struct question *question,
                                     uint32_t now_s);

static inline const struct response *cache_response(const struct cache_entry *entry)
{
    return (const struct response *)(const void *)entry->data;
}

/**
 * Keeps a response in place of what was there for the question. Nothing is kept, and what was there
 * is forgotten, when it is larger than an eighth of `small`. The response is not one of the cache's
 * own.
 */
void cache_store(struct cache *cache, const struct question *question,
                 const struct response *response, uint32_t now_s);

/** A failure to remember. */
struct cache_failure {
    uint8_t failure; /* enum forward_failure */
    uint8_t server;
    bool is_again; /* known already: it is remembered on, and not for longer */
    uint32_t era;
};

/**
 * Remembers that asking failed, each time twice as long while failures of one era follow each other
 * without success; a response that may still be handed out stale stays.
 */
void cache_fail(struct cache *cache, const struct question *question,
                const struct cache_failure *failure, uint32_t now_s);

/** True while a failure says not to ask again. */
static inline bool cache_entry_has_failed(const struct cache_entry *entry, uint32_t now_s,
                                          uint32_t era)
{
    return now_s < entry->failed_until_s && era == entry->failed_era;
}

static inline bool cache_entry_is_fresh(const struct cache_entry *entry, uint32_t now_s)
{
    return entry->has_response && now_s < entry->fresh_until_s;
}

/** True when the response's TTL, which was not 0, is over by no more than a day. */
static inline bool cache_entry_is_stale(const struct cache_entry *entry, uint32_t now_s)
{
    return entry->has_response && now_s >= entry->fresh_until_s &&
           entry->fresh_until_s != entry->stored_s &&
           now_s - entry->fresh_until_s < CACHE_STALE_SECONDS;
}

/** True for a minute after a response with TTL 0 came. */
static inline bool cache_entry_is_passing(const struct cache_entry *entry, uint32_t now_s)
{
    return entry->has_response && entry->fresh_until_s == entry->stored_s &&
           now_s - entry->stored_s < CACHE_PASSING_SECONDS;
}

/** Forgets everything. */
void cache_flush(struct cache *cache);

/** What the cache holds now. */
struct cache_use {
    size_t octets; /* of entries that can be found */
    size_t entries;
    size_t octets_most; /* as given to cache_new */
    uint64_t evicted;   /* entries that gave way */
};
struct cache_use cache_use(const struct cache *cache);
