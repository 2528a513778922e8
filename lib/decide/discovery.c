#include "decide/discovery.h"

#include <strings.h>

#include "base/number.h"
#include "decide/names.h"
#include "wire/types.h"

enum { LABELS_MAX = 5 }; /* _PORT._tcp.TYPE.APP.app */

/*
 * A discovery name split into labels, from the suffix outwards: labels[0] is `app`, labels[1] APP.
 */
struct discovery_name {
    const struct snapshot *snapshot;
    const struct client *client;
    const struct query *query;
    unsigned count; /* of labels in front of the suffix; those beyond LABELS_MAX are not kept */
    const uint8_t *labels[LABELS_MAX];
};

bool label_read_number(const uint8_t *label, uint32_t *number)
{
    uint64_t value;

    if (!number_from_text((const char *)label + 1, *label, &value) || value == 0 ||
        value > UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

static void split_name(const struct name *name, unsigned suffix_labels,
                       struct discovery_name *parts)
{
    const uint8_t *label = name->octets;

    parts->count = name->label_count - suffix_labels;
    for (unsigned left = parts->count; left > 0; left--, label += *label + 1U)
        if (left <= LABELS_MAX)
            parts->labels[left - 1] = label;
}

static void not_declared(struct verdict *verdict)
{
    verdict_negative(verdict, SITUATION_NOT_DECLARED, RCODE_NXDOMAIN, REASON_NOT_DECLARED);
}

static void no_data(struct verdict *verdict)
{
    verdict_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
}

static void not_running(struct verdict *verdict)
{
    verdict_negative(verdict, SITUATION_NOT_RUNNING, RCODE_NOERROR, REASON_NOT_RUNNING);
}

static bool is_class_allowed(const struct snapshot *snapshot, const struct membership *membership)
{
    return (snapshot->policy.localspace_to >> membership->class & 1) != 0;
}

/* Sets an answer of the kind for its type and ANY, NODATA for other types. */
static void answer(const struct query *query, uint16_t type, enum answer_kind kind,
                   struct verdict *verdict)
{
    if (query->type != type && query->type != TYPE_ANY) {
        no_data(verdict);
        return;
    }
    verdict->is_authoritative = true;
    verdict->situation =
        kind == ANSWER_FORMATION || kind == ANSWER_DYNO ? SITUATION_DYNOS : SITUATION_RECORDS;
    verdict->answer = kind;
}

static const struct formation_entry *
find_formation(const struct segment *segment, const struct app_entry *app, const uint8_t *label)
{
    for (unsigned i = 0; i < app->formation_count; i++) {
        const struct formation_entry *formation = &segment->formations[app->formations + i];
        if (formation->type_length == *label &&
            strncasecmp(segment_type(segment, formation), (const char *)label + 1, *label) == 0)
            return formation;
    }
    return NULL;
}

static bool has_running_dyno(const struct segment *segment, const struct formation_entry *formation)
{
    for (uint32_t i = 0; i < formation->dyno_count; i++)
        if (segment->dynos[formation->dynos + i].state == DYNO_UP)
            return true;
    return false;
}

static void decide_formation(const struct query *query, struct verdict *verdict)
{
    if (!has_running_dyno(verdict->segment, verdict->formation))
        not_running(verdict);
    else
        answer(query, TYPE_A, ANSWER_FORMATION, verdict);
}

static void decide_dyno(const struct query *query, uint32_t number, struct verdict *verdict)
{
    const struct segment *segment = verdict->segment;

    for (uint32_t i = 0; i < verdict->formation->dyno_count; i++) {
        const struct dyno_entry *dyno = &segment->dynos[verdict->formation->dynos + i];
        if (dyno->number != number)
            continue;
        verdict->dyno = dyno;
        if (dyno_is_named(dyno))
            answer(query, TYPE_A, ANSWER_DYNO, verdict);
        else
            not_running(verdict);
        return;
    }
    not_declared(verdict);
}

/* Finds the port; `service` NULL takes any port of the protocol. */
static const struct port_entry *find_port(const struct verdict *verdict, const uint8_t *service,
                                          bool udp)
{
    const struct segment *segment = verdict->segment;

    for (unsigned i = 0; i < verdict->formation->port_count; i++) {
        const struct port_entry *port = &segment->ports[verdict->formation->ports + i];
        bool named =
            service == NULL || (*service == port->name_length + 1 && service[1] == '_' &&
                                strncasecmp(segment_text(segment, port->name),
                                            (const char *)service + 2, port->name_length) == 0);
        if (port->udp == udp && named)
            return port;
    }
    return NULL;
}

/* _tcp.TYPE... is an empty non-terminal, _http._tcp.TYPE... a service. */
static void decide_service(const struct query *query, const uint8_t *service,
                           const uint8_t *protocol, struct verdict *verdict)
{
    bool udp = label_reads(protocol, "_udp");
    verdict->port = udp || label_reads(protocol, "_tcp") ? find_port(verdict, service, udp) : NULL;

    if (verdict->port == NULL)
        not_declared(verdict);
    else if (service == NULL)
        no_data(verdict);
    else if (!has_running_dyno(verdict->segment, verdict->formation))
        not_running(verdict);
    else
        answer(query, TYPE_SRV, ANSWER_SERVICES, verdict);
}

/* The labels in front of APP.app, of an app that the client may know. */
static void decide_below_app(const struct discovery_name *parts, struct verdict *verdict)
{
    unsigned front = parts->count - 2;
    uint32_t number;

    if (front == 0) {
        no_data(verdict);
        return;
    }
    const uint8_t *nearest = parts->labels[2];
    enum answer_kind kind = front == 1 ? names_find(PARENT_APP, nearest) : ANSWER_NONE;
    if (kind != ANSWER_NONE) {
        names_answer(parts->query, kind, verdict);
        return;
    }
    verdict->formation = find_formation(verdict->segment, verdict->app, nearest);
    if (verdict->formation == NULL)
        not_declared(verdict);
    else if (front == 1)
        decide_formation(parts->query, verdict);
    else if (front == 2 && label_read_number(parts->labels[3], &number))
        decide_dyno(parts->query, number, verdict);
    else if (front <= 3)
        decide_service(parts->query, front == 2 ? NULL : parts->labels[4], parts->labels[3],
                       verdict);
    else
        not_declared(verdict);
}

static void decide_app_branch(const struct discovery_name *parts, struct verdict *verdict)
{
    if (parts->count == 1) {
        no_data(verdict);
        return;
    }
    const uint8_t *label = parts->labels[1];
    struct index_entry entry;
    if (!snapshot_find_app(parts->snapshot, label + 1, *label, &entry)) {
        not_declared(verdict);
        return;
    }
    const struct membership *membership = client_membership(parts->client, entry.segment);
    const struct segment *segment = parts->snapshot->segments[entry.segment];
    const struct app_entry *app = &segment->apps[entry.number];
    if (membership == NULL || (app->flags & APP_DISCOVERED) == 0) {
        not_declared(verdict); /* another space's app is answered as an app that does not exist */
        return;
    }
    verdict->app = app;
    if (!verdict_admit(parts->client, parts->snapshot, entry.segment, verdict))
        return;
    if (!is_class_allowed(parts->snapshot, membership)) {
        verdict_refuse_class(verdict);
        return;
    }
    decide_below_app(parts, verdict);
}

/* The client's membership of a space by name. */
static const struct membership *find_space(const struct discovery_name *parts, const uint8_t *label)
{
    /* Bounded by the number of spaces one client is inside of. */
    for (uint32_t i = 0; i < parts->client->count; i++) {
        const struct membership *membership = &parts->client->memberships[i];
        if (label_reads(label, parts->snapshot->segments[membership->segment]->name))
            return membership;
    }
    return NULL;
}

/* router-N: the N-th router of the zone file. */
static const struct router_entry *find_router(const struct segment *segment, const uint8_t *label)
{
    uint8_t digits[LABEL_MAX_OCTETS + 1];
    uint32_t number;

    if (*label < 8 || memcmp(label + 1, "router-", 7) != 0)
        return NULL;
    digits[0] = (uint8_t)(*label - 7);
    memcpy(digits + 1, label + 8, digits[0]);
    if (!label_read_number(digits, &number) || number > segment->router_count)
        return NULL;
    return &segment->routers[number - 1];
}

static void decide_space_branch(const struct discovery_name *parts, struct verdict *verdict)
{
    if (parts->count == 1) {
        no_data(verdict);
        return;
    }
    const struct membership *membership = find_space(parts, parts->labels[1]);
    if (membership == NULL || parts->count > 3) {
        not_declared(verdict);
        return;
    }
    if (!verdict_admit(parts->client, parts->snapshot, membership->segment, verdict))
        return;
    if (!is_class_allowed(parts->snapshot, membership)) {
        verdict_refuse_class(verdict);
        return;
    }
    if (parts->count == 2) {
        no_data(verdict);
        return;
    }
    verdict->router = find_router(verdict->segment, parts->labels[2]);
    if (verdict->router == NULL)
        not_declared(verdict);
    else if (verdict->router->state != ROUTER_UP)
        no_data(verdict);
    else
        answer(parts->query, TYPE_A, ANSWER_ROUTER, verdict);
}

/* Names for every client that is inside some space, whatever its class. */
static bool decide_introspection(const struct discovery_name *parts, struct verdict *verdict)
{
    if (parts->count != 1)
        return false;
    enum answer_kind kind = names_find(PARENT_SUFFIX, parts->labels[0]);
    if (kind == ANSWER_NONE)
        return false;
    names_answer(parts->query, kind, verdict);
    return true;
}

/* The suffix itself is the apex of its zone. */
static void decide_apex(const struct query *query, struct verdict *verdict)
{
    answer(query, TYPE_SOA, ANSWER_SOA, verdict);
}

void discovery_decide(const struct snapshot *snapshot, const struct client *client,
                      const struct query *query, struct verdict *verdict)
{
    struct discovery_name parts = {.snapshot = snapshot, .client = client, .query = query};

    split_name(&query->name, snapshot->discovery_suffix.label_count, &parts);
    verdict->soa_label = (uint8_t)parts.count;
    if (decide_introspection(&parts, verdict))
        return;
    if (!client_has_class(client, snapshot->policy.localspace_to)) {
        verdict_refuse_class(verdict);
        return;
    }
    if (parts.count == 0)
        decide_apex(query, verdict);
    else if (label_reads(parts.labels[0], "app"))
        decide_app_branch(&parts, verdict);
    else if (label_reads(parts.labels[0], "space"))
        decide_space_branch(&parts, verdict);
    else
        not_declared(verdict);
}
