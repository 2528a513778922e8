#pragma once
/**
 * Settings that are read again while the server runs.
 *
 *     settings_init_again ──► what is said now
 *     settings_keep ────────► but for what takes a restart, which stays as it is
 *     forwarding_settle, ...
 *     settings_list_changes ► what a reload changes
 *
 * settings.def says of each setting whether it is changed by a reload or by a restart.
 *
 * Threads: one; those in force are only read.
 * Memory: as settings.h; what is kept is borrowed from the settings in force.
 */
#include "config/settings.h"

/** Reads the command line and the file again. As settings_init. */
enum settings_status settings_init_again(struct settings *next, const struct settings *now,
                                         FILE *problems);

/** Told of each setting that is said otherwise and stays as it is; values as text. */
typedef void settings_on_kept(void *context, const char *key, const char *said,
                              const char *in_force);

/** Puts the values in force in place of those that take a restart. Returns false without memory. */
bool settings_keep(struct settings *next, const struct settings *now, settings_on_kept *on_kept,
                   void *context);

/**
 * Lists the keys of the settings that differ, with commas between, in next's arena; "" for none.
 * Both are settled. Returns NULL without memory.
 */
const char *settings_list_changes(const struct settings *now, const struct settings *next);
