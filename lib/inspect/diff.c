#include "inspect/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "inspect/diff_side.h"

enum { NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1 };

enum { BEFORE, AFTER, SIDES };

struct comparison {
    struct diff *diff;
    size_t changes_most;
    size_t capacity;
    size_t other_capacity;
    struct diff_side sides[SIDES];
    const char *space; /* the diff's text */
    const char *label; /* the current app, not zero-terminated; NULL: records */
    size_t label_length;
    const char *app; /* the diff's text, made on first use */
    bool is_whole;   /* equal files may be answered differently */
    bool has_failed; /* no memory */
};

/* A space of one snapshot. */
struct numbered {
    const struct segment *segment;
    uint16_t number;
};

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

    text_add(&text, segment_text(side->segment, formation->type), formation->type_length);
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
        entry.segment != side->number || entry.is_host)
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

/* ---- the spaces ---- */

static void enter(struct comparison *comparison, const struct numbered *before,
                  const struct numbered *after)
{
    const struct segment *segment = before != NULL ? before->segment : after->segment;

    diff_side_enter(&comparison->sides[BEFORE], before == NULL ? NULL : before->segment,
                    before == NULL ? 0 : before->number);
    diff_side_enter(&comparison->sides[AFTER], after == NULL ? NULL : after->segment,
                    after == NULL ? 0 : after->number);
    comparison->space = arena_text(comparison->diff->arena, segment->name, strlen(segment->name));
    comparison->has_failed |= comparison->space == NULL;
}

static bool has_access_change(const struct diff *diff, const char *space)
{
    for (size_t i = 0; i < diff->access.count; i++)
        if (strcmp(diff->access.items[i].space, space) == 0)
            return true;
    return false;
}

/* Only for spaces without other changes: most changes of dynos show in addresses. */
static void add_others(struct comparison *comparison, const struct segment *old,
                       const struct segment *new)
{
    struct diff *diff = comparison->diff;
    const char *kinds[DIFF_OTHERS_MOST];
    size_t count = others_compare(old, new, kinds);

    for (size_t i = 0; i < count; i++) {
        struct diff_other *grown = arena_grow(diff->arena, diff->others, diff->other_count,
                                              &comparison->other_capacity, sizeof *grown);
        if (grown == NULL) {
            comparison->has_failed = true;
            return;
        }
        diff->others = grown;
        grown[diff->other_count++] =
            (struct diff_other){.space = comparison->space, .kind = kinds[i]};
    }
}

static void compare_names(struct comparison *comparison)
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

static size_t count_changes(const struct diff *diff)
{
    return diff->change_count + diff->left_out + diff->settings.count;
}

/* Compares one space; `before` or `after` may be NULL. */
static void compare_space(struct comparison *comparison, const struct numbered *before,
                          const struct numbered *after)
{
    struct diff *diff = comparison->diff;
    size_t changes = count_changes(diff);

    enter(comparison, before, after);
    if (comparison->has_failed)
        return;
    const struct segment *old = comparison->sides[BEFORE].segment;
    const struct segment *new = comparison->sides[AFTER].segment;
    compare_names(comparison);
    if (old != NULL)
        guard_judge(&diff->guard, old, new);
    if (old == NULL || new == NULL)
        return;
    comparison->has_failed |= !space_settings_compare(old, new, diff->arena, &diff->settings);
    if (count_changes(diff) == changes && !has_access_change(diff, comparison->space))
        add_others(comparison, old, new);
}

/* True if the answers are the same because the files are. */
static bool is_same_file(const struct segment *a, const struct segment *b)
{
    return a == b || (a->identity.content != 0 && a->identity.content == b->identity.content &&
                      a->identity.length == b->identity.length);
}

static int compare_spaces(const void *a, const void *b)
{
    return strcmp(((const struct numbered *)a)->segment->name,
                  ((const struct numbered *)b)->segment->name);
}

/* Lists the spaces not shared with the other snapshot, by name. Returns NULL if memory runs out. */
static struct numbered *list_spaces(const struct comparison *comparison, int side, size_t *count)
{
    const struct snapshot *snapshot = comparison->sides[side].snapshot;
    const struct snapshot *other = comparison->sides[SIDES - 1 - side].snapshot;
    struct numbered *spaces = calloc(snapshot->segment_count + 1, sizeof *spaces);

    *count = 0;
    for (size_t i = 0; spaces != NULL && i < snapshot->segment_count; i++) {
        const struct segment *segment = snapshot->segments[i];
        bool is_shared =
            !comparison->is_whole && i < other->segment_count && other->segments[i] == segment;
        if (segment != NULL && !is_shared)
            spaces[(*count)++] = (struct numbered){.segment = segment, .number = (uint16_t)i};
    }
    if (spaces != NULL)
        qsort(spaces, *count, sizeof *spaces, compare_spaces);
    return spaces;
}

static void compare_all(struct comparison *comparison)
{
    size_t old_count, new_count, i = 0, j = 0;
    struct numbered *old = list_spaces(comparison, BEFORE, &old_count);
    struct numbered *new = list_spaces(comparison, AFTER, &new_count);

    comparison->has_failed = old == NULL || new == NULL;
    while (!comparison->has_failed && (i < old_count || j < new_count)) {
        int order = i == old_count ? 1 : j == new_count ? -1 : compare_spaces(&old[i], &new[j]);
        if (order != 0 || comparison->is_whole || !is_same_file(old[i].segment, new[j].segment))
            compare_space(comparison, order <= 0 ? &old[i] : NULL, order >= 0 ? &new[j] : NULL);
        i += order <= 0;
        j += order >= 0;
    }
    free(old);
    free(new);
}

/* ---- the number of names before ---- */

static bool has_connections(const struct segment *segment, enum connection_kind kind)
{
    for (size_t i = 0; i < segment->connection_count; i++)
        if (segment->connections[i].kind == kind && segment->connections[i].grants &&
            segment->connections[i].block_count > 0)
            return true;
    return false;
}

static void count_names(const struct segment *segment, size_t *hosts, size_t *processes)
{
    *hosts = *processes = 0;
    for (size_t i = 0; i < segment->app_count; i++) {
        const struct app_entry *app = &segment->apps[i];
        if ((app->flags & APP_INTERNAL) != 0)
            *hosts += (size_t)app->host_count + ((app->flags & APP_PLAIN_DOMAIN) != 0);
        if ((app->flags & APP_DISCOVERED) != 0)
            *processes += app->formation_count;
    }
    for (size_t i = 0; i < segment->host_count; i++)
        *hosts += segment->hosts[i].kind == HOST_RECORDS;
}

static void count_all(struct diff *diff, const struct snapshot *before)
{
    for (size_t i = 0; i < before->segment_count; i++) {
        const struct segment *segment = before->segments[i];
        size_t hosts, processes;
        if (segment == NULL)
            continue;
        const bool has[DIFF_CLASSES] = {[CLIENT_SPACE] = true,
                                        [CLIENT_PEERED] =
                                            has_connections(segment, CONNECTION_PEERING),
                                        [CLIENT_VPN] = has_connections(segment, CONNECTION_VPN)};
        count_names(segment, &hosts, &processes);
        for (unsigned class = 0; class < DIFF_CLASSES; class ++) {
            bool asks_processes = (before->policy.localspace_to >> class & 1) != 0;
            diff->classes[class].names += has[class] ? hosts + (asks_processes ? processes : 0) : 0;
        }
    }
}

/* ---- the whole diff ---- */

static void compare(struct comparison *comparison)
{
    const struct snapshot *before = comparison->sides[BEFORE].snapshot;
    const struct snapshot *after = comparison->sides[AFTER].snapshot;
    struct diff *diff = comparison->diff;

    count_all(diff, before);
    if (!access_compare(before, after, diff->arena, &diff->access) ||
        !policy_compare(&before->policy, &after->policy, diff->arena, &diff->settings))
        comparison->has_failed = true;
    else
        compare_all(comparison);
    comparison->has_failed |= diff->guard.has_failed || comparison->sides[BEFORE].has_failed ||
                              comparison->sides[AFTER].has_failed;
}

struct diff *diff_new(const struct snapshot *before, const struct snapshot *after,
                      const struct diff_options *options)
{
    struct comparison comparison = {
        .diff = calloc(1, sizeof *comparison.diff),
        .changes_most = options->changes_most,
        .is_whole = before->policy.localspace_to != after->policy.localspace_to,
        .sides = {{.snapshot = before, .key = &before->index.key},
                  {.snapshot = after, .key = &before->index.key}},
    };
    struct diff *diff = comparison.diff;

    if (diff == NULL)
        return NULL;
    diff->arena = arena_new();
    diff->guard = (struct guard){.arena = diff->arena,
                                 .before = before,
                                 .after = after,
                                 .share_percent = options->guard_share_percent};
    if (diff->arena != NULL)
        compare(&comparison);
    bool has_failed = diff->arena == NULL || comparison.has_failed;
    diff_side_close(&comparison.sides[BEFORE]);
    diff_side_close(&comparison.sides[AFTER]);
    if (!has_failed)
        return diff;
    diff_free(diff);
    return NULL;
}

void diff_free(struct diff *diff)
{
    if (diff == NULL)
        return;
    arena_free(diff->arena);
    free(diff);
}

bool diff_has_changes(const struct diff *diff)
{
    return count_changes(diff) > 0 || diff->access.count > 0 || diff->other_count > 0 ||
           diff->guard.count > 0;
}
