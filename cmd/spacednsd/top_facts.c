#include "spacednsd/top_facts.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "inspect/top.h"
#include "spacednsd/workers.h"
#include "wire/types.h"

enum {
    NS_PER_SECOND = 1000000000,
    US_PER_SECOND = 1000000,
    TEXT_OCTETS = 4 * NAME_MAX_OCTETS + 1,
    PERCENT_50 = 50,
    PERCENT_90 = 90,
    PERCENT_99 = 99,
};

/* A top while it is filled in. */
struct gathering {
    const struct status_source *source;
    struct arena *arena;
    struct top *top;
    bool lacks_memory;
};

/* A copy that lasts as long as the arena. */
static const char *keep(struct gathering *gathering, const char *text, size_t length)
{
    const char *kept = arena_text(gathering->arena, text, length);

    gathering->lacks_memory |= kept == NULL;
    return kept == NULL ? "" : kept;
}

/* ---- the last minute ---- */

static void add_count(struct top *top, enum top_counts which, const struct top_count *count)
{
    struct top_count_list *list = &top->counts[which];

    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].key, count->key) == 0) { /* reasons that share a code */
            list->items[i].queries += count->queries;
            return;
        }
    if (count->queries > 0 && list->count < TOP_COUNTS_MOST)
        list->items[list->count++] = *count;
}

static void sort_counts(struct top_count_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        const struct top_count moved = list->items[i];
        size_t place = i;
        for (; place > 0 && list->items[place - 1].queries < moved.queries; place--)
            list->items[place] = list->items[place - 1];
        list->items[place] = moved;
    }
}

static void add_replies(struct gathering *gathering, const struct minute_counts *counts)
{
    static const char *const transports[STATS_TRANSPORTS] = {"udp", "tcp"};
    struct top *top = gathering->top;

    for (size_t i = 0; i < STATS_TRANSPORTS; i++)
        add_count(top, TOP_TRANSPORTS,
                  &(struct top_count){transports[i], NULL, counts->transports[i]});
    for (size_t i = 0; i < STATS_CLASSES; i++)
        add_count(top, TOP_CLASSES,
                  &(struct top_count){class_text((enum client_class)i), NULL, counts->classes[i]});
    for (size_t i = 0; i < STATS_RCODES; i++) {
        char octets[TEXT_OCTETS];
        struct text text = text_over(octets, sizeof octets);
        rcode_add(&text, (uint16_t)i);
        if (counts->rcodes[i] > 0)
            add_count(top, TOP_RCODES,
                      &(struct top_count){keep(gathering, octets, text_length(&text)), NULL,
                                          counts->rcodes[i]});
    }
    for (size_t i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const struct reason_entry *entry = reason_entry((enum reason)i);
        add_count(top, TOP_REASONS,
                  &(struct top_count){entry->code, entry->description, counts->reasons[i]});
    }
    for (size_t i = 0; i < TOP_COUNTS; i++)
        sort_counts(&top->counts[i]);
}

static void add_latencies(struct top *top, const struct minute_counts *counts)
{
    for (size_t i = 0; i < STATS_SOURCES; i++) {
        const uint64_t *durations = counts->durations[i];
        struct top_latency *latency = &top->latencies[top->latency_count];
        *latency = (struct top_latency){.source = stats_source_text((enum stats_source)i),
                                        .p50_us = minute_percentile_us(durations, PERCENT_50),
                                        .p90_us = minute_percentile_us(durations, PERCENT_90),
                                        .p99_us = minute_percentile_us(durations, PERCENT_99)};
        for (size_t j = 0; j < STATS_DURATIONS; j++)
            latency->queries += durations[j];
        top->latency_count += latency->queries > 0;
    }
}

static void add_counters(struct top *top, const uint64_t *counters)
{
    static const enum counter unanswered[] = {
        COUNTER_UDP_OUTDATED,     COUNTER_UDP_OVERSIZED,  COUNTER_DROPPED,
        COUNTER_EXTERNAL_DROPPED, COUNTER_CLIENT_DROPPED, COUNTER_UDP_KERNEL_DROPS,
        COUNTER_XDP_DAMAGED,      COUNTER_XDP_DROPPED,    COUNTER_XDP_RING_FULL,
        COUNTER_XDP_FILL_EMPTY,
    };

    for (size_t i = 0; i < sizeof unanswered / sizeof unanswered[0]; i++)
        top->unanswered += counters[unanswered[i]];
    top->cache_hits = counters[COUNTER_FORWARD_HITS] + counters[COUNTER_FORWARD_STALE];
    top->cache_misses = counters[COUNTER_FORWARD_MISSES];
}

static void add_minute(struct gathering *gathering, uint64_t now_ns)
{
    struct top *top = gathering->top;
    struct minute_sum sum;
    struct totals totals;

    server_sum(gathering->source->server, &totals);
    minute_read(gathering->source->minute, &totals, now_ns, &sum);
    top->window_ms = sum.ms;
    top->queries = sum.counts.replies;
    top->per_second = sum.per_second;
    top->seconds = sum.seconds;
    memcpy(top->by_second, sum.by_second, sizeof top->by_second);
    add_replies(gathering, &sum.counts);
    add_latencies(top, &sum.counts);
    add_counters(top, sum.counts.counters);
}

/* ---- the busiest ---- */

static const char *keep_string(struct gathering *gathering, const char *text)
{
    return text[0] == '\0' ? NULL : keep(gathering, text, strlen(text));
}

static void label_app(struct gathering *gathering, const void *label, struct top_busy *busy)
{
    const struct leader_app *app = label;

    busy->space = keep_string(gathering, app->space);
    busy->name = keep(gathering, app->name, strlen(app->name));
}

static void label_client(struct gathering *gathering, const void *label, struct top_busy *busy)
{
    const struct leader_client *client = label;
    char address[ENDPOINT_TEXT_MAX];

    ipv4_write(client->address, address);
    busy->address = client->address == 0 ? NULL : keep(gathering, address, strlen(address));
    busy->kind = party_kind_text((enum party_kind)client->kind);
    busy->space = keep_string(gathering, client->space);
    busy->name = keep(gathering, client->name, strlen(client->name));
}

static void label_name(struct gathering *gathering, const void *label, struct top_busy *busy)
{
    const struct leader_name *name = label;
    char octets[TEXT_OCTETS];
    struct text text = text_over(octets, sizeof octets);

    name_add(&text, name->octets);
    busy->name = keep(gathering, octets, text_length(&text));
}

typedef void label_thing(struct gathering *gathering, const void *label, struct top_busy *busy);

static const struct {
    enum leader_list leaders;
    label_thing *label;
} busiest_lists[TOP_BUSIEST] = {
    [TOP_APPS] = {LEADER_APPS, label_app},
    [TOP_CLIENTS] = {LEADER_CLIENTS, label_client},
    [TOP_NAMES] = {LEADER_NAMES, label_name},
};

/*
 * The labels are where they were, so they say which thing is there already; one without failures
 * always is, as it is among the first by what was asked.
 */
static bool has_thing(const struct busiest_thing *things, size_t count, const void *label)
{
    for (size_t i = 0; i < count; i++)
        if (things[i].label == label)
            return true;
    return false;
}

static void add_busiest(struct gathering *gathering, enum top_busiest which, uint32_t now_s)
{
    const struct busiest *busiest = leaders_busiest(usage_leaders(gathering->source->usage->usage),
                                                    busiest_lists[which].leaders);
    struct top_busy_list *list = &gathering->top->busiest[which];
    struct busiest_thing things[TOP_BUSY_MOST], failed[TOP_BUSY_BY_FAILED];
    size_t count = busiest_list(busiest, now_s, BUSIEST_BY_COUNT, things, TOP_BUSY_BY_COUNT);
    size_t others = busiest_list(busiest, now_s, BUSIEST_BY_FAILED, failed, TOP_BUSY_BY_FAILED);

    for (size_t i = 0; i < others; i++)
        if (!has_thing(things, count, failed[i].label))
            things[count++] = failed[i];
    for (list->count = 0; list->count < count; list->count++) {
        const struct busiest_counts *counts = &things[list->count].counts;
        struct top_busy *busy = &list->items[list->count];
        *busy = (struct top_busy){.asked_least = counts->count - counts->error,
                                  .asked_most = counts->count,
                                  .failed = counts->failed};
        busiest_lists[which].label(gathering, things[list->count].label, busy);
    }
}

/* ---- upstreams, reloads ---- */

static void add_uses(const struct server *server, struct top_upstream *upstream)
{
    for (size_t worker = 0; worker < server_worker_count(server); worker++) {
        const struct worker_report *report = server_worker_report(server, worker);
        for (size_t i = 0; report != NULL && i < report->use_count; i++) {
            const struct reported_use *use = &report->uses[i];
            if (strcmp(report->servers[use->server].text, upstream->text) != 0)
                continue;
            upstream->queries += use->use.queries;
            upstream->failures += use->use.failures;
        }
    }
}

static struct top_upstream read_upstream(const struct status_upstream *upstream)
{
    struct top_upstream read = {.text = upstream->text, .state = upstream->worst};

    for (size_t i = 0; i < upstream->view_count; i++) {
        const struct status_view *view = &upstream->views[i];
        read.has_rtt |= view->has_rtt;
        if (view->has_rtt && view->rtt_ms > read.rtt_ms)
            read.rtt_ms = view->rtt_ms;
    }
    return read;
}

/* Those that fail go first, so that none of them is left out. */
static bool add_workers(struct gathering *gathering)
{
    const struct server *server = gathering->source->server;
    struct status status = {.snapshot = server_current(server)};
    struct top *top = gathering->top;

    if (!workers_read(server, gathering->arena, &status))
        return false;
    top->workers = status.worker_count;
    top->silent_workers = status.silent_count;
    top->cache_entries = status.cache.entries;
    for (unsigned is_well = 0; is_well <= 1; is_well++)
        for (size_t i = 0; i < status.upstream_count; i++) {
            if (status.upstreams[i].is_failing == (is_well == 1) ||
                top->upstream_count == TOP_UPSTREAMS_MOST)
                continue;
            struct top_upstream *upstream = &top->upstreams[top->upstream_count++];
            *upstream = read_upstream(&status.upstreams[i]);
            add_uses(server, upstream);
        }
    return true;
}

static void add_reloads(struct gathering *gathering, uint64_t now_ns)
{
    const struct reload_last *last = gathering->source->last;
    const uint64_t *ended = gathering->source->history->ended;
    struct top *top = gathering->top;

    top->reloads_done = ended[RELOAD_DONE];
    top->reloads_unchanged = ended[RELOAD_UNCHANGED];
    top->reloads_refused = ended[RELOAD_REFUSED];
    top->reloads_guarded = ended[RELOAD_GUARDED];
    if (!last->has_been)
        return;
    top->reload = reload_end_text(last->end);
    top->reload_seconds_ago = (now_ns - last->ended_ns) / NS_PER_SECOND;
    top->reload_cause = last->cause.code == ERR_NONE ? NULL : last->cause.text;
}

/* ---- all ---- */

static bool gather(struct gathering *gathering)
{
    const struct status_source *source = gathering->source;
    const struct snapshot *snapshot = server_current(source->server);
    uint32_t now_s = (uint32_t)(clock_wall_us() / US_PER_SECOND);
    uint64_t now_ns = clock_monotonic_ns();
    char at[CLOCK_TEXT_OCTETS];

    clock_format(now_s, at);
    gathering->top->at = keep(gathering, at, strlen(at));
    gathering->top->uptime_seconds = (now_ns - source->started_ns) / NS_PER_SECOND;
    gathering->top->generation = snapshot->generation;
    gathering->top->spaces = snapshot_count_spaces(snapshot);
    gathering->top->apps = snapshot->app_count;
    add_minute(gathering, now_ns);
    for (size_t i = 0; i < TOP_BUSIEST; i++)
        add_busiest(gathering, (enum top_busiest)i, now_s);
    add_reloads(gathering, now_ns);
    return add_workers(gathering) && !gathering->lacks_memory;
}

bool top_facts_print(const struct status_source *source, bool is_line, FILE *out)
{
    struct top top = {.at = ""};
    struct gathering gathering = {.source = source, .arena = arena_new(), .top = &top};
    bool is_whole = gathering.arena != NULL && gather(&gathering);

    if (is_whole)
        top_print_json(&top, is_line, out);
    arena_free(gathering.arena);
    return is_whole;
}
