#include "space/rules.h"

#include "space/checking.h"

/* About in the order of findings.def; check_names must come before check_records. */
static rule *const rules[] = {
    check_space_name,  check_ids,       check_space_cidr,    check_data_cidr,
    check_region,      check_listen,    check_app_count,     check_dyno_and_router_cidrs,
    check_routers,     check_router_up, check_app_names,     check_internal_apps,
    check_names,       check_domains,   check_process_types, check_dynos,
    check_ports,       check_peerings,  check_vpns,          check_connections_overlap,
    check_routes,      check_records,   check_record_sets,   check_aliases,
    check_trusted_ips,
};

static size_t count_names(const struct space *space)
{
    size_t count = 0;

    for (size_t i = 0; i < space->app_count; i++)
        count += 1 + 2 * space->apps[i].domain_count;
    return count;
}

void space_check(const struct space *space, const struct suffixes *suffixes, struct report *report)
{
    struct checking checking = {.space = space, .suffixes = suffixes, .report = report};

    seen_init(&checking.names, count_names(space));
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        rules[i](&checking);
    checking_close_seen(&checking, &checking.names);
}
