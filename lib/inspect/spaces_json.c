#include "inspect/spaces_json.h"

#include <string.h>

#include "base/text.h"

enum { NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS };

/* ---- spaces ---- */

static json_t *json_router(const struct segment *segment, const struct router_entry *router)
{
    bool has_az = router->az != ENTRY_NONE;

    return json_pack("{s:o, s:s, s:o}", "ip", json_address(router->ip), "state",
                     router_state_text(router->state), "az",
                     json_text(has_az ? segment->azs[router->az].name : NULL));
}

static json_t *json_connection(const struct connection *connection)
{
    json_t *cidrs = json_array();

    for (size_t i = 0; i < connection->block_count; i++)
        json_array_append_new(cidrs, json_cidr(connection->blocks[i]));
    return json_pack("{s:s, s:o, s:s, s:b, s:o}", "kind",
                     connection->kind == CONNECTION_PEERING ? "peering" : "vpn", "name",
                     json_text(connection->name), "status",
                     connection->status == NULL ? "active" : connection->status, "lets_in",
                     (int)connection->grants, "cidrs", cidrs);
}

static size_t count_internal(const struct segment *segment)
{
    size_t count = 0;

    for (size_t i = 0; i < segment->app_count; i++)
        count += (segment->apps[i].flags & APP_INTERNAL) != 0;
    return count;
}

static json_t *json_space(const struct segment *segment)
{
    json_t *routers = json_array(), *connections = json_array();

    for (size_t i = 0; i < segment->router_count; i++)
        json_array_append_new(routers, json_router(segment, &segment->routers[i]));
    for (size_t i = 0; i < segment->connection_count; i++)
        json_array_append_new(connections, json_connection(&segment->connections[i]));
    /* An unready space's block need not be known. */
    json_t *cidr = segment->cidr.bits > 16 ? json_null() : json_cidr(segment->cidr);
    const char *unready = segment->is_unready ? finding_name(segment->unready_code) : NULL;
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "name", json_text(segment->name), "state",
        space_state_text(segment->state), "unready", json_text(unready), "cidr", cidr, "region",
        json_text(segment->region), "routers", routers, "connections", connections, "apps",
        (json_int_t)segment->app_count, "internal_apps", (json_int_t)count_internal(segment));
}

json_t *spaces_json(const struct snapshot *snapshot)
{
    json_t *spaces = json_array();

    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            json_array_append_new(spaces, json_space(snapshot->segments[i]));
    return json_pack("{s:I, s:o}", "generation", (json_int_t)snapshot->generation, "spaces",
                     spaces);
}

/* ---- apps ---- */

static size_t count_dynos(const struct segment *segment, const struct app_entry *app)
{
    size_t count = 0;

    for (size_t i = 0; i < app->formation_count; i++)
        count += segment->formations[app->formations + i].dyno_count;
    return count;
}

json_t *spaces_json_app(const struct segment *segment, const struct app_entry *app)
{
    return json_pack("{s:o, s:o, s:b, s:I, s:I}", "space", json_text(segment->name), "name",
                     print_text(segment_text(segment, app->name), app->name_length),
                     "internal_routing", (app->flags & APP_INTERNAL) != 0, "web_dynos_up",
                     (json_int_t)app->web_up, "dynos", (json_int_t)count_dynos(segment, app));
}

static json_t *json_host_name(const struct segment *segment, const struct host *host)
{
    char octets[NAME_TEXT_MOST];
    struct text text = text_over(octets, sizeof octets);

    name_add(&text, (const uint8_t *)segment_text(segment, host->octets));
    return print_text(octets, text_length(&text));
}

static json_t *json_domain(const struct segment *segment, const struct host *host)
{
    bool has_target = host->target != ENTRY_NONE;

    return json_pack("{s:o, s:o}", "hostname", json_host_name(segment, host), "cname",
                     has_target ? json_host_name(segment, &segment->hosts[host->target])
                                : json_null());
}

json_t *spaces_json_domains(const struct snapshot *snapshot, const struct segment *segment,
                            const struct app_entry *app)
{
    json_t *domains = json_array();

    if ((app->flags & APP_PLAIN_DOMAIN) != 0)
        json_array_append_new(domains, json_pack("{s:o, s:n}", "hostname",
                                                 json_sprintf("%.*s.%s", app->name_length,
                                                              segment_text(segment, app->name),
                                                              snapshot->policy.suffixes.apps),
                                                 "cname"));
    for (size_t i = 0; i < app->host_count; i++) {
        const struct host *host = &segment->hosts[app->hosts + i];
        if (host->kind != HOST_TARGET)
            json_array_append_new(domains, json_domain(segment, host));
    }
    return domains;
}

static json_t *json_dynos(const struct segment *segment, const struct formation_entry *formation)
{
    json_t *dynos = json_array();

    for (size_t i = 0; i < formation->dyno_count; i++) {
        const struct dyno_entry *dyno = &segment->dynos[formation->dynos + i];
        json_array_append_new(dynos,
                              json_pack("{s:I, s:o, s:s}", "number", (json_int_t)dyno->number,
                                        "private_ip", json_address(dyno->ip), "state",
                                        dyno_state_text((enum dyno_state)dyno->state)));
    }
    return dynos;
}

json_t *spaces_json_formation(const struct segment *segment, const struct app_entry *app)
{
    json_t *types = json_array();

    for (size_t i = 0; i < app->formation_count; i++) {
        const struct formation_entry *formation = &segment->formations[app->formations + i];
        const char *type = segment_type(segment, formation);
        json_array_append_new(types, json_pack("{s:o, s:o}", "type",
                                               formation->type_length == 0
                                                   ? json_null()
                                                   : print_text(type, formation->type_length),
                                               "dynos", json_dynos(segment, formation)));
    }
    return types;
}
