#pragma once
/**
 * What an operator requests of a server that runs: calls of the control socket, and signals.
 *
 *     SIGHUP            a reload                SIGTERM, SIGINT   the end
 *     SIGUSR1           the counters, logged    a call            by its command: reloads.h,
 *                                               inspection.h, upgrade.h, control.h
 *
 * Once another process serves, signals are passed on to it.
 *
 * Threads: the control thread.  Memory: the control socket.
 */
#include "spacednsd/daemon.h"

/**
 * Opens the control socket of the settings, or goes on with the one that another process has handed
 * over. Returns false with *err when the settings name one that cannot be opened; another one, or
 * one that is missing after an upgrade, is only a warning.
 */
bool daemon_requests_open(struct daemon *daemon, struct err *err);

/** Lets signals arrive. */
void daemon_requests_watch_signals(struct daemon *daemon);

/** Handles a signal, which may have reached another process. */
void daemon_requests_take_signal(void *context, int number);

/** Answers all calls that wait, and closes the socket and the timers; a second call does nothing.
 */
void daemon_requests_close(struct daemon *daemon);
