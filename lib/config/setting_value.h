#pragma once
/**
 * The values of settings as text, and which of them are secret. A part of settings.c.
 *
 * Threads: one.  Memory: texts are the caller's.
 */
#include "config/setting.h"

/**
 * The value as text, lists with commas between; "" when it is not set. A secret is as it is: see
 * setting_is_secret before you show it. Returns NULL without memory; free() it.
 */
char *setting_value_text(const struct setting *setting, const struct settings *settings);

/** True for a setting that the table marks as SECRET. */
bool setting_is_secret(const struct setting *setting);

/** Prints each setting of the file with its value, a line each; of secrets only that they are set.
 * Returns false without memory. */
bool settings_print_values(const struct settings *settings, FILE *out);

typedef void settings_on_secret(void *context, const char *secret);

/** Calls for each secret as written in the file, in lower case if digits are hexadecimal. Returns
 * false without memory. */
bool settings_walk_secrets(const struct settings *settings, settings_on_secret *on_secret,
                           void *context);
