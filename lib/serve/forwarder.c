#include "serve/forwarder.h"

#include "base/arena.h"
#include "base/log.h"

/* It lies in its own arena. */
struct way {
    struct forwarder *forwarder;
    struct arena *arena;
    struct upstream_zones zones;
    struct forward_servers servers;
    struct sockets *sockets;
    struct forward *forward;
    struct link_listener inner; /* what the forwarder hears of, before the time is set */
    bool is_retired;
    struct way *next; /* retired before this one */
};

static const struct upstream_zones nobody;

/* ---- what comes in ---- */

static void way_on_response(void *context, link_ticket ticket, const uint8_t *octets, size_t length)
{
    struct way *way = context;

    forward_set_time(way->forward, uv_now(way->forwarder->loop));
    way->inner.on_response(way->inner.context, ticket, octets, length);
}

static void way_on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    struct way *way = context;

    forward_set_time(way->forward, uv_now(way->forwarder->loop));
    way->inner.on_failure(way->inner.context, ticket, failure);
}

static void listen_first(struct way *way, struct link *link)
{
    way->inner = link->listener;
    link->listener = (struct link_listener){
        .on_response = way_on_response, .on_failure = way_on_failure, .context = way};
}

/* What comes from upstreams that are asked no more is of no use to anybody. */
static void way_on_found(void *context, struct waiter *waiters, const struct found *found)
{
    const struct way *way = context;
    struct batch *batch = way->forwarder->batch;

    if (!way->forwarder->is_stopping)
        batch_adopt(batch);
    if (way->is_retired)
        batch_ask_again(batch, waiters);
    else
        batch_on_found(batch, waiters, found);
}

/* ---- ways out ---- */

static bool open_sockets(struct way *way, struct err *err)
{
    const struct forwarder *forwarder = way->forwarder;
    const struct sockets_options options = {
        .loop = forwarder->loop,
        .servers = way->servers.items,
        .server_count = way->servers.count,
        .attempts = pending_tickets(forwarder->questions),
        .sockets_most = forwarder->sockets_most,
        .stats = forwarder->batch->stats,
    };

    way->sockets = sockets_new(&options, err);
    return way->sockets != NULL;
}

static bool open_forward(struct way *way, struct standings *standings, struct err *err)
{
    const struct forwarder *forwarder = way->forwarder;
    const struct forward_options options = {
        .zones = &way->zones,
        .cache_octets = forwarder->cache_octets,
        .questions = forwarder->questions,
        .mixes_case = forwarder->mixes_case,
        .stats = forwarder->batch->stats,
        .standings = standings,
        .link = sockets_link(way->sockets),
        .on_found = way_on_found,
        .context = way,
    };

    way->forward = forward_new(&options, err);
    return way->forward != NULL;
}

static void close_way(struct way *way)
{
    if (way == NULL)
        return;
    forward_free(way->forward);
    sockets_free(way->sockets);
    arena_free(way->arena);
}

static struct way *make_way(struct forwarder *forwarder, const struct upstream_zones *zones,
                            struct err *err)
{
    struct arena *arena = arena_new();
    struct way *way = arena == NULL ? NULL : arena_take(arena, sizeof *way);

    if (way == NULL) {
        arena_free(arena);
        err_set(err, ERR_MEMORY, "no memory for the upstreams");
        return NULL;
    }
    *way = (struct way){.forwarder = forwarder, .arena = arena};
    if (upstream_zones_copy(arena, zones, &way->zones))
        return way;
    arena_free(arena);
    err_set(err, ERR_MEMORY, "no memory for the upstreams");
    return NULL;
}

static struct way *open_way(struct forwarder *forwarder, const struct upstream_zones *zones,
                            struct standings *standings, struct err *err)
{
    struct way *way = make_way(forwarder, zones, err);

    if (way == NULL)
        return NULL;
    forward_list_servers(&way->zones, &way->servers);
    if (!open_sockets(way, err) || !open_forward(way, standings, err)) {
        close_way(way);
        return NULL;
    }
    listen_first(way, sockets_link(way->sockets));
    forward_set_time(way->forward, uv_now(forwarder->loop));
    return way;
}

/* Returns false with *err; then nobody is asked. */
static bool begin_to_ask(struct forwarder *forwarder, const struct upstream_zones *zones,
                         struct standings *standings, struct err *err)
{
    if (zones->count == 0)
        return true;
    if (forwarder->deferred == NULL)
        forwarder->deferred = deferred_new(forwarder->questions, err);
    if (forwarder->deferred == NULL)
        return false;
    forwarder->way = open_way(forwarder, zones, standings, err);
    if (forwarder->way == NULL)
        return false;
    batch_set_forward(forwarder->batch, forwarder->way->forward, forwarder->deferred);
    return true;
}

/* Its questions may be what calls, so it is closed later. */
static void retire(struct forwarder *forwarder)
{
    struct way *way = forwarder->way;

    if (way == NULL)
        return;
    way->is_retired = true;
    way->next = forwarder->retired;
    forwarder->retired = way;
    forwarder->way = NULL;
    batch_set_forward(forwarder->batch, NULL, forwarder->deferred);
}

static void close_retired(struct forwarder *forwarder)
{
    while (forwarder->retired != NULL) {
        struct way *way = forwarder->retired;
        forwarder->retired = way->next;
        if (forwarder->way != NULL)
            forward_set_time(forwarder->way->forward, uv_now(forwarder->loop));
        forward_end_all(way->forward);
        close_way(way);
    }
}

static void log_failure(const struct err *err)
{
    struct log_line line;

    log_start(&line, LOG_ERROR, "forward_failed");
    log_string(&line, "text", err->text);
    log_string(&line, "effect", "names that are not ours get SERVFAIL until a reload goes well");
    log_send(&line);
}

void forwarder_adopt(struct forwarder *forwarder, const struct upstream_zones *zones,
                     struct standings *standings)
{
    const struct upstream_zones *before = forwarder->way == NULL ? &nobody : &forwarder->way->zones;
    struct err err;

    if (zones == NULL)
        zones = &nobody;
    if (forwarder->is_stopping || upstream_zones_equal(zones, before))
        return;
    retire(forwarder);
    if (!begin_to_ask(forwarder, zones, standings, &err))
        log_failure(&err);
}

/* ---- turns and ticks ---- */

/* Its being active keeps the loop from waiting. */
static void forwarder_on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static bool is_busy(const struct forwarder *forwarder)
{
    return forwarder->way != NULL && forward_is_busy(forwarder->way->forward);
}

static void forwarder_on_tick(uv_timer_t *timer)
{
    struct forwarder *forwarder = timer->data;

    if (is_busy(forwarder)) {
        forward_set_time(forwarder->way->forward, uv_now(forwarder->loop));
        forward_tick(forwarder->way->forward);
    }
    if (!is_busy(forwarder))
        uv_timer_stop(timer);
}

static void forwarder_on_turn(uv_prepare_t *prepare)
{
    struct forwarder *forwarder = prepare->data;
    bool has_more = false;

    close_retired(forwarder);
    if (is_busy(forwarder)) {
        forward_set_time(forwarder->way->forward, uv_now(forwarder->loop));
        has_more = forward_turn(forwarder->way->forward);
    }
    if (has_more || forwarder->retired != NULL)
        uv_idle_start(&forwarder->idle, forwarder_on_idle);
    else
        uv_idle_stop(&forwarder->idle);
    if (is_busy(forwarder) && !uv_is_active((const uv_handle_t *)&forwarder->timer))
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

/* No more than there are sockets for: a client's share is one of these. */
static size_t count_questions(const struct settings *settings)
{
    size_t sockets = settings->upstream_sockets, questions = settings->upstream_questions;

    return sockets > 0 && sockets < questions ? sockets : questions;
}

bool forwarder_start(struct forwarder *forwarder, uv_loop_t *loop, struct batch *batch,
                     const struct settings *settings, struct standings *standings, struct err *err)
{
    *forwarder = (struct forwarder){
        .loop = loop,
        .batch = batch,
        .cache_octets = settings->cache_size / settings->workers,
        .questions = count_questions(settings),
        .sockets_most = settings->upstream_sockets,
        .mixes_case = settings->upstream_0x20,
    };
    start_handles(forwarder);
    return begin_to_ask(forwarder, &settings->upstream_zones, standings, err);
}

void forwarder_drain(struct forwarder *forwarder)
{
    if (forwarder->way != NULL)
        forward_drain(forwarder->way->forward);
}

bool forwarder_is_waited_for(const struct forwarder *forwarder)
{
    return forwarder->retired != NULL ||
           (forwarder->way != NULL && forward_is_waited_for(forwarder->way->forward));
}

void forwarder_stop(struct forwarder *forwarder)
{
    forwarder->is_stopping = true;
    forwarder->batch->is_stopping = true;
    close_retired(forwarder);
    if (forwarder->way != NULL) {
        /* Those who wait are still told by it: why theirs has no answer. */
        forward_end_all(forwarder->way->forward);
        batch_set_forward(forwarder->batch, NULL, forwarder->deferred);
        close_way(forwarder->way);
        forwarder->way = NULL;
    }
    uv_close((uv_handle_t *)&forwarder->prepare, NULL);
    uv_close((uv_handle_t *)&forwarder->idle, NULL);
    uv_close((uv_handle_t *)&forwarder->timer, NULL);
}

void forwarder_close(struct forwarder *forwarder)
{
    deferred_free(forwarder->deferred);
}
