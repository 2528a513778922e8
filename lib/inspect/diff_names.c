#include "inspect/diff_names.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum { NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1 };

/* ---- one name for all classes ---- */

static bool is_same(const struct diff_answer *a, const struct diff_answer *b)
{
    if (a->state == DIFF_ABSENT || a->state != b->state)
        return a->state == b->state;
    return a->reason == b->reason && a->data == b->data && a->count == b->count &&
           (a->count == 0 ||
            memcmp(a->addresses, b->addresses, a->count * sizeof *a->addresses) == 0);
}

/* Returns false if the class's answer does not change. */
static bool find_kind(const struct comparison *comparison, unsigned class, enum diff_kind *kind)
{
    const struct diff_answer *before = &comparison->sides[BEFORE].answers[class];
    const struct diff_answer *after = &comparison->sides[AFTER].answers[class];

    if (is_same(before, after))
        return false;
    if (before->state == DIFF_ABSENT)
        *kind = DIFF_APPEARS;
    else if (after->state == DIFF_ABSENT)
        *kind = DIFF_VANISHES;
    else if (before->state != after->state || before->reason != after->reason)
        *kind = DIFF_CODE;
    else
        *kind = DIFF_ADDRESSES;
    return true;
}

/* Returns the same change of the current name in another class, or NULL. */
static struct diff_change *find_alike(struct comparison *comparison, size_t first, unsigned class)
{
    for (size_t i = first; i < comparison->diff->change_count; i++) {
        struct diff_change *change = &comparison->diff->changes[i];
        if (is_same(&change->before, &comparison->sides[BEFORE].answers[class]) &&
            is_same(&change->after, &comparison->sides[AFTER].answers[class]))
            return change;
    }
    return NULL;
}

static bool keep_addresses(struct arena *arena, struct diff_answer *answer)
{
    if (answer->count == 0)
        return true;
    uint32_t *kept = arena_take(arena, answer->count * sizeof *kept);
    if (kept == NULL)
        return false;
    memcpy(kept, answer->addresses, answer->count * sizeof *kept);
    answer->addresses = kept;
    return true;
}

static const char *keep_name(struct arena *arena, const struct name *name)
{
    char octets[NAME_TEXT_MOST];
    struct text text = text_over(octets, sizeof octets);

    name_add(&text, name->octets);
    return arena_text(arena, octets, text_length(&text));
}

/* Copies the app's name on first use, because few apps change. */
static const char *keep_app(struct comparison *comparison)
{
    if (comparison->label == NULL || comparison->app != NULL)
        return comparison->app;
    comparison->app =
        arena_text(comparison->diff->arena, comparison->label, comparison->label_length);
    comparison->has_failed |= comparison->app == NULL;
    return comparison->app;
}

static void keep_change(struct comparison *comparison, const struct name *name, unsigned class,
                        enum diff_kind kind)
{
    struct diff *diff = comparison->diff;
    struct diff_change change = {
        .kind = kind,
        .classes = 1U << class,
        .space = comparison->space,
        .app = keep_app(comparison),
        .name = keep_name(diff->arena, name),
        .before = comparison->sides[BEFORE].answers[class],
        .after = comparison->sides[AFTER].answers[class],
    };

    diff->changes = arena_grow(diff->arena, diff->changes, diff->change_count,
                               &comparison->capacity, sizeof *diff->changes);
    if (diff->changes == NULL || change.name == NULL ||
        !keep_addresses(diff->arena, &change.before) || !keep_addresses(diff->arena, &change.after))
        comparison->has_failed = true;
    else
        diff->changes[diff->change_count++] = change;
}

/*
 * The names of each snapshot are walked in turn. Changes of names that had an answer are recorded
 * in the walk of the older snapshot, new names in that of the newer, so that none is recorded
 * twice.
 */
static void compare_name(struct comparison *comparison, const struct name *name, int side)
{
    struct diff *diff = comparison->diff;
    size_t first = diff->change_count;

    for (unsigned class = 0; class < DIFF_CLASSES && !comparison->has_failed; class ++) {
        enum diff_kind kind;
        diff_side_decide(&comparison->sides[BEFORE], class, name);
        diff_side_decide(&comparison->sides[AFTER], class, name);
        if (!find_kind(comparison, class, &kind) || (kind == DIFF_APPEARS) != (side == AFTER))
            continue;
        diff->classes[class].counts[kind]++;
        struct diff_change *alike = find_alike(comparison, first, class);
        if (alike != NULL)
            alike->classes |= 1U << class;
        else if (diff->change_count < comparison->changes_most)
            keep_change(comparison, name, class, kind);
        else
            diff->left_out++;
    }
}

/* ---- the names of a space ---- */

/* Compares the hosts of internal apps, which are the ones that are answered. */
static void walk_hosts(struct comparison *comparison, int side, const struct app_entry *app)
{
    const struct segment *segment = comparison->sides[side].segment;
    const struct name *suffix = &comparison->sides[side].snapshot->index.apps_suffix;
    struct name name;

    if ((app->flags & APP_INTERNAL) == 0)
        return;
    if ((app->flags & APP_PLAIN_DOMAIN) != 0 &&
        name_join(&name, segment_text(segment, app->name), app->name_length, suffix->octets,
                  suffix->length))
        compare_name(comparison, &name, side);
    for (unsigned i = 0; i < app->host_count; i++) {
        const struct host *host = &segment->hosts[app->hosts + i];
        const uint8_t *octets = segment->texts + host->octets;
        if (host->kind != HOST_PENDING &&
            name_join(&name, octets + 1, *octets, octets + 1 + *octets,
                      host->length - 1U - *octets))
            compare_name(comparison, &name, side);
    }
}

/* Makes TYPE.APP.app.localspace; types are stored as written, so letters are folded. */
static bool process_name(const struct diff_side *side, const struct app_entry *app,
                         const struct formation_entry *formation, struct name *name)
{
    char octets[2 * LABEL_MAX_OCTETS + 8 + NAME_MAX_OCTETS + 1] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    text_add(&text, segment_type(side->segment, formation), formation->type_length);
    text_add_string(&text, ".");
    text_add(&text, segment_text(side->segment, app->name), app->name_length);
    text_add_string(&text, ".app.");
    text_add_string(&text, side->snapshot->policy.suffixes.discovery);
    return !text.cut && name_from_text(octets, name);
}

static void walk_processes(struct comparison *comparison, int side, const struct app_entry *app)
{
    const struct diff_side *from = &comparison->sides[side];
    struct name name;

    if ((app->flags & APP_DISCOVERED) == 0)
        return;
    for (unsigned i = 0; i < app->formation_count; i++) {
        const struct formation_entry *formation = &from->segment->formations[app->formations + i];
        if (formation->type_length > 0 && process_name(from, app, formation, &name))
            compare_name(comparison, &name, side);
    }
}

static void walk_records(struct comparison *comparison, int side)
{
    const struct segment *segment = comparison->sides[side].segment;
    struct name name;

    for (size_t i = 0; segment != NULL && i < segment->host_count; i++) {
        const struct host *host = &segment->hosts[i];
        const uint8_t *octets = segment->texts + host->octets;
        if (host->kind == HOST_RECORDS &&
            name_join(&name, octets + 1, *octets, octets + 1 + *octets,
                      host->length - 1U - *octets))
            compare_name(comparison, &name, side);
    }
}

static const struct app_entry *find_app(const struct diff_side *side, const char *name,
                                        size_t length)
{
    struct index_entry entry;

    if (side->segment == NULL || !snapshot_find_app(side->snapshot, name, length, &entry) ||
        entry.segment != side->number || entry.kind == INDEX_HOST)
        return NULL;
    return &side->segment->apps[entry.number];
}

/* Compares one app: its names before, then those after. `before` or `after` may be NULL. */
static void compare_app(struct comparison *comparison, const struct app_entry *before,
                        const struct app_entry *after)
{
    const struct app_entry *app = before != NULL ? before : after;
    const struct diff_side *side = &comparison->sides[before != NULL ? BEFORE : AFTER];

    comparison->label = segment_text(side->segment, app->name);
    comparison->label_length = app->name_length;
    comparison->app = NULL;
    if (before != NULL) {
        walk_hosts(comparison, BEFORE, before);
        walk_processes(comparison, BEFORE, before);
    }
    if (after != NULL) {
        walk_hosts(comparison, AFTER, after);
        walk_processes(comparison, AFTER, after);
    }
}

void comparison_walk_names(struct comparison *comparison)
{
    const struct segment *old = comparison->sides[BEFORE].segment;
    const struct segment *new = comparison->sides[AFTER].segment;

    for (size_t i = 0; old != NULL && i < old->app_count && !comparison->has_failed; i++)
        compare_app(comparison, &old->apps[i],
                    find_app(&comparison->sides[AFTER], segment_text(old, old->apps[i].name),
                             old->apps[i].name_length));
    for (size_t i = 0; new != NULL &&i < new->app_count && !comparison->has_failed; i++)
        if (find_app(&comparison->sides[BEFORE], segment_text(new, new->apps[i].name),
                     new->apps[i].name_length) == NULL)
            compare_app(comparison, NULL, &new->apps[i]);
    comparison->label = comparison->app = NULL;
    walk_records(comparison, BEFORE);
    walk_records(comparison, AFTER);
}
