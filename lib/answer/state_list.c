#include "answer/state_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "answer/stored.h"

enum {
    LIST_VERSION = 2,
    NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1,
    DECIMAL = 10,
    HEXADECIMAL = 16,
    OCTET_DIGITS = 3,
    LINE_MOST = 1 << 16 /* four octets for each octet of a path, and more */
};

static const char first_line[] = "spacedns kept-back ";

/* Adds a line to the checksum of all lines, which depends on their order. */
static uint64_t add_line(uint64_t sum, const char *line, size_t length)
{
    uint64_t both[2] = {sum, stored_checksum(line, length)};

    return stored_checksum(both, sizeof both);
}

/* ---- writing ---- */

struct list_writer {
    FILE *out;
    uint64_t sum;
    const struct kept_back *except; /* names to leave out; NULL: none */
    const struct kept_back_cohort *cohort;
    char *line;
    size_t capacity;
    size_t count; /* names written */
};

static bool put_line(struct list_writer *writer, const char *line, size_t length)
{
    writer->sum = add_line(writer->sum, line, length);
    return fwrite(line, 1, length, writer->out) == length && putc('\n', writer->out) != EOF;
}

/* Appends a word, with unprintable octets escaped. */
static void add_word(struct text *text, const char *word)
{
    for (; *word != '\0'; word++) {
        uint8_t octet = (uint8_t)*word;
        const char escaped[] = {'\\', (char)('0' + octet / 100), (char)('0' + octet / 10 % 10),
                                (char)('0' + octet % 10)};
        if (octet <= ' ' || octet >= 127 || octet == '\\')
            text_add(text, escaped, sizeof escaped);
        else
            text_add(text, word, 1);
    }
}

static bool put_cohort(struct list_writer *writer, const struct kept_back_cohort *cohort)
{
    size_t needed = 96 + 4 * (strlen(cohort->space) + strlen(cohort->file));

    if (needed > writer->capacity) {
        char *wider = realloc(writer->line, needed);
        if (wider == NULL)
            return false;
        writer->line = wider;
        writer->capacity = needed;
    }
    int length =
        snprintf(writer->line, writer->capacity, "cohort %" PRIu64 " %" PRId64 " %" PRId64 " ",
                 cohort->generation, cohort->since_s, cohort->ran_s);
    struct text text = text_over(writer->line + length, writer->capacity - (size_t)length);
    add_word(&text, cohort->space);
    text_add_string(&text, " ");
    add_word(&text, cohort->file);
    return put_line(writer, writer->line, (size_t)(text.next - writer->line));
}

static bool put_name(void *context, const struct name *name, const struct kept_back_entry *entry)
{
    struct list_writer *writer = context;
    char line[NAME_TEXT_MOST + 8];
    struct text text = text_over(line, sizeof line);
    struct kept_back_entry other;

    if (writer->except != NULL &&
        kept_back_has(writer->except, kept_back_hash(writer->except, name), &other))
        return true;
    if (writer->cohort != entry->cohort && !put_cohort(writer, entry->cohort))
        return false;
    writer->cohort = entry->cohort;
    writer->count++;
    text_add_string(&text, entry->is_apex ? "apex " : "name ");
    name_add(&text, name->octets);
    return put_line(writer, line, text_length(&text));
}

/* The names of a table that the source has, then those that memory has. */
static bool put_names(struct list_writer *writer, FILE *source, const struct kept_back *kept)
{
    if (kept == NULL)
        return true;
    writer->cohort = NULL;
    if (source != NULL) {
        rewind(source);
        if (!state_list_walk(source, kept, put_name, writer) || ferror(source))
            return false;
    }
    return kept_back_walk(kept, put_name, writer);
}

bool state_list_write(FILE *out, const struct state_names *names, size_t *written)
{
    struct list_writer writer = {.out = out};
    char line[64];
    int length = snprintf(line, sizeof line, "%s%d", first_line, LIST_VERSION);
    bool passed =
        put_line(&writer, line, (size_t)length) && put_names(&writer, names->source, names->after);

    writer.except = names->after;
    if (state_list_differs(names->before, names->after))
        passed = passed && put_names(&writer, names->source, names->before);
    free(writer.line);
    *written = writer.count;
    return passed && fprintf(out, "checksum %016" PRIx64 "\n", writer.sum) > 0;
}

bool state_list_differs(const struct kept_back *one, const struct kept_back *other)
{
    for (size_t i = 0; one != NULL && one != other && i < KEPT_BACK_SHARDS; i++) {
        const struct kept_back_shard *shard = one->shards[i];
        if (shard == NULL || (other != NULL && shard == other->shards[i]))
            continue;
        for (uint32_t j = 0; j < shard->slots; j++) {
            struct kept_back_entry entry;
            if (shard->hashes[j] == 0)
                continue;
            if (other == NULL || !kept_back_has(other, shard->hashes[j], &entry) ||
                entry.cohort != one->cohorts[kept_back_cohort_of(shard->values[j])])
                return true;
        }
    }
    return false;
}

/* ---- reading ---- */

struct list_reader;

/* Returns false to end. */
typedef bool name_fn(struct list_reader *reader, const struct name *name, bool is_apex);

struct list_reader {
    FILE *in;
    name_fn *on_name;
    struct kept_back_cohort cohort; /* the current one; its words are in `words` */
    bool has_ended;                 /* on_name has ended it */
    unsigned long version;
    bool is_whole; /* the checksum is right */
    uint64_t sum;
    char words[LINE_MOST + 1];
    char line[LINE_MOST + 1];
    /* state_list_read */
    struct kept_back_change *change;
    int64_t ran_s; /* at present */
    bool is_sound;
    bool is_begun; /* the change has the current cohort */
    /* state_list_walk */
    const struct kept_back *kept;
    const struct kept_back_cohort *same; /* the table's cohort that is the current one; or NULL */
    kept_back_on_name *on_alive;
    void *context;
};

static bool is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

/* Decodes the escapes of a word in place. */
static bool read_word(char *word)
{
    char *to = word;

    for (const char *from = word; *from != '\0'; to++) {
        if (*from != '\\') {
            *to = *from++;
            continue;
        }
        int value = 0;
        from++;
        for (int i = 0; i < OCTET_DIGITS; i++, from++) {
            if (!is_digit(*from))
                return false;
            value = DECIMAL * value + (*from - '0');
        }
        if (value == 0 || value > UINT8_MAX)
            return false;
        *to = (char)value;
    }
    *to = '\0';
    return true;
}

/* Reads a number up to the space after it. Returns NULL when there is none. */
static char *read_number(char *text, int64_t *number)
{
    char *end;

    *number = strtoll(text, &end, DECIMAL);
    return end == text || *end != ' ' ? NULL : end + 1;
}

/* Where a damaged line says nothing; no space and no file are named so. */
static const struct kept_back_cohort unknown_cohort = {.ran_s = -1, .space = "?", .file = "?"};

static bool read_cohort(struct list_reader *reader, const char *text)
{
    struct kept_back_cohort *cohort = &reader->cohort;
    char *next = memcpy(reader->words, text, strlen(text) + 1), *end;

    *cohort = (struct kept_back_cohort){.generation = strtoull(next, &end, DECIMAL), .ran_s = -1};
    next = end == next || *end != ' ' ? NULL : read_number(end + 1, &cohort->since_s);
    if (next != NULL && reader->version > 1)
        next = read_number(next, &cohort->ran_s);
    char *file = next == NULL ? NULL : strchr(next, ' ');
    if (file != NULL)
        *file++ = '\0';
    if (file == NULL || !read_word(next) || !read_word(file)) {
        *cohort = unknown_cohort;
        return false;
    }
    cohort->space = next;
    cohort->file = file;
    return true;
}

static bool read_name(struct list_reader *reader, const char *text, bool is_apex)
{
    struct name name;

    if (!name_from_presentation(text, strlen(text), &name))
        return false;
    reader->has_ended = !reader->on_name(reader, &name, is_apex);
    return true;
}

/* Returns false when the line is not understood. */
static bool read_line(struct list_reader *reader)
{
    const char *line = reader->line;

    if (strncmp(line, "cohort ", 7) == 0) {
        reader->is_begun = false;
        reader->same = NULL;
        return read_cohort(reader, line + 7);
    }
    if (strncmp(line, "name ", 5) == 0 || strncmp(line, "apex ", 5) == 0)
        return reader->on_name == NULL || read_name(reader, line + 5, line[0] == 'a');
    return false;
}

/*
 * Reads the next line, without its end. Returns its length; -1 at the end of the file, or when the
 * line is longer than any that is written.
 */
static ssize_t take_line(struct list_reader *reader)
{
    size_t length = 0;
    int octet = getc_unlocked(reader->in);

    if (octet == EOF)
        return -1;
    for (; octet != EOF && octet != '\n'; octet = getc_unlocked(reader->in)) {
        if (length == LINE_MOST)
            return -1;
        reader->line[length++] = (char)octet;
    }
    reader->line[length] = '\0';
    return (ssize_t)length;
}

/* Reads the first line. Returns false when it is not one. */
static bool read_first(struct list_reader *reader)
{
    ssize_t length = take_line(reader);

    reader->version = LIST_VERSION;
    if (length < 0)
        return false;
    reader->sum = add_line(0, reader->line, (size_t)length);
    if (strncmp(reader->line, first_line, sizeof first_line - 1) != 0)
        return false;
    reader->version = strtoul(reader->line + sizeof first_line - 1, NULL, DECIMAL);
    return true;
}

/* Reads all lines. Returns whether each was understood, and their checksum is right. */
static bool read_lines(struct list_reader *reader)
{
    bool is_sound = read_first(reader);
    ssize_t length;

    reader->cohort = unknown_cohort;

    while (!reader->has_ended && (length = take_line(reader)) >= 0) {
        if (strncmp(reader->line, "checksum ", 9) == 0) {
            reader->is_whole = strtoull(reader->line + 9, NULL, HEXADECIMAL) == reader->sum &&
                               getc(reader->in) == EOF;
            return reader->is_whole && is_sound;
        }
        reader->sum = add_line(reader->sum, reader->line, (size_t)length);
        is_sound &= read_line(reader);
    }
    return false;
}

enum state_list_end state_list_check(FILE *in, uint64_t *sum)
{
    struct list_reader reader = {.in = in};
    bool is_sound = read_lines(&reader);

    rewind(in);
    /* Every version has the checksum: a number that decayed does not match it. */
    if (reader.version > LIST_VERSION && reader.is_whole)
        return STATE_LIST_NEWER;
    *sum = reader.sum;
    return is_sound ? STATE_LIST_SOUND : STATE_LIST_DECAYED;
}

static bool add_read(struct list_reader *reader, const struct name *name, bool is_apex)
{
    const struct kept_back_cohort *cohort = &reader->cohort;
    bool has_age = reader->is_sound && cohort->ran_s >= 0 && cohort->ran_s <= reader->ran_s;

    if (!reader->is_begun)
        kept_back_change_cohort(reader->change, cohort->generation, cohort->since_s,
                                has_age ? cohort->ran_s : reader->ran_s, cohort->space,
                                cohort->file);
    reader->is_begun = true;
    kept_back_change_add(reader->change, name, is_apex);
    return true;
}

void state_list_read(FILE *in, int64_t ran_s, bool is_sound, struct kept_back_change *change)
{
    struct list_reader reader = {
        .in = in, .on_name = add_read, .change = change, .ran_s = ran_s, .is_sound = is_sound};

    read_lines(&reader);
}

/* True for the cohort that the current line of the file is about. */
static bool is_current(struct list_reader *reader, const struct kept_back_cohort *cohort)
{
    const struct kept_back_cohort *current = &reader->cohort;

    if (cohort == reader->same)
        return true;
    if (cohort->generation != current->generation || cohort->since_s != current->since_s ||
        strcmp(cohort->space, current->space) != 0 || strcmp(cohort->file, current->file) != 0)
        return false;
    reader->same = cohort;
    return true;
}

static bool pass_alive(struct list_reader *reader, const struct name *name, bool is_apex)
{
    struct kept_back_entry entry;

    (void)is_apex; /* the table has it, too */
    if (!kept_back_has(reader->kept, kept_back_hash(reader->kept, name), &entry) ||
        entry.cohort->names != NULL || !is_current(reader, entry.cohort))
        return true;
    return reader->on_alive(reader->context, name, &entry);
}

bool state_list_walk(FILE *in, const struct kept_back *kept, kept_back_on_name *on_name,
                     void *context)
{
    struct list_reader reader = {
        .in = in, .on_name = pass_alive, .kept = kept, .on_alive = on_name, .context = context};

    read_lines(&reader);
    return !reader.has_ended;
}
