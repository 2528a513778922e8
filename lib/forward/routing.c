#include "forward/routing.h"

#include <assert.h>

#include "forward/server_list.h"

static bool set_route(struct resolver_set *route, const struct server_list *servers,
                      const struct upstream_zone *zone, struct err *err)
{
    for (size_t i = 0; i < zone->upstreams.count; i++) {
        size_t number = server_list_find(servers, &zone->upstreams.items[i]);
        if (number == servers->count || route->count == UPSTREAMS_MOST)
            return err_set(err, ERR_LIMIT,
                           "too many upstreams: %d for one zone and %d in all are the most",
                           UPSTREAMS_MOST, RESOLVERS_MOST);
        route->numbers[route->count++] = (uint8_t)number;
    }
    return true;
}

static bool is_asked_for_all(const struct routing *routing, const struct upstream_zones *zones,
                             uint8_t server)
{
    for (size_t i = 0; i < zones->count; i++)
        for (uint8_t index = 0; index < routing->routes[i].count; index++)
            if (zones->items[i].label_count == 0 && routing->routes[i].numbers[index] == server)
                return true;
    return false;
}

/* A server that is asked for one zone only may know no other; the root's is probed for the root. */
static void set_probes(struct routing *routing, const struct upstream_zones *zones)
{
    for (size_t i = 0; i < zones->count; i++) {
        const struct resolver_set *route = &routing->routes[i];
        struct name zone;
        if (zones->items[i].label_count == 0 || !name_from_text(zones->items[i].zone, &zone))
            continue;
        for (uint8_t index = 0; index < route->count; index++)
            if (!is_asked_for_all(routing, zones, route->numbers[index]))
                resolver_set_probe_zone(&routing->servers[route->numbers[index]], &zone);
    }
}

bool routing_init(struct routing *routing, const struct upstream_zones *zones,
                  const struct standings *standings, struct err *err)
{
    struct server_list servers;

    if (zones->count > UPSTREAM_ZONES_MOST)
        return err_set(err, ERR_LIMIT, "%d zones of upstreams are the most", UPSTREAM_ZONES_MOST);
    server_list_fill(&servers, zones);
    for (size_t i = 0; i < zones->count; i++)
        if (!set_route(&routing->routes[i], &servers, &zones->items[i], err))
            return false;
    assert(servers.count == standings->count);
    for (size_t number = 0; number < servers.count; number++)
        resolver_init(&routing->servers[number], servers.items[number], standings->items[number]);
    set_probes(routing, zones);
    return true;
}

bool routing_is_failing(const struct routing *routing, uint8_t route)
{
    return resolver_set_is_failing(routing->servers, &routing->routes[route]);
}

const char *routing_server_text(const struct routing *routing, uint8_t server)
{
    return server == RESOLVER_NONE ? NULL : routing->servers[server].upstream->text;
}
