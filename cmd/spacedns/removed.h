#pragma once
/**
 * Names that a command removes on purpose: the running server must not keep them back.
 *
 *     removed_add ... ──► the server reloads ──► removed_forget
 *                    └──► it does not ─────────► removed_advise
 *
 * Threads: one.  Memory: the space_set's arena.
 */
#include "spacedns/app_selection.h"

struct removed {
    const char **names;
    size_t count;
    size_t capacity;
};

/** Adds a name, which is copied. False, as of the functions below: no memory. */
bool removed_add_name(struct removed *removed, const struct space_set *space_set, const char *name);

/** Adds the names of an internally routed app: default domain, domains, DNS targets. */
bool removed_add_app(struct removed *removed, const struct space_set *space_set,
                     const struct session *session, const struct app *app);

/** Adds one domain and its DNS target, if the app is internally routed. */
bool removed_add_domain(struct removed *removed, const struct space_set *space_set,
                        const struct app *app, const struct domain *domain);

/** Has the server let go of them after its reload. Returns the exit code; errors are printed. */
int removed_forget(const struct removed *removed, struct session *session, const char *note);

/** Prints how to let go of them, when the server has not reloaded. */
void removed_advise(const struct removed *removed, const struct session *session);

/** The name of a domain as zone files have it; a wildcard begins with "*.". NULL: no memory. */
const char *removed_format_domain(const struct space_set *space_set, const struct domain *domain);
