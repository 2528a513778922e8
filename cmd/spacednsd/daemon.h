#pragma once
/**
 * The control thread: start, signals, reloads, stop.
 *
 * SIGHUP and the operator's command request reloads (reloads.h); the command also queries the
 * server's state (control.h).
 *
 * Threads: runs on the calling thread and returns when the server has stopped.
 */
#include "config/settings.h"

/**
 * Serves until a signal stops it; sets the settings' limits of descriptors. Returns the program's
 * exit code.
 *
 * report  the warnings of the settings; taken over
 */
int daemon_run(struct settings *settings, struct report *report);

/**
 * Loads the zone files, prints every finding and a summary line. Returns the exit code. Takes over
 * the report, which has the warnings of the settings.
 */
int daemon_check(const struct settings *settings, struct report *report);
