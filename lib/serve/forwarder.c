#include "serve/forwarder.h"

enum { WAITERS_PER_QUESTION = 2 };

/* ---- time for what comes in ---- */

static void forwarder_on_response(void *context, link_ticket ticket, const uint8_t *octets,
                                  size_t length)
{
    struct forwarder *forwarder = context;

    forward_set_time(forwarder->forward, uv_now(forwarder->loop));
    forwarder->inner.on_response(forwarder->inner.context, ticket, octets, length);
}

static void forwarder_on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    struct forwarder *forwarder = context;

    forward_set_time(forwarder->forward, uv_now(forwarder->loop));
    forwarder->inner.on_failure(forwarder->inner.context, ticket, failure);
}

static void listen_first(struct forwarder *forwarder, struct link *link)
{
    forwarder->inner = link->listener;
    link->listener = (struct link_listener){.on_response = forwarder_on_response,
                                            .on_failure = forwarder_on_failure,
                                            .context = forwarder};
}

/* ---- turns and ticks ---- */

/* Its being active keeps the loop from waiting. */
static void forwarder_on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void forwarder_on_tick(uv_timer_t *timer)
{
    struct forwarder *forwarder = timer->data;

    forward_set_time(forwarder->forward, uv_now(forwarder->loop));
    forward_tick(forwarder->forward);
    if (!forward_is_busy(forwarder->forward))
        uv_timer_stop(timer);
}

static void forwarder_on_turn(uv_prepare_t *prepare)
{
    struct forwarder *forwarder = prepare->data;

    if (!forward_is_busy(forwarder->forward))
        return;
    forward_set_time(forwarder->forward, uv_now(forwarder->loop));
    if (forward_turn(forwarder->forward))
        uv_idle_start(&forwarder->idle, forwarder_on_idle);
    else
        uv_idle_stop(&forwarder->idle);
    if (!uv_is_active((const uv_handle_t *)&forwarder->timer))
        uv_timer_start(&forwarder->timer, forwarder_on_tick, PENDING_TICK_MS, PENDING_TICK_MS);
}

static void start_handles(struct forwarder *forwarder)
{
    uv_prepare_init(forwarder->loop, &forwarder->prepare);
    uv_idle_init(forwarder->loop, &forwarder->idle);
    uv_timer_init(forwarder->loop, &forwarder->timer);
    forwarder->prepare.data = forwarder;
    forwarder->timer.data = forwarder;
    uv_prepare_start(&forwarder->prepare, forwarder_on_turn);
}

/* ---- life ---- */

static bool open_sockets(struct forwarder *forwarder, const struct settings *settings,
                         struct err *err)
{
    const struct sockets_options options = {
        .loop = forwarder->loop,
        .servers = forwarder->servers.items,
        .server_count = forwarder->servers.count,
        .attempts = (size_t)settings->upstream_questions * PENDING_ATTEMPTS,
        .stats = forwarder->batch->stats,
    };

    forwarder->sockets = sockets_new(&options, err);
    return forwarder->sockets != NULL;
}

static bool open_forward(struct forwarder *forwarder, const struct settings *settings,
                         struct err *err)
{
    const struct forward_options options = {
        .zones = &settings->upstream_zones,
        .cache_octets = settings->cache_size / settings->workers,
        .questions = settings->upstream_questions,
        .mixes_case = settings->upstream_0x20,
        .stats = forwarder->batch->stats,
        .link = sockets_link(forwarder->sockets),
        .on_found = batch_on_found,
        .context = forwarder->batch,
    };

    forwarder->forward = forward_new(&options, err);
    return forwarder->forward != NULL;
}

bool forwarder_start(struct forwarder *forwarder, uv_loop_t *loop, struct batch *batch,
                     const struct settings *settings, struct err *err)
{
    *forwarder = (struct forwarder){.loop = loop, .batch = batch};
    if (settings->upstream_zones.count == 0)
        return true;
    forward_list_servers(&settings->upstream_zones, &forwarder->servers);
    if (!open_sockets(forwarder, settings, err))
        return false;
    forwarder->deferred =
        deferred_new((size_t)settings->upstream_questions * WAITERS_PER_QUESTION, err);
    if (forwarder->deferred == NULL || !open_forward(forwarder, settings, err)) {
        sockets_close(forwarder->sockets);
        return false;
    }
    listen_first(forwarder, sockets_link(forwarder->sockets));
    batch_set_forward(batch, forwarder->forward, forwarder->deferred);
    start_handles(forwarder);
    return true;
}

void forwarder_stop(struct forwarder *forwarder)
{
    if (forwarder->forward == NULL)
        return;
    forward_end_all(forwarder->forward);
    batch_set_forward(forwarder->batch, NULL, NULL);
    sockets_close(forwarder->sockets);
    uv_close((uv_handle_t *)&forwarder->prepare, NULL);
    uv_close((uv_handle_t *)&forwarder->idle, NULL);
    uv_close((uv_handle_t *)&forwarder->timer, NULL);
}

void forwarder_close(struct forwarder *forwarder)
{
    forward_free(forwarder->forward);
    deferred_free(forwarder->deferred);
    sockets_free(forwarder->sockets);
}
