#include "spacedns/spaces_destroy.h"

#include <string.h>

#include "space/records.h"
#include "spacedns/change.h"

/* The server must not keep back what goes on purpose. */
static bool release_names(struct change *change)
{
    const struct space *space = change->selected.space;
    struct record_text text;

    for (size_t i = 0; i < space->app_count; i++)
        if (!removed_add_app(&change->removed, &change->space_set, change->session,
                             &space->apps[i]))
            return false;
    for (size_t i = 0; i < space->record_count; i++) {
        bool is_new = i == 0 ||
                      space->records[i].owner_length != space->records[i - 1].owner_length ||
                      memcmp(space->records[i].owner, space->records[i - 1].owner,
                             space->records[i].owner_length) != 0;
        if (is_new && !(record_format(change->space_set.arena, &space->records[i], &text) &&
                        removed_add_name(&change->removed, &change->space_set, text.owner)))
            return false;
    }
    return true;
}

static int destroy(struct change *change)
{
    struct session *session = change->session;
    const char *name = change->selected.space->name.text;
    const char *confirmed = session->invocation.options[OPTION_CONFIRM];

    if (confirmed == NULL)
        return session_fail(session, EXIT_REFUSED,
                            "destroying %s and its %zu app%s cannot be undone; to go on, write "
                            "spacedns spaces:destroy %s --confirm %s",
                            name, change->selected.space->app_count,
                            change->selected.space->app_count == 1 ? "" : "s", name, name);
    if (strcmp(confirmed, name) != 0)
        return session_fail(session, EXIT_REFUSED,
                            "Confirmation %s did not match %s. Aborted. Write --confirm %s",
                            confirmed, name, name);
    if (!release_names(change))
        return session_fail(session, EXIT_REFUSED,
                            "out of memory; nothing was changed; free some, then try again");
    fputs("Destroying space ", session->err);
    session_print_space(session, session->err, name);
    fputs("... ", session->err);
    change->is_begun = true;
    return change_finish_removal(change);
}

int run_spaces_destroy(struct session *session)
{
    const char **selection = &session->invocation.options[OPTION_SPACE];
    struct change change;

    /* The option is not this command's own: it only selects. */
    *selection = invocation_operand(&session->invocation, 0);
    int code = change_open(&change, session, NULL);
    *selection = NULL;
    if (code == EXIT_DONE)
        code = destroy(&change);
    change_close(&change);
    return code;
}
