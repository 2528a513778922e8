#pragma once
/**
 * The terminal that top is on: full-screen, by ncurses. A build without ncurses has none.
 *
 *     top_screen_open ─► top_screen_show, top_screen_key ... ─► top_screen_close: as it was before
 *
 * When the process is stopped (Ctrl-Z), the terminal is as before until it goes on.
 *
 * Threads: one.  Memory: ncurses'.
 */
#include "base/err.h"
#include "spacedns/top_canvas.h"

struct top_screen {
    void *terminal; /* NULL: not open */
};

enum top_key {
    TOP_KEY_NONE, /* no key waits */
    TOP_KEY_OTHER,
    TOP_KEY_QUIT,
    TOP_KEY_PAUSE,
    TOP_KEY_SORT,
    TOP_KEY_NEXT,
    TOP_KEY_PREVIOUS,
    TOP_KEY_HELP,
};

/** Takes standard input and output. Returns false with *err when they are no terminal for this. */
bool top_screen_open(struct top_screen *screen, bool has_color, struct err *err);

/** Gives the terminal back. One that is not open is allowed. */
void top_screen_close(struct top_screen *screen);

/** The size now. */
void top_screen_size(const struct top_screen *screen, unsigned *width, unsigned *height);

/** Shows a canvas of that size. */
void top_screen_show(struct top_screen *screen, const struct top_canvas *canvas);

/** The next key, without waiting for one. */
enum top_key top_screen_key(struct top_screen *screen);
