#include "control/command.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

enum { WORDS_MOST = OPERANDS_MOST + OPTION_COUNT, LINE_MOST = 1024 };

/* A command line as words with blanks between. */
static struct {
    char text[LINE_MOST];
    char *words[WORDS_MOST];
    struct invocation invocation;
    struct err err;
} line;

static bool reads(const char *text)
{
    int count = 0;

    snprintf(line.text, sizeof line.text, "%s", text);
    for (char *word = strtok(line.text, " "); word != NULL; word = strtok(NULL, " ")) {
        ck_assert_int_lt(count, WORDS_MOST);
        line.words[count++] = word;
    }
    return invocation_read(count, line.words, &line.invocation, &line.err);
}

TEST(an_empty_command_line_is_help)
{
    ck_assert(reads(""));
    ck_assert_int_eq(line.invocation.command, COMMAND_HELP);
    ck_assert_uint_eq(line.invocation.operand_count, 0);
    ck_assert_ptr_null(invocation_operand(&line.invocation, 0));
}

/* Options stand before or after the command, with their value beside or behind an equals sign. */
static const char *const same[] = {
    "check old --zones new --strict", "check --strict --zones new old",
    "--strict check --zones=new old", "--zones new check old --strict",
    "--zones=new --strict check old",
};

TEST_OVER(options_stand_anywhere, same)
{
    ck_assert_msg(reads(same[_i]), "%s: %s", same[_i], line.err.text);
    ck_assert_int_eq(line.invocation.command, COMMAND_CHECK);
    ck_assert_uint_eq(line.invocation.operand_count, 1);
    ck_assert_str_eq(invocation_operand(&line.invocation, 0), "old");
    ck_assert_ptr_null(invocation_operand(&line.invocation, 1));
    ck_assert_str_eq(line.invocation.options[OPTION_ZONES], "new");
    ck_assert_str_eq(line.invocation.options[OPTION_STRICT], "");
    ck_assert(!invocation_has(&line.invocation, OPTION_JSON));
}

TEST(a_letter_is_an_option_too)
{
    ck_assert(reads("check -h"));
    ck_assert(invocation_has(&line.invocation, OPTION_HELP));
}

TEST(a_value_may_be_empty_or_begin_with_a_dash)
{
    ck_assert(reads("check --zones="));
    ck_assert_str_eq(line.invocation.options[OPTION_ZONES], "");
    ck_assert(reads("check --zones=--strict"));
    ck_assert_str_eq(line.invocation.options[OPTION_ZONES], "--strict");
    ck_assert(!invocation_has(&line.invocation, OPTION_STRICT));
    ck_assert(reads("check --zones -folder"));
    ck_assert_str_eq(line.invocation.options[OPTION_ZONES], "-folder");
    ck_assert(reads("check -"));
    ck_assert_str_eq(invocation_operand(&line.invocation, 0), "-");
}

/* Two commands take --force in two ways. */
TEST(of_two_options_with_one_name_the_commands_own_is_meant)
{
    ck_assert(reads("push zones --force typo"));
    ck_assert_str_eq(line.invocation.options[OPTION_FORCE_WHY], "typo");
    ck_assert(!invocation_has(&line.invocation, OPTION_FORCE));
    ck_assert_uint_eq(line.invocation.operand_count, 1);
    ck_assert(reads("reload --force"));
    ck_assert_str_eq(line.invocation.options[OPTION_FORCE], "");
    ck_assert(!invocation_has(&line.invocation, OPTION_FORCE_WHY));
    ck_assert(!reads("push zones --force"));
    ck_assert_str_eq(line.err.text, "--force needs a value; write --force WHY");
}

static const struct {
    const char *line;
    enum command_name command;
    size_t operands;
} second_words[] = {
    {"registry", COMMAND_REGISTRY, 0},
    {"registry status", COMMAND_REGISTRY, 1},
    {"registry pause storm", COMMAND_REGISTRY_PAUSE, 1},
    {"registry:pause storm", COMMAND_REGISTRY_PAUSE, 1},
    {"registry --json replicas", COMMAND_REGISTRY_REPLICAS, 0},
    {"registry accept a b", COMMAND_REGISTRY_ACCEPT, 2},
    {"cache flush", COMMAND_CACHE, 1},
};

TEST_OVER(a_command_of_the_registry_is_one_word_or_two, second_words)
{
    ck_assert_msg(reads(second_words[_i].line), "%s: %s", second_words[_i].line, line.err.text);
    ck_assert_int_eq(line.invocation.command, second_words[_i].command);
    ck_assert_uint_eq(line.invocation.operand_count, second_words[_i].operands);
}

TEST(two_dashes_end_the_options)
{
    ck_assert(reads("check --json -- --strict"));
    ck_assert_str_eq(invocation_operand(&line.invocation, 0), "--strict");
    ck_assert(invocation_has(&line.invocation, OPTION_JSON));
    ck_assert(!invocation_has(&line.invocation, OPTION_STRICT));
}

TEST(version_is_a_flag_as_in_other_programs)
{
    ck_assert(reads("--version"));
    ck_assert_int_eq(line.invocation.command, COMMAND_VERSION);
    ck_assert(reads("-V"));
    ck_assert_int_eq(line.invocation.command, COMMAND_VERSION);
    ck_assert(!reads("check --version"));
}

static const struct {
    const char *line, *sentence;
} mistakes[] = {
    {"chekc", "chekc is not a command; did you mean check? spacedns help lists them"},
    {"frobnicate", "frobnicate is not a command; spacedns help lists them"},
    {"check --jsn", "--jsn is not an option; did you mean --json? see spacedns help check"},
    {"check --frobnicate", "--frobnicate is not an option; see spacedns help check"},
    {"check -x", "-x is not an option; see spacedns help check"},
    {"check --json --json", "--json is given twice; give it once"},
    {"check --zones a --zones=b", "--zones is given twice; give it once"},
    {"check --json=yes", "--json has no value; write it alone"},
    {"check --zones", "--zones needs a value; write --zones DIR"},
    {"whoami --from --socket s", "--from needs a value; write --from ADDR"},
    {"whoami --from --to=10.0.0.2", "--from needs a value; write --from ADDR"},
    {"ps -a -h", "--app needs a value; write --app APP"},
    {"cache a b", "b is one operand too many; write spacedns cache [NAME]"},
    {"version b", "b is one operand too many; write spacedns version"},
    {"--jsn check", "--jsn is not an option; did you mean --json? see spacedns help COMMAND"},
    {"-- --json", "--json is not a command; spacedns help lists them"},
    {"version --strict", "--strict is not an option of version; see spacedns help version"},
};

TEST_OVER(a_mistake_is_reported_with_the_remedy, mistakes)
{
    ck_assert_msg(!reads(mistakes[_i].line), "%s", mistakes[_i].line);
    ck_assert_str_eq(line.err.text, mistakes[_i].sentence);
    ck_assert_int_eq(line.err.code, ERR_SYNTAX);
}

/* For each command with required operands in the table. */
TEST(missing_operands_are_reported_unless_help_is_requested)
{
    char text[LINE_MOST], sentence[LINE_MOST];

    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        const struct command_entry *command = &commands_table[i];
        bool lacks = command->least > 0;
        ck_assert_msg(reads(command->name) != lacks, "%s", command->name);
        snprintf(sentence, sizeof sentence, "Missing %u required arg: %s; see spacedns help %s",
                 command->least, command->operands, command->name);
        if (lacks)
            ck_assert_str_eq(line.err.text, sentence);
        snprintf(text, sizeof text, "%s --help", command->name);
        ck_assert_msg(reads(text), "%s", text);
    }
}

static bool takes(unsigned command, unsigned option)
{
    return (commands_table[command].options >> option & 1) != 0;
}

/* Two options with one name. */
static bool is_twin(unsigned a, unsigned b)
{
    return strcmp(options_table[a].name, options_table[b].name) == 0;
}

TEST(the_tables_are_sound)
{
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        const struct command_entry *command = &commands_table[i];
        ck_assert_msg(command->least <= command->most && command->most <= OPERANDS_MOST, "%s",
                      command->name);
        ck_assert_msg((command->most == 0) == (command->operands[0] == '\0'), "%s", command->name);
        ck_assert_uint_lt(command->group, GROUP_COUNT);
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(command->name, commands_table[j].name);
    }
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        for (unsigned j = 0; j < i; j++) {
            ck_assert(!is_twin(i, j) ||
                      (options_table[i].value == NULL) != (options_table[j].value == NULL));
            ck_assert(options_table[i].letter == 0 ||
                      options_table[i].letter != options_table[j].letter);
        }
    ck_assert_uint_le(OPTION_COUNT, 64);
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        ck_assert(!takes(i, OPTION_FORCE) || !takes(i, OPTION_FORCE_WHY));
}

/* Appends a word to a line of LINE_MOST octets. */
static void append(char *text, const char *format, const char *word)
{
    size_t used = strlen(text);

    snprintf(text + used, LINE_MOST - used, format, word); // NOLINT: of this file
}

/* As many operands as it may have, and one more. */
TEST_LOOP(a_command_takes_its_operands, 0, COMMAND_COUNT)
{
    const struct command_entry *command = &commands_table[_i];
    char text[LINE_MOST] = "";

    append(text, "%s", command->name);
    for (unsigned count = 0; count <= command->most; count++) {
        ck_assert_msg(reads(text) == (count >= command->least), "%s", text);
        ck_assert_int_eq((int)line.invocation.command, _i);
        ck_assert_uint_eq(line.invocation.operand_count, count);
        append(text, " %s", "x");
    }
    ck_assert_msg(!reads(text), "%s", text);
    ck_assert_ptr_nonnull(strstr(line.err.text, "x is one operand too many; write spacedns "));
}

/* Each option with each command, alone and by its letter: taken if it is the command's. */
TEST_LOOP(a_command_takes_its_options_and_no_others, 0, COMMAND_COUNT)
{
    const struct command_entry *command = &commands_table[_i];

    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_entry *option = &options_table[i];
        bool is_wanted = option->is_common || takes((unsigned)_i, i);
        char text[LINE_MOST] = "", letter[] = {'-', option->letter, '\0'}, sentence[LINE_MOST];

        if (!is_wanted && (i == OPTION_FORCE || i == OPTION_FORCE_WHY))
            continue; /* then the other is read */
        append(text, "%s", command->name);
        for (unsigned j = 0; j < command->least; j++)
            append(text, " %s", "x");
        append(text, " %s", option->letter == 0 ? option->name : letter);
        append(text, "%s", option->value == NULL ? "" : " value");
        ck_assert_msg(reads(text) == is_wanted, "%s", text);
        ck_assert_str_eq(line.invocation.options[i], option->value == NULL ? "" : "value");
        snprintf(sentence, sizeof sentence, "%s is not an option of %s; see spacedns help %s",
                 option->name, command->name, command->name);
        if (!is_wanted)
            ck_assert_str_eq(line.err.text, sentence);
    }
}

/* One letter wrong: the remedy is the right name. */
TEST_LOOP(a_mistyped_command_gets_a_suggestion, 0, COMMAND_COUNT)
{
    const char *name = commands_table[_i].name;
    char text[LINE_MOST], suggestion[LINE_MOST];
    enum command_name found;

    snprintf(text, sizeof text, "%sx", name);
    ck_assert(!command_find(text, &found, &line.err));
    snprintf(suggestion, sizeof suggestion, "; did you mean %s? ", name);
    ck_assert_msg(strstr(line.err.text, suggestion) != NULL, "%s", line.err.text);
    ck_assert(command_find(name, &found, &line.err));
    ck_assert_int_eq((int)found, _i);
}
