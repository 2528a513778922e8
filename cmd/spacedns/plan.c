#include "spacedns/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/diff_print.h"
#include "spacedns/color.h"
#include "spacedns/live.h"
#include "spacedns/registry_plan.h"

static void print_line(void *context, const char *line)
{
    const struct session *session = context;
    size_t blanks = strspn(line, " ");
    enum color color = strncmp(line, "guard", 5) == 0 ? COLOR_BAD
                       : blanks == 0                  ? COLOR_TITLE
                       : line[blanks] == '+'          ? COLOR_GOOD
                       : line[blanks] == '-'          ? COLOR_BAD
                                                      : COLOR_DOUBTFUL;

    color_print(session, session->out, color, line);
    fputc('\n', session->out);
}

int plan_print(struct session *session, const struct diff *diff)
{
    if (!session->is_json) {
        diff_print(diff, print_line, session);
        return EXIT_DONE;
    }
    char *json = diff_to_json(diff);
    if (json == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    fprintf(session->out, "%s\n", json);
    free(json);
    return EXIT_DONE;
}

static int print_diff(struct session *session, const struct diff *diff)
{
    struct err err;

    if (plan_print(session, diff) != EXIT_DONE)
        return EXIT_REFUSED;
    if (invocation_has(&session->invocation, OPTION_FORCE) || diff_guard(diff, &err))
        return EXIT_DONE;
    return session_fail(session, EXIT_REFUSED,
                        "%s; put it back, or use --force if it is meant to go", err.text);
}

/* Loads the folder after `before`, and prints the difference. */
static int plan(struct session *session, const struct snapshot *before, const char *folder)
{
    struct err err;

    session->snapshot = session_load(session, folder, before, &err);
    const struct snapshot *after = session->snapshot;
    if (session->outcome.is_unchanged)
        after = before;
    if (after == NULL && err.code != ERR_NONE)
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (after == NULL)
        return session_fail_findings(session, folder, "plan again");
    const struct diff_options options = {.changes_most = DIFF_CHANGES_MOST,
                                         .guard_share_percent = session->settings.guard_share};
    struct diff *diff = diff_new(before, after, &options);
    if (diff == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    int code = print_diff(session, diff);
    diff_free(diff);
    return code;
}

/* The server has another current folder, so it gets an absolute path. */
static int plan_live(struct session *session, const char *folder)
{
    char *path = folder == NULL ? NULL : realpath(folder, NULL);

    if (folder != NULL && path == NULL) {
        struct err err;
        err_set(&err, ERR_SYSTEM, "zones folder %s cannot be opened: %s; name one that is there",
                folder, strerror(errno));
        if (folder == session->invocation.options[OPTION_ZONES])
            session_name_variable(session, OPTION_ZONES, &err);
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    }
    if (path != NULL) {
        session->invocation.operands[0] = path;
        session->invocation.operand_count = 1;
    }
    int code = live_request(session);
    free(path);
    if (session->is_server_absent)
        fputs("Without a server, --against OLD compares with another folder: "
              "spacedns plan NEW --against OLD\n",
              session->err);
    return code;
}

/* Are named files planned beside a registry? The running server knows, else the settings. Returns
 * false with the error printed. */
static bool has_registry(struct session *session, bool *is_there)
{
    const struct invocation *invocation = &session->invocation;

    if (invocation_has(invocation, OPTION_ZONES))
        return true;
    if (!invocation_has(invocation, OPTION_SETTINGS) && session_has_server(session)) {
        *is_there = json_is_object(json_object_get(session->server, "registry"));
        return true;
    }
    bool is_read = session_read_host_settings(session);
    *is_there = is_read && session_has_registry(session);
    return is_read;
}

int run_plan(struct session *session)
{
    const char *folder = invocation_operand(&session->invocation, 0);
    const char *against = session->invocation.options[OPTION_AGAINST];
    bool is_there = false;

    if (folder == NULL)
        folder = session->invocation.options[OPTION_ZONES];
    else if (against == NULL && !has_registry(session, &is_there))
        return EXIT_REFUSED;
    if (is_there)
        return registry_plan(session);
    if (invocation_operand(&session->invocation, 1) != NULL)
        return session_fail_second_operand(session);
    if (against == NULL)
        return plan_live(session, folder);
    if (invocation_has(&session->invocation, OPTION_TRAFFIC))
        return session_fail(session, EXIT_USAGE,
                            "--traffic tries the zone files on what the running server was asked, "
                            "beside those that it serves; leave out --against");
    if (!session_read_settings(session))
        return EXIT_REFUSED;
    struct snapshot *before = session_must_load_folder(session, against);
    if (before == NULL)
        return EXIT_REFUSED;
    int code = plan(session, before, folder != NULL ? folder : session_zones(session));
    snapshot_free(session->snapshot);
    session->snapshot = NULL;
    snapshot_free(before);
    return code;
}
