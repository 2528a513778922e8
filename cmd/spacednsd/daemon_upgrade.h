#pragma once
/**
 * The daemon's two parts in an upgrade.
 *
 *     it leaves (upgrade.h)       hold ─► another one serves ─► workers leave ─► a last turn ─► end
 *                                  └────► that one has failed ─► reloads go on
 *     it takes over (takeover.h)  adopted ─► probed ─► go: state, sockets, signals ─► ready
 *                                               └────► failed ─► end
 *
 * Threads: the control thread.  Memory: none.
 */
#include "spacednsd/daemon.h"

/** Sets what upgrade.h and takeover.h call. */
void daemon_upgrade_init(struct daemon *daemon);

/** Begins an upgrade for a call. */
void daemon_upgrade_request(struct daemon *daemon, struct call *call);

/** reloads' on_idle: no reload is under way, so an upgrade that waited for that goes on. */
void daemon_upgrade_on_idle(void *context);

/** This server, which was to take over, ends; the one before goes on. */
void daemon_upgrade_fail(struct daemon *daemon, const char *sentence);
