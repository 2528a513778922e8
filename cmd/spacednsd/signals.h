#pragma once
/**
 * Signals: what each does to the server.
 *
 *     SIGTERM, SIGINT   on_stop, once; a second one of either ends the process at once
 *     SIGHUP, SIGUSR1   on_signal
 *     SIGQUIT, SIGABRT  as ever: the process ends with a core file, for who looks for a fault
 *     SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPIPE, SIGXFSZ, SIGTTIN, SIGTTOU, SIGWINCH
 *                       nothing: they are not used, and a wrong `kill` shall not stop answers
 *
 * The second SIGTERM needs no loop: it works while the control thread is held up, too.
 *
 * Threads: the control thread; one struct signals in a process.
 */
#include <uv.h>

enum { SIGNALS_WATCHED = 2 };

/** Called on the loop's thread. */
typedef void signals_on_signal(void *context, int number);

struct signals {
    uv_signal_t watched[SIGNALS_WATCHED];
    uv_async_t stopping; /* sent by the handler of SIGTERM and SIGINT */
    signals_on_signal *on_signal;
    signals_on_signal *on_stop;
    void *context;
};

/** Before anything is started: ignores what is not used, holds back SIGHUP and SIGUSR1. */
void signals_prepare(void);

/** Begins; what was held back is served now. */
void signals_start(struct signals *signals, uv_loop_t *loop, signals_on_signal *on_signal,
                   signals_on_signal *on_stop, void *context);

/** Closes the handles; from on_stop, or after. From now on SIGHUP and SIGUSR1 do nothing. */
void signals_stop(struct signals *signals);
