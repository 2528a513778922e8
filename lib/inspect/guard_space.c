#include "inspect/guard_space.h"

#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "inspect/guard.h"
#include "wire/name.h"

/* A name of a segment: of an app, or in wire form of a host. */
struct entry {
    const uint8_t *octets;
    size_t length;
    uint32_t number;
};

struct entries {
    struct entry *items; /* sorted */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    const struct entry *one = a, *other = b;
    size_t shorter = one->length < other->length ? one->length : other->length;
    int order = memcmp(one->octets, other->octets, shorter);

    return order != 0 ? order : (one->length > other->length) - (one->length < other->length);
}

static const struct entry *find(const struct entries *entries, const struct entry *wanted)
{
    return entries->count == 0
               ? NULL
               : bsearch(wanted, entries->items, entries->count, sizeof *entries->items, compare);
}

static struct entry app_entry(const struct segment *segment, size_t number)
{
    const struct app_entry *app = &segment->apps[number];

    return (struct entry){segment->texts + app->name, app->name_length, (uint32_t)number};
}

static struct entry host_entry(const struct segment *segment, size_t number)
{
    const struct host *host = &segment->hosts[number];

    return (struct entry){segment->texts + host->octets, host->length, (uint32_t)number};
}

/* Returns false without memory. */
static bool list(const struct segment *segment, size_t count,
                 struct entry (*entry_of)(const struct segment *, size_t), struct entries *entries)
{
    *entries = (struct entries){.items = calloc(count + 1, sizeof *entries->items), count};
    if (entries->items == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        entries->items[i] = entry_of(segment, i);
    qsort(entries->items, count, sizeof *entries->items, compare);
    return true;
}

static bool is_too_much(size_t gone, size_t of, unsigned share_percent)
{
    return gone >= GUARD_LEAST && (uint64_t)gone * 100 > (uint64_t)of * share_percent;
}

/* ---- apps ---- */

static bool refuse_app(struct err *why, const struct segment *space, const struct app_entry *app,
                       const char *what)
{
    return err_set(why, ERR_RULE, "app %.*s %s", (int)app->name_length,
                   segment_text(space, app->name), what);
}

/* True when the document's own list counts for the web dynos. */
static bool has_own_web(const struct segment *segment, const struct app_entry *app)
{
    char name[NAME_MAX_OCTETS + 1];
    uint64_t revision;

    memcpy(name, segment_text(segment, app->name), app->name_length);
    name[app->name_length] = '\0';
    return !segment_find_key(segment, name, "web", &revision);
}

static bool judge_app(const struct segment *old, const struct app_entry *app,
                      const struct segment *next, const struct app_entry *later, struct err *why)
{
    if ((app->flags & APP_INTERNAL) == 0)
        return true;
    if (later == NULL)
        return refuse_app(why, old, app, "vanishes");
    if ((later->flags & APP_INTERNAL) == 0)
        return refuse_app(why, old, app, "has no internal routing any more");
    return app->web_up == 0 || later->web_up > 0 || !has_own_web(old, app) ||
           !has_own_web(next, later) || refuse_app(why, old, app, "loses all its addresses");
}

static bool judge_apps(const struct segment *old, const struct segment *next, unsigned share,
                       struct err *why)
{
    struct entries later;
    size_t gone = 0;
    bool may_change = true;

    if (!list(next, next->app_count, app_entry, &later))
        return err_set(why, ERR_MEMORY, "out of memory while judging the change");
    for (size_t i = 0; may_change && i < old->app_count; i++) {
        const struct entry wanted = app_entry(old, i), *found = find(&later, &wanted);
        gone += found == NULL;
        may_change = judge_app(old, &old->apps[i], next,
                               found == NULL ? NULL : &next->apps[found->number], why);
    }
    free(later.items);
    if (may_change && is_too_much(gone, old->app_count, share))
        return err_set(why, ERR_RULE, "%zu of %zu apps vanish, more than %u %%", gone,
                       old->app_count, share);
    return may_change;
}

/* ---- domains ---- */

static bool is_domain(const struct host *host)
{
    return host->kind == HOST_DOMAIN || host->kind == HOST_RECORDS;
}

static bool judge_domains(const struct segment *old, const struct segment *next, unsigned share,
                          struct err *why)
{
    struct entries later;
    size_t gone = 0, of = 0;

    if (!list(next, next->host_count, host_entry, &later))
        return err_set(why, ERR_MEMORY, "out of memory while judging the change");
    for (size_t i = 0; i < old->host_count; i++) {
        const struct entry wanted = host_entry(old, i);
        if (!is_domain(&old->hosts[i]))
            continue;
        of++;
        gone += find(&later, &wanted) == NULL;
    }
    free(later.items);
    return !is_too_much(gone, of, share) ||
           err_set(why, ERR_RULE, "%zu of %zu domains vanish, more than %u %%", gone, of, share);
}

bool guard_space(const struct segment *old, const struct segment *next, unsigned share_percent,
                 struct err *why)
{
    if (old->is_unready)
        return true;
    if (next == NULL)
        return err_set(why, ERR_RULE, "the space vanishes with its %zu app%s", old->app_count,
                       old->app_count == 1 ? "" : "s");
    if (old->router_up_count > 0 && next->router_up_count == 0)
        return err_set(why, ERR_RULE, "the space loses its last router that is up");
    return judge_apps(old, next, share_percent, why) &&
           judge_domains(old, next, share_percent, why);
}
