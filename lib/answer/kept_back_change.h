#pragma once
/**
 * Makes the next table of kept-back names from the previous one.
 *
 *     begin(before) ──► cohort, add ... ──► remove, expire, limit ... ──► finish
 *
 * Nothing of `before` is written: shards are copied when first touched.
 *
 * Threads: the one that loads snapshots.  Memory: a change that is not finished is dropped with
 * kept_back_change_drop.
 */
#include "answer/kept_back.h"

struct kept_back_change {
    struct kept_back *next;         /* NULL: no memory */
    bool touched[KEPT_BACK_SHARDS]; /* the shard belongs to `next` alone */
    struct kept_back_cohort *open;  /* to which names are added; NULL: none */
    bool is_numbered;               /* the open one has a name */
    uint32_t number;                /* of the open one, then */
    bool is_unlisted;               /* the state folder has the names that are added */
    uint8_t *names;                 /* of the open one, so far */
    size_t octets, capacity;
    size_t added, removed;
    bool has_failed; /* no memory */
};

/** Begins. `before` may be NULL and is only read. */
void kept_back_change_begin(struct kept_back_change *change, const struct kept_back *before,
                            const struct hash_key *key);

/** Begins the cohort of the names added next; `space` and `file` are copied. */
void kept_back_change_cohort(struct kept_back_change *change, uint64_t generation, int64_t since_s,
                             int64_t ran_s, const char *space, const char *file);

/** Keeps a name back; one that already is moves to this cohort. */
void kept_back_change_add(struct kept_back_change *change, const struct name *name, bool is_apex);

/** Releases a name. Returns whether it was kept back. */
bool kept_back_change_remove(struct kept_back_change *change, const struct name *name);

/** Releases the names lost at that running time or earlier. Returns how many. */
size_t kept_back_change_expire(struct kept_back_change *change, int64_t until_s);

/** Releases the oldest names above `most`, any of a cohort, and counts them. Returns how many. */
size_t kept_back_change_limit(struct kept_back_change *change, size_t most);

/**
 * Ends the change. Returns the table with one hold; NULL when nothing is kept back or, with
 * has_failed set, without memory.
 */
struct kept_back *kept_back_change_finish(struct kept_back_change *change);

void kept_back_change_drop(struct kept_back_change *change);
