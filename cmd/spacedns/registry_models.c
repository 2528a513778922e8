#include "spacedns/registry_models.h"

#include <string.h>

#include "answer/restate.h"

struct applying {
    struct arena *arena;
    struct space *space;
    bool has_failed;
};

static struct app *find_app(struct space *space, const char *name)
{
    for (size_t i = 0; i < space->app_count; i++)
        if (strcmp(space->apps[i].name.text, name) == 0)
            return &space->apps[i];
    return NULL;
}

/* The formation of the type, declared or new; NULL without memory. The list is the copy's own. */
static struct formation *find_formation(const struct applying *applying, struct app *app,
                                        const char *type)
{
    struct formation *list = arena_take(applying->arena, (app->formation_count + 1) * sizeof *list);
    const char *name = arena_text(applying->arena, type, strlen(type));

    if (list == NULL || name == NULL)
        return NULL;
    if (app->formation_count > 0)
        memcpy(list, app->formations, app->formation_count * sizeof *list);
    app->formations = list;
    for (size_t i = 0; i < app->formation_count; i++)
        if (strcmp(list[i].type.text, type) == 0)
            return &list[i];
    list[app->formation_count] = (struct formation){.type.text = name};
    return &list[app->formation_count++];
}

static bool apply_key(void *context, const struct dyno_key *key)
{
    struct applying *applying = context;
    struct app *app = find_app(applying->space, key->app);

    if (app == NULL)
        return true;
    struct formation *formation = find_formation(applying, app, key->type);
    struct dyno *dynos = arena_take(applying->arena, (key->count + 1) * sizeof *dynos);
    applying->has_failed = formation == NULL || dynos == NULL;
    if (applying->has_failed)
        return false;
    for (size_t i = 0; i < key->count; i++)
        dynos[i] = (struct dyno){.number = key->lines[i].number,
                                 .ip = key->lines[i].ip,
                                 .state = (enum dyno_state)key->lines[i].state};
    formation->dynos = dynos;
    formation->dyno_count = key->count;
    return true;
}

static const struct space *apply(struct arena *arena, const struct space *declared,
                                 const struct segment *segment)
{
    struct space *copy = arena_take(arena, sizeof *copy);
    struct app *apps = arena_take(arena, (declared->app_count + 1) * sizeof *apps);
    struct applying applying = {.arena = arena, .space = copy};

    if (copy == NULL || apps == NULL)
        return NULL;
    *copy = *declared;
    if (declared->app_count > 0)
        memcpy(apps, declared->apps, declared->app_count * sizeof *apps);
    copy->apps = apps;
    return segment_walk_keys(segment, apply_key, &applying) && !applying.has_failed ? copy : NULL;
}

bool registry_models_apply(struct space_set *space_set, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < space_set->count; i++) {
        const struct space *declared = space_set->spaces[i];
        const struct segment *segment = snapshot_find_space(snapshot, declared->name.text);
        if (segment == NULL)
            continue;
        space_set->spaces[i] = apply(space_set->arena, declared, segment);
        if (space_set->spaces[i] == NULL)
            return false;
    }
    return true;
}
