#include "config/settings.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "base/wrap.h"
#include "config/setting.h"

enum {
    HELP_COLUMN = 30,
    HELP_INDENT = 6,
    HELP_BESIDE_LEAST = 72,
    HELP_LINE_MOST = 256,
    HELP_SENTENCE_MOST = 2048,
};

void settings_close(struct settings *settings)
{
    arena_release(settings->arena);
    *settings = (struct settings){.arena = NULL};
}

struct setting_origin settings_origin(const struct settings *settings, const char *key)
{
    for (size_t i = 0; settings->origins != NULL && i < SETTING_COUNT; i++)
        if (settings->origins[i].file != NULL && settings_table[i].key != NULL &&
            strcmp(settings_table[i].key, key) == 0)
            return settings->origins[i];
    return (struct setting_origin){.file = settings->file == NULL ? "settings" : settings->file,
                                   .key = key};
}

/* Finds the flag at the beginning of `argument`: "--listen" of "--listen=::1". */
static size_t find_flag(const char *argument, size_t length)
{
    size_t index = 0;

    while (index < SETTING_COUNT) {
        const char *flag = settings_table[index].flag;
        if (flag != NULL && strlen(flag) == length && strncmp(flag, argument, length) == 0)
            break;
        index++;
    }
    return index;
}

/* Returns the origin of what stands in a flag. */
static struct setting_origin origin_of_flag(const struct settings_reader *reader, const char *flag)
{
    char text[SUGGEST_WORD_MAX + sizeof " (command line)"];
    int length = snprintf(text, sizeof text, "%s (command line)", flag);
    const char *kept = arena_text(reader->settings->arena, text, (size_t)length);

    return (struct setting_origin){.file = kept == NULL ? "command line" : kept};
}

static void report_unknown(struct settings_reader *reader, const char *argument, size_t length)
{
    const char *flags[SETTING_COUNT];
    char name[SUGGEST_WORD_MAX + 1];
    size_t count = 0;

    snprintf(name, sizeof name, "%.*s", (int)length, argument);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].flag != NULL)
            flags[count++] = settings_table[i].flag;
    const char *suggestion = suggest_among(name, flags, count);
    struct setting_origin origin = origin_of_flag(reader, name);
    if (argument[0] != '-')
        setting_report(reader, &origin, "not a flag; a value follows its flag, as in --zones DIR");
    else if (suggestion != NULL)
        setting_report(reader, &origin, "unknown flag; did you mean %s?", suggestion);
    else
        setting_report(reader, &origin, "unknown flag; spacednsd --help lists the flags");
}

/* Reads one flag and its value; returns the number of arguments used. */
static int read_flag(struct settings_reader *reader, char *const *arguments)
{
    size_t length = strcspn(arguments[0], "=");
    /* -h and -V are usual for --help and --version. */
    size_t index = strcmp(arguments[0], "-h") == 0   ? find_flag("--help", strlen("--help"))
                   : strcmp(arguments[0], "-V") == 0 ? find_flag("--version", strlen("--version"))
                                                     : find_flag(arguments[0], length);

    if (index == SETTING_COUNT) {
        report_unknown(reader, arguments[0], length);
        /* The next argument is likely its value. */
        return arguments[0][length] != '=' && arguments[1] != NULL && arguments[1][0] != '-' ? 2
                                                                                             : 1;
    }
    const struct setting *setting = &settings_table[index];
    bool has_value = arguments[0][length] == '=';
    bool is_alone = has_value || setting->type == SETTING_FLAG;
    struct setting_text text = {.source = SOURCE_FLAG,
                                .origin = origin_of_flag(reader, setting->flag)};
    text.text = has_value ? arguments[0] + length + 1 : is_alone ? "true" : arguments[1];
    if (text.text == NULL || (!is_alone && strncmp(text.text, "--", 2) == 0))
        setting_report(reader, &text.origin, "has no value; give one: %s %s", setting->flag,
                       setting->type == SETTING_CHOICE ? setting->words : setting->value);
    else if (setting_is_list(setting))
        setting_assign_items(reader, (enum setting_index)index, &text);
    else
        setting_assign(reader, (enum setting_index)index, &text);
    return is_alone || text.text == NULL || strncmp(text.text, "--", 2) == 0 ? 1 : 2;
}

static void read_flags(struct settings_reader *reader, int argc, char *const *argv)
{
    for (int i = 1; i < argc;)
        i += read_flag(reader, argv + i);
}

static void read_initial(struct settings_reader *reader)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings_table[i];
        struct setting_text text = {
            .source = SOURCE_INITIAL, .origin = {.key = setting->key}, .text = setting->initial};
        if (text.text == NULL || reader->sources[i] > SOURCE_INITIAL)
            continue;
        if (setting_is_list(setting))
            setting_assign_items(reader, (enum setting_index)i, &text);
        else
            setting_assign(reader, (enum setting_index)i, &text);
    }
}

/* A suffix and its key. */
struct suffix {
    const char *name; /* NULL: invalid */
    const char *key;
};

/* Reported where one of the two is written: the other may be an initial value. */
static void report_suffix(struct settings_reader *reader, const struct suffix *one,
                          const struct suffix *other)
{
    struct setting_origin origin = settings_origin(reader->settings, one->key);

    if (origin.at.line == 0)
        origin = settings_origin(reader->settings, other->key);
    setting_report(reader, &origin, "`%s` is given for two purposes; each needs a name of its own",
                   one->name);
}

/* With two equal suffixes, one name would have two meanings. */
static void check_suffixes(struct settings_reader *reader)
{
    const struct settings *settings = reader->settings;
    struct suffix all[4] = {{settings->suffix_apps, "suffixes.apps"},
                            {settings->suffix_discovery, "suffixes.discovery"}};
    size_t count = 2;

    for (size_t i = 0; i < settings->suffix_targets.count; i++)
        all[count++] = (struct suffix){settings->suffix_targets.items[i], "suffixes.targets"};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (all[i].name != NULL && all[j].name != NULL && strcmp(all[i].name, all[j].name) == 0)
                report_suffix(reader, &all[i], &all[j]);
}

/* Over a network, whoever reaches the port would read names of spaces and apps. */
static void check_http(struct settings_reader *reader)
{
    const struct http_addresses *list = &reader->settings->http_listen;
    bool has_token = reader->sources[INDEX_http_token] > SOURCE_INITIAL; /* right or wrong */

    for (size_t i = 0; i < list->count && !has_token; i++) {
        char address[HTTP_ADDRESS_OCTETS];
        http_address_write(&list->items[i], address);
        if (!http_address_is_local(&list->items[i]))
            setting_report(reader, &list->items[i].origin,
                           "%s can be reached from other hosts and there is no http_token; set "
                           "http_token (make one with: openssl rand -hex 32), or serve HTTP at "
                           "127.0.0.1 or unix:PATH",
                           address);
    }
}

static uint32_t count_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (uint32_t)CPU_COUNT(&set);
}

/* Sets what is not configured and depends on the host. */
static void complete(struct settings_reader *reader)
{
    struct settings *settings = reader->settings;
    char host[65] = "";

    if (settings->workers == 0)
        settings->workers = count_processors();
    if (settings->server_id != NULL)
        return;
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        strcpy(host, "spacedns"); // NOLINT
    setting_assign(
        reader, INDEX_server_id,
        &(struct setting_text){SOURCE_INITIAL, settings_origin(settings, "server_id"), host});
}

enum settings_status settings_init(struct settings *settings, int argc, char *const *argv,
                                   struct report *report)
{
    struct settings_reader reader = {.settings = settings, .report = report};

    *settings = (struct settings){.argc = argc, .argv = argv, .arena = arena_new()};
    if (settings->arena != NULL)
        settings->origins = arena_take(settings->arena, SETTING_COUNT * sizeof *settings->origins);
    if (settings->origins == NULL) {
        report_add(report, FINDING_MEMORY, "command line", location_at(0, 0), "out of memory");
        return SETTINGS_BAD_USAGE;
    }
    memset(settings->origins, 0, SETTING_COUNT * sizeof *settings->origins);
    read_flags(&reader, argc, argv);
    if (!report_is_clean(report))
        return SETTINGS_BAD_USAGE;
    if (settings->help || settings->version)
        return SETTINGS_READY;
    if (settings->file != NULL)
        settings_read_file(&reader, settings->file);
    read_initial(&reader);
    complete(&reader);
    check_suffixes(&reader);
    settings_check_recursion(&reader);
    check_http(&reader);
    settings_check_registry(&reader);
    return report_is_clean(report) ? SETTINGS_READY : SETTINGS_BAD_FILE;
}

/* Prints "refuse|nxdomain" as "refuse, nxdomain". */
static void print_words(FILE *out, const char *words)
{
    for (; *words != '\0'; words++)
        if (*words == '|')
            fputs(", ", out);
        else
            fputc(*words, out);
}

static void print_sentence(FILE *out, const struct setting *setting)
{
    fputs(setting->help, out);
    if (setting->words != NULL) {
        fputs(": ", out);
        print_words(out, setting->words);
    }
    if (setting->initial != NULL && setting->type != SETTING_FLAG)
        fprintf(out, " (%s)", setting->initial);
    if (setting->type == SETTING_UPSTREAMS)
        fprintf(out, " (key: %s)", setting->key);
    if (setting->change == CHANGE_RESTART && setting->key != NULL)
        fputs("; a change takes a restart", out);
}

/* On a narrow terminal, or behind a long name, the help stands on lines of its own. */
static void print_setting(FILE *out, const struct setting *setting)
{
    char left[HELP_LINE_MOST], sentence[HELP_SENTENCE_MOST] = "";
    const char *name = setting->flag != NULL ? setting->flag : setting->key;
    int length =
        snprintf(left, sizeof left, "  %s%s%s%s", name, setting->flag == NULL ? ":" : "",
                 setting->value == NULL ? "" : " ", setting->value == NULL ? "" : setting->value);
    int column = wrap_width(out) < HELP_BESIDE_LEAST ? HELP_INDENT : HELP_COLUMN;

    FILE *words = fmemopen(sentence, sizeof sentence, "w");
    if (words == NULL)
        return;
    print_sentence(words, setting);
    fclose(words);
    fputs(left, out);
    if (length >= column)
        fprintf(out, "\n%*s", column, "");
    else
        fprintf(out, "%*s", column - length, "");
    wrap_print(out, sentence, column);
}

void settings_print_help(FILE *out)
{
    fputs("Usage: spacednsd [FLAG...]\n\n", out);
    wrap_print(out,
               "Answers the names of Private Spaces from a folder of zone files, over UDP and TCP.",
               0);
    fputc('\n', out);
    wrap_print(out,
               "Flags (as keys of the settings file: without the leading dashes, with _ for the "
               "inner ones):",
               0);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].flag != NULL)
            print_setting(out, &settings_table[i]);
    fputc('\n', out);
    wrap_print(out, "Keys of the settings file only (YAML; a dot stands for a nested mapping):", 0);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].flag == NULL)
            print_setting(out, &settings_table[i]);
    fputc('\n', out);
    wrap_print(out,
               "Signals: SIGHUP reloads settings and zone files, SIGUSR1 logs the counters, "
               "SIGTERM and SIGINT stop gracefully, a second one at once.",
               0);
    wrap_print(
        out,
        "Exit codes: 0 done, 1 bad zone files or settings, 2 bad usage, 3 an address, a port "
        "or a limit of this host keeps it from starting.",
        0);
}
