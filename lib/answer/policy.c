#include "answer/policy.h"

#include <string.h>

#include "base/rate.h"
#include "base/text.h"

_Static_assert(CLIENT_SPACE == 0 && CLIENT_PEERED == 1 && CLIENT_VPN == 2,
               "the settings' classes are in this order");

/* Writes "10.0.0.2, 1.1.1.1@5353". */
static const char *write_upstreams(struct arena *arena, const struct upstreams *list)
{
    size_t size = 1;
    for (size_t i = 0; i < list->count; i++)
        size += strlen(list->items[i].text) + 2;
    char *octets = arena_take(arena, size);
    if (octets == NULL)
        return NULL;
    struct text text = text_over(octets, size);
    for (size_t i = 0; i < list->count; i++) {
        text_add_string(&text, i == 0 ? "" : ", ");
        text_add_string(&text, list->items[i].text);
    }
    return octets;
}

/* Keeps the order of the settings, so that route and zone have the same index. */
static bool set_routes(struct routes *routes, const struct settings *settings)
{
    const struct upstream_zones *zones = &settings->upstream_zones;

    if (zones->count == 0)
        return true;
    struct route *items = arena_take(settings->arena, zones->count * sizeof *items);
    struct upstream_zones *kept = arena_take(settings->arena, sizeof *kept);
    if (items == NULL || kept == NULL)
        return false;
    *kept = *zones;
    for (size_t i = 0; i < zones->count; i++) {
        items[i].upstreams = write_upstreams(settings->arena, &zones->items[i].upstreams);
        items[i].allow_rebind = zones->items[i].allow_rebind;
        if (items[i].upstreams == NULL || !name_from_text(zones->items[i].zone, &items[i].zone))
            return false;
    }
    *routes = (struct routes){.items = items, .count = zones->count, .zones = kept};
    return true;
}

static uint32_t interval_of(uint32_t rate)
{
    return rate == 0 ? 0 : rate_interval_us(rate);
}

bool policy_set(struct policy *policy, const struct settings *settings)
{
    const struct string_list *targets = &settings->suffix_targets;

    *policy = (struct policy){
        .suffixes = {.apps = settings->suffix_apps,
                     .discovery = settings->suffix_discovery,
                     .targets = {targets->items[0], targets->items[targets->count - 1]}},
        .external_nxdomain = settings->external == EXTERNAL_NXDOMAIN,
        .localspace_to = settings->localspace_to,
        .recursion_for = settings->recursion_for,
        .nat64_prefix = settings->nat64_prefix,
        .local = {.spaces = settings->local_as.items, .space_count = settings->local_as.count},
        .kept_back_seconds = settings->kept_back_seconds,
        .kept_back_most = settings->kept_back_most,
        .client_rate = settings->client_rate,
        .client_interval_us = interval_of(settings->client_rate),
        .external_rate = settings->external_rate,
        .external_interval_us = interval_of(settings->external_rate),
        .external_slip = settings->external_slip,
        .server_id = settings->server_id,
        .version = "spacedns " SPACEDNS_VERSION,
        .arena = settings->arena,
    };
    return set_routes(&policy->routes, settings);
}
