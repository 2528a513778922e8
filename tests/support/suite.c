#include "support/suite.h"

#include <errno.h>
#include <stdlib.h>

static struct suite_test *first_test, **last_link = &first_test;
static SFun fixture_set_up, fixture_tear_down;

void suite_add(struct suite_test *test)
{
    test->set_up = fixture_set_up;
    test->tear_down = fixture_tear_down;
    *last_link = test;
    last_link = &test->next;
}

void suite_use_fixture(SFun set_up, SFun tear_down)
{
    fixture_set_up = set_up;
    fixture_tear_down = tear_down;
}

static TCase *case_new(Suite *suite, const struct suite_test *test)
{
    TCase *tcase = tcase_create(test->check.name);

    tcase_add_checked_fixture(tcase, test->set_up, test->tear_down);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int suite_run(void)
{
    Suite *suite = suite_create(program_invocation_short_name);

    for (const struct suite_test *test = first_test; test != NULL; test = test->next)
        tcase_add_loop_test_raise_signal(case_new(suite, test), &test->check, test->signal,
                                         test->first, test->end);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
