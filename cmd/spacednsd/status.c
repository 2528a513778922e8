#include "spacednsd/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "inspect/print.h"
#include "inspect/stats_visit.h"
#include "spacednsd/workers.h"
#include "spacednsd/zones.h"

enum {
    KEY_COLUMN = 24,
    NS_PER_SECOND = 1000000000,
    MINUTE = 60,
    TWO_MINUTES = 120,
    HOUR = 3600,
    TWO_HOURS = 7200
};

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

static void add_counter(void *context, const struct stats_value *value)
{
    json_object_set_new(context, value->key, json_integer((json_int_t)value->value));
}

static json_t *json_counters(const struct server *server)
{
    json_t *object = json_object();
    struct totals totals;

    server_sum(server, &totals);
    stats_visit(&totals, add_counter, object);
    return object;
}

/* The folder as an absolute path. */
static json_t *json_zones(const struct settings *settings)
{
    char *path = realpath(settings->zones, NULL);
    const char *shown = path == NULL ? settings->zones : path;
    json_t *text = print_text(shown, strlen(shown));

    free(path);
    return text;
}

/* null until the first load is served. */
static json_t *json_last(const struct reload_last *last)
{
    uint64_t ago_s = (clock_monotonic_ns() - last->ended_ns) / NS_PER_SECOND;
    json_t *cause = last->cause.code == ERR_NONE
                        ? json_null()
                        : print_text(last->cause.text, strlen(last->cause.text));

    if (last->has_been)
        return json_pack("{s:s, s:I, s:o}", "end", reload_end_text(last->end), "seconds_ago",
                         (json_int_t)ago_s, "cause", cause);
    json_decref(cause);
    return json_null();
}

/* The folder, and its problem if it cannot be used; null: no state_dir. */
static json_t *json_state(const struct state *state, const struct err *problem)
{

    if (state->path == NULL)
        return json_null();
    return json_pack("{s:o, s:b, s:o}", "path", print_text(state->path, strlen(state->path)),
                     "used", (int)state_is_used(state), "problem",
                     problem->code == ERR_NONE ? json_null()
                                               : print_text(problem->text, strlen(problem->text)));
}

static json_t *json_status(const struct status_source *source)
{
    const struct snapshot *snapshot = server_current(source->server);
    uint64_t uptime_s = (clock_monotonic_ns() - source->started_ns) / NS_PER_SECOND;

    return json_pack("{s:s, s:i, s:I, s:I, s:o, s:o, s:s, s:o, s:i, s:o, s:i, s:i, s:i, s:I, s:o, "
                     "s:o, s:o, s:o}",
                     "version", SPACEDNS_VERSION, "pid", (int)getpid(), "uptime_seconds",
                     (json_int_t)uptime_s, "generation", (json_int_t)snapshot->generation,
                     "last_reload", json_last(source->last), "zones", json_zones(source->settings),
                     "control_socket", source->socket, "listen", json_listen(source->settings),
                     "workers", (int)server_worker_count(source->server), "silent_workers",
                     workers_silent(source), "spaces", (int)snapshot_count_spaces(snapshot), "apps",
                     (int)snapshot->app_count, "hosts", (int)snapshot->host_count, "kept_back",
                     (json_int_t)(snapshot->kept_back == NULL ? 0 : snapshot->kept_back->count),
                     "state", json_state(source->state, &source->storing->problem), "upstreams",
                     workers_upstreams(source), "cache", workers_cache(source), "counters",
                     json_counters(source->server));
}

static void print_member(const char *key, const json_t *value, FILE *out)
{
    const json_t *item;
    size_t index;

    fprintf(out, "%-*s", KEY_COLUMN, key);
    if (json_is_integer(value))
        fprintf(out, " %" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_string(value))
        escape_printf(out, " %s", json_string_value(value));
    json_array_foreach(value, index, item)
    {
        if (json_is_integer(item))
            fprintf(out, " %" JSON_INTEGER_FORMAT, json_integer_value(item));
        else
            escape_printf(out, " %s", json_string_value(item));
    }
    fputc('\n', out);
}

static void print_state(const json_t *state, FILE *out)
{
    const char *problem = json_string_value(json_object_get(state, "problem"));

    if (json_is_object(state))
        escape_printf(out, "%-*s %s%s%s\n", KEY_COLUMN, "state",
                      problem == NULL ? json_string_value(json_object_get(state, "path")) : "",
                      problem == NULL ? "" : "! ", problem == NULL ? "" : problem);
}

/* "refused 3 h ago: zones/a.yaml:3:11: E-…" */
static void print_last(const json_t *last, FILE *out)
{
    json_int_t ago_s = json_integer_value(json_object_get(last, "seconds_ago"));
    const char *cause = json_string_value(json_object_get(last, "cause"));

    if (!json_is_object(last))
        return;
    fprintf(out, "%-*s %s ", KEY_COLUMN, "last_reload",
            json_string_value(json_object_get(last, "end")));
    if (ago_s < TWO_MINUTES)
        fprintf(out, "%" JSON_INTEGER_FORMAT " s ago", ago_s);
    else if (ago_s < TWO_HOURS)
        fprintf(out, "%" JSON_INTEGER_FORMAT " min ago", ago_s / MINUTE);
    else
        fprintf(out, "%" JSON_INTEGER_FORMAT " h ago", ago_s / HOUR);
    escape_printf(out, "%s%s\n", cause == NULL ? "" : ": ", cause == NULL ? "" : cause);
}

static void print_cache(const json_t *cache, FILE *out)
{
    json_int_t most = json_integer_value(json_object_get(cache, "octets_most"));

    if (most > 0)
        fprintf(out,
                "%-*s %" JSON_INTEGER_FORMAT " entries in %" JSON_INTEGER_FORMAT
                " of %" JSON_INTEGER_FORMAT " octets\n",
                KEY_COLUMN, "cache", json_integer_value(json_object_get(cache, "entries")),
                json_integer_value(json_object_get(cache, "octets")), most);
}

/* The state, then the counters. */
static void print_status(json_t *status, FILE *out)
{
    const json_t *counters = json_object_get(status, "counters");
    const char *key;
    json_t *value;

    json_object_foreach(status, key, value)
    {
        if (strcmp(key, "last_reload") == 0)
            print_last(value, out);
        else if (strcmp(key, "state") == 0)
            print_state(value, out);
        else if (strcmp(key, "upstreams") == 0)
            workers_print_upstreams(value, out);
        else if (strcmp(key, "cache") == 0)
            print_cache(value, out);
        else if (value != counters && (!json_is_array(value) || json_array_size(value) > 0))
            print_member(key, value, out);
    }
    json_object_foreach((json_t *)counters, key, value)
    {
        if (json_integer_value(value) > 0)
            print_member(key, value, out);
    }
}

void status_print(const struct status_source *source, bool is_json, FILE *out)
{
    json_t *status = json_status(source);

    if (is_json) {
        print_json(status, out);
        return;
    }
    print_status(status, out);
    json_decref(status);
}
