#include "tap/tap.h"

#include <stdio.h>
#include <string.h>

#include "support/capture.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct scratch folder;
static char path[SCRATCH_PATH_MOST + 8];
static struct tap *tap;
static struct err err;

static void set_up(void)
{
    scratch_init(&folder);
    snprintf(path, sizeof path, "%s/tap", folder.path);
    tap = NULL;
}

static void tear_down(void)
{
    tap_stop(tap);
    scratch_close(&folder);
}

/* Returns false in a build without the library, where nothing is made. */
static bool begin(uint32_t sample)
{
    tap = tap_new(&(struct tap_options){.path = path, .sample = sample, .feeds = 2}, &err);
    ck_assert((tap == NULL) == (tap_library() == NULL));
    return tap != NULL;
}

FIXTURE(set_up, tear_down)

TEST(one_in_so_many_is_taken_by_each_feed)
{
    if (!begin(3))
        return;
    for (unsigned i = 1; i <= 30; i++)
        ck_assert(tap_takes_next(tap_feed(tap, 0)) == (i % 3 == 0));
    ck_assert(!tap_takes_next(tap_feed(tap, 1)));
}

TEST(with_a_sample_of_one_all_are_taken)
{
    if (!begin(1))
        return;
    for (unsigned i = 0; i < 30; i++)
        ck_assert(tap_takes_next(tap_feed(tap, 0)));
}

/* More than there is room for: messages are dropped or thrown away, and nothing waits. */
TEST(without_a_receiver_it_starts_takes_and_stops)
{
    static struct dnstap_origin origin;
    const struct dnstap_message message = {.kind = DNSTAP_AUTH_QUERY,
                                           .protocol = DNSTAP_UDP,
                                           .origin = &origin,
                                           .query = (const uint8_t *)path,
                                           .query_length = sizeof path};
    static struct capture capture;

    if (!begin(1))
        return;
    capture_start(&capture);
    ck_assert(tap_start(tap, &err));
    ck_assert(!tap_has_receiver(tap_feed(tap, 0)));
    dnstap_write_origin("a", "b", &origin);
    for (unsigned i = 0; i < 50000; i++)
        tap_send(tap_feed(tap, i % 2), &message);
    tap_stop(tap);
    tap = NULL;
    capture_stop(&capture);
    ck_assert_ptr_null(strstr(capture.text, "dnstap_connected"));
}
