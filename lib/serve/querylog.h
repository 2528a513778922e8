#pragma once
/**
 * One line per query, to standard output, without ever blocking a worker.
 *
 *     worker ─► ring (records of fixed size) ─┐
 *     worker ─► ring ─────────────────────────┴─► writer thread ─► lines ─► descriptor
 *
 * A worker copies what the line needs into its own ring; the writer formats and writes. A full ring
 * drops the record and counts it; the writer logs how many were dropped, at most once in ten
 * seconds. Lines that cannot be written, for example to a full disk, are counted and logged once a
 * minute; a line that was cut is ended before the next. The format of a line is that of the
 * platform's router:
 *
 *     2024-10-16T12:00:00.000000+00:00 heroku[dns]: at=info host=... qtype=A fwd="10.0.130.56" ...
 *
 * Unknown values stay `key=` (JSON: null). Names are escaped (RFC 1035 section 5.1), and a value
 * with a blank, `=`, `"` or `\` is quoted as log_add_value does. A line is at most
 * QUERYLOG_LINE_OCTETS octets.
 *
 * Threads: one producer per ring, one writer.  Memory: rings from malloc when the log starts.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "base/text.h"
#include "respond/respond.h"

enum {
    QUERYLOG_LINE_OCTETS = 4096,
    QUERYLOG_RECORDS = 8192, /* of one ring; a power of two */
    QUERYLOG_SPACE_OCTETS = 64,
    QUERYLOG_APP_OCTETS = 32,
};

enum querylog_format { QUERYLOG_LOGFMT, QUERYLOG_JSON };

/** The facts of a line; nothing in it is borrowed. */
struct querylog_record {
    int64_t wall_us;
    uint32_t service_ms;
    uint32_t ttl_seconds;
    struct endpoint client;
    uint16_t type; /* 0: the question could not be read */
    uint16_t rcode;
    uint16_t answer_count;
    uint16_t reply_octets;
    uint8_t transport; /* enum transport */
    uint8_t class;     /* enum client_class */
    uint8_t reason;    /* enum reason */
    uint8_t space_length;
    uint8_t app_length;
    char space[QUERYLOG_SPACE_OCTETS];
    char app[QUERYLOG_APP_OCTETS];
    uint8_t name[NAME_MAX_OCTETS + 1]; /* wire form; empty when it could not be read */
    uint8_t name_length;
};

struct querylog;
struct querylog_ring;

/**
 * Opens the log, without its thread. Returns NULL with *err without memory.
 *
 * descriptor  where lines are written; stays the caller's
 * rings       number of producers
 */
struct querylog *querylog_new(int descriptor, enum querylog_format format, size_t rings,
                              struct err *err);

/** Starts the writer. Returns false with *err without a thread. */
bool querylog_start(struct querylog *log, struct err *err);

/**
 * Writes the records in the rings, for at most two seconds, ends the writer and frees everything.
 * Returns the lines lost, as querylog_lost does.
 */
uint64_t querylog_stop(struct querylog *log);

/** Lines that could not be written, without those dropped for a full ring. */
uint64_t querylog_lost(const struct querylog *log);

/** The ring of one producer. */
struct querylog_ring *querylog_ring(struct querylog *log, size_t number);

/**
 * Records one exchange that has a reply.
 *
 * client  the source address, as the socket reports it
 *
 * Returns false when the ring is full; the record is dropped then.
 */
bool querylog_add(struct querylog_ring *ring, const struct snapshot *snapshot,
                  const struct exchange *exchange, const struct endpoint *client, int64_t wall_us);

/** Sets the service time of the records added since the last call, and hands them to the writer. */
void querylog_hand_over(struct querylog_ring *ring, uint32_t service_ms);

/** Appends the line of a record and a newline. */
void querylog_format(const struct querylog_record *record, enum querylog_format format,
                     struct text *text);
