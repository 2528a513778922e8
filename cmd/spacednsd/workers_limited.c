#include "spacednsd/workers_limited.h"

#include <stdlib.h>

#include "respond/limits.h"

_Static_assert((int)EXPLAIN_WHO_OCTETS == (int)LIMITS_WHO_OCTETS, "the same text");

/* Adds what another worker has counted of the same client or network. */
static void add(struct limited_one *sum, const struct limited_one *one)
{
    sum->requests += one->requests;
    if (one->since_s > sum->since_s)
        sum->since_s = one->since_s;
    if (one->ago_s < sum->ago_s)
        sum->ago_s = one->ago_s;
}

/* ---- status ---- */

/* Whom all workers have listed, first with repetitions. */
struct gathered {
    struct limited_one *items;
    size_t count;
    bool has_more;
};

static const struct limited_list *list_of(const struct server *server, size_t worker,
                                          bool are_clients)
{
    const struct worker_report *report = server_worker_report(server, worker);

    if (report == NULL)
        return NULL;
    return are_clients ? &report->clients : &report->networks;
}

static bool gather(const struct server *server, bool are_clients, struct arena *arena,
                   struct gathered *gathered)
{
    size_t workers = server_worker_count(server), most = 0;

    for (size_t i = 0; i < workers; i++) {
        const struct limited_list *list = list_of(server, i, are_clients);
        most += list == NULL ? 0 : list->count;
    }
    *gathered = (struct gathered){.items = arena_take(arena, most * sizeof *gathered->items)};
    if (gathered->items == NULL)
        return false;
    for (size_t i = 0; i < workers; i++) {
        const struct limited_list *list = list_of(server, i, are_clients);
        for (size_t j = 0; list != NULL && j < list->count; j++)
            gathered->items[gathered->count++] = list->items[j];
        gathered->has_more |= list != NULL && list->has_more;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t first = ((const struct limited_one *)a)->who;
    uint64_t second = ((const struct limited_one *)b)->who;

    return (first > second) - (first < second);
}

/* Leaves each client or network once. */
static void merge(struct gathered *gathered)
{
    size_t kept = 0;

    if (gathered->count > 0)
        qsort(gathered->items, gathered->count, sizeof *gathered->items, compare);
    for (size_t i = 0; i < gathered->count; i++) {
        const struct limited_one one = gathered->items[i];
        if (kept > 0 && gathered->items[kept - 1].who == one.who)
            add(&gathered->items[kept - 1], &one);
        else
            gathered->items[kept++] = one;
    }
    gathered->count = kept;
}

static void find_worst(const struct gathered *gathered, const struct limited_one **worst)
{
    for (size_t i = 0; i < gathered->count; i++)
        if (*worst == NULL || gathered->items[i].requests > (*worst)->requests)
            *worst = &gathered->items[i];
}

bool workers_read_limited(const struct server *server, struct arena *arena,
                          struct status_limited *out)
{
    const struct limited_one *worst = NULL;
    struct gathered clients, networks;

    if (!gather(server, true, arena, &clients) || !gather(server, false, arena, &networks))
        return false;
    merge(&clients);
    merge(&networks);
    find_worst(&networks, &worst);
    find_worst(&clients, &worst);
    *out = (struct status_limited){.clients = clients.count,
                                   .networks = networks.count,
                                   .has_more_clients = clients.has_more,
                                   .has_more_networks = networks.has_more};
    if (worst == NULL)
        return true;
    limits_who_write(worst->who, out->worst);
    out->requests = worst->requests;
    out->ago_s = worst->ago_s;
    return true;
}

/* ---- explain ---- */

void workers_find_limited(const struct server *server, const struct snapshot *snapshot,
                          const struct path *path, struct explain_limited *out)
{
    struct client client;
    struct limited_one sum = {.ago_s = LIMITED_SECONDS};

    client_classify(snapshot, path, &client);
    sum.who = limits_who(path, &client);
    for (size_t i = 0; i < server_worker_count(server); i++) {
        const struct limited_list *list = list_of(server, i, client.count > 0);
        for (size_t j = 0; list != NULL && j < list->count; j++)
            if (list->items[j].who == sum.who)
                add(&sum, &list->items[j]);
    }
    *out = (struct explain_limited){
        .requests = sum.requests, .since_s = sum.since_s, .ago_s = sum.ago_s};
    limits_who_write(sum.who, out->who);
}
