#include "support/console.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

struct console console;

static const char settings[] = "upstreams: none\n";

void console_open(void)
{
    console = (struct console){.without = NULL};
    scratch_init(&console.zones);
    scratch_copy(&console.zones, "zones/test-space.yaml");
    scratch_write(&console.zones, "settings", settings, strlen(settings));
    snprintf(console.socket, sizeof console.socket, "%s/control.sock", console.zones.path);
}

void console_close(void)
{
    scratch_close(&console.zones);
    free(console.out);
    free(console.err);
}

/* Returns a copy in which each `old` is `new`; free() it. */
static char *replace(const char *text, const char *old, const char *new)
{
    char *copy = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&copy, &size);

    ck_assert_ptr_nonnull(out);
    for (const char *at; (at = strstr(text, old)) != NULL; text = at + strlen(old))
        fprintf(out, "%.*s%s", (int)(at - text), text, new);
    fputs(text, out);
    fclose(out);
    return copy;
}

/* Takes over the text. */
static char *hide_folder(char *text)
{
    char *copy = replace(text, console.zones.path, "ZONES");

    free(text);
    return copy;
}

/* The line with the flags that it lacks; free() it. */
static char *complete(const char *line)
{
    static const char *const flags[][2] = {
        {"--zones", "ZONES"}, {"--settings", "ZONES/settings"}, {"--socket", "ZONES/control.sock"}};
    char text[CONSOLE_LINE_MOST];

    snprintf(text, sizeof text, "%s", line);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        size_t used = strlen(text);
        bool is_unwanted = console.without != NULL && strstr(console.without, flags[i][0]) != NULL;
        if (!is_unwanted && strstr(line, flags[i][0]) == NULL)
            snprintf(text + used, sizeof text - used, " %s %s", flags[i][0], flags[i][1]);
    }
    return replace(text, "ZONES", console.zones.path);
}

/* Splits a line, which it changes, into words. Returns their number. */
static int split(char *line, char *words[CONSOLE_WORDS_MOST])
{
    int count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        ck_assert_int_lt(count, CONSOLE_WORDS_MOST);
        words[count++] = word;
    }
    return count;
}

int console_run(const char *line)
{
    char *words[CONSOLE_WORDS_MOST], *typed = complete(line);
    size_t out_length, err_length;

    free(console.out);
    free(console.err);
    int count = split(typed, words);
    FILE *out = open_memstream(&console.out, &out_length);
    FILE *err = open_memstream(&console.err, &err_length);
    ck_assert(out != NULL && err != NULL);
    console.code = console_runs(count, words, out, err);
    fclose(out);
    fclose(err);
    free(typed);
    console.out = hide_folder(console.out);
    console.err = hide_folder(console.err);
    return console.code;
}

void console_expect(const struct console_line *line)
{
    console_run(line->line);
    ck_assert_msg(strcmp(console.err, line->err) == 0, "%s\nerr: %.2000s\nnot: %.2000s", line->line,
                  console.err, line->err);
    ck_assert_msg(strcmp(console.out, line->out) == 0, "%s\nout: %.2000s\nnot: %.2000s", line->line,
                  console.out, line->out);
    ck_assert_msg(console.code == line->code, "%s\ncode %d, not %d", line->line, console.code,
                  line->code);
}

void console_expect_part(const char *line, int code, const char *part)
{
    console_run(line);
    const char *printed = code == 0 ? console.out : console.err;

    ck_assert_msg(console.code == code, "%s\ncode %d: %.2000s%.2000s", line, console.code,
                  console.out, console.err);
    ck_assert_msg(strstr(printed, part) != NULL, "%s\nprinted: %.3000s", line, printed);
}

void console_expect_json(const char *line, const char *json)
{
    console_run(line);
    json_t *root = json_loads(console.out, 0, NULL);
    char *compact = json_dumps(root, JSON_COMPACT), *quoted = replace(json, "'", "\"");

    ck_assert_msg(compact != NULL && strcmp(compact, quoted) == 0,
                  "%s\nprinted: %.2000s\nnot: %.2000s", line,
                  compact == NULL ? console.out : compact, quoted);
    ck_assert_int_eq(console.code, 0);
    free(quoted);
    free(compact);
    json_decref(root);
}

char *console_read(const char *name)
{
    char path[SCRATCH_PATH_MOST + 64];
    size_t length;

    snprintf(path, sizeof path, "%s/%s", console.zones.path, name);
    return file_read(path, &length);
}

bool console_file_has(const char *name, const char *part)
{
    char *text = console_read(name);
    bool has = text != NULL && strstr(text, part) != NULL;

    free(text);
    return has;
}
