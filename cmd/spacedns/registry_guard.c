#include "spacedns/registry_guard.h"

#include <string.h>

#include "base/escape.h"
#include "inspect/diff_print.h"
#include "inspect/guard_space.h"

struct losses {
    struct session *session;
    const struct snapshot *after;
    size_t count;
};

static bool is_internal(const struct app_entry *app)
{
    return (app->flags & APP_INTERNAL) != 0;
}

/* The app of that name in the space as it would be; NULL: there is none. */
static const struct app_entry *find_next(const struct losses *losses, const struct segment *old,
                                         const struct app_entry *app)
{
    struct index_entry found;

    if (!snapshot_find_app(losses->after, segment_text(old, app->name), app->name_length, &found))
        return NULL;
    const struct segment *segment = losses->after->segments[found.segment];
    return strcmp(segment->name, old->name) == 0 ? &segment->apps[found.number] : NULL;
}

static void print_loss(struct losses *losses, const struct segment *old,
                       const struct app_entry *app, const char *what)
{
    losses->count++;
    escape_printf(losses->session->err, "guard: app %.*s of space %s %s\n", (int)app->name_length,
                  segment_text(old, app->name), old->name, what);
}

/* A routed app has the addresses of routers, as long as a web dyno is up. */
static void judge_app(struct losses *losses, const struct segment *old, const struct app_entry *app)
{
    const struct app_entry *next = find_next(losses, old, app);

    if (!is_internal(app))
        return;
    if (next == NULL)
        print_loss(losses, old, app, "vanishes");
    else if (app->web_up > 0 && (!is_internal(next) || next->web_up == 0))
        print_loss(losses, old, app, "loses all its addresses");
}

/* By their own rules, so that nothing is pushed that all of them would hold back. */
static int judge_as_replicas(struct session *session, const struct snapshot *before,
                             const struct snapshot *after, const char *const *spaces, size_t count)
{
    unsigned share = (unsigned)session->settings.guard_share;
    struct err err;

    for (size_t i = 0; i < count; i++) {
        const struct segment *old = snapshot_find_space(before, spaces[i]);
        if (old != NULL && !guard_space(old, snapshot_find_space(after, spaces[i]), share, &err))
            return session_fail(session, EXIT_REFUSED,
                                "space %s: %s; every replica would hold it back; nothing was "
                                "changed; put it back, or write --force WHY if it is meant",
                                spaces[i], err.text);
    }
    return EXIT_DONE;
}

int registry_guard(struct session *session, const struct diff *diff, const struct snapshot *before,
                   const struct snapshot *after, const char *const *spaces, size_t count)
{
    struct losses losses = {.session = session, .after = after};
    struct err err;

    for (size_t i = 0; i < count; i++) {
        const struct segment *old = snapshot_find_space(before, spaces[i]);
        for (size_t j = 0; old != NULL && j < old->app_count; j++)
            judge_app(&losses, old, &old->apps[j]);
    }
    if (!diff_guard(diff, &err))
        return session_fail(session, EXIT_REFUSED,
                            "%s; nothing was changed; put it back, or write --force WHY if it is "
                            "meant to go",
                            err.text);
    if (losses.count == 0)
        return judge_as_replicas(session, before, after, spaces, count);
    return session_fail(session, EXIT_REFUSED,
                        "%zu app%s would have no address any more; nothing was changed; put %s "
                        "back, or write --force WHY if it is meant",
                        losses.count, losses.count == 1 ? "" : "s",
                        losses.count == 1 ? "it" : "them");
}
