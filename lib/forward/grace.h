#pragma once
/**
 * Which threads may still be reading octets that are to be written over.
 *
 *     writer   unlink ── grace_advance: epoch e ── grace_is_over(e)? ── write over
 *     reader        ──(reads)── grace_pass ──(reads)── grace_pass ── grace_rest ── waits
 *                               └ sees the epoch and what was unlinked before it
 *
 * A reader takes no lock and counts nothing: it says now and then that it holds nothing of what it
 * has read before (grace_pass), and that it will not read for a while (grace_rest), before its
 * thread may block. What was unlinked before the epoch e can no longer be reached by a reader that
 * rests, or that has passed and seen e or a later epoch; when this holds for all, nobody reads it.
 *
 *     seen   0: rests · else the epoch when it passed last
 *
 * Why that holds. The advance comes after the unlinking, in the order of the program, and is a
 * release; a reader that loads e or more (acquire) therefore finds nothing that was unlinked before
 * e. Its store of `seen` is a release, too: whoever loads it (acquire) and writes afterwards does
 * so after the reader's last use. Only a reader that comes back from rest needs more, since the
 * writer may take it for resting while it reads already. So it first claims the oldest epoch, and
 * loads the epoch after that; both, the advance, and the writer's load of `seen` are sequentially
 * consistent. If the writer's load comes before the claim, the advance does too, and the reader's
 * load of the epoch sees it; if it comes after, the writer sees the claim.
 *
 * Each reader writes a cache line of its own, and only when the epoch has changed.
 *
 * Threads: a reader's functions are its thread's; the others' may be called by any.
 * Memory: never allocates; all zeros but for grace_init.
 */
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRACE_MEMBERS_MOST = 256, GRACE_LINE_OCTETS = 64, GRACE_FIRST_EPOCH = 1 };

struct grace_member {
    alignas(GRACE_LINE_OCTETS) _Atomic uint64_t seen; /* 0: it rests */
    _Atomic bool is_taken;
};

struct grace {
    alignas(GRACE_LINE_OCTETS) _Atomic uint64_t epoch;
    _Atomic uint32_t touched; /* those below this number may be taken */
    struct grace_member items[GRACE_MEMBERS_MOST];
};

void grace_init(struct grace *grace);

/** Takes a record for a thread; it rests. Returns NULL when all are taken. */
struct grace_member *grace_join(struct grace *grace);

/** Returns the record. NULL is allowed. */
void grace_leave(struct grace_member *member);

/** Comes back from rest. */
void grace_return(const struct grace *grace, struct grace_member *member);

/** Holds nothing of what it has read before; from now on it reads. */
static inline void grace_pass(const struct grace *grace, struct grace_member *member)
{
    uint64_t seen = atomic_load_explicit(&member->seen, memory_order_relaxed);
    uint64_t epoch = atomic_load_explicit(&grace->epoch, memory_order_acquire);

    if (seen == 0)
        grace_return(grace, member);
    else if (seen != epoch)
        atomic_store_explicit(&member->seen, epoch, memory_order_release);
}

/** Holds nothing, and reads nothing before grace_pass. */
static inline void grace_rest(struct grace_member *member)
{
    atomic_store_explicit(&member->seen, 0, memory_order_release);
}

static inline bool grace_rests(const struct grace_member *member)
{
    return atomic_load_explicit(&member->seen, memory_order_relaxed) == 0;
}

/** Begins an epoch, and returns it: for what was unlinked before. */
uint64_t grace_advance(struct grace *grace);

/**
 * True when no reader but `self` (NULL: none is left out) can still read what was unlinked before
 * the epoch. The caller vouches for itself. Once true for an epoch, it stays true.
 */
bool grace_is_over(const struct grace *grace, uint64_t epoch, const struct grace_member *self);
