#pragma once
/**
 * Where everything of top is, on a terminal of any size: a pure function from facts to cells.
 *
 *     generation 7, 2 spaces, 13 apps, up 3 h            10:41:17   head: 1 row when the terminal
 *     205/s now, 198/s in the last minute, 0 unanswered             is low, else 3
 *     |..::--==++**##@@|
 *     Apps                    asked   | Clients by class            panes, in 1 to 3 columns by
 *     ...                             | ...                         the width
 *     q quit  p pause  s sort: asked  tab pane  ? help              keys
 *
 * The panes of a column share its height: each gets a title and a row as long as there is room,
 * the one in focus first, then all get more rows in turn. So on the smallest terminal the pane in
 * focus is there, and the others are a key away.
 *
 * Threads: pure.  Memory: a canvas is the caller's.
 */
#include "spacedns/top_canvas.h"
#include "spacedns/top_panes.h"

struct top_view {
    enum top_sort sort;
    enum top_pane focus; /* TOP_PANES: none */
    bool is_paused;
    bool has_help;
    bool has_keys;      /* a line of keys at the bottom */
    unsigned rows_most; /* of a pane; 0: as many as fit */
};

/** The height in which all is shown. */
unsigned top_layout_height(const struct top *top, const struct top_view *view, unsigned width);

/** Draws on a blank canvas. */
void top_layout_draw(const struct top *top, const struct top_view *view, struct top_canvas *canvas);
