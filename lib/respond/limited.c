#include "respond/limited.h"

static bool is_past(uint32_t at_s, uint32_t now_s)
{
    return now_s - at_s >= LIMITED_SECONDS;
}

static bool is_free(const struct limited_entry *entry, uint32_t now_s)
{
    return entry->requests == 0 || is_past(entry->last_s, now_s);
}

/* Its entry, else a free one, else the one with the fewest requests. */
static struct limited_entry *choose(struct limited_entry *set, uint64_t who, uint32_t now_s)
{
    struct limited_entry *chosen = &set[0];

    for (unsigned i = 0; i < LIMITED_WAYS; i++) {
        if (set[i].requests > 0 && set[i].who == who)
            return &set[i];
        bool is_better = is_free(&set[i], now_s) || set[i].requests < chosen->requests;
        if (is_better && !is_free(chosen, now_s))
            chosen = &set[i];
    }
    return chosen;
}

void limited_count(struct limited *limited, uint64_t who, uint64_t hash, uint32_t now_s)
{
    struct limited_entry *set = &limited->entries[hash % LIMITED_SETS * LIMITED_WAYS];
    struct limited_entry *entry = choose(set, who, now_s);
    bool was_free = is_free(entry, now_s);

    if (!was_free && entry->who != who) {
        limited->has_lost = true;
        limited->lost_s = now_s;
    }
    if (was_free || entry->who != who)
        *entry = (struct limited_entry){.who = who, .first_s = now_s};
    entry->requests++;
    entry->last_s = now_s;
}

void limited_list(const struct limited *limited, uint32_t now_s, struct limited_list *out)
{
    out->count = 0;
    out->has_more = limited->has_lost && !is_past(limited->lost_s, now_s);
    for (size_t i = 0; i < LIMITED_MOST; i++) {
        const struct limited_entry *entry = &limited->entries[i];
        if (!is_free(entry, now_s))
            out->items[out->count++] = (struct limited_one){.who = entry->who,
                                                            .requests = entry->requests,
                                                            .since_s = now_s - entry->first_s,
                                                            .ago_s = now_s - entry->last_s};
    }
}
