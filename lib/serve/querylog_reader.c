#include "serve/querylog_reader.h"

#include <stdlib.h>

static const uint64_t second_ns = 1000000000;

struct querylog_reader *querylog_reader_new(const struct querylog_filter *filter,
                                            enum querylog_format format)
{
    struct querylog_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->filter = *filter;
    reader->format = format;
    reader->filling = malloc(QUERYLOG_READER_OCTETS);
    reader->taken = malloc(QUERYLOG_READER_OCTETS);
    if (reader->filling != NULL && reader->taken != NULL)
        return reader;
    querylog_reader_free(reader);
    return NULL;
}

void querylog_reader_free(struct querylog_reader *reader)
{
    free(reader->filling);
    free(reader->taken);
    free(reader);
}

bool querylog_reader_set_second(struct querylog_reader *reader, uint64_t second)
{
    if (!querylog_budget_is_due(&reader->budget, second))
        return false;
    reader->left_out_due += reader->budget.left_out;
    reader->budget.left_out = 0;
    return true;
}

bool querylog_reader_add(struct querylog_reader *reader, const struct querylog_record *record)
{
    uint64_t second = record->added_ns / second_ns;

    if (!querylog_filter_passes(&reader->filter, record))
        return false;
    querylog_reader_set_second(reader, second);
    if (!querylog_budget_take(&reader->budget, QUERYLOG_READER_RATE, second))
        return false;
    /* Once a line is lost, so are those behind it, until the reader knows where lines lack. */
    if (reader->lost > 0 || QUERYLOG_READER_OCTETS - reader->length < QUERYLOG_LINE_OCTETS) {
        reader->lost++;
        return true;
    }
    struct text text = text_over(reader->filling + reader->length, QUERYLOG_LINE_OCTETS);
    querylog_format(record, reader->format, &text);
    reader->length += text_length(&text);
    return true;
}

void querylog_reader_skip(struct querylog_reader *reader, unsigned kind, uint64_t count)
{
    if (querylog_filter_is_plain(&reader->filter) && querylog_filter_takes(&reader->filter, kind))
        reader->budget.left_out += count;
}

bool querylog_reader_take(struct querylog_reader *reader, struct querylog_lines *lines)
{
    char *taken = reader->filling;

    reader->filling = reader->taken;
    reader->taken = taken;
    *lines = (struct querylog_lines){.octets = taken,
                                     .length = reader->length,
                                     .lost = reader->lost,
                                     .left_out = reader->left_out_due};
    reader->length = 0;
    reader->lost = reader->left_out_due = 0;
    return lines->length > 0 || lines->lost > 0 || lines->left_out > 0;
}
