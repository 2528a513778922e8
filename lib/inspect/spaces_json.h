#pragma once
/**
 * Spaces and apps as they are served, as JSON: Space, App and their parts in control/schemas.def.
 *
 * The commands that list zone files print what the files have (spaces --json); this prints what a
 * snapshot has, whose apps may be a million, so that apps come one at a time.
 *
 * Threads: any while the snapshot is held.  Memory: each value is the caller's.
 */
#include "answer/snapshot.h"
#include "inspect/print.h"

/** {"generation": 7, "spaces": [...]} */
json_t *spaces_json(const struct snapshot *snapshot);

/** {"space": ..., "name": ..., "internal_routing": ..., "web_dynos_up": 2, "dynos": 3} */
json_t *spaces_json_app(const struct segment *segment, const struct app_entry *app);

/** The app's default domain, then its custom domains. */
json_t *spaces_json_domains(const struct snapshot *snapshot, const struct segment *segment,
                            const struct app_entry *app);

/** The app's process types, each with its dynos. */
json_t *spaces_json_formation(const struct segment *segment, const struct app_entry *app);
