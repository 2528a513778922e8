#include "spacedns/top_canvas.h"

#include <stdlib.h>
#include <string.h>

static unsigned bounded(unsigned size, unsigned most)
{
    if (size == 0)
        return 1;
    return size < most ? size : most;
}

bool top_canvas_init(struct top_canvas *canvas, unsigned width, unsigned height)
{
    canvas->width = bounded(width, TOP_WIDTH_MOST);
    canvas->height = bounded(height, TOP_HEIGHT_MOST);
    size_t count = (size_t)canvas->width * canvas->height;
    canvas->cells = malloc(count * sizeof *canvas->cells);
    for (size_t i = 0; canvas->cells != NULL && i < count; i++)
        canvas->cells[i] = (struct top_cell){.octet = ' ', .style = TOP_PLAIN};
    return canvas->cells != NULL;
}

void top_canvas_close(struct top_canvas *canvas)
{
    free(canvas->cells);
    canvas->cells = NULL;
}

static char printable(char octet)
{
    return octet >= ' ' && octet <= '~' ? octet : '?';
}

/* How much of the span is on the canvas. */
static unsigned clip(const struct top_canvas *canvas, struct top_span span)
{
    if (span.row >= canvas->height || span.column >= canvas->width)
        return 0;
    unsigned room = canvas->width - span.column;
    return span.width < room ? span.width : room;
}

unsigned top_canvas_put(struct top_canvas *canvas, struct top_span span, enum top_style style,
                        const char *text)
{
    unsigned room = clip(canvas, span), used = 0;
    struct top_cell *cells = &canvas->cells[(size_t)span.row * canvas->width + span.column];

    for (; used < room && text[used] != '\0'; used++)
        cells[used] = (struct top_cell){.octet = printable(text[used]), .style = (uint8_t)style};
    return used;
}

void top_canvas_put_right(struct top_canvas *canvas, struct top_span span, enum top_style style,
                          const char *text)
{
    size_t length = strlen(text);

    if (length < span.width) {
        span.column += span.width - (unsigned)length;
        span.width = (unsigned)length;
    }
    top_canvas_put(canvas, span, style, text);
}

const struct top_cell *top_canvas_row(const struct top_canvas *canvas, unsigned row,
                                      unsigned *count)
{
    const struct top_cell *cells = &canvas->cells[(size_t)row * canvas->width];

    *count = canvas->width;
    while (*count > 0 && cells[*count - 1].octet == ' ' && cells[*count - 1].style != TOP_KEYS &&
           cells[*count - 1].style != TOP_FOCUS)
        --*count;
    return cells;
}
