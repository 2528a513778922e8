#pragma once
/**
 * Runs a command line of the operator's command; commands.def lists its commands.
 */
#include <stdio.h>

/**
 * Runs a command line without the program's name. Returns the exit code (spacedns/session.h); the
 * streams are not flushed.
 */
int commands_run(int count, char *const *arguments, FILE *out, FILE *err);
