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
                                     FILE *problems);

/** Called for each setting whose configured value differs and is not applied; values as text. */
typedef void settings_on_kept(void *context, const char *key, const char *configured,
                              const char *in_force);

/** Replaces values that need a restart by those in force. Returns false if memory runs out. */
bool settings_keep(struct settings *next, const struct settings *now, settings_on_kept *on_kept,
                   void *context);

/**
 * Lists the keys of the settings that differ, separated by commas, in next's arena; "" for none.
 * Both must have been completed (forwarding.h). Returns NULL if memory runs out.
 */
const char *settings_list_changes(const struct settings *now, const struct settings *next);
