#include "answer/fallen.h"

#include <string.h>

#include "answer/kept_back_change.h"

struct following {
    const struct snapshot *snapshot;
    const struct index *index; /* by which names are spelled */
    struct kept_back_change change;
    struct fallen_news *news;
};

static bool is_served(const struct snapshot *snapshot, const struct name *name)
{
    struct index_entry entry;

    return snapshot_find(snapshot, name, index_hash(&snapshot->index, name), &entry) &&
           snapshot_is_served(snapshot, &entry);
}

/* Is an app's or a host's name answered by its space, and for all types? */
static bool is_internal(const struct segment *segment, struct index_entry entry, bool *is_apex)
{
    const struct host *host = entry.is_host ? &segment->hosts[entry.number] : NULL;

    *is_apex = host != NULL && (host->flags & HOST_APEX) != 0;
    if (host == NULL)
        return (segment->apps[entry.number].flags & (APP_INTERNAL | APP_PLAIN_DOMAIN)) ==
               (APP_INTERNAL | APP_PLAIN_DOMAIN);
    if (host->kind == HOST_RECORDS)
        return true;
    return host->kind != HOST_PENDING && (segment->apps[host->owner].flags & APP_INTERNAL) != 0;
}

typedef void each_name(struct following *following, const struct segment *segment,
                       struct index_entry entry);

static void walk(struct following *following, const struct segment *segment, each_name *each)
{
    struct index_entry entry = {.is_host = false};

    for (entry.number = 0; entry.number < segment->app_count; entry.number++)
        each(following, segment, entry);
    entry.is_host = true;
    for (entry.number = 0; entry.number < segment->host_count; entry.number++)
        each(following, segment, entry);
}

static void keep_fallen(struct following *following, const struct segment *segment,
                        struct index_entry entry)
{
    struct fallen_news *news = following->news;
    size_t added = following->change.added;
    struct name name;
    bool is_apex;

    if (!is_internal(segment, entry, &is_apex))
        return;
    index_spell(following->index, segment, entry, &name);
    if (is_served(following->snapshot, &name))
        return;
    kept_back_change_add(&following->change, &name, is_apex);
    if (following->change.added > added && news->example_count < FALLEN_EXAMPLES)
        news->examples[news->example_count++] = name;
}

static void let_go(struct following *following, const struct segment *segment,
                   struct index_entry entry)
{
    struct name name;

    index_spell(following->index, segment, entry, &name);
    if (is_served(following->snapshot, &name))
        following->news->declared += kept_back_change_remove(&following->change, &name);
}

/* The discovery suffix of before, and whatever lies below it. */
static void keep_discovery(struct following *following, const char *suffix)
{
    struct name name, below;

    if (strcmp(suffix, following->snapshot->policy.suffixes.discovery) == 0 ||
        !name_from_text(suffix, &name) || !name_join(&below, "*", 1, name.octets, name.length))
        return;
    kept_back_change_add(&following->change, &name, false);
    kept_back_change_add(&following->change, &below, false);
}

static void keep_segments(struct following *following, const struct fallen_request *request,
                          size_t first, size_t end, const char *discovery)
{
    for (size_t i = first; i < end; i++) {
        const struct segment *segment = request->dropped[i];
        if (segment == NULL)
            continue;
        kept_back_change_cohort(&following->change, request->generation, request->now_s,
                                segment->name, segment->file);
        walk(following, segment, keep_fallen);
        if (discovery != NULL)
            keep_discovery(following, discovery);
    }
}

static void keep_all(struct following *following, const struct fallen_request *request)
{
    size_t ghosts = request->suffixes == NULL ? 0 : request->ghost_count;
    size_t first_ghost = request->dropped_count - ghosts;

    keep_segments(following, request, 0, first_ghost, NULL);
    if (ghosts == 0)
        return;
    struct index before = following->snapshot->index;
    if (!name_from_text(request->suffixes->apps, &before.apps_suffix))
        return;
    following->index = &before;
    keep_segments(following, request, first_ghost, request->dropped_count,
                  request->suffixes->discovery);
    following->index = &following->snapshot->index;
}

static void let_all_go(struct following *following, const struct fallen_request *request)
{
    const struct snapshot *snapshot = following->snapshot;

    for (size_t i = 0; i < snapshot->segment_count && request->before != NULL; i++)
        if (snapshot->segments[i] != NULL && request->added[i])
            walk(following, snapshot->segments[i], let_go);
}

bool fallen_follow(const struct snapshot *snapshot, const struct fallen_request *request,
                   struct kept_back **kept, struct fallen_news *news)
{
    struct following following = {.snapshot = snapshot, .index = &snapshot->index, .news = news};
    struct kept_back_change *change = &following.change;
    const struct policy *policy = &snapshot->policy;

    *news = (struct fallen_news){.added = 0};
    kept_back_change_begin(change, request->before, &snapshot->index.key);
    let_all_go(&following, request);
    keep_all(&following, request);
    news->added = change->added;
    news->expired =
        kept_back_change_expire(change, request->now_s - (int64_t)policy->kept_back_seconds);
    news->pushed_out = kept_back_change_limit(change, policy->kept_back_most);
    if (change->added == 0 && change->removed == 0 && !change->has_failed) {
        kept_back_change_drop(change);
        *kept = kept_back_hold((struct kept_back *)request->before);
        return true;
    }
    *kept = kept_back_change_finish(change);
    return !change->has_failed;
}
