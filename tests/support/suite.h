#pragma once
/**
 * The last lines of every unit test: run a suite, say how it went.
 */
#include <check.h>

/** Runs the suite and frees it. Returns main's exit code. */
int suite_run(Suite *suite);
