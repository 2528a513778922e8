#pragma once
/**
 * Wraps text for people at the width of their terminal.
 *
 * Output that is no terminal is not wrapped, so that programs find a sentence in one line.
 *
 * Threads: one.  Memory: never allocates.
 */
#include <stdio.h>

enum { WRAP_LEAST = 20, WRAP_ENDLESS = 10000 };

/** The columns of a terminal, at least WRAP_LEAST; WRAP_ENDLESS for other output. */
int wrap_width(FILE *out);

/** Prints words from `column` on, where further lines begin, too, and a newline. */
void wrap_print(FILE *out, const char *text, int column);
