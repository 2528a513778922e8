#pragma once
/**
 * "Did you mean", for names that nothing declares.
 *
 * Considers only what the client may know: apps of its own spaces, process types of the app. To
 * bound the time of a query, at most SUGGESTION_APPS_MAX apps are considered, and only those that
 * share a beginning or an end with the word.
 *
 * Threads: pure.  Memory: borrows from the snapshot.
 */
#include "decide/decide.h"

enum { SUGGESTION_APPS_MAX = 256 };

/** A suggested word, never the word itself; not zero-terminated; NULL when none is close. */
struct suggestion {
    const char *text;
    size_t length;
};

/** The app of the client's spaces whose name is closest to a label. */
struct suggestion suggest_app(const struct snapshot *snapshot, const struct client *client,
                              const uint8_t *label);

/** The process type of an app whose name is closest to a label. */
struct suggestion suggest_process(const struct segment *segment, const struct app_entry *app,
                                  const uint8_t *label);
