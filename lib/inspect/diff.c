#include "inspect/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "inspect/diff_side.h"

enum { NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1 };

enum { BEFORE, AFTER, SIDES };

struct comparing {
    struct diff *diff;
    size_t changes_most;
    size_t capacity;
    size_t other_capacity;
    struct diff_side sides[SIDES];
    const char *space; /* the diff's text */
    const char *label; /* the app whose names are at hand, not closed; NULL: records */
    size_t label_length;
    const char *app; /* the diff's text, made when first needed */
    bool is_whole;   /* the same file may be answered otherwise */
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

/* Returns false when the class's answer is no change. */
static bool find_kind(const struct comparing *comparing, unsigned class, enum diff_kind *kind)
{
    const struct diff_answer *before = &comparing->sides[BEFORE].answers[class];
    const struct diff_answer *after = &comparing->sides[AFTER].answers[class];

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

/* The change of the name at hand that another class has in the same way; NULL: none. */
static struct diff_change *find_alike(struct comparing *comparing, size_t first, unsigned class)
{
    for (size_t i = first; i < comparing->diff->change_count; i++) {
        struct diff_change *change = &comparing->diff->changes[i];
        if (is_same(&change->before, &comparing->sides[BEFORE].answers[class]) &&
            is_same(&change->after, &comparing->sides[AFTER].answers[class]))
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

/* Few apps change: only their names are copied. */
static const char *keep_app(struct comparing *comparing)
{
    if (comparing->label == NULL || comparing->app != NULL)
        return comparing->app;
    comparing->app = arena_text(comparing->diff->arena, comparing->label, comparing->label_length);
    comparing->has_failed |= comparing->app == NULL;
    return comparing->app;
}

static void keep_change(struct comparing *comparing, const struct name *name, unsigned class,
                        enum diff_kind kind)
{
    struct diff *diff = comparing->diff;
    struct diff_change change = {
        .kind = kind,
        .classes = 1U << class,
        .space = comparing->space,
        .app = keep_app(comparing),
        .name = keep_name(diff->arena, name),
        .before = comparing->sides[BEFORE].answers[class],
        .after = comparing->sides[AFTER].answers[class],
    };

    diff->changes = arena_grow(diff->arena, diff->changes, diff->change_count, &comparing->capacity,
                               sizeof *diff->changes);
    if (diff->changes == NULL || change.name == NULL ||
        !keep_addresses(diff->arena, &change.before) || !keep_addresses(diff->arena, &change.after))
        comparing->has_failed = true;
    else
        diff->changes[diff->change_count++] = change;
}

/*
 * Names of both sides are walked, each side's on its own. What had an answer is settled when the
 * names before are; what is new, when the names after are: so nothing is told twice.
 */
static void compare_name(struct comparing *comparing, const struct name *name, int side)
{
    struct diff *diff = comparing->diff;
    size_t first = diff->change_count;

    for (unsigned class = 0; class < DIFF_CLASSES && !comparing->has_failed; class ++) {
        enum diff_kind kind;
        diff_side_ask(&comparing->sides[BEFORE], class, name);
        diff_side_ask(&comparing->sides[AFTER], class, name);
        if (!find_kind(comparing, class, &kind) || (kind == DIFF_APPEARS) != (side == AFTER))
            continue;
        diff->classes[class].counts[kind]++;
        struct diff_change *alike = find_alike(comparing, first, class);
        if (alike != NULL)
            alike->classes |= 1U << class;
        else if (diff->change_count < comparing->changes_most)
            keep_change(comparing, name, class, kind);
        else
            diff->left_out++;
    }
}

/* ---- the names of a space ---- */

/* Calls compare_name for the hosts that clients are answered for: those of internal apps. */
static void walk_hosts(struct comparing *comparing, int side, const struct app_entry *app)
{
    const struct segment *segment = comparing->sides[side].segment;
    const struct name *suffix = &comparing->sides[side].snapshot->index.apps_suffix;
    struct name name;

    if ((app->flags & APP_INTERNAL) == 0)
        return;
    if ((app->flags & APP_PLAIN_DOMAIN) != 0 &&
        name_join(&name, segment_text(segment, app->name), app->name_length, suffix->octets,
                  suffix->length))
        compare_name(comparing, &name, side);
    for (unsigned i = 0; i < app->host_count; i++) {
        const struct host *host = &segment->hosts[app->hosts + i];
        const uint8_t *octets = segment->texts + host->octets;
        if (host->kind != HOST_PENDING &&
            name_join(&name, octets + 1, *octets, octets + 1 + *octets,
                      host->length - 1U - *octets))
            compare_name(comparing, &name, side);
    }
}

/* TYPE.APP.app.localspace; types are as written, so letters are folded. */
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

static void walk_processes(struct comparing *comparing, int side, const struct app_entry *app)
{
    const struct diff_side *from = &comparing->sides[side];
    struct name name;

    if ((app->flags & APP_DISCOVERED) == 0)
        return;
    for (unsigned i = 0; i < app->formation_count; i++) {
        const struct formation_entry *formation = &from->segment->formations[app->formations + i];
        if (formation->type_length > 0 && process_name(from, app, formation, &name))
            compare_name(comparing, &name, side);
    }
}

static void walk_records(struct comparing *comparing, int side)
{
    const struct segment *segment = comparing->sides[side].segment;
    struct name name;

    for (size_t i = 0; segment != NULL && i < segment->host_count; i++) {
        const struct host *host = &segment->hosts[i];
        const uint8_t *octets = segment->texts + host->octets;
        if (host->kind == HOST_RECORDS &&
            name_join(&name, octets + 1, *octets, octets + 1 + *octets,
                      host->length - 1U - *octets))
            compare_name(comparing, &name, side);
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

/* One app by name: its names before, then those after. `before` may be NULL, or `after`. */
static void compare_app(struct comparing *comparing, const struct app_entry *before,
                        const struct app_entry *after)
{
    const struct app_entry *app = before != NULL ? before : after;
    const struct diff_side *side = &comparing->sides[before != NULL ? BEFORE : AFTER];

    comparing->label = segment_text(side->segment, app->name);
    comparing->label_length = app->name_length;
    comparing->app = NULL;
    if (before != NULL) {
        walk_hosts(comparing, BEFORE, before);
        walk_processes(comparing, BEFORE, before);
    }
    if (after != NULL) {
        walk_hosts(comparing, AFTER, after);
        walk_processes(comparing, AFTER, after);
    }
}

/* ---- the spaces ---- */

static void enter(struct comparing *comparing, const struct numbered *before,
                  const struct numbered *after)
{
    const struct segment *segment = before != NULL ? before->segment : after->segment;

    diff_side_enter(&comparing->sides[BEFORE], before == NULL ? NULL : before->segment,
                    before == NULL ? 0 : before->number);
    diff_side_enter(&comparing->sides[AFTER], after == NULL ? NULL : after->segment,
                    after == NULL ? 0 : after->number);
    comparing->space = arena_text(comparing->diff->arena, segment->name, strlen(segment->name));
    comparing->has_failed |= comparing->space == NULL;
}

static bool has_access_change(const struct diff *diff, const char *space)
{
    for (size_t i = 0; i < diff->access.count; i++)
        if (strcmp(diff->access.items[i].space, space) == 0)
            return true;
    return false;
}

/* Only where nothing else is known to be otherwise: most changes of dynos show in addresses. */
static void add_others(struct comparing *comparing, const struct segment *old,
                       const struct segment *new)
{
    struct diff *diff = comparing->diff;
    const char *kinds[DIFF_OTHERS_MOST];
    size_t count = others_compare(old, new, kinds);

    for (size_t i = 0; i < count; i++) {
        struct diff_other *grown = arena_grow(diff->arena, diff->others, diff->other_count,
                                              &comparing->other_capacity, sizeof *grown);
        if (grown == NULL) {
            comparing->has_failed = true;
            return;
        }
        diff->others = grown;
        grown[diff->other_count++] =
            (struct diff_other){.space = comparing->space, .kind = kinds[i]};
    }
}

static void compare_names(struct comparing *comparing)
{
    const struct segment *old = comparing->sides[BEFORE].segment;
    const struct segment *new = comparing->sides[AFTER].segment;

    for (size_t i = 0; old != NULL && i < old->app_count && !comparing->has_failed; i++)
        compare_app(comparing, &old->apps[i],
                    find_app(&comparing->sides[AFTER], segment_text(old, old->apps[i].name),
                             old->apps[i].name_length));
    for (size_t i = 0; new != NULL &&i < new->app_count && !comparing->has_failed; i++)
        if (find_app(&comparing->sides[BEFORE], segment_text(new, new->apps[i].name),
                     new->apps[i].name_length) == NULL)
            compare_app(comparing, NULL, &new->apps[i]);
    comparing->label = comparing->app = NULL;
    walk_records(comparing, BEFORE);
    walk_records(comparing, AFTER);
}

static size_t count_changes(const struct diff *diff)
{
    return diff->change_count + diff->left_out + diff->settings.count;
}

/* A space by name; `before` may be NULL, or `after`. */
static void compare_space(struct comparing *comparing, const struct numbered *before,
                          const struct numbered *after)
{
    struct diff *diff = comparing->diff;
    size_t changes = count_changes(diff);

    enter(comparing, before, after);
    if (comparing->has_failed)
        return;
    const struct segment *old = comparing->sides[BEFORE].segment;
    const struct segment *new = comparing->sides[AFTER].segment;
    compare_names(comparing);
    if (old != NULL)
        guard_judge(&diff->guard, old, new);
    if (old == NULL || new == NULL)
        return;
    comparing->has_failed |= !ttl_compare(old, new, diff->arena, &diff->settings);
    if (count_changes(diff) == changes && !has_access_change(diff, comparing->space))
        add_others(comparing, old, new);
}

/* True when the answers are the same because the files are. */
static bool is_same_file(const struct segment *a, const struct segment *b)
{
    return a == b || (a->identity.content != 0 && a->identity.content == b->identity.content &&
                      a->identity.size == b->identity.size);
}

static int compare_spaces(const void *a, const void *b)
{
    return strcmp(((const struct numbered *)a)->segment->name,
                  ((const struct numbered *)b)->segment->name);
}

/* Lists the spaces that the other snapshot does not share, by name. Returns NULL without memory. */
static struct numbered *list_spaces(const struct comparing *comparing, int side, size_t *count)
{
    const struct snapshot *snapshot = comparing->sides[side].snapshot;
    const struct snapshot *other = comparing->sides[SIDES - 1 - side].snapshot;
    struct numbered *spaces = calloc(snapshot->segment_count + 1, sizeof *spaces);

    *count = 0;
    for (size_t i = 0; spaces != NULL && i < snapshot->segment_count; i++) {
        const struct segment *segment = snapshot->segments[i];
        bool is_shared =
            !comparing->is_whole && i < other->segment_count && other->segments[i] == segment;
        if (segment != NULL && !is_shared)
            spaces[(*count)++] = (struct numbered){.segment = segment, .number = (uint16_t)i};
    }
    if (spaces != NULL)
        qsort(spaces, *count, sizeof *spaces, compare_spaces);
    return spaces;
}

static void compare_all(struct comparing *comparing)
{
    size_t old_count, new_count, i = 0, j = 0;
    struct numbered *old = list_spaces(comparing, BEFORE, &old_count);
    struct numbered *new = list_spaces(comparing, AFTER, &new_count);

    comparing->has_failed = old == NULL || new == NULL;
    while (!comparing->has_failed && (i < old_count || j < new_count)) {
        int order = i == old_count ? 1 : j == new_count ? -1 : compare_spaces(&old[i], &new[j]);
        if (order != 0 || comparing->is_whole || !is_same_file(old[i].segment, new[j].segment))
            compare_space(comparing, order <= 0 ? &old[i] : NULL, order >= 0 ? &new[j] : NULL);
        i += order <= 0;
        j += order >= 0;
    }
    free(old);
    free(new);
}

/* ---- how many names there were ---- */

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

/* ---- the whole ---- */

static void compare(struct comparing *comparing)
{
    const struct snapshot *before = comparing->sides[BEFORE].snapshot;
    const struct snapshot *after = comparing->sides[AFTER].snapshot;
    struct diff *diff = comparing->diff;

    count_all(diff, before);
    if (!access_compare(before, after, diff->arena, &diff->access) ||
        !policy_compare(&before->policy, &after->policy, diff->arena, &diff->settings))
        comparing->has_failed = true;
    else
        compare_all(comparing);
    comparing->has_failed |= diff->guard.has_failed || comparing->sides[BEFORE].has_failed ||
                             comparing->sides[AFTER].has_failed;
}

struct diff *diff_new(const struct snapshot *before, const struct snapshot *after,
                      const struct diff_options *options)
{
    struct comparing comparing = {
        .diff = calloc(1, sizeof *comparing.diff),
        .changes_most = options->changes_most,
        .is_whole = before->policy.localspace_to != after->policy.localspace_to,
        .sides = {{.snapshot = before, .key = &before->index.key},
                  {.snapshot = after, .key = &before->index.key}},
    };
    struct diff *diff = comparing.diff;

    if (diff == NULL)
        return NULL;
    diff->arena = arena_new();
    diff->guard = (struct guard){.arena = diff->arena,
                                 .before = before,
                                 .after = after,
                                 .share_percent = options->guard_share_percent};
    if (diff->arena != NULL)
        compare(&comparing);
    bool has_failed = diff->arena == NULL || comparing.has_failed;
    diff_side_close(&comparing.sides[BEFORE]);
    diff_side_close(&comparing.sides[AFTER]);
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
