#pragma once
/**
 * Writing the state folder: a part of state.h.
 *
 * Threads, memory: state.h.
 */
#include <stdio.h>

#include "answer/state.h"

/** The files of names kept back. */
#define STATE_NAMES "kept-back"
#define STATE_NAMES_COPY "kept-back.copy"

/**
 * Opens the one of them that is sound, the former if none is. NULL with errno: ENOENT when there is
 * none, else why one of them cannot be opened.
 */
FILE *state_open_names(const struct state *state);

/** The prefix of the names of files being written. */
#define STATE_DRAFT ".new"

/** The line before a text: its checksum and its length in octets. */
#define STATE_TEXT_FORMAT_READ "# spacedns zone 1 %" SCNx64 " %zu"
#define STATE_TEXT_FORMAT_WRITE "# spacedns zone 1 %016" PRIx64 " %zu\n"

/** What the name of a text's file has behind the text's own. */
const char *state_suffix(const struct state *state);

/**
 * Adds a text that the folder holds; name and path are copied. Returns false without memory. Call
 * state_sort_texts after the last of several new names.
 */
bool state_keep_text(struct state *state, const struct stored_text *text);
void state_sort_texts(struct state *state);

/**
 * Takes over a load's texts as those to be stored, besides the ones that an earlier write has left
 * and that are still served: a folder's load hands all of them over again, and a registry's only
 * what has changed since. Returns false without memory.
 */
bool state_take_texts(struct state *state, const struct snapshot *snapshot,
                      struct load_outcome *outcome);

void state_free_unstored(struct state *state);
