#pragma once
/**
 * The daemon's zone files, or documents of a registry: loading them.
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
    struct folder folder; /* that folder, as the source of the request, if that has none */
    struct load_request request;
    bool lacks_source; /* there was no memory for the registry's: nothing is loaded */
    struct load_outcome outcome;
    struct report *report;
    struct err err;            /* code ERR_NONE: the report has all errors */
    struct snapshot *snapshot; /* NULL: unchanged or refused */
    uint64_t started_ns;
    struct settings_reload *reloaded; /* of a reload, once read; has the policy of the request */
};

/**
 * Starts with a report that has the findings of the settings, and takes it over; NULL: with an
 * empty one. Returns false with err when out of memory.
 */
bool zones_loading_open(struct zones_loading *loading, struct report *report);

/**
 * Loads, opening `loading` if it is not open; the outcome is in `loading`. Call zones_loading_close
 * after it.
 */
void zones_load(struct zones_loading *loading);

/** Frees the report and what the outcome has; the snapshot is the caller's. */
void zones_loading_close(struct zones_loading *loading);

/** Milliseconds since the loading began. */
uint64_t zones_loading_ms(const struct zones_loading *loading);
