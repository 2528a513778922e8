#include "findings/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/escape.h"
#include "base/hash.h"

enum { SENTENCE_MAX = 1024, ESCAPED_MAX = 4 * SENTENCE_MAX + 1, LINE_AND_COLUMN_OCTETS = 30 };
enum { FEWEST_TALLIES = 16, TALLY_STEP = 31, REMAINDER_OCTETS = 64 };
/* Of a refusal: the sentence with its location. Whoever prints it adds what comes next. */
enum { REFUSAL_OCTETS = 380, REFUSAL_MORE_OCTETS = 48 };

/* The number of findings of one code in one file. */
struct tally {
    const char *file; /* NULL: a free slot */
    enum finding_code code;
    size_t kept;
    size_t left_out;
};

struct report {
    struct arena *arena;
    struct finding *findings;
    size_t count;
    size_t capacity;
    size_t levels[FINDING_NOTE + 1];
    const char *newest_file; /* the arena's copy of the last finding's file */
    struct hash_key key;     /* of the tallies, made with them: most reports stay empty */
    struct tally *tallies;   /* open addressing, at most half in use */
    size_t tally_count;
    size_t tally_mask;
    bool is_incomplete;
};

struct meaning {
    const char *name;
    enum finding_level level;
    const char *meaning;
};

static const struct meaning meanings[] = {
#define FINDING(code, text, level, meaning) {text, FINDING_##level, meaning},
#include "findings/findings.def"
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

const char *finding_level_text(enum finding_level level)
{
    static const char *const texts[] = {
        [FINDING_ERROR] = "error", [FINDING_WARNING] = "warning", [FINDING_NOTE] = "note"};

    return texts[level];
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
    free(report->tallies);
    free(report);
}

static const char *keep_file(struct report *report, const char *file)
{
    if (report->newest_file == NULL || strcmp(report->newest_file, file) != 0)
        report->newest_file = arena_text(report->arena, file, strlen(file));
    return report->newest_file;
}

/* Returns the slot for the file and code; the table is never full. */
static struct tally *find_slot(struct tally *tallies, size_t mask, const struct hash_key *key,
                               const char *file, enum finding_code code)
{
    size_t i = (size_t)hash_octets(key, file, strlen(file)) + (size_t)code * TALLY_STEP;

    for (;; i++) {
        struct tally *slot = &tallies[i & mask];
        if (slot->file == NULL || (slot->code == code && strcmp(slot->file, file) == 0))
            return slot;
    }
}

static bool widen_tallies(struct report *report)
{
    struct tally *before = report->tallies;
    size_t count = before == NULL ? 0 : report->tally_mask + 1;
    size_t mask = before == NULL ? FEWEST_TALLIES - 1 : report->tally_mask * 2 + 1;
    struct tally *wider = calloc(mask + 1, sizeof *wider);

    if (wider == NULL)
        return false;
    if (before == NULL)
        report->key = hash_key_random();
    for (size_t i = 0; i < count; i++)
        if (before[i].file != NULL)
            *find_slot(wider, mask, &report->key, before[i].file, before[i].code) = before[i];
    report->tallies = wider;
    report->tally_mask = mask;
    free(before);
    return true;
}

/* Returns the tally of a file and code, new if needed. Returns NULL if memory runs out. */
static struct tally *tally_for(struct report *report, const char *file, enum finding_code code)
{
    bool is_crowded = report->tallies == NULL || report->tally_count > report->tally_mask / 2;

    if (is_crowded && !widen_tallies(report))
        return NULL;
    struct tally *tally = find_slot(report->tallies, report->tally_mask, &report->key, file, code);
    if (tally->file != NULL)
        return tally;
    const char *kept = keep_file(report, file);
    if (kept == NULL)
        return NULL;
    *tally = (struct tally){.file = kept, .code = code};
    report->tally_count++;
    return tally;
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

static void leave_out(struct report *report, struct tally *tally, size_t count)
{
    tally->left_out += count;
    report->levels[finding_level(tally->code)] += count;
}

/* The finding's sentence must be escaped. */
static void add(struct report *report, struct finding finding)
{
    struct tally *tally = tally_for(report, finding.file, finding.code);

    if (tally == NULL) {
        report->is_incomplete = true;
        return;
    }
    if (tally->kept == FINDINGS_ALIKE || report->count >= FINDINGS_KEPT) {
        leave_out(report, tally, 1);
        return;
    }
    finding.file = tally->file;
    finding.sentence = arena_text(report->arena, finding.sentence, strlen(finding.sentence));
    if (finding.sentence == NULL || !make_room(report)) {
        report->is_incomplete = true;
        return;
    }
    report->findings[report->count++] = finding;
    report->levels[finding_level(finding.code)]++;
    tally->kept++;
}

void report_add(struct report *report, enum finding_code code, const char *file, struct location at,
                const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    char escaped[ESCAPED_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    escape_string(escaped, sizeof escaped, sentence);
    add(report, (struct finding){.code = code, .file = file, .at = at, .sentence = escaped});
}

void report_merge(struct report *to, const struct report *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (from->findings[i].more == 0)
            add(to, from->findings[i]);
    for (size_t i = 0; from->tallies != NULL && i <= from->tally_mask; i++) {
        const struct tally *tally = &from->tallies[i];
        if (tally->file == NULL || tally->left_out == 0)
            continue;
        struct tally *own = tally_for(to, tally->file, tally->code);
        if (own == NULL)
            to->is_incomplete = true;
        else
            leave_out(to, own, tally->left_out);
    }
    to->is_incomplete |= from->is_incomplete;
}

bool report_is_full(const struct report *report)
{
    return report->levels[FINDING_ERROR] >= ERRORS_ENOUGH || report->is_incomplete;
}

static int compare(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    int order = a->file == b->file ? 0 : strcmp(a->file, b->file);

    if (order == 0)
        order = (a->more > 0) - (b->more > 0);
    if (order == 0)
        order = (a->at.line > b->at.line) - (a->at.line < b->at.line);
    if (order == 0)
        order = (a->at.column > b->at.column) - (a->at.column < b->at.column);
    if (order == 0)
        order = (a->code > b->code) - (a->code < b->code);
    return order != 0 ? order : strcmp(a->sentence, b->sentence);
}

static void drop_remainders(struct report *report)
{
    size_t kept = 0;

    for (size_t i = 0; i < report->count; i++)
        if (report->findings[i].more == 0)
            report->findings[kept++] = report->findings[i];
    report->count = kept;
}

static void add_remainder(struct report *report, const struct tally *tally)
{
    char sentence[REMAINDER_OCTETS];

    snprintf(sentence, sizeof sentence, tally->kept == 0 ? "%zu not listed" : "and %zu more",
             tally->left_out);
    const char *kept = arena_text(report->arena, sentence, strlen(sentence));
    if (kept == NULL || !make_room(report))
        report->is_incomplete = true;
    else
        report->findings[report->count++] = (struct finding){
            .code = tally->code, .more = tally->left_out, .file = tally->file, .sentence = kept};
}

void report_sort(struct report *report)
{
    drop_remainders(report);
    for (size_t i = 0; report->tallies != NULL && i <= report->tally_mask; i++)
        if (report->tallies[i].left_out > 0)
            add_remainder(report, &report->tallies[i]);
    if (report->count > 0)
        qsort(report->findings, report->count, sizeof *report->findings, compare);
}

void report_keep_file(struct report *report, const char *file)
{
    size_t kept = 0;

    report_sort(report);
    memset(report->levels, 0, sizeof report->levels);
    for (size_t i = 0; i < report->count; i++) {
        const struct finding *finding = &report->findings[i];
        if (strcmp(finding->file, file) != 0)
            continue;
        report->levels[finding_level(finding->code)] += finding->more > 0 ? finding->more : 1;
        report->findings[kept++] = *finding;
    }
    report->count = kept;
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

void finding_write_location(const struct finding *finding, char *out, size_t size)
{
    size_t length = escape_string(out, size - LINE_AND_COLUMN_OCTETS, finding->file);

    if (finding->at.line > 0)
        snprintf(out + length, size - length, ":%u:%u", (unsigned)finding->at.line,
                 (unsigned)finding->at.column);
}

void finding_print_location(const struct finding *finding, FILE *out)
{
    escape_print(out, finding->file);
    if (finding->at.line > 0)
        fprintf(out, ":%u:%u", (unsigned)finding->at.line, (unsigned)finding->at.column);
}

void finding_print(const struct finding *finding, FILE *out)
{
    finding_print_location(finding, out);
    fprintf(out, ": %s %s: %s\n", finding_level_text(finding_level(finding->code)),
            finding_name(finding->code), finding->sentence);
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

void report_refusal(const struct report *report, const char *unseen, struct err *err)
{
    const struct finding *first = report_first_error(report);
    size_t errors = report->levels[FINDING_ERROR];
    char location[FINDING_LOCATION_OCTETS] = "", more[REFUSAL_MORE_OCTETS] = "";

    if (first == NULL) {
        err_set(err, ERR_MEMORY, "out of memory");
        return;
    }
    if (unseen == NULL || strcmp(first->file, unseen) != 0)
        finding_write_location(first, location, sizeof location);
    if (errors > 1)
        snprintf(more, sizeof more, " (the first of %zu errors)", errors);
    err_set(err, ERR_RULE, "%s%s%s: %.*s%s", location, location[0] == '\0' ? "" : ": ",
            finding_name(first->code), REFUSAL_OCTETS - (int)strlen(location), first->sentence,
            more);
}

void report_print(const struct report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++)
        finding_print(&report->findings[i], out);
    if (report->is_incomplete)
        fputs("findings were lost: out of memory\n", out);
}
