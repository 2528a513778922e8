#pragma once
/**
 * Rereads the settings while the server runs.
 *
 *     settings_reread ──► the configured settings
 *     settings_keep ────────► those that need a restart keep the value in force
 *     forwarding_complete, ...
 *     settings_list_changes ► the changes of a reload
 *
 * settings.def defines for each setting whether a reload or a restart changes it.
 *
 * Threads: one; the settings in force are only read.
 * Memory: as settings.h; kept values are borrowed from the settings in force.
 */
#include "config/settings.h"

/** Reads the command line and the file again, like settings_init. */
enum settings_status settings_reread(struct settings *next, const struct settings *now,
                                     struct report *report);

/**
 * Replaces values that need a restart by those in force, and reports each that differs (W-RESTART).
 * Returns false if memory runs out.
 */
bool settings_keep(struct settings *next, const struct settings *now, struct report *report);

/**
 * Lists the keys of the settings that differ, in the order of the table, in next's arena. Both must
 * have been completed (forwarding.h). Returns false if memory runs out.
 */
bool settings_list_changes(const struct settings *now, const struct settings *next,
                           struct string_list *keys);

enum { SETTINGS_CHANGES_OCTETS = 2048 }; /* room for all keys */

/** Writes the keys with commas between, for printers; "" for none. */
void settings_format_changes(const struct string_list *keys, char out[SETTINGS_CHANGES_OCTETS]);
