#include "spacedns/ps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/suggest.h"
#include "base/text.h"
#include "spacedns/change_dynos.h"
#include "spacedns/color.h"
#include "spacedns/free_address.h"

enum { TYPE_MOST = 128, DIGITS_MOST = 9 };

/* ---- list ---- */

static json_t *dyno_to_json(const struct formation *formation, const struct dyno *dyno)
{
    return json_pack("{s:o, s:s, s:I, s:s, s:o}", "name",
                     json_sprintf("%s.%u", formation->type.text, (unsigned)dyno->number), "type",
                     formation->type.text, "number", (json_int_t)dyno->number, "state",
                     dyno_state_text(dyno->state), "private_ip", json_address(dyno->ip));
}

static int print_json_dynos(struct session *session, const struct app *app)
{
    json_t *list = json_array();

    for (size_t i = 0; i < app->formation_count; i++)
        for (size_t j = 0; j < app->formations[i].dyno_count; j++)
            json_array_append_new(list,
                                  dyno_to_json(&app->formations[i], &app->formations[i].dynos[j]));
    return session_print_json(session, list);
}

static void print_formation(struct session *session, const struct formation *formation)
{
    FILE *out = session->out;
    char address[CIDR_TEXT_MAX];

    fprintf(out, "=== %s (%zu)\n", formation->type.text, formation->dyno_count);
    for (size_t i = 0; i < formation->dyno_count; i++) {
        const struct dyno *dyno = &formation->dynos[i];
        ipv4_write(dyno->ip, address);
        const char *state = dyno_state_text(dyno->state);
        fprintf(out, "%s.%u: ", formation->type.text, (unsigned)dyno->number);
        color_print(session, out, color_of_state(state), state);
        fprintf(out, "%s%s\n", dyno->ip == 0 ? "" : " ", dyno->ip == 0 ? "" : address);
    }
}

static int print_dynos(struct session *session, const struct space_set *space_set,
                       const struct app_selection *selected)
{
    const struct app *app = selected->app;
    size_t count = 0;

    (void)space_set;
    if (session->is_json)
        return print_json_dynos(session, app);
    for (size_t i = 0; i < app->formation_count; i++) {
        if (app->formations[i].dyno_count == 0)
            continue;
        if (count > 0)
            fputc('\n', session->out);
        print_formation(session, &app->formations[i]);
        count += app->formations[i].dyno_count;
    }
    if (count > 0)
        return EXIT_DONE;
    fputs("No dynos on ", session->out);
    session_print_app(session, session->out, app->name.text);
    fputc('\n', session->out);
    return EXIT_DONE;
}

int run_ps(struct session *session)
{
    return app_selection_run(session, print_dynos);
}

/* ---- operands ---- */

/* TYPE.N, and perhaps the state for it. */
struct wanted {
    char type[TYPE_MOST + 1];
    uint32_t number;
    enum dyno_state state;
};

static bool read_name(const char *text, size_t length, struct wanted *wanted)
{
    const char *dot = memrchr(text, '.', length);
    size_t digits = dot == NULL ? 0 : length - (size_t)(dot + 1 - text);
    size_t type = dot == NULL ? 0 : (size_t)(dot - text);
    uint64_t number;

    if (type == 0 || type > TYPE_MOST || digits > DIGITS_MOST ||
        !number_from_text(dot + 1, digits, &number) || number == 0)
        return false;
    memcpy(wanted->type, text, type);
    wanted->type[type] = '\0';
    wanted->number = (uint32_t)number;
    return true;
}

static int fail_state(struct session *session, const char *word)
{
    const char *words[DYNO_DOWN + 1];
    char states[64] = "";
    struct text list = text_over(states, sizeof states - 1);

    for (unsigned i = 0; i <= DYNO_DOWN; i++)
        words[i] = dyno_state_text((enum dyno_state)i);
    const char *suggestion = suggest_among(word, words, DYNO_DOWN + 1);
    text_add_words(&list, words, DYNO_DOWN + 1);
    return session_fail(session, EXIT_USAGE, "%s is not a state of a dyno; %s%s%swrite %s", word,
                        suggestion == NULL ? "" : "did you mean ",
                        suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "? ",
                        states);
}

static int read_setting(struct session *session, const char *text, struct wanted *wanted)
{
    size_t length = strcspn(text, "=");

    if (text[length] == '\0' || !read_name(text, length, wanted))
        return session_fail(session, EXIT_USAGE,
                            "%s is not of the form TYPE.N=STATE; write it as web.1=up", text);
    for (unsigned i = 0; i <= DYNO_DOWN; i++)
        if (strcmp(text + length + 1, dyno_state_text((enum dyno_state)i)) == 0) {
            wanted->state = (enum dyno_state)i;
            return EXIT_DONE;
        }
    return fail_state(session, text + length + 1);
}

/* The error of the edit, and the command that lists the dynos. */
static int fail_edit(struct change *change, const struct err *err)
{
    struct err extended;

    err_set(&extended, err->code, "%.380s; spacedns ps -a %.64s lists its dynos", err->text,
            change->selected.app->name.text);
    bool is_bare = err->code == ERR_RULE && strchr(err->text, ';') == NULL;
    return change_fail(change, is_bare ? extended.text : err->text);
}

/* ---- set ---- */

static int set_states(struct change *change, const struct wanted *wanted, size_t count)
{
    FILE *out = change->session->err;
    struct err err;

    fputs("Setting", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s %s.%u to %s", i == 0 ? "" : ",", wanted[i].type,
                (unsigned)wanted[i].number, dyno_state_text(wanted[i].state));
    change_begin(change, change->selected.app->name.text, " on");
    for (size_t i = 0; i < count; i++) {
        const struct dyno_name dyno = {.app = change->selected.app->name.text,
                                       .type = wanted[i].type,
                                       .number = wanted[i].number};
        if (!change_set_dyno(change, &dyno, wanted[i].state, &err))
            return fail_edit(change, &err);
    }
    return change_finish(change);
}

/* Else the last of two states would win without a word. */
static int check_twice(struct session *session, const struct wanted *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (wanted[i].number == wanted[j].number && strcmp(wanted[i].type, wanted[j].type) == 0)
                return session_fail(session, EXIT_USAGE, "%s.%u is given twice; give it once",
                                    wanted[i].type, (unsigned)wanted[i].number);
    return EXIT_DONE;
}

int run_ps_set(struct session *session)
{
    const struct invocation *invocation = &session->invocation;
    struct wanted wanted[OPERANDS_MOST] = {{.number = 0}};
    struct change change;

    for (size_t i = 0; i < invocation->operand_count; i++)
        if (read_setting(session, invocation->operands[i], &wanted[i]) != EXIT_DONE)
            return EXIT_USAGE;
    if (check_twice(session, wanted, invocation->operand_count) != EXIT_DONE)
        return EXIT_USAGE;
    int code = change_open_app(&change, session);
    if (code == EXIT_DONE)
        code = set_states(&change, wanted, invocation->operand_count);
    change_close(&change);
    return code;
}

/* ---- add ---- */

static uint32_t next_number(const struct app *app, const char *type)
{
    uint32_t most = 0;

    for (size_t i = 0; i < app->formation_count; i++)
        if (strcmp(app->formations[i].type.text, type) == 0)
            for (size_t j = 0; j < app->formations[i].dyno_count; j++)
                most = app->formations[i].dynos[j].number > most
                           ? app->formations[i].dynos[j].number
                           : most;
    return most + 1;
}

static int add(struct change *change, const char *type, uint32_t ip)
{
    struct dyno_name dyno = {.app = change->selected.app->name.text,
                             .type = type,
                             .number = next_number(change->selected.app, type)};
    char address[CIDR_TEXT_MAX];
    struct err err;

    if (ip == 0)
        ip = free_address_find(change->selected.space, 0);
    if (ip == 0)
        return free_address_fail(change->session, change->selected.space);
    ipv4_write(ip, address);
    change_begin(change, dyno.app, "Adding %s.%u (%s) to", type, (unsigned)dyno.number, address);
    if (!change_add_dyno(change, &dyno, ip, &err))
        return fail_edit(change, &err);
    return change_finish(change);
}

int run_ps_add(struct session *session)
{
    const char *type = invocation_operand(&session->invocation, 0);
    const char *address = session->invocation.options[OPTION_IP];
    uint32_t ip = 0;
    struct change change;

    if (address != NULL && (!ipv4_read(address, &ip) || ip == 0))
        return session_fail(session, EXIT_USAGE, "%s is not an IPv4 address; write --ip 10.0.128.7",
                            address);
    int code = change_open_app(&change, session);
    if (code == EXIT_DONE)
        code = add(&change, type, ip);
    change_close(&change);
    return code;
}

/* ---- remove ---- */

static int remove_dyno(struct change *change, const struct wanted *wanted)
{
    const struct dyno_name dyno = {
        .app = change->selected.app->name.text, .type = wanted->type, .number = wanted->number};
    struct err err;

    change_begin(change, dyno.app, "Removing %s.%u from", dyno.type, (unsigned)dyno.number);
    if (!change_remove_dyno(change, &dyno, &err))
        return fail_edit(change, &err);
    return change_finish(change);
}

int run_ps_remove(struct session *session)
{
    const char *name = invocation_operand(&session->invocation, 0);
    struct wanted wanted;
    struct change change;

    if (!read_name(name, strlen(name), &wanted))
        return session_fail(session, EXIT_USAGE, "%s is not of the form TYPE.N; write it as web.1",
                            name);
    int code = change_open_app(&change, session);
    if (code == EXIT_DONE)
        code = remove_dyno(&change, &wanted);
    change_close(&change);
    return code;
}
