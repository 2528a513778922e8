#include "spacednsd/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static const int watched[SIGNALS_WATCHED] = {SIGHUP, SIGUSR1};
static const int ending[] = {SIGTERM, SIGINT};
static const int unused[] = {SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,  SIGIO,  SIGPIPE,
                             SIGXFSZ, SIGTTIN, SIGTTOU,   SIGWINCH, SIGCHLD};

/* A handler has no context: the loop to wake, the number of the signal, and its sender. */
static struct signals *_Atomic started;
static atomic_int stop_number;
static atomic_uint_fast64_t stop_sender;
static atomic_uint watched_pending; /* a bit for each of `watched` */
static atomic_uint_fast64_t watched_senders[SIGNALS_WATCHED];

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

/* Both numbers in one, so that they are of one sender. */
static uint64_t pack_sender(const siginfo_t *info)
{
    /* Positive codes are of the kernel, which names no sender (sigaction(2)). */
    return info->si_code > 0 ? 0 : (uint64_t)(uint32_t)info->si_pid << 32 | info->si_uid;
}

static struct signal_sender unpack_sender(uint64_t sender)
{
    return (struct signal_sender){.pid = (pid_t)(sender >> 32), .uid = (uid_t)sender};
}

/* In a handler: only async-signal-safe functions (POSIX), and uv_async_send. */
static void stop_once(int number, siginfo_t *info, void *place)
{
    struct signals *signals = started;

    (void)place;
    set_ending_to_default();
    stop_number = number;
    stop_sender = pack_sender(info);
    uv_async_send(&signals->stopping);
}

/* Likewise. */
static void note_watched(int number, siginfo_t *info, void *place)
{
    struct signals *signals = started;

    (void)place;
    for (unsigned i = 0; i < SIGNALS_WATCHED; i++)
        if (watched[i] == number) {
            watched_senders[i] = pack_sender(info);
            watched_pending |= 1U << i;
        }
    uv_async_send(&signals->watched);
}

static void signals_on_stopping(uv_async_t *handle)
{
    struct signals *signals = handle->data;

    signals->sender = unpack_sender(stop_sender);
    signals->on_stop(signals->context, stop_number);
}

static void signals_on_watched(uv_async_t *handle)
{
    struct signals *signals = handle->data;
    unsigned pending = atomic_exchange(&watched_pending, 0);

    for (unsigned i = 0; i < SIGNALS_WATCHED && !uv_is_closing((uv_handle_t *)handle); i++) {
        if ((pending >> i & 1) == 0)
            continue;
        signals->sender = unpack_sender(watched_senders[i]);
        signals->on_signal(signals->context, watched[i]);
    }
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
    struct sigaction noting = {.sa_sigaction = note_watched, .sa_flags = SA_RESTART | SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    sigemptyset(&noting.sa_mask);
    signals->on_signal = on_signal;
    signals->on_stop = on_stop;
    signals->context = context;
    uv_async_init(loop, &signals->watched, signals_on_watched);
    signals->watched.data = signals;
    uv_async_init(loop, &signals->stopping, signals_on_stopping);
    signals->stopping.data = signals;
    started = signals;
    for (size_t i = 0; i < SIGNALS_WATCHED; i++)
        sigaction(watched[i], &noting, NULL);
    set_ending(&action);
    hold_watched(SIG_UNBLOCK);
}

void signals_stop(struct signals *signals)
{
    set_ending_to_default();
    for (size_t i = 0; i < SIGNALS_WATCHED; i++)
        set_handler(watched[i], SIG_IGN);
    uv_close((uv_handle_t *)&signals->watched, NULL);
    uv_close((uv_handle_t *)&signals->stopping, NULL);
}
