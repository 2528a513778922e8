#include "space/parse.h"

#include <stddef.h>
#include <stdlib.h>

#include "space/fields.h"
#include "space/records.h"

enum { DEFAULT_ROUTER_TTL = 30, DEFAULT_DYNO_TTL = 10, DEFAULT_NEGATIVE_TTL = 5 };

/* 10.0.0.0/16, the platform's default. */
static const struct cidr default_cidr = {.address = 0x0a000000, .bits = 16};

/* Keeps the location of an unreadable name, too: it is then not reported as missing. */
static void read_name(void *context, const struct yaml_field *field, const struct yaml_node *value,
                      void *target)
{
    struct space *space = target;

    field_read_word(context, field, value, target);
    if (!yaml_is_null(value))
        space->name.at = location_of_node(value);
}

static bool read_record(struct parsing *parsing, const struct yaml_field *field,
                        const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct record *record = item;
    enum finding_code code;
    struct err err;

    (void)key;
    if (value->kind != YAML_SCALAR || yaml_is_null(value)) {
        parsing_reject(parsing, field->name, value,
                       "a record such as \"db.internal.example.com. 60 IN A 172.23.1.5\"");
        return false;
    }
    if (!record_read(parsing->arena, value->text, record, &code, &err)) {
        if (err.code == ERR_MEMORY)
            parsing->is_out_of_memory = true;
        const char *form = code == FINDING_REC_SYNTAX
                               ? "; write it as `db.internal.example.com. 60 IN A 172.23.1.5`"
                               : "";
        report_add(parsing->report, code, parsing->file, location_of_node(value),
                   "record `%.200s`: %s%s", value->text, err.text, form);
        return false;
    }
    record->at = location_of_node(value);
    return true;
}

static const struct number_details ttl_seconds = {0, 300, FINDING_TTL, NO_OFFSET};

static const struct yaml_field ttl_fields[] = {
    {"router", field_read_number, offsetof(struct space, router_ttl_seconds), &ttl_seconds, false},
    {"dyno", field_read_number, offsetof(struct space, dyno_ttl_seconds), &ttl_seconds, false},
    {"negative", field_read_number, offsetof(struct space, negative_ttl_seconds), &ttl_seconds,
     false},
};

const struct table ttl_table = {"`ttl`", "into `ttl` of the space", FIELDS(ttl_fields)};

void space_read_ttl(void *context, const struct yaml_field *field, const struct yaml_node *value,
                    void *target)
{
    parsing_read_mapping(context, value, field->details, target);
}

static const char *const generations[] = {[GENERATION_CEDAR] = "cedar", [GENERATION_FIR] = "fir"};
static const struct enum_words generation_words = WORDS(generations);
static const char *const space_states[] = {
    [SPACE_ALLOCATED] = "allocated",
    [SPACE_ALLOCATING] = "allocating",
    [SPACE_DELETING] = "deleting",
};
static const struct enum_words space_state_words = WORDS(space_states);

const char *generation_text(enum generation generation)
{
    return generations[generation];
}

const char *space_state_text(enum space_state state)
{
    return space_states[state];
}

static const char *const affinities[] = {
    [AFFINITY_NONE] = "none",
    [AFFINITY_PREFER] = "prefer",
    [AFFINITY_ONLY] = "only",
};
static const struct enum_words affinity_words = WORDS(affinities);

const char *affinity_text(enum affinity affinity)
{
    return affinities[affinity];
}

void space_read_affinity(void *context, const struct yaml_field *field,
                         const struct yaml_node *value, void *target)
{
    struct space *space = target;
    unsigned read = AFFINITY_NONE;

    space->affinity_at = location_of_node(value);
    if (parsing_read_enum(context, field, value, field->details, &read))
        space->affinity = (enum affinity)read;
}

static const enum finding_code cidr_code = FINDING_SPACE_CIDR;
static const enum finding_code data_cidr_code = FINDING_DATA_CIDR;

static const struct items_details dyno_cidr_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct block),
    .read = dyno_cidr_read_item,
    .count_offset = offsetof(struct space, dyno_cidrs.count),
    .at_offset = NO_OFFSET,
    .code = FINDING_DYNO_CIDR,
    .table = &dyno_cidr_table,
    .takes_first = true,
};
static const struct items_details router_cidr_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct block),
    .read = block_read_item,
    .count_offset = offsetof(struct space, router_cidrs.count),
    .at_offset = NO_OFFSET,
    .code = FINDING_ROUTER_CIDR,
};
static const struct items_details trusted_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct block),
    .read = block_read_item,
    .count_offset = offsetof(struct space, trusted_ips.count),
    .at_offset = NO_OFFSET,
    .code = FINDING_ADDRESS,
};
static const struct items_details listen_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct block),
    .read = listen_read_item,
    .count_offset = offsetof(struct space, listen_count),
    .at_offset = NO_OFFSET,
    .code = FINDING_LISTEN,
};
static const struct items_details router_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct router),
    .read = router_read_item,
    .count_offset = offsetof(struct space, router_count),
    .at_offset = offsetof(struct space, routers_at),
    .code = FINDING_ADDRESS,
    .table = &router_table,
    .takes_first = true,
};
static const struct items_details peering_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct peering),
    .read = peering_read_item,
    .count_offset = offsetof(struct space, peering_count),
    .at_offset = NO_OFFSET,
    .code = FINDING_ADDRESS,
    .table = &peering_table,
};
static const struct items_details vpn_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct vpn),
    .read = vpn_read_item,
    .count_offset = offsetof(struct space, vpn_count),
    .at_offset = NO_OFFSET,
    .code = FINDING_ADDRESS,
    .table = &vpn_table,
};
static const struct items_details app_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct app),
    .read = app_read_item,
    .count_offset = offsetof(struct space, app_count),
    .at_offset = NO_OFFSET,
    .code = FINDING_ADDRESS,
    .table = &app_table,
};
static const struct items_details record_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct record),
    .read = read_record,
    .count_offset = offsetof(struct space, record_count),
    .at_offset = NO_OFFSET,
    .code = FINDING_ADDRESS,
};

static const struct yaml_field space_fields[] = {
    {"space", read_name, offsetof(struct space, name), NULL, false}, /* see check_name */
    {"id", field_read_word, offsetof(struct space, id), NULL, false},
    {"cidr", field_read_block, offsetof(struct space, cidr), &cidr_code, false},
    {"data_cidr", field_read_block, offsetof(struct space, data_cidr), &data_cidr_code, false},
    {"dyno_cidrs", field_read_items, offsetof(struct space, dyno_cidrs.items), &dyno_cidr_items,
     false},
    {"router_cidrs", field_read_items, offsetof(struct space, router_cidrs.items),
     &router_cidr_items, false},
    {"affinity", space_read_affinity, 0, &affinity_words, false},
    {"region", field_read_word, offsetof(struct space, region), NULL, false},
    {"generation", field_read_enum, offsetof(struct space, generation), &generation_words, false},
    {"shield", field_read_bool, offsetof(struct space, shield), NULL, false},
    {"state", field_read_enum, offsetof(struct space, state), &space_state_words, false},
    {"listen", field_read_items, offsetof(struct space, listen), &listen_items, false},
    {"ttl", space_read_ttl, 0, &ttl_table, false},
    {"routers", field_read_items, offsetof(struct space, routers), &router_items, false},
    {"peerings", field_read_items, offsetof(struct space, peerings), &peering_items, false},
    {"vpns", field_read_items, offsetof(struct space, vpns), &vpn_items, false},
    {"trusted_ips", field_read_items, offsetof(struct space, trusted_ips.items), &trusted_items,
     false},
    {"apps", field_read_items, offsetof(struct space, apps), &app_items, false},
    {"records", field_read_items, offsetof(struct space, records), &record_items, false},
};

const struct table space_table = {"the space", "to the file's top level, not indented",
                                  FIELDS(space_fields)};

const struct table *const space_tables[] = {
    &space_table, &app_table,       &domain_table,  &formation_table, &dyno_table,
    &port_table,  &router_table,    &peering_table, &vpn_table,       &tunnel_table,
    &ttl_table,   &dyno_cidr_table, NULL,
};

static enum finding_code code_of(enum yaml_problem_kind kind)
{
    static const enum finding_code codes[] = {
        [YAML_SYNTAX] = FINDING_SYNTAX,
        [YAML_BAD_UTF8] = FINDING_UTF8,
        [YAML_ANCHOR] = FINDING_ANCHOR,
        [YAML_TAG] = FINDING_TAG,
        [YAML_SECOND_DOCUMENT] = FINDING_DOCUMENT,
        [YAML_TOO_DEEP] = FINDING_DEPTH,
        [YAML_TOO_LONG] = FINDING_LIMIT,
        [YAML_TOO_LARGE] = FINDING_LIMIT,
        [YAML_EMPTY] = FINDING_MISSING,
        [YAML_WRONG_ROOT] = FINDING_TYPE,
        [YAML_WRONG_KEY] = FINDING_TYPE,
        [YAML_DUPLICATE_KEY] = FINDING_DUP,
        [YAML_NO_MEMORY] = FINDING_MEMORY,
    };

    return codes[kind];
}

static const char *fix_of(enum yaml_problem_kind kind)
{
    switch (kind) {
    case YAML_EMPTY:
        return "; a zone file begins with `space: NAME`";
    case YAML_SYNTAX:
        return "; check there and just before for an open bracket or quote, or a wrong indent";
    case YAML_BAD_UTF8:
    case YAML_ANCHOR:
    case YAML_TAG:
    case YAML_SECOND_DOCUMENT:
    case YAML_TOO_DEEP:
    case YAML_TOO_LONG:
    case YAML_TOO_LARGE:
    case YAML_WRONG_ROOT:
    case YAML_WRONG_KEY:
    case YAML_DUPLICATE_KEY:
    case YAML_NO_MEMORY:
        break;
    }
    return "";
}

static void report_problem(void *context, const struct yaml_problem *problem)
{
    struct parsing *parsing = context;
    const struct yaml_node node = {.at = problem->at};
    struct location at = location_of_node(&node);

    report_add(parsing->report, code_of(problem->kind), parsing->file, at, "%s%s", problem->text,
               fix_of(problem->kind));
    parsing_stop_when_full(parsing, at);
}

/* Returns the /20 of the space's /16 that begins at x.y.third.0. */
static struct block default_block(struct cidr cidr, uint32_t third)
{
    uint32_t address = (cidr_first(cidr) & 0xffff0000) | third << 8;

    return (struct block){.cidr = {.address = address, .bits = 20}};
}

static bool fill_blocks(struct arena *arena, struct blocks *blocks, struct block first,
                        struct block second)
{
    if (blocks->items != NULL)
        return true;
    blocks->items = arena_take(arena, 2 * sizeof first);
    if (blocks->items == NULL)
        return false;
    blocks->items[0] = first;
    blocks->items[1] = second;
    blocks->count = 2;
    return true;
}

static bool fill_defaults(struct parsing *parsing, struct space *space)
{
    struct cidr cidr = space->cidr.cidr;

    if (cidr.bits == 0)
        return true;
    return fill_blocks(parsing->arena, &space->dyno_cidrs, default_block(cidr, 128),
                       default_block(cidr, 144)) &&
           fill_blocks(parsing->arena, &space->router_cidrs, default_block(cidr, 0),
                       default_block(cidr, 16));
}

/* Reports a file without a space. An internal app needs one, so the finding names such an app. */
static void check_name(struct parsing *parsing, const struct space *space)
{
    const struct app *app = space->apps;
    size_t left = space->app_count;

    while (left > 0 && !app->internal_routing) {
        app++;
        left--;
    }
    if (left > 0)
        report_add(parsing->report, FINDING_APP_SPACE, parsing->file, app->internal_routing_at,
                   "app %.40s has internal_routing: true, which needs a space; name it with "
                   "`space: NAME` at the top of the file",
                   app->name.text);
    else
        report_add(parsing->report, FINDING_MISSING, parsing->file,
                   (struct location){.line = 1, .column = 1},
                   "`space` is missing; a zone file begins with `space: NAME`");
}

/* Reads the root into *space; returns false if the model is unusable. */
static bool read_space(struct parsing *parsing, struct space *space)
{
    struct yaml_node root;

    if (!yaml_root(parsing->yaml, &root))
        return false;
    parsing_read_mapping(parsing, &root, &space_table, space);
    if (yaml_failed(parsing->yaml) && !parsing->is_out_of_memory)
        return false;
    if (parsing->is_out_of_memory || !fill_defaults(parsing, space)) {
        report_add(parsing->report, FINDING_MEMORY, parsing->file, (struct location){0},
                   "out of memory");
        return false;
    }
    if (space->name.text == NULL && space->name.at.line == 0)
        check_name(parsing, space);
    return space->name.text != NULL;
}

struct space *space_parse(struct arena *arena, const char *file, const char *text, size_t length,
                          struct report *report)
{
    struct parsing parsing = {.arena = arena, .report = report, .file = file};
    struct space *space = arena_take(arena, sizeof *space);

    parsing.yaml = yaml_reader_new(text, length, report_problem, &parsing);
    if (space == NULL || parsing.yaml == NULL) {
        report_add(report, FINDING_MEMORY, file, (struct location){0}, "out of memory");
        yaml_reader_free(parsing.yaml);
        return NULL;
    }
    space->file = file;
    space->cidr.cidr = default_cidr;
    space->router_ttl_seconds = DEFAULT_ROUTER_TTL;
    space->dyno_ttl_seconds = DEFAULT_DYNO_TTL;
    space->negative_ttl_seconds = DEFAULT_NEGATIVE_TTL;
    bool is_read = read_space(&parsing, space);
    free(parsing.stack);
    yaml_reader_free(parsing.yaml);
    return is_read ? space : NULL;
}
