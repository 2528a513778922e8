#include "spacedns/top_layout.h"

#include <stdio.h>
#include <string.h>

#include "spacedns/top_format.h"

enum {
    COLUMNS_MOST = 3,
    TWO_COLUMNS_FROM = 76,
    THREE_COLUMNS_FROM = 150,
    GAP = 2,
    TALL_HEAD_FROM = 12, /* rows of the terminal */
    TALL_HEAD = 3,
    LOW_HEAD = 1,
    LEAST_ROWS = 2, /* of a pane: a title and a row */
    LINE_OCTETS = 512,
    MS_PER_SECOND = 1000,
    PERCENT = 100,
};

/* ---- the head ---- */

static void put(struct top_canvas *canvas, unsigned row, enum top_style style, const char *text)
{
    top_canvas_put(canvas, (struct top_span){.row = row, .width = canvas->width}, style, text);
}

static uint64_t average(const struct top *top)
{
    return top->window_ms == 0
               ? 0
               : (top->queries * MS_PER_SECOND + top->window_ms / 2) / top->window_ms;
}

/* What to know before all else stands at the right. */
static void draw_notice(const struct top *top, const struct top_view *view,
                        struct top_canvas *canvas)
{
    const struct top_span row = {.width = canvas->width};
    char text[LINE_OCTETS];

    if (view->is_paused) {
        top_canvas_put_right(canvas, row, TOP_KEYS, " PAUSED ");
    } else if (top->silent_workers > 0) {
        snprintf(text, sizeof text, " %llu of %llu workers silent ",
                 (unsigned long long)top->silent_workers, (unsigned long long)top->workers);
        top_canvas_put_right(canvas, row, TOP_BAD, text);
    } else {
        snprintf(text, sizeof text, " %s", top->at);
        top_canvas_put_right(canvas, row, TOP_PLAIN, text);
    }
}

static void format_rates(const struct top *top, char text[LINE_OCTETS])
{
    char now[TOP_NUMBER_OCTETS], mean[TOP_NUMBER_OCTETS];

    snprintf(text, LINE_OCTETS, "%s/s now, %s/s in the last %llu s",
             top_format_number(top->per_second, now), top_format_number(average(top), mean),
             (unsigned long long)((top->window_ms + MS_PER_SECOND / 2) / MS_PER_SECOND));
}

static void draw_rates(const struct top *top, struct top_canvas *canvas)
{
    char text[LINE_OCTETS], number[TOP_NUMBER_OCTETS];
    uint64_t asked = top->cache_hits + top->cache_misses;

    format_rates(top, text);
    size_t length = strlen(text);
    length += (size_t)snprintf(text + length, sizeof text - length, "; %s unanswered",
                               top_format_number(top->unanswered, number));
    if (asked > 0)
        snprintf(text + length, sizeof text - length, "; cache %llu%% of %s",
                 (unsigned long long)(top->cache_hits * PERCENT / asked),
                 top_format_number(asked, number));
    put(canvas, 1, TOP_PLAIN, text);
}

/* One character a second, the newest at the right. */
static void draw_seconds(const struct top *top, struct top_canvas *canvas)
{
    static const char levels[] = " .:-=+*#%@";
    size_t room = canvas->width > GAP ? canvas->width - GAP : 0;
    size_t first = top->seconds > room ? top->seconds - room : 0;
    char text[TOP_SECONDS + 3] = "|";
    char *to = text + 1;
    uint64_t most = 1;

    for (size_t i = first; i < top->seconds; i++)
        most = top->by_second[i] > most ? top->by_second[i] : most;
    for (size_t i = first; i < top->seconds; i++) {
        uint64_t level = (top->by_second[i] * (sizeof levels - 2) + most - 1) / most;
        *to++ = levels[level];
    }
    *to++ = '|';
    *to = '\0';
    put(canvas, 2, TOP_MILD, text);
}

static void draw_head(const struct top *top, const struct top_view *view, unsigned rows,
                      struct top_canvas *canvas)
{
    char text[LINE_OCTETS], age[TOP_NUMBER_OCTETS];

    if (rows == LOW_HEAD) {
        format_rates(top, text);
        put(canvas, 0, TOP_PLAIN, text);
        if (view->is_paused)
            draw_notice(top, view, canvas);
        return;
    }
    snprintf(text, sizeof text, "generation %llu, %llu space%s, %llu app%s, up %s",
             (unsigned long long)top->generation, (unsigned long long)top->spaces,
             top->spaces == 1 ? "" : "s", (unsigned long long)top->apps, top->apps == 1 ? "" : "s",
             top_format_age(top->uptime_seconds, age));
    put(canvas, 0, TOP_PLAIN, text);
    draw_notice(top, view, canvas);
    draw_rates(top, canvas);
    draw_seconds(top, canvas);
}

/* ---- keys and help ---- */

static void draw_keys(const struct top_view *view, struct top_canvas *canvas)
{
    const struct top_span row = {.row = canvas->height - 1, .width = canvas->width};
    char text[LINE_OCTETS];

    snprintf(text, sizeof text, "%-*s", LINE_OCTETS - 1, "");
    top_canvas_put(canvas, row, TOP_KEYS, text);
    snprintf(text, sizeof text, "q quit  ? help  s sort: %s  p %s  tab next pane",
             top_sort_text(view->sort), view->is_paused ? "go on" : "pause");
    top_canvas_put(canvas, row, TOP_KEYS, text);
}

static void draw_help(struct top_canvas *canvas, unsigned first, unsigned end)
{
    static const char *const lines[] = {
        "q        quit",
        "s        sort the busiest by asked, failed, name",
        "p space  pause, go on",
        "tab      next pane; arrows: the same",
        "?        this help",
        "",
        "Counts are of the last minute, those of upstreams",
        "since the server asks them. 1,204+: at least so many,",
        "as there are more things than can be counted exactly.",
        "Failed: an error, as in spacedns logs --failed.",
        "Latency: so many of the answers took so long, or less.",
    };

    for (unsigned i = 0; i < sizeof lines / sizeof lines[0] && first + i < end; i++)
        put(canvas, first + i, TOP_PLAIN, lines[i]);
}

/* ---- panes ---- */

/* The column of each pane, by the number of columns. */
static const unsigned char column_of[COLUMNS_MOST][TOP_PANES] = {
    {0},
    {[TOP_PANE_REASONS] = 1,
     [TOP_PANE_CLASSES] = 1,
     [TOP_PANE_LATENCIES] = 1,
     [TOP_PANE_RCODES] = 1,
     [TOP_PANE_UPSTREAMS] = 1,
     [TOP_PANE_RELOADS] = 1},
    {[TOP_PANE_CLIENTS] = 1,
     [TOP_PANE_CLASSES] = 1,
     [TOP_PANE_LATENCIES] = 1,
     [TOP_PANE_NAMES] = 2,
     [TOP_PANE_RCODES] = 2,
     [TOP_PANE_UPSTREAMS] = 2,
     [TOP_PANE_RELOADS] = 2},
};

static unsigned columns_for(unsigned width)
{
    if (width >= THREE_COLUMNS_FROM)
        return 3;
    return width >= TWO_COLUMNS_FROM ? 2 : 1;
}

/* Everything that decides where a pane is. */
struct plan {
    const struct top *top;
    const struct top_view *view;
    unsigned columns;
    unsigned wanted[TOP_PANES]; /* rows with the title */
    unsigned rows[TOP_PANES];   /* that it gets; 0: it is not shown */
};

static struct plan plan_for(const struct top *top, const struct top_view *view, unsigned width)
{
    struct plan plan = {.top = top, .view = view, .columns = columns_for(width)};

    for (unsigned pane = 0; pane < TOP_PANES; pane++) {
        unsigned rows = top_pane_rows(top, (enum top_pane)pane);
        plan.wanted[pane] =
            1 + (view->rows_most > 0 && rows > view->rows_most ? view->rows_most : rows);
    }
    return plan;
}

static bool is_in(const struct plan *plan, unsigned pane, unsigned column)
{
    return column_of[plan->columns - 1][pane] == column;
}

static unsigned give_least(struct plan *plan, unsigned pane, unsigned room)
{
    if (room < LEAST_ROWS || plan->rows[pane] > 0)
        return room;
    plan->rows[pane] = LEAST_ROWS;
    return room - LEAST_ROWS;
}

/* Between two panes of a column is a blank row, if all get what they want. */
static void share_rows(struct plan *plan, unsigned column, unsigned room)
{
    bool has_given = true;

    if (plan->view->focus < TOP_PANES && is_in(plan, plan->view->focus, column))
        room = give_least(plan, plan->view->focus, room);
    for (unsigned pane = 0; pane < TOP_PANES; pane++)
        if (is_in(plan, pane, column))
            room = give_least(plan, pane, room);
    while (has_given) {
        has_given = false;
        for (unsigned pane = 0; pane < TOP_PANES && room > 0; pane++)
            if (is_in(plan, pane, column) && plan->rows[pane] > 0 &&
                plan->rows[pane] < plan->wanted[pane]) {
                plan->rows[pane]++;
                room--;
                has_given = true;
            }
    }
}

static void draw_pane(const struct plan *plan, struct top_canvas *canvas, struct top_span span,
                      enum top_pane pane)
{
    top_pane_draw_title(canvas, span, pane, plan->view->focus == pane ? TOP_FOCUS : TOP_TITLE);
    for (unsigned row = 0; row + 1 < plan->rows[pane]; row++) {
        span.row++;
        top_pane_draw_row(canvas, span, plan->top, pane, row);
    }
}

static unsigned height_of(const struct plan *plan, unsigned column)
{
    unsigned rows = 0;

    for (unsigned pane = 0; pane < TOP_PANES; pane++)
        if (is_in(plan, pane, column))
            rows += plan->wanted[pane] + 1;
    return rows;
}

static void draw_panes(const struct top *top, const struct top_view *view,
                       struct top_canvas *canvas, unsigned first, unsigned end)
{
    struct plan plan = plan_for(top, view, canvas->width);
    unsigned room = end > first ? end - first : 0, column_width = 0;

    column_width = (canvas->width - GAP * (plan.columns - 1)) / plan.columns;
    for (unsigned column = 0; column < plan.columns; column++) {
        struct top_span span = {
            .row = first, .column = column * (column_width + GAP), .width = column_width};
        bool has_gaps = room + 1 >= height_of(&plan, column);
        share_rows(&plan, column, room);
        for (unsigned pane = 0; pane < TOP_PANES; pane++) {
            if (!is_in(&plan, pane, column) || plan.rows[pane] == 0)
                continue;
            draw_pane(&plan, canvas, span, (enum top_pane)pane);
            span.row += plan.rows[pane] + has_gaps;
        }
    }
}

/* ---- all ---- */

static unsigned head_rows(unsigned height)
{
    return height >= TALL_HEAD_FROM ? TALL_HEAD : LOW_HEAD;
}

unsigned top_layout_height(const struct top *top, const struct top_view *view, unsigned width)
{
    struct plan plan = plan_for(top, view, width);
    unsigned most = 0;

    for (unsigned column = 0; column < plan.columns; column++) {
        unsigned rows = height_of(&plan, column) - 1; /* none behind the last */
        most = rows > most ? rows : most;
    }
    return TALL_HEAD + 1 + most + view->has_keys;
}

void top_layout_draw(const struct top *top, const struct top_view *view, struct top_canvas *canvas)
{
    unsigned head = head_rows(canvas->height), end = canvas->height;
    struct top sorted = *top;

    top_panes_sort(&sorted, view->sort);
    draw_head(&sorted, view, head, canvas);
    if (view->has_keys && canvas->height > 1) {
        end--;
        draw_keys(view, canvas);
    }
    if (view->has_help)
        draw_help(canvas, head, end);
    else
        draw_panes(&sorted, view, canvas, head == TALL_HEAD && !view->has_keys ? head + 1 : head,
                   end);
}
