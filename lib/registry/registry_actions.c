#include "registry/registry_state.h"

static void open_connection(struct registry *registry, size_t endpoint)
{
    registry->port.open(registry->port.context, registry->endpoints[endpoint]);
}

static void ask_login(struct registry *registry)
{
    struct arena *arena = arena_new();
    struct octets message = {.start = NULL, .length = 1};

    if (arena != NULL)
        message = etcd_encode_authenticate(arena, registry->user,
                                           registry->password == NULL ? "" : registry->password);
    if (message.start == NULL)
        message.length = 1;
    etcd_connection_set_token(registry->connection, NULL);
    registry_call(registry, CALL_LOGIN, 0, ETCD_AUTHENTICATE, message);
    arena_free(arena);
}

static void ask_greeting(struct registry *registry, bool is_alone)
{
    struct key_text meta;

    registry_cancel_calls(registry, CALL_META, CALL_STATUS);
    keys_write(&registry->keys, KEY_META, "", &meta);
    if (registry_call_range(registry, CALL_META, 0,
                            &(struct range_call){.begin = &meta, .is_linearizable = !is_alone}))
        registry_call(registry, CALL_STATUS, 0, ETCD_STATUS, etcd_encode_nothing());
}

static void ask_watch(struct registry *registry, uint64_t revision)
{
    struct arena *arena = arena_new();
    struct octets message = {.start = NULL, .length = 1};
    struct key_range all;

    keys_range_all(&registry->keys, &all);
    struct etcd_watch watch = {
        .key = octets_of(all.begin.octets),
        .end = octets_of(all.end.octets),
        .start_revision = (int64_t)revision,
        .wants_progress = true,
    };
    if (arena != NULL)
        message = etcd_encode_watch(arena, &watch);
    if (message.start == NULL)
        message.length = 1;
    registry_cancel_calls(registry, CALL_WATCH, CALL_WATCH);
    registry_call(registry, CALL_WATCH, 0, ETCD_WATCH, message);
    arena_free(arena);
}

static void do_action(struct registry *registry, const struct follow_action *action)
{
    switch (action->kind) {
    case FOLLOW_OPEN:
        open_connection(registry, (size_t)action->number);
        break;
    case FOLLOW_CLOSE:
        registry->port.close(registry->port.context);
        registry_close_connection(registry);
        break;
    case FOLLOW_LOGIN:
        ask_login(registry);
        break;
    case FOLLOW_GREET:
        ask_greeting(registry, action->is_alone);
        break;
    case FOLLOW_READ:
        registry_begin_read(registry, action->number, action->distrusts);
        break;
    case FOLLOW_WATCH:
        ask_watch(registry, action->number);
        break;
    case FOLLOW_STOP:
        registry_cancel_calls(registry, CALL_WATCH, CALL_WATCH);
        registry_stop_read(registry);
        registry_stop_audit(registry);
        break;
    case FOLLOW_PING:
        etcd_connection_ping(registry->connection);
        break;
    case FOLLOW_NOTIFY:
        registry_notify_text(registry, action->event, action->is_problem, action->text);
        break;
    }
}

/* Ends every call from outside: what was decided is done, what waits is sent. */
void registry_act(struct registry *registry)
{
    struct follow_action action;

    while (follow_take(&registry->follow, &action))
        do_action(registry, &action);
    if (registry->connection != NULL && etcd_connection_output(registry->connection).length > 0)
        registry->port.send(registry->port.context);
}
