#include "answer/fallen.h"

#include <string.h>

#include "answer/kept_back_change.h"

struct fallen_search {
    const struct snapshot *snapshot;
    const struct index *index; /* whose suffixes spell the names */
    struct kept_back_change change;
    struct fallen_news *news;
};

static bool is_served(const struct snapshot *snapshot, const struct name *name)
{
    struct index_entry entry;

    return snapshot_find(snapshot, name, index_hash(&snapshot->index, name), &entry) &&
           snapshot_is_served(snapshot, &entry);
}

/* True when the space answers the name of an app or host; *is_apex: only for apex types. */
static bool is_internal(const struct segment *segment, struct index_entry entry, bool *is_apex)
{
    const struct host *host = entry.kind == INDEX_HOST ? &segment->hosts[entry.number] : NULL;

    *is_apex = host != NULL && (host->flags & HOST_APEX) != 0;
    if (host == NULL)
        return (segment->apps[entry.number].flags & (APP_INTERNAL | APP_PLAIN_DOMAIN)) ==
               (APP_INTERNAL | APP_PLAIN_DOMAIN);
    if (host->kind == HOST_RECORDS)
        return true;
    return host->kind != HOST_PENDING && (segment->apps[host->owner].flags & APP_INTERNAL) != 0;
}

typedef void each_name(struct fallen_search *search, const struct segment *segment,
                       struct index_entry entry);

static void walk(struct fallen_search *search, const struct segment *segment, each_name *each)
{
    struct index_entry entry = {.kind = INDEX_APP};

    for (entry.number = 0; entry.number < segment->app_count; entry.number++)
        each(search, segment, entry);
    entry.kind = INDEX_HOST;
    for (entry.number = 0; entry.number < segment->host_count; entry.number++)
        each(search, segment, entry);
}

static void keep_fallen(struct fallen_search *search, const struct segment *segment,
                        struct index_entry entry)
{
    struct fallen_news *news = search->news;
    size_t added = search->change.added;
    struct name name;
    bool is_apex;

    if (!is_internal(segment, entry, &is_apex))
        return;
    index_name(search->index, segment, entry, &name);
    if (is_served(search->snapshot, &name))
        return;
    kept_back_change_add(&search->change, &name, is_apex);
    if (search->change.added > added && news->example_count < FALLEN_EXAMPLES)
        news->examples[news->example_count++] = name;
}

static void let_go(struct fallen_search *search, const struct segment *segment,
                   struct index_entry entry)
{
    struct name name;

    index_name(search->index, segment, entry, &name);
    if (is_served(search->snapshot, &name))
        search->news->declared += kept_back_change_remove(&search->change, &name);
}

/* Keeps back the previous discovery suffix and every name below it. */
static void keep_discovery(struct fallen_search *search, const char *suffix)
{
    struct name name, below;

    if (strcmp(suffix, search->snapshot->policy.suffixes.discovery) == 0 ||
        !name_from_text(suffix, &name) || !name_join(&below, "*", 1, name.octets, name.length))
        return;
    kept_back_change_add(&search->change, &name, false);
    kept_back_change_add(&search->change, &below, false);
}

static void open_cohort(struct fallen_search *search, const struct fallen_request *request,
                        const struct segment *segment)
{
    kept_back_change_cohort(&search->change, request->generation, request->now_s, request->ran_s,
                            segment->name, segment->file);
}

static void keep_segments(struct fallen_search *search, const struct fallen_request *request,
                          size_t first, size_t end, const char *discovery)
{
    for (size_t i = first; i < end; i++) {
        const struct segment *segment = request->dropped[i];
        if (segment == NULL)
            continue;
        open_cohort(search, request, segment);
        walk(search, segment, keep_fallen);
        if (discovery != NULL)
            keep_discovery(search, discovery);
    }
}

static void keep_all(struct fallen_search *search, const struct fallen_request *request)
{
    size_t unserved_count = request->suffixes == NULL ? 0 : request->unserved_count;
    size_t first_unserved = request->dropped_count - unserved_count;

    keep_segments(search, request, 0, first_unserved, NULL);
    if (unserved_count == 0)
        return;
    struct index before = search->snapshot->index;
    if (!name_from_text(request->suffixes->apps, &before.apps_suffix))
        return;
    search->index = &before;
    keep_segments(search, request, first_unserved, request->dropped_count,
                  request->suffixes->discovery);
    search->index = &search->snapshot->index;
}

static bool is_of_name(struct index_entry entry)
{
    return entry.kind == INDEX_APP || entry.kind == INDEX_HOST;
}

/*
 * Keeps back the names that wait and that their owners do not answer. While a text declares them
 * their time begins anew with each change.
 */
static void keep_waiting(struct fallen_search *search, const struct fallen_request *request)
{
    const struct snapshot *snapshot = search->snapshot;
    const struct index_waiting *waiting = snapshot->index.waiting;
    size_t last = SIZE_MAX;

    for (uint32_t i = 0; waiting != NULL && i < waiting->count; i++) {
        struct index_entry entry = waiting->entries[i];
        const struct segment *segment = snapshot->segments[entry.segment];
        if (entry.segment != last)
            open_cohort(search, request, segment);
        last = entry.segment;
        if (is_of_name(entry))
            keep_fallen(search, segment, entry);
    }
}

/* What has waited may be served now, though its text has not changed. */
static void let_waiting_go(struct fallen_search *search, const struct snapshot *former)
{
    const struct index_waiting *waiting = former == NULL ? NULL : former->index.waiting;

    for (uint32_t i = 0; waiting != NULL && i < waiting->count; i++)
        if (is_of_name(waiting->entries[i]))
            let_go(search, former->segments[waiting->entries[i].segment], waiting->entries[i]);
}

static void let_all_go(struct fallen_search *search, const struct fallen_request *request)
{
    const struct snapshot *snapshot = search->snapshot;

    for (size_t i = 0; i < snapshot->segment_count && request->before != NULL; i++)
        if (snapshot->segments[i] != NULL && request->added[i])
            walk(search, snapshot->segments[i], let_go);
    if (request->before != NULL)
        let_waiting_go(search, request->former);
}

bool fallen_follow(const struct snapshot *snapshot, const struct fallen_request *request,
                   struct kept_back **kept, struct fallen_news *news)
{
    struct fallen_search search = {.snapshot = snapshot, .index = &snapshot->index, .news = news};
    struct kept_back_change *change = &search.change;
    const struct policy *policy = &snapshot->policy;

    *news = (struct fallen_news){.added = 0};
    kept_back_change_begin(change, request->before, &snapshot->index.key);
    let_all_go(&search, request);
    keep_waiting(&search, request);
    keep_all(&search, request);
    news->added = change->added;
    news->expired =
        kept_back_change_expire(change, request->ran_s - (int64_t)policy->kept_back_seconds);
    news->pushed_out = kept_back_change_limit(change, policy->kept_back_most);
    if (change->added == 0 && change->removed == 0 && !change->has_failed) {
        kept_back_change_drop(change);
        *kept = kept_back_hold((struct kept_back *)request->before);
        return true;
    }
    *kept = kept_back_change_finish(change);
    return !change->has_failed;
}
