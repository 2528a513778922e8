#include "serve/forwarder.h"

#include "base/arena.h"
#include "base/log.h"
#include "forward/server_list.h"

enum { TURNS_MOST = 8 }; /* of forward_turn, before the loop goes on */

/* Allocated in its own arena. */
struct upstream_set {
    struct forwarder *forwarder;
    struct arena *arena;
    struct upstream_zones zones;
    struct server_list servers;
    struct sockets *sockets;
    struct forward *forward;
    const struct standings *standings; /* as they were given, and held by `forward`; may be NULL */
    struct link_listener inner; /* the forwarder's own listener, called once the time is set */
    bool is_retired;
    struct upstream_set *next; /* retired before this one */
};

static const struct upstream_zones no_zones;

/* ---- responses ---- */

static void upstream_set_on_response(void *context, link_ticket ticket, const uint8_t *octets,
                                     size_t length)
{
    struct upstream_set *upstreams = context;

    forward_set_time(upstreams->forward, uv_now(upstreams->forwarder->loop));
    upstreams->inner.on_response(upstreams->inner.context, ticket, octets, length);
}

static void upstream_set_on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    struct upstream_set *upstreams = context;

    forward_set_time(upstreams->forward, uv_now(upstreams->forwarder->loop));
    upstreams->inner.on_failure(upstreams->inner.context, ticket, failure);
}

/* Before the upstreams in use are: they may rest. */
static void set_time(const struct forwarder *forwarder)
{
    if (forwarder->upstreams != NULL)
        forward_set_time(forwarder->upstreams->forward, uv_now(forwarder->loop));
}

/* Those of one turn leave together. */
static void send_late(const struct forwarder *forwarder)
{
    if (forwarder->owner.send_late != NULL)
        forwarder->owner.send_late(forwarder->owner.context);
}

/* A snapshot that is adopted meanwhile retires the upstream set. */
static void serve_clients(const struct forwarder *forwarder)
{
    if (forwarder->owner.serve_clients != NULL)
        forwarder->owner.serve_clients(forwarder->owner.context);
}

static void upstream_set_on_rest(void *context, bool is_last)
{
    const struct upstream_set *upstreams = context;

    if (is_last)
        send_late(upstreams->forwarder);
    else
        serve_clients(upstreams->forwarder);
}

static void interpose_listener(struct upstream_set *upstreams, struct link *link)
{
    upstreams->inner = link->listener;
    link->listener = (struct link_listener){.on_response = upstream_set_on_response,
                                            .on_failure = upstream_set_on_failure,
                                            .on_rest = upstream_set_on_rest,
                                            .context = upstreams};
}

/* An answer of an upstream set that is retired is discarded; what takes its place may be kept. */
static void upstream_set_on_result(void *context, struct waiter *waiters,
                                   const struct forward_result *found)
{
    const struct upstream_set *upstreams = context;
    struct batch *batch = upstreams->forwarder->batch;

    if (!upstreams->forwarder->is_stopping)
        batch_adopt(batch);
    if (!upstreams->is_retired) {
        batch_on_result(batch, waiters, found);
        return;
    }
    set_time(upstreams->forwarder);
    batch_decide_again(batch, waiters);
}

/* ---- upstream sets ---- */

static bool open_sockets(struct upstream_set *upstreams, struct err *err)
{
    const struct forwarder *forwarder = upstreams->forwarder;
    const struct sockets_options options = {
        .loop = forwarder->loop,
        .servers = upstreams->servers.items,
        .server_count = upstreams->servers.count,
        .attempts = fetch_tickets(forwarder->questions),
        .sockets_most = forwarder->sockets_most,
        .uses_any_port = forwarder->uses_any_port,
        .stats = forwarder->batch->stats,
    };

    upstreams->sockets = sockets_new(&options, err);
    return upstreams->sockets != NULL;
}

static bool open_forward(struct upstream_set *upstreams, struct standings *standings,
                         struct err *err)
{
    const struct forwarder *forwarder = upstreams->forwarder;
    const struct forward_options options = {
        .zones = &upstreams->zones,
        .cache_octets = forwarder->cache_octets,
        .questions = forwarder->questions,
        .mixes_case = forwarder->mixes_case,
        .stats = forwarder->batch->stats,
        .standings = standings,
        .link = sockets_link(upstreams->sockets),
        .on_result = upstream_set_on_result,
        .context = upstreams,
    };

    upstreams->standings = standings;
    upstreams->forward = forward_new(&options, err);
    return upstreams->forward != NULL;
}

static void close_upstream_set(struct upstream_set *upstreams)
{
    if (upstreams == NULL)
        return;
    forward_free(upstreams->forward);
    sockets_free(upstreams->sockets);
    arena_free(upstreams->arena);
}

static struct upstream_set *make_upstream_set(struct forwarder *forwarder,
                                              const struct upstream_zones *zones, struct err *err)
{
    struct arena *arena = arena_new();
    struct upstream_set *upstreams = arena == NULL ? NULL : arena_take(arena, sizeof *upstreams);

    if (upstreams == NULL) {
        arena_free(arena);
        err_set(err, ERR_MEMORY, "no memory for the upstreams");
        return NULL;
    }
    *upstreams = (struct upstream_set){.forwarder = forwarder, .arena = arena};
    if (upstream_zones_copy(arena, zones, &upstreams->zones))
        return upstreams;
    arena_free(arena);
    err_set(err, ERR_MEMORY, "no memory for the upstreams");
    return NULL;
}

static struct upstream_set *open_upstream_set(struct forwarder *forwarder,
                                              const struct upstream_zones *zones,
                                              struct standings *standings, struct err *err)
{
    struct upstream_set *upstreams = make_upstream_set(forwarder, zones, err);

    if (upstreams == NULL)
        return NULL;
    server_list_fill(&upstreams->servers, &upstreams->zones);
    if (!open_sockets(upstreams, err) || !open_forward(upstreams, standings, err)) {
        close_upstream_set(upstreams);
        return NULL;
    }
    interpose_listener(upstreams, sockets_link(upstreams->sockets));
    forward_set_time(upstreams->forward, uv_now(forwarder->loop));
    return upstreams;
}

/* Returns false with *err; then nothing is forwarded. */
static bool start_forwarding(struct forwarder *forwarder, const struct upstream_zones *zones,
                             struct standings *standings, struct err *err)
{
    if (zones->count == 0)
        return true;
    if (forwarder->deferred == NULL)
        forwarder->deferred = deferred_new(forwarder->questions, err);
    if (forwarder->deferred == NULL)
        return false;
    forwarder->upstreams = open_upstream_set(forwarder, zones, standings, err);
    if (forwarder->upstreams == NULL)
        return false;
    batch_set_forward(forwarder->batch, forwarder->upstreams->forward, forwarder->deferred);
    return true;
}

/* The caller may be one of its questions, so it is closed later. */
static void retire(struct forwarder *forwarder)
{
    struct upstream_set *upstreams = forwarder->upstreams;

    if (upstreams == NULL)
        return;
    upstreams->is_retired = true;
    upstreams->next = forwarder->retired;
    forwarder->retired = upstreams;
    forwarder->upstreams = NULL;
    batch_set_forward(forwarder->batch, NULL, forwarder->deferred);
}

static void close_retired(struct forwarder *forwarder)
{
    while (forwarder->retired != NULL) {
        struct upstream_set *upstreams = forwarder->retired;
        forwarder->retired = upstreams->next;
        forward_end_all(upstreams->forward);
        close_upstream_set(upstreams);
    }
}

static void log_failure(const struct err *err)
{
    struct log_line line;

    log_start(&line, LOG_ERROR, "forward_failed");
    log_string(&line, "text", err->text);
    log_string(&line, "effect", "names outside the spaces get SERVFAIL until a reload succeeds");
    log_send(&line);
}

/* Of snapshots in between, the worker may have seen none: the same zones, and a new cache. */
static bool is_in_use(const struct forwarder *forwarder, const struct upstream_zones *zones,
                      const struct standings *standings)
{
    const struct upstream_set *upstreams = forwarder->upstreams;

    if (upstreams == NULL)
        return zones->count == 0;
    return upstream_zones_equal(zones, &upstreams->zones) &&
           (standings == NULL || standings == upstreams->standings);
}

void forwarder_adopt(struct forwarder *forwarder, const struct upstream_zones *zones,
                     struct standings *standings)
{
    struct err err;

    if (zones == NULL)
        zones = &no_zones;
    if (forwarder->is_stopping || is_in_use(forwarder, zones, standings))
        return;
    retire(forwarder);
    if (!start_forwarding(forwarder, zones, standings, &err))
        log_failure(&err);
}

/* ---- turns and ticks ---- */

/* An active idle handle keeps the loop from waiting. */
static void forwarder_on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static bool is_busy(const struct forwarder *forwarder)
{
    return forwarder->upstreams != NULL && forward_is_busy(forwarder->upstreams->forward);
}

static void forwarder_on_tick(uv_timer_t *timer)
{
    struct forwarder *forwarder = timer->data;

    if (is_busy(forwarder)) {
        set_time(forwarder);
        forward_tick(forwarder->upstreams->forward);
    }
    if (!is_busy(forwarder))
        uv_timer_stop(timer);
}

/* Sends what is queued, a few at a time. Returns true when more is queued. */
static bool send_queued(struct forwarder *forwarder)
{
    for (unsigned turns = 1; is_busy(forwarder); turns++) {
        set_time(forwarder);
        if (!forward_turn(forwarder->upstreams->forward))
            return false;
        if (turns == TURNS_MOST)
            return true;
        serve_clients(forwarder);
    }
    return false;
}

/* Whatever comes next begins with forward_set_time. Those retired since are closed next time. */
static void rest(const struct forwarder *forwarder)
{
    if (forwarder->upstreams != NULL)
        forward_rest(forwarder->upstreams->forward);
    for (struct upstream_set *each = forwarder->retired; each != NULL; each = each->next)
        forward_rest(each->forward);
}

static void forwarder_on_turn(uv_prepare_t *prepare)
{
    struct forwarder *forwarder = prepare->data;

    close_retired(forwarder);
    bool has_more = send_queued(forwarder);
    send_late(forwarder); /* what ticks, failures and closed sets have brought */
    if (has_more || forwarder->retired != NULL)
        uv_idle_start(&forwarder->idle, forwarder_on_idle);
    else
        uv_idle_stop(&forwarder->idle);
    if (is_busy(forwarder) && !uv_is_active((const uv_handle_t *)&forwarder->timer))
        uv_timer_start(&forwarder->timer, forwarder_on_tick, FETCH_TICK_MS, FETCH_TICK_MS);
    rest(forwarder);
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

/* At most one question per socket; a client's share is a part of these. */
static size_t count_questions(const struct settings *settings)
{
    size_t sockets = settings->upstream_sockets, questions = settings->upstream_questions;

    return sockets > 0 && sockets < questions ? sockets : questions;
}

static size_t part_of_cache(const struct settings *settings)
{
    size_t part = settings->cache_size / settings->workers;

    return part > CACHE_OCTETS_LEAST ? part : CACHE_OCTETS_LEAST;
}

bool forwarder_start(struct forwarder *forwarder, uv_loop_t *loop, struct batch *batch,
                     const struct settings *settings, struct standings *standings, struct err *err)
{
    *forwarder = (struct forwarder){
        .loop = loop,
        .batch = batch,
        .cache_octets = part_of_cache(settings),
        .questions = count_questions(settings),
        .sockets_most = settings->upstream_sockets,
        .uses_any_port = settings->upstream_ports == UPSTREAM_PORTS_ANY,
        .mixes_case = settings->upstream_0x20,
    };
    start_handles(forwarder);
    return start_forwarding(forwarder, &settings->upstream_zones, standings, err);
}

void forwarder_drain(struct forwarder *forwarder)
{
    if (forwarder->upstreams != NULL)
        forward_drain(forwarder->upstreams->forward);
}

bool forwarder_has_waiters(const struct forwarder *forwarder)
{
    return forwarder->retired != NULL ||
           (forwarder->upstreams != NULL && forward_has_waiters(forwarder->upstreams->forward));
}

void forwarder_stop(struct forwarder *forwarder)
{
    forwarder->is_stopping = true;
    forwarder->batch->is_stopping = true;
    close_retired(forwarder);
    if (forwarder->upstreams != NULL) {
        /* Waiting clients still get their reply through it, with the reason. */
        forward_end_all(forwarder->upstreams->forward);
        batch_set_forward(forwarder->batch, NULL, forwarder->deferred);
        close_upstream_set(forwarder->upstreams);
        forwarder->upstreams = NULL;
    }
    send_late(forwarder);
    uv_close((uv_handle_t *)&forwarder->prepare, NULL);
    uv_close((uv_handle_t *)&forwarder->idle, NULL);
    uv_close((uv_handle_t *)&forwarder->timer, NULL);
}

void forwarder_close(struct forwarder *forwarder)
{
    deferred_free(forwarder->deferred);
}
