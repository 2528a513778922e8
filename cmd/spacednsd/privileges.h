#pragma once
/**
 * From root to a user who may do only what the server has to.
 *
 *     privileges_find ──► which user
 *     (limits that only root may raise)
 *     privileges_begin ─► that user, with the right to bind; no_new_privs
 *     (settings, state, zones, sockets: as that user, so that what it may not do fails now)
 *     privileges_end ───► without that right (sandbox.h)
 *
 * daemon.c has the whole order. A server that was not started as root stays the user that it is.
 *
 * Sources: capabilities(7), PR_SET_NO_NEW_PRIVS(2const), PR_SET_DUMPABLE(2const).
 * Threads: one, before the process has others.  Memory: none.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/permission.h"
#include "config/settings.h"
#include "findings/report.h"
#include "inspect/status_print.h"
#include "spacednsd/capabilities.h"

struct privileges {
    char user[PERMISSION_NAME_MOST];
    uid_t uid;
    gid_t gid;
    bool is_started_as_root;
    char capabilities[CAPABILITIES_TEXT_MOST]; /* left; once privileges_end has been called */
};

/**
 * Finds the user of the settings. Returns false with a finding when it does not exist, or when the
 * server, not started as root, cannot become it.
 */
bool privileges_find(struct privileges *privileges, const struct settings *settings,
                     struct report *report);

/**
 * Becomes the user, and checks that the user may read again what has been read as root: the
 * settings file and resolv.conf. Returns false with *err.
 */
bool privileges_begin(const struct privileges *privileges, const struct settings *settings,
                      struct err *err);

/**
 * Closes the memory to other processes of the same user, and to core files, as execve(2) has opened
 * it. That of root and that of a server that never had capabilities stay open, to whoever started
 * it.
 *
 * is_successor  the memory of the server before is closed, for it has changed its user
 *
 * Call it before the process forks.
 */
void privileges_close_memory(bool is_successor);

/** True once the process can get no privilege by executing a program. */
bool privileges_has_no_new(void);

/**
 * Drops the right to bind. Returns false with *err for root's. What a service manager gave is
 * listed as left when the manager does not let it be dropped (capset in its SystemCallFilter=).
 */
bool privileges_end(struct privileges *privileges, struct err *err);
