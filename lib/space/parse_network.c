/* Dyno CIDRs, routers, peerings, VPN connections and listen addresses. */
#include "space/fields.h"

#include <stddef.h>

static const enum finding_code dyno_cidr_code = FINDING_DYNO_CIDR;

static const struct yaml_field dyno_cidr_fields[] = {
    {"cidr", field_read_block, 0, &dyno_cidr_code, true},
    {"az", field_read_word, offsetof(struct block, az), NULL, false},
};

const struct table dyno_cidr_table = {"a dyno CIDR", "into an item of `dyno_cidrs`",
                                      FIELDS(dyno_cidr_fields)};

bool dyno_cidr_read_item(struct parsing *parsing, const struct yaml_field *field,
                         const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct block *block = item;

    if (value->kind != YAML_MAPPING)
        return block_read_item(parsing, field, key, value, item);
    return parsing_read_mapping(parsing, value, &dyno_cidr_table, block) && block->cidr.bits != 0;
}

static const char *const router_states[] = {
    [ROUTER_UP] = "up", [ROUTER_DRAINING] = "draining", [ROUTER_DOWN] = "down"};
static const struct enum_words router_state_words = WORDS(router_states);

const char *router_state_text(enum router_state state)
{
    return router_states[state];
}

static const struct address_details router_address = {FINDING_ADDRESS, offsetof(struct router, at)};

static const struct yaml_field router_fields[] = {
    {"ip", field_read_address, offsetof(struct router, ip), &router_address, true},
    {"state", field_read_enum, offsetof(struct router, state), &router_state_words, false},
    {"az", field_read_word, offsetof(struct router, az), NULL, false},
};

const struct table router_table = {"a router", "into a router of `routers`", FIELDS(router_fields)};

bool router_read_item(struct parsing *parsing, const struct yaml_field *field,
                      const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct router *router = item;

    (void)field;
    (void)key;
    if (value->kind == YAML_MAPPING)
        parsing_read_mapping(parsing, value, &router_table, router);
    else
        field_read_address(parsing, &router_fields[0], value, router);
    return router->ip != 0;
}

static const struct address_details listen_address = {FINDING_LISTEN, offsetof(struct block, at)};

bool listen_read_item(struct parsing *parsing, const struct yaml_field *field,
                      const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    const struct yaml_field address = {.name = field->name,
                                       .offset = offsetof(struct block, cidr.address),
                                       .details = &listen_address};
    struct block *block = item;

    (void)key;
    block->cidr.bits = 32;
    field_read_address(parsing, &address, value, block);
    return block->cidr.address != 0;
}

static const char *const peering_types[] = {
    [PEERING_CUSTOMER_MANAGED] = "customer-managed",
    [PEERING_HEROKU_MANAGED] = "heroku-managed",
    [PEERING_UNKNOWN] = "unknown",
};
static const struct enum_words peering_type_words = WORDS(peering_types);
static const char *const peering_statuses[] = {
    [PEERING_INITIATING_REQUEST] = "initiating-request",
    [PEERING_PENDING_ACCEPTANCE] = "pending-acceptance",
    [PEERING_PROVISIONING] = "provisioning",
    [PEERING_ACTIVE] = "active",
    [PEERING_FAILED] = "failed",
    [PEERING_EXPIRED] = "expired",
    [PEERING_REJECTED] = "rejected",
    [PEERING_DELETED] = "deleted",
};
static const struct enum_words peering_status_words = WORDS(peering_statuses);

const char *peering_type_text(enum peering_type type)
{
    return peering_types[type];
}

const char *peering_status_text(enum peering_status status)
{
    return peering_statuses[status];
}

static const struct items_details peering_block_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct block),
    .read = block_read_item,
    .count_offset = offsetof(struct peering, cidr_blocks.count),
    .at_offset = NO_OFFSET,
    .code = FINDING_ADDRESS,
};
static const struct items_details route_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct block),
    .read = block_read_item,
    .count_offset = offsetof(struct peering, routes.count),
    .at_offset = offsetof(struct peering, routes_at),
    .code = FINDING_ADDRESS,
};

static const struct yaml_field peering_fields[] = {
    {"pcx_id", field_read_word, offsetof(struct peering, pcx_id), NULL, true},
    {"status", field_read_enum, offsetof(struct peering, status), &peering_status_words, true},
    {"cidr_blocks", field_read_items, offsetof(struct peering, cidr_blocks.items),
     &peering_block_items, false},
    {"routes", field_read_items, offsetof(struct peering, routes.items), &route_items, false},
    {"type", field_read_enum, offsetof(struct peering, type), &peering_type_words, false},
    {"grant", field_read_bool, offsetof(struct peering, grant), NULL, false},
    {"route_table_id", field_read_word, offsetof(struct peering, route_table_id), NULL, false},
    {"aws_vpc_id", field_read_word, offsetof(struct peering, aws_vpc_id), NULL, false},
    {"aws_region", field_read_word, offsetof(struct peering, aws_region), NULL, false},
    {"aws_account_id", field_read_word, offsetof(struct peering, aws_account_id), NULL, false},
    {"expires", field_read_word, offsetof(struct peering, expires), NULL, false},
    {"device", field_read_word, offsetof(struct peering, device), NULL, false},
};

const struct table peering_table = {"a peering", "into a peering of `peerings`",
                                    FIELDS(peering_fields)};

bool peering_read_item(struct parsing *parsing, const struct yaml_field *field,
                       const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct peering *peering = item;
    size_t found_before = report_count(parsing->report, FINDING_ERROR);

    (void)field;
    (void)key;
    peering->at = location_of_node(value);
    if (!parsing_read_mapping(parsing, value, &peering_table, peering))
        return false;
    peering->lists_routes = peering->routes_at.line > 0;
    bool is_empty = peering->status == PEERING_ACTIVE && peering->cidr_blocks.count == 0;
    if (is_empty && report_count(parsing->report, FINDING_ERROR) == found_before)
        report_add(parsing->report, FINDING_MISSING, parsing->file, peering->at,
                   "`cidr_blocks` is missing or empty; an active peering needs the blocks of the "
                   "peered VPC, or no client in it is answered");
    return peering->pcx_id.text != NULL;
}

enum { TUNNEL_DOWN, TUNNEL_UP };

static const char *const tunnel_statuses[] = {[TUNNEL_DOWN] = "DOWN", [TUNNEL_UP] = "UP"};
static const struct enum_words tunnel_status_words = WORDS(tunnel_statuses);
static const struct address_details tunnel_address = {FINDING_VPN_IP, NO_OFFSET};

void tunnel_read_status(void *context, const struct yaml_field *field,
                        const struct yaml_node *value, void *target)
{
    struct tunnel *tunnel = target;
    unsigned read = TUNNEL_DOWN;

    if (parsing_read_enum(context, field, value, field->details, &read))
        tunnel->is_up = read == TUNNEL_UP;
}

static const struct yaml_field tunnel_fields[] = {
    {"ip", field_read_address, offsetof(struct tunnel, ip), &tunnel_address, true},
    {"status", tunnel_read_status, 0, &tunnel_status_words, true},
};

const struct table tunnel_table = {"a tunnel", "into `tunnels` of a VPN", FIELDS(tunnel_fields)};

static bool read_tunnel(struct parsing *parsing, const struct yaml_field *field,
                        const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct tunnel *tunnel = item;

    (void)field;
    (void)key;
    tunnel->at = location_of_node(value);
    return parsing_read_mapping(parsing, value, &tunnel_table, tunnel);
}

static const char *const vpn_statuses[] = {
    [VPN_PENDING] = "pending", [VPN_PROVISIONING] = "provisioning",
    [VPN_ACTIVE] = "active",   [VPN_DEPROVISIONING] = "deprovisioning",
    [VPN_FAILED] = "failed",
};
static const struct enum_words vpn_status_words = WORDS(vpn_statuses);

const char *vpn_status_text(enum vpn_status status)
{
    return vpn_statuses[status];
}

static const struct address_details vpn_address = {FINDING_VPN_IP,
                                                   offsetof(struct vpn, public_ip_at)};
static const struct items_details vpn_block_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct block),
    .read = block_read_item,
    .count_offset = offsetof(struct vpn, routable_cidrs.count),
    .at_offset = NO_OFFSET,
    .code = FINDING_ADDRESS,
};
static const struct items_details tunnel_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct tunnel),
    .read = read_tunnel,
    .count_offset = offsetof(struct vpn, tunnel_count),
    .at_offset = offsetof(struct vpn, tunnels_at),
    .table = &tunnel_table,
};

static const struct yaml_field vpn_fields[] = {
    {"name", field_read_word, offsetof(struct vpn, name), NULL, true},
    {"status", field_read_enum, offsetof(struct vpn, status), &vpn_status_words, true},
    {"public_ip", field_read_address, offsetof(struct vpn, public_ip), &vpn_address, false},
    {"routable_cidrs", field_read_items, offsetof(struct vpn, routable_cidrs.items),
     &vpn_block_items, true},
    {"tunnels", field_read_items, offsetof(struct vpn, tunnels), &tunnel_items, false},
    {"id", field_read_word, offsetof(struct vpn, id), NULL, false},
    {"device", field_read_word, offsetof(struct vpn, device), NULL, false},
};

const struct table vpn_table = {"a VPN", "into a VPN of `vpns`", FIELDS(vpn_fields)};

bool vpn_read_item(struct parsing *parsing, const struct yaml_field *field,
                   const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct vpn *vpn = item;
    size_t found_before = report_count(parsing->report, FINDING_ERROR);

    (void)field;
    (void)key;
    vpn->at = location_of_node(value);
    if (!parsing_read_mapping(parsing, value, &vpn_table, vpn))
        return false;
    if (vpn->routable_cidrs.count == 0 &&
        report_count(parsing->report, FINDING_ERROR) == found_before)
        report_add(parsing->report, FINDING_MISSING, parsing->file, vpn->at,
                   "`routable_cidrs` is empty; a VPN needs the blocks of the site behind it");
    return vpn->name.text != NULL;
}
