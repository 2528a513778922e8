#pragma once
/**
 * Prints the table of answers, decide/answers.def, for operators.
 *
 * Threads: any.  Memory: short-lived.
 */
#include <stdio.h>

/** A paragraph for each case. */
void answers_print_text(FILE *out);

/** A list of objects. */
void answers_print_json(FILE *out);

/** A table, as in the README. */
void answers_print_markdown(FILE *out);
