#pragma once
/**
 * The facts of one reply, and the line that they become, in the format of the platform's router:
 *
 *     2024-10-16T12:00:00.000000+00:00 heroku[dns]: at=info host=... qtype=A fwd="10.0.130.56" ...
 *
 * The line of a name that was forwarded has two pairs more, behind `app`:
 *
 *     upstream=10.0.0.2 cached=no      this server has answered, or failed
 *     upstream=10.0.0.2 cached=fresh   it had answered before, and the answer is in the cache
 *     upstream=10.0.0.2 cached=stale   as well, but too old by its TTL; this server fails now
 *
 * Unknown values stay `key=` (JSON: null). Names are escaped (RFC 1035 section 5.1), and a value
 * with a blank, `=`, `"` or `\` is quoted as log_add_value does. A line is at most
 * QUERYLOG_LINE_OCTETS octets.
 *
 * Threads: pure.  Memory: never allocates; nothing in a record is borrowed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/text.h"
#include "respond/respond.h"
#include "wire/types.h"

enum {
    QUERYLOG_LINE_OCTETS = 4096,
    QUERYLOG_SPACE_OCTETS = 64,
    QUERYLOG_APP_OCTETS = 32,
    QUERYLOG_UPSTREAM_OCTETS = 64,
};

enum querylog_format { QUERYLOG_LOGFMT, QUERYLOG_JSON };

/** A failure is what reason_is_failure names one. */
enum querylog_kind { QUERYLOG_OTHER, QUERYLOG_FAILURE, QUERYLOG_KINDS };

struct querylog_record {
    int64_t wall_us;
    uint64_t added_ns; /* when it was recorded, monotonic */
    uint32_t service_ms;
    uint32_t ttl_seconds;
    struct endpoint client;
    uint16_t type; /* 0: the question could not be read */
    uint16_t rcode;
    uint16_t answer_count;
    uint16_t reply_octets;
    uint8_t kind;         /* enum querylog_kind */
    uint8_t transport;    /* enum transport */
    uint8_t class;        /* enum client_class */
    uint8_t reason;       /* enum reason */
    uint8_t upstream_use; /* enum upstream_use */
    uint8_t space_length;
    uint8_t app_length;
    uint8_t upstream_length;
    char space[QUERYLOG_SPACE_OCTETS];
    char app[QUERYLOG_APP_OCTETS];
    char upstream[QUERYLOG_UPSTREAM_OCTETS];
    uint8_t name[NAME_MAX_OCTETS + 1]; /* wire form; empty when it could not be read */
    uint8_t name_length;
};

/** The kind of a reply with this reason and response code. */
static inline enum querylog_kind querylog_kind_of(enum reason reason, uint16_t rcode)
{
    return reason_is_failure(reason, rcode) ? QUERYLOG_FAILURE : QUERYLOG_OTHER;
}

/** Appends the line of a record and a newline. */
void querylog_format(const struct querylog_record *record, enum querylog_format format,
                     struct text *text);

/**
 * Appends a line of the log about itself: how many lines were left out, and why.
 *
 * cause  printable ASCII without quotes
 */
void querylog_format_left_out(int64_t wall_us, uint64_t count, const char *cause,
                              enum querylog_format format, struct text *text);
