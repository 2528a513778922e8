#include "manual/tables.h"

const struct setting_line settings[] = {
#define SETTING(member, key, flag, value, type, words, initial, least, most, change, help)         \
    {key, flag, value, words, initial, #change[0] == 'R', help},
#include "config/settings.def"
#undef SETTING
};

const size_t setting_count = sizeof settings / sizeof settings[0];

bool command_has_option(const struct command_entry *command, unsigned option)
{
    return !options_table[option].is_common && (command->options >> option & 1) != 0;
}
