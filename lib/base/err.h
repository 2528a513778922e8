#pragma once
/**
 * Errors of the cold path: one code and one sentence.
 *
 * The sentence states what happened and what to do, with file and line if there are any; it has no
 * newline and no full stop at its end. Names and values in it are escaped (escape.h), so it can be
 * printed as it is. An error is returned or logged, never both.
 *
 * Threads: a struct err belongs to its caller.  Memory: never allocates.
 */
#include <stdbool.h>

enum err_code {
    ERR_NONE,
    ERR_MEMORY, /* out of memory */
    ERR_SYSTEM, /* the system refused: file, socket, thread */
    ERR_SYNTAX, /* text that cannot be parsed */
    ERR_RULE,   /* text that parses and breaks a rule */
    ERR_LIMIT,  /* a limit of this program */
};

struct err {
    enum err_code code;
    char text[512];
};

/** Fills *err and returns false, so that a caller can write `return err_set(...)`. */
bool err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
