#include "spacedns/ps_scale.h"

#include <string.h>

#include "base/number.h"
#include "spacedns/change_dynos.h"
#include "spacedns/free_address.h"

enum { TYPE_MOST = 128, DYNOS_MOST = 100 };

/* TYPE=N */
struct scale {
    char type[TYPE_MOST + 1];
    uint32_t count;
};

static int read_scale(struct session *session, const char *text, struct scale *scale)
{
    size_t length = strcspn(text, "=");
    uint64_t count;

    if (text[length] == '\0' || length == 0 || length > TYPE_MOST ||
        !number_from_text(text + length + 1, strlen(text + length + 1), &count))
        return session_fail(session, EXIT_USAGE, "%s is not of the form TYPE=N; write it as web=2",
                            text);
    if (count > DYNOS_MOST)
        return session_fail(session, EXIT_USAGE,
                            "%s is more than a process type may have; write %d at most", text,
                            (int)DYNOS_MOST);
    memcpy(scale->type, text, length);
    scale->type[length] = '\0';
    scale->count = (uint32_t)count;
    return EXIT_DONE;
}

static int read_scales(struct session *session, struct scale scales[OPERANDS_MOST])
{
    const struct invocation *invocation = &session->invocation;

    for (size_t i = 0; i < invocation->operand_count; i++) {
        if (read_scale(session, invocation->operands[i], &scales[i]) != EXIT_DONE)
            return EXIT_USAGE;
        for (size_t j = 0; j < i; j++)
            if (strcmp(scales[i].type, scales[j].type) == 0)
                return session_fail(session, EXIT_USAGE, "%s is given twice; give it once",
                                    scales[i].type);
    }
    return EXIT_DONE;
}

/* ---- list ---- */

static int print_scales(struct session *session, const struct space_set *space_set,
                        const struct app_selection *selected)
{
    const struct app *app = selected->app;
    json_t *object = json_object();

    (void)space_set;
    for (size_t i = 0; i < app->formation_count && session->is_json; i++)
        json_object_set_new(object, app->formations[i].type.text,
                            json_integer((json_int_t)app->formations[i].dyno_count));
    if (session->is_json)
        return session_print_json(session, object);
    json_decref(object);
    for (size_t i = 0; i < app->formation_count; i++)
        fprintf(session->out, "%s%s=%zu", i == 0 ? "" : " ", app->formations[i].type.text,
                app->formations[i].dyno_count);
    fputs(app->formation_count == 0 ? "No process types\n" : "\n", session->out);
    return EXIT_DONE;
}

/* ---- change ---- */

/* The changes of one command: each address is given once. */
struct scaling {
    struct change *change;
    uint32_t last_address;
};

static const struct formation *find_formation(const struct app *app, const char *type)
{
    for (size_t i = 0; i < app->formation_count; i++)
        if (strcmp(app->formations[i].type.text, type) == 0)
            return &app->formations[i];
    return NULL;
}

static bool has_number(const struct formation *formation, uint32_t number)
{
    for (size_t i = 0; formation != NULL && i < formation->dyno_count; i++)
        if (formation->dynos[i].number == number)
            return true;
    return false;
}

/* Adds dynos with the lowest numbers that are free. */
static int add_dynos(struct scaling *scaling, const struct formation *formation, const char *type,
                     size_t count)
{
    struct change *change = scaling->change;
    struct dyno_name dyno = {.app = change->selected.app->name.text, .type = type};
    struct err err;

    while (count > 0) {
        if (has_number(formation, ++dyno.number))
            continue;
        scaling->last_address = free_address_find(change->selected.space, scaling->last_address);
        if (scaling->last_address == 0) {
            fputs("!\n", change->session->err);
            return free_address_fail(change->session, change->selected.space);
        }
        if (!change_add_dyno(change, &dyno, scaling->last_address, &err))
            return change_fail(change, err.text);
        count--;
    }
    return EXIT_DONE;
}

/* The highest number below `below`. */
static uint32_t find_highest(const struct formation *formation, uint32_t below)
{
    uint32_t highest = 0;

    for (size_t i = 0; i < formation->dyno_count; i++)
        if (formation->dynos[i].number < below && formation->dynos[i].number > highest)
            highest = formation->dynos[i].number;
    return highest;
}

/* Removes dynos from the highest number down. */
static int remove_dynos(struct change *change, const struct formation *formation, size_t count)
{
    struct dyno_name dyno = {
        .app = change->selected.app->name.text, .type = formation->type.text, .number = UINT32_MAX};
    struct err err;

    for (; count > 0; count--) {
        dyno.number = find_highest(formation, dyno.number);
        if (!change_remove_dyno(change, &dyno, &err))
            return change_fail(change, err.text);
    }
    return EXIT_DONE;
}

static int scale_type(struct scaling *scaling, const struct scale *scale)
{
    const struct formation *formation = find_formation(scaling->change->selected.app, scale->type);
    size_t count = formation == NULL ? 0 : formation->dyno_count;

    return scale->count < count ? remove_dynos(scaling->change, formation, count - scale->count)
                                : add_dynos(scaling, formation, scale->type, scale->count - count);
}

static int scale_all(struct change *change, const struct scale *scales, size_t count)
{
    struct scaling scaling = {.change = change};
    int code = EXIT_DONE;

    fputs("Scaling", change->session->err);
    for (size_t i = 0; i < count; i++)
        fprintf(change->session->err, "%s %s to %u", i == 0 ? "" : ",", scales[i].type,
                (unsigned)scales[i].count);
    change_begin(change, change->selected.app->name.text, " on");
    for (size_t i = 0; i < count && code == EXIT_DONE; i++)
        code = scale_type(&scaling, &scales[i]);
    return code == EXIT_DONE ? change_finish_at_line(change) : code;
}

int run_ps_scale(struct session *session)
{
    struct scale scales[OPERANDS_MOST] = {{.count = 0}};
    struct change change;

    if (session->invocation.operand_count == 0)
        return app_selection_run(session, print_scales);
    if (read_scales(session, scales) != EXIT_DONE)
        return EXIT_USAGE;
    int code = change_open_app(&change, session);
    if (code == EXIT_DONE)
        code = scale_all(&change, scales, session->invocation.operand_count);
    change_close(&change);
    return code;
}
