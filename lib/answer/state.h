#pragma once
/**
 * The state folder: what outlives the server's process, however that ends.
 *
 *     STATE/state        version, generation, and the suffixes of the settings
 *     STATE/kept-back    names kept back, one a line, with generation, time, space and file
 *     STATE/zones/NAME   each zone file as accepted last, behind a line with its checksum
 *
 * Files are written beside, forced to the disk and renamed, before what they tell is served:
 *
 *     kept-back with what falls out ──► texts ──► kept-back without what came back ──► state
 *
 * so that at no moment a name that was served is in none of them. What cannot be written stays to
 * be written: the state is behind, and the next load is asked for everything it lacks.
 *
 * A folder that belongs to somebody else, that another server uses or that a newer version wrote is
 * neither read nor written. What decayed is read as far as it goes.
 *
 * Threads: one at a time.  Memory: state_close.
 */
#include <stdbool.h>
#include <stddef.h>

#include "answer/load.h"
#include "answer/snapshot.h"
#include "answer/stored.h"
#include "base/err.h"

enum { STATE_VERSION = 1 };

struct state {
    const char *path; /* borrowed */
    int folder;       /* locked; -1: not in use */
    int zones;
    struct stored stored; /* what is there */
    size_t text_capacity, sorted_count;
    bool is_behind;     /* something could not be written */
    struct err problem; /* of opening or of writing last; ERR_NONE: all is well */
    struct err doubt;   /* what was read is not what was written; ERR_NONE: all is well */
};

/**
 * Opens the folder, makes it when it is not there, and reads it.
 *
 * key  of the index to be
 *
 * Returns false with state->problem when it is not to be used; state_close is due either way.
 */
bool state_open(struct state *state, const char *path, const struct hash_key *key);

/** True when the folder is in use. */
static inline bool state_is_used(const struct state *state)
{
    return state->folder >= 0;
}

/**
 * Writes what a snapshot brings, before it is served. Does nothing for a state that is not in use.
 *
 * texts  that were accepted and that the state lacks
 *
 * Returns false with state->problem, and is behind then.
 */
bool state_store(struct state *state, const struct snapshot *snapshot,
                 const struct load_text *texts, size_t text_count);

/** Lets go of the folder. What was zeroed may be closed. */
void state_close(struct state *state);
