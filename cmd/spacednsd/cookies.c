#include "spacednsd/cookies.h"

#include "base/clock.h"
#include "base/log.h"

enum { TICK_MS = 600 * 1000, US_PER_SECOND = 1000000 };

static void read_own(struct cookies *cookies)
{
    struct err err;

    if (state_is_used(cookies->state) &&
        !own_secrets_read(cookies->state->folder, &cookies->own, &err) && err.code != ERR_NONE)
        log_sentence(LOG_WARNING, "cookie_secrets_lost", err.text);
}

/* Makes or rolls over the server's own secrets when it is time. */
static void keep_own(struct cookies *cookies)
{
    struct err err;

    if (!own_secrets_roll_over(&cookies->own, clock_wall_us() / US_PER_SECOND))
        return;
    if (state_is_used(cookies->state) &&
        !own_secrets_write(cookies->state->folder, &cookies->own, &err))
        log_sentence(LOG_WARNING, "cookie_secrets_failed", err.text);
}

void cookies_apply(struct cookies *cookies)
{
    static const struct cookie_secrets none = {.count = 0};
    const struct settings *settings = cookies->settings;

    if (!settings->cookies) {
        server_set_cookies(cookies->server, &none);
    } else if (settings->cookie_secrets.count > 0) {
        server_set_cookies(cookies->server, &settings->cookie_secrets);
    } else {
        keep_own(cookies);
        server_set_cookies(cookies->server, &cookies->own.secrets);
    }
}

static void cookies_on_tick(uv_timer_t *timer)
{
    cookies_apply(timer->data);
}

void cookies_start(struct cookies *cookies, uv_loop_t *loop, struct server *server)
{
    cookies->server = server;
    read_own(cookies);
    cookies_apply(cookies);
    uv_timer_init(loop, &cookies->timer);
    cookies->timer.data = cookies;
    cookies->has_timer = true;
    uv_timer_start(&cookies->timer, cookies_on_tick, TICK_MS, TICK_MS);
    uv_unref((uv_handle_t *)&cookies->timer);
}

void cookies_stop(struct cookies *cookies)
{
    if (cookies->has_timer)
        uv_close((uv_handle_t *)&cookies->timer, NULL);
    cookies->has_timer = false;
}
