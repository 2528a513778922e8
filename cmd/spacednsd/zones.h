#pragma once
/**
 * The daemon's zone files: loading them, and saying what was found in them.
 *
 * Threads: zones_load on any one thread at a time; the rest on the control thread.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer/load.h"
#include "config/settings.h"

struct settings_reload;

/** One loading from request to outcome. */
struct zones_loading {
    struct load_request request;
    struct load_outcome outcome;
    struct report *report;
    struct err err;            /* code ERR_NONE: the report says all */
    struct snapshot *snapshot; /* NULL: unchanged or refused */
    uint64_t started_ns;
    struct settings_reload *terms; /* of a reload, once read; the policy of the request */
};

/** Tells, one line each, of zones of upstreams that no name would ever take. False for any. */
bool zones_check_routes(const struct settings *settings, FILE *problems);

/** Begins with an empty report. Returns false, with err, without memory. */
bool zones_loading_open(struct zones_loading *loading);

/**
 * Loads, beginning unless that is done; read the outcome from `loading`. End with
 * zones_loading_close.
 */
void zones_load(struct zones_loading *loading);

/** Frees the report; the snapshot is the caller's. */
void zones_loading_close(struct zones_loading *loading);

/** Milliseconds since the loading began. */
uint64_t zones_loading_ms(const struct zones_loading *loading);

/** Logs findings, one event each, errors first, a hundred at most. */
void zones_log_findings(const struct report *report);

/** Logs why a reload was refused: each finding, and last the first error and how many there are. */
void zones_log_refusal(const struct zones_loading *loading, uint64_t generation);

/** Why a reload was refused: the first error with its place, or what else stood in the way. */
void zones_format_cause(const struct zones_loading *loading, struct err *cause);

/** Prints what stands in the way of a start. */
void zones_print_refusal(const struct zones_loading *loading, FILE *out);

/** Spaces that are loaded. */
size_t zones_count_spaces(const struct snapshot *snapshot);

/** Warns of addresses that spaces name in `listen` and no socket covers. */
void zones_warn_listen(const struct snapshot *snapshot, const struct settings *settings);

/**
 * Finds a name in `local_as` that is no space's. Returns NULL when there is none; *near is a space
 * with a similar name, or NULL.
 */
const char *zones_find_missing_local(const struct snapshot *snapshot,
                                     const struct settings *settings, const char **near);

/** Warns when the first of these has gone. */
void zones_warn_local(const struct snapshot *snapshot, const struct settings *settings);
