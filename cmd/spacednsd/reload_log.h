#pragma once
/**
 * The last RELOADS_LOGGED reloads, dry runs left out: when, how they ended, and who caused them.
 *
 * Threads: the control thread.  Memory: reload_log_close.
 */
#include "inspect/print.h"
#include "spacednsd/audit.h"
#include "spacednsd/status_source.h"

enum { RELOADS_LOGGED = 50 };

struct reload_entry {
    int64_t at_s; /* since 1970 */
    enum reload_end end;
    uint64_t generation; /* served after it */
    uint64_t ms;
    size_t files_changed; /* since the one before; forced, all are read */
    struct audit audit;
    struct err cause; /* ERR_NONE unless it was refused or guarded */
};

struct reload_log {
    struct reload_entry *entries;
    size_t added; /* ever */
};

/** Returns false without memory. */
bool reload_log_init(struct reload_log *log);

/** Adds one; the oldest is forgotten. */
void reload_log_add(struct reload_log *log, const struct reload_entry *entry);

/** {"reloads": [...]}, the newest first. */
json_t *reload_log_json(const struct reload_log *log);

void reload_log_close(struct reload_log *log);
