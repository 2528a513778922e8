/**
 * Any octets, edited as a zone file by every kind of edit.
 *
 * Invariants: no crash; a refused edit has an error and changes nothing; an edited text, if it had
 * no findings before, is read again with exactly that one change: apps, domains, dynos, routers and
 * records are counted, and every name is kept.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "space/edit.h"
#include "space/parse.h"

struct counts {
    bool is_clean;
    size_t apps;
    size_t domains;
    size_t dynos;
    size_t up;
    size_t routers;
    size_t routers_up;
    size_t records;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void count_app(const struct app *app, struct counts *counts)
{
    counts->domains += app->domain_count;
    for (size_t i = 0; i < app->formation_count; i++) {
        const struct formation *formation = &app->formations[i];
        counts->dynos += formation->dyno_count;
        for (size_t j = 0; j < formation->dyno_count; j++)
            counts->up += formation->dynos[j].state == DYNO_UP;
    }
}

static struct counts count(struct arena *arena, const char *text, size_t length,
                           const struct space **space)
{
    struct report *report = report_new();
    struct counts counts = {.is_clean = false};

    *space = space_parse(arena, "fuzz.yaml", text, length, report);
    counts.is_clean = *space != NULL && report_is_clean(report);
    counts.apps = *space == NULL ? 0 : (*space)->app_count;
    for (size_t i = 0; i < counts.apps; i++)
        count_app(&(*space)->apps[i], &counts);
    counts.records = *space == NULL ? 0 : (*space)->record_count;
    counts.routers = *space == NULL ? 0 : (*space)->router_count;
    for (size_t i = 0; i < counts.routers; i++)
        counts.routers_up += (*space)->routers[i].state == ROUTER_UP;
    report_free(report);
    return counts;
}

enum verb {
    ADD_APP,
    REMOVE_APP,
    ADD_DOMAIN,
    REMOVE_DOMAIN,
    ADD_DYNO,
    REMOVE_DYNO,
    SET,
    ADD_ROUTER,
    REMOVE_ROUTER,
    DRAIN,
    ADD_RECORD,
    REMOVE_RECORD,
    VERBS
};

static const struct record absent = {
    .owner = (const uint8_t *)"", .owner_length = 1, .rdata = (const uint8_t *)""};

/* The target of the edit: an app of the file, or one that may not exist. */
struct aim {
    const char *app;
    const char *hostname;
    struct dyno_name dyno;
    uint32_t router;
    struct record record;
};

static bool run(struct edit *edit, enum verb verb, const struct aim *aim, struct err *err)
{
    switch (verb) {
    case ADD_APP:
        return edit_add_app(edit, "fuzz-app-1", true, err);
    case REMOVE_APP:
        return edit_remove_app(edit, aim->app, err);
    case ADD_DOMAIN:
        return edit_add_domain(edit, aim->app, "*.fuzz.example", "a.b.herokuspace.com", err);
    case REMOVE_DOMAIN:
        return edit_remove_domain(edit, aim->app, aim->hostname, err);
    case ADD_DYNO:
        return edit_add_dyno(edit,
                             &(struct dyno_name){.app = aim->app, .type = "fuzz", .number = 77},
                             0x0a008077, err);
    case REMOVE_DYNO:
        return edit_remove_dyno(edit, &aim->dyno, err);
    case ADD_ROUTER:
        return edit_add_router(edit, 0x0a000077, "fuzz: 1", err);
    case REMOVE_ROUTER:
        return edit_remove_router(edit, aim->router, err);
    case DRAIN:
        return edit_set_router(edit, aim->router, ROUTER_DRAINING, err);
    case ADD_RECORD:
        return edit_add_record(edit, "fuzz.example. TXT \"it's\"", err);
    case REMOVE_RECORD:
        return edit_remove_record(edit, &aim->record, err);
    default:
        return edit_set_state(edit, &aim->dyno, DYNO_DOWN, err);
    }
}

static void check_counts(enum verb verb, const struct counts *before, const struct counts *after)
{
    static const int apps[VERBS] = {[ADD_APP] = 1, [REMOVE_APP] = -1};
    static const int domains[VERBS] = {[ADD_DOMAIN] = 1, [REMOVE_DOMAIN] = -1};
    static const int dynos[VERBS] = {[ADD_DYNO] = 1, [REMOVE_DYNO] = -1};
    static const int routers[VERBS] = {[ADD_ROUTER] = 1, [REMOVE_ROUTER] = -1};
    static const int records[VERBS] = {[ADD_RECORD] = 1, [REMOVE_RECORD] = -1};

    require(after->is_clean);
    require((long)after->apps == (long)before->apps + apps[verb]);
    require((long)after->records == (long)before->records + records[verb]);
    require((long)after->routers == (long)before->routers + routers[verb]);
    require(verb != DRAIN || after->routers_up <= before->routers_up);
    if (verb == REMOVE_APP)
        return;
    require((long)after->domains == (long)before->domains + domains[verb]);
    require((long)after->dynos == (long)before->dynos + dynos[verb]);
    require(verb != SET || after->up <= before->up);
}

static void check_names(const struct space *before, const struct space *after)
{
    for (size_t i = 0; i < before->app_count; i++)
        require(strcmp(before->apps[i].name.text, after->apps[i].name.text) == 0);
}

static void try_edit(const char *text, size_t length, enum verb verb, const struct aim *aim)
{
    struct arena *arena = arena_new();
    const struct space *space = NULL, *edited = NULL;
    struct counts before = count(arena, text, length, &space);
    struct err err = {.code = ERR_NONE};
    struct edit edit;

    require(edit_init(&edit, text, length));
    bool is_done = run(&edit, verb, aim, &err);
    require(is_done || (err.text[0] != '\0' && edit.text == text && edit.length == length));
    if (is_done && before.is_clean) {
        struct counts after = count(arena, edit.text, edit.length, &edited);
        check_counts(verb, &before, &after);
        if (verb != REMOVE_APP)
            check_names(space, edited);
    }
    edit_close(&edit);
    arena_free(arena);
}

/* The first of everything in an app. */
static struct aim aim_at(const struct app *app)
{
    struct aim aim = {.record = absent,
                      .app = app->name.text,
                      .hostname = "none.example",
                      .dyno = {.type = "web"}};

    aim.dyno.app = app->name.text;
    if (app->domain_count > 0 && !app->domains[0].is_wildcard)
        aim.hostname = app->domains[0].hostname.text;
    for (size_t i = 0; i < app->formation_count; i++)
        if (app->formations[i].dyno_count > 0) {
            aim.dyno.type = app->formations[i].type.text;
            aim.dyno.number = app->formations[i].dynos[0].number;
        }
    return aim;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    const struct space *space = NULL;
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    count(arena, text, size, &space);
    size_t apps = space == NULL ? 0 : space->app_count;
    struct aim none = {
        .record = absent, .app = "none", .hostname = "none.example", .dyno = {"none", "web", 1}};
    struct aim first = apps == 0 ? none : aim_at(&space->apps[0]);
    struct aim last = apps == 0 ? none : aim_at(&space->apps[apps - 1]);
    if (space != NULL && space->router_count > 0) {
        first.router = space->routers[0].ip;
        last.router = space->routers[space->router_count - 1].ip;
    }
    if (space != NULL && space->record_count > 0) {
        first.record = space->records[0];
        last.record = space->records[space->record_count - 1];
    }
    for (unsigned verb = 0; verb < VERBS; verb++) {
        try_edit(text, size, (enum verb)verb, &first);
        try_edit(text, size, (enum verb)verb, &last);
    }
    free(text);
    arena_free(arena);
    return 0;
}
