#include "spacedns/change_dynos.h"

#include <string.h>

#include "spacedns/dynos_key.h"

static bool fail_missing(const struct dyno_name *dyno, struct err *err)
{
    return err_set(err, ERR_RULE,
                   "app %.64s has no dyno %.128s.%u; spacedns ps -a %.64s lists its dynos",
                   dyno->app, dyno->type, (unsigned)dyno->number, dyno->app);
}

static bool fail_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY,
                   "out of memory; nothing was changed; free some, then try again");
}

bool change_add_dyno(struct change *change, const struct dyno_name *dyno, uint32_t ip,
                     struct err *err)
{
    const struct dyno added = {.number = dyno->number, .ip = ip, .state = DYNO_UP};

    if (!session_has_registry(change->session))
        return edit_add_dyno(&change->edit, dyno, ip, err);
    struct dynos_key *key = dynos_key_take(change, dyno->type, err);
    if (key == NULL)
        return false;
    if (dyno_text_has(key->text, dyno->number))
        return err_set(err, ERR_RULE,
                       "app %.64s has a dyno %.128s.%u already; spacedns ps -a %.64s lists its "
                       "dynos",
                       dyno->app, dyno->type, (unsigned)dyno->number, dyno->app);
    return dyno_text_add(change->space_set.arena, &key->text, &added) || fail_memory(err);
}

bool change_remove_dyno(struct change *change, const struct dyno_name *dyno, struct err *err)
{
    if (!session_has_registry(change->session))
        return edit_remove_dyno(&change->edit, dyno, err);
    struct dynos_key *key = dynos_key_take(change, dyno->type, err);
    if (key == NULL)
        return false;
    if (!dyno_text_has(key->text, dyno->number))
        return fail_missing(dyno, err);
    return dyno_text_remove(change->space_set.arena, &key->text, dyno->number) || fail_memory(err);
}

bool change_set_dyno(struct change *change, const struct dyno_name *dyno, enum dyno_state state,
                     struct err *err)
{
    if (!session_has_registry(change->session))
        return edit_set_state(&change->edit, dyno, state, err);
    struct dynos_key *key = dynos_key_take(change, dyno->type, err);
    if (key == NULL)
        return false;
    if (!dyno_text_has(key->text, dyno->number))
        return fail_missing(dyno, err);
    return dyno_text_set(change->space_set.arena, &key->text, dyno->number, state) ||
           fail_memory(err);
}
