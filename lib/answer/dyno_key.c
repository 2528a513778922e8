#include "answer/dyno_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/number.h"
#include "base/text.h"
#include "space/model.h"

enum { TYPE_OCTETS_MOST = 128, WORDS_MOST = 3, LINE_TEXT_MOST = 64 };

/* ---- memory ---- */

static char *put_text(char **next, const char *text)
{
    char *copy = *next;
    size_t octets = strlen(text) + 1;

    memcpy(copy, text, octets);
    *next += octets;
    return copy;
}

/* Returns a key with room for lines, its texts behind them. */
static struct dyno_key *key_new(const char *space, const char *app, const char *type, size_t lines,
                                struct dyno_line **room)
{
    size_t texts = strlen(space) + strlen(app) + strlen(type) + 3;
    size_t list = lines * sizeof **room;
    struct dyno_key *key = calloc(1, sizeof *key + list + texts);

    if (key == NULL)
        return NULL;
    *room = (struct dyno_line *)(void *)(key + 1);
    char *next = (char *)(key + 1) + list;
    key->lines = *room;
    key->space = put_text(&next, space);
    key->app = put_text(&next, app);
    key->type = put_text(&next, type);
    return key;
}

struct dyno_key *dyno_key_gone(const char *space, const char *app, const char *type,
                               uint64_t revision)
{
    struct dyno_line *none;
    struct dyno_key *key = key_new(space, app, type, 0, &none);

    if (key == NULL)
        return NULL;
    key->revision = revision;
    key->is_gone = true;
    return key;
}

struct dyno_key *dyno_key_copy(const struct dyno_key *key)
{
    struct dyno_line *lines;
    struct dyno_key *copy = key_new(key->space, key->app, key->type, key->count, &lines);

    if (copy == NULL)
        return NULL;
    if (key->count > 0)
        memcpy(lines, key->lines, key->count * sizeof *lines);
    copy->count = key->count;
    copy->revision = key->revision;
    copy->is_gone = key->is_gone;
    copy->is_bad = key->is_bad;
    return copy;
}

void dyno_key_free(struct dyno_key *key)
{
    free(key);
}

int dyno_key_compare(const struct dyno_key *a, const struct dyno_key *b)
{
    int order = strcmp(a->space, b->space);

    if (order == 0)
        order = strcmp(a->app, b->app);
    return order != 0 ? order : strcmp(a->type, b->type);
}

void dyno_key_file(const struct dyno_key *key, char out[DYNO_KEY_FILE_OCTETS])
{
    snprintf(out, DYNO_KEY_FILE_OCTETS, "d/%.100s/%.40s/%.130s@%llu", key->space, key->app,
             key->type, (unsigned long long)key->revision);
}

/* ---- reading ---- */

struct reading {
    struct dyno_key *key;
    struct dyno_line *lines;
    struct report *report;
    const char *file;
    uint32_t line;
};

/* Octets of the value. */
struct piece {
    const char *text;
    size_t length;
};

#define FIND(reading, code, ...)                                                                   \
    do {                                                                                           \
        report_add((reading)->report, FINDING_##code, (reading)->file,                             \
                   location_at((reading)->line, (reading)->line == 0 ? 0 : 1), __VA_ARGS__);       \
        (reading)->key->is_bad = true;                                                             \
    } while (0)

static int shown(struct piece piece)
{
    return piece.length < LINE_TEXT_MOST ? (int)piece.length : LINE_TEXT_MOST;
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

/* Takes the next word of a line; one without octets at its end. */
static struct piece take_word(struct piece *line)
{
    size_t skipped = 0, length = 0;

    while (skipped < line->length && is_blank(line->text[skipped]))
        skipped++;
    const char *text = line->text + skipped;
    while (skipped + length < line->length && !is_blank(text[length]))
        length++;
    *line = (struct piece){text + length, line->length - skipped - length};
    return (struct piece){text, length};
}

static struct piece take_line(struct piece *value)
{
    const char *end = memchr(value->text, '\n', value->length);
    size_t length = end == NULL ? value->length : (size_t)(end - value->text);
    struct piece line = {value->text, length};

    value->text += length + (end != NULL);
    value->length -= length + (end != NULL);
    return line;
}

static bool is_extra(struct piece word)
{
    return memchr(word.text, '=', word.length) != NULL;
}

/* Splits a line into its words, without those that are ignored. Returns their number. */
static size_t split(struct piece line, struct piece words[WORDS_MOST])
{
    size_t count = 0;

    for (struct piece word = take_word(&line); word.length > 0; word = take_word(&line)) {
        if (is_extra(word))
            continue;
        if (count < WORDS_MOST)
            words[count] = word;
        count++;
    }
    return count;
}

static bool read_state(struct piece word, uint8_t *state)
{
    for (unsigned i = DYNO_UP; i <= DYNO_DOWN; i++) {
        const char *text = dyno_state_text((enum dyno_state)i);
        if (strlen(text) == word.length && memcmp(text, word.text, word.length) == 0) {
            *state = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool read_address(struct piece word, uint32_t *address)
{
    char text[CIDR_TEXT_MAX];

    if (word.length >= sizeof text || memchr(word.text, '\0', word.length) != NULL)
        return false;
    memcpy(text, word.text, word.length);
    text[word.length] = '\0';
    return ipv4_read(text, address) && *address != 0;
}

static bool read_number(struct piece word, uint32_t *number)
{
    uint64_t value = 0;

    if (!number_from_text(word.text, word.length, &value) || value == 0 || value > UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

static bool is_running(const struct dyno_line *dyno)
{
    return dyno->state == DYNO_UP || dyno->state == DYNO_STARTING;
}

static void read_dyno(struct reading *reading, const struct piece *words, size_t count,
                      struct dyno_line *dyno)
{
    dyno->line = reading->line;
    if (!read_number(words[0], &dyno->number))
        FIND(reading, DYNO_NUM, "dyno number `%.*s` must be a number from 1, without leading zeros",
             shown(words[0]), words[0].text);
    else if (count < 2)
        FIND(reading, MISSING, "dyno %u has no state; write it as `%u up 10.0.130.56`",
             (unsigned)dyno->number, (unsigned)dyno->number);
    else if (!read_state(words[1], &dyno->state))
        FIND(reading, ENUM, "state `%.*s` of dyno %u must be up, starting, idle, crashed or down",
             shown(words[1]), words[1].text, (unsigned)dyno->number);
    else if (count > WORDS_MOST)
        FIND(reading, DUP, "dyno %u has more than one address; give it the one it has",
             (unsigned)dyno->number);
    else if (count == WORDS_MOST && !read_address(words[2], &dyno->ip))
        FIND(reading, DYNO_IP, "`%.*s` of dyno %u must be an IPv4 address, as 10.0.130.56",
             shown(words[2]), words[2].text, (unsigned)dyno->number);
    else if (is_running(dyno) && dyno->ip == 0)
        FIND(reading, MISSING, "dyno %u has no address; a dyno that is up or starting needs it",
             (unsigned)dyno->number);
}

static void read_lines(struct reading *reading, struct piece value)
{
    while (value.length > 0) {
        struct piece words[WORDS_MOST];
        size_t count = split(take_line(&value), words);
        reading->line++;
        if (count > 0)
            read_dyno(reading, words, count, &reading->lines[reading->key->count++]);
    }
}

/* ---- what lines say together ---- */

static int compare_numbers(const void *a, const void *b)
{
    const struct dyno_line *left = *(const struct dyno_line *const *)a;
    const struct dyno_line *right = *(const struct dyno_line *const *)b;

    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    return left->line < right->line ? -1 : left->line > right->line;
}

static int compare_addresses(const void *a, const void *b)
{
    const struct dyno_line *left = *(const struct dyno_line *const *)a;
    const struct dyno_line *right = *(const struct dyno_line *const *)b;

    if (left->ip != right->ip)
        return left->ip < right->ip ? -1 : 1;
    return left->line < right->line ? -1 : left->line > right->line;
}

static void find_same_number(struct reading *reading, const struct dyno_line **sorted, size_t count)
{
    qsort(sorted, count, sizeof *sorted, compare_numbers);
    for (size_t i = 1; i < count; i++) {
        if (sorted[i]->number != sorted[i - 1]->number)
            continue;
        reading->line = sorted[i]->line;
        FIND(reading, DYNO_NUM, "dyno number %u is already given on line %u; number each dyno once",
             (unsigned)sorted[i]->number, (unsigned)sorted[i - 1]->line);
    }
}

static void find_same_address(struct reading *reading, const struct dyno_line **sorted,
                              size_t count)
{
    char text[CIDR_TEXT_MAX];

    qsort(sorted, count, sizeof *sorted, compare_addresses);
    for (size_t i = 1; i < count; i++) {
        if (sorted[i]->ip != sorted[i - 1]->ip)
            continue;
        ipv4_write(sorted[i]->ip, text);
        reading->line = sorted[i]->line;
        FIND(reading, DYNO_IP_DUP,
             "address %s already belongs to the running dyno on line %u; two running dynos cannot "
             "share an address, correct one",
             text, (unsigned)sorted[i - 1]->line);
    }
}

/* Returns false without memory. */
static bool find_duplicates(struct reading *reading)
{
    const struct dyno_key *key = reading->key;
    const struct dyno_line **sorted = key->count < 2 ? NULL : malloc(key->count * sizeof *sorted);
    size_t running = 0;

    if (key->count < 2)
        return true;
    if (sorted == NULL)
        return false;
    for (size_t i = 0; i < key->count; i++)
        sorted[i] = &key->lines[i];
    find_same_number(reading, sorted, key->count);
    for (size_t i = 0; i < key->count; i++)
        if (is_running(&key->lines[i]))
            sorted[running++] = &key->lines[i];
    find_same_address(reading, sorted, running);
    free(sorted);
    return true;
}

static void check_type(struct reading *reading)
{
    const char *type = reading->key->type;
    size_t length = strlen(type);

    if (length < 1 || length > TYPE_OCTETS_MOST ||
        strspn(type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != length)
        FIND(reading, PROC_NAME,
             "process type `%.130s` must have 1 to 128 letters, digits, underscores and hyphens",
             type);
    else if (strspn(type, "0123456789") == length)
        FIND(reading, PROC_NUM,
             "process type `%.130s` has digits only, like a dyno number; add a letter", type);
}

static size_t count_lines(struct piece value)
{
    size_t count = 0;

    for (; value.length > 0; count++)
        take_line(&value);
    return count;
}

struct dyno_key *dyno_key_read(const char *space, const char *app, const char *type,
                               uint64_t revision, struct octets value, struct report *report)
{
    bool is_long = value.length > DYNO_KEY_OCTETS_MOST;
    struct piece whole = {(const char *)value.start, is_long ? 0 : value.length};
    struct reading reading = {.report = report};
    char file[DYNO_KEY_FILE_OCTETS];

    reading.key = key_new(space, app, type, count_lines(whole), &reading.lines);
    if (reading.key == NULL)
        return NULL;
    reading.key->revision = revision;
    dyno_key_file(reading.key, file);
    reading.file = file;
    check_type(&reading);
    if (is_long)
        FIND(&reading, LIMIT,
             "the value has %zu octets, and a process type may have %d; give its dynos to several "
             "types, or leave out those that are down",
             value.length, DYNO_KEY_OCTETS_MOST);
    read_lines(&reading, whole);
    if (!reading.key->is_bad && !find_duplicates(&reading)) {
        dyno_key_free(reading.key);
        return NULL;
    }
    if (reading.key->is_bad)
        reading.key->count = 0;
    return reading.key;
}

/* ---- writing ---- */

static void write_line(struct text *text, const struct dyno_line *dyno)
{
    text_add_number(text, dyno->number);
    text_add(text, " ", 1);
    text_add_string(text, dyno_state_text((enum dyno_state)dyno->state));
    if (dyno->ip != 0) {
        text_add(text, " ", 1);
        text_add_ipv4(text, dyno->ip);
    }
    text_add(text, "\n", 1);
}

char *dyno_key_write(const struct dyno_key *key, size_t *length)
{
    enum { LINE_OCTETS_MOST = 10 + 1 + 8 + 1 + 15 + 1 };
    size_t octets = key->count * LINE_OCTETS_MOST;
    char *value = malloc(octets + 1);

    if (value == NULL)
        return NULL;
    struct text text = text_over(value, octets);
    for (size_t i = 0; i < key->count; i++)
        write_line(&text, &key->lines[i]);
    *text.next = '\0';
    *length = text_length(&text);
    return value;
}
