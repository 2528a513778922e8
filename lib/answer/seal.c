#include "answer/segment.h"

#include <stdlib.h>
#include <string.h>

#include "answer/dyno_half.h"
#include "answer/seal.h"

/* State needed only while sealing. */
struct sealing {
    const struct space *space;
    struct segment *segment; /* the head: what it points to is in its arena */
    struct dyno_half half;
    struct port_entry *ports;
    struct host *hosts;
    struct record_entry *records;
    uint8_t *texts;
    size_t text_capacity;
    size_t text_length;
    uint32_t port_count, host_count;
    struct name apps_suffix;
    bool failed;
};

struct seal_totals {
    size_t formations, dynos, ports, hosts, ids;
    size_t widest; /* the largest count that an entry keeps in 16 bits */
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct seal_totals count(const struct space *space)
{
    struct seal_totals totals = {.hosts = space->record_count, .widest = space->record_count};

    for (size_t i = 0; i < space->app_count; i++) {
        const struct app *app = &space->apps[i];
        totals.formations += app->formation_count;
        totals.hosts += 1 + 2 * app->domain_count;
        totals.ids += app->id.text != NULL;
        totals.widest = larger(totals.widest, app->formation_count);
        totals.widest = larger(totals.widest, 1 + 2 * app->domain_count);
        for (size_t j = 0; j < app->formation_count; j++) {
            totals.dynos += app->formations[j].dyno_count;
            totals.ports += app->formations[j].port_count;
            totals.widest = larger(totals.widest, app->formations[j].port_count);
        }
    }
    return totals;
}

static uint32_t put_text(struct sealing *sealing, const void *octets, size_t length)
{
    if (sealing->text_length + length + 8 > sealing->text_capacity) {
        size_t wider = 2 * sealing->text_capacity + length + 4096;
        uint8_t *moved = wider < UINT32_MAX ? realloc(sealing->texts, wider) : NULL;
        if (moved == NULL) {
            sealing->failed = true;
            return 0;
        }
        sealing->texts = moved;
        sealing->text_capacity = wider;
    }
    uint32_t offset = (uint32_t)sealing->text_length;
    memcpy(sealing->texts + offset, octets, length);
    sealing->text_length += length;
    return offset;
}

static void seal_ports(struct sealing *sealing, const struct formation *formation,
                       struct formation_entry *entry)
{
    entry->ports = sealing->port_count;
    entry->port_count = (uint16_t)formation->port_count;
    for (size_t i = 0; i < formation->port_count; i++) {
        const struct port *port = &formation->ports[i];
        size_t length = strlen(port->name.text);
        sealing->ports[sealing->port_count++] = (struct port_entry){
            .name = put_text(sealing, port->name.text, length),
            .name_length = (uint8_t)length,
            .number = port->number,
            .udp = port->udp,
        };
    }
}

static void seal_dynos(struct dyno_half *half, const struct formation *formation)
{
    for (size_t i = 0; i < formation->dyno_count; i++) {
        const struct dyno *dyno = &formation->dynos[i];
        half->dynos[half->dyno_count++] = (struct dyno_entry){
            .ip = dyno->ip,
            .number = dyno->number,
            .line = dyno->at.line,
            .state = dyno->state,
        };
    }
}

static void seal_formation(struct sealing *sealing, const struct formation *formation, uint32_t app)
{
    struct dyno_half *half = &sealing->half;
    struct formation_entry *entry = &half->formations[half->formation_count++];
    size_t length = strlen(formation->type.text);

    entry->app = app;
    entry->at = formation->type.at;
    sealing->failed |= !type_texts_put(&half->types, formation->type.text, &entry->type);
    entry->type_length = length <= LABEL_MAX_OCTETS ? (uint8_t)length : 0;
    entry->dynos = half->dyno_count;
    entry->dyno_count = (uint32_t)formation->dyno_count;
    seal_dynos(half, formation);
    if (strcmp(formation->type.text, "web") == 0)
        app_count_web(&half->apps[app], &half->dynos[entry->dynos], entry->dyno_count);
    seal_ports(sealing, formation, entry);
}

/* Adds a host of an app; a wildcard begins with the label "*". Returns its number. */
static uint32_t seal_host(struct sealing *sealing, const struct word *name, struct host host)
{
    struct name wire;
    bool read = name_from_text(name->text, &wire);

    if (read && (host.flags & HOST_WILDCARD) != 0) {
        struct name base = wire;
        read = name_join(&wire, "*", 1, base.octets, base.length);
    }
    if (!read) {
        sealing->failed = true; /* cannot happen: the rules refuse such names */
        return ENTRY_NONE;
    }
    host.octets = put_text(sealing, wire.octets, wire.length);
    host.length = wire.length;
    host.at = name->at;
    sealing->hosts[sealing->host_count] = host;
    return sealing->host_count++;
}

/* Several domains of an app may share one DNS target. */
static uint32_t seal_target(struct sealing *sealing, const struct app_entry *entry, uint32_t app,
                            const struct word *cname)
{
    struct name wire;

    if (!name_from_text(cname->text, &wire)) {
        sealing->failed = true;
        return ENTRY_NONE;
    }
    for (uint32_t i = entry->hosts; i < sealing->host_count; i++) {
        const struct host *host = &sealing->hosts[i];
        if (host->kind == HOST_TARGET &&
            name_equals(&wire, sealing->texts + host->octets, host->length))
            return i;
    }
    return seal_host(sealing, cname,
                     (struct host){.owner = app, .target = ENTRY_NONE, .kind = HOST_TARGET});
}

static bool is_apex(const struct domain *domain)
{
    const char *dot = strchr(domain->hostname.text, '.');
    bool two_labels = dot != NULL && strchr(dot + 1, '.') == NULL;
    return domain->is_alias || (two_labels && !domain->is_wildcard);
}

/* A domain that is pending or has no DNS target is not answered, but taken. */
static void seal_domain(struct sealing *sealing, const struct domain *domain,
                        const struct app_entry *entry, uint32_t app)
{
    bool is_pending = domain->cname.text == NULL || domain->is_pending;
    uint32_t target = is_pending ? ENTRY_NONE : seal_target(sealing, entry, app, &domain->cname);
    unsigned flags = (is_apex(domain) ? HOST_APEX : 0U) | (domain->is_flat ? HOST_FLAT : 0U) |
                     (domain->is_wildcard ? HOST_WILDCARD : 0U);
    seal_host(sealing, &domain->hostname,
              (struct host){.owner = app,
                            .target = target,
                            .kind = is_pending ? HOST_PENDING : HOST_DOMAIN,
                            .flags = (uint8_t)(flags & 15)});
}

static bool has_plain_domain(const struct sealing *sealing, const struct app *app)
{
    struct name given, plain;

    if (app->default_domain.text == NULL)
        return true;
    return name_from_text(app->default_domain.text, &given) &&
           name_join(&plain, app->name.text, strlen(app->name.text), sealing->apps_suffix.octets,
                     sealing->apps_suffix.length) &&
           name_equals(&given, plain.octets, plain.length);
}

static void seal_app(struct sealing *sealing, const struct app *app, uint32_t number)
{
    struct app_entry *entry = &sealing->half.apps[number];
    size_t length = strlen(app->name.text);
    bool plain = has_plain_domain(sealing, app);

    entry->name = put_text(sealing, app->name.text, length);
    entry->name_length = (uint8_t)length;
    entry->at = app->name.at;
    entry->flags =
        (uint8_t)((app->internal_routing ? APP_INTERNAL : 0) |
                  (app->dns_discovery ? APP_DISCOVERED : 0) | (plain ? APP_PLAIN_DOMAIN : 0));
    entry->formations = sealing->half.formation_count;
    entry->formation_count = (uint16_t)app->formation_count;
    for (size_t i = 0; i < app->formation_count; i++)
        seal_formation(sealing, &app->formations[i], number);
    entry->hosts = sealing->host_count;
    if (!plain)
        seal_host(sealing, &app->default_domain,
                  (struct host){.owner = number, .target = ENTRY_NONE, .kind = HOST_DEFAULT});
    for (size_t i = 0; i < app->domain_count && !sealing->failed; i++)
        seal_domain(sealing, &app->domains[i], entry, number);
    entry->host_count = (uint16_t)(sealing->host_count - entry->hosts);
}

static int compare_records(const void *a, const void *b)
{
    const struct record *left = a, *right = b;
    size_t shorter =
        left->owner_length < right->owner_length ? left->owner_length : right->owner_length;
    int order = memcmp(left->owner, right->owner, shorter);

    if (order == 0)
        order = left->owner_length - right->owner_length;
    return order != 0 ? order : left->type - right->type;
}

/* Gives each record set one TTL, the lowest of its records (RFC 2181 section 5.2). */
static void level_ttls(struct record *sorted, size_t total)
{
    for (size_t first = 0, end = 0; first < total; first = end) {
        uint32_t least = sorted[first].ttl_seconds;
        while (end < total && compare_records(&sorted[first], &sorted[end]) == 0) {
            least = sorted[end].ttl_seconds < least ? sorted[end].ttl_seconds : least;
            end++;
        }
        while (first < end)
            sorted[first++].ttl_seconds = least;
    }
}

/* Groups static records by owner: one host each, with its records contiguous by type. */
static void seal_records(struct sealing *sealing, struct record *sorted)
{
    size_t total = sealing->space->record_count;

    if (total > 0)
        qsort(sorted, total, sizeof *sorted, compare_records);
    level_ttls(sorted, total);
    for (size_t i = 0; i < total; i++) {
        const struct record *record = &sorted[i];
        bool is_new = i == 0 || record->owner_length != sorted[i - 1].owner_length ||
                      memcmp(record->owner, sorted[i - 1].owner, record->owner_length) != 0;
        if (is_new)
            sealing->hosts[sealing->host_count++] = (struct host){
                .octets = put_text(sealing, record->owner, record->owner_length),
                .length = record->owner_length,
                .owner = (uint32_t)i,
                .target = ENTRY_NONE,
                .kind = HOST_RECORDS,
                .at = record->at,
            };
        sealing->hosts[sealing->host_count - 1].record_count++;
        sealing->records[i] = (struct record_entry){
            .rdata = put_text(sealing, record->rdata, record->rdata_length),
            .rdata_length = record->rdata_length,
            .ttl_seconds = record->ttl_seconds,
            .type = record->type,
            .at = record->at,
        };
    }
    sealing->segment->records = sealing->records;
    sealing->segment->record_count = total;
}

static bool seal_all_records(struct sealing *sealing)
{
    size_t total = sealing->space->record_count;
    struct record *sorted = malloc((total + 1) * sizeof *sorted);

    if (sorted == NULL)
        return false;
    if (total > 0)
        memcpy(sorted, sealing->space->records, total * sizeof *sorted);
    seal_records(sealing, sorted);
    free(sorted);
    return true;
}

static bool seal_ids(struct segment *segment, const struct space *space)
{
    const char **ids = arena_take(segment->arena, space->app_count * sizeof *ids + 1);

    if (ids == NULL)
        return false;
    for (size_t i = 0; i < space->app_count; i++)
        ids[i] = seal_text(segment, space->apps[i].id.text);
    segment->app_ids = ids;
    return true;
}

static void sort_by_address(struct dyno_half *half)
{
    for (uint32_t i = 0; i < half->formation_count; i++) {
        const struct formation_entry *formation = &half->formations[i];
        bool is_published = formation_is_published(half->apps, formation);
        for (uint32_t j = 0; j < formation->dyno_count && is_published; j++)
            if (dyno_is_named(&half->dynos[formation->dynos + j]))
                half->dynos_by_ip[half->published_count++] = formation->dynos + j;
    }
    dyno_half_sort(half, half->dynos_by_ip, half->published_count);
}

/*
 * The arrays of the dyno half, and the hosts, are put together in the end: most apps have no host,
 * and not every dyno is published.
 */
static bool take_arrays(struct sealing *sealing, const struct seal_totals *totals)
{
    struct arena *arena = sealing->segment->arena;
    size_t apps = sealing->space->app_count, records = sealing->space->record_count;
    struct dyno_half *half = &sealing->half;

    half->apps = calloc(apps + 1, sizeof *half->apps);
    half->formations = calloc(totals->formations + 1, sizeof *half->formations);
    half->dynos = calloc(totals->dynos + 1, sizeof *half->dynos);
    half->dynos_by_ip = calloc(totals->dynos + 1, sizeof *half->dynos_by_ip);
    sealing->hosts = calloc(totals->hosts + 1, sizeof *sealing->hosts);
    sealing->ports = arena_take(arena, (totals->ports + 1) * sizeof *sealing->ports);
    sealing->records = arena_take(arena, (records + 1) * sizeof *sealing->records);
    return half->apps != NULL && half->formations != NULL && half->dynos != NULL &&
           half->dynos_by_ip != NULL && sealing->hosts != NULL && sealing->ports != NULL &&
           sealing->records != NULL;
}

static void free_arrays(struct sealing *sealing)
{
    free(sealing->half.apps);
    free(sealing->half.formations);
    free(sealing->half.dynos);
    free(sealing->half.dynos_by_ip);
    type_texts_close(&sealing->half.types);
    free(sealing->hosts);
    free(sealing->texts);
}

/* Moves the arrays of unknown size into the arena and sets the head's pointers. */
static bool settle(struct sealing *sealing)
{
    struct segment *segment = sealing->segment;
    size_t hosts_octets = sealing->host_count * sizeof *sealing->hosts;
    struct host *hosts = arena_take(segment->arena, hosts_octets + 1);
    /* Eight octets beyond the end must be readable, for whole-word loads. */
    uint8_t *texts = arena_take(segment->arena, sealing->text_length + 8);

    if (hosts == NULL || texts == NULL)
        return false;
    memcpy(hosts, sealing->hosts, hosts_octets);
    if (sealing->text_length > 0)
        memcpy(texts, sealing->texts, sealing->text_length);
    segment->app_count = sealing->space->app_count;
    segment->ports = sealing->ports;
    segment->port_count = sealing->port_count;
    segment->hosts = hosts;
    segment->host_count = sealing->host_count;
    segment->texts = texts;
    segment->text_octets = sealing->text_length;
    sort_by_address(&sealing->half);
    return seal_empty_names(segment);
}

static bool seal_everything(struct sealing *sealing, const struct seal_totals *totals)
{
    const struct space *space = sealing->space;

    if (!take_arrays(sealing, totals) || !seal_space(sealing->segment, space))
        return false;
    put_text(sealing, "", 1);
    for (size_t i = 0; i < space->app_count && !sealing->failed; i++)
        seal_app(sealing, &space->apps[i], (uint32_t)i);
    if (sealing->failed || !seal_all_records(sealing) || sealing->failed)
        return false;
    if (totals->ids > 0 && !seal_ids(sealing->segment, space))
        return false;
    return settle(sealing);
}

/* Returns false without memory. */
static bool seal_halves(struct sealing *sealing, const struct seal_totals *totals,
                        const struct suffixes *suffixes)
{
    struct segment *head = sealing->segment;

    head->suffix_octets = (uint32_t)strlen(suffixes->discovery);
    head->arena = arena_new_lasting();
    return head->arena != NULL && name_from_text(suffixes->apps, &sealing->apps_suffix) &&
           seal_everything(sealing, totals);
}

/* Returns false with *err. */
static bool fits(const struct space *space, const struct seal_totals *totals, struct err *err)
{
    if (space->app_count > SEGMENT_ENTRIES_MAX || totals->hosts > SEGMENT_ENTRIES_MAX)
        return err_set(err, ERR_LIMIT, "%s: more than %d apps or domains in one space", space->file,
                       SEGMENT_ENTRIES_MAX);
    if (totals->widest > UINT16_MAX)
        return err_set(err, ERR_LIMIT,
                       "%s: more than %d process types, domains or ports of one app, or static "
                       "records",
                       space->file, UINT16_MAX);
    return true;
}

struct segment *segment_seal(const struct space *space, const struct suffixes *suffixes,
                             const struct text_identity *identity, struct err *err)
{
    const struct seal_totals totals = count(space);
    struct segment head, *segment = NULL;
    struct sealing sealing = {.space = space, .segment = &head};

    if (!fits(space, &totals, err))
        return NULL;
    /* Octets between members are set as well, so that equal segments have equal images. */
    memset(&head, 0, sizeof head);
    memcpy(&head.identity, identity, sizeof head.identity);
    if (seal_halves(&sealing, &totals, suffixes)) {
        segment = dyno_half_join(&head, &sealing.half, arena_used(head.arena));
        arena_seal(head.arena);
    }
    free_arrays(&sealing);
    if (segment == NULL) {
        arena_free(head.arena);
        err_set(err, ERR_MEMORY, "%s: out of memory while sealing", space->file);
    }
    return segment;
}
