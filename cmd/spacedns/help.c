#include "spacedns/help.h"

#include <string.h>

#include "base/wrap.h"
#include "control/role.h"
#include "spacedns/spaces.h"

enum { LEFT_COLUMNS = 30, LEFT_LEAST = 6, BESIDE_LEAST = 72, USAGE_OCTETS = 256, USAGE_COLUMN = 7 };

/* On a narrow terminal, or behind a long name, the help stands on lines of its own. */
static void print_entry(FILE *out, const char *left, const char *help)
{
    int width = wrap_width(out), length = (int)strlen(left);
    bool is_beside = width >= BESIDE_LEAST && (length <= LEFT_COLUMNS || width == WRAP_ENDLESS);

    if (is_beside) {
        fprintf(out, "  %-*s  ", LEFT_COLUMNS, left);
        wrap_print(out, help, LEFT_COLUMNS + 4);
        return;
    }
    fprintf(out, "  %s\n%*s", left, LEFT_LEAST, "");
    wrap_print(out, help, LEFT_LEAST);
}

static void print_all(FILE *out)
{
    fputs("Usage: spacedns COMMAND [OPERANDS] [OPTIONS]\n", out);
    for (unsigned group = 0; group < GROUP_COUNT; group++) {
        bool has_title = false;
        for (unsigned i = 0; i < COMMAND_COUNT; i++) {
            const struct command_entry *command = &commands_table[i];
            char left[USAGE_OCTETS] = "";
            struct text text = text_over(left, sizeof left - 1);
            if ((unsigned)command->group != group)
                continue;
            if (!has_title)
                fprintf(out, "\n%s\n", groups_table[group]);
            has_title = true;
            command_add_operands(&text, command);
            print_entry(out, left, command->help);
        }
    }
    fputs("\nspacedns help COMMAND lists its options.\n", out);
}

static void print_option(FILE *out, const struct option_entry *option)
{
    char left[128], letter[8] = "";

    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s%s %s", letter, option->name,
             option->value == NULL ? "" : option->value);
    print_entry(out, left, option->help);
}

/* Whom the running server lets run a command, besides root and its own user. */
static const char *const role_texts[ROLE_COUNT] = {
    [ROLE_READ] = "control_read_group or control_group",
    [ROLE_ALL] = "control_group",
};

static void print_role(FILE *out, enum command_name command)
{
    if (role_is_served(command))
        fprintf(out, "\nOn the running server: root, its own user, members of %s.\n",
                role_texts[role_of_command(command)]);
}

static void print_one(FILE *out, enum command_name name)
{
    const struct command_entry *command = &commands_table[name];
    char usage[USAGE_OCTETS] = "spacedns ";
    struct text text = text_over(usage, sizeof usage - 1);

    text.next += strlen(usage);
    command_add_usage(&text, command);
    fputs("Usage: ", out);
    wrap_print(out, usage, USAGE_COLUMN);
    fputc('\n', out);
    wrap_print(out, command->help, 0);
    print_role(out, name);
    if (command->options != 0)
        fputc('\n', out);
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if ((command->options >> i & 1) != 0)
            print_option(out, &options_table[i]);
    fputs("\nof every command\n", out);
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (options_table[i].is_common)
            print_option(out, &options_table[i]);
}

static json_t *command_to_json(const struct command_entry *command)
{
    json_t *options = json_array();

    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (options_table[i].is_common || (command->options >> i & 1) != 0)
            json_array_append_new(
                options, json_pack("{s:s, s:o, s:b, s:s}", "name", options_table[i].name, "value",
                                   json_text(options_table[i].value), "needed",
                                   (int)(command->needed >> i & 1), "help", options_table[i].help));
    return json_pack("{s:s, s:s, s:s, s:o}", "name", command->name, "operands", command->operands,
                     "help", command->help, "options", options);
}

static int print_all_json(struct session *session)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        json_array_append_new(list, command_to_json(&commands_table[i]));
    return session_print_json(session, list);
}

int run_help(struct session *session)
{
    const struct invocation *invocation = &session->invocation;
    const char *wanted = commands_table[invocation->command].name;
    enum command_name command;
    struct err err;

    if (invocation->command == COMMAND_HELP)
        wanted = invocation_operand(invocation, 0);
    if (wanted == NULL && session->is_json)
        return print_all_json(session);
    if (wanted == NULL) {
        print_all(session->out);
        return EXIT_DONE;
    }
    if (!command_find(wanted, &command, &err))
        return session_fail(session, EXIT_USAGE, "%s", err.text);
    if (session->is_json)
        return session_print_json(session, command_to_json(&commands_table[command]));
    print_one(session->out, command);
    return EXIT_DONE;
}

int run_version(struct session *session)
{
    if (session->is_json)
        return session_print_json(session, json_pack("{s:s}", "version", SPACEDNS_VERSION));
    fprintf(session->out, "spacedns %s\n", SPACEDNS_VERSION);
    return EXIT_DONE;
}
