#include "spacedns/top_screen.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ncurses.h>

enum { PAIR_GOOD = 1, PAIR_DOUBTFUL, PAIR_BAD, PAIR_MILD };

static void begin_color(void)
{
    if (start_color() == ERR)
        return;
    use_default_colors();
    init_pair(PAIR_GOOD, COLOR_GREEN, -1);
    init_pair(PAIR_DOUBTFUL, COLOR_YELLOW, -1);
    init_pair(PAIR_BAD, COLOR_RED, -1);
    init_pair(PAIR_MILD, COLOR_CYAN, -1);
}

bool top_screen_open(struct top_screen *screen, bool has_color, struct err *err)
{
    const char *name = getenv("TERM");

    /* Unlike initscr, it comes back when the terminal is not known. */
    screen->terminal = newterm(NULL, stdout, stdin);
    if (screen->terminal == NULL)
        return err_set(err, ERR_SYSTEM,
                       "nothing is known of the terminal %.40s; set TERM to one that is, as "
                       "TERM=xterm, or print top with --once",
                       name == NULL ? "(TERM is not set)" : name);
    set_term(screen->terminal);
    if (has_color)
        begin_color();
    cbreak(); /* Ctrl-C and Ctrl-Z are signals */
    noecho();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    return true;
}

void top_screen_close(struct top_screen *screen)
{
    if (screen->terminal == NULL)
        return;
    endwin();
    delscreen(screen->terminal);
    screen->terminal = NULL;
}

/* It may have changed while the process was stopped, without a signal. */
void top_screen_size(const struct top_screen *screen, unsigned *width, unsigned *height)
{
    struct winsize size;

    (void)screen;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
        (size.ws_row != LINES || size.ws_col != COLS))
        resizeterm(size.ws_row, size.ws_col);
    *width = (unsigned)COLS;
    *height = (unsigned)LINES;
}

static attr_t attributes_of(enum top_style style, bool has_color)
{
    static const struct {
        attr_t plain;
        int pair; /* 0: none */
    } styles[TOP_STYLES] = {
        [TOP_TITLE] = {A_BOLD, 0},   [TOP_FOCUS] = {A_REVERSE | A_BOLD, 0},
        [TOP_GOOD] = {0, PAIR_GOOD}, [TOP_DOUBTFUL] = {0, PAIR_DOUBTFUL},
        [TOP_BAD] = {0, PAIR_BAD},   [TOP_MILD] = {0, PAIR_MILD},
        [TOP_KEYS] = {A_REVERSE, 0},
    };

    return styles[style].plain | (has_color ? (attr_t)COLOR_PAIR(styles[style].pair) : 0);
}

void top_screen_show(struct top_screen *screen, const struct top_canvas *canvas)
{
    bool has_color = COLOR_PAIRS > PAIR_MILD;

    (void)screen;
    erase();
    for (unsigned row = 0; row < canvas->height; row++) {
        unsigned count;
        const struct top_cell *cells = top_canvas_row(canvas, row, &count);
        for (unsigned column = 0; column < count; column++)
            mvaddch((int)row, (int)column,
                    (chtype)cells[column].octet |
                        attributes_of((enum top_style)cells[column].style, has_color));
    }
    refresh();
}

enum top_key top_screen_key(struct top_screen *screen)
{
    (void)screen;
    switch (getch()) {
    case ERR:
        return TOP_KEY_NONE;
    case 'q':
    case 'Q':
        return TOP_KEY_QUIT;
    case 'p':
    case ' ':
        return TOP_KEY_PAUSE;
    case 's':
        return TOP_KEY_SORT;
    case '\t':
    case KEY_DOWN:
    case KEY_RIGHT:
        return TOP_KEY_NEXT;
    case KEY_BTAB:
    case KEY_UP:
    case KEY_LEFT:
        return TOP_KEY_PREVIOUS;
    case '?':
    case 'h':
        return TOP_KEY_HELP;
    default: /* of ncurses */
        return TOP_KEY_OTHER;
    }
}
