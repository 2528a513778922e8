#include "spacedns/top_panes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spacedns/top_format.h"

enum {
    NUMBER_WIDTH = 9,
    FAILED_WIDTH = 8,
    BOTH_FROM_WIDTH = 34, /* a narrower pane has no room for the second number */
    COUNT_WIDTH = 8,
    PERCENT_WIDTH = 5,
    KEY_WIDTH = 10,
    LATENCY_WIDTH = 8,
    PERCENT = 100,
    TEXT_OCTETS = 1536,
};

/* ---- spans ---- */

/* Takes a part from the right of a span. */
static struct top_span take_right(struct top_span *span, unsigned width)
{
    unsigned taken = width < span->width ? width : span->width;

    span->width -= taken;
    return (struct top_span){
        .row = span->row, .column = span->column + span->width, .width = taken};
}

/* Writes words one after the other, with a blank between; returns what is left of the span. */
static struct top_span put_word(struct top_canvas *canvas, struct top_span span,
                                enum top_style style, const char *word)
{
    unsigned used = top_canvas_put(canvas, span, style, word);

    used += used < span.width;
    span.column += used;
    span.width -= used;
    return span;
}

static void put_number(struct top_canvas *canvas, struct top_span *span, unsigned width,
                       enum top_style style, uint64_t number)
{
    char text[TOP_NUMBER_OCTETS];

    top_canvas_put_right(canvas, take_right(span, width), style, top_format_number(number, text));
}

/* ---- the busiest ---- */

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

/* A "+" behind a number says that it may be more. */
static void put_counts(struct top_canvas *canvas, struct top_span *span,
                       const struct top_busy *busy)
{
    char text[TOP_NUMBER_OCTETS], asked[TOP_NUMBER_OCTETS + 1];
    bool has_both = span->width >= BOTH_FROM_WIDTH;

    if (has_both)
        put_number(canvas, span, FAILED_WIDTH, busy->failed > 0 ? TOP_BAD : TOP_PLAIN,
                   busy->failed);
    snprintf(asked, sizeof asked, "%s%c", top_format_number(busy->asked_least, text),
             busy->asked_most > busy->asked_least ? '+' : ' ');
    top_canvas_put_right(canvas, take_right(span, NUMBER_WIDTH), TOP_PLAIN, asked);
    span->width -= span->width > 0;
}

static void draw_app(struct top_canvas *canvas, struct top_span span, const struct top *top,
                     unsigned row)
{
    const struct top_busy *app = &top->busiest[TOP_APPS].items[row];

    put_counts(canvas, &span, app);
    span = put_word(canvas, span, TOP_PLAIN, app->name);
    put_word(canvas, span, TOP_MILD, or_empty(app->space));
}

static void draw_client(struct top_canvas *canvas, struct top_span span, const struct top *top,
                        unsigned row)
{
    const struct top_busy *client = &top->busiest[TOP_CLIENTS].items[row];

    put_counts(canvas, &span, client);
    if (client->address != NULL)
        span = put_word(canvas, span, TOP_PLAIN, client->address);
    span = put_word(canvas, span, TOP_MILD, or_empty(client->kind));
    put_word(canvas, span, TOP_MILD, client->name);
}

static void draw_name(struct top_canvas *canvas, struct top_span span, const struct top *top,
                      unsigned row)
{
    const struct top_busy *name = &top->busiest[TOP_NAMES].items[row];

    put_counts(canvas, &span, name);
    top_canvas_put(canvas, span, TOP_PLAIN, name->name);
}

/* ---- what is counted ---- */

static uint64_t sum_of(const struct top_count_list *list)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < list->count; i++)
        sum += list->items[i].queries;
    return sum == 0 ? 1 : sum;
}

/* "space      11,800   99%  ##########" */
static void draw_count(struct top_canvas *canvas, struct top_span span,
                       const struct top_count_list *list, unsigned row)
{
    const struct top_count *item = &list->items[row];
    uint64_t sum = sum_of(list);
    struct top_span left = span;
    char percent[TOP_NUMBER_OCTETS];

    left.width = KEY_WIDTH + COUNT_WIDTH + PERCENT_WIDTH < span.width
                     ? KEY_WIDTH + COUNT_WIDTH + PERCENT_WIDTH
                     : span.width;
    span.column += left.width + 1;
    span.width -= left.width < span.width ? left.width + 1 : left.width;
    snprintf(percent, sizeof percent, "%llu%%",
             (unsigned long long)((item->queries * PERCENT + sum / 2) / sum));
    top_canvas_put_right(canvas, take_right(&left, PERCENT_WIDTH), TOP_PLAIN, percent);
    put_number(canvas, &left, COUNT_WIDTH, TOP_PLAIN, item->queries);
    top_canvas_put(canvas, left, TOP_PLAIN, item->key);
    unsigned bar = (unsigned)(item->queries * span.width / sum);
    for (unsigned i = 0; i < bar; i++)
        top_canvas_put(canvas, (struct top_span){span.row, span.column + i, 1}, TOP_MILD, "#");
}

static void draw_class(struct top_canvas *canvas, struct top_span span, const struct top *top,
                       unsigned row)
{
    draw_count(canvas, span, &top->counts[TOP_CLASSES], row);
}

static void draw_rcode(struct top_canvas *canvas, struct top_span span, const struct top *top,
                       unsigned row)
{
    draw_count(canvas, span, &top->counts[TOP_RCODES], row);
}

static void draw_reason(struct top_canvas *canvas, struct top_span span, const struct top *top,
                        unsigned row)
{
    const struct top_count *reason = &top->counts[TOP_REASONS].items[row];

    put_number(canvas, &span, NUMBER_WIDTH, TOP_PLAIN, reason->queries);
    span.width -= span.width > 0;
    span = put_word(canvas, span, TOP_BAD, reason->key);
    top_canvas_put(canvas, span, TOP_PLAIN, or_empty(reason->text));
}

static void draw_latency(struct top_canvas *canvas, struct top_span span, const struct top *top,
                         unsigned row)
{
    const struct top_latency *latency = &top->latencies[row];
    const uint32_t all[] = {latency->p99_us, latency->p90_us, latency->p50_us};
    char text[TOP_NUMBER_OCTETS];

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        top_canvas_put_right(canvas, take_right(&span, LATENCY_WIDTH), TOP_PLAIN,
                             top_format_latency(all[i], text));
    top_canvas_put(canvas, span, TOP_PLAIN, latency->source);
}

/* ---- upstreams, reloads ---- */

static enum top_style style_of(const char *state)
{
    if (strcmp(state, "up") == 0)
        return TOP_GOOD;
    return strcmp(state, "failing") == 0 ? TOP_BAD : TOP_DOUBTFUL;
}

static void draw_upstream(struct top_canvas *canvas, struct top_span span, const struct top *top,
                          unsigned row)
{
    const struct top_upstream *upstream = &top->upstreams[row];
    char text[TEXT_OCTETS];

    if (span.width >= BOTH_FROM_WIDTH)
        put_number(canvas, &span, FAILED_WIDTH, upstream->failures > 0 ? TOP_BAD : TOP_PLAIN,
                   upstream->failures);
    put_number(canvas, &span, NUMBER_WIDTH, TOP_PLAIN, upstream->queries);
    span.width -= span.width > 0;
    span = put_word(canvas, span, TOP_PLAIN, upstream->text);
    span = put_word(canvas, span, style_of(upstream->state), upstream->state);
    snprintf(text, sizeof text, "%llums", (unsigned long long)upstream->rtt_ms);
    if (upstream->has_rtt)
        put_word(canvas, span, TOP_PLAIN, text);
}

/* Those that there were: "7 done, 1 refused". */
static void draw_reloads(struct top_canvas *canvas, struct top_span span, const struct top *top)
{
    const struct {
        uint64_t count;
        const char *word;
    } all[] = {{top->reloads_done, "done"},
               {top->reloads_unchanged, "unchanged"},
               {top->reloads_refused, "refused"},
               {top->reloads_guarded, "guarded"}};
    char text[TEXT_OCTETS] = "none";
    size_t length = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].count > 0)
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%llu %s",
                                       length == 0 ? "" : ", ", (unsigned long long)all[i].count,
                                       all[i].word);
    top_canvas_put(canvas, span, TOP_PLAIN, text);
}

static void draw_reload(struct top_canvas *canvas, struct top_span span, const struct top *top,
                        unsigned row)
{
    char text[TEXT_OCTETS], age[TOP_NUMBER_OCTETS];

    if (row == 0) {
        draw_reloads(canvas, span, top);
    } else if (row == 1) {
        span = put_word(canvas, span, TOP_PLAIN, "last:");
        span = put_word(canvas, span, top->reload_cause == NULL ? TOP_GOOD : TOP_BAD, top->reload);
        snprintf(text, sizeof text, "%s ago", top_format_age(top->reload_seconds_ago, age));
        top_canvas_put(canvas, span, TOP_PLAIN, text);
    } else {
        top_canvas_put(canvas, span, TOP_BAD, top->reload_cause);
    }
}

/* ---- all panes ---- */

static unsigned count_apps(const struct top *top)
{
    return (unsigned)top->busiest[TOP_APPS].count;
}

static unsigned count_clients(const struct top *top)
{
    return (unsigned)top->busiest[TOP_CLIENTS].count;
}

static unsigned count_names(const struct top *top)
{
    return (unsigned)top->busiest[TOP_NAMES].count;
}

static unsigned count_classes(const struct top *top)
{
    return (unsigned)top->counts[TOP_CLASSES].count;
}

static unsigned count_rcodes(const struct top *top)
{
    return (unsigned)top->counts[TOP_RCODES].count;
}

static unsigned count_reasons(const struct top *top)
{
    return (unsigned)top->counts[TOP_REASONS].count;
}

static unsigned count_latencies(const struct top *top)
{
    return (unsigned)top->latency_count;
}

static unsigned count_upstreams(const struct top *top)
{
    return (unsigned)top->upstream_count;
}

static unsigned count_reloads(const struct top *top)
{
    return 1U + (top->reload != NULL) + (top->reload != NULL && top->reload_cause != NULL);
}

typedef unsigned count_rows(const struct top *top);
typedef void draw_row(struct top_canvas *canvas, struct top_span span, const struct top *top,
                      unsigned row);

static const struct {
    const char *title;
    const char *columns[3]; /* the rightmost one first; NULL: no more */
    unsigned widths[3];
    unsigned needed; /* the width from which the rightmost one is there */
    count_rows *count;
    draw_row *draw;
} panes[TOP_PANES] = {
    [TOP_PANE_APPS] = {"Apps",
                       {"failed", "asked "},
                       {FAILED_WIDTH, NUMBER_WIDTH},
                       BOTH_FROM_WIDTH,
                       count_apps,
                       draw_app},
    [TOP_PANE_CLIENTS] = {"Clients",
                          {"failed", "asked "},
                          {FAILED_WIDTH, NUMBER_WIDTH},
                          BOTH_FROM_WIDTH,
                          count_clients,
                          draw_client},
    [TOP_PANE_NAMES] = {"Names",
                        {"failed", "asked "},
                        {FAILED_WIDTH, NUMBER_WIDTH},
                        BOTH_FROM_WIDTH,
                        count_names,
                        draw_name},
    [TOP_PANE_REASONS] = {"Reasons", {"replies"}, {NUMBER_WIDTH}, 0, count_reasons, draw_reason},
    [TOP_PANE_CLASSES] = {"Clients by class", {NULL}, {0}, 0, count_classes, draw_class},
    [TOP_PANE_RCODES] = {"Response codes", {NULL}, {0}, 0, count_rcodes, draw_rcode},
    [TOP_PANE_LATENCIES] = {"Latency",
                            {"99%", "90%", "50%"},
                            {LATENCY_WIDTH, LATENCY_WIDTH, LATENCY_WIDTH},
                            0,
                            count_latencies,
                            draw_latency},
    [TOP_PANE_UPSTREAMS] = {"Upstreams",
                            {"failed", "asked"},
                            {FAILED_WIDTH, NUMBER_WIDTH},
                            BOTH_FROM_WIDTH,
                            count_upstreams,
                            draw_upstream},
    [TOP_PANE_RELOADS] = {"Reloads", {NULL}, {0}, 0, count_reloads, draw_reload},
};

/* An empty pane has a row that says so. */
unsigned top_pane_rows(const struct top *top, enum top_pane pane)
{
    unsigned count = panes[pane].count(top);

    return count == 0 ? 1 : count;
}

void top_pane_draw_title(struct top_canvas *canvas, struct top_span span, enum top_pane pane,
                         enum top_style style)
{
    bool has_first = span.width >= panes[pane].needed;

    for (unsigned i = 0; style == TOP_FOCUS && i < span.width; i++)
        top_canvas_put(canvas, (struct top_span){span.row, span.column + i, 1}, style, " ");
    for (size_t i = has_first ? 0 : 1; i < 3 && panes[pane].columns[i] != NULL; i++)
        top_canvas_put_right(canvas, take_right(&span, panes[pane].widths[i]), style,
                             panes[pane].columns[i]);
    top_canvas_put(canvas, span, style, panes[pane].title);
}

void top_pane_draw_row(struct top_canvas *canvas, struct top_span span, const struct top *top,
                       enum top_pane pane, unsigned row)
{
    if (panes[pane].count(top) == 0)
        top_canvas_put(canvas, span, TOP_PLAIN, "none");
    else
        panes[pane].draw(canvas, span, top, row);
}

/* ---- sorting ---- */

const char *top_sort_text(enum top_sort sort)
{
    static const char *const texts[TOP_SORTS] = {
        [TOP_BY_ASKED] = "asked", [TOP_BY_FAILED] = "failed", [TOP_BY_NAME] = "name"};

    return texts[sort];
}

static int compare(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int by_name(const void *one, const void *other)
{
    const struct top_busy *a = one, *b = other;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : strcmp(or_empty(a->address), or_empty(b->address));
}

static int by_asked(const void *one, const void *other)
{
    const struct top_busy *a = one, *b = other;
    int order = compare(a->asked_least, b->asked_least);

    return order != 0 ? order : by_name(one, other);
}

static int by_failed(const void *one, const void *other)
{
    const struct top_busy *a = one, *b = other;
    int order = compare(a->failed, b->failed);

    return order != 0 ? order : by_asked(one, other);
}

void top_panes_sort(struct top *top, enum top_sort sort)
{
    static int (*const orders[TOP_SORTS])(const void *one, const void *other) = {
        [TOP_BY_ASKED] = by_asked, [TOP_BY_FAILED] = by_failed, [TOP_BY_NAME] = by_name};

    for (size_t i = 0; i < TOP_BUSIEST; i++)
        qsort(top->busiest[i].items, top->busiest[i].count, sizeof top->busiest[i].items[0],
              orders[sort]);
}
