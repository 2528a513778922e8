#pragma once
/**
 * An upgrade's words: its events in the log, and the answer to the call.
 *
 * Threads: the control thread.  Memory: none.
 */
#include <stdio.h>

#include "spacednsd/upgrade.h"

/** The program runs. */
void upgrade_log_started(const struct upgrade *upgrade);

/** It serves, from this generation. */
void upgrade_log_done(const struct upgrade *upgrade, const char *generation);

/** The same for the call, as text or JSON. */
void upgrade_print_done(const struct upgrade *upgrade, unsigned long long generation);

/** It has failed, with upgrade->problem. */
void upgrade_log_failure(const struct upgrade *upgrade);

/** The same for the call. */
void upgrade_print_failure(const struct upgrade *upgrade, FILE *to);
