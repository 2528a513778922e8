#pragma once
/**
 * The cache of responses: one per worker, of fixed size.
 *
 *     index   lines of eight slots (64 octets), found by hash; a slot: 32 bits of hash and a 32-bit
 *             offset
 *     ghosts  16 bits of hash for each entry that was evicted from `small` recently
 *     small   a tenth of the rest: where new entries are stored
 *     main    the remainder: entries that were asked for again
 *
 * `small` and `main` are rings (ring.h): entries are written one behind another, and the oldest is
 * evicted first. The oldest entry of `small` moves into `main` if it was used since it was written;
 * otherwise it is evicted, with its hash noted in `ghosts`. If it is stored again while the ghost
 * is there, it is stored in `main`. The oldest entry of `main`, if used, is written again at the
 * front, with one use less. So a flood of names that nobody asks twice passes through `small` and
 * leaves `main` alone (S3-FIFO); only while `main` has free room, unused entries move there too.
 *
 * An entry that no slot points to is dead: replaced, or pushed out of its line by a ninth. Its
 * octets are free again when it is its ring's oldest. A response as large as the one before is
 * written over it.
 *
 * Storing moves at most CACHE_MOVES_MOST entries and CACHE_MOVED_OCTETS_MOST octets; beyond that,
 * entries are dropped even if used. What is dropped makes room for what is stored and moved, so it
 * is bounded too.
 *
 * An entry holds a response, or a failure, or both: then the response is stale, and fetching it
 * again has failed recently.
 *
 *     fresh ──(TTL)──► stale ──(a day)──► gone          failed_until: not fetched again before
 *     passing (TTL 0) ──(a minute)──► gone
 *
 * A response with TTL 0 is for its waiters only (RFC 1035 section 3.2.1): it is passing, neither
 * fresh nor stale, and is used only by a request that has waited for it and needs it again while
 * following a chain of aliases.
 *
 * The memory is mapped once and touched as it fills; it never grows. Time is in seconds of the
 * caller's monotonic clock, at least 1.
 *
 * Sources: RFC 2308 (negative), RFC 8767 (stale), RFC 9520 (failures); Yang et al., "FIFO queues
 * are all you need for cache eviction", SOSP 2023.
 * Threads: one worker's.  Memory: everything in cache_new.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/settings.h"
#include "forward/response.h"

enum {
    CACHE_OCTETS_LEAST = CACHE_WORKER_OCTETS_LEAST,
    CACHE_STALE_SECONDS = 86400,
    CACHE_PASSING_SECONDS = 60, /* longer than a request waits for all links of a chain */
    /* Doubles with each failure in a row. A started second counts as one, so it takes two to be
       sure of the one that RFC 9520 section 3.2 requires. */
    CACHE_FAILURE_LEAST_SECONDS = 2,
    CACHE_FAILURE_MOST_SECONDS = 30,
    CACHE_USES_MOST = 3,
    CACHE_MOVES_MOST = 32,
    CACHE_MOVED_OCTETS_MOST = 2 * RESPONSE_OCTETS_MOST,
};

/** The entry of one question; its response and name follow in `data`. */
struct cache_entry {
    uint64_t hash;
    uint32_t octets;         /* of all this, a multiple of 16 */
    uint32_t stored_s;       /* when the response came */
    uint32_t fresh_until_s;  /* exclusive; stored_s: passing */
    uint32_t failed_until_s; /* exclusive; 0: no fetch has failed since */
    uint32_t failed_era;     /* the failure counts only in this era */
    uint16_t type;
    uint16_t class;
    uint8_t bits;           /* of the question */
    uint8_t uses;           /* since written, less one for each move; at most CACHE_USES_MOST */
    uint8_t failure;        /* enum forward_failure, while failed_until_s holds */
    uint8_t failures;       /* in a row */
    uint8_t server;         /* number of the server that failed */
    uint8_t answered_by;    /* for the caller: number of the server; RESOLVER_NONE in a new entry */
    bool has_response : 1;  /* else only a failure */
    bool is_refreshing : 1; /* for the caller: being fetched before its end; false in a new entry */
    uint8_t name_length;
    alignas(8) uint8_t data[]; /* the response, then the name */
};

struct cache;

/**
 * `octets` is all memory the cache will use, index included. Returns NULL with *err, also for less
 * than CACHE_OCTETS_LEAST or more than a slot's offset can address (64 GB).
 */
struct cache *cache_new(size_t octets, struct err *err);

/** NULL is allowed. */
void cache_free(struct cache *cache);

/** Prefetches the index line into the processor's cache; then, from it, the entry. */
void cache_prefetch(const struct cache *cache, uint64_t hash);
void cache_prefetch_entry(const struct cache *cache, uint64_t hash);

/**
 * Finds the entry of a question, fresh, stale, passing or failed (in whatever era), and counts a
 * use. Returns NULL if there is none. The entry stays valid until something is stored.
 */
struct cache_entry *cache_find(struct cache *cache, const struct question *question,
                               uint32_t now_s);

/** As cache_find, without counting a use. */
const struct cache_entry *cache_peek(const struct cache *cache, const struct question *question,
                                     uint32_t now_s);

static inline const struct response *cache_response(const struct cache_entry *entry)
{
    return (const struct response *)(const void *)entry->data;
}

/**
 * Stores a response in place of the question's old entry. A response larger than an eighth of
 * `small` is not stored, and the old entry is removed; then it returns NULL. The response must not
 * lie in the cache.
 */
struct cache_entry *cache_store(struct cache *cache, const struct question *question,
                                const struct response *response, uint32_t now_s);

/** A failure to store. */
struct cache_failure {
    uint8_t failure; /* enum forward_failure */
    uint8_t server;
    bool is_again; /* of the same fetch: stored again, without doubling its time */
    uint32_t era;
};

/**
 * Stores that a fetch failed, each time for twice as long while failures of one era follow each
 * other without success. A response that is still usable as stale is kept.
 */
void cache_fail(struct cache *cache, const struct question *question,
                const struct cache_failure *failure, uint32_t now_s);

/** True while the question must not be fetched again because of a failure. */
static inline bool cache_entry_has_failed(const struct cache_entry *entry, uint32_t now_s,
                                          uint32_t era)
{
    return now_s < entry->failed_until_s && era == entry->failed_era;
}

static inline bool cache_entry_is_fresh(const struct cache_entry *entry, uint32_t now_s)
{
    return entry->has_response && now_s < entry->fresh_until_s;
}

/** True when the response's TTL, which was not 0, expired less than a day ago. */
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

/** The name of an entry's question, in wire form; its length is in the entry. */
static inline const uint8_t *cache_entry_name(const struct cache_entry *entry)
{
    return entry->data + (entry->has_response ? cache_response(entry)->octets : 0);
}

/** Removes all entries. */
void cache_flush(struct cache *cache);

/** Called for an entry, expired or not. Returns true when it is to be removed. */
typedef bool cache_on_entry(void *context, const struct cache_entry *entry);

/**
 * Calls for the entries in `count` lines of the index from *line on, and moves *line on. Returns
 * true after the last line. Between two calls the cache may be used: entries do not change lines.
 */
bool cache_walk(struct cache *cache, uint32_t *line, uint32_t count, cache_on_entry *on_entry,
                void *context);

/** How full the cache is. */
struct cache_use {
    size_t octets; /* of entries that can be found */
    size_t entries;
    size_t octets_most; /* as given to cache_new */
    uint64_t evicted;   /* entries evicted since the start */
};
struct cache_use cache_use(const struct cache *cache);
