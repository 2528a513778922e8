#include "inspect/prove_clients.h"

#include <stdlib.h>
#include <string.h>

bool proof_client_is_inside(const struct proof_client *client, const struct snapshot *snapshot,
                            const struct segment *segment)
{
    for (uint32_t i = 0; i < client->client.count; i++)
        if (snapshot->segments[client->client.memberships[i].segment] == segment)
            return true;
    return false;
}

static bool is_listed(const struct local_access *local, const char *space)
{
    for (size_t i = 0; i < local->space_count; i++)
        if (strcmp(local->spaces[i], space) == 0)
            return true;
    return false;
}

/* True if the zone file or the settings let the address in; `device`: that it comes by, or NULL. */
static bool lets_in(const struct segment *segment, const struct policy *policy, uint32_t address,
                    const char *device)
{
    bool is_loopback = address >> 24 == 127;

    if (cidr_contains(segment->cidr, address) ||
        (is_loopback && is_listed(&policy->local, segment->name)))
        return true;
    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        bool is_let_in =
            connection->grants && (connection->device == NULL ||
                                   (device != NULL && strcmp(connection->device, device) == 0));
        for (size_t j = 0; j < connection->block_count && is_let_in; j++)
            if (cidr_contains(connection->blocks[j], address))
                return true;
    }
    return false;
}

static bool is_seen_at(const struct segment *segment, uint32_t asked_at)
{
    for (size_t i = 0; i < segment->listen_count; i++)
        if (segment->listen[i] == asked_at)
            return true;
    return segment->listen_count == 0 && asked_at == 0;
}

static bool refute_client(const struct proof_clients *clients, const struct proof_client *querier,
                          const struct segment *segment, bool is_let_in)
{
    char source[CIDR_TEXT_MAX];

    ipv4_write(querier->path.source, source);
    return err_set(clients->err, ERR_RULE, "%s%s is taken to be %s space %s, and its zone file %s",
                   source, querier->path.is_ipv6 ? " (IPv6)" : "", is_let_in ? "outside" : "inside",
                   segment->name, is_let_in ? "lets it in" : "does not let it in");
}

/* The client must be inside exactly those spaces that let it in. */
static bool check_client(const struct proof_clients *clients, const struct proof_client *querier)
{
    const struct snapshot *tried = clients->snapshot;
    const char *device = access_device(&tried->access, querier->path.interface);

    for (size_t i = 0; i < tried->segment_count; i++) {
        const struct segment *segment = tried->segments[i];
        if (segment == NULL)
            continue;
        bool is_let_in = !querier->path.is_ipv6 && is_seen_at(segment, querier->path.destination) &&
                         lets_in(segment, &tried->policy, querier->path.source, device);
        if (is_let_in != proof_client_is_inside(querier, tried, segment))
            return refute_client(clients, querier, segment, is_let_in);
    }
    return true;
}

static bool add_client(struct proof_clients *clients, const struct path *path)
{
    if (clients->count == clients->capacity) {
        size_t wider = clients->capacity == 0 ? 64 : 2 * clients->capacity;
        struct proof_client *moved = realloc(clients->items, wider * sizeof *moved);
        if (moved == NULL)
            return err_set(clients->err, ERR_MEMORY, "out of memory");
        clients->items = moved;
        clients->capacity = wider;
    }
    struct proof_client *querier = &clients->items[clients->count++];
    querier->path = *path;
    client_classify(clients->snapshot, path, &querier->client);
    clients->outsiders += querier->client.count == 0;
    return check_client(clients, querier);
}

/* Adds a client in each dyno CIDR that is in an availability zone. */
static bool add_dynos_in_azs(struct proof_clients *clients)
{
    for (size_t i = 0; i < clients->snapshot->segment_count; i++) {
        const struct segment *segment = clients->snapshot->segments[i];
        for (size_t j = 0; segment != NULL && j < segment->az_block_count; j++) {
            struct path path = {.source = cidr_last(segment->az_blocks[j].cidr),
                                .destination = segment->listen_count == 0 ? 0 : segment->listen[0]};
            if (!add_client(clients, &path))
                return false;
        }
    }
    return true;
}

/* Adds the first and the last address of every range. */
static bool add_views_clients(struct proof_clients *clients, const struct view *view,
                              uint32_t interface)
{
    for (uint32_t i = 0; i < view->range_count; i++) {
        uint32_t end = i + 1 < view->range_count ? view->starts[i + 1] - 1 : UINT32_MAX;
        struct path path = {
            .source = view->starts[i], .destination = view->address, .interface = interface};
        if (!add_client(clients, &path))
            return false;
        path.source = end;
        if (end != view->starts[i] && !add_client(clients, &path))
            return false;
    }
    return true;
}

static bool add_clients(struct proof_clients *clients)
{
    const struct access *access = &clients->snapshot->access;

    for (size_t i = 0; i < access->view_count; i++) {
        const struct view *view = &access->views[i];
        if (!add_views_clients(clients, view, 0))
            return false;
        for (uint32_t j = 0; j < view->device_count; j++) {
            const struct view *by_device = &view->device_views[j];
            uint32_t interface = access_interface(access, access->devices[by_device->device]);
            if (!add_views_clients(clients, by_device, interface) ||
                !add_views_clients(clients, by_device, 0)) /* the same addresses by no device */
                return false;
        }
    }
    return add_dynos_in_azs(clients) && add_client(clients, &(struct path){.is_ipv6 = true});
}

/* Lists the clients inside of each space, so that a name need not be tried for all clients. */
static bool list_members(struct proof_clients *clients)
{
    size_t segments = clients->snapshot->segment_count, total = 0;
    size_t *starts = calloc(segments + 2, sizeof *starts);

    clients->starts = starts;
    for (size_t i = 0; i < clients->count && starts != NULL; i++)
        for (uint32_t j = 0; j < clients->items[i].client.count; j++, total++)
            starts[clients->items[i].client.memberships[j].segment + 2]++;
    clients->members = calloc(total + 1, sizeof *clients->members);
    if (starts == NULL || clients->members == NULL)
        return err_set(clients->err, ERR_MEMORY, "out of memory");
    for (size_t i = 2; i < segments + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < clients->count; i++)
        for (uint32_t j = 0; j < clients->items[i].client.count; j++)
            clients->members[starts[clients->items[i].client.memberships[j].segment + 1]++] =
                (uint32_t)i;
    return true;
}

bool proof_clients_init(struct proof_clients *clients, const struct snapshot *snapshot,
                        struct err *err)
{
    *clients = (struct proof_clients){.snapshot = snapshot, .err = err};
    return add_clients(clients) && list_members(clients);
}

void proof_clients_close(struct proof_clients *clients)
{
    free(clients->items);
    free(clients->members);
    free(clients->starts);
}
