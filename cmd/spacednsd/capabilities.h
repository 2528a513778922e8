#pragma once
/**
 * The capabilities of the process: what root may do, piece by piece.
 *
 *     started as root     all ──become──► those that binding needs ──drop──► none
 *     stays root          all ─────────────────────────────────────drop──► CAP_DAC_OVERRIDE
 *     another user        what it was given (AmbientCapabilities=, setcap) ──drop──► none
 *
 * Binding needs CAP_NET_BIND_SERVICE for a port below 1024, and CAP_NET_ADMIN for a `udp_buffer`
 * above the host's net.core.rmem_max. The setting `xdp` needs that one, too, with CAP_NET_RAW for
 * its sockets, CAP_BPF for its filter and CAP_IPC_LOCK for its frames. All are dropped once the
 * sockets are bound: `listen` and `xdp` change only with a restart or an upgrade. The launcher of
 * upgrades, which is forked before, keeps the first, so that the next server can bind what the
 * settings name by then. A server that stays root keeps what lets it read zone files of other
 * users.
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

/** A user to become, and what for. */
struct capabilities_user {
    const char *name;
    uid_t uid;
    gid_t gid;
    bool takes_frames; /* the setting xdp names interfaces */
};

/**
 * Changes to a user with all of the user's groups, keeps what binding needs, and empties the
 * bounding set. Returns false with *err; the process should end then.
 */
bool capabilities_become(const struct capabilities_user *user, struct err *err);

/** Drops what is left, once everything is bound. Returns false with *err. */
bool capabilities_drop(struct err *err);

/** Writes the names of those left, "none", or why that is not known. */
void capabilities_write(char out[CAPABILITIES_TEXT_MOST]);
