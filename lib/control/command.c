#include "control/command.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

#define WITH(option) (UINT64_C(1) << OPTION_##option)

const char *const groups_table[GROUP_COUNT] = {
#define GROUP(symbol, title) [GROUP_##symbol] = (title),
#include "control/commands.def"
};

const struct option_entry options_table[OPTION_COUNT] = {
#define OPTION(symbol, name, letter, value, help)                                                  \
    [OPTION_##symbol] = {name, letter, value, help, OPTION_##symbol <= OPTION_HELP},
#include "control/commands.def"
};

static const uint64_t common_options = (WITH(HELP) << 1) - 1;

const struct command_entry commands_table[COMMAND_COUNT] = {
#define COMMAND(symbol, function, name, operands, least, most, needed, options, group, help)       \
    [COMMAND_##symbol] = {name,          operands, least, most, needed, (needed) | (options),      \
                          GROUP_##group, help},
#include "control/commands.def"
};

bool command_takes_app(const struct command_entry *command)
{
    return command->least == 0 && strcmp(command->operands, "APP") == 0;
}

static void add_option(struct text *text, const struct option_entry *option)
{
    text_add_string(text, option->name);
    if (option->value == NULL)
        return;
    text_add_string(text, " ");
    text_add_string(text, option->value);
}

void command_add_operands(struct text *text, const struct command_entry *command)
{
    text_add_string(text, command->name);
    if (command_takes_app(command)) {
        text_add_string(text, " {APP | ");
        add_option(text, &options_table[OPTION_APP]);
        text_add_string(text, "}");
    } else if (command->most > 0) {
        text_add_string(text, " ");
        text_add_string(text, command->operands);
    }
}

void command_add_usage(struct text *text, const struct command_entry *command)
{
    command_add_operands(text, command);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if ((command->needed >> i & 1) == 0)
            continue;
        text_add_string(text, " ");
        add_option(text, &options_table[i]);
    }
}

/* A command line while it is read. */
struct command_reading {
    struct invocation *invocation;
    struct err *err;
    int count;
    char *const *arguments;
    int next;
    const char *command;  /* NULL: not yet read */
    bool is_past_options; /* after "--" all arguments are operands */
};

static bool fail_with_suggestion(struct err *err, const char *what, const char *word,
                                 const char *suggestion, const char *where)
{
    return err_set(err, ERR_SYNTAX, "%s is not %s%s%s%s %s", word, what,
                   suggestion == NULL ? "" : "; did you mean ",
                   suggestion == NULL ? "" : suggestion, suggestion == NULL ? ";" : "?", where);
}

bool command_find(const char *name, enum command_name *command, struct err *err)
{
    const char *names[COMMAND_COUNT];

    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands_table[i].name;
        if (strcmp(name, names[i]) != 0)
            continue;
        *command = (enum command_name)i;
        return true;
    }
    return fail_with_suggestion(err, "a command", name[0] == '\0' ? "an empty word" : name,
                                suggest_among(name, names, COMMAND_COUNT),
                                "spacedns help lists them");
}

static bool is_option(const char *argument, size_t length, const struct option_entry *option)
{
    bool is_letter =
        option->letter != 0 && length == 2 && argument[0] == '-' && argument[1] == option->letter;

    return is_letter ||
           (strlen(option->name) == length && strncmp(option->name, argument, length) == 0);
}

static bool fail_option(struct command_reading *reading, const char *argument)
{
    const char *names[OPTION_COUNT];
    char where[64];

    for (unsigned i = 0; i < OPTION_COUNT; i++)
        names[i] = options_table[i].name;
    snprintf(where, sizeof where, "see spacedns help %s",
             reading->command == NULL ? "COMMAND" : reading->command);
    return fail_with_suggestion(reading->err, "an option", argument,
                                suggest_among(argument, names, OPTION_COUNT), where);
}

/*
 * The next word is an option's value unless it is an option itself: then the value was forgotten.
 * Behind an equals sign any value may stand.
 */
static const char *take_value(struct command_reading *reading)
{
    if (reading->next == reading->count)
        return NULL;
    const char *word = reading->arguments[reading->next];
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (is_option(word, strcspn(word, "="), &options_table[i]))
            return NULL;
    reading->next++;
    return word;
}

/* The command's own option of that name, else any, else OPTION_COUNT. */
static unsigned find_option(const struct command_reading *reading, const char *argument,
                            size_t length)
{
    const struct command_entry *command = &commands_table[reading->invocation->command];
    unsigned found = OPTION_COUNT;

    for (unsigned i = OPTION_COUNT; i-- > 0;)
        if (is_option(argument, length, &options_table[i]) &&
            (found == OPTION_COUNT || reading->command == NULL || (command->options >> i & 1) != 0))
            found = i;
    return found;
}

static bool read_option(struct command_reading *reading, const char *argument)
{
    size_t length = strcspn(argument, "=");
    unsigned number = find_option(reading, argument, length);

    if (number == OPTION_COUNT)
        return fail_option(reading, argument);
    const struct option_entry *option = &options_table[number];
    const char **slot = &reading->invocation->options[number];
    bool has_value = argument[length] == '=';
    if (*slot != NULL)
        return err_set(reading->err, ERR_SYNTAX, "%s is given twice; give it once", option->name);
    if (option->value == NULL && has_value)
        return err_set(reading->err, ERR_SYNTAX, "%s has no value; write it alone", option->name);
    if (option->value == NULL)
        *slot = "";
    else if (has_value)
        *slot = argument + length + 1;
    else
        *slot = take_value(reading);
    if (*slot == NULL)
        return err_set(reading->err, ERR_SYNTAX, "%s needs a value; write %s %s", option->name,
                       option->name, option->value);
    return true;
}

static bool fail_many(struct command_reading *reading, const char *argument)
{
    const struct command_entry *command = &commands_table[reading->invocation->command];

    return err_set(reading->err, ERR_SYNTAX, "%s is one operand too many; write spacedns %s%s%s",
                   argument, command->name, command->most == 0 ? "" : " ", command->operands);
}

/*
 * "registry pause" is registry:pause: of the registry's commands the second word may stand by
 * itself. Of no others: what follows cache is a name, which may be "flush".
 */
static bool is_second_word(struct command_reading *reading, const char *argument)
{
    struct invocation *invocation = reading->invocation;
    const char *first = commands_table[COMMAND_REGISTRY].name;
    size_t length = strlen(first);

    if (invocation->command != COMMAND_REGISTRY || invocation->operand_count > 0)
        return false;
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        const char *name = commands_table[i].name;
        if (strncmp(name, first, length) != 0 || name[length] != ':' ||
            strcmp(name + length + 1, argument) != 0)
            continue;
        invocation->command = (enum command_name)i;
        reading->command = name;
        return true;
    }
    return false;
}

static bool read_operand(struct command_reading *reading, const char *argument)
{
    struct invocation *invocation = reading->invocation;

    if (reading->command == NULL) {
        reading->command = argument;
        return command_find(argument, &invocation->command, reading->err);
    }
    if (is_second_word(reading, argument))
        return true;
    if (invocation->operand_count == commands_table[invocation->command].most)
        return fail_many(reading, argument);
    invocation->operands[invocation->operand_count++] = argument;
    return true;
}

static bool read_argument(struct command_reading *reading, const char *argument)
{
    /* Both are usual for the command version. */
    if (reading->command == NULL &&
        (strcmp(argument, "--version") == 0 || strcmp(argument, "-V") == 0))
        argument = commands_table[COMMAND_VERSION].name;
    if (reading->is_past_options || argument[0] != '-' || argument[1] == '\0')
        return read_operand(reading, argument);
    return read_option(reading, argument);
}

/* Refuses options that the command does not have, and missing operands. */
static bool check(const struct command_reading *reading)
{
    const struct invocation *invocation = reading->invocation;
    const struct command_entry *command = &commands_table[invocation->command];

    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (invocation->options[i] != NULL && ((command->options | common_options) >> i & 1) == 0)
            return err_set(reading->err, ERR_SYNTAX,
                           "%s is not an option of %s; see spacedns help %s", options_table[i].name,
                           command->name, command->name);
    if (invocation->operand_count < command->least && !invocation_has(invocation, OPTION_HELP))
        return err_set(
            reading->err, ERR_SYNTAX, "Missing %u required arg: %s; see spacedns help %s",
            command->least - (unsigned)invocation->operand_count, command->operands, command->name);
    return true;
}

bool invocation_read(int count, char *const *arguments, struct invocation *invocation,
                     struct err *err)
{
    struct command_reading reading = {
        .invocation = invocation, .err = err, .count = count, .arguments = arguments};

    *invocation = (struct invocation){.command = COMMAND_HELP};
    while (reading.next < count) {
        const char *argument = arguments[reading.next++];
        if (!reading.is_past_options && strcmp(argument, "--") == 0)
            reading.is_past_options = true;
        else if (!read_argument(&reading, argument))
            return false;
    }
    return check(&reading);
}
