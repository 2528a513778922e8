#include "traffic/asking.h"

#include <stdlib.h>
#include <string.h>

#include "decide/client.h"

enum { REMEMBERED = 1 << 12, CLIENTS_REMEMBERED = 1 << 10, TEXT_MOST = 1024 };

/* An entry of the snapshot, by its address. */
struct remembered {
    const void *entry;
    uint32_t party;
};

struct remembered_client {
    uint32_t source, destination, interface;
    uint32_t party; /* PARTY_NONE: nobody is remembered here */
    const struct segment *segment;
};

struct asking {
    struct parties *parties;
    const struct flow_table *table;
    struct remembered entries[REMEMBERED];
    struct remembered_client clients[CLIENTS_REMEMBERED];
};

struct asking *asking_new(struct parties *parties)
{
    struct asking *asking = calloc(1, sizeof *asking);

    if (asking != NULL)
        asking->parties = parties;
    return asking;
}

void asking_free(struct asking *asking)
{
    free(asking);
}

void asking_begin(struct asking *asking, const struct flow_table *table)
{
    asking->table = table;
    memset(asking->entries, 0, sizeof asking->entries);
    memset(asking->clients, 0, sizeof asking->clients);
}

/* ---- entries ---- */

static struct remembered *remembered_at(struct asking *asking, const void *entry)
{
    uint64_t hash = hash_mix((uint64_t)(uintptr_t)entry, 0x9e3779b97f4a7c15);

    return &asking->entries[hash % REMEMBERED];
}

static uint32_t remember(struct asking *asking, const void *entry, const struct party_key *key)
{
    struct remembered *remembered = remembered_at(asking, entry);

    *remembered = (struct remembered){.entry = entry, .party = parties_add(asking->parties, key)};
    return remembered->party;
}

/* Returns PARTY_NONE when it has to be made. */
static uint32_t recall(struct asking *asking, const void *entry)
{
    const struct remembered *remembered = remembered_at(asking, entry);

    return remembered->entry == entry ? remembered->party : PARTY_NONE;
}

static uint32_t app_party(struct asking *asking, const struct segment *segment,
                          const struct app_entry *app)
{
    uint32_t party = recall(asking, app);

    if (party != PARTY_NONE)
        return party;
    return remember(asking, app,
                    &(struct party_key){.kind = PARTY_APP,
                                        .space = segment->name,
                                        .space_length = strlen(segment->name),
                                        .name = segment_text(segment, app->name),
                                        .name_length = app->name_length});
}

/* `entry` stands for the name in memory. */
static uint32_t name_party(struct asking *asking, const void *entry, const uint8_t *octets)
{
    uint32_t party = recall(asking, entry);
    char shown[TEXT_MOST];
    struct text text = text_over(shown, sizeof shown);

    if (party != PARTY_NONE)
        return party;
    name_add(&text, octets);
    return remember(
        asking, entry,
        &(struct party_key){.kind = PARTY_WORD, .name = shown, .name_length = text_length(&text)});
}

uint32_t asking_type(struct asking *asking, const struct segment *segment,
                     const struct formation_entry *formation)
{
    uint32_t party = recall(asking, formation);

    if (party != PARTY_NONE)
        return party;
    return remember(asking, formation,
                    &(struct party_key){.kind = PARTY_WORD,
                                        .name = segment_type(segment, formation),
                                        .name_length = formation->type_length});
}

/* ---- apps ---- */

static bool take_host(struct asking *asking, const struct segment *segment, const struct host *host,
                      struct asked *asked)
{
    if (host->kind == HOST_RECORDS)
        return false;
    const struct app_entry *app = &segment->apps[host->owner];
    *asked = (struct asked){
        .segment = segment,
        .app = app,
        .app_party = app_party(asking, segment, app),
        .domain = name_party(asking, host, (const uint8_t *)segment_text(segment, host->octets))};
    return true;
}

/* One octet into the app stands for its default domain. */
static uint32_t default_domain(struct asking *asking, const struct app_entry *app,
                               const struct name *name)
{
    return name_party(asking, (const char *)app + 1, name->octets);
}

static bool take_entry(struct asking *asking, const struct index_entry *entry,
                       const struct name *name, struct asked *asked)
{
    const struct segment *segment = asking->table->snapshot->segments[entry->segment];

    if (entry->kind == INDEX_HOST)
        return take_host(asking, segment, &segment->hosts[entry->number], asked);
    const struct app_entry *app = &segment->apps[entry->number];
    *asked = (struct asked){.segment = segment,
                            .app = app,
                            .app_party = app_party(asking, segment, app),
                            .domain = default_domain(asking, app, name)};
    return true;
}

/* A name that the client was told nothing about. */
static bool look_up(struct asking *asking, const struct flow *flow, struct asked *asked)
{
    const struct snapshot *snapshot = asking->table->snapshot;
    struct index_entry entry;
    struct name name;

    flow_name(asking->table, flow, &name);
    return (snapshot_find(snapshot, &name, flow->name_hash, &entry) ||
            snapshot_find_wildcard(snapshot, &name, &entry)) &&
           snapshot_is_served(snapshot, &entry) && take_entry(asking, &entry, &name, asked);
}

/* The app's default domain, if that was asked; other names below the app's own are no domain. */
static uint32_t asked_domain(struct asking *asking, const struct flow *flow,
                             const struct app_entry *app)
{
    const struct snapshot *snapshot = asking->table->snapshot;
    struct index_entry entry;
    struct name name;

    if (flow->owner != FLOW_APP || flow->is_coarse)
        return PARTY_NONE;
    flow_name(asking->table, flow, &name);
    if (!snapshot_find(snapshot, &name, flow->name_hash, &entry) || entry.kind == INDEX_HOST)
        return PARTY_NONE;
    return default_domain(asking, app, &name);
}

bool asking_find_app(struct asking *asking, const struct flow *flow, struct asked *asked)
{
    const struct app_entry *app = flow_app(flow);

    if (app == NULL)
        return (flow->class == CLIENT_EXTERNAL || flow->reason != REASON_NONE) &&
               !flow->is_coarse && look_up(asking, flow, asked);
    if (flow->owner == FLOW_HOST)
        return take_host(asking, flow->segment, &flow->segment->hosts[flow->number], asked);
    *asked = (struct asked){.segment = flow->segment,
                            .app = app,
                            .app_party = app_party(asking, flow->segment, app),
                            .domain = asked_domain(asking, flow, app)};
    return true;
}

/* ---- clients ---- */

static uint32_t space_party(struct asking *asking, const struct segment *segment)
{
    uint32_t party = recall(asking, segment);

    if (party != PARTY_NONE)
        return party;
    return remember(asking, segment,
                    &(struct party_key){.kind = PARTY_SPACE,
                                        .space = segment->name,
                                        .space_length = strlen(segment->name),
                                        .name = segment->name,
                                        .name_length = strlen(segment->name)});
}

static uint32_t connection_party(struct asking *asking, const struct segment *segment,
                                 const struct connection *connection)
{
    uint32_t party = recall(asking, connection);

    if (party != PARTY_NONE)
        return party;
    return remember(asking, connection,
                    &(struct party_key){
                        .kind = connection->kind == CONNECTION_PEERING ? PARTY_PEERING : PARTY_VPN,
                        .space = segment->name,
                        .space_length = strlen(segment->name),
                        .name = connection->name,
                        .name_length = strlen(connection->name)});
}

static uint32_t member_party(struct asking *asking, const struct membership *membership,
                             uint32_t address)
{
    const struct segment *segment = asking->table->snapshot->segments[membership->segment];

    if (membership->connection != ENTRY_NONE)
        return connection_party(asking, segment, &segment->connections[membership->connection]);
    uint32_t dyno = segment_find_dyno(segment, address);
    if (dyno == ENTRY_NONE)
        return space_party(asking, segment);
    return app_party(asking, segment, &segment->apps[segment_formation_of(segment, dyno)->app]);
}

static uint32_t outside_party(struct asking *asking)
{
    uint32_t party = recall(asking, asking);

    if (party != PARTY_NONE)
        return party;
    return remember(asking, asking, &(struct party_key){.kind = PARTY_OUTSIDE});
}

/* The client's membership of the space that it asked, or its closest one. */
static const struct membership *choose(const struct snapshot *snapshot, const struct client *client,
                                       const struct flow *flow)
{
    const struct membership *closest = NULL;

    for (uint32_t i = 0; i < client->count; i++) {
        const struct membership *each = &client->memberships[i];
        if (snapshot->segments[each->segment] == flow->segment)
            return each;
        if (closest == NULL || each->class < closest->class)
            closest = each;
    }
    return closest;
}

static uint32_t find_client(struct asking *asking, const struct flow *flow)
{
    const struct path path = {
        .source = flow->source, .destination = flow->destination, .interface = flow->interface};
    const struct snapshot *snapshot = asking->table->snapshot;
    struct client client;

    client_classify(snapshot, &path, &client);
    const struct membership *membership = choose(snapshot, &client, flow);
    return membership == NULL ? outside_party(asking)
                              : member_party(asking, membership, flow->source);
}

uint32_t asking_client(struct asking *asking, const struct flow *flow)
{
    if (flow->is_coarse)
        return PARTY_NONE;
    if (flow->class == CLIENT_EXTERNAL)
        return outside_party(asking);
    uint64_t hash = hash_mix(((uint64_t)flow->source << 32 | flow->destination) ^
                                 (uint64_t)(uintptr_t)flow->segment,
                             0x9e3779b97f4a7c15);
    struct remembered_client *known = &asking->clients[hash % CLIENTS_REMEMBERED];
    if (known->party == PARTY_NONE || known->source != flow->source ||
        known->destination != flow->destination || known->interface != flow->interface ||
        known->segment != flow->segment)
        *known = (struct remembered_client){.source = flow->source,
                                            .destination = flow->destination,
                                            .interface = flow->interface,
                                            .party = find_client(asking, flow),
                                            .segment = flow->segment};
    return known->party;
}
