#include "registry/registry_state.h"

/* ---- responses ---- */

static void on_login(struct registry *registry, const uint8_t *octets, size_t length,
                     struct arena *arena)
{
    struct etcd_authenticate_response response;
    struct err err;

    if (!etcd_decode_authenticate(arena, octets, length, &response, &err) ||
        !etcd_connection_set_token(registry->connection, response.token))
        follow_on_lost(&registry->follow, "its login cannot be read", registry->now_ms);
}

static void on_range(struct registry *registry, const struct call *call,
                     const struct etcd_range_response *response, struct arena **arena)
{
    if (call->kind != CALL_META &&
        !follow_on_header(&registry->follow, &response->header, registry->now_ms))
        return;
    switch (call->kind) {
    case CALL_META:
        registry_on_meta(registry, response);
        break;
    case CALL_PAGE:
        registry_on_page(registry, response);
        break;
    case CALL_DYNOS:
        registry_on_dynos(registry, call->index, response);
        break;
    case CALL_AUDIT_DOCUMENT:
        registry_on_audit_document(registry, response, arena);
        break;
    case CALL_AUDIT_NAMES:
        registry_on_audit_names(registry, response);
        break;
    case CALL_AUDIT_DYNOS:
        registry_on_audit_dynos(registry, response);
        break;
    case CALL_MISSING:
        registry_on_missing(registry, response);
        break;
    case CALL_NONE:
    case CALL_LOGIN:
    case CALL_STATUS:
    case CALL_WATCH:
    case CALL_LEASE:
    case CALL_KEEP:
    case CALL_ANNOUNCE:
        break; /* not answered by a range */
    }
}

static void note_beat(struct registry *registry, uint64_t before)
{
    const struct mirror *mirror = &registry->mirror;

    if (mirror->beat_revision == before)
        return;
    registry->beat_ms = registry->now_ms;
    registry->lag_ms = -1;
    if (mirror->beat_at_ms == 0)
        return; /* its writer's clock is not in it */
    int64_t lag_ms = registry->port.wall_ms(registry->port.context) - (int64_t)mirror->beat_at_ms;
    registry->lag_ms = lag_ms < 0 ? 0 : lag_ms;
}

static void apply_events(struct registry *registry, const struct etcd_event *events, size_t count)
{
    struct mirror *mirror = &registry->mirror;
    uint64_t beat = mirror->beat_revision;

    for (size_t i = 0; i < count; i++) {
        const struct etcd_event *event = &events[i];
        if (event->is_delete)
            mirror_delete(mirror, event->pair.key, (uint64_t)event->pair.mod_revision);
        else
            mirror_put(mirror, &event->pair);
    }
    registry_look_for_meta(registry, events, count);
    registry->events += count;
    note_beat(registry, beat);
    registry_finish(registry);
}

static void on_watch(struct registry *registry, const struct etcd_watch_response *response)
{
    size_t first = 0;

    registry->responses++;
    registry->word_ms = registry->now_ms;
    if (!registry_loses_meta(registry, response) &&
        follow_on_watch(&registry->follow, response, &first, registry->now_ms))
        apply_events(registry, response->events + first, response->count - first);
}

static bool take_range(struct registry *registry, const struct call *call, const uint8_t *octets,
                       size_t length, struct arena **arena)
{
    struct etcd_range_response response;
    struct err err;

    if (!etcd_decode_range(*arena, octets, length, &response, &err))
        return false;
    on_range(registry, call, &response, arena);
    return true;
}

static bool take_watch(struct registry *registry, const uint8_t *octets, size_t length,
                       struct arena *arena)
{
    struct etcd_watch_response response;
    struct err err;

    if (!etcd_decode_watch(arena, octets, length, &response, &err))
        return false;
    on_watch(registry, &response);
    return true;
}

static bool take_status(struct registry *registry, const uint8_t *octets, size_t length,
                        struct arena *arena)
{
    struct etcd_status_response response;
    struct err err;

    if (etcd_decode_status(arena, octets, length, &response, &err))
        follow_on_version(&registry->follow, response.version);
    return true;
}

static bool take_lease(struct registry *registry, const uint8_t *octets, size_t length,
                       struct arena *arena)
{
    struct etcd_lease_response response;
    struct err err;

    if (etcd_decode_lease(arena, octets, length, &response, &err))
        registry_on_lease(registry, &response);
    return true;
}

static bool take_message(struct registry *registry, const struct call *call, const uint8_t *octets,
                         size_t length, struct arena **arena)
{
    switch (call->kind) {
    case CALL_NONE:
    case CALL_ANNOUNCE:
        return true;
    case CALL_LOGIN:
        on_login(registry, octets, length, *arena);
        return true;
    case CALL_STATUS:
        return take_status(registry, octets, length, *arena);
    case CALL_WATCH:
        return take_watch(registry, octets, length, *arena);
    case CALL_LEASE:
    case CALL_KEEP:
        return take_lease(registry, octets, length, *arena);
    case CALL_META:
    case CALL_PAGE:
    case CALL_DYNOS:
    case CALL_AUDIT_DOCUMENT:
    case CALL_AUDIT_NAMES:
    case CALL_AUDIT_DYNOS:
    case CALL_MISSING:
        return take_range(registry, call, octets, length, arena);
    }
    return false;
}

static bool is_stream(enum call_kind kind)
{
    return kind == CALL_WATCH || kind == CALL_KEEP;
}

static void on_message(void *context, uint32_t number, const uint8_t *octets, size_t length)
{
    struct registry *registry = context;
    struct call *found = registry_find_call(registry, number);
    struct arena *arena = found == NULL ? NULL : arena_new();

    if (found == NULL || registry->follow.state == FOLLOW_DOWN) {
        arena_free(arena);
        return;
    }
    struct call call = *found; /* its slot may be another call's after this */
    found->is_answered = true;
    if (call.is_answered && !is_stream(call.kind))
        follow_on_lost(&registry->follow, "it sent two responses to one call", registry->now_ms);
    else if (arena == NULL || !take_message(registry, &call, octets, length, &arena))
        follow_on_lost(&registry->follow, "a response of it cannot be read", registry->now_ms);
    arena_free(arena);
}

/* ---- ends of calls ---- */

static bool is_own_call(enum call_kind kind)
{
    return kind == CALL_LEASE || kind == CALL_KEEP || kind == CALL_ANNOUNCE;
}

/* Many calls of a read fail at once when a token runs out or history is compacted: the first is
 * acted upon, and the others were asked for before that. */
static bool is_over(const struct registry *registry, enum call_kind kind)
{
    enum follow_state state = registry->follow.state;

    return (state == FOLLOW_LOGGING_IN && kind != CALL_LOGIN) ||
           (state == FOLLOW_GREETING && kind != CALL_META);
}

static void on_call_failure(struct registry *registry, enum call_kind kind, enum etcd_status status,
                            const char *text)
{
    if (is_own_call(kind))
        registry_on_announce_failure(registry, status, text);
    else if (kind >= CALL_AUDIT_DOCUMENT && kind <= CALL_AUDIT_DYNOS)
        registry_stop_audit(registry);
    else if (kind != CALL_STATUS && kind != CALL_MISSING && !is_over(registry, kind))
        follow_on_failure(&registry->follow, status, text, registry->now_ms);
}

static void on_end(void *context, uint32_t number, enum etcd_status status, const char *text)
{
    struct registry *registry = context;
    struct call *found = registry_find_call(registry, number);

    if (found == NULL)
        return;
    enum call_kind kind = found->kind;
    bool is_answered = found->is_answered || is_stream(kind);
    *found = (struct call){.kind = CALL_NONE};
    if (registry->follow.state == FOLLOW_DOWN)
        return;
    if (status == ETCD_OK && !is_answered)
        on_call_failure(registry, kind, ETCD_UNKNOWN, "a call was ended without a response");
    else if (status != ETCD_OK)
        on_call_failure(registry, kind, status, text);
    else if (kind == CALL_LOGIN)
        follow_on_token(&registry->follow, registry->now_ms);
    else if (kind == CALL_WATCH)
        follow_on_lost(&registry->follow, "it has ended the watch", registry->now_ms);
}

static void on_ready(void *context)
{
    struct registry *registry = context;

    follow_on_ready(&registry->follow, registry->now_ms);
}

static void on_pong(void *context)
{
    struct registry *registry = context;

    follow_on_pong(&registry->follow, registry->now_ms);
}

/* ---- the connection ---- */

bool registry_make_connection(struct registry *registry, struct err *err)
{
    const char *endpoint = registry->endpoints[registry->follow.endpoint];

    if (!registry_endpoint_read(endpoint, &registry->endpoint, err))
        return false;
    registry->connection =
        etcd_connection_new(&(struct etcd_connection_options){.trust = registry->options.trust,
                                                              .host = registry->endpoint.host,
                                                              .port = registry->endpoint.port,
                                                              .wants_leader = true},
                            &(struct etcd_listener){.on_ready = on_ready,
                                                    .on_message = on_message,
                                                    .on_end = on_end,
                                                    .on_pong = on_pong,
                                                    .context = registry},
                            err);
    return registry->connection != NULL;
}
