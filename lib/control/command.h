#pragma once
/**
 * Reads the operator's command lines by commands.def.
 *
 *     spacedns explain api.example.com --from 10.20.3.4 --json
 *              command operand         option           option
 *
 * Options may be anywhere, as `--from ADDR`, `--from=ADDR` or, with a letter, `-a APP`; `--` ends
 * them. Beside an option that needs a value another option is not taken for it. `--version`
 * and `-V` alone are the command version. A mistyped word gets a "did you mean".
 * `registry pause` is registry:pause. Two options have the name --force: the one that has a value
 * stands behind its command.
 *
 * Threads: pure.  Memory: an invocation borrows the arguments.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

enum command_group {
#define GROUP(symbol, title) GROUP_##symbol,
#include "control/commands.def"
    GROUP_COUNT
};

enum command_option {
#define OPTION(symbol, name, letter, value, help) OPTION_##symbol,
#include "control/commands.def"
    OPTION_COUNT
};

enum command_name {
#define COMMAND(symbol, function, name, operands, least, most, needed, options, group, help)       \
    COMMAND_##symbol,
#include "control/commands.def"
    COMMAND_COUNT
};

enum { OPERANDS_MOST = 48 };

struct command_entry {
    const char *name;
    const char *operands;
    unsigned least;
    unsigned most;
    uint64_t needed;  /* bit per enum command_option: it cannot do without these ... */
    uint64_t options; /* ... which are among all that it takes besides the common ones */
    enum command_group group;
    const char *help;
};

struct option_entry {
    const char *name;
    char letter;
    const char *value; /* NULL: none */
    const char *help;
    bool is_common;
};

extern const struct command_entry commands_table[COMMAND_COUNT];
extern const struct option_entry options_table[OPTION_COUNT];
extern const char *const groups_table[GROUP_COUNT];

/** A command line after parsing. */
struct invocation {
    enum command_name command;
    const char *operands[OPERANDS_MOST];
    size_t operand_count;
    const char *options[OPTION_COUNT]; /* NULL: not given; "" if it has no value */
};

/**
 * Reads a command line without the program's name. Returns false with *err, a sentence with the
 * remedy.
 */
bool invocation_read(int count, char *const *arguments, struct invocation *invocation,
                     struct err *err);

/** Finds a command by its name. Returns false with *err, which suggests a similar name. */
bool command_find(const char *name, enum command_name *command, struct err *err);

/** Appends a command with its operands: "domains:add HOSTNAME", "apps:info {APP | --app APP}". */
void command_add_operands(struct text *text, const struct command_entry *command);

/** Appends what it cannot do without, too: "domains:add HOSTNAME --app APP". */
void command_add_usage(struct text *text, const struct command_entry *command);

/** True when the one operand of a command about an app may be replaced by --app. */
bool command_takes_app(const struct command_entry *command);

static inline bool invocation_has(const struct invocation *invocation, enum command_option option)
{
    return invocation->options[option] != NULL;
}

/** Returns the operand of that index, or NULL. */
static inline const char *invocation_operand(const struct invocation *invocation, size_t number)
{
    return number < invocation->operand_count ? invocation->operands[number] : NULL;
}
