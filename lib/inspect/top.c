#include "inspect/top.h"

#include <string.h>

#include "inspect/print.h"

/* ---- what both directions know of ---- */

static const struct {
    const char *key;
    size_t offset;
} numbers[] = {
#define NUMBER(field)                                                                              \
    {                                                                                              \
#field, offsetof(struct top, field)                                                        \
    }
    NUMBER(uptime_seconds),
    NUMBER(generation),
    NUMBER(spaces),
    NUMBER(apps),
    NUMBER(workers),
    NUMBER(silent_workers),
    NUMBER(window_ms),
    NUMBER(queries),
    NUMBER(per_second),
    NUMBER(unanswered),
    NUMBER(cache_entries),
    NUMBER(cache_hits),
    NUMBER(cache_misses),
    NUMBER(reloads_done),
    NUMBER(reloads_unchanged),
    NUMBER(reloads_refused),
    NUMBER(reloads_guarded),
    NUMBER(reload_seconds_ago),
#undef NUMBER
};

enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

/* The list, and what its items are called by. */
static const struct {
    const char *list, *key;
} counts_keys[TOP_COUNTS] = {
    [TOP_TRANSPORTS] = {"transports", "transport"},
    [TOP_CLASSES] = {"classes", "class"},
    [TOP_RCODES] = {"rcodes", "rcode"},
    [TOP_REASONS] = {"reasons", "reason"},
};

static const char *const busiest_keys[TOP_BUSIEST] = {
    [TOP_APPS] = "busiest_apps",
    [TOP_CLIENTS] = "busiest_clients",
    [TOP_NAMES] = "busiest_names",
};

/* ---- printing ---- */

static json_t *json_number(uint64_t number)
{
    return json_integer((json_int_t)number);
}

/* What a thing does not have is left out. */
static void set_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL)
        json_object_set_new(object, key, json_text(text));
}

static void set_counts(json_t *object, const struct top *top, enum top_counts which)
{
    json_t *list = json_array();

    for (size_t i = 0; i < top->counts[which].count; i++) {
        const struct top_count *item = &top->counts[which].items[i];
        json_t *one = json_object();
        set_text(one, counts_keys[which].key, item->key);
        set_text(one, "text", item->text);
        json_object_set_new(one, "queries", json_number(item->queries));
        json_array_append_new(list, one);
    }
    json_object_set_new(object, counts_keys[which].list, list);
}

/* NULL for one that is longer than any bucket. */
static json_t *json_latency(uint32_t us)
{
    return us == UINT32_MAX ? json_null() : json_integer(us);
}

static json_t *json_latencies(const struct top *top)
{
    json_t *list = json_array();

    for (size_t i = 0; i < top->latency_count; i++) {
        const struct top_latency *item = &top->latencies[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "source", item->source,
                                              "queries", json_number(item->queries), "p50_us",
                                              json_latency(item->p50_us), "p90_us",
                                              json_latency(item->p90_us), "p99_us",
                                              json_latency(item->p99_us)));
    }
    return list;
}

static json_t *json_busiest(const struct top_busy_list *busiest)
{
    json_t *list = json_array();

    for (size_t i = 0; i < busiest->count; i++) {
        const struct top_busy *item = &busiest->items[i];
        json_t *one = json_object();
        set_text(one, "address", item->address);
        set_text(one, "kind", item->kind);
        set_text(one, "space", item->space);
        set_text(one, "name", item->name);
        json_object_set_new(one, "asked_least", json_number(item->asked_least));
        json_object_set_new(one, "asked_most", json_number(item->asked_most));
        json_object_set_new(one, "failed", json_number(item->failed));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *json_upstreams(const struct top *top)
{
    json_t *list = json_array();

    for (size_t i = 0; i < top->upstream_count; i++) {
        const struct top_upstream *item = &top->upstreams[i];
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:o, s:o, s:o}", "upstream",
                                        json_text(item->text), "state", item->state, "rtt_ms",
                                        item->has_rtt ? json_number(item->rtt_ms) : json_null(),
                                        "queries_since_start", json_number(item->queries),
                                        "failures_since_start", json_number(item->failures)));
    }
    return list;
}

static json_t *json_seconds(const struct top *top)
{
    json_t *list = json_array();

    for (size_t i = 0; i < top->seconds; i++)
        json_array_append_new(list, json_number(top->by_second[i]));
    return list;
}

static json_t *to_json(const struct top *top)
{
    json_t *object = json_object();

    json_object_set_new(object, "at", json_text(top->at));
    for (size_t i = 0; i < NUMBERS; i++) {
        uint64_t number;
        memcpy(&number, (const char *)top + numbers[i].offset, sizeof number);
        json_object_set_new(object, numbers[i].key, json_number(number));
    }
    json_object_set_new(object, "last_reload", json_text(top->reload));
    json_object_set_new(object, "reload_cause", json_text(top->reload_cause));
    json_object_set_new(object, "by_second", json_seconds(top));
    for (size_t i = 0; i < TOP_COUNTS; i++)
        set_counts(object, top, (enum top_counts)i);
    json_object_set_new(object, "latencies", json_latencies(top));
    for (size_t i = 0; i < TOP_BUSIEST; i++)
        json_object_set_new(object, busiest_keys[i], json_busiest(&top->busiest[i]));
    json_object_set_new(object, "upstreams", json_upstreams(top));
    return object;
}

void top_print_json(const struct top *top, bool is_line, FILE *out)
{
    json_t *object = to_json(top);

    if (is_line)
        print_json_line(object, out);
    else
        print_json(object, out);
}

/* ---- reading ---- */

static uint64_t read_number(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));

    return number < 0 ? 0 : (uint64_t)number;
}

static const char *read_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Of a text that is always there. */
static const char *read_needed(const json_t *object, const char *key)
{
    const char *text = read_text(object, key);

    return text == NULL ? "" : text;
}

static size_t bounded(const json_t *list, size_t most)
{
    size_t count = json_array_size(list);

    return count < most ? count : most;
}

static void read_counts(const json_t *object, struct top *top, enum top_counts which)
{
    const json_t *list = json_object_get(object, counts_keys[which].list);
    struct top_count_list *counts = &top->counts[which];

    for (counts->count = 0; counts->count < bounded(list, TOP_COUNTS_MOST); counts->count++) {
        const json_t *one = json_array_get(list, counts->count);
        counts->items[counts->count] =
            (struct top_count){.key = read_needed(one, counts_keys[which].key),
                               .text = read_text(one, "text"),
                               .queries = read_number(one, "queries")};
    }
}

static uint32_t read_latency(const json_t *object, const char *key)
{
    uint64_t us = read_number(object, key);

    return json_is_null(json_object_get(object, key)) || us > UINT32_MAX ? UINT32_MAX
                                                                         : (uint32_t)us;
}

static void read_latencies(const json_t *list, struct top *top)
{
    size_t *count = &top->latency_count;

    for (*count = 0; *count < bounded(list, TOP_LATENCIES_MOST); ++*count) {
        const json_t *one = json_array_get(list, *count);
        top->latencies[*count] = (struct top_latency){.source = read_needed(one, "source"),
                                                      .queries = read_number(one, "queries"),
                                                      .p50_us = read_latency(one, "p50_us"),
                                                      .p90_us = read_latency(one, "p90_us"),
                                                      .p99_us = read_latency(one, "p99_us")};
    }
}

static void read_busiest(const json_t *list, struct top_busy_list *busiest)
{
    for (busiest->count = 0; busiest->count < bounded(list, TOP_BUSY_MOST); busiest->count++) {
        const json_t *one = json_array_get(list, busiest->count);
        busiest->items[busiest->count] =
            (struct top_busy){.address = read_text(one, "address"),
                              .kind = read_text(one, "kind"),
                              .space = read_text(one, "space"),
                              .name = read_needed(one, "name"),
                              .asked_least = read_number(one, "asked_least"),
                              .asked_most = read_number(one, "asked_most"),
                              .failed = read_number(one, "failed")};
    }
}

static void read_upstreams(const json_t *list, struct top *top)
{
    size_t *count = &top->upstream_count;

    for (*count = 0; *count < bounded(list, TOP_UPSTREAMS_MOST); ++*count) {
        const json_t *one = json_array_get(list, *count);
        top->upstreams[*count] =
            (struct top_upstream){.text = read_needed(one, "upstream"),
                                  .state = read_needed(one, "state"),
                                  .has_rtt = json_is_integer(json_object_get(one, "rtt_ms")),
                                  .rtt_ms = read_number(one, "rtt_ms"),
                                  .queries = read_number(one, "queries_since_start"),
                                  .failures = read_number(one, "failures_since_start")};
    }
}

static void read_seconds(const json_t *list, struct top *top)
{
    for (top->seconds = 0; top->seconds < bounded(list, TOP_SECONDS); top->seconds++) {
        json_int_t number = json_integer_value(json_array_get(list, top->seconds));
        top->by_second[top->seconds] = number < 0 ? 0 : (uint64_t)number;
    }
}

bool top_read(const json_t *json, struct top *top)
{
    *top = (struct top){.at = ""};
    if (!json_is_object(json))
        return false;
    for (size_t i = 0; i < NUMBERS; i++) {
        uint64_t number = read_number(json, numbers[i].key);
        memcpy((char *)top + numbers[i].offset, &number, sizeof number);
    }
    top->at = read_needed(json, "at");
    top->reload = read_text(json, "last_reload");
    top->reload_cause = read_text(json, "reload_cause");
    read_seconds(json_object_get(json, "by_second"), top);
    for (size_t i = 0; i < TOP_COUNTS; i++)
        read_counts(json, top, (enum top_counts)i);
    read_latencies(json_object_get(json, "latencies"), top);
    for (size_t i = 0; i < TOP_BUSIEST; i++)
        read_busiest(json_object_get(json, busiest_keys[i]), &top->busiest[i]);
    read_upstreams(json_object_get(json, "upstreams"), top);
    return true;
}
