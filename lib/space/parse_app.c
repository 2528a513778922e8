/* Apps, their domains, formations, ports and dynos. */
#include "space/fields.h"

#include <stddef.h>
#include <string.h>

static void read_custom_hostname(void *context, const struct yaml_field *field,
                                 const struct yaml_node *value, void *target)
{
    struct domain *domain = target;

    field_read_hostname(context, field, value, target);
    if (domain->hostname.text != NULL && strncmp(domain->hostname.text, "*.", 2) == 0) {
        domain->is_wildcard = true;
        domain->hostname.text += 2;
    }
}

enum { RECORD_CNAME, RECORD_ALIAS };

static const char *const record_kinds[] = {[RECORD_CNAME] = "cname", [RECORD_ALIAS] = "alias"};
static const struct enum_words record_words = WORDS(record_kinds);

void domain_read_record(void *context, const struct yaml_field *field,
                        const struct yaml_node *value, void *target)
{
    struct domain *domain = target;
    unsigned read = RECORD_CNAME;

    domain->record_at = location_of_node(value);
    if (parsing_read_enum(context, field, value, field->details, &read))
        domain->is_alias = read == RECORD_ALIAS;
}

enum { STATUS_PENDING, STATUS_NONE, STATUS_SUCCEEDED };

static const char *const domain_statuses[] = {
    [STATUS_PENDING] = "pending", [STATUS_NONE] = "none", [STATUS_SUCCEEDED] = "succeeded"};
static const struct enum_words domain_status_words = WORDS(domain_statuses);

void domain_read_status(void *context, const struct yaml_field *field,
                        const struct yaml_node *value, void *target)
{
    struct domain *domain = target;
    unsigned read = STATUS_NONE;

    if (parsing_read_enum(context, field, value, field->details, &read))
        domain->is_pending = read == STATUS_PENDING;
}

static const struct yaml_field domain_fields[] = {
    {"hostname", read_custom_hostname, offsetof(struct domain, hostname), NULL, true},
    {"cname", field_read_hostname, offsetof(struct domain, cname), NULL, false},
    {"record", domain_read_record, 0, &record_words, false},
    {"flatten", field_read_bool, offsetof(struct domain, is_flat), NULL, false},
    {"status", domain_read_status, 0, &domain_status_words, false},
    {"acm_status", field_read_word, offsetof(struct domain, acm_status), NULL, false},
};

const struct table domain_table = {"a domain", "into `domains` of an app", FIELDS(domain_fields)};

static bool read_domain(struct parsing *parsing, const struct yaml_field *field,
                        const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct domain *domain = item;

    (void)field;
    (void)key;
    return parsing_read_mapping(parsing, value, &domain_table, domain) &&
           domain->hostname.text != NULL;
}

static const char *const dyno_states[] = {
    [DYNO_UP] = "up",           [DYNO_STARTING] = "starting", [DYNO_IDLE] = "idle",
    [DYNO_CRASHED] = "crashed", [DYNO_DOWN] = "down",
};
static const struct enum_words dyno_state_words = WORDS(dyno_states);
static const struct number_details dyno_number = {1, UINT32_MAX, FINDING_DYNO_NUM,
                                                  offsetof(struct dyno, number_at)};
static const struct address_details dyno_address = {FINDING_DYNO_IP, offsetof(struct dyno, ip_at)};

static const struct yaml_field dyno_fields[] = {
    {"number", field_read_number, offsetof(struct dyno, number), &dyno_number, true},
    {"private_ip", field_read_address, offsetof(struct dyno, ip), &dyno_address, false},
    {"state", field_read_enum, offsetof(struct dyno, state), &dyno_state_words, false},
};

const struct table dyno_table = {"a dyno", "into `dynos` of a process type", FIELDS(dyno_fields)};

static bool read_dyno(struct parsing *parsing, const struct yaml_field *field,
                      const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct dyno *dyno = item;

    (void)field;
    (void)key;
    dyno->at = location_of_node(value);
    if (!parsing_read_mapping(parsing, value, &dyno_table, dyno))
        return false;
    bool is_running = dyno->state == DYNO_UP || dyno->state == DYNO_STARTING;
    if (is_running && dyno->ip_at.line == 0 && !yaml_failed(parsing->yaml))
        report_add(parsing->report, FINDING_MISSING, parsing->file, dyno->at,
                   "`private_ip` is missing; a dyno that is up or starting needs it");
    return true;
}

enum protocol { PROTOCOL_TCP, PROTOCOL_UDP };

struct port_body {
    uint32_t number;
    enum protocol protocol;
};

static const char *const protocols[] = {[PROTOCOL_TCP] = "tcp", [PROTOCOL_UDP] = "udp"};
static const struct enum_words protocol_words = WORDS(protocols);
static const struct number_details port_number = {1, UINT16_MAX, FINDING_PORT, NO_OFFSET};

static const struct yaml_field port_fields[] = {
    {"port", field_read_number, offsetof(struct port_body, number), &port_number, true},
    {"protocol", field_read_enum, offsetof(struct port_body, protocol), &protocol_words, false},
};

const struct table port_table = {"a port", "into `ports` of a process type", FIELDS(port_fields)};

static bool read_port(struct parsing *parsing, const struct yaml_field *field,
                      const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct port_body body = {0};
    struct port *port = item;

    (void)field;
    port->name.at = location_of_node(key);
    port->name.text = parsing_keep(parsing, key->text, key->length);
    if (port->name.text == NULL)
        return false;
    if (value->kind == YAML_MAPPING) {
        parsing_read_mapping(parsing, value, &port_table, &body);
    } else {
        struct yaml_field number = port_fields[0];
        number.name = port->name.text;
        field_read_number(parsing, &number, value, &body);
    }
    port->number = (uint16_t)body.number;
    port->udp = body.protocol == PROTOCOL_UDP;
    return port->number != 0;
}

static const struct items_details port_items = {
    .kind = YAML_MAPPING,
    .size = sizeof(struct port),
    .read = read_port,
    .count_offset = offsetof(struct formation, port_count),
    .at_offset = NO_OFFSET,
    .table = &port_table,
    .takes_first = true,
};
static const struct items_details dyno_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct dyno),
    .read = read_dyno,
    .count_offset = offsetof(struct formation, dyno_count),
    .at_offset = NO_OFFSET,
    .table = &dyno_table,
};

static const struct yaml_field formation_fields[] = {
    {"ports", field_read_items, offsetof(struct formation, ports), &port_items, false},
    {"dynos", field_read_items, offsetof(struct formation, dynos), &dyno_items, false},
};

const struct table formation_table = {"a process type", "into a process type of `formation`",
                                      FIELDS(formation_fields)};

static bool read_formation(struct parsing *parsing, const struct yaml_field *field,
                           const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct formation *formation = item;

    (void)field;
    formation->type.at = location_of_node(key);
    formation->type.text = parsing_keep(parsing, key->text, key->length);
    if (formation->type.text == NULL)
        return false;
    return yaml_is_null(value) || parsing_read_mapping(parsing, value, &formation_table, formation);
}

static const struct items_details domain_items = {
    .kind = YAML_SEQUENCE,
    .size = sizeof(struct domain),
    .read = read_domain,
    .count_offset = offsetof(struct app, domain_count),
    .at_offset = NO_OFFSET,
    .table = &domain_table,
};
static const struct items_details formation_items = {
    .kind = YAML_MAPPING,
    .size = sizeof(struct formation),
    .read = read_formation,
    .count_offset = offsetof(struct app, formation_count),
    .at_offset = NO_OFFSET,
    .table = &formation_table,
};
static const struct bool_details internal_routing = {offsetof(struct app, internal_routing_at)};
static const struct bool_details acm = {offsetof(struct app, acm_at)};

static const struct yaml_field app_fields[] = {
    {"name", field_read_word, offsetof(struct app, name), NULL, true},
    {"internal_routing", field_read_bool, offsetof(struct app, internal_routing), &internal_routing,
     false},
    {"domains", field_read_items, offsetof(struct app, domains), &domain_items, false},
    {"formation", field_read_items, offsetof(struct app, formations), &formation_items, false},
    {"id", field_read_word, offsetof(struct app, id), NULL, false},
    {"default_domain", field_read_hostname, offsetof(struct app, default_domain), NULL, false},
    {"acm", field_read_bool, offsetof(struct app, acm), &acm, false},
    {"maintenance", field_read_bool, offsetof(struct app, maintenance), NULL, false},
    {"dns_discovery", field_read_bool, offsetof(struct app, dns_discovery), NULL, false},
};

const struct table app_table = {"an app", "into an app of `apps`", FIELDS(app_fields)};

bool app_read_item(struct parsing *parsing, const struct yaml_field *field,
                   const struct yaml_node *key, const struct yaml_node *value, void *item)
{
    struct app *app = item;

    (void)field;
    (void)key;
    app->at = location_of_node(value);
    app->dns_discovery = true;
    return parsing_read_mapping(parsing, value, &app_table, app) && app->name.text != NULL;
}
