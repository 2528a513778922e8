#pragma once
/**
 * What every unit test shares: assertions, and the function that runs a suite.
 *
 * Check writes the line of every assertion that holds to a file, to report the last one after a
 * crash. Loops over all names, clients and types assert some million times and would spend most of
 * their time in write(). Here an assertion that holds costs nothing; after a crash Check names the
 * test, and the sanitizers or a debugger the line. All of Check's ck_assert_… use this one.
 */
#include <check.h>

#undef ck_assert_msg
#define ck_assert_msg(condition, ...)                                                              \
    ((condition) ? (void)0                                                                         \
                 : _ck_assert_failed(__FILE__, __LINE__, "Assertion '" #condition "' failed",      \
                                     __VA_ARGS__))

/** Runs the suite and frees it. Returns main's exit code. */
int suite_run(Suite *suite);
