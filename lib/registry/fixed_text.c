#include "registry/fixed_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "registry/lines.h"

enum { WORD_MOST = 256 };

/* ---- writing ---- */

static const char *generation_words[] = {[GENERATION_CEDAR] = "cedar", [GENERATION_FIR] = "fir"};

static const char *word_or_dash(const struct word *word)
{
    return word->text == NULL || word->text[0] == '\0' ? "-" : word->text;
}

static void write_cidr(FILE *out, const char *key, struct cidr cidr)
{
    char text[CIDR_TEXT_MAX] = "-";

    if (cidr.bits != 0)
        cidr_write(cidr, text);
    fprintf(out, " %s=%s", key, text);
}

static int compare_apps(const void *a, const void *b)
{
    const struct app *const *one = a, *const *other = b;

    return strcmp((*one)->name.text, (*other)->name.text);
}

static void write_space(FILE *out, const struct space *space)
{
    fputs("space", out);
    write_cidr(out, "cidr", space->cidr.cidr);
    write_cidr(out, "data_cidr", space->data_cidr.cidr);
    fprintf(out, " region=%s generation=%s shield=%s id=%s\n", word_or_dash(&space->region),
            generation_words[space->generation], space->shield ? "true" : "false",
            word_or_dash(&space->id));
}

static void write_apps(FILE *out, const struct app **apps, size_t count)
{
    qsort(apps, count, sizeof *apps, compare_apps);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "app %s internal_routing=%s id=%s\n", apps[i]->name.text,
                apps[i]->internal_routing ? "true" : "false", word_or_dash(&apps[i]->id));
}

static const struct app **list_apps(const struct space *space, size_t *count)
{
    const struct app **apps = malloc((space->app_count + 1) * sizeof *apps);

    *count = 0;
    for (size_t i = 0; apps != NULL && i < space->app_count; i++)
        if (space->apps[i].name.text != NULL)
            apps[(*count)++] = &space->apps[i];
    return apps;
}

char *fixed_text_write(const struct space *space, size_t *length)
{
    size_t count = 0;
    const struct app **apps = list_apps(space, &count);
    char *text = NULL;
    FILE *out = apps == NULL ? NULL : open_memstream(&text, length);

    if (out != NULL) {
        write_space(out, space);
        write_apps(out, apps, count);
        bool failed = ferror(out) != 0;
        if (fclose(out) != 0 || failed) {
            free(text);
            text = NULL;
        }
    }
    free(apps);
    return text;
}

/* ---- reading ---- */

/* Takes the next line. */
static bool take_line(struct line_text *text, struct line_text *line)
{
    if (text->length == 0)
        return false;
    const char *newline = memchr(text->octets, '\n', text->length);
    line->octets = text->octets;
    line->length = newline == NULL ? text->length : (size_t)(newline - text->octets);
    size_t taken = line->length + (newline != NULL);
    text->octets += taken;
    text->length -= taken;
    return true;
}

/* Takes the next word of a line. */
static bool take_word(struct line_text *line, struct line_text *word)
{
    while (line->length > 0 && (*line->octets == ' ' || *line->octets == '\t'))
        line->octets++, line->length--;
    word->octets = line->octets;
    while (line->length > 0 && *line->octets != ' ' && *line->octets != '\t')
        line->octets++, line->length--;
    word->length = (size_t)(line->octets - word->octets);
    return word->length > 0;
}

static bool word_is(const struct line_text *word, const char *text)
{
    return word->length == strlen(text) && memcmp(word->octets, text, word->length) == 0;
}

/* Copies the value of a word KEY=VALUE. Returns false for another key, a dash, or one too long. */
static bool copy_value(const struct line_text *word, const char *key, char out[WORD_MOST])
{
    size_t prefix = strlen(key);

    if (word->length <= prefix + 1 || memcmp(word->octets, key, prefix) != 0 ||
        word->octets[prefix] != '=')
        return false;
    size_t length = word->length - prefix - 1;
    if (length >= WORD_MOST || (length == 1 && word->octets[prefix + 1] == '-'))
        return false;
    memcpy(out, word->octets + prefix + 1, length);
    out[length] = '\0';
    return true;
}

/* What is being read: the result has its texts and apps behind it. */
struct making {
    struct fixed_space *fixed;
    char *texts; /* free */
    uint64_t *apps;
};

static const char *keep(struct making *making, const char *text)
{
    char *kept = making->texts;

    making->texts = stpcpy(kept, text) + 1;
    return kept;
}

static void read_cidr(const char *text, struct cidr *cidr)
{
    if (!cidr_read(text, cidr))
        *cidr = (struct cidr){.bits = 0};
}

static void read_space(struct making *making, struct line_text line)
{
    struct fixed_space *fixed = making->fixed;
    struct line_text word;
    char value[WORD_MOST];

    while (take_word(&line, &word)) {
        if (copy_value(&word, "cidr", value))
            read_cidr(value, &fixed->cidr);
        else if (copy_value(&word, "data_cidr", value))
            read_cidr(value, &fixed->data_cidr);
        else if (copy_value(&word, "region", value) && fixed->region == NULL)
            fixed->region = keep(making, value);
        else if (copy_value(&word, "generation", value))
            fixed->generation = strcmp(value, generation_words[GENERATION_FIR]) == 0
                                    ? GENERATION_FIR
                                    : GENERATION_CEDAR;
        else if (copy_value(&word, "shield", value))
            fixed->shield = strcmp(value, "true") == 0;
        else if (copy_value(&word, "id", value) && fixed->id == NULL)
            fixed->id = keep(making, value);
    }
}

static void read_app(struct making *making, struct line_text line)
{
    struct line_text name, word;
    char value[WORD_MOST], id[WORD_MOST];
    bool is_internal = false, has_id = false;

    if (!take_word(&line, &name))
        return;
    while (take_word(&line, &word)) {
        has_id |= copy_value(&word, "id", id);
        if (copy_value(&word, "internal_routing", value))
            is_internal = strcmp(value, "true") == 0;
    }
    making->apps[making->fixed->app_count++] =
        fixed_app(name.octets, name.length, has_id ? id : NULL, is_internal);
}

static size_t count_lines(const void *text, size_t length)
{
    struct line_text rest = {.octets = text, .length = length}, line;
    size_t count = 0;

    while (take_line(&rest, &line))
        count++;
    return count;
}

struct fixed_space *fixed_text_read(const char *space, const void *text, size_t length)
{
    size_t lines = count_lines(text, length);
    size_t apps = sizeof(struct fixed_space), texts = apps + lines * sizeof(uint64_t);
    uint8_t *room = calloc(1, texts + strlen(space) + 1 + 2 * (size_t)WORD_MOST);
    struct making making = {.fixed = (void *)room};
    struct line_text rest = {.octets = text, .length = length}, line, word;

    if (room == NULL)
        return NULL;
    making.apps = (void *)(room + apps);
    making.texts = (char *)room + texts;
    making.fixed->name = keep(&making, space);
    making.fixed->apps = making.apps;
    making.fixed->is_unreadable = true;
    while (take_line(&rest, &line)) {
        if (!take_word(&line, &word))
            continue;
        if (word_is(&word, "space")) {
            making.fixed->is_unreadable = false;
            read_space(&making, line);
        } else if (word_is(&word, "app")) {
            read_app(&making, line);
        }
    }
    fixed_sort_apps(making.apps, making.fixed->app_count);
    return making.fixed;
}

static size_t room_of(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static const char *keep_or_null(struct making *making, const char *text)
{
    return text == NULL ? NULL : keep(making, text);
}

struct fixed_space *fixed_text_copy(const struct fixed_space *fixed)
{
    size_t apps = sizeof *fixed, texts = apps + fixed->app_count * sizeof(uint64_t);
    uint8_t *room =
        malloc(texts + room_of(fixed->name) + room_of(fixed->id) + room_of(fixed->region));
    struct making making = {.fixed = (void *)room};

    if (room == NULL)
        return NULL;
    *making.fixed = *fixed;
    making.apps = (void *)(room + apps);
    making.texts = (char *)room + texts;
    making.fixed->apps = making.apps;
    if (fixed->app_count > 0)
        memcpy(making.apps, fixed->apps, fixed->app_count * sizeof(uint64_t));
    making.fixed->name = keep_or_null(&making, fixed->name);
    making.fixed->id = keep_or_null(&making, fixed->id);
    making.fixed->region = keep_or_null(&making, fixed->region);
    return making.fixed;
}
