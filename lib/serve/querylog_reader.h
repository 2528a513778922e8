#pragma once
/**
 * Somebody who follows the query log live: the lines that pass a filter, as they come.
 *
 *     log's thread: querylog_reader_add ─► filling ──┐ exchanged by
 *     reader:           lines taken     ◄─ taken   ◄─┘ querylog_reader_take
 *
 * Nobody waits for a reader. It gets at most QUERYLOG_READER_RATE lines a second; the rest is
 * counted. Lines that it does not take in time are lost and counted once QUERYLOG_READER_OCTETS
 * of them wait.
 *
 * Threads: the owner's lock is held for every function here; the lines taken are the reader's until
 * it takes again.  Memory: two buffers of QUERYLOG_READER_OCTETS.
 */
#include "serve/querylog_budget.h"
#include "serve/querylog_filter.h"

enum { QUERYLOG_READER_RATE = 1000, QUERYLOG_READER_OCTETS = 256 << 10 };

struct querylog_reader {
    struct querylog_filter filter; /* its texts are borrowed */
    enum querylog_format format;
    struct querylog_budget budget;
    uint64_t lost;         /* lines, since they were taken last */
    uint64_t left_out_due; /* of the budget's seconds that are over */
    size_t length;
    char *filling;
    char *taken;
    int pick;               /* the owner's, as the following: its number in the picks */
    uint64_t picks_skipped; /* of all rings, passed on */
    struct querylog_reader *next;
};

struct querylog_lines {
    const char *octets; /* whole lines */
    size_t length;
    uint64_t lost;     /* after these, because the reader was slow */
    uint64_t left_out; /* because there were more than QUERYLOG_READER_RATE */
};

/** Returns NULL without memory. */
struct querylog_reader *querylog_reader_new(const struct querylog_filter *filter,
                                            enum querylog_format format);

void querylog_reader_free(struct querylog_reader *reader);

/** Adds the line of a record that passes. Returns true when there is something to take. */
bool querylog_reader_add(struct querylog_reader *reader, const struct querylog_record *record);

/** Counts replies of a kind that never became records. */
void querylog_reader_skip(struct querylog_reader *reader, unsigned kind, uint64_t count);

/** Ends the seconds before this one. Returns true when there is something to take. */
bool querylog_reader_set_second(struct querylog_reader *reader, uint64_t second);

/** Takes the lines. Returns false when there is nothing to report either. */
bool querylog_reader_take(struct querylog_reader *reader, struct querylog_lines *lines);
