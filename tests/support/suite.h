#pragma once
/**
 * What every unit test has around it: assertions, and the last lines, which run a suite and say how
 * it went.
 *
 * Check writes the line of every assertion that holds to a file, to be able to say after a crash
 * which was the last. Loops over all names, clients and types assert some million times, and were
 * most of their time in write(). Here an assertion that holds costs nothing; after a crash Check
 * names the test, and the sanitizers or a debugger the line. All of Check's ck_assert_… are made
 * of this one.
 */
#include <check.h>

#undef ck_assert_msg
#define ck_assert_msg(condition, ...)                                                              \
    ((condition) ? (void)0                                                                         \
                 : _ck_assert_failed(__FILE__, __LINE__, "Assertion '" #condition "' failed",      \
                                     __VA_ARGS__))

/** Runs the suite and frees it. Returns main's exit code. */
int suite_run(Suite *suite);
