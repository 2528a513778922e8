#pragma once
/**
 * The spaces of a zones folder as models, for the commands about spaces and apps.
 *
 * The snapshot has only what is needed for answers; an operator also needs regions, account ids,
 * routes and inactive connections. So the models, from which the snapshot was made, are kept.
 *
 * Threads: one.  Memory: the space_set owns the models; what commands add is in its arena.
 */
#include "base/arena.h"
#include "inspect/print.h"
#include "space/model.h"
#include "spacedns/session.h"

struct space_set {
    struct arena *arena;
    struct load_model *models;
    const struct space **spaces; /* of the models, in the order of their files */
    size_t count;
};

/** Loads the session's folder. Returns false with the error printed. */
bool space_set_open(struct space_set *space_set, struct session *session);

void space_set_close(struct space_set *space_set);

/** The space of --space, or the only one. Returns NULL with the error printed. */
const struct space *space_set_pick(const struct space_set *space_set, struct session *session);

/** A command about one space, or about all of them (`space` is NULL). Returns the exit code. */
typedef int space_set_command(struct session *session, struct space_set *space_set,
                              const struct space *space);

/** Opens, picks, runs and closes. */
int space_set_run(struct session *session, space_set_command *run);

/** Finds a space of the session's snapshot. Returns NULL with the error printed. */
const struct segment *space_must_find(struct session *session, const char *name);

/** Prints an indented JSON value and releases it. Returns EXIT_DONE, or prints the error. */
int session_print_json(struct session *session, json_t *value);

json_t *json_blocks(const struct blocks *blocks);
