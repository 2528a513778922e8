#include "spacedns/spaces_network.h"

#include <string.h>

#include "spacedns/spaces.h"
#include "spacedns/spaces_grid.h"

enum { TUNNELS_TEXT_MAX = 64 };

static int print_none(struct session *session, const struct space *space, const char *what)
{
    fprintf(session->out, "=== ");
    session_print_space(session, session->out, space->name.text);
    fprintf(session->out, " has no %s\n", what);
    return EXIT_DONE;
}

static json_t *peering_to_json(const struct peering *peering)
{
    return json_pack(
        "{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:s*}", "type", peering_type_text(peering->type),
        "pcx_id", peering->pcx_id.text, "cidr_blocks", json_blocks(&peering->cidr_blocks), "status",
        peering_status_text(peering->status), "aws_vpc_id", json_text(peering->aws_vpc_id.text),
        "aws_region", json_text(peering->aws_region.text), "aws_account_id",
        json_text(peering->aws_account_id.text), "expires", json_text(peering->expires.text),
        "device", peering->device.text);
}

static int print_peerings_json(struct session *session, const struct space *space)
{
    json_t *list = json_array();

    for (size_t i = 0; i < space->peering_count; i++)
        json_array_append_new(list, peering_to_json(&space->peerings[i]));
    return session_print_json(session, list);
}

static int print_peerings(struct session *session, struct space_set *space_set,
                          const struct space *space)
{
    static const char *const titles[] = {"PCX ID", "Type",       "CIDR Blocks",    "Status",
                                         "VPC ID", "AWS Region", "AWS Account ID", "Expires"};
    struct grid grid = grid_over(space_set->arena, titles, sizeof titles / sizeof titles[0]);

    if (session->is_json)
        return print_peerings_json(session, space);
    if (space->peering_count == 0)
        return print_none(session, space, "peerings");
    for (size_t i = 0; i < space->peering_count; i++) {
        const struct peering *peering = &space->peerings[i];
        grid_add(&grid, peering->pcx_id.text);
        grid_add(&grid, peering_type_text(peering->type));
        grid_add_blocks(&grid, &peering->cidr_blocks);
        grid_add_state(&grid, peering_status_text(peering->status));
        grid_add(&grid, peering->aws_vpc_id.text);
        grid_add(&grid, peering->aws_region.text);
        grid_add(&grid, peering->aws_account_id.text);
        grid_add(&grid, peering->expires.text);
    }
    fprintf(session->out, "=== %s Peerings\n", space->name.text);
    return grid_print(&grid, session);
}

int run_spaces_peerings(struct session *session)
{
    return space_set_run(session, print_peerings);
}

static json_t *vpn_to_json(const struct space *space, const struct vpn *vpn)
{
    json_t *tunnels = json_array();

    for (size_t i = 0; i < vpn->tunnel_count; i++)
        json_array_append_new(tunnels,
                              json_pack("{s:o, s:s}", "ip", json_address(vpn->tunnels[i].ip),
                                        "status", vpn->tunnels[i].is_up ? "UP" : "DOWN"));
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:s*}", "id", json_text(vpn->id.text),
                     "name", vpn->name.text, "public_ip", json_address(vpn->public_ip),
                     "routable_cidrs", json_blocks(&vpn->routable_cidrs), "space_cidr_block",
                     json_cidr(space->cidr.cidr), "status", vpn_status_text(vpn->status), "tunnels",
                     tunnels, "device", vpn->device.text);
}

static int print_vpns_json(struct session *session, const struct space *space)
{
    json_t *list = json_array();

    for (size_t i = 0; i < space->vpn_count; i++)
        json_array_append_new(list, vpn_to_json(space, &space->vpns[i]));
    return session_print_json(session, list);
}

/* "UP/DOWN" */
static const char *format_tunnels(struct arena *arena, const struct vpn *vpn)
{
    char buffer[TUNNELS_TEXT_MAX];
    size_t length = 0;

    for (size_t i = 0; i < vpn->tunnel_count && length + sizeof "/DOWN" <= sizeof buffer; i++)
        length += (size_t)snprintf(buffer + length, sizeof buffer - length, "%s%s",
                                   i == 0 ? "" : "/", vpn->tunnels[i].is_up ? "UP" : "DOWN");
    return arena_text(arena, buffer, length);
}

static int print_vpns(struct session *session, struct space_set *space_set,
                      const struct space *space)
{
    static const char *const titles[] = {"Name", "Status", "Tunnels", "Routable CIDRs",
                                         "Public IP"};
    struct grid grid = grid_over(space_set->arena, titles, sizeof titles / sizeof titles[0]);

    if (session->is_json)
        return print_vpns_json(session, space);
    if (space->vpn_count == 0)
        return print_none(session, space, "VPN connections");
    for (size_t i = 0; i < space->vpn_count; i++) {
        grid_add(&grid, space->vpns[i].name.text);
        grid_add_state(&grid, vpn_status_text(space->vpns[i].status));
        grid_add(&grid, format_tunnels(space_set->arena, &space->vpns[i]));
        grid_add_blocks(&grid, &space->vpns[i].routable_cidrs);
        grid_add_address(&grid, space->vpns[i].public_ip);
    }
    fprintf(session->out, "=== %s VPN Connections\n", space->name.text);
    return grid_print(&grid, session);
}

int run_spaces_vpn_connections(struct session *session)
{
    return space_set_run(session, print_vpns);
}

/* The platform's inbound ruleset. */
static int print_rules_json(struct session *session, const struct space *space)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < space->trusted_ips.count; i++)
        json_array_append_new(rules, json_pack("{s:s, s:o}", "action", "allow", "source",
                                               json_cidr(space->trusted_ips.items[i].cidr)));
    return session_print_json(session, json_pack("{s:{s:o, s:s}, s:o}", "space", "id",
                                                 json_text(space->id.text), "name",
                                                 space->name.text, "rules", rules));
}

static int print_trusted(struct session *session, struct space_set *space_set,
                         const struct space *space)
{
    char text[CIDR_TEXT_MAX];

    (void)space_set;
    if (session->is_json)
        return print_rules_json(session, space);
    if (space->trusted_ips.count == 0) {
        fprintf(session->out,
                "=== %s has no trusted IP ranges. All inbound web requests to dynos are blocked.\n",
                space->name.text);
        return EXIT_DONE;
    }
    fputs("=== Trusted IP Ranges\n", session->out);
    for (size_t i = 0; i < space->trusted_ips.count; i++) {
        cidr_write(space->trusted_ips.items[i].cidr, text);
        fprintf(session->out, "%s\n", text);
    }
    fputs("Trusted IP rules are applied to this space.\n", session->out);
    return EXIT_DONE;
}

int run_spaces_trusted_ips(struct session *session)
{
    return space_set_run(session, print_trusted);
}
