#pragma once
/**
 * Other programs that help to make an archive, without a shell.
 *
 * Threads: one; SIGPIPE is ignored while a program reads.  Memory: the output is the caller's.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { SUPPORT_PROGRAM_SECONDS = 30 };

/**
 * Runs a program to its end, at most SUPPORT_PROGRAM_SECONDS, and takes what it prints to standard
 * output, `most` octets of it. Returns false with *err: it is not there, has failed, or took too
 * long. free() the octets.
 */
bool support_program_run(char *const *words, size_t most, char **octets, size_t *length,
                         struct err *err);

/** A program that writes to a descriptor what it makes of its standard input. */
struct support_filter {
    const char *name;
    int input; /* write to it */
    int process;
};

/** Starts it. Returns false with *err. */
bool support_filter_start(struct support_filter *filter, char *const *words, int output,
                          struct err *err);

/** Closes its input and waits for its end. Returns false with *err when it has failed. */
bool support_filter_finish(struct support_filter *filter, struct err *err);
