#include "spacedns/removed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/protocol.h"
#include "spacedns/change.h"
#include "spacedns/talk.h"

enum {
    DOMAIN_MOST = 256,
    BATCH_NAMES = 40,
    BATCH_OCTETS =
        CONTROL_REQUEST_OCTETS_MOST / 4, /* each octet of a name may be written as three */
    ADVISED_MOST = 4,
};

_Static_assert((int)BATCH_NAMES <= (int)OPERANDS_MOST, "a batch is one command");

static bool add(struct removed *removed, const struct space_set *space_set, const char *name)
{
    const char **names = arena_grow(space_set->arena, removed->names, removed->count,
                                    &removed->capacity, sizeof *removed->names);

    if (names == NULL || name == NULL)
        return false;
    removed->names = names;
    names[removed->count++] = name;
    return true;
}

const char *removed_format_domain(const struct space_set *space_set, const struct domain *domain)
{
    char name[DOMAIN_MOST + 2];
    int length = snprintf(name, sizeof name, "%s%.*s", domain->is_wildcard ? "*." : "",
                          DOMAIN_MOST - 1, domain->hostname.text);

    return arena_text(space_set->arena, name, (size_t)length);
}

bool removed_add_name(struct removed *removed, const struct space_set *space_set, const char *name)
{
    return add(removed, space_set, arena_text(space_set->arena, name, strlen(name)));
}

bool removed_add_domain(struct removed *removed, const struct space_set *space_set,
                        const struct app *app, const struct domain *domain)
{
    if (!app->internal_routing)
        return true;
    if (!add(removed, space_set, removed_format_domain(space_set, domain)))
        return false;
    return domain->cname.text == NULL ||
           add(removed, space_set,
               arena_text(space_set->arena, domain->cname.text, strlen(domain->cname.text)));
}

bool removed_add_app(struct removed *removed, const struct space_set *space_set,
                     const struct session *session, const struct app *app)
{
    if (!app->internal_routing)
        return true;
    if (!add(removed, space_set, app_default_domain(space_set, session, app)))
        return false;
    for (size_t i = 0; i < app->domain_count; i++)
        if (!removed_add_domain(removed, space_set, app, &app->domains[i]))
            return false;
    return true;
}

/* Fills a command with names from `first` on. Returns how many. */
static size_t fill(struct invocation *forget, const struct removed *removed, size_t first,
                   const char *note)
{
    size_t octets = 0;

    *forget = (struct invocation){.command = COMMAND_FORGET, .options = {[OPTION_NOTE] = note}};
    for (size_t i = first; i < removed->count && forget->operand_count < BATCH_NAMES; i++) {
        octets += strlen(removed->names[i]) + 1;
        if (octets > BATCH_OCTETS)
            break;
        forget->operands[forget->operand_count++] = removed->names[i];
    }
    return forget->operand_count;
}

/* A name that is not kept back is no error: another app's domain may use it. */
int removed_forget(const struct removed *removed, struct session *session, const char *note)
{
    char *output = NULL;
    size_t length = 0;
    FILE *sink = open_memstream(&output, &length);
    struct talk talk = {.out = sink, .err = sink, .path = session_socket(session)};
    bool passed = sink != NULL;
    struct invocation forget;

    for (size_t done = 0; passed && done < removed->count; done += forget.operand_count)
        passed = fill(&forget, removed, done, note) > 0 && talk_run(&talk, &forget);
    if (sink != NULL)
        fclose(sink);
    free(output);
    if (passed)
        return EXIT_DONE;
    removed_advise(removed, session);
    session_name_variable(session, OPTION_SOCKET, &talk.problem);
    return session_fail(session, EXIT_REFUSED, "%s",
                        sink == NULL ? "out of memory; free some, then try again"
                                     : talk.problem.text);
}

void removed_advise(const struct removed *removed, const struct session *session)
{
    char names[ADVISED_MOST * (DOMAIN_MOST + 1)] = "";
    struct text text = text_over(names, sizeof names - 1);

    if (removed->count == 0)
        return;
    for (size_t i = 0; i < removed->count && i < ADVISED_MOST; i++) {
        text_add_string(&text, " ");
        text_add_string(&text, removed->names[i]);
    }
    change_advise(
        session,
        "The server will not forward the removed names (Q27); once it has loaded the file, "
        "release them with spacedns forget%s%s",
        names, removed->count > ADVISED_MOST ? " ..." : "");
}
