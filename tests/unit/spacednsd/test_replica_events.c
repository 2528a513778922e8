/* Events of a server that follows a registry: what has changed is logged, and nothing twice. */
#include "spacednsd/replica_events.h"

#include <string.h>

#include "support/capture.h"
#include "support/suite.h"

enum { END_S = 1800000000 };
static const int64_t day_s = 86400;

static struct replica_logged logged;

static void tear_down(void)
{
    replica_logged_close(&logged);
}

FIXTURE(NULL, tear_down)

/* How many lines of the certificate's end are logged, so long before it. */
static size_t lines_at(int64_t left_s)
{
    const struct registry_status status = {.certificate = "/etc/replica.pem",
                                           .certificate_end_s = END_S,
                                           .certificate_left_s = left_s};
    struct capture capture;
    size_t count = 0;

    capture_start(&capture);
    replica_log_status(&logged, &status);
    capture_stop(&capture);
    for (const char *at = capture.text; (at = strstr(at, "registry_certificate_ends")) != NULL;
         at++)
        count++;
    return count;
}

TEST(the_end_of_the_certificate_is_logged_with_its_file_and_what_to_do)
{
    const struct registry_status status = {.certificate = "/etc/replica.pem",
                                           .certificate_end_s = END_S,
                                           .certificate_left_s = 3 * day_s};
    struct capture capture;

    capture_start(&capture);
    replica_log_status(&logged, &status);
    capture_stop(&capture);
    ck_assert_msg(strstr(capture.text, " warning registry_certificate_ends file=/etc/replica.pem "
                                       "text=\"the certificate in /etc/replica.pem ends in 3 days, "
                                       "at 2027-01-15T08:00:00Z: ") != NULL,
                  "%s", capture.text);
    ck_assert_ptr_nonnull(strstr(capture.text, "then: spacedns reload\"\n"));
}

TEST(the_end_of_the_certificate_is_logged_once_a_day)
{
    ck_assert_uint_eq(lines_at(14 * day_s), 0);
    ck_assert_uint_eq(lines_at(14 * day_s - 1), 1);
    ck_assert_uint_eq(lines_at(14 * day_s - 2), 0);
    ck_assert_uint_eq(lines_at(13 * day_s), 0);
    ck_assert_uint_eq(lines_at(13 * day_s - 1), 1);
    ck_assert_uint_eq(lines_at(13 * day_s + 5), 0); /* the clock was set back a little */
    ck_assert_uint_eq(lines_at(-day_s), 1);
    ck_assert_uint_eq(lines_at(0), 1); /* by a day */
}

TEST(a_reload_has_the_end_of_the_certificate_logged_again)
{
    ck_assert_uint_eq(lines_at(day_s), 1);
    logged.has_warned = false;
    ck_assert_uint_eq(lines_at(day_s), 1);
    logged.has_warned = false;
    ck_assert_uint_eq(lines_at(90 * day_s), 0); /* renewed */
    ck_assert_uint_eq(lines_at(13 * day_s), 1);
}

TEST(without_a_certificate_nothing_is_logged)
{
    const struct registry_status status = {.certificate_left_s = -1};
    struct capture capture;

    capture_start(&capture);
    replica_log_status(&logged, &status);
    capture_stop(&capture);
    ck_assert_str_eq(capture.text, "");
}
