#include "space/zone_text.h"

#include <stdint.h>
#include <string.h>

#include "space/fields.h"

enum { QUOTED_MAX = 80, MARK_LENGTH = 3 };

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

/* A line without trailing blanks. */
struct text_line {
    const char *start;
    size_t length;
    uint32_t number; /* from 1 */
};

/* Returns the last line that is not blank; the first line of an empty text. */
static struct text_line last_line(const char *text, size_t length)
{
    struct text_line line = {.start = text, .number = 1};

    while (length > 0 && (is_blank(text[length - 1]) || text[length - 1] == '\n'))
        length--;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n') {
            line.start = text + i + 1;
            line.number++;
        }
    line.length = length - (size_t)(line.start - text);
    return line;
}

bool zone_text_is_marked(const char *text, size_t length)
{
    struct text_line line = last_line(text, length);

    if (line.length < MARK_LENGTH || memcmp(line.start, "...", MARK_LENGTH) != 0)
        return false;
    size_t next = MARK_LENGTH;
    while (next < line.length && is_blank(line.start[next]))
        next++;
    return next == line.length || (next > MARK_LENGTH && line.start[next] == '#');
}

size_t zone_text_content(const char *text, size_t length)
{
    return zone_text_is_marked(text, length) ? (size_t)(last_line(text, length).start - text)
                                             : length;
}

static struct location location_of(struct text_line line)
{
    return location_at(line.number, 1);
}

void zone_text_report_cut(const char *file, const char *text, size_t length, struct report *report)
{
    struct text_line line = last_line(text, length);
    int quoted = line.length < QUOTED_MAX ? (int)line.length : QUOTED_MAX;

    if (line.length == 0)
        report_add(report, FINDING_CUT, file, location_of(line),
                   "the file is empty, but was served with `...` as its last line; restore it, or "
                   "write the new content with `...` as the last line");
    else
        report_add(report, FINDING_CUT, file, location_of(line),
                   "the file ends with `%.*s`, but was served with `...` as its last line, so it "
                   "may have been cut; copy it again, or add the line `...` if this is all of it",
                   quoted, line.start);
}

void zone_text_report_unmarked(const char *file, const char *text, size_t length,
                               struct report *report)
{
    report_add(report, FINDING_NO_END, file, location_of(last_line(text, length)),
               "the file does not end with a line `...`, so a cut would not be noticed; add it");
}
