#pragma once
/**
 * The panes of top: what each has in its rows. Where they are is in top_layout.h.
 *
 *     Clients                                asked   failed      title
 *     10.0.130.56 app frozen-oasis-70544     5,120        0      row 0
 *     10.20.3.4 peering pcx-111aaa111        1,204+     204      row 1: at least so many
 *
 * Threads: pure.  Memory: borrows the top.
 */
#include "inspect/top.h"
#include "spacedns/top_canvas.h"

enum top_pane {
    TOP_PANE_APPS,
    TOP_PANE_REASONS,
    TOP_PANE_CLIENTS,
    TOP_PANE_NAMES,
    TOP_PANE_CLASSES,
    TOP_PANE_LATENCIES,
    TOP_PANE_RCODES,
    TOP_PANE_UPSTREAMS,
    TOP_PANE_RELOADS,
    TOP_PANES
};

enum top_sort { TOP_BY_ASKED, TOP_BY_FAILED, TOP_BY_NAME, TOP_SORTS };

/** "asked", "failed", "name". */
const char *top_sort_text(enum top_sort sort);

/** Sorts the busiest. */
void top_panes_sort(struct top *top, enum top_sort sort);

/** How many rows it has besides its title: 1 or more. */
unsigned top_pane_rows(const struct top *top, enum top_pane pane);

/** Draws the title. */
void top_pane_draw_title(struct top_canvas *canvas, struct top_span span, enum top_pane pane,
                         enum top_style style);

/** Draws a row, which must exist. */
void top_pane_draw_row(struct top_canvas *canvas, struct top_span span, const struct top *top,
                       enum top_pane pane, unsigned row);
