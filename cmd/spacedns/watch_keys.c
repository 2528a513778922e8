#include "spacedns/watch_keys.h"

#include <string.h>

#include "spacedns/registry_session.h"

static const struct app *find_app(const struct topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->app_count; i++)
        if (strcmp(topology->apps[i].name.text, name) == 0)
            return &topology->apps[i];
    return NULL;
}

static const struct formation *find_formation(const struct app *app, const char *type)
{
    for (size_t i = 0; i < app->formation_count; i++)
        if (strcmp(app->formations[i].type.text, type) == 0)
            return &app->formations[i];
    return NULL;
}

/* All dynos of a topology are up. */
static bool has_dyno(const struct formation *formation, const struct dyno_line *line)
{
    for (size_t i = 0; i < formation->dyno_count; i++)
        if (formation->dynos[i].number == line->number)
            return line->state == DYNO_UP && formation->dynos[i].ip == line->ip;
    return false;
}

static bool agrees(const struct dyno_key *key, const struct topology *topology)
{
    const struct app *app = find_app(topology, key->app);
    const struct formation *formation = app == NULL ? NULL : find_formation(app, key->type);

    if (app == NULL)
        return true; /* it waits, or belongs to an app that the topology lacks */
    if (formation == NULL || key->is_bad || formation->dyno_count != key->count)
        return false;
    for (size_t i = 0; i < key->count; i++)
        if (!has_dyno(formation, &key->lines[i]))
            return false;
    return true;
}

bool watch_keys_find(struct session *session, struct arena *arena, const struct topology *topology,
                     const char *space, struct watch_keys *found)
{
    const struct registry_view *view =
        session_has_registry(session) ? registry_view_of(session) : NULL;
    size_t capacity = 0;

    *found = (struct watch_keys){.count = 0};
    for (size_t i = 0; view != NULL && i < view->dyno_count; i++) {
        const struct dyno_key *key = view->dynos[i];
        if (strcmp(key->space, space) != 0 || agrees(key, topology))
            continue;
        found->keys = arena_grow(arena, found->keys, found->count, &capacity, sizeof(void *));
        if (found->keys == NULL)
            return false;
        found->keys[found->count++] = key;
    }
    return true;
}
