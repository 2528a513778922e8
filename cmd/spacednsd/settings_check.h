#pragma once
/**
 * Checks the settings against what only the daemon knows: this host, the names that are answered
 * here, and the spaces that are loaded. What is wrong becomes findings of a report.
 *
 * Threads: one at a time.
 */
#include <sys/types.h>

#include "answer/snapshot.h"
#include "config/settings.h"

/**
 * Completes the settings at the start and checks them against this host. With --check they may be
 * of another host, so the addresses of this one are not compared.
 */
void settings_check_host(struct settings *settings, struct report *report);

/**
 * Finds a group by its name, or takes its number. Returns false with *err, a sentence without the
 * group's name: it is unknown, or the host's database cannot be asked.
 */
bool settings_find_group(const char *name, gid_t *gid, struct err *err);

/**
 * Reports a control_group or control_read_group that this host does not know (E-SETTING). Those
 * that `before` (NULL: nothing) has, too, are in use already.
 */
void settings_check_groups(const struct settings *settings, const struct settings *before,
                           struct report *report);

/** Reports each zone of upstream_zones that is never forwarded (E-SETTING). */
void settings_check_routes(const struct settings *settings, struct report *report);

/** Reports a state_dir whose texts would be written over the zone files (E-SETTING). */
void settings_check_state(const struct settings *settings, struct report *report);

/** Reports dnstap in a build without its library (E-SETTING). */
void settings_check_dnstap(const struct settings *settings, struct report *report);

/** Reports a registry (E-SETTING) when this build has no library to follow one. */
void settings_check_registry_library(const struct settings *settings, struct report *report);

/**
 * Reports the first space in local_as that no zone file declares, and each address in `listen` of a
 * space that no socket covers (W-LISTEN-SPACE).
 *
 * missing  the code for local_as: E-SETTING at the start; W-LOCAL-AS on a reload, which a space
 * that is gone must not refuse
 */
void settings_check_spaces(const struct settings *settings, const struct snapshot *snapshot,
                           enum finding_code missing, struct report *report);
