#pragma once
/**
 * Makes the next table of kept-back names from the one before.
 *
 *     begin(before) ──► cohort, add ... ──► remove, expire, limit ... ──► finish
 *
 * Nothing of `before` is written: shards are copied when first touched.
 *
 * Threads: whoever loads snapshots.  Memory: a change that is not finished is dropped with
 * kept_back_change_drop.
 */
#include "answer/kept_back.h"

struct kept_back_change {
    struct kept_back *next;         /* NULL: no memory */
    bool touched[KEPT_BACK_SHARDS]; /* the shard is next's own */
    struct kept_back_cohort *open;  /* that names are added to; NULL: none */
    struct kept_back_cohort said;   /* what it is to be like, once it has a name */
    uint32_t number;                /* of the open one */
    uint8_t *names;                 /* of the open one, so far */
    size_t octets, capacity;
    size_t added, removed;
    bool has_failed; /* no memory */
};

/** Begins. `before` may be NULL and is only read. */
void kept_back_change_begin(struct kept_back_change *change, const struct kept_back *before,
                            const struct hash_key *key);

/** Names that are added from now on fell out so; `space` and `file` are borrowed until finish. */
void kept_back_change_cohort(struct kept_back_change *change, uint64_t generation, int64_t since_s,
                             const char *space, const char *file);

/** Keeps a name back; one that is already goes over to this cohort. */
void kept_back_change_add(struct kept_back_change *change, const struct name *name, bool is_apex);

/** Lets go of a name. Returns whether it was kept back. */
bool kept_back_change_remove(struct kept_back_change *change, const struct name *name);

/** Lets go of what fell out at that time or before. Returns how many names. */
size_t kept_back_change_expire(struct kept_back_change *change, int64_t until_s);

/** Lets go of the oldest names above `most`, and counts them. Returns how many. */
size_t kept_back_change_limit(struct kept_back_change *change, size_t most);

/**
 * Ends. Returns the table with one hold, NULL when nothing is kept back or, with has_failed, there
 * is no memory.
 */
struct kept_back *kept_back_change_finish(struct kept_back_change *change);

void kept_back_change_drop(struct kept_back_change *change);
