#include "spacednsd/settings_reload.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "answer/policy.h"
#include "base/log.h"
#include "config/exposure.h"
#include "config/forwarding.h"
#include "config/settings_change.h"
#include "control/control_socket.h"
#include "forward/fetch_table.h"
#include "spacednsd/events.h"
#include "spacednsd/http.h"
#include "spacednsd/settings_check.h"

enum {
    SPARE_DESCRIPTORS = 48,
    WORKER_DESCRIPTORS = 8, /* loop, wakers, epoll of upstreams */
    HTTP_DESCRIPTORS = 3,   /* of a listener: itself, epoll, waker */
    STREAMS_EACH = 2,       /* connections to one server, when one is silent */
    SHARE_LEAST = 8,
};

/* Returns false with the errors in the report; without any there, out of memory. */
static bool read_again(struct settings_reload *reload, const struct settings *now,
                       struct report *report)
{
    struct settings *next = &reload->settings;

    if (settings_reread(next, now, report) != SETTINGS_READY)
        return false;
    exposure_check(next, report);
    settings_check_groups(next, now, report);
    if (!settings_keep(next, now, report))
        return false;
    next->upstream_port_count = now->upstream_port_count;
    forwarding_complete_here(next, now, report);
    settings_check_routes(next, report);
    settings_check_state(next, report);
    if (!report_is_clean(report) || !policy_set(&reload->policy, next))
        return false;
    return settings_list_changes(now, next, &reload->changed);
}

struct settings_reload *settings_reload_read(const struct settings *now, struct report *report)
{
    struct settings_reload *reload = calloc(1, sizeof *reload);

    if (reload != NULL && read_again(reload, now, report))
        return reload;
    if (report_is_clean(report))
        report_add(report, FINDING_MEMORY, "settings", location_at(0, 0), "out of memory");
    settings_reload_free(reload);
    return NULL;
}

void settings_reload_free(struct settings_reload *reload)
{
    if (reload == NULL)
        return;
    settings_close(&reload->settings);
    free(reload);
}

/* ---- taking effect ---- */

/* Of the process: listeners, loops and logs; the operator's commands; files of a reload. */
static uint64_t count_fixed(const struct settings *settings)
{
    uint64_t per_worker = WORKER_DESCRIPTORS;

    for (size_t i = 0; i < settings->listen.count; i++)
        for (unsigned scheme = 0; scheme < LISTEN_SCHEMES; scheme++)
            per_worker += listen_address_has(&settings->listen.items[i], scheme);
    return SPARE_DESCRIPTORS + CONTROL_SOCKET_CONNECTIONS_MOST + CONTROL_SOCKET_STREAMS_MOST +
           settings->http_listen.count * (HTTP_CONNECTIONS_MOST + HTTP_DESCRIPTORS) +
           settings->workers * (per_worker + 1);
}

/* A question may have FETCH_ATTEMPTS sockets; connections to servers are added. A reload may
 * configure the first upstream, so the sockets count in any case. */
static uint64_t count_upstream(const struct settings *settings)
{
    const struct upstream_zones *zones = &settings->upstream_zones;
    uint64_t streams = 0;

    for (size_t i = 0; i < zones->count; i++)
        streams += zones->items[i].upstreams.count * STREAMS_EACH;
    return streams + fetch_tickets(settings->upstream_questions);
}

uint64_t settings_share_descriptors(struct settings *settings, uint64_t limit)
{
    uint64_t fixed = count_fixed(settings), workers = settings->workers;
    uint64_t tcp = settings->tcp_connections, upstream = count_upstream(settings);
    uint64_t wanted = fixed + workers * (tcp + upstream);

    settings->tcp_sockets = settings->upstream_sockets = 0;
    if (limit >= wanted)
        return wanted;
    uint64_t left = limit > fixed ? (limit - fixed) / workers : 0;
    if (left < SHARE_LEAST)
        left = SHARE_LEAST;
    /* Sockets for upstreams are reduced first, down to a quarter. */
    uint64_t share = left > tcp ? left - tcp : 0;
    upstream = share > left / 4 ? share : left / 4;
    settings->upstream_sockets = (uint32_t)upstream;
    if (tcp > left - upstream)
        settings->tcp_sockets = (uint32_t)(left - upstream);
    return wanted;
}

void settings_raise_descriptor_limit(struct settings *settings)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    uint64_t wanted = settings_share_descriptors(settings, UINT64_MAX);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return;
    settings_share_descriptors(settings, limit.rlim_cur);
    if (settings->tcp_sockets > 0 || settings->upstream_zones.count > 0)
        events_log_few_descriptors(settings, (uint64_t)limit.rlim_cur, wanted);
}

void settings_reload_apply(const struct settings *next, const struct settings *before)
{
    log_set_level((enum log_level)next->log_level);
    if (next->lacks_upstreams && !before->lacks_upstreams)
        events_log_no_upstreams();
}
