#include <stdlib.h>
#include <string.h>

#include "registry/mirror.h"

/* ---- running apps ---- */

static bool has_up(const struct dyno_key *key)
{
    for (size_t i = 0; i < key->count; i++)
        if (key->lines[i].state == DYNO_UP)
            return true;
    return false;
}

static const struct app_entry *find_app(const struct mirror *mirror, const char *space,
                                        const char *app)
{
    struct index_entry found;

    return mirror->current != NULL && snapshot_find_app_of(mirror->current, space, app, &found)
               ? &mirror->current->segments[found.segment]->apps[found.number]
               : NULL;
}

bool mirror_has_app(const struct mirror *mirror, const char *space, const char *app)
{
    return find_app(mirror, space, app) != NULL;
}

bool mirror_is_running(const struct mirror *mirror, const char *space, const char *app)
{
    const struct dyno_slot *slot = dyno_table_find(&mirror->changes, space, app, "web");

    if (slot == NULL)
        slot = dyno_table_find(&mirror->taken, space, app, "web");
    if (slot != NULL)
        return has_up(slot->key);
    const struct app_entry *found = find_app(mirror, space, app);
    return found != NULL && found->web_up > 0;
}

static size_t count_running(struct mirror *mirror)
{
    const struct snapshot *current = mirror->current;

    if (mirror->running_of == current)
        return mirror->running_count;
    mirror->running_count = 0;
    for (size_t i = 0; current != NULL && i < current->segment_count; i++) {
        const struct segment *segment = current->segments[i];
        for (size_t n = 0; segment != NULL && n < segment->app_count; n++)
            mirror->running_count += segment->apps[n].web_up > 0;
    }
    mirror->running_of = current;
    return mirror->running_count;
}

/* ---- deletions ---- */

static void forget_old(struct mirror *mirror, uint64_t now_ms)
{
    size_t old = 0;

    while (old < mirror->mass_count && mirror->mass_times[old] + MIRROR_MASS_MS <= now_ms)
        old++;
    mirror->mass_count -= old;
    if (old > 0)
        memmove(mirror->mass_times, mirror->mass_times + old,
                mirror->mass_count * sizeof *mirror->mass_times);
}

static void note_times(struct mirror *mirror, size_t count, uint64_t now_ms)
{
    if (mirror->mass_capacity - mirror->mass_count < count) {
        size_t wider = 2 * mirror->mass_capacity + count + 16;
        uint64_t *times = realloc(mirror->mass_times, wider * sizeof *times);
        if (times == NULL) {
            mirror->has_failed = true;
            return;
        }
        mirror->mass_times = times;
        mirror->mass_capacity = wider;
    }
    for (size_t i = 0; i < count; i++)
        mirror->mass_times[mirror->mass_count++] = now_ms;
}

static void move_all(struct mirror *mirror, struct dyno_table *to)
{
    if (!dyno_table_move(to, &mirror->deletions))
        mirror->has_failed = true;
    dyno_table_close(&mirror->deletions);
}

void mirror_judge_deletions(struct mirror *mirror, uint64_t now_ms, struct mirror_news *news)
{
    size_t count = mirror->deletions.count;

    if (count == 0)
        return;
    forget_old(mirror, now_ms);
    note_times(mirror, count, now_ms);
    bool is_mass = mirror->mass_count >= MIRROR_MASS_LEAST &&
                   mirror->mass_count * MIRROR_MASS_SHARE > count_running(mirror);
    if (is_mass)
        news->held_count = count;
    move_all(mirror, is_mass ? &mirror->held : &mirror->changes);
}
