#include "registry/registry_state.h"

static struct call *free_call(struct registry *registry)
{
    for (size_t i = 0; i < CALLS_MOST; i++)
        if (registry->calls[i].kind == CALL_NONE)
            return &registry->calls[i];
    return NULL;
}

bool registry_call(struct registry *registry, enum call_kind kind, size_t index,
                   enum etcd_method method, struct octets message)
{
    struct call *call = free_call(registry);

    if (registry->connection == NULL)
        return false;
    if (call == NULL || (message.start == NULL && message.length > 0)) {
        follow_on_lost(&registry->follow, "out of memory for a call", registry->now_ms);
        return false;
    }
    uint32_t number = etcd_connection_call(registry->connection, method, message.start,
                                           message.length, kind == CALL_WATCH);
    if (number == 0) {
        follow_on_lost(&registry->follow,
                       etcd_connection_is_leaving(registry->connection)
                           ? "the member goes away"
                           : "out of memory for a call",
                       registry->now_ms);
        return false;
    }
    *call = (struct call){.number = number, .kind = kind, .index = index};
    return true;
}

static struct octets text_octets(const struct key_text *text)
{
    return (struct octets){.start = (const uint8_t *)text->octets, .length = text->length};
}

bool registry_call_range(struct registry *registry, enum call_kind kind, size_t index,
                         const struct range_call *range)
{
    struct arena *arena = arena_new();
    struct octets message = {.start = NULL, .length = 1};
    struct etcd_range request = {.key = text_octets(range->begin),
                                 .limit = range->limit,
                                 .revision = (int64_t)range->revision,
                                 .is_serializable = !range->is_linearizable,
                                 .keys_only = range->keys_only};

    if (range->end != NULL)
        request.end = text_octets(range->end);
    if (arena != NULL)
        message = etcd_encode_range(arena, &request);
    if (message.start == NULL)
        message.length = 1;
    bool passed = registry_call(registry, kind, index, ETCD_RANGE, message);
    arena_free(arena);
    return passed;
}

struct call *registry_find_call(struct registry *registry, uint32_t number)
{
    for (size_t i = 0; i < CALLS_MOST; i++)
        if (registry->calls[i].kind != CALL_NONE && registry->calls[i].number == number)
            return &registry->calls[i];
    return NULL;
}

void registry_cancel_calls(struct registry *registry, enum call_kind first, enum call_kind last)
{
    for (size_t i = 0; i < CALLS_MOST; i++) {
        struct call *call = &registry->calls[i];
        if (call->kind < first || call->kind > last || call->kind == CALL_NONE)
            continue;
        if (registry->connection != NULL)
            etcd_connection_cancel(registry->connection, call->number);
        *call = (struct call){.kind = CALL_NONE};
    }
}

bool registry_has_call(const struct registry *registry, enum call_kind kind)
{
    for (size_t i = 0; i < CALLS_MOST; i++)
        if (registry->calls[i].kind == kind)
            return true;
    return false;
}
