#pragma once
/**
 * Names that were internal in an earlier generation and are no longer declared.
 *
 * Such a name is kept back: its clients get NXDOMAIN and it is not forwarded, until a zone file
 * declares it again, the operator releases it (spacedns forget), or its time is over. A kept-back
 * wildcard covers the names below it as a declared one would.
 *
 *     snapshot ──► kept back ─┬─ shards[256]   hash of a name → cohort; used by queries
 *                             └─ cohorts[]     generation, time, space, file
 *                                   └─ names     until they are stored
 *
 * A cohort is the set of names that one file lost at one load. A slot is twelve octets, and five
 * slots hold four names at least: the table takes at most 16 octets a name. The names themselves
 * are only for display, so that the file of the state folder has them (state.h), and memory only
 * those that are not stored yet; without a state folder, all: some 30 octets more each. A name of a
 * cohort's list, or of the file, is alive as long as a slot refers to it with that cohort.
 *
 * Names are compared by 64 bits of a keyed hash: with a million names kept back, one other name in
 * 2^44 would match one of them.
 *
 * Time: a name is kept for a time in which a server runs, counted by a clock that nobody can set.
 * Time without a server does not count, and neither does a step of the wall clock, which is only
 * shown: a name may be kept for longer than configured, never for less.
 *
 * Tables are immutable and reference-counted; the next one shares unchanged shards.
 * kept_back_change.h makes them.
 *
 * Threads: immutable; holds belong to the thread that loads snapshots.  Memory: malloc per shard,
 * cohort.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "wire/name.h"

enum { KEPT_BACK_SHARDS = 256 };

/**
 * A slot's value, from the top: 1 bit, an apex; 7 bits, the labels of a wildcard, or 0; 24 bits,
 * the number of its cohort.
 */
static const uint32_t KEPT_BACK_APEX = (uint32_t)1 << 31;
enum { KEPT_BACK_COHORT_BITS = 24, KEPT_BACK_COHORTS_MOST = 1 << KEPT_BACK_COHORT_BITS };

struct kept_back_shard {
    unsigned holds;
    uint32_t used;
    uint32_t slots;
    uint32_t *values;  /* after the hashes */
    uint64_t hashes[]; /* 0: empty */
};

struct kept_back_cohort {
    unsigned holds;
    uint64_t generation; /* the last one in which the names were internal */
    int64_t since_s;     /* wall clock, for display */
    int64_t ran_s;       /* running time when the names were lost (stored.h) */
    const char *space;
    const char *file;
    size_t count; /* of the list */
    size_t octets;
    uint8_t *names; /* per name: an octet that is 1 for an apex, then the wire name; NULL: stored;
                       only for the thread that stores, and the one that lists */
};

struct kept_back {
    unsigned holds;
    struct hash_key key;         /* of the index */
    size_t count;                /* names alive */
    uint64_t pushed_out;         /* names removed because of the limit, since the start */
    uint64_t wildcard_depths[2]; /* bit n: some wildcard has n labels, "*" included */
    uint32_t wildcard_counts[LABEL_MAX_COUNT + 1];
    struct kept_back_shard *shards[KEPT_BACK_SHARDS]; /* NULL: empty */
    struct kept_back_cohort **cohorts;                /* by number; NULL where unused */
    uint32_t *alive;                                  /* live names of each */
    size_t cohort_count;
};

/** The kept-back entry of a name. */
struct kept_back_entry {
    const struct kept_back_cohort *cohort;
    bool is_apex; /* only the types that an apex owns are ours */
};

/** Hold and release; NULL is allowed and means that nothing is kept back. */
struct kept_back *kept_back_hold(struct kept_back *kept);
void kept_back_release(struct kept_back *kept);
void kept_back_release_cohort(struct kept_back_cohort *cohort);

/**
 * Finds the kept-back entry of the name, or of the closest wildcard that covers it.
 *
 * hash   index_hash of the name
 * depth  only wildcards with more labels than that are considered ("*" included); 0: all
 *
 * One probe, and one more for each depth of the name at which wildcards are kept back.
 */
bool kept_back_find(const struct kept_back *kept, const struct name *name, uint64_t hash,
                    unsigned depth, struct kept_back_entry *entry);

/** Finds exactly this name, a wildcard by its own name. */
bool kept_back_has(const struct kept_back *kept, uint64_t hash, struct kept_back_entry *entry);

/** Called for each name alive. Returns false to end the walk. */
typedef bool kept_back_on_name(void *context, const struct name *name,
                               const struct kept_back_entry *entry);

/**
 * Walks the names alive that memory has, by cohort, oldest first. Returns false when ended, or
 * without memory.
 */
bool kept_back_walk(const struct kept_back *kept, kept_back_on_name *on_name, void *context);

/** Frees the lists of names: the state folder has them. `kept` may be NULL. */
void kept_back_drop_names(struct kept_back *kept);

/** Memory in octets. */
size_t kept_back_octets(const struct kept_back *kept);

/** The numbers of the cohorts, oldest first; the caller frees them. NULL without memory. */
uint32_t *kept_back_by_age(const struct kept_back *kept, size_t *count);

/** The number of a slot's cohort. */
static inline uint32_t kept_back_cohort_of(uint32_t value)
{
    return value & (KEPT_BACK_COHORTS_MOST - 1);
}

/** The labels of a slot's wildcard; 0: none. */
static inline unsigned kept_back_depth_of(uint32_t value)
{
    return (value & ~KEPT_BACK_APEX) >> KEPT_BACK_COHORT_BITS;
}

/** The hash as stored in a slot: never 0. */
static inline uint64_t kept_back_hash(const struct kept_back *kept, const struct name *name)
{
    uint64_t hash = hash_padded(&kept->key, name->octets, name->length);
    return hash == 0 ? 1 : hash;
}

/** The home slot of a hash in a shard. */
static inline uint32_t kept_back_home(const struct kept_back_shard *shard, uint64_t hash)
{
    return (uint32_t)((hash & UINT32_MAX) * shard->slots >> 32);
}
