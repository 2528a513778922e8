#include "forward/standing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "forward/server_list.h"

enum { PROBE_KINDS = 2 }; /* with recursion and without */

static_assert(sizeof(struct standing) % STANDING_LINE_OCTETS == 0,
              "each server has cache lines of its own");

/* ---- One server ---- */

static uint32_t read_count(const _Atomic uint32_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void set_count(_Atomic uint32_t *value, uint32_t to)
{
    atomic_store_explicit(value, to, memory_order_relaxed);
}

static void set_time(_Atomic uint64_t *value, uint64_t to)
{
    atomic_store_explicit(value, to, memory_order_relaxed);
}

static bool change_state(struct standing *standing, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(&standing->state, &from, to,
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* Suspects the server when it ignored both kinds of probes and then replied to a client. */
static void update_mute(struct standing *standing, bool to_probe)
{
    uint32_t mute = read_count(&standing->mute);

    if (to_probe && mute != MUTE_UNKNOWN) {
        set_count(&standing->mute, MUTE_UNKNOWN);
    } else if (!to_probe && mute == MUTE_UNKNOWN && standing_state(standing) != STANDING_WELL &&
               read_count(&standing->probes_silent) >= PROBE_KINDS) {
        set_count(&standing->probes_silent, 0);
        set_count(&standing->mute, MUTE_SUSPECTED);
    }
}

/* Writes only what changes: all workers share the cache line. */
bool standing_on_reply(struct standing *standing, bool to_probe, uint64_t now_ms)
{
    update_mute(standing, to_probe);
    if (standing_last_reply_ms(standing) < now_ms)
        set_time(&standing->last_reply_ms, now_ms);
    if (read_count(&standing->silent) != 0)
        set_count(&standing->silent, 0);
    if (read_count(&standing->state) == STANDING_WELL)
        return false;
    return atomic_exchange_explicit(&standing->state, STANDING_WELL, memory_order_relaxed) ==
           STANDING_FAILING;
}

bool standing_on_silence(struct standing *standing, uint64_t sent_ms, uint64_t now_ms)
{
    if (standing_last_reply_ms(standing) >= sent_ms || standing_state(standing) != STANDING_WELL)
        return false;
    uint32_t silent = atomic_fetch_add_explicit(&standing->silent, 1, memory_order_relaxed) + 1;
    if (silent < STANDING_SILENT_MOST)
        return false;
    set_count(&standing->probes_silent, 0);
    if (atomic_load_explicit(&standing->probe_due_ms, memory_order_relaxed) < now_ms)
        set_time(&standing->probe_due_ms, now_ms);
    return change_state(standing, STANDING_WELL, STANDING_IN_DOUBT);
}

static bool is_enough(const struct standing *standing, uint32_t silent)
{
    return silent >=
           (read_count(&standing->mute) == MUTE_KNOWN ? STANDING_MUTE_MOST : STANDING_PROBES_MOST);
}

bool standing_on_probe_silence(struct standing *standing, uint64_t sent_ms)
{
    bool is_well = standing_state(standing) == STANDING_WELL;
    bool is_suspected = read_count(&standing->mute) == MUTE_SUSPECTED;

    /*
     * A reply to a client since then shows that the server is up. While it is suspected, that is
     * expected, and only its silence to probes counts.
     */
    if (is_well ? !is_suspected
                : standing_last_reply_ms(standing) >= sent_ms ||
                      standing_state(standing) != STANDING_IN_DOUBT)
        return false;
    uint32_t silent =
        atomic_fetch_add_explicit(&standing->probes_silent, 1, memory_order_relaxed) + 1;
    if (is_well) {
        if (silent >= PROBE_KINDS)
            set_count(&standing->mute, MUTE_KNOWN);
        return false;
    }
    return is_enough(standing, silent) &&
           change_state(standing, STANDING_IN_DOUBT, STANDING_FAILING);
}

/* Moves on what is due. Returns true to the one caller that did. */
static bool claim(_Atomic uint64_t *due, uint64_t now_ms, uint64_t pause_ms)
{
    uint64_t due_ms = atomic_load_explicit(due, memory_order_relaxed);

    return due_ms <= now_ms &&
           atomic_compare_exchange_strong_explicit(due, &due_ms, now_ms + pause_ms,
                                                   memory_order_relaxed, memory_order_relaxed);
}

bool standing_claim_probe(struct standing *standing, uint64_t now_ms)
{
    return standing_is_watched(standing) &&
           claim(&standing->probe_due_ms, now_ms, STANDING_PROBE_MS);
}

bool standing_claim_trial(struct standing *standing, uint64_t now_ms)
{
    return standing_state(standing) == STANDING_FAILING &&
           claim(&standing->trial_due_ms, now_ms, STANDING_TRIAL_MS);
}

bool standing_count_probe(struct standing *standing)
{
    return atomic_fetch_add_explicit(&standing->probes, 1, memory_order_relaxed) % 2 == 0;
}

/* ---- Quirks ---- */

void quirk_note(struct quirk *quirk, uint64_t name, uint64_t now_ms)
{
    name += name == 0;
    if (quirk_is_known(quirk, now_ms))
        return;
    uint64_t first = atomic_exchange_explicit(&quirk->name, name, memory_order_relaxed);
    if (first != 0 && first != name)
        set_time(&quirk->until_ms, now_ms + QUIRK_MS);
}

/* Reads before writing: every answer gets here. */
void quirk_deny(struct quirk *quirk)
{
    if (atomic_load_explicit(&quirk->name, memory_order_relaxed) != 0)
        atomic_store_explicit(&quirk->name, 0, memory_order_relaxed);
}

/* ---- A list of servers ---- */

static struct standing *standing_new(void)
{
    struct standing *standing = aligned_alloc(STANDING_LINE_OCTETS, sizeof *standing);

    if (standing == NULL)
        return NULL;
    memset(standing, 0, sizeof *standing);
    atomic_init(&standing->holds, 1);
    return standing;
}

static void release(struct standing *standing)
{
    if (atomic_fetch_sub_explicit(&standing->holds, 1, memory_order_acq_rel) == 1)
        free(standing);
}

/* Returns the server's earlier standing, held once more, or a new one; NULL without memory. */
static struct standing *take_over(const struct standings *before, const struct upstream *upstream)
{
    struct server_list servers = {.count = 0};

    if (before != NULL)
        server_list_fill(&servers, &before->zones);
    for (size_t number = 0; number < servers.count; number++) {
        if (!upstream_equals(servers.items[number], upstream))
            continue;
        atomic_fetch_add_explicit(&before->items[number]->holds, 1, memory_order_relaxed);
        return before->items[number];
    }
    return standing_new();
}

static bool fill(struct standings *standings, const struct upstream_zones *zones,
                 const struct standings *before)
{
    struct server_list servers;

    if (!upstream_zones_copy(standings->arena, zones, &standings->zones))
        return false;
    server_list_fill(&servers, &standings->zones);
    for (size_t number = 0; number < servers.count; number++) {
        standings->items[number] = take_over(before, servers.items[number]);
        if (standings->items[number] == NULL)
            return false;
        standings->count++;
    }
    return true;
}

struct standings *standings_new(const struct upstream_zones *zones, const struct standings *before,
                                size_t cache_octets, struct err *err)
{
    struct arena *arena = arena_new();
    struct standings *standings = arena == NULL ? NULL : arena_take(arena, sizeof *standings);

    if (standings == NULL) {
        arena_free(arena);
        err_set(err, ERR_MEMORY, "no memory for what is known of upstreams");
        return NULL;
    }
    standings->arena = arena;
    atomic_init(&standings->holds, 1);
    bool is_filled = fill(standings, zones, before);
    if (!is_filled)
        err_set(err, ERR_MEMORY, "no memory for what is known of upstreams");
    if (is_filled && cache_octets > 0)
        standings->cache = cache_new(cache_octets, err);
    if (is_filled && (cache_octets == 0 || standings->cache != NULL))
        return standings;
    standings_release(standings);
    return NULL;
}

struct standings *standings_hold(struct standings *standings)
{
    if (standings != NULL)
        atomic_fetch_add_explicit(&standings->holds, 1, memory_order_relaxed);
    return standings;
}

void standings_release(struct standings *standings)
{
    if (standings == NULL ||
        atomic_fetch_sub_explicit(&standings->holds, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t number = 0; number < standings->count; number++)
        release(standings->items[number]);
    cache_free(standings->cache);
    arena_free(standings->arena);
}
