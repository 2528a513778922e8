#pragma once
/**
 * Checks the settings against what only the daemon knows: this host, the names that are answered
 * here, and the spaces that are loaded. What is wrong becomes findings of a report, or, when the
 * server runs on, warnings in the log.
 *
 * Threads: one at a time.
 */
#include "answer/snapshot.h"
#include "config/settings.h"

/**
 * Completes the settings at the start and checks them against this host. With --check they may be
 * of another host, so the addresses of this one are not compared.
 */
void settings_check_host(struct settings *settings, struct report *report);

/** Reports each zone of upstream_zones that is never forwarded (E-SETTING). */
void settings_check_routes(const struct settings *settings, struct report *report);

/** Reports a state_dir whose texts would be written over the zone files (E-SETTING). */
void settings_check_state(const struct settings *settings, struct report *report);

/** Reports the first space in local_as that no zone file declares (E-SETTING). */
void settings_check_local(const struct settings *settings, const struct snapshot *snapshot,
                          struct report *report);

/** Logs a warning when there is such a space. */
void settings_warn_local(const struct settings *settings, const struct snapshot *snapshot);

/** Logs a warning for each address in `listen` of a space that no socket covers. */
void settings_warn_listen(const struct settings *settings, const struct snapshot *snapshot);
