#include "inspect/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "inspect/diff_names.h"

/* A space of one snapshot. */
struct numbered {
    const struct segment *segment;
    uint16_t number;
};

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
    comparison_walk_names(comparison);
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
