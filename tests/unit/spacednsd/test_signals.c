// forks: its tests leave something behind
#include "spacednsd/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/suite.h"

static unsigned stopped, signalled;
static struct signals signals;

static void on_stop(void *context, int number)
{
    (void)context, (void)number;
    stopped++;
    signals_stop(&signals);
}

static void on_signal(void *context, int number)
{
    (void)context, (void)number;
    signalled++;
}

static const int ending[] = {SIGTERM, SIGINT};

TEST_LOOP(the_first_stop_signal_stops_the_loop, 0, 2)
{
    uv_loop_t loop;

    signals_prepare();
    uv_loop_init(&loop);
    signals_start(&signals, &loop, on_signal, on_stop, NULL);
    raise(ending[_i]);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(stopped, 1);
    ck_assert_int_eq(signals.sender.pid, getpid());
    ck_assert_uint_eq(signals.sender.uid, getuid());
    raise(SIGHUP);
    raise(SIGUSR1);
    ck_assert_uint_eq(signalled, 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

TEST(a_signal_during_the_start_is_delivered_later)
{
    uv_loop_t loop;

    signals_prepare();
    raise(SIGHUP);
    uv_loop_init(&loop);
    signals_start(&signals, &loop, on_signal, on_stop, NULL);
    uv_run(&loop, UV_RUN_ONCE);
    ck_assert_uint_eq(signalled, 1);
    ck_assert_int_eq(signals.sender.pid, getpid());
    ck_assert_uint_eq(signals.sender.uid, getuid());
    raise(SIGUSR1);
    uv_run(&loop, UV_RUN_ONCE);
    ck_assert_uint_eq(signalled, 2);
    raise(SIGUSR1);
    raise(SIGHUP);
    while (signalled < 4)
        uv_run(&loop, UV_RUN_ONCE);
    signals_stop(&signals);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

/* As a process of another user would send it, if it might. */
static void send_as(int number, int code, uid_t uid)
{
    siginfo_t info = {.si_signo = number, .si_code = code};

    info.si_pid = 4711;
    info.si_uid = uid;
    ck_assert_int_eq(syscall(SYS_rt_sigqueueinfo, getpid(), number, &info), 0);
}

TEST(the_sender_is_the_one_whom_the_kernel_names)
{
    uv_loop_t loop;

    signals_prepare();
    uv_loop_init(&loop);
    signals_start(&signals, &loop, on_signal, on_stop, NULL);
    send_as(SIGHUP, SI_QUEUE, 61234);
    uv_run(&loop, UV_RUN_ONCE);
    ck_assert_uint_eq(signalled, 1);
    ck_assert_int_eq(signals.sender.pid, 4711);
    ck_assert_uint_eq(signals.sender.uid, 61234);
    signals_stop(&signals);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

/* A control thread whose loop never turns. It writes an octet when a signal arrives. */
static void stand_still(int to)
{
    static uv_loop_t loop;
    sigset_t held, none;

    sigemptyset(&none);
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, NULL);
    signals_prepare();
    uv_loop_init(&loop);
    signals_start(&signals, &loop, on_signal, on_stop, NULL);
    while (write(to, "", 1) == 1)
        sigsuspend(&none);
    _exit(1);
}

TEST_LOOP(the_second_stop_signal_needs_no_loop, 0, 2)
{
    int ends[2], status;
    char octet;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        stand_still(ends[1]);
    ck_assert_int_eq(read(ends[0], &octet, 1), 1);
    kill(child, SIGTERM);
    ck_assert_int_eq(read(ends[0], &octet, 1), 1); /* it goes on */
    kill(child, ending[_i]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), ending[_i]);
    close(ends[0]), close(ends[1]);
}

static const int unused[] = {SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
                             SIGPIPE, SIGXFSZ, SIGTTIN,   SIGTTOU, SIGWINCH};

TEST_OVER(an_unused_signal_is_ignored, unused)
{
    signals_prepare();
    raise(unused[_i]);
}

TEST(a_child_that_ends_leaves_no_zombie)
{
    signals_prepare();
    pid_t child = fork();
    if (child == 0)
        _exit(EXIT_SUCCESS);
    ck_assert_int_eq(waitpid(child, NULL, 0), -1); /* returns once it has ended */
    ck_assert_int_eq(errno, ECHILD);
}
