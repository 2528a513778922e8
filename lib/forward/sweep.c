#include "forward/sweep.h"

#include <string.h>

struct sweeping {
    struct sweep *sweep;
    struct failures *failures;
    uint32_t now_s;
};

/* At most LABEL_MAX_COUNT turns: the name is well-formed, and every turn passes a label. */
static bool is_below(const uint8_t *name, size_t length, const struct name *above)
{
    while (length > above->length) {
        size_t label = 1U + name[0];
        name += label;
        length -= label;
    }
    return name_equals(above, name, length);
}

bool sweep_is_for(const struct sweep *sweep, const uint8_t *name, size_t length)
{
    for (size_t i = 0; i < sweep->name_count; i++)
        if (sweep->with_below ? is_below(name, length, &sweep->names[i])
                              : name_equals(&sweep->names[i], name, length))
            return true;
    return sweep->name_count == 0;
}

static bool is_of_use(const struct cache_entry *entry, uint32_t now_s)
{
    return cache_entry_is_fresh(entry, now_s) || cache_entry_is_stale(entry, now_s) ||
           now_s < cache_entry_failure(entry).until_s;
}

static void list(struct sweep *sweep, const struct cache_entry *entry, uint32_t now_s)
{
    if (sweep->listed_count == SWEEP_LISTED_MOST)
        return;
    sweep->listed[sweep->listed_count++] = (struct swept_entry){
        .state = cached_state_of(entry, now_s),
        .type = entry->type,
        .class = entry->class,
        .rcode = entry->has_response ? cache_response(entry)->rcode : 0,
        .bits = entry->bits,
    };
}

static void forget_failure(const struct sweeping *sweeping, uint64_t hash)
{
    struct failure failure;

    if (!failures_find(sweeping->failures, hash, sweeping->now_s, &failure))
        return;
    failures_forget(sweeping->failures, hash);
    sweeping->sweep->failures++;
}

/* Returns true for an entry to be removed. */
static bool meet(void *context, const struct cache_entry *entry)
{
    const struct sweeping *sweeping = context;
    struct sweep *sweep = sweeping->sweep;

    if (!sweep_is_for(sweep, cache_entry_name(entry), entry->name_length))
        return false;
    if (is_of_use(entry, sweeping->now_s)) {
        sweep->entries++;
        list(sweep, entry, sweeping->now_s);
    }
    if (sweep->kind != SWEEP_FLUSH)
        return false;
    forget_failure(sweeping, entry->hash);
    return true;
}

/* Entries that were evicted may have left failures, too. */
static void flush_all(struct sweep *sweep, struct cache *cache, struct failures *failures,
                      uint32_t now_s)
{
    sweep->entries = cache_use(cache).entries;
    cache_flush(cache);
    sweep->failures = failures_forget_all(failures, now_s);
}

bool sweep_go_on(struct sweep *sweep, struct cache *cache, struct failures *failures,
                 uint32_t now_s)
{
    struct sweeping sweeping = {.sweep = sweep, .failures = failures, .now_s = now_s};

    if (sweep->kind == SWEEP_NOTHING)
        return true;
    if (sweep->kind == SWEEP_FLUSH && sweep->name_count == 0) {
        flush_all(sweep, cache, failures, now_s);
        return true;
    }
    return cache_walk(cache, &sweep->line, SWEEP_LINES, meet, &sweeping);
}
