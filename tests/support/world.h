#pragma once
/**
 * A whole server in process: zone files, policy, snapshot, and functions to query it.
 *
 *     struct world world;
 *     world_init(&world);
 *     scratch_copy(&world.folder, "zones/test-space.yaml");
 *     world_must_load(&world);
 *     world_ask(&world, &(struct ask){.name = "api.example.com."}, &decoded);
 *
 * Requests go through respond(), as those from sockets do; with forwarding they go through the
 * worker's batch, on a clock that advances while a client waits.
 */
#include "answer/load.h"
#include "respond/respond.h"
#include "support/clocked.h"
#include "support/decoded.h"
#include "support/request.h"
#include "support/scratch.h"

enum { WORLD_LOCAL_MOST = 4, WORLD_NOW_S = 1764437901 };

struct world {
    struct scratch folder;
    struct policy policy;
    const char *local[WORLD_LOCAL_MOST];
    struct hash_key key;
    struct snapshot *snapshot;    /* NULL before the first load */
    struct cookie_server cookies; /* one secret, and the time WORLD_NOW_S; count 0: off */
    uint32_t rotation;
    uint8_t *reply; /* of the last ask */
    size_t reply_length;
    struct exchange exchange; /* of the last ask */
    struct limits *limits;    /* NULL: nobody is limited */
    struct clocked *clocked;  /* NULL: foreign names are not forwarded */
};

/** An empty folder, default policy, no snapshot. */
void world_init(struct world *world);

void world_close(struct world *world);

/** As world_init, with zones/test-space.yaml loaded. */
void world_init_fixture(struct world *world);

/** As world_init_fixture, with a second space (tests/zones_good/other-space.yaml). */
void world_init_two_spaces(struct world *world);

/**
 * Forwards foreign names to responders; call it before the first load. Fills in the options'
 * `snapshot`.
 */
void world_forward(struct world *world, struct clocked_options options);

/**
 * Loads the folder, the first time or again. When the load is refused the snapshot stays, and the
 * report has the reasons. `report` must be empty.
 */
void world_load(struct world *world, struct report *report, struct load_outcome *outcome,
                struct err *err);

/** Loads; ends the program with the findings when that is refused. */
void world_must_load(struct world *world);

/** Loads a single file of this text. */
void world_must_load_text(struct world *world, const char *text);

/** Sends octets. Returns the reply's length, 0 for none; the reply is world->reply. */
size_t world_send(struct world *world, const uint8_t *octets, size_t length, const struct ask *how);

/** Sends octets without waiting for the reply; `awaited` has room for it. */
void world_post(struct world *world, const uint8_t *octets, size_t length, const struct ask *how,
                struct awaited *awaited);

/** Waits for the reply; a missing one ends the program. */
void world_await(struct world *world, const struct awaited *awaited);

/** Asks and decodes; a missing reply ends the program. The caller closes `decoded`. */
void world_ask(struct world *world, const struct ask *ask, struct decoded *decoded);
