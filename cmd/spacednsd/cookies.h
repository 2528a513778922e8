#pragma once
/**
 * The secrets of DNS cookies: those of the settings, or the server's own, rolled over every day.
 *
 * Threads: the control thread.  Memory: in place; borrows settings, state and server.
 */
#include <uv.h>

#include "answer/own_secrets.h"
#include "answer/state.h"
#include "config/settings.h"
#include "serve/server.h"

struct cookies {
    const struct settings *settings; /* in force */
    const struct state *state;       /* its folder has the server's own secrets */
    struct server *server;
    struct own_secrets own;
    uv_timer_t timer;
    bool has_timer;
};

/** Hands the secrets to the workers, before they start, and rolls them over from then on. */
void cookies_start(struct cookies *cookies, uv_loop_t *loop, struct server *server);

/** Hands them over again, after a reload: the settings may have changed. */
void cookies_apply(struct cookies *cookies);

/** Closes the timer. Does nothing before the start. */
void cookies_stop(struct cookies *cookies);
