#include "space/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { SENTENCE_MAX = 1024, ESCAPED_MAX = 4 * SENTENCE_MAX + 1 };

struct report {
    struct arena *arena;
    struct finding *findings;
    size_t count;
    size_t capacity;
    size_t levels[FINDING_NOTE + 1];
    const char *newest_file; /* the arena's copy of the last finding's file */
    bool is_incomplete;
};

struct meaning {
    const char *name;
    enum finding_level level;
    const char *meaning;
};

static const struct meaning meanings[] = {
#define FINDING(code, text, level, meaning) {text, FINDING_##level, meaning},
#include "space/findings.def"
#undef FINDING
};

const char *finding_name(enum finding_code code)
{
    return meanings[code].name;
}

enum finding_level finding_level(enum finding_code code)
{
    return meanings[code].level;
}

const char *finding_meaning(enum finding_code code)
{
    return meanings[code].meaning;
}

struct report *report_new(void)
{
    struct report *report = calloc(1, sizeof *report);

    if (report == NULL)
        return NULL;
    report->arena = arena_new();
    if (report->arena == NULL) {
        free(report);
        return NULL;
    }
    return report;
}

void report_free(struct report *report)
{
    if (report == NULL)
        return;
    arena_free(report->arena);
    free(report->findings);
    free(report);
}

/* Length of the well-formed UTF-8 sequence of two or more octets at `octets`, or 0. */
static size_t sequence_length(const unsigned char *octets)
{
    size_t length = octets[0] >= 0xF0 ? 4 : octets[0] >= 0xE0 ? 3 : octets[0] >= 0xC2 ? 2 : 0;

    for (size_t i = 1; i < length; i++)
        if ((octets[i] & 0xC0) != 0x80)
            return 0;
    /* C1 control characters move a terminal's cursor as C0 do. */
    return octets[0] == 0xC2 && octets[1] < 0xA0 ? 0 : length;
}

/* Values are quoted in sentences as written; what could move a terminal's cursor is escaped. */
static size_t escape(const char *from, char *to)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *octet = (const unsigned char *)from;
    char *next = to;

    while (*octet != '\0') {
        size_t length = *octet >= ' ' && *octet < 0x7F ? 1 : sequence_length(octet);
        if (length > 0) {
            memcpy(next, octet, length);
            next += length;
            octet += length;
        } else {
            *next++ = '\\';
            *next++ = 'x';
            *next++ = digits[*octet >> 4];
            *next++ = digits[*octet & 15];
            octet++;
        }
    }
    return (size_t)(next - to);
}

static const char *keep_file(struct report *report, const char *file)
{
    if (report->newest_file == NULL || strcmp(report->newest_file, file) != 0)
        report->newest_file = arena_text(report->arena, file, strlen(file));
    return report->newest_file;
}

static bool make_room(struct report *report)
{
    if (report->count < report->capacity)
        return true;
    size_t capacity = report->capacity == 0 ? 16 : report->capacity * 2;
    struct finding *findings = realloc(report->findings, capacity * sizeof *findings);
    if (findings == NULL)
        return false;
    report->findings = findings;
    report->capacity = capacity;
    return true;
}

static void add(struct report *report, const struct finding *finding, size_t length)
{
    struct finding copy = {
        .code = finding->code,
        .at = finding->at,
        .file = keep_file(report, finding->file),
        .sentence = arena_text(report->arena, finding->sentence, length),
    };

    if (copy.file == NULL || copy.sentence == NULL || !make_room(report)) {
        report->is_incomplete = true;
        return;
    }
    report->findings[report->count++] = copy;
    report->levels[finding_level(copy.code)]++;
}

void report_add(struct report *report, enum finding_code code, const char *file, struct place at,
                const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    char escaped[ESCAPED_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    struct finding finding = {.code = code, .file = file, .at = at, .sentence = escaped};
    add(report, &finding, escape(sentence, escaped));
}

void report_merge(struct report *to, const struct report *from)
{
    for (size_t i = 0; i < from->count; i++)
        add(to, &from->findings[i], strlen(from->findings[i].sentence));
    to->is_incomplete |= from->is_incomplete;
}

static int compare(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    int order = a->file == b->file ? 0 : strcmp(a->file, b->file);

    if (order == 0)
        order = (a->at.line > b->at.line) - (a->at.line < b->at.line);
    if (order == 0)
        order = (a->at.column > b->at.column) - (a->at.column < b->at.column);
    if (order == 0)
        order = (a->code > b->code) - (a->code < b->code);
    return order != 0 ? order : strcmp(a->sentence, b->sentence);
}

void report_sort(struct report *report)
{
    if (report->count > 0)
        qsort(report->findings, report->count, sizeof *report->findings, compare);
}

size_t report_count(const struct report *report, enum finding_level level)
{
    return report->levels[level];
}

const struct finding *report_findings(const struct report *report)
{
    return report->findings;
}

size_t report_total(const struct report *report)
{
    return report->count;
}

bool report_is_clean(const struct report *report)
{
    return report->levels[FINDING_ERROR] == 0 && !report->is_incomplete;
}

void finding_write_place(const struct finding *finding, char out[FINDING_PLACE_OCTETS])
{
    int length = snprintf(out, FINDING_PLACE_OCTETS, "%.130s", finding->file);

    if (finding->at.line > 0)
        snprintf(out + length, FINDING_PLACE_OCTETS - (size_t)length, ":%u:%u",
                 (unsigned)finding->at.line, (unsigned)finding->at.column);
}

void finding_print(const struct finding *finding, FILE *out)
{
    static const char *const levels[] = {"error", "warning", "note"};

    fputs(finding->file, out);
    if (finding->at.line > 0)
        fprintf(out, ":%u:%u", (unsigned)finding->at.line, (unsigned)finding->at.column);
    fprintf(out, ": %s %s: %s\n", levels[finding_level(finding->code)], finding_name(finding->code),
            finding->sentence);
}

void report_print_errors(const struct report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++)
        if (finding_level(report->findings[i].code) == FINDING_ERROR)
            finding_print(&report->findings[i], out);
}

const struct finding *report_first_error(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (finding_level(report->findings[i].code) == FINDING_ERROR)
            return &report->findings[i];
    return NULL;
}

void report_print(const struct report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++)
        finding_print(&report->findings[i], out);
    if (report->is_incomplete)
        fputs("findings were lost: out of memory\n", out);
}
