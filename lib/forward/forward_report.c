#include "forward/forward_report.h"

#include "forward/forward_state.h"

/* The entry of a question, unless it has expired. */
static const struct cache_entry *peek(const struct forward *forward,
                                      const struct question *question)
{
    const struct cache_entry *entry = cache_peek(forward->cache, question, forward->now_s);
    bool counts = entry != NULL && (cache_entry_is_fresh(entry, forward->now_s) ||
                                    cache_entry_is_stale(entry, forward->now_s) ||
                                    forward_has_failed(forward, entry));

    return counts ? entry : NULL;
}

void forward_format_servers(const struct forward *forward, uint8_t route, struct text *text)
{
    format_servers(forward->routing.servers, &forward->routing.routes[route], forward->now_ms,
                   text);
}

struct cached_state forward_cached(const struct forward *forward, const struct question *question)
{
    return cached_state_of(peek(forward, question), forward->now_s);
}

enum forward_failure forward_cached_failure(const struct forward *forward,
                                            const struct question *question, const char **server)
{
    const struct cache_entry *entry = peek(forward, question);

    if (cached_state_of(entry, forward->now_s).kept != CACHED_FAILED)
        return FORWARD_NO_FAILURE;
    struct cache_failure failure = cache_entry_failure(entry);
    *server = routing_server_text(&forward->routing, failure.server);
    return failure.failure;
}

const struct resolver *forward_server(const struct forward *forward, uint8_t route, uint8_t index)
{
    const struct resolver_set *set = &forward->routing.routes[route];

    return index < set->count ? &forward->routing.servers[set->numbers[index]] : NULL;
}

struct resolver_use forward_server_use(const struct forward *forward, uint8_t route, uint8_t index)
{
    return fetch_table_use(forward->table, route, index);
}

void forward_format_cached(const struct forward *forward, const struct question *question,
                           struct text *text)
{
    const struct cache_entry *entry = peek(forward, question);
    const char *server =
        entry == NULL ? NULL
                      : routing_server_text(&forward->routing, cache_entry_failure(entry).server);
    format_entry(entry, forward->now_s, server, text);
}

struct cache_use forward_cache_use(const struct forward *forward)
{
    return cache_use(forward->cache);
}
