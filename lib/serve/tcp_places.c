#include "serve/tcp_places.h"

#include <assert.h>

#include "serve/tcp_connection.h"

static enum tcp_kind kind_of(const struct tcp_connection *connection)
{
    return connection->places == &connection->tcp->places[TCP_OUTSIDERS] ? TCP_OUTSIDERS
                                                                         : TCP_INSIDERS;
}

/* The connections of the client's row: its own, and of few others. */
static uint32_t *row_of(struct tcp_connection *connection)
{
    const struct hash_key *key = &connection->tcp->key;
    uint64_t hash = hash_mix(connection->network ^ key->first, key->second);

    return &connection->places->of_clients[hash % TCP_CLIENT_ROWS];
}

void tcp_places_take(struct tcp_connection *connection)
{
    TAILQ_INSERT_TAIL(&connection->places->by_activity, connection, link);
    connection->places->count++;
    connection->tcp->open_count++;
    ++*row_of(connection);
    assert(connection->tcp->open_count <= connection->tcp->pool_count);
}

void tcp_places_leave(struct tcp_connection *connection)
{
    uint32_t *row = row_of(connection);

    assert(connection->tcp->open_count > 0 && connection->places->count > 0 && *row > 0);
    TAILQ_REMOVE(&connection->places->by_activity, connection, link);
    connection->places->count--;
    connection->tcp->open_count--;
    --*row;
}

void tcp_places_touch(struct tcp_connection *connection)
{
    struct tcp_places *places = connection->places;

    connection->active_ms = uv_now(connection->tcp->loop);
    if (TAILQ_NEXT(connection, link) == NULL)
        return;
    TAILQ_REMOVE(&places->by_activity, connection, link);
    TAILQ_INSERT_TAIL(&places->by_activity, connection, link);
}

/* Chooses the next, older one, unless that would lose a late reply and the chosen one would not. */
static void prefer(struct tcp_connection **chosen, struct tcp_connection *next)
{
    if (*chosen == NULL || next->awaited == 0 || (*chosen)->awaited > 0)
        *chosen = next;
}

/* The connection to evict of the clients with the most; NULL: there is none. */
static struct tcp_connection *find_crowding(const struct tcp_places *places)
{
    struct tcp_connection *chosen = NULL, *each;
    uint32_t most = 0;

    TAILQ_FOREACH(each, &places->by_activity, link)
    most = *row_of(each) > most ? *row_of(each) : most;
    TAILQ_FOREACH_REVERSE(each, &places->by_activity, tcp_connections, link)
    if (*row_of(each) == most)
        prefer(&chosen, each);
    return chosen;
}

/* The connection to evict of the incoming one's client; NULL: it may have more. */
static struct tcp_connection *find_own(const struct tcp *tcp, struct tcp_connection *incoming)
{
    struct tcp_connection *chosen = NULL, *each;
    uint32_t count = 0;

    if (*row_of(incoming) < tcp->limits.per_client)
        return NULL;
    TAILQ_FOREACH_REVERSE(each, &incoming->places->by_activity, tcp_connections, link)
    {
        if (each->network != incoming->network)
            continue;
        prefer(&chosen, each);
        count++;
    }
    return count < tcp->limits.per_client ? NULL : chosen;
}

static bool is_full(const struct tcp *tcp, struct tcp_connection *incoming)
{
    return incoming->places->count >= tcp->limits.connections[kind_of(incoming)] ||
           find_own(tcp, incoming) != NULL;
}

bool tcp_places_make_room(struct tcp_connection *incoming)
{
    struct tcp *tcp = incoming->tcp;

    if (!is_full(tcp, incoming))
        return true;
    tcp_answer_lone_queries(tcp); /* no connection is closed with a query that was read */
    if (!is_full(tcp, incoming))
        return true;
    struct tcp_connection *evicted = find_own(tcp, incoming);
    if (evicted == NULL)
        evicted = find_crowding(incoming->places);
    if (evicted == NULL)
        return false;
    tcp_drop(evicted, COUNTER_TCP_EVICTED);
    return true;
}

bool tcp_places_free_one(struct tcp *tcp)
{
    struct tcp_connection *evicted = find_crowding(&tcp->places[TCP_OUTSIDERS]);

    if (evicted == NULL)
        evicted = find_crowding(&tcp->places[TCP_INSIDERS]);
    if (evicted == NULL)
        return false;
    tcp_drop(evicted, COUNTER_TCP_EVICTED);
    return true;
}
