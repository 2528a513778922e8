#pragma once
/**
 * The daemon's zone files: loading them, and logging and printing their findings.
 *
 * Threads: zones_load on any one thread at a time; the rest on the control thread.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer/load.h"
#include "config/settings.h"
#include "source/folder.h"

struct settings_reload;

/** One loading from request to outcome. */
struct zones_loading {
    const char *zones;    /* the folder of zone files; borrowed */
    struct folder folder; /* that folder, as the source of the request */
    struct load_request request;
    struct load_outcome outcome;
    struct report *report;
    struct err err;            /* code ERR_NONE: the report has all errors */
    struct snapshot *snapshot; /* NULL: unchanged or refused */
    uint64_t started_ns;
    struct settings_reload *reloaded; /* of a reload, once read; has the policy of the request */
};

/** Prints a line for each zone of upstream_zones that is never forwarded. False for any. */
bool zones_check_routes(const struct settings *settings, FILE *problems);

/** Starts with an empty report. Returns false with err when out of memory. */
bool zones_loading_open(struct zones_loading *loading);

/**
 * Loads, opening `loading` if it is not open; the outcome is in `loading`. Call zones_loading_close
 * after it.
 */
void zones_load(struct zones_loading *loading);

/** Frees the report; the snapshot is the caller's. */
void zones_loading_close(struct zones_loading *loading);

/** Milliseconds since the loading began. */
uint64_t zones_loading_ms(const struct zones_loading *loading);

/** Logs findings, one event each, errors first, a hundred at most. */
void zones_log_findings(const struct report *report);

/** Logs why a reload was refused: each finding, then the first error and the count. */
void zones_log_refusal(const struct zones_loading *loading, uint64_t generation);

/** The cause of a refused reload: the first error with its location, or loading->err. */
void zones_format_cause(const struct zones_loading *loading, struct err *cause);

/** Prints why the server does not start. */
void zones_print_refusal(const struct zones_loading *loading, FILE *out);

/** The number of spaces that are loaded. */
size_t zones_count_spaces(const struct snapshot *snapshot);

/** Logs a warning for each address in `listen` of a space that no socket covers. */
void zones_warn_listen(const struct snapshot *snapshot, const struct settings *settings);

/**
 * Returns the first name in `local_as` that no zone file declares, or NULL; *suggestion is a space
 * with a similar name, or NULL.
 */
const char *zones_find_missing_local(const struct snapshot *snapshot,
                                     const struct settings *settings, const char **suggestion);

/** Logs a warning when there is such a name. */
void zones_warn_local(const struct snapshot *snapshot, const struct settings *settings);
