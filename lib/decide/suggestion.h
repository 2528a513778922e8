#pragma once
/**
 * "Did you mean", for names that nothing declares.
 *
 * Looks only among what the client may know: apps of its own spaces, process types of the app.
 * While a client waits there is no time to compare with everything: at most NEAR_APPS_MAX apps are
 * looked at, and only those that share a beginning or an end with the word.
 *
 * Threads: pure.  Memory: borrows from the snapshot.
 */
#include "decide/decide.h"

enum { NEAR_APPS_MAX = 256 };

/** A word found, never the one asked about; not zero-terminated; NULL when none is near. */
struct suggestion {
    const char *text;
    size_t length;
};

/** The app of the client's spaces whose name is nearest to a label. */
struct suggestion suggest_app(const struct snapshot *snapshot, const struct client *client,
                              const uint8_t *label);

/** The process type of an app whose name is nearest to a label. */
struct suggestion suggest_process(const struct segment *segment, const struct app_entry *app,
                                  const uint8_t *label);
