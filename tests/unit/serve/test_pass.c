#include "serve/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/suite.h"

static int ends[2];

static void set_up(void)
{
    ck_assert(pass_pair(ends, SOCK_NONBLOCK));
}

static void tear_down(void)
{
    close(ends[0]), close(ends[1]);
}

FIXTURE(set_up, tear_down)

static const size_t counts[] = {0, 1, 2, PASS_DESCRIPTORS_MOST};

TEST_OVER(octets_and_descriptors_arrive_together, counts)
{
    int sent[PASS_DESCRIPTORS_MOST], got[PASS_DESCRIPTORS_MOST];
    size_t count = PASS_DESCRIPTORS_MOST;
    char text[16] = "";

    for (size_t i = 0; i < counts[_i]; i++)
        sent[i] = ends[1];
    ck_assert(pass_send(ends[0], "sockets", 7, sent, counts[_i]));
    ck_assert_int_eq(pass_receive(ends[1], text, sizeof text, got, &count), 7);
    ck_assert_str_eq(text, "sockets");
    ck_assert_uint_eq(count, counts[_i]);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(fcntl(got[i], F_GETFD), FD_CLOEXEC);
        close(got[i]);
    }
}

TEST(what_is_passed_is_the_same_open_file)
{
    int pipes[2], got;
    size_t count = 1;
    char octet;

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert(pass_send(ends[0], "x", 1, &pipes[1], 1));
    close(pipes[1]);
    ck_assert_int_eq(pass_receive(ends[1], &octet, 1, &got, &count), 1);
    ck_assert_int_eq(write(got, "y", 1), 1);
    ck_assert_int_eq(read(pipes[0], &octet, 1), 1);
    ck_assert_int_eq(octet, 'y');
    close(got), close(pipes[0]);
}

TEST(without_room_for_descriptors_none_is_left_open)
{
    int first = dup(ends[0]), two[2] = {ends[0], ends[1]};
    size_t count = 0;
    char octet;

    close(first); /* the number that the next descriptor gets */
    ck_assert(pass_send(ends[0], "x", 1, two, 2));
    ck_assert_int_eq(pass_receive(ends[1], &octet, 1, NULL, &count), 1);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(fcntl(first, F_GETFD), -1);
}

TEST(nothing_waits_for_the_other_side)
{
    char octets[1000] = "";
    size_t count = 0;

    ck_assert_int_eq(pass_receive(ends[1], octets, sizeof octets, NULL, &count), -1);
    ck_assert_int_eq(errno, EAGAIN);
    for (int i = 0; i < 100000 && pass_send(ends[0], octets, sizeof octets, NULL, 0); i++)
        ;
    ck_assert(!pass_send(ends[0], octets, sizeof octets, NULL, 0));
    ck_assert_int_eq(errno, EAGAIN);
}

TEST(the_other_side_is_gone)
{
    size_t count = 0;
    char octet;

    close(ends[0]);
    ck_assert_int_eq(pass_receive(ends[1], &octet, 1, NULL, &count), 0);
    ck_assert(!pass_send(ends[1], "x", 1, NULL, 0));
    ck_assert_int_eq(errno, EPIPE);
    ends[0] = dup(ends[1]);
}
