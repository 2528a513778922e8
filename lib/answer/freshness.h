#pragma once
/**
 * How fresh the answers are of a server that follows a registry, for _whoami, _why and explain.
 *
 *     control thread ──► freshness ──► workers
 *
 * One for all workers and all snapshots. The values are stored one by one: a reader may see those
 * of two moments, a second apart.
 *
 * Threads: written by the control thread, every second; read by any.
 * Memory: the owner's; it outlives every snapshot that points at it.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRESHNESS_NEVER UINT32_MAX

struct freshness {
    _Atomic uint64_t revision;    /* everything up to it is answered, but for what is kept back */
    _Atomic uint32_t age_s;       /* since the registry's last word; FRESHNESS_NEVER: none yet */
    _Atomic bool is_stale;        /* above the setting registry.stale_after_s */
    _Atomic(const char *) member; /* who said it: "10.1.0.3:2379"; constant as long as this */
};

static inline uint64_t freshness_revision(const struct freshness *freshness)
{
    return atomic_load_explicit(&freshness->revision, memory_order_relaxed);
}

static inline uint32_t freshness_age_s(const struct freshness *freshness)
{
    return atomic_load_explicit(&freshness->age_s, memory_order_relaxed);
}

static inline bool freshness_is_stale(const struct freshness *freshness)
{
    return atomic_load_explicit(&freshness->is_stale, memory_order_relaxed);
}

/** Never NULL. */
static inline const char *freshness_member(const struct freshness *freshness)
{
    const char *member = atomic_load_explicit(&freshness->member, memory_order_acquire);

    return member == NULL ? "" : member;
}
