#include "answer/restating.h"

#include <stdlib.h>
#include <string.h>

/* ---- the outcome ---- */

static bool add(const struct dyno_key ***list, size_t *count, const struct dyno_key *key)
{
    /* Room is doubled whenever the list is full, at powers of two. */
    if ((*count & (*count - 1)) == 0) {
        size_t room = *count == 0 ? 1 : 2 * *count;
        const struct dyno_key **moved = realloc(*list, room * sizeof *moved);
        if (moved == NULL)
            return false;
        *list = moved;
    }
    (*list)[(*count)++] = key;
    return true;
}

bool restate_add_unused(struct restate_outcome *outcome, const struct dyno_key *key)
{
    return add(&outcome->unused, &outcome->unused_count, key);
}

bool restate_add_refused(struct restate_outcome *outcome, const struct dyno_key *key)
{
    return add(&outcome->refused, &outcome->refused_count, key);
}

void restate_outcome_close(struct restate_outcome *outcome)
{
    free(outcome->unused);
    free(outcome->refused);
    *outcome = (struct restate_outcome){.report = outcome->report};
}

/* ---- a snapshot ---- */

/* The keys from the first one that are of its space. */
static size_t count_of_space(const struct dyno_key *const *keys, size_t count)
{
    size_t same = 1;

    while (same < count && strcmp(keys[same]->space, keys[0]->space) == 0)
        same++;
    return same;
}

static bool add_all_unused(struct restate_outcome *outcome, const struct dyno_key *const *keys,
                           size_t count)
{
    bool is_added = true;

    for (size_t i = 0; i < count && is_added; i++)
        is_added = keys[i]->is_gone || restate_add_unused(outcome, keys[i]);
    return is_added;
}

/* Restates the space of some keys. Returns false with *err. */
static bool restate_space(const struct snapshot *before, struct segment_set *set,
                          const struct dyno_key *const *keys, size_t count,
                          struct restate_outcome *outcome, struct err *err)
{
    struct index_entry found;

    if (!index_find_space(&before->index, before->segments, keys[0]->space, &found))
        return add_all_unused(outcome, keys, count) ||
               err_set(err, ERR_MEMORY, "out of memory while dynos were changed");
    struct segment *segment =
        segment_restate(before->segments[found.segment], keys, count, outcome, err);
    if (segment == NULL)
        return false;
    segment_set_put(set, found.segment, segment);
    return true;
}

struct snapshot *snapshot_restate(const struct snapshot *before, const struct dyno_key *const *keys,
                                  size_t count, uint64_t generation,
                                  struct restate_outcome *outcome, struct err *err)
{
    struct segment_set *set = segment_set_copy(before->set, count);
    bool is_restated = set != NULL;
    struct snapshot *snapshot = NULL;

    err_set(err, ERR_MEMORY, "out of memory while dynos were changed");
    for (size_t i = 0, same = 0; i < count && is_restated; i += same) {
        same = count_of_space(keys + i, count - i);
        is_restated = restate_space(before, set, keys + i, same, outcome, err);
    }
    if (is_restated)
        snapshot = snapshot_replace(before, set, generation);
    if (snapshot != NULL) {
        err->code = ERR_NONE;
        return snapshot;
    }
    segment_set_release(set);
    restate_outcome_close(outcome);
    return NULL;
}

/* ---- keys in force ---- */

struct walk {
    const struct segment *segment;
    segment_on_key *on_key;
    void *context;
    struct dyno_line *lines;
    size_t room;
};

static bool take_room(struct walk *walk, size_t count)
{
    if (count <= walk->room)
        return true;
    struct dyno_line *wider = realloc(walk->lines, count * sizeof *wider);
    if (wider == NULL)
        return false;
    walk->lines = wider;
    walk->room = count;
    return true;
}

static bool walk_formation(struct walk *walk, const struct formation_entry *formation,
                           const char *app)
{
    const struct segment *segment = walk->segment;
    struct dyno_key view = {
        .space = segment->name,
        .app = app,
        .type = segment_type(segment, formation),
        .revision = segment_revision(segment, formation),
        .count = formation->dyno_count,
    };

    if (view.revision == 0)
        return true;
    if (!take_room(walk, view.count))
        return false;
    for (size_t i = 0; i < view.count; i++) {
        const struct dyno_entry *dyno = &segment->dynos[formation->dynos + i];
        walk->lines[i] = (struct dyno_line){
            .number = dyno->number, .ip = dyno->ip, .state = dyno->state, .line = dyno->line};
    }
    view.lines = walk->lines;
    return walk->on_key(walk->context, &view);
}

bool segment_walk_keys(const struct segment *segment, segment_on_key *on_key, void *context)
{
    struct walk walk = {.segment = segment, .on_key = on_key, .context = context};
    bool goes_on = true;

    for (size_t i = 0; i < segment->app_count && segment->revisions != NULL && goes_on; i++) {
        const struct app_entry *app = &segment->apps[i];
        char name[UINT8_MAX + 1] = "";
        memcpy(name, segment_text(segment, app->name), app->name_length);
        for (uint32_t j = 0; j < app->formation_count && goes_on; j++)
            goes_on = walk_formation(&walk, &segment->formations[app->formations + j], name);
    }
    free(walk.lines);
    return goes_on;
}

bool segment_find_key(const struct segment *segment, const char *app, const char *type,
                      uint64_t *revision)
{
    uint32_t number = segment->revisions == NULL ? ENTRY_NONE : restate_find_app(segment, app);

    if (number == ENTRY_NONE)
        return false;
    uint32_t formation = restate_find_formation(segment, number, type);
    if (formation == ENTRY_NONE || segment->revisions[formation] == 0)
        return false;
    *revision = segment->revisions[formation];
    return true;
}
