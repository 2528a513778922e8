// wrap: clock_monotonic_ns
#include "tap/tap_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/capture.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct scratch folder;
static char path[SCRATCH_PATH_MOST + 8];
static struct tap_socket tap;
static int receiver, peer; /* its listening socket, and the connection that it accepted */
static uint64_t now_ns;
static struct capture capture;

uint64_t __wrap_clock_monotonic_ns(void);

/* Every look at the clock takes a second, so nothing waits long. */
uint64_t __wrap_clock_monotonic_ns(void)
{
    return now_ns += UINT64_C(1000000000);
}

static void listen_at_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    receiver = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(receiver, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(receiver, 4), 0);
}

static void set_up(void)
{
    scratch_init(&folder);
    snprintf(path, sizeof path, "%s/tap", folder.path);
    ck_assert(tap_socket_init(&tap, path));
    now_ns = 1;
    receiver = peer = -1;
    capture_start(&capture);
}

static void tear_down(void)
{
    tap_socket_close(&tap);
    close(receiver);
    close(peer);
    scratch_close(&folder);
}

/* Opens, and lets the receiver agree, upon which the library writes. */
static void agree(void)
{
    const struct iovec start = {"!", 1};
    char octet;

    ck_assert(tap_socket_open(&tap));
    peer = accept(receiver, NULL, NULL);
    ck_assert_int_ge(peer, 0);
    ck_assert_int_eq(write(peer, "a", 1), 1);
    ck_assert(tap_socket_read(&tap, &octet, 1));
    ck_assert_int_eq(octet, 'a');
    ck_assert(!tap_socket_has_receiver(&tap));
    ck_assert(tap_socket_write(&tap, &start, 1));
    ck_assert_int_eq(read(peer, &octet, 1), 1);
}

static void expect_logged(const char *event, unsigned times)
{
    const char *at = capture.text;
    unsigned count = 0;

    while ((at = strstr(at, event)) != NULL) {
        at += strlen(event);
        count++;
    }
    ck_assert_msg(count == times, "%u times %s: %s", count, event, capture.text);
}

FIXTURE(set_up, tear_down)

TEST(a_path_that_no_address_has_room_for_is_refused)
{
    char octets[200];

    memset(octets, 'x', sizeof octets);
    octets[107] = '\0';
    ck_assert(tap_socket_init(&tap, octets));
    octets[107] = 'x';
    octets[108] = '\0';
    ck_assert(!tap_socket_init(&tap, octets));
    ck_assert(tap_socket_init(&tap, path));
    capture_stop(&capture);
}

TEST(what_is_written_arrives_once_a_receiver_agrees)
{
    char octets[8];
    const struct iovec parts[] = {{"ab", 2}, {"", 0}, {"cde", 3}};

    listen_at_path();
    ck_assert(!tap_socket_has_receiver(&tap));
    agree();
    ck_assert(tap_socket_has_receiver(&tap));
    ck_assert(tap_socket_write(&tap, parts, 3));
    ck_assert_int_eq(read(peer, octets, sizeof octets), 5);
    ck_assert_mem_eq(octets, "abcde", 5);
    capture_stop(&capture);
    expect_logged("info dnstap_connected path=", 1);
}

TEST(no_receiver_is_logged_once_and_connected_to_when_it_comes)
{
    ck_assert(!tap_socket_open(&tap));
    ck_assert(!tap_socket_open(&tap));
    ck_assert(!tap_socket_has_receiver(&tap));
    listen_at_path();
    agree();
    capture_stop(&capture);
    expect_logged("warning dnstap_unconnected path=", 1);
    expect_logged("cause=\"connect: No such file or directory\"", 1);
    expect_logged("info dnstap_connected path=", 1);
}

TEST(a_receiver_that_is_gone_is_left_and_connected_to_again)
{
    const struct iovec part = {"ab", 2};

    listen_at_path();
    agree();
    close(peer);
    ck_assert(!tap_socket_write(&tap, &part, 1));
    ck_assert(!tap_socket_has_receiver(&tap));
    ck_assert(!tap_socket_write(&tap, &part, 1));
    agree();
    ck_assert(tap_socket_write(&tap, &part, 1));
    capture_stop(&capture);
    expect_logged("warning dnstap_unconnected path=", 1);
    expect_logged("cause=\"write: Broken pipe\"", 1);
    expect_logged("info dnstap_connected path=", 2);
}

/* What it said was no consent, so that the library opens again, and again. */
TEST(a_receiver_that_does_not_agree_is_none_and_logged_once)
{
    const struct iovec ready = {"?", 1};
    char octet;

    listen_at_path();
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(tap_socket_open(&tap));
        close(peer);
        peer = accept(receiver, NULL, NULL);
        ck_assert(tap_socket_write(&tap, &ready, 1));
        ck_assert_int_eq(write(peer, "x", 1), 1);
        ck_assert(tap_socket_read(&tap, &octet, 1));
        ck_assert(!tap_socket_has_receiver(&tap));
    }
    capture_stop(&capture);
    expect_logged("dnstap_connected", 0);
    expect_logged("warning dnstap_unconnected path=", 1);
    expect_logged("cause=\"handshake: Protocol error\"", 1);
}

/* It agreed to other messages than ours, say: there must be no way back to it. */
TEST(opening_again_leaves_the_receiver_before)
{
    char octet;

    listen_at_path();
    agree();
    int before = peer;
    ck_assert(tap_socket_open(&tap));
    ck_assert(!tap_socket_has_receiver(&tap));
    ck_assert_int_eq(read(before, &octet, 1), 0);
    close(before);
    peer = accept(receiver, NULL, NULL);
    ck_assert_int_ge(peer, 0);
    capture_stop(&capture);
}

/* It accepts and reads nothing, or says nothing. */
TEST_LOOP(a_receiver_that_is_stuck_is_given_up, 0, 2)
{
    static char octets[1 << 22];
    const struct iovec part = {octets, sizeof octets};
    char octet;

    listen_at_path();
    if (_i == 0) {
        agree();
        ck_assert(!tap_socket_write(&tap, &part, 1));
    } else {
        ck_assert(tap_socket_open(&tap));
        ck_assert(!tap_socket_read(&tap, &octet, 1));
    }
    ck_assert_uint_ge(now_ns, TAP_PATIENCE_MS * UINT64_C(1000000));
    ck_assert(!tap_socket_has_receiver(&tap));
    capture_stop(&capture);
    expect_logged("timed out", 1);
}

/* A slow receiver of a server that stops: no word in the log, and no waiting. */
TEST(a_server_that_stops_does_not_wait)
{
    static char octets[1 << 22];
    const struct iovec part = {octets, sizeof octets};

    listen_at_path();
    agree();
    tap_socket_stop(&tap);
    uint64_t begun_ns = now_ns;
    ck_assert(!tap_socket_write(&tap, &part, 1));
    ck_assert_uint_lt(now_ns - begun_ns, 4 * UINT64_C(1000000000));
    capture_stop(&capture);
    expect_logged("dnstap_unconnected", 0);
}

/* It takes a little all the time, so that there is always room for more. */
TEST(a_receiver_that_reads_slowly_does_not_keep_the_server_from_stopping)
{
    const struct iovec part = {"ab", 2};
    unsigned written = 0;

    listen_at_path();
    agree();
    tap_socket_stop(&tap);
    while (written < 100 && tap_socket_write(&tap, &part, 1))
        written++;
    ck_assert_uint_lt(written, 4);
    ck_assert(!tap_socket_has_receiver(&tap));
    capture_stop(&capture);
    expect_logged("dnstap_unconnected", 0);
}
