#include "manual/page.h"

#include <ctype.h>
#include <string.h>

#include "manual/tables.h"

struct reason_line {
    const char *code;
    const char *description;
    const char *remedy;
    unsigned ede; /* RFC 8914 */
};

struct counter_line {
    const char *name;
    const char *metric; /* its symbol in metrics.def */
    const char *labels; /* there; NULL: none */
    const char *help;
};

struct metric_line {
    const char *symbol;
    const char *kind;
    const char *name;
    const char *labels; /* NULL: none */
    const char *help;
};

struct path_line {
    const char *symbol;
    const char *path;
    const char *help;
};

struct argument_line {
    const char *of; /* a path's symbol */
    const char *name;
    const char *need;
    const char *help;
};

static const struct reason_line reasons[] = {
#define REASON(symbol, code, level, ede, description, remedy) {code, description, remedy, ede},
#include "decide/reasons.def"
#undef REASON
};

static const struct counter_line counters[] = {
#define COUNTER(symbol, name, metric, labels, help) {name, #metric, labels, help},
#include "stats/counters.def"
#undef COUNTER
};

static const struct metric_line metrics[] = {
#define METRIC(symbol, kind, name, unit, labels, help) {#symbol, #kind, name, labels, help},
#include "stats/metrics.def"
#undef METRIC
};

static const struct path_line paths[] = {
#define PATH(symbol, path, answer, schema, help) {#symbol, path, help},
#include "control/paths.def"
};

static const struct argument_line arguments[] = {
#define ARGUMENT(symbol, of, name, type, need, least, most, initial, help) {#of, name, #need, help},
#include "control/paths.def"
};

struct name_line {
    const char *label;
    const char *rest; /* of the name, behind the label */
    const char *type;
    const char *help;
};

#define REST_SUFFIX ".localspace"
#define REST_APP ".APP.app.localspace"
#define REST_ANY ".NAME"
#define REST_CHAOS ", class CH"

static const struct name_line names[] = {
#define NAME(symbol, parent, label, type, printer, help) {label, REST_##parent, #type, help},
#include "decide/names.def"
};

/* Whom the running server lets run each command, besides root and its own user; NULL: it has not
 * it. */
#define GROUPS_READ "control_read_group or control_group"
#define GROUPS_ALL "control_group"
static const char *const command_groups[COMMAND_COUNT] = {
#define SERVED(command, role) [COMMAND_##command] = GROUPS_##role,
#include "control/roles.def"
};

enum {
    NAME_COUNT = sizeof names / sizeof names[0],
    REASON_COUNT = sizeof reasons / sizeof reasons[0],
    COUNTER_COUNT = sizeof counters / sizeof counters[0],
    METRIC_COUNT = sizeof metrics / sizeof metrics[0],
    PATH_COUNT = sizeof paths / sizeof paths[0],
    ARGUMENT_COUNT = sizeof arguments / sizeof arguments[0],
};

/* Text of a manual page: hyphens as typed, and nothing that roff would read as a request. */
static void print_roff(FILE *out, const char *text)
{
    if (text[0] == '.' || text[0] == '\'')
        fputs("\\&", out);
    for (; *text != '\0'; text++)
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
}

static void print_in_font(FILE *out, char font, const char *text)
{
    fprintf(out, "\\f%c", font);
    print_roff(out, text);
    fputs("\\fR", out);
}

/* "--from ADDR", with the letter before it. */
static void print_option(FILE *out, const struct option_entry *option)
{
    if (option->letter != 0)
        fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    print_in_font(out, 'B', option->name);
    if (option->value == NULL)
        return;
    fputc(' ', out);
    print_in_font(out, 'I', option->value);
}

static void print_synopsis_option(FILE *out, const char *before, const struct option_entry *option,
                                  const char *after)
{
    fputs(before, out);
    print_in_font(out, 'B', option->name);
    if (option->value != NULL)
        fprintf(out, " \\fI%s\\fR", option->value);
    fputs(after, out);
}

/* What may be left out has brackets in the table. */
static void print_operands(FILE *out, const struct command_entry *command)
{
    if (command->most == 0)
        return;
    fputs(command_takes_app(command) ? " {" : " ", out);
    print_in_font(out, 'I', command->operands);
    if (command_takes_app(command))
        print_synopsis_option(out, " | ", &options_table[OPTION_APP], "}");
}

static void fill_command(FILE *out, const struct command_entry *command)
{
    fputs(".TP\n", out);
    print_in_font(out, 'B', command->name);
    print_operands(out, command);
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if ((command->needed >> i & 1) != 0)
            print_synopsis_option(out, " ", &options_table[i], "");
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (command_has_option(command, i) && (command->needed >> i & 1) == 0 &&
            !(i == OPTION_APP && command_takes_app(command)))
            print_synopsis_option(out, " [", &options_table[i], "]");
    fputc('\n', out);
    print_roff(out, command->help);
    const char *groups = command_groups[command - commands_table];
    if (groups != NULL)
        fprintf(out, ". On the running server: root, its own user, members of %s", groups);
    fputc('\n', out);
}

static void fill_commands(FILE *out)
{
    for (unsigned group = 0; group < GROUP_COUNT; group++) {
        bool has_title = false;
        for (unsigned i = 0; i < COMMAND_COUNT; i++) {
            if ((unsigned)commands_table[i].group != group)
                continue;
            if (!has_title)
                fprintf(out, ".SS %s\n", groups_table[group]);
            has_title = true;
            fill_command(out, &commands_table[i]);
        }
    }
}

/* True when a command has it: an unused option is not documented. */
static bool is_used(unsigned option)
{
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        if (command_has_option(&commands_table[i], option))
            return true;
    return false;
}

static void fill_options(FILE *out, bool common)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (options_table[i].is_common != common || (!common && !is_used(i)))
            continue;
        fputs(".TP\n", out);
        print_option(out, &options_table[i]);
        fputc('\n', out);
        print_roff(out, options_table[i].help);
        fputc('\n', out);
    }
}

static void fill_common_options(FILE *out)
{
    fill_options(out, true);
}

static void fill_own_options(FILE *out)
{
    fill_options(out, false);
}

static void fill_setting(FILE *out, const struct setting_line *setting, const char *name)
{
    fputs(".TP\n", out);
    print_in_font(out, 'B', name);
    if (setting->value != NULL)
        fprintf(out, "%s \\fI%s\\fR", name == setting->key ? ":" : "", setting->value);
    fputc('\n', out);
    print_roff(out, setting->help);
    if (setting->words != NULL) {
        fputs("; words: ", out);
        print_roff(out, setting->words);
    }
    if (setting->initial != NULL && setting->value != NULL) {
        fputs("; default ", out);
        print_in_font(out, 'B', setting->initial);
    }
    if (setting->takes_restart && setting->key != NULL)
        fputs("; a change takes a restart", out);
    fputc('\n', out);
}

static void fill_flags(FILE *out)
{
    for (size_t i = 0; i < setting_count; i++)
        if (settings[i].flag != NULL)
            fill_setting(out, &settings[i], settings[i].flag);
}

static void fill_keys(FILE *out)
{
    for (size_t i = 0; i < setting_count; i++)
        if (settings[i].key != NULL)
            fill_setting(out, &settings[i], settings[i].key);
}

static void fill_reasons(FILE *out)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        fputs(".TP\n", out);
        print_in_font(out, 'B', reasons[i].code);
        fprintf(out, " (EDE %u)\n", reasons[i].ede);
        print_roff(out, reasons[i].description);
        fputs(": ", out);
        print_roff(out, reasons[i].remedy);
        fputc('\n', out);
    }
}

/* A name in bold, and its help below. */
static void print_entry(FILE *out, const char *name, const char *help)
{
    fputs(".TP\n", out);
    print_in_font(out, 'B', name);
    fputc('\n', out);
    print_roff(out, help);
    fputc('\n', out);
}

static void fill_counters(FILE *out)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        print_entry(out, counters[i].name, counters[i].help);
}

/* "COUNTER" as "counter". */
static void print_lower(FILE *out, const char *word)
{
    for (; *word != '\0'; word++)
        fputc((tolower)((unsigned char)*word), out);
}

static const char *suffix_of(const struct metric_line *metric)
{
    return strcmp(metric->kind, "COUNTER") == 0 ? "_total"
           : strcmp(metric->kind, "INFO") == 0  ? "_info"
                                                : "";
}

/* "{limit, action}" after its name. */
static void print_label_names(FILE *out, const char *labels)
{
    fputs(" {", out);
    for (; *labels != '\0'; labels++)
        if (*labels == ' ')
            fputs(", ", out);
        else
            fputc(*labels, out);
    fputc('}', out);
}

/* The counters that have its values, if their labels tell them apart. */
static void print_values(FILE *out, const struct metric_line *metric)
{
    const char *before = ". ";

    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        if (counters[i].labels == NULL || strcmp(counters[i].metric, metric->symbol) != 0)
            continue;
        fputs(before, out);
        print_roff(out, counters[i].labels);
        fputs(": ", out);
        print_roff(out, counters[i].help);
        before = "; ";
    }
}

static void fill_metrics(FILE *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric_line *metric = &metrics[i];
        size_t length = strlen(metric->help);
        char help[1024];
        fputs(".TP\n", out);
        fprintf(out, "\\fB%s%s\\fR", metric->name, suffix_of(metric));
        if (metric->labels != NULL)
            print_label_names(out, metric->labels);
        fputs(" (", out);
        print_lower(out, metric->kind);
        fputs(")\n", out);
        snprintf(help, sizeof help, "%.*s", (int)(length - 1), metric->help);
        print_roff(out, help);
        print_values(out, metric);
        fputc('\n', out);
    }
}

/* Those in the query of a path. */
static void print_arguments(FILE *out, const char *symbol)
{
    for (size_t i = 0; i < ARGUMENT_COUNT; i++) {
        const struct argument_line *argument = &arguments[i];
        if (strcmp(argument->of, symbol) != 0 || strcmp(argument->need, "SEGMENT") == 0)
            continue;
        fputs(".br\n", out);
        print_in_font(out, 'I', argument->name);
        fputs(": ", out);
        print_roff(out, argument->help);
        fputs(strcmp(argument->need, "NEEDED") == 0 ? " (needed)\n" : "\n", out);
    }
}

static void fill_paths(FILE *out)
{
    for (size_t i = 0; i < PATH_COUNT; i++) {
        print_entry(out, paths[i].path, paths[i].help);
        print_arguments(out, paths[i].symbol);
    }
}

static void fill_names(FILE *out)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        fputs(".TP\n", out);
        print_in_font(out, 'B', names[i].label);
        print_roff(out, names[i].rest);
        fprintf(out, ", type %s\n", names[i].type);
        print_roff(out, names[i].help);
        fputc('\n', out);
    }
}

const struct marker page_markers[] = {
    {"@commands@\n", fill_commands},
    {"@common-options@\n", fill_common_options},
    {"@own-options@\n", fill_own_options},
    {"@flags@\n", fill_flags},
    {"@keys@\n", fill_keys},
    {"@reasons@\n", fill_reasons},
    {"@names@\n", fill_names},
    {"@counters@\n", fill_counters},
    {"@metrics@\n", fill_metrics},
    {"@paths@\n", fill_paths},
    {NULL, NULL},
};
