#pragma once
/**
 * Maps a host name to the entry that owns it, and the names of spaces and all ids to theirs.
 *
 * An open-addressing hash table in 256 shards. A slot is eight octets:
 *
 *     63       40 39        24 23 22                 0
 *     tag: hash   segment      1  number + 1            a host
 *     tag: hash   segment      0  kind  number + 1      any other: two bits, 21 bits
 *
 * An app is found under its plain name NAME.herokuapp.com. The shard comes from
 * the top octet of the hash, home slot and tag from the same 24 bits below it, so that a shard can
 * be copied without hashing any name again. A slot of zero is empty; a shard is at most two thirds
 * full, so every probe ends.
 *
 * Every name of every kind is one key: apps under the apps suffix, hosts under their own name,
 * wildcards with the label "*" in front. What is unique like names, but is none, has keys that no
 * name is: a first octet above that of any label, and the text. So all of it is checked for clashes
 * and found again at the cost of what has changed.
 *
 * A shard is immutable and reference-counted. A new index shares all shards in which nothing
 * changed, so a reload costs only what changed. A file that is read again with the same names, in
 * the same order, changes none: its segment has the number of the one before.
 *
 * Of entries that claim one key one has it, and the others wait: each change looks at those anew,
 * so who has a key never depends on the order in which they came.
 *
 * Threads: immutable; holds belong to the control thread.  Memory: malloc per shard.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/segment.h"
#include "base/hash.h"
#include "wire/name.h"

enum { INDEX_SHARDS = 256, SEGMENT_MAX = 65535 };

struct index_shard {
    unsigned holds;
    uint32_t used;
    uint32_t mask; /* slots - 1 */
    uint64_t slots[];
};

struct index {
    struct hash_key key;
    struct name apps_suffix;
    struct index_shard *shards[INDEX_SHARDS];
    uint32_t masks[INDEX_SHARDS];  /* of the shards, contiguous: saves a cache miss per look-up */
    struct index_waiting *waiting; /* NULL: no entry waits */
};

/** What a key is of. Names only ever lead to apps and hosts. */
enum index_kind {
    INDEX_APP,      /* its plain name */
    INDEX_APP_ID,   /* apps and spaces share one set of ids */
    INDEX_SPACE_ID, /* number is 0 */
    INDEX_SPACE,    /* its name; number is 0 */
    INDEX_HOST,
    INDEX_NOTHING, /* of a guess alone: no slot has the hash's tag */
};

/** A slot decoded: the owner of a key. */
struct index_entry {
    uint16_t segment;
    uint8_t kind;    /* enum index_kind */
    uint32_t number; /* of the app or host within its segment */
};

/** Entries whose key another one has; immutable and reference-counted. */
struct index_waiting {
    unsigned holds;
    uint32_t count;
    struct index_entry entries[]; /* sorted by segment, kind and number */
};

static inline size_t index_waiting_octets(size_t count)
{
    return sizeof(struct index_waiting) + count * sizeof(struct index_entry);
}

/** Two entries that claim one key. `newer` comes from an added segment, or has waited. */
struct index_clash {
    struct index_entry newer;
    struct index_entry older;
};

/** The changes from one index to the next. */
struct index_change {
    const struct index *before;            /* NULL: none yet */
    const struct segment *const *segments; /* of the next snapshot, by number; NULL where unused */
    const struct segment *const *dropped; /* by number, of the previous snapshot; NULL where kept */
    const bool *added;                    /* by number: true when the segment is new */
    size_t segment_count;
};

/** Returns true when the newer one is to have the key. */
typedef bool index_clash_fn(void *context, const struct index_clash *clash);

/**
 * Fills `next` with the index after a change, sharing unchanged shards. Calls `on_clash` for each
 * clash; the entry that does not have the key waits.
 *
 * Returns false without memory; `next` is then closed again.
 */
bool index_build(struct index *next, const struct index_change *change, index_clash_fn *on_clash,
                 void *context);

/** Releases the shards. */
void index_close(struct index *index);

/** The hash of a name. */
static inline uint64_t index_hash(const struct index *index, const struct name *name)
{
    return hash_padded(&index->key, name->octets, name->length);
}

/** Prefetches the slots that index_guess will read. */
static inline void index_prefetch(const struct index *index, uint64_t hash)
{
    size_t shard = hash >> 56;
    __builtin_prefetch(&index->shards[shard]->slots[(hash >> 32 & 0xffffff) & index->masks[shard]]);
}

/**
 * The entry of the first slot of a name that has the hash's tag: of the name most likely, if there
 * is one. Only its slots are read. INDEX_NOTHING: there is no such name.
 */
struct index_entry index_guess(const struct index *index, uint64_t hash);

/** True when the entry, an app's or host's, is that of the name. */
bool index_is_of(const struct index *index, const struct segment *const *segments,
                 struct index_entry entry, const struct name *name);

/** Finds the entry of a name. `hash` is index_hash of it. */
bool index_find(const struct index *index, const struct segment *const *segments,
                const struct name *name, uint64_t hash, struct index_entry *found);

/** Finds the entry whose name has the hash; for who knows no more of it. */
bool index_find_hash(const struct index *index, const struct segment *const *segments,
                     uint64_t hash, struct index_entry *found);

/** Finds the app or space with an id. */
bool index_find_id(const struct index *index, const struct segment *const *segments, const char *id,
                   struct index_entry *found);

/** Finds the entry that has the key of one that waits. */
bool index_find_owner(const struct index *index, const struct segment *const *segments,
                      struct index_entry waiting, struct index_entry *owner);

/** Finds a space by its name. */
bool index_find_space(const struct index *index, const struct segment *const *segments,
                      const char *space, struct index_entry *found);

/** The name of an app or host in wire form; of an app, the plain one. */
void index_name(const struct index *index, const struct segment *segment, struct index_entry entry,
                struct name *name);

/** Fills `next` with an index that shares all shards. */
void index_share(struct index *next, const struct index *index);

/** Prefetches an entry that was guessed. */
void index_prefetch_entry(const struct segment *const *segments, struct index_entry guess);

/** Prefetches its text, once it is cached itself. */
void index_prefetch_text(const struct segment *const *segments, struct index_entry guess);

/** Memory of the shards in octets. */
size_t index_octets(const struct index *index);
