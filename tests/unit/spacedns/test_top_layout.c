#include "spacedns/top_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { SCREEN_OCTETS = TOP_WIDTH_MOST * 200 };

static struct top top;
static struct top_view view;
static char shown[SCREEN_OCTETS];

static const struct top usual = {
    .at = "2026-11-30T10:41:17Z",
    .uptime_seconds = 7300,
    .generation = 7,
    .spaces = 2,
    .apps = 13,
    .workers = 2,
    .window_ms = 60003,
    .queries = 11880,
    .per_second = 205,
    .by_second = {0, 1, 50, 100},
    .seconds = 4,
    .unanswered = 3,
    .cache_entries = 14,
    .cache_hits = 150,
    .cache_misses = 50,
    .counts = {[TOP_TRANSPORTS] = {{{"udp", NULL, 11000}, {"tcp", NULL, 880}}, 2},
               [TOP_CLASSES] = {{{"space", NULL, 11800}, {"external", NULL, 80}}, 2},
               [TOP_RCODES] = {{{"NOERROR", NULL, 11000}, {"NXDOMAIN", NULL, 880}}, 2},
               [TOP_REASONS] = {{{"Q14", "No web dynos running", 21}, {"Q18", "Outside", 2}}, 2}},
    .latencies = {{"local", 22, 25, 50, 100}, {"upstream", 23, 2500, 5000000, UINT32_MAX}},
    .latency_count = 2,
    .busiest =
        {[TOP_APPS] =
             {{{.name = "frozen-oasis-70544",
                .space = "test-space",
                .asked_least = 5120,
                .asked_most = 5120},
               {.name = "sleepy-river-2739",
                .space = "test-space",
                .asked_least = 1204,
                .asked_most = 1300,
                .failed = 204},
               {.name = "quiet-app-1", .space = "test-space", .asked_least = 2, .asked_most = 2},
               {.name = "a-quiet-app", .space = "test-space", .asked_least = 1, .asked_most = 1}},
              4},
         [TOP_CLIENTS] =
             {{{.name = "open-plain-1001",
                .space = "test-space",
                .kind = "app",
                .address = "10.0.132.9",
                .asked_least =
                    6000,
                .asked_most = 6000},
               {.name = "", .kind = "outside", .asked_least = 80, .asked_most = 80, .failed = 80}},
              2},
         [TOP_NAMES] =
             {{{.name = "api.example.com", .asked_least = 20000000, .asked_most = 20000000}}, 1}},
    .upstreams = {{"10.0.0.2", "up", true, 28, 290, 30}, {"10.0.0.3", "failing", false, 0, 31, 31}},
    .upstream_count = 2,
    .reloads_done = 32,
    .reloads_refused = 1,
    .reload = "refused",
    .reload_cause = "zones/a.yaml:3:1: E-TTL",
    .reload_seconds_ago = 300,
};

static void set_up(void)
{
    top = usual;
    view = (struct top_view){.has_keys = true};
}

static void tear_down(void)
{
}

FIXTURE(set_up, tear_down)

/* The canvas as lines; each cell is checked to be printable. */
static const char *draw(unsigned width, unsigned height)
{
    struct top_canvas canvas;
    char *to = shown;

    ck_assert(top_canvas_init(&canvas, width, height));
    top_layout_draw(&top, &view, &canvas);
    for (unsigned row = 0; row < canvas.height; row++) {
        unsigned count;
        const struct top_cell *cells = top_canvas_row(&canvas, row, &count);
        ck_assert_uint_le(count, width);
        for (unsigned i = 0; i < count; i++) {
            ck_assert(cells[i].octet >= ' ' && cells[i].octet <= '~');
            ck_assert_uint_lt(cells[i].style, TOP_STYLES);
            *to++ = cells[i].octet;
        }
        while (to > shown && to[-1] == ' ')
            to--;
        *to++ = '\n';
    }
    *to = '\0';
    top_canvas_close(&canvas);
    return shown;
}

static void expect(const char *part)
{
    ck_assert_msg(strstr(shown, part) != NULL, "lacks: %s\n%s", part, shown);
}

static void expect_none(const char *part)
{
    ck_assert_msg(strstr(shown, part) == NULL, "has: %s\n%s", part, shown);
}

static void expect_order(const char *first, const char *second)
{
    const char *one = strstr(shown, first), *other = strstr(shown, second);

    ck_assert_msg(one != NULL && other != NULL && one < other, "%s, then %s:\n%s", first, second,
                  shown);
}

TEST(twenty_by_five_has_the_rates_a_pane_and_the_keys)
{
    ck_assert_str_eq(draw(20, 5), "205/s now, 198/s in\n"
                                  "Apps          asked\n"
                                  "frozen-oas    5,120\n"
                                  "sleepy-riv    1,204+\n"
                                  "q quit  ? help  s so\n");
}

TEST(twenty_by_five_has_each_pane_in_its_turn)
{
    static const char *const rows[TOP_PANES] = {
        [TOP_PANE_APPS] = "\nfrozen-oas",
        [TOP_PANE_REASONS] = "\nQ14 No",
        [TOP_PANE_CLIENTS] = "\n10.0.132.9",
        [TOP_PANE_NAMES] = "\napi.exam",
        [TOP_PANE_CLASSES] = "\nspace",
        [TOP_PANE_LATENCIES] = "<50us",
        [TOP_PANE_RCODES] = "\nNOERROR",
        [TOP_PANE_UPSTREAMS] = "\n10.0.0.2",
        [TOP_PANE_RELOADS] = "\n32 done, 1 refused",
    };

    for (unsigned pane = 0; pane < TOP_PANES; pane++) {
        view.focus = (enum top_pane)pane;
        draw(20, 5);
        for (unsigned other = 0; other < TOP_PANES; other++)
            if (other == pane)
                expect(rows[other]);
            else
                expect_none(rows[other]);
    }
}

TEST(eighty_by_twenty_four_has_every_pane)
{
    static const char *const parts[] = {
        "generation 7, 2 spaces, 13 apps, up 2 h",
        "2026-11-30T10:41:17Z",
        "205/s now, 198/s in the last 60 s; 3 unanswered; cache 75% of 200",
        "| .+@|",
        "frozen-oasis-",
        "10.0.132.9",
        "api.example.com",
        "20.0M",
        "space       11,800  99% ####",
        "<2.5ms     <5s     >5s",
        "NXDOMAIN       880   7%",
        "Q14 No web dynos",
        "10.0.0.2 up 28ms",
        "10.0.0.3 failing",
        "32 done, 1 refused",
        "last: refused 5 min ago",
        "q quit  ? help  s sort: asked  p pause  tab next pane",
    };

    draw(80, 24);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        expect(parts[i]);
}

TEST(two_hundred_by_sixty_has_three_columns_and_all_rows)
{
    draw(200, 60);
    expect("Apps  ");
    expect_order("Apps  ", "Clients  ");
    expect_order("Clients  ", "Names  ");
    const char *first = strstr(shown, "Apps  "), *last = strstr(shown, "Names  ");
    ck_assert_ptr_null(memchr(first, '\n', (size_t)(last - first)));
    expect("sleepy-river-2739 test-space");
    expect("zones/a.yaml:3:1: E-TTL");
    expect("1,204+");
    expect("outside");
}

TEST(every_size_is_drawn_within_its_cells)
{
    for (unsigned width = 1; width <= 210; width += width < 90 ? 1 : 7)
        for (unsigned height = 1; height <= 62; height++)
            for (unsigned focus = 0; focus <= TOP_PANES; focus++) {
                view.focus = (enum top_pane)focus;
                draw(width, height);
            }
}

TEST(nothing_at_all_is_drawn_too)
{
    top = (struct top){.at = ""};
    draw(80, 40);
    expect("0/s now");
    expect("none");
    expect("generation 0");
}

TEST(sorting_is_by_asked_failed_or_name)
{
    draw(80, 24);
    expect_order("frozen-oasis", "sleepy-river");
    view.sort = TOP_BY_FAILED;
    draw(80, 24);
    expect_order("sleepy-river", "frozen-oasis");
    expect("s sort: failed");
    view.sort = TOP_BY_NAME;
    draw(80, 24);
    expect_order("a-quiet-app", "frozen-oasis");
    expect_order("frozen-oasis", "sleepy-river");
}

TEST(a_pause_is_seen)
{
    expect_none("PAUSED");
    view.is_paused = true;
    draw(80, 24);
    expect("PAUSED");
    expect("p go on");
    draw(20, 5);
    expect("PAUSED");
}

TEST(silent_workers_are_seen_instead_of_the_time)
{
    top.silent_workers = 1;
    draw(80, 24);
    expect("1 of 2 workers silent");
    expect_none("10:41:17");
}

TEST(help_takes_the_place_of_the_panes)
{
    view.has_help = true;
    draw(80, 24);
    expect("q        quit");
    expect_none("Apps  ");
    expect("q quit  ? help");
    draw(20, 5);
    expect("q        quit");
}

TEST(the_height_that_is_wanted_shows_all_with_a_blank_row_between)
{
    view = (struct top_view){.focus = TOP_PANES, .rows_most = 3};
    draw(80, top_layout_height(&top, &view, 80));
    expect("\n\nApps  ");
    expect("quiet-app-1");
    expect_none("a-quiet-app");
    expect("zones/a.yaml:3:1: E-TTL");
    expect_none("q quit");
    ck_assert_str_ne(shown + strlen(shown) - 2, "\n\n");
}

/* Every text that comes from elsewhere; draw checks the cells. */
TEST(hostile_texts_never_reach_a_cell)
{
    static char hostile[300];
    unsigned char octet = 1;

    for (size_t i = 0; i + 1 < sizeof hostile; i++, octet = octet == 255 ? 1 : octet + 1)
        hostile[i] = (char)octet;
    top.at = top.reload = top.reload_cause = hostile;
    for (size_t i = 0; i < TOP_COUNTS; i++)
        top.counts[i].items[0].key = top.counts[i].items[0].text = hostile;
    for (size_t i = 0; i < TOP_BUSIEST; i++)
        top.busiest[i].items[0] = (struct top_busy){
            .name = hostile, .space = hostile, .kind = hostile, .address = hostile};
    top.latencies[0].source = hostile;
    top.upstreams[0].text = top.upstreams[0].state = hostile;
    for (unsigned sort = 0; sort < TOP_SORTS; sort++) {
        view.sort = (enum top_sort)sort;
        draw(20, 5);
        draw(80, 24);
        draw(200, 60);
    }
    ck_assert_ptr_null(strchr(shown, '\033'));
}
