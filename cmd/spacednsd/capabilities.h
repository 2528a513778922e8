#pragma once
/**
 * The capabilities of the process: what root may do, piece by piece.
 *
 *     started as root     all ──become──► those that binding needs ──drop──► none
 *     stays root          all ─────────────────────────────────────drop──► CAP_DAC_OVERRIDE
 *     another user        what it was given (AmbientCapabilities=, setcap) ──drop──► none
 *
 * Binding needs CAP_NET_BIND_SERVICE for a port below 1024, and CAP_NET_ADMIN for a `udp_buffer`
 * above the host's net.core.rmem_max. Both are dropped once the sockets are bound: `listen` changes
 * only with a restart or an upgrade. The launcher of upgrades, which is forked before, keeps the
 * first, so that the next server can bind what the settings name by then. A server
 * that stays root keeps what lets it read zone files of other users.
 *
 * Built with libcap-ng, or without it (without/capabilities.c): then a server that is started as
 * root cannot become another user.
 *
 * Sources: capabilities(7).
 * Threads: one, before the process has others: capabilities belong to a thread.  Memory: none.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum { CAPABILITIES_TEXT_MOST = 1024 };

/** "libcap-ng", or NULL for a build without it. */
const char *capabilities_library(void);

/**
 * Changes to a user with all of the user's groups, keeps what binding needs, and empties the
 * bounding set. Returns false with *err; the process should end then.
 */
bool capabilities_become(const char *user, uid_t uid, gid_t gid, struct err *err);

/** Drops what is left, once everything is bound. Returns false with *err. */
bool capabilities_drop(struct err *err);

/** Writes the names of those left, "none", or why that is not known. */
void capabilities_write(char out[CAPABILITIES_TEXT_MOST]);
