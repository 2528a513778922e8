#include "spacedns/support_parts.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/file.h"
#include "config/setting_value.h"
#include "spacedns/commands.h"
#include "spacedns/support_host.h"
#include "spacedns/support_program.h"

enum { WORDS_MOST = 8, ARGUMENTS_MOST = WORDS_MOST + 6 };

/* Prints a part. Returns false with *err when it cannot be made. */
typedef bool support_maker(struct session *session, const char *argument, FILE *out,
                           struct err *err);

/* ---- commands of our own ---- */

struct output {
    char *octets;
    size_t length;
};

/* The words of a line in support.def; `room` has them. */
static size_t split(const char *line, char room[256], char *words[WORDS_MOST])
{
    char *rest = room;
    size_t count = 0;

    snprintf(room, 256, "%s", line);
    for (char *word = strsep(&rest, " "); word != NULL && count < WORDS_MOST;
         word = strsep(&rest, " "))
        words[count++] = word;
    return count;
}

/* What says which server and files this command line is about. */
static size_t add_sources(const struct session *session, char *words[ARGUMENTS_MOST], size_t count)
{
    static const enum command_option options[] = {OPTION_ZONES, OPTION_SETTINGS, OPTION_SOCKET};

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (invocation_has(&session->invocation, options[i])) {
            words[count++] = (char *)options_table[options[i]].name;
            words[count++] = (char *)session->invocation.options[options[i]];
        }
    return count;
}

static int run_command(const struct session *session, const char *line, FILE *out, FILE *err)
{
    char *words[ARGUMENTS_MOST], room[256];
    size_t count = add_sources(session, words, split(line, room, words));

    return commands_run((int)count, words, out, err);
}

/* The sentence of a command that has failed. */
static void set_sentence(struct err *err, const char *printed)
{
    static const char mark[] = "Error: ";
    const char *sentence = strstr(printed, mark);

    sentence = sentence == NULL ? printed : sentence + strlen(mark);
    err_set(err, ERR_SYSTEM, "%.*s", (int)strcspn(sentence, "\n"), sentence);
}

static bool make_strict(struct session *session, const char *line, FILE *out, struct err *err)
{
    struct output printed = {.octets = NULL};
    FILE *errors = open_memstream(&printed.octets, &printed.length);

    if (errors == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    int code = run_command(session, line, out, errors);
    if (fclose(errors) == 0 && code != EXIT_DONE)
        set_sentence(err, printed.octets);
    free(printed.octets);
    return code == EXIT_DONE;
}

/* Findings are what it is run for, so it may fail. */
static bool make_command(struct session *session, const char *line, FILE *out, struct err *err)
{
    (void)err;
    run_command(session, line, out, out);
    return true;
}

/* ---- other texts ---- */

static bool make_file(struct session *session, const char *path, FILE *out, struct err *err)
{
    struct err cause;
    size_t length;
    char *text = file_read_text(path, SUPPORT_OCTETS_MOST, &length, &cause);

    (void)session;
    if (text == NULL)
        return err_set(err, ERR_SYSTEM, "%s %.400s", path, cause.text);
    fwrite(text, 1, length, out);
    free(text);
    return true;
}

/* "libldns.so.3" */
static int print_library(struct dl_phdr_info *info, size_t size, void *context)
{
    const char *name = strrchr(info->dlpi_name, '/');

    (void)size;
    if (name != NULL)
        fprintf(context, "library %s\n", name + 1);
    return 0;
}

static bool make_version(struct session *session, const char *argument, FILE *out, struct err *err)
{
    (void)session, (void)argument, (void)err;
    fprintf(out, "spacedns %s\ncompiler %s\nbuild %s\n", SPACEDNS_VERSION, __VERSION__,
            SPACEDNS_BUILD);
    dl_iterate_phdr(print_library, out);
    return true;
}

static bool make_kernel(struct session *session, const char *argument, FILE *out, struct err *err)
{
    (void)argument, (void)err;
    session_server_zones(session); /* with them comes the server's process */
    support_host_print(json_integer_value(json_object_get(session->server, "pid")), out);
    return true;
}

static bool make_settings(struct session *session, const char *argument, FILE *out, struct err *err)
{
    struct output printed = {.octets = NULL};
    FILE *errors = session->err;

    (void)argument;
    session->err = open_memstream(&printed.octets, &printed.length);
    bool is_read = session->err != NULL && session_read_settings(session);
    if (session->err != NULL)
        fclose(session->err);
    session->err = errors;
    if (is_read)
        settings_print_values(&session->settings, out);
    else
        err_set(err, ERR_RULE, "the settings cannot be read; findings.txt has why");
    free(printed.octets);
    return is_read;
}

static bool make_events(struct session *session, const char *line, FILE *out, struct err *err)
{
    static const char none[] = "-- No entries --";
    char *words[WORDS_MOST + 1], room[256];
    struct output printed = {.octets = NULL};

    (void)session;
    words[split(line, room, words)] = NULL;
    if (!support_program_run(words, SUPPORT_OCTETS_MOST, &printed.octets, &printed.length, err))
        return false;
    bool is_empty = printed.length == 0 || strncmp(printed.octets, none, strlen(none)) == 0;
    if (is_empty)
        err_set(err, ERR_SYSTEM,
                "the journal has nothing of the unit spacednsd; add what the server has printed");
    else
        fwrite(printed.octets, 1, printed.length, out);
    free(printed.octets);
    return !is_empty;
}

/* ---- parts ---- */

static struct support_part *add_part(struct support_parts *parts, const char *name,
                                     const char *holds)
{
    if (parts->count == parts->capacity) {
        size_t wider = parts->capacity == 0 ? 16 : 2 * parts->capacity;
        struct support_part *moved = realloc(parts->items, wider * sizeof *moved);
        if (moved == NULL)
            return NULL;
        parts->items = moved;
        parts->capacity = wider;
    }
    struct support_part *part = &parts->items[parts->count];
    *part = (struct support_part){.name = strdup(name), .holds = holds};
    if (part->name == NULL)
        return NULL;
    parts->count++;
    return part;
}

static void make_part(struct support_parts *parts, struct support_part *part, support_maker *maker,
                      const char *argument)
{
    FILE *out = open_memstream(&part->octets, &part->length);
    bool is_made = out != NULL && maker(parts->session, argument, out, &part->problem);

    if (out == NULL || fclose(out) != 0)
        is_made = err_set(&part->problem, ERR_MEMORY, "out of memory; free some, then try again");
    if (part->length > SUPPORT_OCTETS_MOST)
        part->length = SUPPORT_OCTETS_MOST;
    if (is_made)
        return;
    free(part->octets);
    part->octets = NULL;
    part->length = 0;
}

/* ---- zone files ---- */

static int is_zone_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static bool make_zone(struct session *session, const char *path, FILE *out, struct err *err)
{
    struct output file = {.octets = NULL};
    FILE *copy = open_memstream(&file.octets, &file.length);

    if (copy == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    bool is_read = make_file(session, path, copy, err);
    is_read = fclose(copy) == 0 && is_read;
    if (is_read && memmem(file.octets, file.length, "pre_shared_key", 14) != NULL)
        is_read = err_set(err, ERR_RULE, "has a pre_shared_key; take it out of the zone file");
    if (is_read)
        fwrite(file.octets, 1, file.length, out);
    free(file.octets);
    return is_read;
}

static bool add_zone(struct support_parts *parts, const char *folder, const char *file)
{
    char path[PATH_MAX], name[NAME_MAX + 8];

    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(name, sizeof name, "zones/%s", file);
    struct support_part *part = add_part(parts, name, "a zone file as it is");
    if (part != NULL)
        make_part(parts, part, make_zone, path);
    return part != NULL;
}

static bool add_zones(struct support_parts *parts)
{
    const char *folder = session_zones(parts->session);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_zone_file, alphasort);
    bool done = true;

    if (count < 0) {
        struct support_part *part = add_part(parts, "zones", "the zone files as they are");
        if (part != NULL)
            err_set(&part->problem, ERR_SYSTEM,
                    "%.300s cannot be opened: %s; name the folder with --zones", folder,
                    strerror(errno));
        return part != NULL;
    }
    for (int i = 0; i < count; i++) {
        done = done && add_zone(parts, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return done;
}

/* ---- secrets ---- */

static void support_on_secret(void *context, const char *secret)
{
    struct support_parts *parts = context;
    size_t length = strlen(secret);

    for (size_t i = 0; i < parts->count; i++) {
        struct support_part *part = &parts->items[i];
        for (size_t at = 0; part->octets != NULL && at + length <= part->length; at++) {
            if (strncasecmp(part->octets + at, secret, length) != 0)
                continue;
            memset(part->octets + at, '*', length);
            parts->blanked++;
        }
    }
}

/* ---- what is in it ---- */

void support_part_print(const struct support_part *part, FILE *out)
{
    if (part->octets != NULL)
        escape_printf(out, "  %-20s %9zu  %s\n", part->name, part->length, part->holds);
    else
        escape_printf(out, "  %-20s         -  left out: %s\n", part->name, part->problem.text);
}

/* For who gets the archive: what else there would be. */
static bool add_contents(struct support_parts *parts)
{
    struct support_part *part = add_part(parts, "contents.txt", "this list");

    if (part == NULL)
        return false;
    FILE *out = open_memstream(&part->octets, &part->length);
    for (size_t i = 0; out != NULL && i + 1 < parts->count; i++)
        support_part_print(&parts->items[i], out);
    return out != NULL && fclose(out) == 0;
}

/* ---- all ---- */

bool support_parts_make(struct support_parts *parts, struct session *session)
{
    static const struct {
        const char *name, *argument, *holds;
        support_maker *maker;
    } lines[] = {
#define PART(file, maker, argument, holds) {file, argument, holds, make_##maker},
#include "spacedns/support.def"
    };

    *parts = (struct support_parts){.session = session};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct support_part *part = add_part(parts, lines[i].name, lines[i].holds);
        if (part == NULL)
            return false;
        make_part(parts, part, lines[i].maker, lines[i].argument);
    }
    if (invocation_has(&session->invocation, OPTION_WITH_ZONES) && !add_zones(parts))
        return false;
    return add_contents(parts) &&
           (!session->has_settings ||
            settings_walk_secrets(&session->settings, support_on_secret, parts));
}

void support_parts_close(struct support_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        free(parts->items[i].octets);
        free((char *)parts->items[i].name);
    }
    free(parts->items);
}
