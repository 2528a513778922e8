#include "spacednsd/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/capture.h"
#include "support/suite.h"

enum { MESSAGES_MOST = 100000 }; /* more than any socket's queue holds */

static char folder[] = "/tmp/spacedns-notify.XXXXXX";
static char path[sizeof folder + 16];
static int manager; /* the service manager's socket */
static struct notify notify;
static char message[NOTIFY_OCTETS_MOST];

/* Makes the manager's socket; @ begins an abstract name. */
static void listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);

    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(
        bind(manager, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'))),
        0);
    setenv("NOTIFY_SOCKET", name, 1);
}

static void set_up(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX"); // NOLINT: each test its own
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/notify", folder);
    listen_at(path);
    notify_open(&notify);
}

static void tear_down(void)
{
    notify_close(&notify);
    close(manager);
    unlink(path);
    rmdir(folder);
}

/* The next message that the manager has received; empty: none. */
static const char *received(void)
{
    ssize_t length = recv(manager, message, sizeof message - 1, 0);

    message[length < 0 ? 0 : length] = '\0';
    return message;
}

FIXTURE(set_up, tear_down)

TEST(each_state_is_one_message)
{
    ck_assert(notify_is_used(&notify));
    notify_ready(&notify, "Serving generation 1");
    ck_assert_str_eq(received(), "READY=1\nSTATUS=Serving generation 1\n");
    notify_ready(&notify, NULL);
    ck_assert_str_eq(received(), "READY=1\n");
    notify_stopping(&notify, "Stopping");
    ck_assert_str_eq(received(), "STOPPING=1\nSTATUS=Stopping\n");
    notify_main_pid(&notify, 4711, NULL);
    ck_assert_str_eq(received(), "MAINPID=4711\nREADY=1\n");
    notify_status(&notify, "Loading");
    ck_assert_str_eq(received(), "STATUS=Loading\n");
    notify_alive(&notify);
    ck_assert_str_eq(received(), "WATCHDOG=1\n");
    notify_extend(&notify, 30000000);
    ck_assert_str_eq(received(), "EXTEND_TIMEOUT_USEC=30000000\n");
}

TEST(a_reload_has_the_time_of_its_beginning)
{
    unsigned long long us = 0;
    int end = 0;

    notify_reloading(&notify, "Reloading");
    ck_assert_int_eq(
        sscanf(received(), "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reloading\n%n", &us, &end), 1);
    ck_assert_uint_eq((size_t)end, strlen(message));
    ck_assert_uint_gt(us, 0);
}

TEST(a_status_cannot_add_an_assignment)
{
    notify_status(&notify, "bad\nMAINPID=1\n\x1b[31m");
    ck_assert_str_eq(received(), "STATUS=bad\\x0aMAINPID=1\\x0a\\x1b[31m\n");
}

TEST(a_long_status_is_cut)
{
    char status[4 * NOTIFY_OCTETS_MOST];

    memset(status, 'x', sizeof status - 1);
    status[sizeof status - 1] = '\0';
    notify_ready(&notify, status);
    size_t length = strlen(received());
    ck_assert_uint_gt(length, NOTIFY_STATUS_MOST - 8);
    ck_assert_uint_lt(length, NOTIFY_OCTETS_MOST);
    ck_assert_int_eq(message[length - 1], '\n');
}

TEST(an_abstract_socket_is_notified)
{
    char name[64];

    notify_close(&notify);
    close(manager);
    snprintf(name, sizeof name, "@spacedns-notify-%ld", (long)getpid());
    listen_at(name);
    notify_open(&notify);
    notify_alive(&notify);
    ck_assert_str_eq(received(), "WATCHDOG=1\n");
}

TEST(without_a_manager_nothing_is_sent)
{
    notify_close(&notify);
    unsetenv("NOTIFY_SOCKET");
    notify_open(&notify);
    ck_assert(!notify_is_used(&notify));
    notify_ready(&notify, "Ready");
    notify_alive(&notify);
    ck_assert(notify_flush(&notify));
    ck_assert_str_eq(received(), "");
}

static const char *const bad_names[] = {"relative", "@", "/", "vsock:2:1234",
                                        "/012345678901234567890123456789012345678901234567890123456"
                                        "7890123456789012345678901234567890123"
                                        "4567890123456789"};

TEST_OVER(a_bad_name_is_logged_and_ignored, bad_names)
{
    struct capture capture;

    notify_close(&notify);
    setenv("NOTIFY_SOCKET", bad_names[_i], 1);
    capture_start(&capture);
    notify_open(&notify);
    notify_ready(&notify, NULL);
    capture_stop(&capture);
    ck_assert(!notify_is_used(&notify));
    ck_assert_ptr_nonnull(strstr(capture.text, "warning notify_failed socket="));
    ck_assert_ptr_nonnull(strstr(capture.text, "neither a path nor an abstract name"));
}

static size_t count_failures(const char *text)
{
    size_t count = 0;

    while ((text = strstr(text, "notify_failed")) != NULL) {
        count++;
        text++;
    }
    return count;
}

TEST(a_socket_that_is_gone_is_logged_once)
{
    struct capture capture;

    close(manager);
    unlink(path);
    capture_start(&capture);
    for (int i = 0; i < 5; i++) {
        notify_ready(&notify, NULL);
        notify_alive(&notify);
    }
    capture_stop(&capture);
    ck_assert_uint_eq(count_failures(capture.text), 1);
    ck_assert_ptr_nonnull(strstr(capture.text, "cause=\"No such file or directory\""));
}

TEST(a_socket_that_is_back_is_notified_again)
{
    struct capture capture;

    close(manager);
    capture_start(&capture);
    notify_alive(&notify); /* the path is there, and nobody listens */
    unlink(path);
    listen_at(path);
    notify_ready(&notify, NULL);
    close(manager);
    notify_alive(&notify);
    capture_stop(&capture);
    ck_assert_uint_eq(count_failures(capture.text), 2);
}

/* Fills the manager's queue with WATCHDOG messages. */
static void fill(void)
{
    for (int i = 0; i < MESSAGES_MOST; i++)
        notify_alive(&notify);
}

TEST(a_full_socket_never_blocks_and_keeps_the_last_state)
{
    size_t alive = 0;

    fill();
    notify_reloading(&notify, NULL);
    notify_ready(&notify, "Generation 2");
    ck_assert(!notify_flush(&notify));
    notify_status(&notify, "not kept");
    while (strcmp(received(), "WATCHDOG=1\n") == 0)
        alive++;
    ck_assert_uint_lt(alive, MESSAGES_MOST);
    ck_assert_str_eq(message, "");
    notify_alive(&notify);
    ck_assert_str_eq(received(), "READY=1\nSTATUS=Generation 2\n");
    ck_assert_str_eq(received(), "WATCHDOG=1\n");
    ck_assert(notify_flush(&notify));
    ck_assert_str_eq(received(), "");
}

TEST(a_state_that_was_sent_outdates_the_kept_one)
{
    fill();
    notify_reloading(&notify, NULL);
    while (received()[0] != '\0')
        ;
    notify_ready(&notify, NULL);
    ck_assert_str_eq(received(), "READY=1\n");
    ck_assert(notify_flush(&notify));
    ck_assert_str_eq(received(), "");
}

TEST(the_watchdog_is_wanted_by_its_variables)
{
    char own[32];

    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    ck_assert_uint_eq(notify_watchdog_us(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    ck_assert_uint_eq(notify_watchdog_us(), 30000000);
    snprintf(own, sizeof own, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", own, 1);
    ck_assert_uint_eq(notify_watchdog_us(), 30000000);
    setenv("WATCHDOG_PID", "1", 1);
    ck_assert_uint_eq(notify_watchdog_us(), 0);
    setenv("WATCHDOG_PID", "soon", 1);
    ck_assert_uint_eq(notify_watchdog_us(), 0);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "soon", 1);
    ck_assert_uint_eq(notify_watchdog_us(), 0);
}

TEST(a_descriptor_is_stored_and_let_go_by_name)
{
    struct iovec part = {.iov_base = message, .iov_len = sizeof message - 1};
    union {
        struct cmsghdr header;
        char octets[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    int ends[2], stored;
    char octet = 'x';

    ck_assert_int_eq(pipe(ends), 0);
    notify_store(&notify, "udp.0", ends[1]);
    ssize_t length = recvmsg(manager, &header, 0);
    ck_assert_int_gt(length, 0);
    message[length] = '\0';
    ck_assert_str_eq(message, "FDSTORE=1\nFDNAME=udp.0\nFDPOLL=0\n");
    ck_assert_int_eq(control.header.cmsg_type, SCM_RIGHTS);
    memcpy(&stored, CMSG_DATA(&control.header), sizeof stored);
    ck_assert_int_eq(write(stored, &octet, 1), 1);
    ck_assert_int_eq(read(ends[0], &octet, 1), 1);
    notify_unstore(&notify, "udp.0");
    ck_assert_str_eq(received(), "FDSTOREREMOVE=1\nFDNAME=udp.0\n");
    close(stored), close(ends[0]), close(ends[1]);
}
