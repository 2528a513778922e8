#include "answer/seal_unready.h"

#include <string.h>

#include "base/address.h"
#include "wire/name.h"

static const struct cidr no_client = {.address = 0, .bits = 32};

/* A /16 that a space may have: views and tables of blocks are made for these alone. */
static bool is_space_block(struct cidr cidr)
{
    return cidr.bits == 16 && cidr_is_private(cidr) && cidr.address == cidr_first(cidr);
}

static bool is_data_block(struct cidr cidr)
{
    return cidr.bits >= 16 && cidr.bits <= 20 && cidr_is_private(cidr) &&
           cidr.address == cidr_first(cidr);
}

static struct cidr choose_cidr(const struct unready_space *space)
{
    if (space->fixed != NULL && is_space_block(space->fixed->cidr))
        return space->fixed->cidr;
    if (space->model != NULL && is_space_block(space->model->cidr.cidr))
        return space->model->cidr.cidr;
    return no_client;
}

static struct cidr choose_data_cidr(const struct unready_space *space)
{
    if (space->fixed != NULL && is_data_block(space->fixed->data_cidr))
        return space->fixed->data_cidr;
    if (space->model != NULL && is_data_block(space->model->data_cidr.cidr))
        return space->model->data_cidr.cidr;
    return (struct cidr){.bits = 0};
}

/* Leaves out blocks that could not be read; one of all addresses is an error, too. */
static bool copy_blocks(struct arena *arena, struct blocks *blocks)
{
    struct block *copies = arena_take(arena, (blocks->count + 1) * sizeof *copies);
    size_t count = 0;

    if (copies == NULL)
        return false;
    for (size_t i = 0; i < blocks->count; i++)
        if (blocks->items[i].cidr.bits > 0)
            copies[count++] = blocks->items[i];
    *blocks = (struct blocks){.items = copies, .count = count};
    return true;
}

static bool copy_peerings(struct arena *arena, const struct space *model, struct space *space)
{
    struct peering *copies = arena_take(arena, (model->peering_count + 1) * sizeof *copies);

    if (copies == NULL)
        return false;
    for (size_t i = 0; i < model->peering_count; i++) {
        struct peering *copy = &copies[space->peering_count];
        if (model->peerings[i].pcx_id.text == NULL)
            continue;
        *copy = model->peerings[i];
        copy->lists_routes = false;
        if (!copy_blocks(arena, &copy->cidr_blocks))
            return false;
        space->peering_count++;
    }
    space->peerings = copies;
    return true;
}

static bool copy_vpns(struct arena *arena, const struct space *model, struct space *space)
{
    struct vpn *copies = arena_take(arena, (model->vpn_count + 1) * sizeof *copies);

    if (copies == NULL)
        return false;
    for (size_t i = 0; i < model->vpn_count; i++) {
        struct vpn *copy = &copies[space->vpn_count];
        if (model->vpns[i].name.text == NULL)
            continue;
        *copy = model->vpns[i];
        if (!copy_blocks(arena, &copy->routable_cidrs))
            return false;
        space->vpn_count++;
    }
    space->vpns = copies;
    return true;
}

/* The clients of the space, as far as they are known. */
static bool copy_clients(struct arena *arena, const struct unready_space *from, struct space *space)
{
    space->cidr.cidr = choose_cidr(from);
    space->data_cidr.cidr = choose_data_cidr(from);
    if (from->model == NULL)
        return true;
    space->cidr.at = from->model->cidr.at;
    space->name.at = from->model->name.at;
    space->listen = from->model->listen;
    space->listen_count = from->model->listen_count;
    return copy_peerings(arena, from->model, space) && copy_vpns(arena, from->model, space);
}

struct segment *segment_seal_unready(const struct unready_space *space, enum finding_code code,
                                     struct location at, const struct suffixes *suffixes,
                                     struct err *err)
{
    struct arena *arena = arena_new();
    struct space clients = {.file = space->file,
                            .name = {.text = space->name, .at = {.line = 1}},
                            .state = SPACE_ALLOCATED};
    struct segment *segment = NULL;

    if (arena != NULL && copy_clients(arena, space, &clients))
        segment = segment_seal(&clients, suffixes, &(struct text_identity){.length = 0}, err);
    else
        err_set(err, ERR_MEMORY, "%s: out of memory while sealing", space->file);
    arena_free(arena);
    if (segment != NULL) {
        segment->is_unready = true;
        segment->unready_code = code;
        segment->unready_at = at;
    }
    return segment;
}

/* ---- names ---- */

/* True for a text that is a host name, also below a label or a suffix. */
static bool is_name(const char *text)
{
    struct name name;

    return text != NULL && name_from_text(text, &name) && name.length + 2 <= NAME_MAX_OCTETS;
}

static bool is_app_name(const char *text, const struct name *suffix)
{
    struct name name;

    return text != NULL && *text != '\0' && strlen(text) <= LABEL_MAX_OCTETS &&
           strchr(text, '.') == NULL &&
           name_join(&name, text, strlen(text), suffix->octets, suffix->length);
}

static bool copy_domains(struct arena *arena, struct app *app)
{
    struct domain *copies = arena_take(arena, (app->domain_count + 1) * sizeof *copies);
    size_t count = 0;

    if (copies == NULL)
        return false;
    for (size_t i = 0; i < app->domain_count; i++) {
        if (!is_name(app->domains[i].hostname.text))
            continue;
        copies[count] = app->domains[i];
        if (copies[count].cname.text != NULL && !is_name(copies[count].cname.text))
            copies[count].cname = copies[count].hostname; /* without one it would be pending */
        count++;
    }
    app->domains = copies;
    app->domain_count = count;
    return true;
}

static bool was_fixed_internal(const struct unready_space *space, const struct app *app)
{
    bool is_internal;

    return space->fixed != NULL &&
           fixed_find_app(space->fixed, app->name.text, strlen(app->name.text), app->id.text,
                          &is_internal) &&
           is_internal;
}

/* Names are compared in lower case; a rule refuses any other. */
static const char *fold(struct arena *arena, const char *text)
{
    char *folded = arena_text(arena, text, strlen(text));

    for (char *octet = folded; octet != NULL && *octet != '\0'; octet++)
        if (*octet >= 'A' && *octet <= 'Z')
            *octet = (char)(*octet - 'A' + 'a');
    return folded;
}

static bool copy_app(struct arena *arena, const struct unready_space *from, struct app *app)
{
    app->name.text = fold(arena, app->name.text);
    if (app->name.text == NULL)
        return false;
    app->internal_routing = app->internal_routing || was_fixed_internal(from, app);
    app->formation_count = 0;
    app->id.text = NULL;
    if (!is_name(app->default_domain.text))
        app->default_domain.text = NULL;
    return copy_domains(arena, app);
}

static bool copy_apps(struct arena *arena, const struct unready_space *from,
                      const struct name *suffix, struct space *space)
{
    const struct space *model = from->model;
    struct app *copies = arena_take(arena, (model->app_count + 1) * sizeof *copies);

    if (copies == NULL)
        return false;
    for (size_t i = 0; i < model->app_count; i++) {
        if (!is_app_name(model->apps[i].name.text, suffix))
            continue;
        struct app *app = &copies[space->app_count++];
        *app = model->apps[i];
        if (!copy_app(arena, from, app))
            return false;
    }
    space->apps = copies;
    return true;
}

struct segment *segment_seal_names(const struct unready_space *space,
                                   const struct suffixes *suffixes, struct err *err)
{
    struct arena *arena = arena_new();
    struct space names = {.file = space->file,
                          .name = {.text = space->name, .at = {.line = 1}},
                          .cidr = {.cidr = no_client}};
    struct segment *segment = NULL;
    struct name suffix;

    *err = (struct err){.code = ERR_NONE};
    if (space->model != NULL && name_from_text(suffixes->apps, &suffix)) {
        names.records = space->model->records;
        names.record_count = space->model->record_count;
        if (arena != NULL && copy_apps(arena, space, &suffix, &names))
            segment = segment_seal(&names, suffixes, &(struct text_identity){.length = 0}, err);
        else
            err_set(err, ERR_MEMORY, "%s: out of memory while sealing", space->file);
    }
    arena_free(arena);
    return segment;
}
