#pragma once
/**
 * A push, whatever the command: what is checked, planned, and written in one transaction.
 *
 *     read the registry ──► load it ──► draft ──► load that ──► plan, guard ──► send
 *            ▲                                                                   │
 *            └────────────── another writer was first: at most 5 times ──────────┘
 *
 * Threads: one.  Memory: a push owns what it makes until registry_push_close.
 */
#include "base/arena.h"
#include "inspect/diff.h"
#include "registry/lines.h"
#include "registry/push.h"
#include "space/model.h"
#include "spacedns/registry_send.h"
#include "spacedns/session.h"

struct registry_push {
    struct session *session;
    /** Adds the changes to what was just read, by registry_push_add. Returns an exit code. */
    int (*draft)(struct registry_push *push);
    void *context;
    const char *doing; /* "Pushing": for progress */
    const char *what;  /* for `config` */
    const char *force; /* why; NULL: not */
    bool is_canary;
    bool is_dry;
    bool is_unchecked; /* what goes is only a candidate: nothing is loaded, nothing is planned */

    struct arena *arena;
    struct push_change *changes;
    size_t count;
    size_t capacity;
    struct snapshot *before;
    struct diff *diff; /* NULL: unchecked */
    unsigned tries;
    struct registry_sent sent;
};

/**
 * Adds a change, and shows it as the view's draft.
 *
 * model  of the text, for f/SPACE; NULL: of a removal
 */
bool registry_push_add(struct registry_push *push, enum push_action action, const char *space,
                       struct line_text text, const struct space *model);

/**
 * Runs it all. Prints the plan, and what came of it with a line of progress. Returns the exit code.
 * Call registry_push_close in either case.
 */
int registry_push_run(struct registry_push *push);

void registry_push_close(struct registry_push *push);

/** "push test-space, other-space": for `config`, cut to fit. */
void registry_push_name(const struct registry_push *push, const char *verb, char *out, size_t size);

/** What f/SPACE has to be for a model, if it is not; NULL in *text if it is. False: no memory. */
bool registry_fixed_change(struct session *session, struct arena *arena, const struct space *model,
                           const char **text, bool *replaces);
