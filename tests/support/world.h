#pragma once
/**
 * A whole server in a test's hands: zone files, policy, snapshot, and a way to ask.
 *
 *     struct world world;
 *     world_init(&world);
 *     scratch_copy(&world.folder, "zones/test-space.yaml");
 *     world_must_load(&world);
 *     world_ask(&world, &(struct ask){.name = "api.example.com."}, &decoded);
 *
 * Everything goes through respond(), the seam that the sockets use too; once names that are not
 * ours are forwarded, through the worker's batch, on a clock that moves while somebody waits.
 */
#include "answer/load.h"
#include "respond/respond.h"
#include "support/clocked.h"
#include "support/decoded.h"
#include "support/request.h"
#include "support/scratch.h"

enum { WORLD_LOCAL_MOST = 4 };

struct world {
    struct scratch folder;
    struct policy policy;
    const char *local[WORLD_LOCAL_MOST];
    struct hash_key key;
    struct snapshot *snapshot; /* NULL before the first load */
    uint32_t rotation;
    uint8_t *reply; /* of the last ask */
    size_t reply_length;
    struct exchange exchange; /* of the last ask */
    struct clocked *clocked;  /* NULL: nobody is asked for names that are not ours */
};

/** An empty folder, default policy, no snapshot. */
void world_init(struct world *world);

void world_close(struct world *world);

/** As world_init, with the fixture of SPEC.md loaded. */
void world_init_fixture(struct world *world);

/** As world_init_fixture, with a second space (tests/zones_good/other-space.yaml). */
void world_init_two_spaces(struct world *world);

/**
 * Has names that are not ours asked of responders; before the first load. The options' `snapshot`
 * is filled in.
 */
void world_forward(struct world *world, struct clocked_options options);

/**
 * Loads the folder: at first, or again. The outcome tells what happened; on a refusal the
 * snapshot stays, and the report says why. `report` is empty before.
 */
void world_load(struct world *world, struct report *report, struct load_outcome *outcome,
                struct err *err);

/** Loads and ends the program with the findings when that is refused. */
void world_must_load(struct world *world);

/** Loads a single file of this text. */
void world_must_load_text(struct world *world, const char *text);

/** Sends octets. Returns the reply's length, 0 for none; the reply is world->reply. */
size_t world_send(struct world *world, const uint8_t *octets, size_t length, const struct ask *how);

/** Sends octets without waiting for the reply; `awaited` has room for it. */
void world_post(struct world *world, const uint8_t *octets, size_t length, const struct ask *how,
                struct awaited *awaited);

/** Waits for what was posted; a reply that does not come ends the program. */
void world_await(struct world *world, const struct awaited *awaited);

/** Asks and decodes; a missing reply ends the program. Close `decoded` after. */
void world_ask(struct world *world, const struct ask *ask, struct decoded *decoded);
