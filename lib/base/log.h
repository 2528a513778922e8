#pragma once
/**
 * Writes events to standard error.
 *
 * One event, one line: the time, the level, the event's fixed name, then key=value pairs.
 *
 *     2024-10-16T12:00:00.000000+00:00 info reload_done generation=2 files=1 read=1 ms=3
 *
 * Where systemd's journal reads standard error, a line begins with its priority instead of a time,
 * which the journal notes itself (journal.h):
 *
 *     <6>info reload_done generation=2 files=1 read=1 ms=3
 *
 * A value is bare when it has only plain characters, else in quotes with ", \ and control
 * characters escaped as in JSON (\", \\, \u001b), and what is no character or invisible written as
 * in escape.h ("\\xff": the octet 255, in JSON's quotes), so that no untrusted value can end the
 * line or forge a pair. Domain names come in presentation form (name_add).
 *
 *     log_start(&line, LOG_INFO, "reload_done");
 *     log_number(&line, "generation", 2);
 *     log_send(&line);
 *
 * Threads: any; a line belongs to one thread and is written in one write.  Memory: never allocates;
 * a line longer than LOG_LINE_OCTETS is cut and ends in "...".
 */
#include <stdint.h>

#include "base/text.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVEL_COUNT };

enum { LOG_LINE_OCTETS = 4096 };

struct log_line {
    bool is_wanted; /* false: below the level, every call does nothing */
    struct text text;
    char octets[LOG_LINE_OCTETS];
};

/**
 * Reopens standard error for non-blocking writes, so that a stopped terminal cannot block the
 * program; without this, a write to one waits for room for the whole line. Also finds out whether
 * the journal reads it. To be called once.
 */
void log_open(void);

/** The descriptor that lines are written to, for a process that goes on with it. */
int log_descriptor(void);

/** Sets the level; less urgent events are left out. LOG_INFO until set. */
void log_set_level(enum log_level level);

/** Begins a line. */
void log_start(struct log_line *line, enum log_level level, const char *event);

/** Adds key=value; NULL is an unknown value: `key=`. */
void log_string(struct log_line *line, const char *key, const char *value);

/** Adds key=value with a number. */
void log_number(struct log_line *line, const char *key, uint64_t number);

/**
 * Ends the line and writes it, without ever waiting for the reader: a line that cannot be written
 * at once is lost and counted. Before the next line that can be written, the loss is logged:
 *
 *     ... error log_lost count=3 text="standard error took no lines for a while: ..."
 */
void log_send(struct log_line *line);

/** Begins a line, adds text="sentence", and sends it: an event with one sentence only. */
void log_sentence(enum log_level level, const char *event, const char *sentence);

/** Appends a time as 2024-10-16T12:00:00.000000+00:00, for a clock_wall_us of year 0 to 9999. */
void log_add_time(struct text *text, int64_t wall_us);

/** Appends a value as described above. */
void log_add_value(struct text *text, const char *value, size_t length);
