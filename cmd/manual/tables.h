#pragma once
/**
 * What both pages and completions are made from: settings.def, and the commands of
 * control/command.h.
 */
#include <stdbool.h>
#include <stddef.h>

#include "control/command.h"

struct setting_line {
    const char *key;
    const char *flag;
    const char *value;
    const char *words;
    const char *initial;
    bool takes_restart;
    const char *help;
};

extern const struct setting_line settings[];
extern const size_t setting_count;

/** True when the command has an option of its own. */
bool command_has_option(const struct command_entry *command, unsigned option);
