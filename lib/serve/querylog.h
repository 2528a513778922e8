#pragma once
/**
 * One line per query, without ever blocking a worker: to standard output, to a history for those
 * who ask later, and to those who follow it live.
 *
 *     worker ─► ring ─┐  the log's   ┌─► output (querylog_output.h): failures, all or none
 *     worker ─► ring ─┴─► thread   ──┼─► history (querylog_history.h): the last 10,000
 *                                    └─► readers (querylog_reader.h): whoever follows it
 *
 * A worker copies what the line needs into its own ring (querylog_ring.h), if one of the three
 * wants it. What comes faster than that is dropped and counted (querylog_dropped, at most once in
 * ten seconds), as are lines that standard output does not take in time.
 *
 * Threads: one producer per ring, the log's thread, and one other, the control thread, which calls
 * the functions here. Both move records on, under the log's lock, which is never held while one
 * waits.  Memory: from malloc, when the log is made and when a reader attaches.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "serve/querylog_history.h"
#include "serve/querylog_output.h"
#include "serve/querylog_reader.h"
#include "serve/querylog_ring.h"

struct querylog;

/** Called on the log's thread when a reader has something to take. */
typedef void querylog_on_lines(void *context);

struct querylog_options {
    int descriptor; /* where lines are written; stays the caller's */
    enum querylog_format format;
    enum querylog_choice choice;
    uint32_t rate;               /* lines a second that are written; 0: no bound */
    size_t rings;                /* number of producers */
    querylog_on_lines *on_lines; /* NULL: nobody attaches */
    void *context;
};

/** Opens the log, without its thread. Returns NULL with *err. */
struct querylog *querylog_new(const struct querylog_options *options, struct err *err);

/** Starts the thread. Returns false with *err without one. */
bool querylog_start(struct querylog *log, struct err *err);

/**
 * Writes the records in the rings, for at most two seconds, ends the thread and frees everything,
 * readers included. Returns the lines lost, as querylog_lost does. NULL is allowed.
 */
uint64_t querylog_stop(struct querylog *log);

/** Changes what is written, from now on. */
void querylog_set(struct querylog *log, enum querylog_choice choice, uint32_t rate);

/** Lines that were not written: no room, or a failure; without those dropped for a full ring. */
uint64_t querylog_lost(struct querylog *log);

/** The ring of one producer. */
struct querylog_ring *querylog_ring(struct querylog *log, size_t number);

/** Finds the last records that pass, among all that were handed over. */
void querylog_find(struct querylog *log, const struct querylog_filter *filter, size_t most,
                   struct querylog_found *found);

/**
 * As querylog_find, and attaches a reader that gets every record behind these. Returns NULL without
 * memory; `found` is to be freed all the same.
 */
struct querylog_reader *querylog_attach(struct querylog *log, const struct querylog_filter *filter,
                                        enum querylog_format format, size_t most,
                                        struct querylog_found *found);

/** Ends and frees a reader. */
void querylog_detach(struct querylog *log, struct querylog_reader *reader);

/** As querylog_reader_take. */
bool querylog_take(struct querylog *log, struct querylog_reader *reader,
                   struct querylog_lines *lines);
