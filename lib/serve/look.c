#include "serve/look.h"

#include <string.h>

#include "serve/chain.h"

enum { US_PER_MS = 1000 };

void look_ask(struct look *look, const struct look_request *request, uint64_t number)
{
    look->request = *request;
    look->number = number;
    atomic_store_explicit(&look->is_asked, true, memory_order_release);
}

bool look_is_told(const struct look *look)
{
    return !atomic_load_explicit(&look->is_asked, memory_order_acquire);
}

static bool is_same(const struct look_server *server, const char *text)
{
    return strncmp(server->text, text, sizeof server->text - 1) == 0;
}

/* The place of a server, which is kept once however many routes name it; NULL without room. */
static struct look_server *place_of(struct look *look, const char *text)
{
    size_t number = 0;

    while (number < look->server_count && !is_same(&look->servers[number], text))
        number++;
    if (number == look->server_count) {
        if (number == RESOLVERS_MOST)
            return NULL;
        struct look_server *fresh = &look->servers[look->server_count++];
        *fresh = (struct look_server){.routes = 0};
        strncpy(fresh->text, text, sizeof fresh->text - 1);
    }
    return &look->servers[number];
}

static void tell_server(struct look *look, size_t route, const struct resolver *resolver)
{
    struct look_server *server = place_of(look, resolver->upstream->text);

    if (server == NULL)
        return;
    server->routes |= UINT64_C(1) << route;
    server->state = tell_state(resolver);
    server->has_rtt = resolver->has_rtt;
    server->rtt_ms = resolver->srtt_us / US_PER_MS;
}

static void tell_servers_of_all(struct look *look, const struct forward *forward)
{
    look->server_count = 0;
    for (size_t route = 0; route < UPSTREAM_ZONES_MOST; route++)
        for (size_t place = 0; place < UPSTREAMS_MOST; place++) {
            const struct resolver *resolver =
                forward_server(forward, (uint8_t)route, (uint8_t)place);
            if (resolver == NULL)
                break;
            tell_server(look, route, resolver);
        }
}

/* Goes to the last name that upstreams are asked for, on the way that the look's hops lead. */
static void go_to_forwarded(const struct look *look, const struct snapshot *snapshot,
                            const struct client *client, struct query *query, uint64_t *hash,
                            struct verdict *verdict)
{
    struct alias_hops hops = look->hops;

    do {
        *query = look->request.query;
        *hash = index_hash(&snapshot->index, &query->name);
        decide(snapshot, client, query, *hash, verdict);
        alias_resolve(snapshot, client, &hops, query, hash, verdict);
    } while (verdict->situation != SITUATION_FORWARD && hops.count-- > 0);
}

static void tell_query(struct look *look, const struct snapshot *snapshot,
                       const struct forward *forward)
{
    struct query query;
    struct verdict verdict;
    struct client client;
    uint64_t hash;

    client_classify(snapshot, &look->request.path, &client);
    chain_list_hops(snapshot, &client, forward, &look->request.query, &look->hops);
    go_to_forwarded(look, snapshot, &client, &query, &hash, &verdict);
    look->is_forwarded = verdict.situation == SITUATION_FORWARD;
    if (!look->is_forwarded)
        return;
    struct question question = question_of(&query, hash);
    struct text upstreams = text_over(look->upstreams, sizeof look->upstreams - 1);
    struct text cached = text_over(look->cached, sizeof look->cached - 1);
    forward_tell_servers(forward, verdict.route, &upstreams);
    forward_tell_cached(forward, &question, &cached);
    *upstreams.next = '\0';
    *cached.next = '\0';
    look->kept = forward_kept(forward, &question);
    look->route = verdict.route;
    look->is_withheld = chain_is_withheld(snapshot, forward, &query, hash, &verdict);
}

void look_answer(struct look *look, const struct snapshot *snapshot, const struct forward *forward)
{
    look->generation = snapshot == NULL ? 0 : snapshot->generation;
    look->has_forward = forward != NULL;
    look->is_forwarded = false;
    look->hops.count = 0;
    look->server_count = 0;
    look->cache = (struct cache_use){0};
    if (forward != NULL) {
        look->cache = forward_cache_use(forward);
        tell_servers_of_all(look, forward);
    }
    if (forward != NULL && snapshot != NULL && look->request.has_query)
        tell_query(look, snapshot, forward);
    atomic_store_explicit(&look->is_asked, false, memory_order_release);
}
