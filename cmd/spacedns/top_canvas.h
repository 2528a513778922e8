#pragma once
/**
 * A canvas of character cells, which top is drawn on before it goes to a terminal or a file.
 *
 * Cells have printable ASCII and nothing else: any other octet of a text becomes "?". So no name
 * can command the terminal, whoever has made it up.
 *
 * What is outside the canvas is left out.
 *
 * Threads: pure.  Memory: top_canvas_close.
 */
#include <stdbool.h>
#include <stdint.h>

enum { TOP_WIDTH_MOST = 500, TOP_HEIGHT_MOST = 1000 };

enum top_style {
    TOP_PLAIN,
    TOP_TITLE,
    TOP_FOCUS, /* the title of the pane that the keys are for */
    TOP_GOOD,
    TOP_DOUBTFUL,
    TOP_BAD,
    TOP_MILD,
    TOP_KEYS,
    TOP_STYLES
};

struct top_cell {
    char octet;
    uint8_t style; /* enum top_style */
};

struct top_canvas {
    unsigned width, height;
    struct top_cell *cells; /* row by row */
};

/** A part of one row. */
struct top_span {
    unsigned row, column, width;
};

/** Begins with blanks; the size is brought within the bounds. Returns false without memory. */
bool top_canvas_init(struct top_canvas *canvas, unsigned width, unsigned height);

void top_canvas_close(struct top_canvas *canvas);

/** Writes a text at the left of a span, cut to it. Returns its width. */
unsigned top_canvas_put(struct top_canvas *canvas, struct top_span span, enum top_style style,
                        const char *text);

/** Writes a text at the right of a span, cut to it. */
void top_canvas_put_right(struct top_canvas *canvas, struct top_span span, enum top_style style,
                          const char *text);

/** The row's cells, and how many there are up to the last that is not blank. */
const struct top_cell *top_canvas_row(const struct top_canvas *canvas, unsigned row,
                                      unsigned *count);
