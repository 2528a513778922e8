#include "spacednsd/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static const int watched[SIGNALS_WATCHED] = {SIGHUP, SIGUSR1};
static const int ending[] = {SIGTERM, SIGINT};
static const int unused[] = {SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,  SIGIO,  SIGPIPE,
                             SIGXFSZ, SIGTTIN, SIGTTOU,   SIGWINCH, SIGCHLD};

/* A handler has no context: the loop to wake, and the number of the signal. */
static struct signals *_Atomic stopped;
static atomic_int stop_number;
static atomic_int stop_pid;
static atomic_uint stop_uid;

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void set_ending(const struct sigaction *action)
{
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        sigaction(ending[i], action, NULL);
}

static void set_ending_to_default(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    sigemptyset(&action.sa_mask);
    set_ending(&action);
}

/* In a handler: only async-signal-safe functions (POSIX), and uv_async_send. */
static void stop_once(int number, siginfo_t *info, void *place)
{
    struct signals *signals = stopped;

    (void)place;
    set_ending_to_default();
    stop_number = number;
    /* Positive codes are of the kernel, which names no sender (sigaction(2)). */
    stop_pid = info->si_code <= 0 ? info->si_pid : 0;
    stop_uid = info->si_code <= 0 ? info->si_uid : 0;
    uv_async_send(&signals->stopping);
}

static void signals_on_stopping(uv_async_t *handle)
{
    struct signals *signals = handle->data;

    signals->sender = (struct signal_sender){.pid = stop_pid, .uid = stop_uid};
    signals->on_stop(signals->context, stop_number);
}

static void signals_on_watched(uv_signal_t *handle, int number)
{
    struct signals *signals = handle->data;

    signals->on_signal(signals->context, number);
}

static void hold_watched(int how)
{
    sigset_t held;

    sigemptyset(&held);
    for (size_t i = 0; i < SIGNALS_WATCHED; i++)
        sigaddset(&held, watched[i]);
    pthread_sigmask(how, &held, NULL);
}

void signals_prepare(void)
{
    for (size_t i = 0; i < sizeof unused / sizeof unused[0]; i++)
        set_handler(unused[i], SIG_IGN);
    hold_watched(SIG_BLOCK);
}

void signals_start(struct signals *signals, uv_loop_t *loop, signals_on_signal *on_signal,
                   signals_on_signal *on_stop, void *context)
{
    struct sigaction action = {.sa_sigaction = stop_once, .sa_flags = SA_RESTART | SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    signals->on_signal = on_signal;
    signals->on_stop = on_stop;
    signals->context = context;
    for (size_t i = 0; i < SIGNALS_WATCHED; i++) {
        uv_signal_init(loop, &signals->watched[i]);
        signals->watched[i].data = signals;
        uv_signal_start(&signals->watched[i], signals_on_watched, watched[i]);
    }
    uv_async_init(loop, &signals->stopping, signals_on_stopping);
    signals->stopping.data = signals;
    stopped = signals;
    set_ending(&action);
    hold_watched(SIG_UNBLOCK);
}

void signals_stop(struct signals *signals)
{
    set_ending_to_default();
    /* libuv restores their default action, with which SIGHUP would end the process. */
    for (size_t i = 0; i < SIGNALS_WATCHED; i++) {
        uv_close((uv_handle_t *)&signals->watched[i], NULL);
        set_handler(watched[i], SIG_IGN);
    }
    uv_close((uv_handle_t *)&signals->stopping, NULL);
}
