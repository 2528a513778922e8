/* A build without ncurses: no screen is ever open. */
#include "spacedns/top_screen.h"

#include <stddef.h>

bool top_screen_open(struct top_screen *screen, bool has_color, struct err *err)
{
    (void)has_color;
    screen->terminal = NULL;
    return err_set(err, ERR_SYSTEM,
                   "the full screen was left out of this build, which has no ncurses; print top "
                   "with --once, or --json for programs");
}

void top_screen_close(struct top_screen *screen)
{
    (void)screen;
}

void top_screen_size(const struct top_screen *screen, unsigned *width, unsigned *height)
{
    (void)screen;
    *width = *height = 0;
}

void top_screen_show(struct top_screen *screen, const struct top_canvas *canvas)
{
    (void)screen, (void)canvas;
}

enum top_key top_screen_key(struct top_screen *screen)
{
    (void)screen;
    return TOP_KEY_NONE;
}
