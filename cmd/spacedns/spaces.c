#include "spacedns/spaces.h"

#include <stdlib.h>
#include <string.h>

#include "answer/folder.h"
#include "base/suggest.h"
#include "control/print.h"
#include "space/parse.h"

/* The folder was found good a moment ago: what is found now was written since. */
static bool read_file(struct estate *estate, struct session *session, const char *file)
{
    struct zone_text text;
    struct space *space = NULL;

    if (folder_read(file, &session->key, NULL, &text, session->report)) {
        space = space_parse(estate->arena, file, text.octets, text.length, session->report);
        free(text.octets);
    }
    if (space == NULL || !report_is_clean(session->report)) {
        report_print(session->report, session->err);
        session_fail(session, EXIT_REFUSED,
                     "%s changed and has errors now; mend them, then try again", file);
        return false;
    }
    estate->spaces[estate->count++] = space;
    return true;
}

static bool read_files(struct estate *estate, struct session *session)
{
    struct folder folder;
    struct err err;

    estate->arena = arena_new();
    if (estate->arena == NULL ||
        !folder_list(estate->arena, session_zones(session), &folder, &err)) {
        session_fail(session, EXIT_REFUSED, "%s",
                     estate->arena == NULL ? "out of memory" : err.text);
        return false;
    }
    estate->spaces = arena_take(estate->arena, folder.count * sizeof *estate->spaces);
    if (estate->spaces == NULL) {
        session_fail(session, EXIT_REFUSED, "out of memory");
        return false;
    }
    for (size_t i = 0; i < folder.count; i++)
        if (!read_file(estate, session, folder.files[i]))
            return false;
    return true;
}

bool estate_open(struct estate *estate, struct session *session)
{
    *estate = (struct estate){.arena = NULL};
    if (session_must_load(session) && read_files(estate, session))
        return true;
    estate_close(estate);
    return false;
}

void estate_close(struct estate *estate)
{
    arena_free(estate->arena);
    *estate = (struct estate){.arena = NULL};
}

static const struct space *fail_unknown(const struct estate *estate, struct session *session,
                                        const char *wanted)
{
    const char **names = arena_take(estate->arena, estate->count * sizeof *names);
    const char *near = NULL;

    for (size_t i = 0; names != NULL && i < estate->count; i++)
        names[i] = estate->spaces[i]->name.text;
    if (names != NULL)
        near = suggest_among(wanted, names, estate->count);
    session_fail(session, EXIT_REFUSED,
                 "there is no space %s in %s; %s%s%sspacedns spaces lists them", wanted,
                 session_zones(session), near == NULL ? "" : "did you mean ",
                 near == NULL ? "" : near, near == NULL ? "" : "? ");
    return NULL;
}

const struct space *estate_pick(const struct estate *estate, struct session *session)
{
    const char *wanted = session->invocation.options[OPTION_SPACE];

    if (wanted == NULL && estate->count == 1)
        return estate->spaces[0];
    if (wanted == NULL) {
        session_fail(session, EXIT_REFUSED,
                     "Space name required. Write --space NAME; spacedns spaces lists the %zu of %s",
                     estate->count, session_zones(session));
        return NULL;
    }
    for (size_t i = 0; i < estate->count; i++)
        if (strcmp(estate->spaces[i]->name.text, wanted) == 0)
            return estate->spaces[i];
    return fail_unknown(estate, session, wanted);
}

int estate_run(struct session *session, estate_command *run)
{
    struct estate estate;
    int code = EXIT_REFUSED;

    if (!estate_open(&estate, session))
        return EXIT_REFUSED;
    const struct space *space = estate_pick(&estate, session);
    if (space != NULL)
        code = run(session, &estate, space);
    estate_close(&estate);
    return code;
}

int session_print_json(struct session *session, json_t *value)
{
    if (value == NULL)
        return session_fail(session, EXIT_REFUSED, "out of memory");
    print_json(value, session->out);
    return EXIT_DONE;
}

json_t *json_text(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

json_t *json_address(uint32_t address)
{
    char text[CIDR_TEXT_MAX];

    if (address == 0)
        return json_null();
    ipv4_write(address, text);
    return json_string(text);
}

json_t *json_cidr(struct cidr cidr)
{
    char text[CIDR_TEXT_MAX];

    cidr_write(cidr, text);
    return json_string(text);
}

json_t *json_blocks(const struct blocks *blocks)
{
    json_t *list = json_array();
    char text[CIDR_TEXT_MAX];

    for (size_t i = 0; i < blocks->count; i++) {
        cidr_write(blocks->items[i].cidr, text);
        json_array_append_new(list, json_string(text));
    }
    return list;
}
