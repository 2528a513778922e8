#include "spacedns/top.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "inspect/top.h"
#include "spacedns/color.h"
#include "spacedns/live.h"
#include "spacedns/top_layout.h"
#include "spacedns/top_watch.h"

enum { USUAL_WIDTH = 80, ROWS_ONCE = 10 };

/* ---- --json ---- */

/* Every line has been flushed. */
static void end_on_signal(int number)
{
    (void)number;
    _exit(EXIT_DONE);
}

static int stream_json(struct session *session)
{
    struct talk talk = {.out = session->out, .is_endless = true};

    sigaction(SIGINT, &(struct sigaction){.sa_handler = end_on_signal}, NULL);
    return live_talk(session, &talk);
}

/* ---- --once ---- */

static unsigned width_of(FILE *out)
{
    struct winsize size;

    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                         : USUAL_WIDTH;
}

static enum color color_of(enum top_style style)
{
    static const enum color colors[TOP_STYLES] = {
        [TOP_TITLE] = COLOR_TITLE, [TOP_GOOD] = COLOR_GOOD, [TOP_DOUBTFUL] = COLOR_DOUBTFUL,
        [TOP_BAD] = COLOR_BAD,     [TOP_MILD] = COLOR_MILD,
    };

    return colors[style];
}

/* Cells of one style at a time. */
static void print_row(const struct session *session, const struct top_cell *cells, unsigned count)
{
    char run[TOP_WIDTH_MOST + 1];

    for (unsigned first = 0, length = 0; first < count; first += length) {
        for (length = 0;
             first + length < count && cells[first + length].style == cells[first].style; length++)
            run[length] = cells[first + length].octet;
        run[length] = '\0';
        color_print(session, session->out, color_of((enum top_style)cells[first].style), run);
    }
    fputc('\n', session->out);
}

static bool print_top(const struct session *session, const struct top *top)
{
    const struct top_view view = {.focus = TOP_PANES, .rows_most = ROWS_ONCE};
    unsigned width = width_of(session->out);
    struct top_canvas canvas;

    if (!top_canvas_init(&canvas, width, top_layout_height(top, &view, width)))
        return false;
    top_layout_draw(top, &view, &canvas);
    for (unsigned row = 0; row < canvas.height; row++) {
        unsigned count;
        const struct top_cell *cells = top_canvas_row(&canvas, row, &count);
        print_row(session, cells, count);
    }
    top_canvas_close(&canvas);
    return true;
}

static void top_on_line(void *context, FILE *out, const char *line)
{
    (void)out;
    fprintf(context, "%s\n", line);
}

static int print_once(struct session *session)
{
    char *octets = NULL;
    size_t length = 0;
    FILE *answer = open_memstream(&octets, &length);
    struct talk talk = {
        .out = session->out, .is_raw = true, .on_line = top_on_line, .context = answer};

    if (answer == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    int code = live_talk(session, &talk);
    fclose(answer);
    json_t *json = json_loads(octets, 0, NULL);
    struct top top;
    if (code == EXIT_DONE && (!top_read(json, &top) || !print_top(session, &top)))
        code = session_fail(session, EXIT_REFUSED,
                            "what the server sends cannot be read; check that it is of this "
                            "command's version, %s",
                            SPACEDNS_VERSION);
    json_decref(json);
    free(octets);
    return code;
}

int run_top(struct session *session)
{
    bool is_once = invocation_has(&session->invocation, OPTION_ONCE);

    if (session->is_json)
        return is_once ? live_request(session) : stream_json(session);
    if (is_once)
        return print_once(session);
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
        return session_fail(session, EXIT_USAGE,
                            "top fills a terminal, and there is none; print it with --once, or "
                            "with --json for programs");
    return top_watch(session);
}
