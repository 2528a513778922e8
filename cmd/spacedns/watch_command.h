#pragma once
/**
 * Runs an operator's command that prints a topology, within bounds of time and size.
 *
 * The command is a line for /bin/sh, in a process group of its own, without standard input. Its
 * group is ended when it takes too long or prints too much, when the watch is stopped, and in any
 * case once the command itself has ended: nothing of it runs on. Of its standard error the last
 * line is kept, for the sentence.
 *
 * Threads: one.  Memory: the octets are the caller's.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct watch_command {
    const char *line;
    unsigned timeout_ms;
    size_t octets_most;
    int stop; /* a descriptor that is readable once the watch is to end; -1: none */
};

/**
 * Returns what the command has printed, to be freed, or NULL with *err: it has failed, took too
 * long, printed nothing or too much. Stopped: NULL with ERR_NONE.
 */
char *watch_command_run(const struct watch_command *command, size_t *length, struct err *err);
