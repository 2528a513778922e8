#include "inspect/status_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "config/port_range.h"
#include "inspect/print.h"
#include "inspect/registry_print.h"
#include "inspect/stats_visit.h"

enum {
    KEY_COLUMN = 24,
    ZONE_TEXT_MOST = 4 * NAME_MAX_OCTETS,
    MINUTE = 60,
    TWO_MINUTES = 120,
    HOUR = 3600,
    TWO_HOURS = 7200,
};

/* The folder of zone files as an absolute path if it is there; to be freed. NULL: a registry. */
static char *find_zones(const struct status *status)
{
    if (status->registry != NULL)
        return NULL;
    char *path = realpath(status->settings->zones, NULL);

    return path == NULL ? strdup(status->settings->zones) : path;
}

static size_t count_kept_back(const struct status *status)
{
    return status->snapshot->kept_back == NULL ? 0 : status->snapshot->kept_back->count;
}

/* ---- lines ---- */

static void print_number(void *out, const char *key, uint64_t value)
{
    fprintf(out, "%-*s %" PRIu64 "\n", KEY_COLUMN, key, value);
}

static void print_string(FILE *out, const char *key, const char *value)
{
    escape_printf(out, "%-*s %s\n", KEY_COLUMN, key, value == NULL ? "" : value);
}

static void print_counter(void *context, const struct stats_value *value)
{
    if (value->value > 0)
        print_number(context, value->key, value->value);
}

/* "refused 3 h ago: zones/a.yaml:3:11: E-..." */
static void print_last(const struct status_reload *last, FILE *out)
{
    if (last->end == NULL)
        return;
    fprintf(out, "%-*s %s ", KEY_COLUMN, "last_reload", last->end);
    if (last->ago_s < TWO_MINUTES)
        fprintf(out, "%" PRIu64 " s ago", last->ago_s);
    else if (last->ago_s < TWO_HOURS)
        fprintf(out, "%" PRIu64 " min ago", last->ago_s / MINUTE);
    else
        fprintf(out, "%" PRIu64 " h ago", last->ago_s / HOUR);
    escape_printf(out, "%s%s\n", last->cause == NULL ? "" : ": ",
                  last->cause == NULL ? "" : last->cause);
}

static void print_last_good(const struct status *status, FILE *out)
{
    for (size_t i = 0; i < status->last_good_count; i++) {
        const struct load_last_good *file = &status->last_good[i];
        char accepted[CLOCK_TEXT_OCTETS];
        clock_format(file->accepted_s, accepted);
        escape_printf(out, "%-*s ! %s %s%s: ", KEY_COLUMN, "last_good", file->file,
                      file->is_served ? "as accepted at " : "is not served",
                      file->is_served ? accepted : "");
        if (file->at.line > 0)
            fprintf(out, "%u:%u: ", (unsigned)file->at.line, (unsigned)file->at.column);
        escape_printf(out, "%s\n", file->cause.text);
    }
}

static void print_listen(const struct settings *settings, FILE *out)
{
    fprintf(out, "%-*s", KEY_COLUMN, "listen");
    for (size_t i = 0; i < settings->listen.count; i++) {
        char address[LISTEN_TEXT_MAX];
        listen_address_write(&settings->listen.items[i], address);
        escape_printf(out, " %s", address);
    }
    fputc('\n', out);
}

static void print_interfaces(const struct status *status, FILE *out)
{
    for (size_t i = 0; i < status->interface_count; i++) {
        const struct status_interface *interface = &status->interfaces[i];
        escape_printf(out, "%-*s %s%s %s\n", KEY_COLUMN, "xdp", interface->is_used ? "" : "! ",
                      interface->name, interface->state);
    }
}

static void print_workers(const struct status *status, FILE *out)
{
    print_number(out, "workers", status->worker_count);
    if (status->silent_count == 0)
        return;
    fprintf(out, "%-*s", KEY_COLUMN, "silent_workers");
    for (size_t i = 0; i < status->silent_count; i++)
        fprintf(out, " %zu", status->silent[i]);
    fputc('\n', out);
}

static void print_state(const struct status *status, FILE *out)
{
    const char *problem = status->state_problem;

    if (status->state->path != NULL)
        escape_printf(out, "%-*s %s%s\n", KEY_COLUMN, "state", problem == NULL ? "" : "! ",
                      problem == NULL ? status->state->path : problem);
}

static void print_upgrade_problem(const char *problem, FILE *out)
{
    if (problem != NULL)
        escape_printf(out, "%-*s ! %s\n", KEY_COLUMN, "upgrade", problem);
}

static void print_devices(const struct access *access, FILE *out)
{
    for (uint32_t device = 0; device < access->device_count; device++)
        escape_printf(out, "%-*s %s%s\n", KEY_COLUMN, "device",
                      access_has_interface(access, device) ? "" : "! no interface ",
                      access->devices[device]);
}

static void print_privileges(const struct status_privileges *privileges, FILE *out)
{
    print_string(out, "user", privileges->user);
    print_string(out, "capabilities", privileges->capabilities);
    print_string(out, "no_new_privileges", privileges->has_no_new ? "yes" : "no");
    print_string(out, "landlock", privileges->landlock);
    print_string(out, "seccomp", privileges->seccomp);
}

/* The shortest and the longest round trip of any worker: " 3-5ms". */
static void print_round_trips(const struct status_upstream *upstream, FILE *out)
{
    uint32_t least_ms = UINT32_MAX, most_ms = 0;

    for (size_t i = 0; i < upstream->view_count; i++) {
        const struct status_view *view = &upstream->views[i];
        if (view->has_rtt && view->rtt_ms < least_ms)
            least_ms = view->rtt_ms;
        if (view->has_rtt && view->rtt_ms > most_ms)
            most_ms = view->rtt_ms;
    }
    if (least_ms > most_ms || upstream->is_failing)
        return;
    fprintf(out, " %" PRIu32, least_ms);
    if (most_ms > least_ms)
        fprintf(out, "-%" PRIu32, most_ms);
    fputs("ms", out);
}

/* Prints nothing for an upstream of the root zone alone. */
static void print_zones(const struct routes *known, uint64_t routes, FILE *out)
{
    const char *between = " for ";

    for (size_t i = 0; i < known->count; i++) {
        char octets[ZONE_TEXT_MOST];
        struct text text = text_over(octets, sizeof octets);
        bool is_root_alone = routes == UINT64_C(1) << i && known->items[i].zone.length == 1;
        if ((routes >> i & 1) == 0 || is_root_alone)
            continue;
        name_add(&text, known->items[i].zone.octets);
        fprintf(out, "%s%.*s", between, (int)text_length(&text), octets);
        between = ", ";
    }
}

static void print_upstreams(const struct status *status, FILE *out)
{
    for (size_t i = 0; i < status->upstream_count; i++) {
        const struct status_upstream *upstream = &status->upstreams[i];
        fprintf(out, "%-*s %s %s", KEY_COLUMN, "upstream", upstream->text, upstream->worst);
        print_round_trips(upstream, out);
        print_zones(&status->snapshot->policy.routes, upstream->routes, out);
        fputc('\n', out);
    }
}

static void print_cache(const struct status_cache *cache, FILE *out)
{
    if (cache->octets_most > 0)
        fprintf(out, "%-*s %" PRIu64 " entries in %" PRIu64 " of %" PRIu64 " octets\n", KEY_COLUMN,
                "cache", cache->entries, cache->octets, cache->octets_most);
}

static void print_raised(const struct status_raised *raised, FILE *out)
{
    if (raised->apps > 0)
        escape_printf(out, "%-*s %zu app%s, up to %u s: %s of %s\n", KEY_COLUMN, "raised_ttl",
                      raised->apps, raised->apps == 1 ? "" : "s", (unsigned)raised->longest_seconds,
                      raised->app, raised->space);
}

static void print_limited(const struct status_limited *limited, FILE *out)
{
    if (limited->clients + limited->networks == 0)
        return;
    fprintf(out, "%-*s %zu%s client%s, %zu%s network%s in the last minute, ", KEY_COLUMN, "limited",
            limited->clients, limited->has_more_clients ? "+" : "",
            limited->clients == 1 ? "" : "s", limited->networks,
            limited->has_more_networks ? "+" : "", limited->networks == 1 ? "" : "s");
    fprintf(out, "most of all %s with %" PRIu64 " request%s\n", limited->worst, limited->requests,
            limited->requests == 1 ? "" : "s");
}

/* Which secrets are in use; never what they are. */
static const char *cookies_text(const struct settings *settings)
{
    if (!settings->cookies)
        return "off";
    return settings->cookie_secrets.count > 0 ? "cookie_secrets set" : "own secrets";
}

static const char *ports_text(const struct settings *settings)
{
    return settings->upstream_ports == UPSTREAM_PORTS_ANY ? "any" : "system";
}

/* Marked with ! when they are too few. */
static void print_ports(const struct settings *settings, FILE *out)
{
    unsigned tenths = port_range_tenths(settings->upstream_port_count);

    if (settings->upstream_port_count == 0)
        fprintf(out, "%-*s %s, how many is not known\n", KEY_COLUMN, "upstream_ports",
                ports_text(settings));
    else
        fprintf(out, "%-*s %s%s, %" PRIu32 " ports, %u.%u bits\n", KEY_COLUMN, "upstream_ports",
                port_range_is_narrow(settings) ? "! " : "", ports_text(settings),
                settings->upstream_port_count, tenths / 10, tenths % 10);
}

void status_print_text(const struct status *status, FILE *out)
{
    const struct snapshot *snapshot = status->snapshot;
    char *zones = find_zones(status);

    print_string(out, "version", SPACEDNS_VERSION);
    print_number(out, "pid", (uint64_t)status->pid);
    print_number(out, "uptime_seconds", status->uptime_s);
    print_number(out, "generation", snapshot->generation);
    print_last(&status->last, out);
    if (status->registry != NULL) {
        registry_print_text(status->registry, out);
    } else {
        print_last_good(status, out);
        print_string(out, "zones", zones);
    }
    print_string(out, "control_socket", status->control_socket);
    print_listen(status->settings, out);
    print_interfaces(status, out);
    print_workers(status, out);
    print_number(out, "spaces", snapshot_count_spaces(snapshot));
    print_number(out, "apps", snapshot->app_count);
    print_number(out, "hosts", snapshot->host_count);
    print_number(out, "kept_back", count_kept_back(status));
    print_devices(&snapshot->access, out);
    print_state(status, out);
    print_upgrade_problem(status->upgrade_problem, out);
    print_privileges(&status->privileges, out);
    print_string(out, "cookies", cookies_text(status->settings));
    print_ports(status->settings, out);
    print_upstreams(status, out);
    print_cache(&status->cache, out);
    print_raised(&status->raised, out);
    print_limited(&status->limited, out);
    stats_visit(&status->totals, print_counter, out);
    free(zones);
}

/* ---- JSON ---- */

static void add_counter(void *object, const struct stats_value *value)
{
    json_object_set_new(object, value->key, json_integer((json_int_t)value->value));
}

static json_t *json_counters(const struct totals *totals)
{
    json_t *object = json_object();

    stats_visit(totals, add_counter, object);
    return object;
}

static json_t *json_listen(const struct settings *settings)
{
    json_t *list = json_array();

    for (size_t i = 0; i < settings->listen.count; i++) {
        char address[LISTEN_TEXT_MAX];
        listen_address_write(&settings->listen.items[i], address);
        json_array_append_new(list, json_string(address));
    }
    return list;
}

static json_t *json_interfaces(const struct status *status)
{
    json_t *list = json_array();

    for (size_t i = 0; i < status->interface_count; i++) {
        const struct status_interface *interface = &status->interfaces[i];
        json_array_append_new(
            list, json_pack("{s:o, s:b, s:o}", "interface", json_text(interface->name), "used",
                            (int)interface->is_used, "state", json_text(interface->state)));
    }
    return list;
}

static json_t *json_last(const struct status_reload *last)
{
    if (last->end == NULL)
        return json_null();
    return json_pack("{s:s, s:I, s:o}", "result", last->end, "seconds_ago", (json_int_t)last->ago_s,
                     "cause", json_text(last->cause));
}

/* null: no settings file. */
static json_t *json_settings_file(const struct settings *settings)
{
    char *path = settings->file == NULL ? NULL : realpath(settings->file, NULL);
    json_t *file = json_text(path == NULL ? settings->file : path);

    free(path);
    return file;
}

static json_t *json_flags(const struct settings *settings)
{
    json_t *flags = json_array();

    for (int i = 1; i < settings->argc; i++)
        json_array_append_new(flags, json_text(settings->argv[i]));
    return flags;
}

static json_t *json_devices(const struct access *access)
{
    json_t *devices = json_array();

    for (uint32_t device = 0; device < access->device_count; device++)
        json_array_append_new(
            devices, json_pack("{s:o, s:b}", "name", json_text(access->devices[device]),
                               "has_interface", (int)access_has_interface(access, device)));
    return devices;
}

/* null: no state_dir. */
static json_t *json_state(const struct status *status)
{
    if (status->state->path == NULL)
        return json_null();
    return json_pack("{s:o, s:b, s:o}", "path", json_text(status->state->path), "used",
                     (int)state_is_used(status->state), "problem",
                     json_text(status->state_problem));
}

static json_t *json_last_good(const struct status *status)
{
    json_t *list = json_array();

    for (size_t i = 0; i < status->last_good_count; i++) {
        const struct load_last_good *file = &status->last_good[i];
        char accepted[CLOCK_TEXT_OCTETS];
        clock_format(file->accepted_s, accepted);
        json_array_append_new(
            list, json_pack("{s:o, s:b, s:o, s:s, s:i, s:i, s:o}", "file", json_text(file->file),
                            "served", (int)file->is_served, "accepted",
                            json_text(file->is_served ? accepted : NULL), "code",
                            finding_name(file->code), "line", (int)file->at.line, "column",
                            (int)file->at.column, "cause", json_text(file->cause.text)));
    }
    return list;
}

static json_t *json_privileges(const struct status_privileges *privileges)
{
    return json_pack("{s:o, s:o, s:b, s:o, s:o}", "user", json_text(privileges->user),
                     "capabilities", json_text(privileges->capabilities), "no_new_privileges",
                     (int)privileges->has_no_new, "landlock", json_text(privileges->landlock),
                     "seccomp", json_text(privileges->seccomp));
}

static json_t *json_silent(const struct status *status)
{
    json_t *silent = json_array();

    for (size_t i = 0; i < status->silent_count; i++)
        json_array_append_new(silent, json_integer((json_int_t)status->silent[i]));
    return silent;
}

static json_t *json_zones_of(const struct routes *known, uint64_t routes)
{
    json_t *zones = json_array();

    for (size_t i = 0; i < known->count; i++) {
        char octets[ZONE_TEXT_MOST];
        struct text text = text_over(octets, sizeof octets);
        name_add(&text, known->items[i].zone.octets);
        if ((routes >> i & 1) != 0)
            json_array_append_new(zones, print_text(octets, text_length(&text)));
    }
    return zones;
}

static json_t *json_views(const struct status_upstream *upstream)
{
    json_t *views = json_array();

    for (size_t i = 0; i < upstream->view_count; i++) {
        const struct status_view *view = &upstream->views[i];
        json_t *object = json_pack("{s:s}", "state", view->state);
        if (view->has_rtt)
            json_object_set_new(object, "rtt_ms", json_integer(view->rtt_ms));
        json_object_set_new(object, "worker", json_integer((json_int_t)view->worker));
        json_array_append_new(views, object);
    }
    return views;
}

static json_t *json_upstreams(const struct status *status)
{
    json_t *upstreams = json_array();

    for (size_t i = 0; i < status->upstream_count; i++) {
        const struct status_upstream *upstream = &status->upstreams[i];
        json_array_append_new(
            upstreams, json_pack("{s:o, s:o, s:o}", "upstream", json_text(upstream->text), "zones",
                                 json_zones_of(&status->snapshot->policy.routes, upstream->routes),
                                 "workers", json_views(upstream)));
    }
    return upstreams;
}

/* null: not known. */
static json_t *json_ports(const struct settings *settings)
{
    if (settings->upstream_port_count == 0)
        return json_null();
    return json_pack("{s:s, s:I, s:f}", "drawn_from", ports_text(settings), "count",
                     (json_int_t)settings->upstream_port_count, "bits",
                     port_range_tenths(settings->upstream_port_count) / 10.0);
}

static json_t *json_cache(const struct status_cache *cache)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "entries", (json_int_t)cache->entries, "octets",
                     (json_int_t)cache->octets, "octets_most", (json_int_t)cache->octets_most,
                     "evicted", (json_int_t)cache->evicted);
}

/* null: no app's. */
static json_t *json_raised(const struct status_raised *raised)
{
    if (raised->apps == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:o, s:o}", "apps", (json_int_t)raised->apps, "longest_seconds",
                     (json_int_t)raised->longest_seconds, "app", json_text(raised->app), "space",
                     json_text(raised->space));
}

static json_t *json_limited(const struct status_limited *limited)
{
    json_t *worst = json_null();

    if (limited->clients + limited->networks > 0)
        worst = json_pack("{s:s, s:I, s:I}", "who", limited->worst, "requests",
                          (json_int_t)limited->requests, "seconds_ago", (json_int_t)limited->ago_s);
    return json_pack("{s:I, s:b, s:I, s:b, s:o}", "clients", (json_int_t)limited->clients,
                     "more_clients", (int)limited->has_more_clients, "networks",
                     (json_int_t)limited->networks, "more_networks",
                     (int)limited->has_more_networks, "worst", worst);
}

void status_print_json(const struct status *status, FILE *out)
{
    const struct snapshot *snapshot = status->snapshot;
    char *zones = find_zones(status);

    print_json(
        json_pack(
            "{s:s, s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:I, "
            "s:I, s:I, "
            "s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
            "version", SPACEDNS_VERSION, "pid", status->pid, "uptime_seconds",
            (json_int_t)status->uptime_s, "generation", (json_int_t)snapshot->generation,
            "last_reload", json_last(&status->last), "last_good", json_last_good(status),
            "registry",
            status->registry == NULL ? json_null() : registry_print_json(status->registry), "zones",
            json_text(zones), "settings", json_settings_file(status->settings), "flags",
            json_flags(status->settings), "control_socket", json_text(status->control_socket),
            "listen", json_listen(status->settings), "xdp", json_interfaces(status), "workers",
            (json_int_t)status->worker_count, "silent_workers", json_silent(status), "spaces",
            (json_int_t)snapshot_count_spaces(snapshot), "apps", (json_int_t)snapshot->app_count,
            "hosts", (json_int_t)snapshot->host_count, "kept_back",
            (json_int_t)count_kept_back(status), "devices", json_devices(&snapshot->access),
            "state", json_state(status), "upgrade_problem", json_text(status->upgrade_problem),
            "privileges", json_privileges(&status->privileges), "cookies",
            cookies_text(status->settings), "upstream_ports", json_ports(status->settings),
            "upstreams", json_upstreams(status), "cache", json_cache(&status->cache), "raised_ttl",
            json_raised(&status->raised), "limited", json_limited(&status->limited), "counters",
            json_counters(&status->totals)),
        out);
    free(zones);
}
