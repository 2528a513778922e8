#include <string.h>

#include "answer/seal.h"
#include "base/bytes.h"
#include "wire/types.h"

static void write_router_record(uint8_t *out, uint32_t ttl_seconds, uint32_t ip)
{
    store16(out, 0xc000 | 12); /* the question's name */
    store16(out + 2, TYPE_A);
    store16(out + 4, CLASS_IN);
    store32(out + 6, ttl_seconds);
    store16(out + 10, 4);
    store32(out + 12, ip);
}

/* Gives each zone its part of the records. Returns where those of no zone begin. */
static uint32_t divide_records(const struct segment *segment, struct az_entry *azs)
{
    uint32_t next = 0;

    for (size_t i = 0; i < segment->router_count; i++) {
        const struct router_entry *router = &segment->routers[i];
        if (router->state == ROUTER_UP && router->az != ENTRY_NONE)
            azs[router->az].up_count++;
    }
    for (size_t i = 0; i < segment->az_count; i++) {
        azs[i].first = next;
        next += azs[i].up_count;
    }
    return next;
}

static bool seal_router_records(struct segment *segment, struct az_entry *azs)
{
    uint8_t *records =
        arena_take(segment->arena, 2 * segment->router_count * READY_RECORD_OCTETS + 1);
    uint32_t next = divide_records(segment, azs);

    if (records == NULL)
        return false;
    for (size_t i = 0; i < segment->router_count; i++) {
        const struct router_entry *router = &segment->routers[i];
        if (router->state != ROUTER_UP)
            continue;
        uint32_t number = router->az == ENTRY_NONE ? next++ : azs[router->az].first++;
        write_router_record(records + READY_RECORD_OCTETS * (size_t)number,
                            segment->router_ttl_seconds, router->ip);
    }
    for (size_t i = 0; i < segment->az_count; i++)
        azs[i].first -= azs[i].up_count;
    size_t length = READY_RECORD_OCTETS * (size_t)next;
    memcpy(records + length, records, length);
    segment->router_records = records;
    segment->router_up_count = next;
    return true;
}

static bool seal_routers(struct segment *segment, const struct space *space)
{
    size_t count = space->router_count;
    struct router_entry *routers = arena_take(segment->arena, (count + 1) * sizeof *routers);
    struct az_entry *azs = seal_azs(segment, space);

    if (routers == NULL || azs == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct router *router = &space->routers[i];
        routers[i] = (struct router_entry){.ip = router->ip,
                                           .state = router->state,
                                           .at = router->at,
                                           .az = seal_find_az(segment, router->az.text)};
    }
    segment->routers = routers;
    segment->router_count = count;
    return seal_router_records(segment, azs);
}

/* True when a peering lists routes and a router that is up lies in none of them. */
static bool misses_router(const struct space *space, const struct peering *peering)
{
    for (size_t i = 0; peering->lists_routes && i < space->router_count; i++) {
        bool covered = space->routers[i].state != ROUTER_UP;
        for (size_t j = 0; j < peering->routes.count && !covered; j++)
            covered = cidr_contains(peering->routes.items[j].cidr, space->routers[i].ip);
        if (!covered)
            return true;
    }
    return false;
}

/* Copies the blocks and their lines. */
static bool seal_blocks(struct segment *segment, const struct blocks *blocks,
                        const struct cidr **cidrs, const uint32_t **block_lines)
{
    struct cidr *copies = arena_take(segment->arena, (blocks->count + 1) * sizeof *copies);
    uint32_t *lines = arena_take(segment->arena, (blocks->count + 1) * sizeof *lines);

    if (copies == NULL || lines == NULL)
        return false;
    for (size_t i = 0; i < blocks->count; i++) {
        copies[i] = blocks->items[i].cidr;
        lines[i] = blocks->items[i].at.line;
    }
    *cidrs = copies;
    *block_lines = lines;
    return true;
}

const char *seal_text(struct segment *segment, const char *text)
{
    return text == NULL ? NULL : arena_text(segment->arena, text, strlen(text));
}

/* A device that did not fit into memory must not let everyone in. */
static bool has_its_device(const struct connection *connection, const struct word *device)
{
    return (connection->device != NULL) == (device->text != NULL);
}

static bool seal_connections(struct segment *segment, const struct space *space)
{
    size_t count = space->peering_count + space->vpn_count;
    struct connection *connections = arena_take(segment->arena, (count + 1) * sizeof *connections);

    if (connections == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct connection *connection = &connections[i];
        const struct blocks *blocks;
        const struct word *device;
        if (i < space->peering_count) {
            const struct peering *peering = &space->peerings[i];
            *connection = (struct connection){
                .kind = CONNECTION_PEERING,
                .name = seal_text(segment, peering->pcx_id.text),
                .at = peering->at,
                .grants = peering_grants(peering),
                .status =
                    peering->status == PEERING_ACTIVE ? NULL : peering_status_text(peering->status),
                .device = seal_text(segment, peering->device.text),
                .misses_router = misses_router(space, peering),
            };
            blocks = &peering->cidr_blocks;
            device = &peering->device;
        } else {
            const struct vpn *vpn = &space->vpns[i - space->peering_count];
            *connection = (struct connection){
                .kind = CONNECTION_VPN,
                .name = seal_text(segment, vpn->name.text),
                .at = vpn->at,
                .grants = vpn_grants(vpn),
                .status = vpn->status == VPN_ACTIVE ? NULL : vpn_status_text(vpn->status),
                .device = seal_text(segment, vpn->device.text),
            };
            blocks = &vpn->routable_cidrs;
            device = &vpn->device;
        }
        connection->block_count = blocks->count;
        if (connection->name == NULL || !has_its_device(connection, device) ||
            !seal_blocks(segment, blocks, &connection->blocks, &connection->block_lines))
            return false;
    }
    segment->connections = connections;
    segment->connection_count = count;
    return true;
}

static bool seal_dyno_cidrs(struct segment *segment, const struct space *space)
{
    size_t count = space->dyno_cidrs.count;
    struct cidr *cidrs = arena_take(segment->arena, count * sizeof *cidrs);

    for (size_t i = 0; cidrs != NULL && i < count; i++)
        cidrs[i] = space->dyno_cidrs.items[i].cidr;
    segment->dyno_cidrs = cidrs;
    segment->dyno_cidr_count = count;
    return cidrs != NULL;
}

bool seal_space(struct segment *segment, const struct space *space)
{
    uint32_t *listen = arena_take(segment->arena, (space->listen_count + 1) * sizeof *listen);

    if (listen == NULL)
        return false;
    for (size_t i = 0; i < space->listen_count; i++)
        listen[i] = space->listen[i].cidr.address;
    segment->file = seal_text(segment, space->file);
    segment->name = seal_text(segment, space->name.text);
    segment->id = seal_text(segment, space->id.text);
    segment->region = seal_text(segment, space->region.text);
    segment->at = space->name.at;
    segment->cidr_line = space->cidr.at.line != 0 ? space->cidr.at.line : space->name.at.line;
    segment->cidr = space->cidr.cidr;
    segment->data_cidr = space->data_cidr.cidr;
    segment->generation = space->generation;
    segment->shield = space->shield;
    segment->state = space->state;
    segment->listen = listen;
    segment->listen_count = space->listen_count;
    segment->router_ttl_seconds = space->router_ttl_seconds;
    segment->dyno_ttl_seconds = space->dyno_ttl_seconds;
    segment->negative_ttl_seconds = space->negative_ttl_seconds;
    segment->trusted_count = space->trusted_ips.count;
    return segment->file != NULL && segment->name != NULL && seal_routers(segment, space) &&
           seal_dyno_cidrs(segment, space) && seal_connections(segment, space) &&
           seal_blocks(segment, &space->trusted_ips, &segment->trusted_ips,
                       &segment->trusted_lines);
}
