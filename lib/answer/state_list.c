#include "answer/state_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "answer/kept_back_change.h"
#include "answer/stored.h"

enum {
    LIST_VERSION = 2,
    NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1,
    DECIMAL = 10,
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
    bool has_failed;
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
    text_add_string(&text, entry->is_apex ? "apex " : "name ");
    name_add(&text, name->octets);
    return put_line(writer, line, text_length(&text));
}

bool state_list_write(FILE *out, const struct kept_back *after, const struct kept_back *before)
{
    struct list_writer writer = {.out = out};
    char line[64];
    int length = snprintf(line, sizeof line, "%s%d", first_line, LIST_VERSION);
    bool written = put_line(&writer, line, (size_t)length);

    if (after != NULL)
        written = written && kept_back_walk(after, put_name, &writer);
    writer.except = after;
    if (before != NULL)
        written = written && kept_back_walk(before, put_name, &writer);
    free(writer.line);
    return written && fprintf(out, "checksum %016" PRIx64 "\n", writer.sum) > 0;
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
                entry.cohort != one->cohorts[shard->values[j] & ~KEPT_BACK_APEX])
                return true;
        }
    }
    return false;
}

/* ---- reading ---- */

struct list_reader {
    struct kept_back_change change;
    unsigned long version;
    int64_t ran_s; /* at present */
    char *space;   /* of the current cohort */
    char *file;
    bool has_cohort;
    bool has_unknown_line; /* a line was not understood */
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

static bool read_cohort(struct list_reader *reader, char *text)
{
    char *end, *rest;
    unsigned long long generation = strtoull(text, &end, DECIMAL);
    if (end == text || *end != ' ')
        return false;
    long long since_s = strtoll(end + 1, &rest, DECIMAL), ran_s = reader->ran_s;
    if (rest == end + 1 || *rest != ' ')
        return false;
    if (reader->version > 1) {
        end = rest;
        ran_s = strtoll(end + 1, &rest, DECIMAL);
        if (rest == end + 1 || *rest != ' ')
            return false;
    }
    if (ran_s < 0 || ran_s > reader->ran_s)
        ran_s = reader->ran_s;
    char *space = rest + 1, *file = strchr(space, ' ');
    if (file == NULL)
        return false;
    *file++ = '\0';
    if (!read_word(space) || !read_word(file))
        return false;
    /* The previous cohort borrows its words until this one begins. */
    char *owned_space = strdup(space), *owned_file = strdup(file);
    if (owned_space == NULL || owned_file == NULL) {
        reader->change.has_failed = true;
        free(owned_space);
        free(owned_file);
        return true;
    }
    kept_back_change_cohort(&reader->change, generation, since_s, ran_s, owned_space, owned_file);
    free(reader->space);
    free(reader->file);
    reader->space = owned_space;
    reader->file = owned_file;
    reader->has_cohort = true;
    return true;
}

static bool read_name(struct list_reader *reader, const char *text, bool is_apex)
{
    struct name name;

    if (!reader->has_cohort || !name_from_presentation(text, strlen(text), &name))
        return false;
    kept_back_change_add(&reader->change, &name, is_apex);
    return true;
}

static void read_line(struct list_reader *reader, char *line)
{
    bool is_read = false;

    if (strncmp(line, "cohort ", 7) == 0)
        is_read = read_cohort(reader, line + 7);
    else if (strncmp(line, "name ", 5) == 0 || strncmp(line, "apex ", 5) == 0)
        is_read = read_name(reader, line + 5, line[0] == 'a');
    if (!is_read)
        reader->has_unknown_line = true;
}

/*
 * Reads the next line into LINE_MOST + 1 octets, without its end. Returns its length; -1 at the end
 * of the file, or when the line is longer than any that is written.
 */
static ssize_t take_line(FILE *in, char *line)
{
    size_t length = 0;
    int octet = getc_unlocked(in);

    if (octet == EOF)
        return -1;
    for (; octet != EOF && octet != '\n'; octet = getc_unlocked(in)) {
        if (length == LINE_MOST)
            return -1;
        line[length++] = (char)octet;
    }
    line[length] = '\0';
    return (ssize_t)length;
}

/* Reads the lines after the first one. Returns whether their checksum is right. */
static bool read_lines(FILE *in, struct list_reader *reader, uint64_t sum, char *line)
{
    ssize_t length;

    while ((length = take_line(in, line)) >= 0) {
        if (strncmp(line, "checksum ", 9) == 0)
            return strtoull(line + 9, NULL, 16) == sum && getc(in) == EOF;
        sum = add_line(sum, line, (size_t)length);
        read_line(reader, line);
    }
    return false;
}

enum state_list_end state_list_read(FILE *in, const struct hash_key *key, int64_t ran_s,
                                    struct kept_back **kept)
{
    struct list_reader reader = {.ran_s = ran_s};
    char line[LINE_MOST + 1];
    ssize_t length = take_line(in, line);
    bool is_ours = length > (ssize_t)sizeof first_line - 1 &&
                   strncmp(line, first_line, sizeof first_line - 1) == 0;
    unsigned long version = is_ours ? strtoul(line + sizeof first_line - 1, NULL, DECIMAL) : 0;

    *kept = NULL;
    if (version > LIST_VERSION)
        return STATE_LIST_NEWER;
    reader.version = version;
    kept_back_change_begin(&reader.change, NULL, key);
    uint64_t sum = length > 0 ? add_line(0, line, (size_t)length) : 0;
    bool is_sound = read_lines(in, &reader, sum, line) && is_ours && !reader.has_unknown_line;
    *kept = kept_back_change_finish(&reader.change);
    free(reader.space);
    free(reader.file);
    if (reader.change.has_failed)
        return STATE_LIST_FAILED;
    return is_sound ? STATE_LIST_READ : STATE_LIST_DECAYED;
}
