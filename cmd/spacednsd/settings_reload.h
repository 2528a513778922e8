#pragma once
/**
 * Settings as a reload has read them, and the policy made from them.
 *
 *     settings in force, command line, file, resolv.conf ──► reloaded ──(zones loaded)──► in force
 *                                                               └──(refused)──► freed
 *
 * A setting that needs a restart keeps its value, and W-RESTART reports it. What refuses a start
 * also refuses a reload: E-SETTING, E-LISTEN-PUBLIC.
 *
 * Threads: settings_reload_read on any one thread at a time, while no other changes the settings in
 * force; the rest on the control thread.  Memory: snapshots of the policy hold what it points at
 * (answer/snapshot.h).
 */
#include "answer/snapshot.h"
#include "config/settings.h"
#include "findings/report.h"

struct settings_reload {
    struct settings settings;
    struct policy policy;
    struct string_list changed; /* keys of the settings that changed */
};

/**
 * Reads the settings again. Returns NULL on failure; the findings are in the report either way,
 * which must be without errors before.
 */
struct settings_reload *settings_reload_read(const struct settings *now, struct report *report);

/** NULL is allowed. */
void settings_reload_free(struct settings_reload *reload);

/** Sets the log level, and logs when no upstream is left; called when `next` replaces `before`. */
void settings_reload_apply(const struct settings *next, const struct settings *before);

/**
 * Shares out `limit` descriptors: settings->upstream_sockets and ->tcp_sockets, of each worker.
 *
 *     limit = listeners, loops, the operator's commands, files   (fixed)
 *           + workers x (connections + sockets for upstreams)    (lowered when the limit is small)
 *
 * When all fits both are 0: no bound. Else sockets for upstreams are reduced first, down to a
 * quarter of what is left, so that names without an answer cost no connection and no reload; a
 * worker then has no more open questions than sockets.
 * Returns how many descriptors the settings need.
 */
uint64_t settings_share_descriptors(struct settings *settings, uint64_t limit);

/**
 * Raises the process's limit as far as the host allows, shares it out, and logs when it is not
 * enough. What a reload changes counts at the next start.
 */
void settings_raise_descriptor_limit(struct settings *settings);
