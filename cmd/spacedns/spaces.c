#include "spacedns/spaces.h"

#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "spacedns/registry_models.h"

bool space_set_open(struct space_set *space_set, struct session *session)
{
    *space_set = (struct space_set){.arena = NULL};
    session->wants_models = true;
    if (!session_must_load(session))
        return false;
    /* The session's next load must not free them. */
    space_set->models = session->outcome.models;
    space_set->count = session->outcome.model_count;
    session->outcome.models = NULL;
    session->outcome.model_count = 0;
    space_set->arena = arena_new();
    if (space_set->arena != NULL)
        space_set->spaces =
            arena_take(space_set->arena, space_set->count * sizeof *space_set->spaces);
    if (space_set->spaces == NULL) {
        space_set_close(space_set);
        session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
        return false;
    }
    for (size_t i = 0; i < space_set->count; i++)
        space_set->spaces[i] = space_set->models[i].space;
    if (session_has_registry(session) && !registry_models_apply(space_set, session->snapshot)) {
        space_set_close(space_set);
        session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
        return false;
    }
    return true;
}

void space_set_close(struct space_set *space_set)
{
    load_models_free(space_set->models, space_set->count);
    arena_free(space_set->arena);
    *space_set = (struct space_set){.arena = NULL};
}

static void fail_unknown(struct session *session, const char *wanted, const char *suggestion)
{
    session_fail(session, EXIT_REFUSED,
                 "there is no space %s in %s; %s%s%sspacedns spaces lists them", wanted,
                 session_zones(session), suggestion == NULL ? "" : "did you mean ",
                 suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "? ");
}

const struct segment *space_must_find(struct session *session, const char *name)
{
    const struct segment *found = snapshot_find_space(session->snapshot, name);

    if (found == NULL)
        fail_unknown(session, name, snapshot_suggest_space(session->snapshot, name));
    return found;
}

const struct space *space_set_pick(const struct space_set *space_set, struct session *session)
{
    const char *wanted = session->invocation.options[OPTION_SPACE];

    if (wanted == NULL && space_set->count == 1)
        return space_set->spaces[0];
    if (wanted == NULL) {
        session_fail(session, EXIT_REFUSED,
                     "Space name required. Write --space NAME; spacedns spaces lists the %zu of %s",
                     space_set->count, session_zones(session));
        return NULL;
    }
    const char *suggestion = NULL;
    for (size_t i = 0; i < space_set->count; i++) {
        const char *name = space_set->spaces[i]->name.text;
        if (strcmp(name, wanted) == 0)
            return space_set->spaces[i];
        suggestion = suggest_nearer(wanted, suggestion, name);
    }
    fail_unknown(session, wanted, suggestion);
    return NULL;
}

int space_set_run(struct session *session, space_set_command *run)
{
    struct space_set space_set;
    int code = invocation_has(&session->invocation, OPTION_SPACE) ? EXIT_REFUSED : EXIT_USAGE;

    if (!space_set_open(&space_set, session))
        return EXIT_REFUSED;
    const struct space *space = space_set_pick(&space_set, session);
    if (space != NULL)
        code = run(session, &space_set, space);
    space_set_close(&space_set);
    return code;
}

int session_print_json(struct session *session, json_t *value)
{
    if (value == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    print_json(value, session->out);
    return EXIT_DONE;
}

json_t *json_blocks(const struct blocks *blocks)
{
    json_t *list = json_array();
    char text[CIDR_TEXT_MAX];

    for (size_t i = 0; i < blocks->count; i++) {
        cidr_write(blocks->items[i].cidr, text);
        json_array_append_new(list, json_string(text));
    }
    return list;
}
