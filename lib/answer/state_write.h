#pragma once
/**
 * Writing the state folder: a part of state.h.
 */
#include "answer/state.h"

/** Begins the names of files that are being written. */
#define STATE_DRAFT ".new"

/** The line in front of a text: its checksum, and its octets. */
#define STATE_TEXT_FORMAT_READ "# spacedns zone 1 %" SCNx64 " %zu"
#define STATE_TEXT_FORMAT_WRITE "# spacedns zone 1 %016" PRIx64 " %zu\n"

/**
 * Notes a text that the folder holds; name and path are made anew. False without memory. After the
 * last of several with different names, state_sort_texts is due.
 */
bool state_keep_text(struct state *state, const struct stored_text *text);
void state_sort_texts(struct state *state);
