#include "spacedns/top_watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "inspect/top.h"
#include "spacedns/live.h"
#include "spacedns/top_layout.h"
#include "spacedns/top_screen.h"

struct watching {
    struct session *session;
    struct talk talk;
    struct talk_watch watch;
    struct top_screen screen;
    struct top_view view;
    json_t *json;   /* what is shown; NULL: nothing yet */
    struct top top; /* borrows from it */
    int signals;
    int ended_by; /* a signal; 0: none */
    FILE *notes;  /* what the server says besides, until the terminal is given back */
    char *noted;
    size_t noted_length;
    struct err problem; /* why there is no screen */
};

/* ---- showing ---- */

static void show(struct watching *watching)
{
    struct top_canvas canvas;
    unsigned width, height;

    if (watching->screen.terminal == NULL || watching->json == NULL)
        return;
    top_screen_size(&watching->screen, &width, &height);
    if (!top_canvas_init(&canvas, width, height))
        return;
    top_layout_draw(&watching->top, &watching->view, &canvas);
    top_screen_show(&watching->screen, &canvas);
    top_canvas_close(&canvas);
}

/* The screen opens with the first line, so that what keeps the server from sending one is printed
 * as by any other command. */
static bool open_screen(struct watching *watching)
{
    if (watching->screen.terminal != NULL)
        return true;
    if (watching->problem.code != ERR_NONE)
        return false;
    if (top_screen_open(&watching->screen, session_has_color(watching->session, stdout),
                        &watching->problem))
        return true;
    watching->talk.is_ended = true;
    return false;
}

static void top_watch_on_line(void *context, FILE *out, const char *line)
{
    struct watching *watching = context;

    (void)out;
    if (watching->view.is_paused || !open_screen(watching))
        return;
    json_t *json = json_loads(line, 0, NULL);
    struct top top;
    if (!top_read(json, &top)) {
        json_decref(json);
        return;
    }
    json_decref(watching->json);
    watching->json = json;
    watching->top = top;
    show(watching);
}

/* ---- keys and signals ---- */

static void move_focus(struct top_view *view, unsigned by)
{
    view->focus = (enum top_pane)(((unsigned)view->focus + by) % TOP_PANES);
}

/* Returns false for the key that ends it. */
static bool obey(struct top_view *view, enum top_key key)
{
    switch (key) {
    case TOP_KEY_QUIT:
        return false;
    case TOP_KEY_PAUSE:
        view->is_paused = !view->is_paused;
        break;
    case TOP_KEY_SORT:
        view->sort = (enum top_sort)(((unsigned)view->sort + 1) % TOP_SORTS);
        break;
    case TOP_KEY_NEXT:
        move_focus(view, 1);
        break;
    case TOP_KEY_PREVIOUS:
        move_focus(view, TOP_PANES - 1);
        break;
    case TOP_KEY_HELP:
        view->has_help = !view->has_help;
        break;
    case TOP_KEY_NONE:
    case TOP_KEY_OTHER:
        break;
    }
    return true;
}

/* Returns false for a signal that ends it; another one is of a new size. */
static bool take_signals(struct watching *watching)
{
    struct signalfd_siginfo info;

    while (read(watching->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGWINCH)
            watching->ended_by = (int)info.ssi_signo;
    return watching->ended_by == 0;
}

static bool top_watch_on_input(void *context)
{
    struct watching *watching = context;
    enum top_key key = TOP_KEY_NONE;

    if (!take_signals(watching))
        return false;
    if (watching->screen.terminal == NULL)
        return true;
    while ((key = top_screen_key(&watching->screen)) != TOP_KEY_NONE)
        if (!obey(&watching->view, key))
            return false;
    show(watching);
    return true;
}

/* ---- life ---- */

static void top_watch_on_end(void *context)
{
    struct watching *watching = context;

    top_screen_close(&watching->screen);
    fclose(watching->notes);
    fputs(watching->noted, watching->session->err);
    free(watching->noted);
}

/* Those that end it, and that of a new size, are read between two lines. */
static bool catch_signals(struct watching *watching, sigset_t *before)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
        sigaddset(&set, caught[i]);
    watching->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return watching->signals >= 0 && sigprocmask(SIG_BLOCK, &set, before) == 0;
}

static int run(struct watching *watching)
{
    struct session *session = watching->session;
    int code = live_talk(session, &watching->talk);

    if (watching->problem.code != ERR_NONE)
        return session_fail(session, EXIT_REFUSED, "%s", watching->problem.text);
    return code;
}

int top_watch(struct session *session)
{
    struct watching watching = {.session = session, .view = {.has_keys = true}};
    sigset_t before;

    watching.notes = open_memstream(&watching.noted, &watching.noted_length);
    if (watching.notes == NULL || !catch_signals(&watching, &before))
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    watching.watch = (struct talk_watch){.descriptors = {STDIN_FILENO, watching.signals},
                                         .on_input = top_watch_on_input};
    watching.talk = (struct talk){.out = session->out,
                                  .err = watching.notes,
                                  .is_endless = true,
                                  .watch = &watching.watch,
                                  .on_line = top_watch_on_line,
                                  .is_raw = true,
                                  .on_end = top_watch_on_end,
                                  .context = &watching};
    int code = run(&watching);
    json_decref(watching.json);
    close(watching.signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (watching.ended_by != 0 && watching.ended_by != SIGINT) {
        signal(watching.ended_by, SIG_DFL); /* ncurses has one of its own */
        raise(watching.ended_by);
    }
    return code;
}
