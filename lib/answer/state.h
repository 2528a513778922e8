#pragma once
/**
 * The state folder: data that outlives the server's process, even after a crash.
 *
 *     STATE/state           version, generation, suffixes of the settings, and running time
 *     STATE/kept-back       names kept back, one a line, with generation, time, space and file
 *     STATE/kept-back.copy  the same octets, for when the former decays
 *     STATE/zones/NAME      each zone file as accepted last, after a line with its checksum; of a
 *                           registry SPACE.yaml, so that the folder can be served as it is
 *     STATE/compiled        compiled.h; written on its own, and never needed
 *
 * Files are written under another name, synced and renamed, before the new snapshot is served:
 *
 *     kept-back with the names that go ──► texts ──► kept-back without those that return
 *       ──► kept-back.copy ──► state
 *
 * so that every name that was served is in one of them at any moment. After a failed write the
 * state is behind: it has the texts that it could not write, until a try succeeds or a load hands
 * over others of the same names.
 *
 * A folder that belongs to another user, is in use by another server or was written by a newer
 * version is neither read nor written. A damaged file is read as far as possible; for names kept
 * back, together with the copy, so that damage to one of the two lets no name go.
 *
 * Memory has no names that the folder has (kept_back.h): a new list of them is made from the
 * previous one, line by line.
 *
 * Threads: one at a time; state_walk_names also beside state_store.  Memory: state_close.
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
    bool has_spaces;  /* set before it is opened: texts are named after their spaces, as those of a
                         registry, and their files end in .yaml all the same */
    int folder;       /* locked; -1: not in use */
    int zones;
    struct stored stored; /* the contents of the folder */
    size_t text_capacity, sorted_count;
    struct load_text *unstored; /* texts that could not be written */
    size_t unstored_count;
    bool is_peeking;    /* nothing is locked or changed */
    bool is_copied;     /* kept-back.copy is as kept-back */
    bool is_behind;     /* something could not be written */
    struct err problem; /* of opening or of the last write; ERR_NONE: none */
    struct err damage;  /* a file was not as it was written; ERR_NONE: none */
};

/**
 * Opens the folder, makes it when it is not there, and reads it.
 *
 * key  of the next index
 *
 * Returns false with state->problem when it cannot be used; call state_close in either case.
 */
bool state_open(struct state *state, const char *path, const struct hash_key *key);

/**
 * The same with the folder of another process, `locked`, which is its lock as well; it is taken
 * over. Both processes have the lock then, until both have closed it, so the other one must not
 * write any more. When `path` is another folder, that is opened and locked.
 */
bool state_take_over(struct state *state, const char *path, const struct hash_key *key, int locked);

/**
 * Reads what a start would use of the accepted texts; neither locks nor changes the folder, which
 * another server may be using. Returns false when it cannot be read; call state_close in either
 * case.
 */
bool state_peek(struct state *state, const char *path);

/** True when the folder is in use. */
static inline bool state_is_used(const struct state *state)
{
    return state->folder >= 0;
}

/**
 * Writes a snapshot's changes, before it is served. Does nothing for a state that is not in use.
 *
 * ran_s    running time
 * outcome  of the load: its texts, which the state lacks, are taken over; without texts (names let
 *          go, or a write tried again) those of a failed write are written
 *
 * Returns false with state->problem and is_behind set.
 */
bool state_store(struct state *state, const struct snapshot *snapshot, int64_t ran_s,
                 struct load_outcome *outcome);

/**
 * Drops the names kept back that are stored from memory, once nothing is behind. Not while another
 * thread calls state_walk_names or state_store.
 */
void state_drop_names(struct state *state);

/**
 * Calls for each name kept back, oldest first, in the folder or in memory. `kept` may be NULL.
 * Returns false when ended, or without memory.
 */
bool state_walk_names(const struct state *state, const struct kept_back *kept,
                      kept_back_on_name *on_name, void *context);

/** Closes the folder and frees the rest. A zeroed state may be closed. */
void state_close(struct state *state);
