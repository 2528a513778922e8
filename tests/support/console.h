#pragma once
/**
 * A console at which an operator types command lines: each runs in this process, on a folder of
 * zone files that the test may change.
 *
 *     console_command *const console_runs = commands_run;
 *
 *     FIXTURE(console_open, console_close)
 *
 *     TEST_OVER(apps_are_listed, lines)
 *     {
 *         console_expect(&lines[_i]);
 *     }
 *
 * A line gets --zones, --settings and --socket, unless it or the test has its own: the folder,
 * which has zones/test-space.yaml; a file `settings` in it, without upstreams; a socket in it that
 * nobody answers. ZONES in lines and in output is the folder.
 *
 * A call that fails ends the program.
 */
#include <stdio.h>

#include "support/scratch.h"

enum { CONSOLE_WORDS_MOST = 64, CONSOLE_LINE_MOST = 8192 };

/** As commands_run of the operator's command. */
typedef int console_command(int count, char *const *arguments, FILE *out, FILE *err);

/** Defined by the program of tests. */
extern console_command *const console_runs;

extern struct console {
    struct scratch zones;
    char socket[SCRATCH_PATH_MOST + 32];
    const char *without; /* the flags that lines do not get: "--zones --settings"; NULL: none */
    int code;            /* of the last line */
    char *out;
    char *err;
} console;

struct console_line {
    const char *line; /* words between blanks */
    int code;
    const char *out;
    const char *err;
};

void console_open(void);
void console_close(void);

/** Runs a line. Returns the exit code. */
int console_run(const char *line);

/** Runs a line and compares all that there is. */
void console_expect(const struct console_line *line);

/** Runs a line; the output, or the errors if `code` is not 0, has the text in it. */
void console_expect_part(const char *line, int code, const char *part);

/** Runs a line; its output is that JSON, given without blanks and with ' for ". */
void console_expect_json(const char *line, const char *json);

/** Returns whether a file of the folder has the text in it. */
bool console_file_has(const char *name, const char *part);

/** Reads a file of the folder; free() the text. NULL: there is none. */
char *console_read(const char *name);
