#pragma once
/**
 * The names that a snapshot keeps back, asked for by their text.
 *
 * Threads: one.  Memory: never allocates; a text that is no name ends the test.
 */
#include "answer/snapshot.h"

/** True if the name, such as "api.example.com", is kept back; *entry may be NULL. */
bool snapshot_keeps_back(const struct snapshot *snapshot, const char *text,
                         struct kept_back_entry *entry);
