#pragma once
/**
 * The cache of responses: one for all workers, of fixed size.
 *
 *     index   lines of eight slots (64 octets), found by hash; a slot: 15 bits of hash and a 32-bit
 *             offset. A line also has ghosts: 16 bits of hash for each entry that was evicted from
 *             `small` recently
 *     small   a tenth of the rest: where new entries are stored
 *     main    the remainder: entries that were asked for again
 *
 * `small` and `main` are rings (ring.h): entries are written one behind another, and the oldest is
 * evicted first. The oldest entry of `small` moves into `main` if it was used since it was written;
 * otherwise it is evicted, with its hash noted among the ghosts. If it is stored again while the
 * ghost is there, it is stored in `main`. The oldest entry of `main`, if used, is written again at
 * the front, with one use less. So a flood of names that nobody asks twice passes through `small`
 * and leaves `main` alone (S3-FIFO); only while `main` has free room, unused entries move there
 * too, and while a quarter of it is dead, they stay there.
 *
 * An entry that no slot points to is dead: replaced, or pushed out of its line by a ninth. Its
 * octets are free again when it was its ring's oldest.
 *
 * A large cache is divided into shards by hash, each with lines, rings and a lock of its own; how
 * many follows from its size alone, so that the workers' number changes nothing in what is kept.
 *
 * Storing moves at most CACHE_MOVES_MOST entries and CACHE_MOVED_OCTETS_MOST octets; beyond that,
 * entries are dropped even if used. What is dropped makes room for what is stored and moved, so it
 * is bounded too.
 *
 * An entry holds a response, or a failure, or both: then the response is stale, and fetching it
 * again has failed recently.
 *
 *     fresh ──(TTL)──► stale ──(a day)──► gone          failure: not fetched again before its end
 *     passing (TTL 0) ──(a minute)──► gone
 *
 * A response with TTL 0 is for its waiters only (RFC 1035 section 3.2.1): it is passing, neither
 * fresh nor stale, and is used only by a request that has waited for it and needs it again while
 * following a chain of aliases.
 *
 * The memory is mapped once and touched as it fills; it never grows. Time is in seconds of the
 * callers' monotonic clock, at least 1; one worker's may be a second ahead of another's.
 *
 * Sources: RFC 2308 (negative), RFC 8767 (stale), RFC 9520 (failures); Yang et al., "FIFO queues
 * are all you need for cache eviction", SOSP 2023.
 *
 * Threads: any, each with a record of its own (cache_join). Finding takes no lock:
 *
 *     find    tags (relaxed) ──► offset (acquire) ──► entry, compared whole
 *     store   [lock of the shard] room ──► entry written ──► offset (release) [unlocked]
 *
 * The release and the acquire make an entry's octets visible with the offset that leads to them. An
 * entry never changes afterwards, but for its three atomic members: each is whole in itself, says
 * nothing of other memory, and is relaxed. A tag that is read before or after its offset has
 * changed costs a comparison or a miss, since the whole question is compared.
 *
 * A new response is written to other octets than the old one, and octets of dead entries are held
 * until nobody can read them (grace.h). So an entry that a worker has found stays as it is, with
 * all its octets, until that worker stores something, or says by grace_pass or grace_rest that it
 * is done. If too much of a ring is held for workers that are slow to say so, a response is not
 * stored; nothing ever waits for a reader.
 *
 * A use is counted in the entry, and only up to CACHE_USES_MOST: entries in use are read alone, and
 * their cache lines stay with all processors. Locks are for storing, walking and counting.
 * Memory: everything in cache_new.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/settings.h"
#include "forward/grace.h"
#include "forward/response.h"

enum {
    CACHE_OCTETS_LEAST = CACHE_SIZE_LEAST,
    CACHE_SHARD_OCTETS = 8 << 20, /* at least, of one of several: it holds the largest response */
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
    uint32_t octets;        /* of all this, a multiple of 16 */
    uint32_t stored_s;      /* when the response came */
    uint32_t fresh_until_s; /* exclusive; stored_s: passing */
    uint16_t type;
    uint16_t class;
    uint8_t bits; /* of the question */
    uint8_t name_length;
    uint8_t answered_by; /* for the caller: number of the server */
    bool has_response;   /* else only a failure */

    /* What may change while others read. */
    _Atomic uint8_t uses;       /* since written, less one for each move; at most CACHE_USES_MOST */
    _Atomic bool is_refreshing; /* for the callers: being fetched before its end */
    _Atomic uint64_t failure;   /* a struct cache_failure; 0: no fetch has failed since */

    alignas(8) uint8_t data[]; /* the response, then the name */
};

/** How the last fetch of an entry's question failed. */
struct cache_failure {
    uint32_t until_s; /* exclusive; 0: it did not */
    uint16_t era;     /* the failure counts only in this era */
    uint8_t server;   /* number of the server that failed */
    uint8_t failure;  /* enum forward_failure */
    uint8_t count;    /* in a row */
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
 * Takes a record for a worker, which rests; before it finds or stores anything, it passes. Returns
 * NULL with *err when there are more workers than a server has.
 */
struct grace_member *cache_join(struct cache *cache, struct err *err);

/** Returns the record. NULL is allowed. */
void cache_leave(struct grace_member *member);

/** As grace_pass: nothing that the worker has found before is in use any more. */
void cache_pass(const struct cache *cache, struct grace_member *member);

/**
 * Finds the entry of a question, fresh, stale, passing or failed (in whatever era), and counts a
 * use. Returns NULL if there is none. The entry stays valid until the caller stores something or
 * passes.
 */
struct cache_entry *cache_find(const struct cache *cache, const struct question *question,
                               uint32_t now_s);

/** As cache_find, without counting a use. */
const struct cache_entry *cache_peek(const struct cache *cache, const struct question *question,
                                     uint32_t now_s);

static inline const struct response *cache_response(const struct cache_entry *entry)
{
    return (const struct response *)(const void *)entry->data;
}

/** What became of a response. */
enum cache_stored {
    CACHE_STORED,
    CACHE_TOO_LARGE, /* than an eighth of `small` */
    CACHE_HELD,      /* too much is held for other workers */
};

/**
 * Stores a response in place of the question's old entry, which is removed even if this one is not
 * stored. What `self` (NULL: a thread alone with the cache) has found before is not valid any more.
 * The response must not lie in the cache.
 */
enum cache_stored cache_store(struct cache *cache, const struct grace_member *self,
                              const struct question *question, const struct response *response,
                              uint8_t answered_by, uint32_t now_s);

/** A failure to store. */
struct cache_failing {
    uint8_t failure; /* enum forward_failure */
    uint8_t server;
    bool is_again; /* of the same fetch: stored again, without doubling its time */
    uint16_t era;
};

/**
 * Stores that a fetch failed, each time for twice as long while failures of one era follow each
 * other without success. Those that come while one lasts count as that one: workers that have asked
 * at the same time. A response that is still usable as stale is kept. Returns false when there is
 * neither an entry nor room for one: too much is held for other workers. As cache_store, it ends
 * what `self` has found.
 */
bool cache_fail(struct cache *cache, const struct grace_member *self,
                const struct question *question, const struct cache_failing *failing,
                uint32_t now_s);

static inline struct cache_failure cache_failure_of(uint64_t word)
{
    return (struct cache_failure){
        .until_s = (uint32_t)(word >> 32),
        .era = (uint16_t)(word >> 16),
        .server = (uint8_t)(word >> 8),
        .failure = (uint8_t)(word >> 3 & 0x1f),
        .count = (uint8_t)(word & 7),
    };
}

/** How the last fetch failed. */
static inline struct cache_failure cache_entry_failure(const struct cache_entry *entry)
{
    return cache_failure_of(atomic_load_explicit(&entry->failure, memory_order_relaxed));
}

static inline uint64_t cache_failure_word(const struct cache_failure *failure)
{
    return (uint64_t)failure->until_s << 32 | (uint64_t)failure->era << 16 |
           (uint64_t)failure->server << 8 | (uint64_t)(failure->failure << 3 | failure->count);
}

/** How often the entry was used, as far as it is counted. */
static inline unsigned cache_entry_uses(const struct cache_entry *entry)
{
    return atomic_load_explicit(&entry->uses, memory_order_relaxed);
}

/** True while the question must not be fetched again because of a failure. */
static inline bool cache_entry_has_failed(const struct cache_entry *entry, uint32_t now_s,
                                          uint16_t era)
{
    struct cache_failure failure = cache_entry_failure(entry);

    return now_s < failure.until_s && era == failure.era;
}

/** How long ago the response came. */
static inline uint32_t cache_entry_age(const struct cache_entry *entry, uint32_t now_s)
{
    return now_s > entry->stored_s ? now_s - entry->stored_s : 0;
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
           cache_entry_age(entry, now_s) < CACHE_PASSING_SECONDS;
}

/** The name of an entry's question, in wire form; its length is in the entry. */
static inline const uint8_t *cache_entry_name(const struct cache_entry *entry)
{
    return entry->data + (entry->has_response ? cache_response(entry)->octets : 0);
}

/** Removes all entries. */
void cache_flush(struct cache *cache);

/**
 * True to one caller for each number, which must not be less than the one before: to do what is
 * done once for all workers.
 */
bool cache_claim(struct cache *cache, uint64_t number);

/**
 * Called for an entry, expired or not, while nobody stores beside it. Returns true when it is to be
 * removed.
 */
typedef bool cache_on_entry(void *context, const struct cache_entry *entry);

/**
 * Calls for the entries in `count` lines of the index from *line on, and moves *line on. Returns
 * true after the last line. Between two calls, and meanwhile by others, the cache may be used:
 * entries do not change lines.
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
struct cache_use cache_use(struct cache *cache);
