#include "control/refusals.h"

#include <string.h>

#include "support/capture.h"
#include "support/suite.h"

enum { NOW_MS = 1000000, FIRST_UID = 61000 };

static struct refusals refusals;

/* How many lines a user's refusal logs at that time. */
static unsigned log_at(uid_t uid, uint64_t now_ms)
{
    const struct peer peer = {.uid = uid};
    struct capture capture;
    unsigned lines = 0;

    capture_start(&capture);
    refusals_log(&refusals, &peer, COMMAND_RELOAD, "a sentence", now_ms);
    capture_stop(&capture);
    for (const char *at = capture.text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    if (lines > 0)
        ck_assert_ptr_nonnull(strstr(capture.text,
                                     "warning control_refused by=61000 command=reload text=\"a "
                                     "sentence\"\n"));
    return lines;
}

TEST(a_user_s_refusals_are_logged_once_a_minute)
{
    ck_assert_uint_eq(log_at(FIRST_UID, NOW_MS), 1);
    ck_assert_uint_eq(log_at(FIRST_UID, NOW_MS), 0);
    ck_assert_uint_eq(log_at(FIRST_UID, NOW_MS + REFUSALS_QUIET_MS - 1), 0);
    ck_assert_uint_eq(log_at(FIRST_UID, NOW_MS + REFUSALS_QUIET_MS), 1);
}

TEST(another_user_is_logged_meanwhile)
{
    struct refusals before;
    struct capture capture;

    log_at(FIRST_UID, NOW_MS);
    capture_start(&capture);
    for (uid_t i = 1; i < REFUSALS_USERS_MOST; i++)
        refusals_log(&refusals, &(struct peer){.uid = FIRST_UID + i}, COMMAND_STATUS, "", NOW_MS);
    before = refusals;
    for (uid_t i = 1; i < REFUSALS_USERS_MOST; i++)
        refusals_log(&refusals, &(struct peer){.uid = FIRST_UID + i}, COMMAND_STATUS, "", NOW_MS);
    capture_stop(&capture);
    ck_assert_ptr_nonnull(strstr(capture.text, "by=61007 command=status"));
    ck_assert_mem_eq(&before, &refusals, sizeof refusals);
    ck_assert_uint_eq(log_at(FIRST_UID, NOW_MS), 0);
}
