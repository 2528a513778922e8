#pragma once
/**
 * The spaces of a zones folder as their files tell them: what the commands about spaces share.
 *
 * The snapshot holds what is answered; an operator also wants what is not: regions, account ids,
 * routes, connections that are over. So once the folder is known to be good, its files are read
 * once more, as models.
 *
 * Threads: one.  Memory: models and texts live in the space_set's arena.
 */
#include <jansson.h>

#include "base/arena.h"
#include "space/model.h"
#include "spacedns/session.h"

struct space_set {
    struct arena *arena;
    const struct space **spaces; /* in the order of their files */
    size_t count;
};

/** Reads every zone file. False, having said why. */
bool space_set_open(struct space_set *space_set, struct session *session);

void space_set_close(struct space_set *space_set);

/** The space of --space, or the only one there is. NULL, having said why. */
const struct space *space_set_pick(const struct space_set *space_set, struct session *session);

/** A command about one space, or about all of them (`space` is NULL). Returns the exit code. */
typedef int space_set_command(struct session *session, struct space_set *space_set,
                              const struct space *space);

/** Opens, picks, runs and closes. */
int space_set_run(struct session *session, space_set_command *run);

/** Prints an indented JSON value and lets go of it. Returns EXIT_DONE, or says what failed. */
int session_print_json(struct session *session, json_t *value);

/** A JSON text; null when it is NULL. */
json_t *json_text(const char *text);

/** An address; null when it is absent. */
json_t *json_address(uint32_t address);

json_t *json_cidr(struct cidr cidr);
json_t *json_blocks(const struct blocks *blocks);
