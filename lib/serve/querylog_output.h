#pragma once
/**
 * The query log's lines on their way to a descriptor, usually standard output.
 *
 *     querylog_output_add ─► filling ─► querylog_output_exchange ─► writing ─► descriptor
 *
 * Nothing here waits for whoever reads the descriptor, but for the end of the server. When lines
 * come faster than they are read, those that have no room are dropped and counted, and logged at
 * most once in ten seconds (querylog_dropped). Lines that cannot be written, for example to a full
 * disk, are counted and logged once a minute (querylog_failed); a line that was cut is ended before
 * the next.
 *
 * At most `rate` lines a second are written; a line of the log itself counts those left out:
 *
 *     ... heroku[dns]: at=info left_out=1204 desc="more lines than log_rate allows in a second"
 *
 * Threads: the log's thread writes; the functions above the line need the owner's lock.
 * Memory: two buffers of QUERYLOG_OUTPUT_OCTETS.
 */
#include <stdatomic.h>

#include "config/settings.h"
#include "serve/querylog_budget.h"
#include "serve/querylog_line.h"

enum { QUERYLOG_OUTPUT_OCTETS = 1 << 20 };

/** Which replies get a line. */
enum querylog_choice {
    QUERYLOG_FAILURES = LOG_QUERIES_FAILURES,
    QUERYLOG_ALL = LOG_QUERIES_ALL,
    QUERYLOG_NONE = LOG_QUERIES_NONE,
};

struct querylog_output {
    int descriptor;  /* the caller's; */
    int nonblocking; /* the same file opened non-blocking; -1: not possible */
    enum querylog_format format;
    /* Under the owner's lock. */
    enum querylog_choice choice;
    uint32_t rate; /* lines a second; UINT32_MAX: no bound */
    struct querylog_budget budget;
    uint64_t dropped; /* lines without room, ever */
    char *filling;
    size_t filled;
    /* The log's thread's. */
    char *writing;
    size_t written;
    size_t length;
    bool is_torn;       /* the last line written lacks its end */
    bool is_full;       /* the descriptor has taken all that it takes now */
    uint64_t failed_ns; /* when a failure was logged last; 0: never */
    uint64_t lost_logged;
    atomic_uint_fast64_t lost; /* lines that could not be written, ever */
};

/** Returns false without memory; querylog_output_close is to be called all the same. */
bool querylog_output_init(struct querylog_output *output, int descriptor,
                          enum querylog_format format);

void querylog_output_close(struct querylog_output *output);

/** True when a reply of that kind gets a line. */
static inline bool querylog_output_takes(const struct querylog_output *output, unsigned kind)
{
    return output->choice == QUERYLOG_ALL ||
           (output->choice == QUERYLOG_FAILURES && kind == QUERYLOG_FAILURE);
}

void querylog_output_add(struct querylog_output *output, const struct querylog_record *record);

/** Counts replies of a kind that never became records. */
void querylog_output_skip(struct querylog_output *output, unsigned kind, uint64_t count);

/** Ends the seconds before this one: what was left out in them is written. */
void querylog_output_set_second(struct querylog_output *output, uint64_t second);

/** Lets the thread write what was added, once the last has been written. */
void querylog_output_exchange(struct querylog_output *output);

/* ---- without the lock ---- */

/** True when there is something to write. */
static inline bool querylog_output_is_waiting(const struct querylog_output *output)
{
    return output->written < output->length;
}

/** The descriptor to poll before querylog_output_write. */
static inline int querylog_output_descriptor(const struct querylog_output *output)
{
    return output->nonblocking >= 0 ? output->nonblocking : output->descriptor;
}

/** Writes a piece, which does not block once the descriptor polls as writable. */
void querylog_output_write(struct querylog_output *output);

/** Counts as lost what has not been written, at the end. */
void querylog_output_give_up(struct querylog_output *output);
