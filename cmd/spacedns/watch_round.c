#include "spacedns/watch_round.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/change.h"
#include "spacedns/spaces_merge.h"
#include "spacedns/spaces_put.h"
#include "spacedns/watch_keys.h"

static const char error_mark[] = "Error: ", done_mark[] = "done";

/* ---- what the commands print ---- */

/* Adds a line to text that goes on in one. */
static void add_line(char *text, size_t size, const char *line, size_t length)
{
    size_t used = strlen(text);

    if (length > 0 && used + 2 < size)
        snprintf(text + used, size - used, "%s%.*s", used == 0 ? "" : "; ", (int)length, line);
}

/* The errors among the lines are the sentence, the others advice. */
static void take_lines(struct round *round, const char *text)
{
    for (const char *line = text; line != NULL && *line != '\0';) {
        size_t length = strcspn(line, "\n"), mark = sizeof error_mark - 1;
        if (strncmp(line, error_mark, mark) == 0)
            add_line(round->sentence, sizeof round->sentence, line + mark, length - mark);
        else if (strncmp(line, done_mark, sizeof done_mark - 1) != 0)
            add_line(round->advice, sizeof round->advice, line, length);
        line += length + (line[length] == '\n');
    }
}

/* ---- the round ---- */

static int refuse(struct change *change, const struct err *err)
{
    return change_fail(change, err->text);
}

/* New apps are as --internal-routing says; a topology does not. */
static void complete_new(struct round *round, const struct session *session,
                         struct topology *topology, const struct space *before)
{
    for (size_t i = 0; i < topology->app_count; i++) {
        struct app *app = &topology->apps[i];
        if (topology_find_app(before->apps, before->app_count, app) != NULL)
            continue;
        app->internal_routing = invocation_has(&session->invocation, OPTION_INTERNAL_ROUTING);
        if (round->new_app == NULL)
            round->new_app = arena_text(round->arena, app->name.text, strlen(app->name.text));
    }
}

static bool compare(struct round *round, const struct session *session, struct topology *topology,
                    const struct space *before, struct err *err)
{
    bool is_forced = invocation_has(&session->invocation, OPTION_FORCE);

    *err = (struct err){.code = ERR_MEMORY, .text = "out of memory; free some, then try again"};
    if (!topology_merge(round->arena, topology, before) ||
        !difference_find(round->arena, topology, before, &round->difference))
        return false;
    complete_new(round, session, topology, before);
    round->app_count = topology->app_count;
    round->guessed_count = topology->guessed_count;
    return is_forced || difference_judge(&round->difference, err);
}

static int load_again(struct change *change, struct round *round, bool owes_reload)
{
    int code = owes_reload ? change_request_reload(change) : EXIT_DONE;

    round->end = code != EXIT_DONE ? ROUND_UNLOADED : owes_reload ? ROUND_APPLIED : ROUND_UNCHANGED;
    return code;
}

static int apply(struct change *change, struct round *round, const struct topology_text *text,
                 bool owes_reload)
{
    struct session *session = change->session;
    struct topology topology;
    struct err err;

    snprintf(round->space, sizeof round->space, "%s", change->selected.space->name.text);
    if (!topology_read(round->arena, text, &session->policy.suffixes, &topology, &err) ||
        !compare(round, session, &topology, change->selected.space, &err))
        return refuse(change, &err);
    struct watch_keys keys;
    if (!watch_keys_find(session, round->arena, &topology, round->space, &keys))
        return change_fail(change, "out of memory; free some, then try again");
    if (difference_is_none(&round->difference) && keys.count == 0)
        return load_again(change, round, owes_reload);
    change->dropped = keys.keys;
    change->dropped_count = keys.count;
    if (!topology_put(round->arena, &topology, &change->edit, &err))
        return refuse(change, &err);
    change->is_unattended = true;
    int code = change_commit(change, NULL);
    if (code != EXIT_DONE)
        return code;
    return load_again(change, round, true);
}

static int run(struct session *session, const struct topology_text *text, bool owes_reload,
               struct round *round)
{
    struct change change;

    if (!session_init(session))
        return EXIT_USAGE;
    int code = change_open(&change, session, NULL);
    if (code == EXIT_DONE)
        code = apply(&change, round, text, owes_reload);
    change_close(&change);
    return code;
}

void round_run(const struct session *session, const struct topology_text *text, bool owes_reload,
               struct round *round)
{
    struct session own = {.invocation = session->invocation};
    char *printed = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&printed, &length);

    *round = (struct round){.end = ROUND_REFUSED, .arena = arena_new()};
    if (out == NULL || round->arena == NULL) {
        snprintf(round->sentence, sizeof round->sentence, "out of memory; free some");
    } else {
        own.out = own.err = out;
        own.invocation.options[OPTION_COLOR] = "never";
        own.invocation.options[OPTION_JSON] = NULL;
        run(&own, text, owes_reload, round);
        session_close(&own);
    }
    if (out != NULL)
        fclose(out);
    take_lines(round, printed);
    free(printed);
}

void round_close(struct round *round)
{
    arena_free(round->arena);
}
