#pragma once
/**
 * Terms: settings as a reload has read them, and the policy made of them.
 *
 *     settings in force, command line, file, resolv.conf ──► terms ──(zones loaded)──► in force
 *                                                              └──(refused)──► freed
 *
 * What takes a restart keeps the value in force, and is told as a W-RESTART. What stands in the way
 * of a start stands in the way of a reload: E-SETTING.
 *
 * Threads: settings_reload_read on any one thread at a time, while nobody changes the settings in
 * force; the rest on the control thread. Memory: snapshots of the policy hold what it points at
 * (answer/snapshot.h).
 */
#include "answer/snapshot.h"
#include "config/settings.h"
#include "findings/report.h"

struct settings_reload {
    struct settings settings;
    struct policy policy;
    const char *changed; /* keys of the settings that are others now, with commas; "" for none */
};

/** Reads anew. Returns NULL when that fails; what was found is in the report in any case. */
struct settings_reload *settings_reload_read(const struct settings *now, struct report *report);

/** NULL is allowed. */
void settings_reload_free(struct settings_reload *reload);

/** Does what settings ask of the host and the log, when they take the place of others. */
void settings_reload_apply(const struct settings *next, const struct settings *before);

/**
 * Shares out `limit` descriptors: settings->upstream_sockets and ->tcp_sockets, of each worker.
 *
 *     limit = listeners, loops, the operator's commands, files   (fixed: always there)
 *           + workers x (connections + sockets for upstreams)    (lowered when the limit is small)
 *
 * When all fits both are 0: no bound. Else sockets for upstreams give way first, down to a quarter
 * of what is left, so that names of which nobody knows anything cost no connection and no reload;
 * a worker then has no more questions on their way than sockets.
 * Returns how many descriptors the settings want.
 */
uint64_t settings_share_descriptors(struct settings *settings, uint64_t limit);

/**
 * Raises the process's limit as far as the host allows, shares it out, and says when it is not
 * enough. What a reload changes is shared out at the next start.
 */
void settings_raise_descriptor_limit(struct settings *settings);
