#pragma once
/**
 * The app that a command is about.
 *
 * Threads: one.  Memory: the selected app belongs to the space_set.
 */
#include "spacedns/spaces.h"

struct app_selection {
    const struct space *space;
    const struct app *app;
};

/** The app of the operand, else of --app. Returns NULL with the error printed. */
const char *app_selection_name(struct session *session);

/** Finds an app in any space. Returns false with the error printed, with a similar name. */
bool app_selection_find(const struct space_set *space_set, struct session *session,
                        const char *name, struct app_selection *selected);

/** A command that reads one app. Returns the exit code. */
typedef int app_selection_command(struct session *session, const struct space_set *space_set,
                                  const struct app_selection *selected);

/** Opens the space_set, finds the app of the command line, runs and closes. */
int app_selection_run(struct session *session, app_selection_command *run);

/** The app's default domain, in the space_set's arena. Returns NULL when out of memory. */
const char *app_default_domain(const struct space_set *space_set, const struct session *session,
                               const struct app *app);
