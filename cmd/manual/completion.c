#include "manual/completion.h"

#include <string.h>

#include "manual/tables.h"

static const char *const codes[] = {
#define REASON(symbol, code, level, ede, description, remedy) code,
#include "decide/reasons.def"
#undef REASON
};

enum { CODE_COUNT = sizeof codes / sizeof codes[0], CODES_MOST = 8 * CODE_COUNT };

/* Reasons of one code stand together. */
const char *completion_codes(void)
{
    static char text[CODES_MOST];
    size_t length = 0;

    for (size_t i = 0; i < CODE_COUNT; i++)
        if (i == 0 || strcmp(codes[i], codes[i - 1]) != 0)
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                       i == 0 ? "" : " ", codes[i]);
    return text;
}

static void fill_bash_commands(FILE *out)
{
    fputs("    local commands='", out);
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "%s%s", i == 0 ? "" : " ", commands_table[i].name);
    fputs("'\n", out);
}

/* The same text in bash and zsh. */
static void fill_cases(FILE *out)
{
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        const struct command_entry *command = &commands_table[i];
        const char *space = "";
        fprintf(out, "    %s) options='", command->name);
        for (unsigned option = 0; option < OPTION_COUNT; option++) {
            if (!options_table[option].is_common && !command_has_option(command, option))
                continue;
            fprintf(out, "%s%s", space, options_table[option].name);
            space = " ";
        }
        fputs("' operands='", out);
        for (const char *c = command->operands; *c != '\0'; c++)
            if (*c != '[' && *c != ']')
                fputc(*c, out);
        fputs("' ;;\n", out);
    }
}

/* The name of two options says nothing of a value without the command. */
static bool has_twin(const struct option_entry *option)
{
    unsigned count = 0;

    for (unsigned i = 0; i < OPTION_COUNT; i++)
        count += strcmp(options_table[i].name, option->name) == 0;
    return count > 1;
}

static void fill_value_cases(FILE *out)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_entry *option = &options_table[i];
        if (option->value == NULL || has_twin(option))
            continue;
        fprintf(out, "    %s", option->name);
        if (option->letter != 0)
            fprintf(out, " | -%c", option->letter);
        fprintf(out, ") value='%s' ;;\n", option->value);
    }
}

/* 'name:help' as _describe expects it: colons of the name and quotes escaped. */
static void fill_zsh_commands(FILE *out)
{
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        fputs("        '", out);
        for (const char *c = commands_table[i].name; *c != '\0'; c++)
            fprintf(out, "%s%c", *c == ':' ? "\\" : "", *c);
        fputc(':', out);
        for (const char *c = commands_table[i].help; *c != '\0'; c++)
            fprintf(out, *c == '\'' ? "'\\''" : "%c", *c);
        fputs("'\n", out);
    }
}

static void fill_flag_names(FILE *out)
{
    fputs("    local flags='", out);
    for (size_t i = 0; i < setting_count; i++)
        if (settings[i].flag != NULL)
            fprintf(out, "%s ", settings[i].flag);
    fputs("'\n", out);
}

/* By what a flag takes: its words, or the name of its value. */
static void fill_flag_cases(FILE *out)
{
    for (size_t i = 0; i < setting_count; i++)
        if (settings[i].flag != NULL && settings[i].value != NULL)
            fprintf(out, "    %s) value='%s' ;;\n", settings[i].flag,
                    settings[i].words != NULL ? settings[i].words : settings[i].value);
}

const struct marker completion_markers[] = {
    {"@bash-commands@\n", fill_bash_commands},
    {"@cases@\n", fill_cases},
    {"@value-cases@\n", fill_value_cases},
    {"@zsh-commands@\n", fill_zsh_commands},
    {"@flag-names@\n", fill_flag_names},
    {"@flag-cases@\n", fill_flag_cases},
    {NULL, NULL},
};
