#include "tap/tap.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

/* ---- a receiver ---- */

enum { SENT = 100 };

static const uint8_t accept_frame[] = "\0\0\0\0\0\0\0\x22\0\0\0\x01"
                                      "\0\0\0\x01\0\0\0\x16"
                                      "protobuf:dnstap.Dnstap";

/* Reads the next frame, a control frame with its length, or a message. */
static uint32_t read_frame(int receiver)
{
    uint8_t room[1 << 16];
    uint32_t length = 0;

    for (unsigned i = 0; i < 2 && length == 0; i++) { /* 0: a control frame follows */
        ck_assert_int_eq(recv(receiver, room, 4, MSG_WAITALL), 4);
        length =
            (uint32_t)room[0] << 24 | (uint32_t)room[1] << 16 | (uint32_t)room[2] << 8 | room[3];
    }
    ck_assert_int_eq(recv(receiver, room, length, MSG_WAITALL), length);
    return length;
}

/* Connected to, and agreed. */
static int begin_receiver(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path); // NOLINT
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert(tap_start(tap, &err));
    int receiver = accept(listener, NULL, NULL);
    close(listener);
    read_frame(receiver); /* READY */
    ck_assert_int_gt(send(receiver, accept_frame, sizeof accept_frame - 1, 0), 0);
    read_frame(receiver); /* START */
    while (!tap_has_receiver(tap_feed(tap, 0)))
        sched_yield();
    return receiver;
}

static void send_messages(void)
{
    static struct dnstap_origin origin;
    const struct dnstap_message message = {.kind = DNSTAP_AUTH_QUERY,
                                           .protocol = DNSTAP_UDP,
                                           .origin = &origin,
                                           .query = (const uint8_t *)path,
                                           .query_length = sizeof path};

    dnstap_write_origin("a", "b", &origin);
    for (unsigned i = 0; i < SENT; i++)
        ck_assert(tap_send(tap_feed(tap, i % 2), &message));
}

static uint64_t stop(void)
{
    uint64_t lost = tap_stop(tap);

    tap = NULL;
    return lost;
}

TEST(what_is_queued_when_the_receiver_goes_away_is_counted_as_lost)
{
    if (!begin(1))
        return;
    close(begin_receiver());
    ck_assert_uint_eq(tap_lost(tap), 0);
    send_messages();
    ck_assert_uint_eq(stop(), SENT);
}

TEST(what_the_kernel_takes_is_not_lost)
{
    if (!begin(1))
        return;
    int receiver = begin_receiver();
    send_messages();
    ck_assert_uint_eq(stop(), 0);
    for (unsigned i = 0; i < SENT; i++)
        ck_assert_uint_gt(read_frame(receiver), sizeof path);
    close(receiver);
}

TEST(what_nobody_has_come_for_is_lost_at_the_end)
{
    if (!begin(1))
        return;
    ck_assert(tap_start(tap, &err));
    send_messages();
    ck_assert_uint_eq(stop(), SENT);
}
