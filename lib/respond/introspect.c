#include "respond/introspect.h"

#include <string.h>

#include "answer/freshness.h"
#include "decide/affinity.h"
#include "decide/alias.h"
#include "decide/explain.h"
#include "forward/forward_report.h"
#include "respond/chain.h"
#include "respond/dead_apps.h"
#include "wire/types.h"

enum { STRING_OCTETS_MAX = 255, LOOPBACK = 0x7f000001 };

/* A character string being written: its length octet comes first and is set last. */
struct string {
    char octets[STRING_OCTETS_MAX];
    struct text text;
};

static struct text *begin(struct string *string, const char *key)
{
    string->text = text_over(string->octets, STRING_OCTETS_MAX);
    text_add_string(&string->text, key);
    text_add(&string->text, "=", 1);
    return &string->text;
}

static void put_octets(struct reply *reply, const char *octets, size_t length)
{
    write8(&reply->out, (uint8_t)length);
    write_octets(&reply->out, octets, length);
}

static void put(struct reply *reply, struct string *string)
{
    put_octets(reply, string->octets, text_length(&string->text));
}

static void put_string(struct reply *reply, const char *key, const char *value)
{
    struct string string;
    text_add_string(begin(&string, key), value);
    put(reply, &string);
}

static void put_number(struct reply *reply, const char *key, uint64_t value)
{
    struct string string;
    text_add_number(begin(&string, key), value);
    put(reply, &string);
}

static uint8_t *begin_record(struct reply *reply, uint16_t owner, uint16_t class)
{
    return reply_record_of_class(reply, owner, TYPE_TXT, class, 0, 0);
}

static void add_dyno(struct text *text, const struct segment *segment,
                     const struct formation_entry *formation, const struct dyno_entry *dyno)
{
    text_add_string(text, segment_type(segment, formation));
    text_add_string(text, ".");
    text_add_number(text, dyno->number);
}

/* The dyno that the client is, if it is published. */
static void put_client_dyno(const struct segment *segment, const struct client *client,
                            struct reply *reply)
{
    uint32_t number = segment_find_dyno(segment, client->address);
    struct string string;

    if (number == ENTRY_NONE)
        return;
    const struct formation_entry *formation = segment_formation_of(segment, number);
    const struct app_entry *app = &segment->apps[formation->app];
    text_add(begin(&string, "app"), segment_text(segment, app->name), app->name_length);
    put(reply, &string);
    add_dyno(begin(&string, "dyno"), segment, formation, &segment->dynos[number]);
    put(reply, &string);
}

static void put_membership(const struct snapshot *snapshot, const struct client *client,
                           const struct membership *membership, struct reply *reply)
{
    const struct segment *segment = snapshot->segments[membership->segment];
    const struct az_entry *az = affinity_find_az(client, membership, segment);
    char block[CIDR_TEXT_MAX];

    put_string(reply, "class", class_text(membership->class));
    put_string(reply, "space", segment->name);
    if (membership->connection != ENTRY_NONE) {
        const struct connection *connection = &segment->connections[membership->connection];
        put_string(reply, "connection", connection->name);
        if (connection->device != NULL)
            put_string(reply, "device", connection->device);
    }
    cidr_write(membership->block, block);
    put_string(reply, "matched", block);
    if (az != NULL)
        put_string(reply, "az", az->name);
    if (membership->class == CLIENT_SPACE)
        put_client_dyno(segment, client, reply);
}

/* Of a server that follows a registry. */
static void put_freshness(const struct freshness *freshness, struct reply *reply)
{
    if (freshness == NULL)
        return;
    uint32_t age_s = freshness_age_s(freshness);
    put_number(reply, "revision", freshness_revision(freshness));
    if (age_s != FRESHNESS_NEVER)
        put_number(reply, "age", age_s);
    if (freshness_is_stale(freshness))
        put_string(reply, "stale", reason_entry(REASON_REGISTRY_STALE)->code);
}

static void format_whoami(const struct snapshot *snapshot, const struct exchange *exchange,
                          struct reply *reply, uint16_t owner)
{
    const struct client *client = &exchange->client;
    uint8_t *data = begin_record(reply, owner, CLASS_IN);
    struct string string;

    text_add_ipv4(begin(&string, "address"), client->address);
    put(reply, &string);
    for (uint32_t i = 0; i < client->count; i++)
        put_membership(snapshot, client, &client->memberships[i], reply);
    put_string(reply, "transport", exchange->transport == TRANSPORT_UDP ? "udp" : "tcp");
    put_number(reply, "edns", exchange->query.has_opt ? exchange->query.udp_octets : 0);
    put_string(reply, "server", snapshot->policy.server_id);
    put_number(reply, "generation", snapshot->generation);
    put_freshness(snapshot->freshness, reply);
    reply_close_record(reply, data);
}

/* The query for A at the name behind _why. */
static void read_asked(const struct exchange *exchange, struct query *query)
{
    const struct name *name = &exchange->query.name;
    const uint8_t *suffix = name_suffix(name, 1);

    *query = exchange->query;
    query->type = TYPE_A;
    query->name.length = (uint8_t)name_suffix_length(name, suffix);
    query->name.label_count = (uint8_t)(name->label_count - 1);
    memset(query->name.octets, 0, sizeof query->name.octets);
    memcpy(query->name.octets, suffix, query->name.length);
}

/* The forwarder's facts about a name, as texts for explain. */
struct forward_facts {
    char servers[STRING_OCTETS_MAX + 1];
    char cached[STRING_OCTETS_MAX + 1];
};

static void gather_facts(const struct exchange *exchange, const struct query *query, uint64_t hash,
                         uint8_t route, struct forward_facts *facts)
{
    struct question question = question_of(query, hash);
    struct text servers = text_over(facts->servers, STRING_OCTETS_MAX);
    struct text cached = text_over(facts->cached, STRING_OCTETS_MAX);

    forward_format_servers(exchange->forward, route, &servers);
    chain_format_cached(exchange->forward, &question, &cached);
    facts->servers[text_length(&servers)] = '\0';
    facts->cached[text_length(&cached)] = '\0';
}

/* Explains the verdict on A at the name behind _why, for the same client. */
static void format_why(const struct snapshot *snapshot, const struct exchange *exchange,
                       struct reply *reply, uint16_t owner)
{
    struct query query;
    struct verdict verdict;
    struct forward_facts facts;
    struct alias_hops hops;
    struct upstream_outcome outcome;
    struct explain_facts known = {.hops = &hops};
    struct explanation explanation;

    read_asked(exchange, &query);
    uint64_t hash = index_hash(&snapshot->index, &query.name);
    decide(snapshot, &exchange->client, &query, hash, &verdict);
    struct query last = query;
    struct verdict end = verdict;
    chain_list_hops(snapshot, &exchange->client, exchange->forward, &query, &hops);
    alias_resolve(snapshot, &exchange->client, &hops, &last, &hash, &end);
    if (end.situation == SITUATION_FORWARD && exchange->forward != NULL) {
        gather_facts(exchange, &last, hash, end.route, &facts);
        known.servers = facts.servers;
        known.cached = facts.cached;
        if (chain_find_outcome(snapshot, exchange->forward, &last, hash, &end, &outcome))
            known.outcome = &outcome;
    }
    if (end.situation == SITUATION_NO_WEB && exchange->dead_apps != NULL)
        known.raised_ttl_seconds = dead_apps_raised_ttl(exchange->dead_apps, end.app);
    explain(snapshot, &exchange->client, &query, &verdict, &known, &explanation);

    uint8_t *data = begin_record(reply, owner, CLASS_IN);
    for (unsigned i = 0; i < explanation.count; i++)
        put_octets(reply, explanation.steps[i].octets, explanation.steps[i].length);
    reply_close_record(reply, data);
}

/* One record per app of the client's spaces; ends early when the reply is full. */
static void format_apps(const struct snapshot *snapshot, const struct exchange *exchange,
                        struct reply *reply, uint16_t owner)
{
    const struct client *client = &exchange->client;

    for (uint32_t i = 0; i < client->count; i++) {
        const struct segment *segment = snapshot->segments[client->memberships[i].segment];
        for (size_t j = 0; j < segment->app_count && !reply_is_cut(reply); j++) {
            const struct app_entry *app = &segment->apps[j];
            struct string string;
            uint8_t *data = begin_record(reply, owner, CLASS_IN);
            text_add(begin(&string, "app"), segment_text(segment, app->name), app->name_length);
            put(reply, &string);
            put_string(reply, "space", segment->name);
            put_string(reply, "internal", (app->flags & APP_INTERNAL) != 0 ? "true" : "false");
            put_number(reply, "web_dynos", app->web_count);
            put_number(reply, "web_up", app->web_up);
            reply_close_record(reply, data);
        }
    }
}

static void format_dyno(const struct segment *segment, const struct formation_entry *formation,
                        const struct dyno_entry *dyno, struct reply *reply, uint16_t owner)
{
    uint8_t *data = begin_record(reply, owner, CLASS_IN);
    struct string string;

    add_dyno(begin(&string, "dyno"), segment, formation, dyno);
    put(reply, &string);
    put_string(reply, "state", dyno_state_text(dyno->state));
    if (dyno->ip != 0) {
        text_add_ipv4(begin(&string, "address"), dyno->ip);
        put(reply, &string);
    }
    reply_close_record(reply, data);
}

static void format_dynos(const struct snapshot *snapshot, const struct exchange *exchange,
                         struct reply *reply, uint16_t owner)
{
    (void)snapshot; /* the verdict has the app */
    const struct segment *segment = exchange->verdict.segment;
    const struct app_entry *app = exchange->verdict.app;

    for (unsigned i = 0; i < app->formation_count; i++) {
        const struct formation_entry *formation = &segment->formations[app->formations + i];
        for (uint32_t j = 0; j < formation->dyno_count && !reply_is_cut(reply); j++)
            format_dyno(segment, formation, &segment->dynos[formation->dynos + j], reply, owner);
    }
}

static void format_version(const struct snapshot *snapshot, const struct exchange *exchange,
                           struct reply *reply, uint16_t owner)
{
    uint8_t *data = begin_record(reply, owner, CLASS_IN);

    (void)exchange;
    put_string(reply, "version", snapshot->policy.version);
    put_number(reply, "generation", snapshot->generation);
    reply_close_record(reply, data);
}

static void format_upcheck(const struct snapshot *snapshot, const struct exchange *exchange,
                           struct reply *reply, uint16_t owner)
{
    uint8_t *data = reply_record(reply, owner, TYPE_A, 0, sizeof(uint32_t));

    (void)snapshot;
    (void)exchange;
    if (data != NULL)
        store32(data, LOOPBACK);
}

/* RFC 4892: the bare text, in the chaos class. */
static void put_chaos(const char *value, struct reply *reply, uint16_t owner)
{
    size_t length = strlen(value);
    uint8_t *data = begin_record(reply, owner, CLASS_CH);

    put_octets(reply, value, length > STRING_OCTETS_MAX ? STRING_OCTETS_MAX : length);
    reply_close_record(reply, data);
}

static void format_server_id(const struct snapshot *snapshot, const struct exchange *exchange,
                             struct reply *reply, uint16_t owner)
{
    (void)exchange;
    put_chaos(snapshot->policy.server_id, reply, owner);
}

static void format_server_version(const struct snapshot *snapshot, const struct exchange *exchange,
                                  struct reply *reply, uint16_t owner)
{
    (void)exchange;
    put_chaos(snapshot->policy.version, reply, owner);
}

typedef void format_name(const struct snapshot *snapshot, const struct exchange *exchange,
                         struct reply *reply, uint16_t owner);

static format_name *const printers[] = {
#define NAME(symbol, parent, label, type, printer, help) [ANSWER_##symbol] = format_##printer,
#include "decide/names.def"
};

void introspect(const struct snapshot *snapshot, const struct exchange *exchange,
                struct reply *reply, uint16_t owner)
{
    printers[exchange->verdict.answer](snapshot, exchange, reply, owner);
}
