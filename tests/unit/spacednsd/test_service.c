// wrap: server_current server_worker_count server_request_pulses server_has_pulse
// forks: its tests leave something behind
#include "spacednsd/service.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/capture.h"
#include "support/server_script.h"
#include "support/suite.h"
#include "support/zones.h"

enum { WORKERS = 3, PATIENCE_MS = 15000 };

static char folder[] = "/tmp/spacedns-service.XXXXXX";
static char path[sizeof folder + 16];
static int manager;
static char message[NOTIFY_OCTETS_MOST];
static uv_loop_t loop;
static struct service service;
static struct policy policy;
static bool is_frozen[WORKERS];
static bool has_requested[WORKERS]; /* and the worker has not answered */

void __wrap_server_request_pulses(struct server *server, enum pulse_asker asker);
bool __wrap_server_has_pulse(const struct server *server, size_t worker, enum pulse_asker asker);

void __wrap_server_request_pulses(struct server *server, enum pulse_asker asker)
{
    (void)server;
    ck_assert_int_eq(asker, PULSE_SERVICE);
    for (size_t i = 0; i < WORKERS; i++)
        has_requested[i] = true;
}

bool __wrap_server_has_pulse(const struct server *server, size_t worker, enum pulse_asker asker)
{
    (void)server;
    ck_assert_int_eq(asker, PULSE_SERVICE);
    return !has_requested[worker] || !is_frozen[worker];
}

static void set_up(void)
{
    static const char *const files[] = {"zones/test-space.yaml"};
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(folder + strlen(folder) - 6, "XXXXXX"); // NOLINT: each test its own
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/notify", folder);
    strcpy(address.sun_path, path); // NOLINT: short
    manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    policy = policy_usual();
    server_script = (struct server_script){.current = snapshot_of_files(&policy, files, 1),
                                           .worker_count = WORKERS};
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    service_open(&service);
    service.extend_ms = 1;
}

static void tear_down(void)
{
    service_stop(&service);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    service_close(&service);
    server_script_close();
    close(manager);
    unlink(path);
    rmdir(folder);
}

/* The next message to the manager; empty: there is none. */
static const char *next_message(void)
{
    ssize_t length = recv(manager, message, sizeof message - 1, MSG_DONTWAIT);

    message[length < 0 ? 0 : length] = '\0';
    return message;
}

/* Runs the loop until that message has been sent; others before it are ignored. */
static void await_message(const char *expected)
{
    do
        uv_run(&loop, UV_RUN_ONCE);
    while (strcmp(next_message(), expected) != 0);
}

static void start(void)
{
    service_start(&service, &loop, server_script_server());
}

FIXTURE(set_up, tear_down)

TEST(ready_states_what_is_served)
{
    struct reload_last last = {.has_been = false};

    start();
    service_ready(&service, &last);
    ck_assert_str_eq(next_message(), "READY=1\nSTATUS=Serving generation 1: 1 space, 3 apps\n");
}

TEST(ready_states_how_the_last_reload_ended)
{
    struct reload_last last = {.has_been = true, .end = RELOAD_REFUSED};

    err_set(&last.cause, ERR_RULE, "zones/a.yaml:3:1: E-KEY: it is wrong");
    start();
    service_reload(&service);
    ck_assert_ptr_eq(strstr(next_message(), "RELOADING=1\nMONOTONIC_USEC="), message);
    service_ready(&service, &last);
    ck_assert_str_eq(next_message(), "READY=1\nSTATUS=Serving generation 1: 1 space, 3 apps; last "
                                     "reload refused: zones/a.yaml:3:1: E-KEY: it is wrong\n");
}

TEST(the_stop_is_notified_once)
{
    start();
    service_stop(&service);
    ck_assert_ptr_eq(strstr(next_message(), "STOPPING=1\nSTATUS="), message);
    service_stop(&service);
    ck_assert_str_eq(next_message(), "");
}

TEST(a_process_that_was_to_replace_the_server_ends_unnoticed)
{
    start();
    service_give_up(&service);
    ck_assert_str_eq(next_message(), "");
    service_stop(&service);
    ck_assert_str_eq(next_message(), "");
}

TEST(the_process_that_goes_on_is_notified_instead_of_a_stop)
{
    start();
    service_hand_over(&service, 4711);
    ck_assert_str_eq(next_message(), "MAINPID=4711\nREADY=1\n");
    service_stop(&service);
    ck_assert_str_eq(next_message(), "");
}

TEST(nothing_is_notified_before_the_server_runs)
{
    struct reload_last last = {.has_been = false};

    service_ready(&service, &last);
    service_reload(&service);
    service_stop(&service);
    ck_assert_str_eq(next_message(), "");
}

TEST(a_long_first_load_extends_the_timeout)
{
    struct pollfd poller = {.fd = manager, .events = POLLIN};

    service_load(&service, "/etc/spacedns/zones");
    ck_assert_str_eq(next_message(), "STATUS=Loading the zone files of /etc/spacedns/zones\n");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(poll(&poller, 1, PATIENCE_MS), 1);
        ck_assert_str_eq(next_message(), "EXTEND_TIMEOUT_USEC=60000000\n");
    }
    service_loaded(&service);
    while (next_message()[0] != '\0')
        ;
    service_loaded(&service); /* and again is allowed */
    ck_assert_str_eq(next_message(), "");
}

TEST(a_long_reload_extends_the_timeout_until_it_ends)
{
    struct reload_last last = {.has_been = false};

    start();
    service_reload(&service);
    await_message("EXTEND_TIMEOUT_USEC=60000000\n");
    await_message("EXTEND_TIMEOUT_USEC=60000000\n");
    service_ready(&service, &last);
    while (next_message()[0] != '\0')
        ;
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_str_eq(next_message(), "");
}

TEST(the_watchdog_is_fed_while_every_worker_answers)
{
    setenv("WATCHDOG_USEC", "4000", 1);
    start();
    for (int i = 0; i < 5; i++)
        await_message("WATCHDOG=1\n");
}

TEST_LOOP(a_worker_that_stands_still_ends_the_feeding, 0, WORKERS)
{
    struct capture capture;
    char expected[64];

    setenv("WATCHDOG_USEC", "4000", 1);
    start();
    await_message("WATCHDOG=1\n");
    while (next_message()[0] != '\0')
        ;
    is_frozen[_i] = true;
    capture_start(&capture);
    while (!service.is_silent) /* a turn of the loop may end before its timers are due */
        uv_run(&loop, UV_RUN_ONCE);
    for (int i = 0; i < 20; i++)
        uv_run(&loop, UV_RUN_ONCE);
    capture_stop(&capture);
    ck_assert_str_eq(next_message(), "");
    snprintf(expected, sizeof expected, "error worker_silent worker=%d ", _i + 1);
    ck_assert_ptr_nonnull(strstr(capture.text, expected));
    ck_assert_ptr_eq(strstr(capture.text, "worker_silent"), strstr(capture.text, expected) + 6);
    ck_assert_ptr_null(strstr(strstr(capture.text, expected) + 8, "worker_silent"));
    is_frozen[_i] = false;
    await_message("WATCHDOG=1\n");
}

TEST(without_a_watchdog_no_pulse_is_requested)
{
    start();
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert(!has_requested[0]);
    ck_assert_str_eq(next_message(), "");
}

TEST(without_a_manager_nothing_happens)
{
    struct reload_last last = {.has_been = false};

    service_close(&service);
    unsetenv("NOTIFY_SOCKET");
    setenv("WATCHDOG_USEC", "4000", 1);
    service_open(&service);
    service_load(&service, "/nowhere");
    service_loaded(&service);
    start();
    service_reload(&service);
    service_ready(&service, &last);
    ck_assert_int_eq(uv_loop_alive(&loop), 0);
    ck_assert_str_eq(next_message(), "");
}
