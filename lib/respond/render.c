#include "respond/render.h"

#include <string.h>

#include "decide/affinity.h"
#include "decide/alias.h"
#include "respond/additional.h"
#include "respond/dead_apps.h"
#include "respond/introspect.h"
#include "wire/types.h"

enum {
    SRV_HEAD_OCTETS = 6, /* priority, weight, port (RFC 2782) */
    SERVICES_MAX = 128,  /* SRV records whose target's address is added */
    POINTER_LIMIT = 0x4000,
    LOCALHOST_TTL_SECONDS = 3600, /* the addresses never change */
};

/* The state of writing one answer. */
struct rendering {
    const struct snapshot *snapshot;
    struct exchange *exchange;
    const struct verdict *verdict;
    struct reply *reply;
    uint16_t asked; /* offset of the query's name */
    uint16_t owner; /* offset of the name that the records belong to */
};

static void put_address(struct rendering *rendering, uint16_t owner, uint32_t ttl_seconds,
                        uint32_t ip)
{
    uint8_t *data = reply_record(rendering->reply, owner, TYPE_A, ttl_seconds, 4);

    if (data != NULL)
        store32(data, ip);
}

/* RFC 6761 section 6.3. */
static void put_localhost(struct rendering *rendering)
{
    static const uint8_t loopback[16] = {[15] = 1};

    rendering->exchange->ttl_seconds = LOCALHOST_TTL_SECONDS;
    if (rendering->exchange->query.type != TYPE_AAAA) {
        put_address(rendering, rendering->asked, LOCALHOST_TTL_SECONDS, 0x7f000001);
        return;
    }
    uint8_t *data = reply_record(rendering->reply, rendering->asked, TYPE_AAAA,
                                 LOCALHOST_TTL_SECONDS, sizeof loopback);
    if (data != NULL)
        memcpy(data, loopback, sizeof loopback);
}

static inline void put_ready_records(struct rendering *rendering, size_t first, size_t count)
{
    const uint8_t *ready = rendering->verdict->segment->router_records;
    uint8_t *records = rendering->reply->out.next;
    size_t written = reply_ready_records(rendering->reply, ready + READY_RECORD_OCTETS * first,
                                         READY_RECORD_OCTETS, count);

    if (rendering->owner == HEADER_OCTETS)
        return;
    for (size_t i = 0; i < written; i++)
        store16(records + READY_RECORD_OCTETS * i, (uint16_t)(0xc000 | rendering->owner));
}

/* A part of the routers in turn; an empty one is left out. */
static void put_router_group(struct rendering *rendering, size_t first, size_t count)
{
    if (count == 0)
        return;
    size_t turn = rendering->exchange->rotation % count;
    put_ready_records(rendering, first + turn, count - turn);
    put_ready_records(rendering, first, turn);
}

/*
 * The routers of the client's availability zone first, or alone. Out of line, because most spaces
 * have no affinity.
 */
__attribute__((noinline)) static void put_near_routers(struct rendering *rendering)
{
    const struct segment *segment = rendering->verdict->segment;
    const struct az_entry *az = rendering->verdict->az;

    put_router_group(rendering, az->first, az->up_count);
    if (segment->affinity != AFFINITY_ONLY)
        put_router_group(rendering, az->first + az->up_count,
                         segment->router_up_count - az->up_count);
}

static void put_routers(struct rendering *rendering)
{
    const struct segment *segment = rendering->verdict->segment;
    size_t count = segment->router_up_count;

    rendering->exchange->ttl_seconds = segment->router_ttl_seconds;
    if (rendering->verdict->az != NULL)
        put_near_routers(rendering);
    else
        put_ready_records(rendering, rendering->exchange->rotation % count, count);
}

static bool put_near_dyno(void *context, const struct dyno_entry *dyno, bool is_own)
{
    struct rendering *rendering = context;

    (void)is_own;
    put_address(rendering, rendering->asked, rendering->verdict->segment->dyno_ttl_seconds,
                dyno->ip);
    return !reply_is_cut(rendering->reply);
}

__attribute__((noinline)) static void put_near_dynos(struct rendering *rendering)
{
    affinity_walk_dynos(rendering->verdict, rendering->exchange->rotation, put_near_dyno,
                        rendering);
}

static void put_formation(struct rendering *rendering)
{
    const struct segment *segment = rendering->verdict->segment;
    const struct formation_entry *formation = rendering->verdict->formation;
    uint32_t count = formation->dyno_count;
    uint32_t first = rendering->exchange->rotation % count;

    rendering->exchange->ttl_seconds = segment->dyno_ttl_seconds;
    if (rendering->verdict->az != NULL) {
        put_near_dynos(rendering);
        return;
    }

    for (uint32_t i = 0; i < count; i++) {
        uint32_t turn = first + i < count ? first + i : first + i - count;
        const struct dyno_entry *dyno = &segment->dynos[formation->dynos + turn];
        if (dyno->state == DYNO_UP)
            put_address(rendering, rendering->asked, segment->dyno_ttl_seconds, dyno->ip);
    }
}

static void put_label(struct writer *out, const char *text, size_t length)
{
    write8(out, (uint8_t)length);
    write_octets(out, text, length);
}

/* Writes [n.]TYPE.APP.app.localspace; n of 0 leaves the number out. */
static void put_dyno_name(struct rendering *rendering, const struct dyno_entry *dyno)
{
    const struct verdict *verdict = rendering->verdict;
    const struct segment *segment = verdict->segment;
    const struct name *suffix = &rendering->snapshot->discovery_suffix;
    struct writer *out = &rendering->reply->out;
    char digits[20];
    struct text number = text_over(digits, sizeof digits);

    text_add_number(&number, dyno->number);
    put_label(out, digits, text_length(&number));
    put_label(out, segment_type(segment, verdict->formation), verdict->formation->type_length);
    put_label(out, segment_text(segment, verdict->app->name), verdict->app->name_length);
    put_label(out, "app", 3);
    write_octets(out, suffix->octets, suffix->length);
}

static void put_router_name(struct rendering *rendering)
{
    const struct segment *segment = rendering->verdict->segment;
    const struct name *suffix = &rendering->snapshot->discovery_suffix;
    struct writer *out = &rendering->reply->out;
    char label[32];
    struct text text = text_over(label, sizeof label);

    text_add_string(&text, "router-");
    text_add_number(&text, (uint64_t)(rendering->verdict->router - segment->routers) + 1);
    put_label(out, label, text_length(&text));
    put_label(out, segment->name, strlen(segment->name));
    put_label(out, "space", 5);
    write_octets(out, suffix->octets, suffix->length);
}

static void put_pointer(struct rendering *rendering)
{
    uint32_t ttl_seconds = rendering->verdict->segment->dyno_ttl_seconds;
    uint8_t *data = reply_record(rendering->reply, rendering->asked, TYPE_PTR, ttl_seconds, 0);

    rendering->exchange->ttl_seconds = ttl_seconds;
    if (data == NULL)
        return;
    if (rendering->verdict->answer == ANSWER_DYNO_NAME)
        put_dyno_name(rendering, rendering->verdict->dyno);
    else
        put_router_name(rendering);
    reply_close_record(rendering->reply, data);
}

/* An address that goes with an SRV record: optional, so leaving it out does not set TC. */
static void put_additional(struct rendering *rendering, uint16_t owner, uint32_t ip)
{
    struct reply *reply = rendering->reply;

    if (reply_is_cut(reply) || (size_t)(reply->out.end - reply->out.next) < READY_RECORD_OCTETS)
        return;
    put_address(rendering, owner, rendering->verdict->segment->dyno_ttl_seconds, ip);
}

/* SRV records being written, and their targets that get an additional record. */
struct services {
    struct rendering *rendering;
    uint16_t targets[SERVICES_MAX];
    uint32_t addresses[SERVICES_MAX];
    unsigned known;
};

/* Dynos of another zone have a higher priority number: they are tried later (RFC 2782). */
static bool put_service(void *context, const struct dyno_entry *dyno, bool is_own)
{
    struct services *services = context;
    struct rendering *rendering = services->rendering;
    struct reply *reply = rendering->reply;
    uint8_t *data = reply_record(reply, rendering->asked, TYPE_SRV,
                                 rendering->verdict->segment->dyno_ttl_seconds, 0);

    if (data == NULL)
        return false;
    write16(&reply->out, is_own ? 0 : 1);
    write16(&reply->out, 0); /* weight */
    write16(&reply->out, rendering->verdict->port->number);
    size_t target = (size_t)(reply->out.next - reply->out.start);
    put_dyno_name(rendering, dyno);
    reply_close_record(reply, data);
    if (services->known < SERVICES_MAX && target < POINTER_LIMIT) {
        services->targets[services->known] = (uint16_t)target;
        services->addresses[services->known++] = dyno->ip;
    }
    return !reply_is_cut(reply);
}

static void put_services(struct rendering *rendering)
{
    const struct segment *segment = rendering->verdict->segment;
    const struct formation_entry *formation = rendering->verdict->formation;
    struct reply *reply = rendering->reply;
    struct services services;

    services.rendering = rendering;
    services.known = 0;
    rendering->exchange->ttl_seconds = segment->dyno_ttl_seconds;
    if (rendering->verdict->az != NULL)
        affinity_walk_dynos(rendering->verdict, rendering->exchange->rotation, put_service,
                            &services);
    for (uint32_t i = 0; i < formation->dyno_count && rendering->verdict->az == NULL; i++) {
        const struct dyno_entry *dyno = &segment->dynos[formation->dynos + i];
        if (dyno->state == DYNO_UP && !put_service(&services, dyno, true))
            break;
    }
    reply_enter(reply, SECTION_ADDITIONAL);
    for (unsigned i = 0; i < services.known; i++)
        put_additional(rendering, services.targets[i], services.addresses[i]);
}

/* Returns its data in the reply, NULL when it does not fit. */
static const uint8_t *put_octets_record(struct rendering *rendering, uint16_t owner,
                                        const struct record_entry *record)
{
    uint8_t *data = reply_record(rendering->reply, owner, record->type, record->ttl_seconds,
                                 record->rdata_length);

    if (data != NULL && record->rdata_length > 0)
        memcpy(data, rendering->verdict->segment->texts + record->rdata, record->rdata_length);
    rendering->exchange->ttl_seconds = record->ttl_seconds;
    return data;
}

/* Static records of the type asked (of the first type, for ANY: RFC 8482). */
static void put_records(struct rendering *rendering)
{
    const struct host *host = rendering->verdict->host;
    const struct record_entry *records = rendering->verdict->segment->records + host->owner;
    uint16_t type = rendering->exchange->query.type;

    struct additional additional = {.count = 0};

    if (type == TYPE_ANY)
        type = records[0].type;
    for (unsigned i = 0; i < host->record_count; i++) {
        if (records[i].type != type)
            continue;
        const uint8_t *data = put_octets_record(rendering, rendering->asked, &records[i]);
        if (data != NULL)
            additional_note(&additional, rendering->reply, type, data);
    }
    additional_write(&additional, rendering->snapshot, rendering->exchange, rendering->reply);
}

static void put_soa(struct rendering *rendering, uint16_t owner)
{
    const struct snapshot *snapshot = rendering->snapshot;
    const struct segment *segment = rendering->verdict->segment;
    struct dead_apps *dead_apps = rendering->exchange->dead_apps;
    uint32_t ttl_seconds =
        segment == NULL ? SOA_NEGATIVE_TTL_SECONDS : segment->negative_ttl_seconds;

    if (rendering->verdict->situation == SITUATION_NO_WEB && dead_apps != NULL)
        ttl_seconds = dead_apps_count(dead_apps, rendering->verdict);
    uint8_t *data =
        reply_record(rendering->reply, owner, TYPE_SOA, ttl_seconds, snapshot->soa_length);

    rendering->exchange->ttl_seconds = ttl_seconds;
    if (data == NULL)
        return;
    memcpy(data, snapshot->soa_data, snapshot->soa_length);
    store32(data + snapshot->soa_length - 4, ttl_seconds);
}

/* The CNAME from a custom domain to its DNS target, which owns the records that follow. */
static void put_cname(struct rendering *rendering)
{
    const struct segment *segment = rendering->verdict->segment;
    const struct host *target = &segment->hosts[rendering->verdict->host->target];
    uint8_t *data = reply_record(rendering->reply, rendering->asked, TYPE_CNAME,
                                 segment->router_ttl_seconds, target->length);

    rendering->exchange->ttl_seconds = segment->router_ttl_seconds;
    if (data == NULL)
        return;
    memcpy(data, segment->texts + target->octets, target->length);
    rendering->owner = (uint16_t)(data - rendering->reply->out.start);
}

static void put_answer(struct rendering *rendering)
{
    const struct verdict *verdict = rendering->verdict;

    switch (verdict->answer) {
    case ANSWER_NONE:
    case ANSWER_ALIAS: /* render_alias has written it, or it did not fit */
        break;
    case ANSWER_CUT:
        reply_cut(rendering->reply);
        break;
    case ANSWER_ROUTERS:
        put_routers(rendering);
        break;
    case ANSWER_FORMATION:
        put_formation(rendering);
        break;
    case ANSWER_DYNO:
        rendering->exchange->ttl_seconds = verdict->segment->dyno_ttl_seconds;
        put_address(rendering, rendering->asked, verdict->segment->dyno_ttl_seconds,
                    verdict->dyno->ip);
        break;
    case ANSWER_ROUTER:
        rendering->exchange->ttl_seconds = verdict->segment->router_ttl_seconds;
        put_address(rendering, rendering->asked, verdict->segment->router_ttl_seconds,
                    verdict->router->ip);
        break;
    case ANSWER_DYNO_NAME:
    case ANSWER_ROUTER_NAME:
        put_pointer(rendering);
        break;
    case ANSWER_SERVICES:
        put_services(rendering);
        break;
    case ANSWER_RECORDS:
        put_records(rendering);
        break;
    case ANSWER_SOA:
        put_soa(rendering, rendering->owner);
        break;
    case ANSWER_LOCALHOST:
        put_localhost(rendering);
        break;
#define NAME(symbol, parent, label, type, printer, help) case ANSWER_##symbol:
#include "decide/names.def"
        introspect(rendering->snapshot, rendering->exchange, rendering->reply, rendering->asked);
        break;
    }
}

/* Offset in the question of the name that owns the SOA. */
static uint16_t soa_owner(const struct rendering *rendering)
{
    const struct name *name = &rendering->exchange->query.name;
    const uint8_t *suffix = name_suffix(name, rendering->verdict->soa_label);

    if (rendering->owner != rendering->asked)
        return rendering->owner;
    return (uint16_t)(rendering->asked + (suffix - name->octets));
}

void render(const struct snapshot *snapshot, struct exchange *exchange, struct reply *reply,
            uint16_t asked)
{
    const struct verdict *verdict = &exchange->verdict;
    struct rendering rendering = {
        .snapshot = snapshot,
        .exchange = exchange,
        .verdict = verdict,
        .reply = reply,
        .asked = asked,
        .owner = asked,
    };

    exchange->ttl_seconds = 0;
    if (verdict_has_cname(verdict))
        put_cname(&rendering);
    put_answer(&rendering);
    if (verdict->has_soa) {
        reply_enter(reply, SECTION_AUTHORITY);
        put_soa(&rendering, soa_owner(&rendering));
    }
}

uint16_t render_alias(const struct snapshot *snapshot, struct exchange *exchange,
                      struct reply *reply, uint16_t asked)
{
    struct rendering rendering = {
        .snapshot = snapshot,
        .exchange = exchange,
        .verdict = &exchange->verdict,
        .reply = reply,
    };
    uint16_t record = reply_offset(reply);

    put_octets_record(&rendering, asked, alias_record(&exchange->verdict));
    return reply_is_cut(reply) ? 0 : (uint16_t)(record + READY_RECORD_OCTETS - 4);
}
