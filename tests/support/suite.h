#pragma once
/**
 * What every program of Check tests shares: tests that register themselves, and assertions.
 *
 *     FIXTURE(set_up, tear_down)            for the tests below it in the file
 *
 *     TEST(a_name_may_have_255_octets)
 *     {
 *         ck_assert_uint_eq(…);
 *     }
 *
 *     TEST_OVER(a_bad_name_is_refused, bad_names)     once for each element: bad_names[_i]
 *     {
 *         …
 *     }
 *
 * A test's name is a sentence. Tests run in the order of the file, each in a process of its own.
 * A program that defines no main gets one that runs them all (support/main/main.c). With
 * CK_RUN_CASE=a_name_may_have_255_octets in the environment it runs that test alone.
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

/** One test, or one for each number `_i` from first up to end. */
struct suite_test {
    TTest check;    /* name, function, file and line: what Check wants */
    int first, end; /* end is exclusive */
    int signal;     /* the test must end by this signal; 0: it must return */
    SFun set_up;    /* filled in by suite_add: the fixture that stands above the test, or NULL */
    SFun tear_down;
    struct suite_test *next;
};

#define TEST(name) TEST_LOOP(name, 0, 1)
#define TEST_OVER(name, table) TEST_LOOP(name, 0, (int)(sizeof(table) / sizeof((table)[0])))
#define TEST_LOOP(name, first, end) SUITE_TEST(name, first, end, 0)
#define TEST_SIGNAL(name, signal) SUITE_TEST(name, 0, 1, signal)
#define TEST_OVER_SIGNAL(name, table, signal)                                                      \
    SUITE_TEST(name, 0, (int)(sizeof(table) / sizeof((table)[0])), signal)

#define SUITE_TEST(name, first_number, end_number, by_signal)                                      \
    static void name(int _i);                                                                      \
    __attribute__((constructor)) static void name##_add(void)                                      \
    {                                                                                              \
        static struct suite_test test = {.check = {#name, name, __FILE__, __LINE__}};              \
        test.first = first_number, test.end = end_number, test.signal = by_signal;                 \
        suite_add(&test);                                                                          \
    }                                                                                              \
    static void name(int _i __attribute__((unused)))

/** Runs set_up before and tear_down after each test that stands below in the file. */
#define FIXTURE(set_up, tear_down)                                                                 \
    __attribute__((constructor)) static void set_up##_##tear_down##_use(void)                      \
    {                                                                                              \
        suite_use_fixture(set_up, tear_down);                                                      \
    }

/** Called by the macros, before main. */
void suite_add(struct suite_test *test);
void suite_use_fixture(SFun set_up, SFun tear_down);

/** Runs all tests. Returns main's exit code. */
int suite_run(void);
