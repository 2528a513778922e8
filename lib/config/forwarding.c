#include "config/forwarding.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "config/exposure.h"
#include "config/resolv_conf.h"
#include "wire/domain.h"

enum { LIST_MOST = 256 };

/* Settings while they are completed. */
struct completion {
    struct settings *settings;
    const struct forwarding_host *host;
    struct report *report;
};

static void report_memory(struct completion *completion)
{
    const struct setting_origin origin = settings_origin(completion->settings, "upstreams");

    setting_origin_report(completion->report, FINDING_MEMORY, &origin, "out of memory");
}

/* ---- addresses of this server ---- */

static bool is_of_host(const struct endpoint *endpoint, const struct ifaddrs *interface)
{
    for (; interface != NULL; interface = interface->ifa_next)
        if (interface->ifa_addr != NULL &&
            endpoint_has_same_host(endpoint,
                                   (const struct endpoint *)(const void *)interface->ifa_addr))
            return true;
    return endpoint_is_loopback(endpoint);
}

static bool is_listened_on(const struct endpoint *endpoint, const struct endpoint *listen,
                           const struct ifaddrs *interfaces)
{
    if (endpoint_port(endpoint) != endpoint_port(listen) ||
        endpoint->any.sa_family != listen->any.sa_family)
        return false;
    if (endpoint_is_wildcard(listen))
        return is_of_host(endpoint, interfaces);
    return endpoint_has_same_host(endpoint, listen);
}

static bool is_this_server(const struct completion *completion, const struct upstream *upstream)
{
    const struct listen_addresses *listen = &completion->settings->listen;

    for (size_t i = 0; i < listen->count; i++)
        if (is_listened_on(&upstream->endpoint, &listen->items[i].endpoint,
                           completion->host->interfaces))
            return true;
    return false;
}

/* ---- resolv.conf ---- */

/* An unusable address (0.0.0.0, or on a missing interface) is left out with a warning. */
static void add_nameserver(struct completion *completion, const struct resolv_conf_server *server)
{
    struct settings *settings = completion->settings;
    struct upstream upstream;
    struct err err;

    if (!upstream_read(settings->arena, server->address, &upstream, &err)) {
        report_add(completion->report, FINDING_RESOLV_CONF, completion->host->resolv_conf,
                   server->at, "this nameserver is ignored: %s", err.text);
        return;
    }
    if (is_this_server(completion, &upstream))
        return;
    upstream.origin =
        (struct setting_origin){.file = completion->host->resolv_conf, .at = server->at};
    upstreams_add(settings->arena, &settings->upstreams, &upstream, &err);
}

static void list_upstreams(const struct upstreams *list, char *out, size_t size)
{
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < list->count && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s", i == 0 ? "" : ", ",
                                   list->items[i].text);
}

/* The sandbox of a server that runs has the file of its start, not another one put in its place. */
static const char *remedy_of(bool is_read)
{
    return is_read
               ? "restore its nameserver lines, or name resolvers in upstreams, and reload"
               : "if another file has replaced it since the start, the sandbox does not let the "
                 "server read that one: restart the server (or spacedns upgrade), or name "
                 "resolvers in upstreams and reload";
}

/* Keeps the nameservers that resolv.conf named before. */
static void keep_nameservers(struct completion *completion, const char *fault, bool is_read)
{
    struct settings *settings = completion->settings;
    const struct settings *before = completion->host->in_force;
    char names[LIST_MOST];

    if (before == NULL || !before->has_host_upstreams || before->upstreams.count == 0)
        return;
    if (!upstreams_copy(settings->arena, &before->upstreams, &settings->upstreams)) {
        report_memory(completion);
        return;
    }
    list_upstreams(&settings->upstreams, names, sizeof names);
    report_add(completion->report, FINDING_RESOLV_CONF, completion->host->resolv_conf,
               location_at(0, 0),
               "the file %s; the nameservers that it named before stay in use: %s; %s", fault,
               names, remedy_of(is_read));
}

static void read_resolv_conf(struct completion *completion)
{
    struct settings *settings = completion->settings;
    struct err err = {.text = "names no resolver but this server"};
    struct resolv_conf conf;

    bool is_read = resolv_conf_read(completion->host->resolv_conf, &conf, &err);
    settings->has_host_upstreams = true;
    if (is_read) {
        for (size_t i = 0; i < conf.server_count; i++)
            add_nameserver(completion, &conf.servers[i]);
        resolv_conf_close(&conf);
    }
    if (settings->upstreams.count == 0)
        keep_nameservers(completion, err.text, is_read);
    settings->lacks_upstreams = settings->upstreams.count == 0;
    if (settings->lacks_upstreams && !is_read)
        report_add(completion->report, FINDING_RESOLV_CONF, completion->host->resolv_conf,
                   location_at(0, 0), "the file %s", err.text);
}

/* ---- configured upstreams ---- */

static void refuse_loops(struct completion *completion, const struct upstreams *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_this_server(completion, &list->items[i]))
            setting_origin_report(completion->report, FINDING_SETTING, &list->items[i].origin,
                                  "`%s` is this server itself: each query would come back to it in "
                                  "a loop; name another resolver, or `none`",
                                  list->items[i].text);
}

/* Without a name TLS hides the queries from listeners only, not from whoever answers for the
 * address. */
static void warn_of_unchecked(struct completion *completion, const struct upstreams *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].is_tls && list->items[i].tls_name == NULL)
            setting_origin_report(
                completion->report, FINDING_TLS_NAME, &list->items[i].origin,
                "`%s` names no server, so its certificate is not checked: "
                "whoever can redirect its address can answer for it; append # and "
                "the name in its certificate, as in tls://9.9.9.9#dns.quad9.net",
                list->items[i].text);
}

static void check_upstreams(struct completion *completion, const struct upstreams *list)
{
    refuse_loops(completion, list);
    warn_of_unchecked(completion, list);
}

/* Discovery names are answered locally only. */
static void refuse_own_names(struct completion *completion, const struct upstream_zone *zone)
{
    const char *suffix = completion->settings->suffix_discovery;

    if (domain_is_within(zone->zone, suffix))
        setting_origin_report(
            completion->report, FINDING_SETTING, &zone->origin,
            "names in `%s` are answered here and never sent to an upstream; remove the zone",
            suffix);
}

static void check_zones(struct completion *completion)
{
    const struct upstream_zones *zones = &completion->settings->upstream_zones;

    for (size_t i = 0; i < zones->count; i++) {
        refuse_own_names(completion, &zones->items[i]);
        check_upstreams(completion, &zones->items[i].upstreams);
    }
}

static void add_root(struct completion *completion)
{
    struct settings *settings = completion->settings;
    struct upstream_zones *zones = &settings->upstream_zones;

    if (settings->upstreams.count == 0)
        return;
    struct upstream_zone *items =
        arena_grow(settings->arena, zones->items, zones->count, &zones->capacity, sizeof *items);
    if (items == NULL) {
        report_memory(completion);
        return;
    }
    zones->items = items;
    zones->items[zones->count++] = (struct upstream_zone){
        .zone = ".",
        .upstreams = settings->upstreams,
        .allow_rebind = settings->allow_rebind,
        .origin = settings->upstreams.items[0].origin,
    };
}

static int compare_zones(const void *a, const void *b)
{
    const struct upstream_zone *left = a, *right = b;

    if (left->label_count != right->label_count)
        return left->label_count > right->label_count ? -1 : 1;
    return strcmp(left->zone, right->zone);
}

/* True if an earlier upstream, in this zone or an earlier one, is the same. */
static bool is_repeated(const struct upstream_zones *zones, size_t zone, size_t number)
{
    const struct upstream *upstream = &zones->items[zone].upstreams.items[number];

    for (size_t i = 0; i <= zone; i++) {
        const struct upstreams *list = &zones->items[i].upstreams;
        size_t end = i == zone ? number : list->count;
        for (size_t j = 0; j < end; j++)
            if (upstream_equals(&list->items[j], upstream))
                return true;
    }
    return false;
}

static void count_upstreams(struct completion *completion)
{
    const struct upstream_zones *zones = &completion->settings->upstream_zones;
    const struct setting_origin origin = settings_origin(completion->settings, "upstream_zones");
    size_t count = 0;

    for (size_t i = 0; i < zones->count; i++)
        for (size_t j = 0; j < zones->items[i].upstreams.count; j++)
            count += !is_repeated(zones, i, j);
    if (count > UPSTREAMS_IN_ALL_MOST)
        setting_origin_report(
            completion->report, FINDING_SETTING, &origin,
            "%zu different upstreams in all zones together; at most %d are allowed; remove some",
            count, (int)UPSTREAMS_IN_ALL_MOST);
}

void forwarding_complete(struct settings *settings, const struct forwarding_host *host,
                         struct report *report)
{
    struct completion completion = {.settings = settings, .host = host, .report = report};
    struct upstream_zones *zones = &settings->upstream_zones;

    check_zones(&completion);
    if (settings->upstreams.count == 0 && !settings->upstreams.is_none)
        read_resolv_conf(&completion);
    else
        check_upstreams(&completion, &settings->upstreams);
    add_root(&completion);
    if (zones->count > 1)
        qsort(zones->items, zones->count, sizeof *zones->items, compare_zones);
    count_upstreams(&completion);
}

void forwarding_complete_here(struct settings *settings, const struct settings *in_force,
                              struct report *report)
{
    struct ifaddrs *interfaces = NULL;

    if (getifaddrs(&interfaces) != 0)
        interfaces = NULL;
    struct forwarding_host host = {
        .resolv_conf = "/etc/resolv.conf", .interfaces = interfaces, .in_force = in_force};
    forwarding_complete(settings, &host, report);
    freeifaddrs(interfaces);
}
