#pragma once
/**
 * Signals: what each does to the server.
 *
 *     SIGTERM, SIGINT   on_stop, once; a second one of either ends the process at once
 *     SIGHUP, SIGUSR1   on_signal
 *     SIGQUIT, SIGABRT  the default: the process ends with a core file, for debugging
 *     SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPIPE, SIGXFSZ, SIGTTIN, SIGTTOU, SIGWINCH
 *                       ignored, so that a wrong `kill` does not stop the server
 *     SIGCHLD           ignored, so that no child that has ended stays a zombie
 *
 * The second SIGTERM needs no loop: it works while the control thread is blocked, too.
 *
 * Threads: the control thread; one struct signals in a process.
 */
#include <sys/types.h>
#include <uv.h>

enum { SIGNALS_WATCHED = 2 };

/** Called on the loop's thread. */
typedef void signals_on_signal(void *context, int number);

/** Who sent a signal, as the kernel says; of several that came at once, the last. */
struct signal_sender {
    pid_t pid; /* 0: unknown, as for Ctrl-C */
    uid_t uid;
};

struct signals {
    uv_async_t watched;  /* sent by the handler of SIGHUP and SIGUSR1 */
    uv_async_t stopping; /* sent by the handler of SIGTERM and SIGINT */
    signals_on_signal *on_signal;
    signals_on_signal *on_stop;
    void *context;
    struct signal_sender sender; /* set before on_stop and on_signal */
};

/** Ignores unused signals and blocks SIGHUP and SIGUSR1; call it before anything starts. */
void signals_prepare(void);

/** Starts; blocked signals are delivered now. */
void signals_start(struct signals *signals, uv_loop_t *loop, signals_on_signal *on_signal,
                   signals_on_signal *on_stop, void *context);

/** Closes the handles; call it from on_stop or later. SIGHUP and SIGUSR1 are then ignored. */
void signals_stop(struct signals *signals);
