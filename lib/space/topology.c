#include "space/topology.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hash.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t topology_sort_names(const char **names, size_t count)
{
    size_t kept = 0;

    if (count > 0)
        qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    return kept;
}

/* Joins texts in the arena; returns NULL if memory runs out. */
static const char *join(struct arena *arena, const char *const *parts, size_t count)
{
    size_t size = 1;

    for (size_t i = 0; i < count; i++)
        size += strlen(parts[i]);
    char *joined = arena_take(arena, size);
    for (size_t i = 0, at = 0; joined != NULL && i < count; i++) {
        size_t length = strlen(parts[i]);
        memcpy(joined + at, parts[i], length);
        at += length;
    }
    return joined;
}

#define JOIN(arena, ...)                                                                           \
    join(arena, (const char *const[]){__VA_ARGS__},                                                \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const char *default_domain_of(struct arena *arena, const struct app *app,
                                     const struct suffixes *suffixes)
{
    if (app->default_domain.text != NULL)
        return app->default_domain.text;
    return JOIN(arena, app->name.text, ".", suffixes->apps);
}

const char **topology_domains(struct arena *arena, const struct app *app,
                              const struct suffixes *suffixes, size_t *count)
{
    const char **names = arena_take(arena, (1 + 2 * app->domain_count) * sizeof *names);

    if (names == NULL)
        return NULL;
    *count = 0;
    names[(*count)++] = default_domain_of(arena, app, suffixes);
    for (size_t i = 0; i < app->domain_count; i++) {
        const struct domain *domain = &app->domains[i];
        names[(*count)++] = JOIN(arena, domain->is_wildcard ? "*." : "", domain->hostname.text);
        if (domain->cname.text != NULL)
            names[(*count)++] = domain->cname.text;
    }
    for (size_t i = 0; i < *count; i++)
        if (names[i] == NULL)
            return NULL;
    *count = topology_sort_names(names, *count);
    return names;
}

static int compare_formations(const void *a, const void *b)
{
    const struct formation *const *left = a;
    const struct formation *const *right = b;

    return strcmp((*left)->type.text, (*right)->type.text);
}

const struct formation **topology_formations(struct arena *arena, const struct app *app)
{
    const struct formation **sorted =
        arena_take(arena, (app->formation_count + 1) * sizeof *sorted);

    for (size_t i = 0; sorted != NULL && i < app->formation_count; i++)
        sorted[i] = &app->formations[i];
    if (sorted != NULL)
        qsort(sorted, app->formation_count, sizeof *sorted, compare_formations);
    return sorted;
}

static int compare_dynos(const void *a, const void *b)
{
    const struct dyno *const *left = a;
    const struct dyno *const *right = b;

    return ((*left)->number > (*right)->number) - ((*left)->number < (*right)->number);
}

const struct dyno **topology_dynos(struct arena *arena, const struct formation *formation,
                                   size_t *count)
{
    const struct dyno **sorted = arena_take(arena, (formation->dyno_count + 1) * sizeof *sorted);

    *count = 0;
    for (size_t i = 0; sorted != NULL && i < formation->dyno_count; i++)
        if (formation->dynos[i].state == DYNO_UP)
            sorted[(*count)++] = &formation->dynos[i];
    if (sorted != NULL)
        qsort(sorted, *count, sizeof *sorted, compare_dynos);
    return sorted;
}

const char *topology_hostname(struct arena *arena, const char *type, uint32_t number,
                              const char *app, const struct suffixes *suffixes)
{
    char digits[16];

    snprintf(digits, sizeof digits, "%u.", number);
    return JOIN(arena, digits, type, ".", app, ".app.", suffixes->discovery);
}

struct topology_writing {
    struct arena *arena;
    const struct suffixes *suffixes;
    const struct app *app;
    const char *app_id;
};

/* Derives a UUID of version 8 (RFC 9562 section 5.8) from a name. */
static json_t *make_id(const char *kind, const char *parent, const char *name, uint32_t number)
{
    static const struct hash_key keys[2] = {
        {UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707345)},
        {UINT64_C(0xa4093822299f31d0), UINT64_C(0x082efa98ec4e6c89)}};
    char text[512];
    int length = snprintf(text, sizeof text, "%s %s %s %u", kind, parent, name, number);
    size_t size = (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
    uint64_t high = hash_octets(&keys[0], text, size);
    uint64_t low = hash_octets(&keys[1], text, size);

    return json_sprintf("%08x-%04x-8%03x-%04x-%012llx", (unsigned)(high >> 32),
                        (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
                        (unsigned)(low >> 48 & 0x3fff) | 0x8000,
                        (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}

static json_t *write_dyno(const struct topology_writing *writing, const struct formation *formation,
                          const struct dyno *dyno)
{
    const char *type = formation->type.text;
    const char *hostname = topology_hostname(writing->arena, type, dyno->number,
                                             writing->app->name.text, writing->suffixes);
    char address[CIDR_TEXT_MAX];

    if (hostname == NULL)
        return NULL;
    ipv4_write(dyno->ip, address);
    return json_pack(
        "{s:o, s:I, s:s, s:s, s:o}", "id", make_id("dyno", writing->app_id, type, dyno->number),
        "number", (json_int_t)dyno->number, "private_ip", address, "hostname", hostname,
        "host_entry", json_sprintf("%s %s %s", address, hostname, strchr(hostname, '.') + 1));
}

static json_t *write_formation(const struct topology_writing *writing,
                               const struct formation *formation)
{
    size_t count;
    const struct dyno **sorted = topology_dynos(writing->arena, formation, &count);
    json_t *dynos = sorted == NULL ? NULL : json_array();

    for (size_t i = 0; i < count && dynos != NULL; i++)
        if (json_array_append_new(dynos, write_dyno(writing, formation, sorted[i])) != 0) {
            json_decref(dynos);
            dynos = NULL;
        }
    return json_pack("{s:o, s:s, s:o}", "id",
                     make_id("formation", writing->app_id, formation->type.text, 0), "process_type",
                     formation->type.text, "dynos", dynos);
}

static bool write_lists(const struct topology_writing *writing, json_t *domains, json_t *formations)
{
    const struct app *app = writing->app;
    size_t count = 0;
    const char **names = topology_domains(writing->arena, app, writing->suffixes, &count);
    const struct formation **sorted = topology_formations(writing->arena, app);
    bool is_whole = names != NULL && sorted != NULL;

    for (size_t i = 0; is_whole && i < count; i++)
        is_whole = json_array_append_new(domains, json_string(names[i])) == 0;
    for (size_t i = 0; is_whole && i < app->formation_count; i++)
        is_whole = json_array_append_new(formations, write_formation(writing, sorted[i])) == 0;
    return is_whole;
}

static json_t *write_app(struct topology_writing *writing, const struct app *app)
{
    json_t *id =
        app->id.text != NULL ? json_string(app->id.text) : make_id("app", "", app->name.text, 0);
    json_t *domains = json_array();
    json_t *formations = json_array();

    writing->app = app;
    writing->app_id = json_string_value(id);
    if (writing->app_id != NULL && write_lists(writing, domains, formations))
        return json_pack("{s:o, s:o, s:o}", "id", id, "domains", domains, "formation", formations);
    json_decref(id);
    json_decref(domains);
    json_decref(formations);
    return NULL;
}

bool topology_write(const struct space *space, const struct suffixes *suffixes, FILE *out)
{
    struct topology_writing writing = {.arena = arena_new(), .suffixes = suffixes};
    json_t *apps = json_array();
    bool is_whole = writing.arena != NULL && apps != NULL;

    for (size_t i = 0; is_whole && i < space->app_count; i++)
        is_whole = json_array_append_new(apps, write_app(&writing, &space->apps[i])) == 0;
    json_t *root = json_pack("{s:i, s:o}", "version", TOPOLOGY_VERSION, "apps", apps);
    is_whole =
        is_whole && root != NULL && json_dumpf(root, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0;
    if (is_whole)
        fputc('\n', out);
    json_decref(root);
    arena_free(writing.arena);
    return is_whole;
}
