#include "answer/loading.h"
#include "base/arena.h"

static struct word word_over(const char *text)
{
    return (struct word){.text = text};
}

static struct app *list_apps(struct arena *arena, const struct segment *segment)
{
    struct app *apps = arena_take(arena, (segment->app_count + 1) * sizeof *apps);

    for (size_t i = 0; apps != NULL && i < segment->app_count; i++) {
        const struct app_entry *app = &segment->apps[i];
        const char *name = arena_text(arena, segment_text(segment, app->name), app->name_length);
        if (name == NULL)
            return NULL;
        apps[i] = (struct app){
            .at = app->at,
            .name = word_over(name),
            .id = word_over(segment->app_ids == NULL ? NULL : segment->app_ids[i]),
            .internal_routing = (app->flags & APP_INTERNAL) != 0,
        };
    }
    return apps;
}

/* What a segment has of its model is enough for the check: all that is fixed. */
static bool check(const struct segment *segment, const struct fixed_space *fixed,
                  struct arena *arena, struct report *report)
{
    struct space space = {
        .file = segment->file,
        .name = {.text = segment->name, .at = segment->at},
        .id = word_over(segment->id),
        .cidr.cidr = segment->cidr,
        .data_cidr.cidr = segment->data_cidr,
        .region = word_over(segment->region),
        .generation = segment->generation,
        .shield = segment->shield,
        .apps = arena == NULL ? NULL : list_apps(arena, segment),
        .app_count = segment->app_count,
    };

    if (space.apps == NULL)
        return false;
    fixed_check(&space, fixed, report);
    return true;
}

void load_check_kept(const struct loading *loading, struct job *job)
{
    const struct load_fixed *known = &loading->request->fixed;
    const char *name = job->before->name;

    if (known->is_new == NULL || !known->is_new(known->context, name))
        return;
    const struct fixed_space *fixed = known->find(known->context, name);
    struct arena *arena = arena_new();
    if (fixed != NULL && !check(job->before, fixed, arena, job->report))
        report_add(job->report, FINDING_MEMORY, job->file, (struct location){.line = 1},
                   "out of memory while what is fixed of the space was compared");
    arena_free(arena);
}
