#pragma once
/**
 * Which app is meant, and what is said when there is none of that name.
 *
 * Threads: one.  Memory: what is found belongs to the estate.
 */
#include "spacedns/spaces.h"

struct found {
    const struct space *space;
    const struct app *app;
};

/** The app of the operand, else of --app. NULL, having said why. */
const char *found_name(struct session *session);

/** Finds an app in any space. False, having said why, with a name that is near. */
bool found_app(const struct estate *estate, struct session *session, const char *name,
               struct found *found);

/** A command that looks at one app. Returns the exit code. */
typedef int found_command(struct session *session, const struct estate *estate,
                          const struct found *found);

/** Opens the estate, finds the app of the command line, runs and closes. */
int found_run(struct session *session, found_command *run);

/** The app's default domain, in the estate's arena; NULL without memory. */
const char *found_default_domain(const struct estate *estate, const struct session *session,
                                 const struct app *app);
