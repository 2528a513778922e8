#include "inspect/prove.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "decide/decide.h"
#include "decide/outcome.h"
#include "inspect/prove_names.h"
#include "wire/types.h"

enum { ALL_CLASSES = 1U << CLIENT_SPACE | 1U << CLIENT_PEERED | 1U << CLIENT_VPN };

static const uint16_t types[] = {
    TYPE_A,   TYPE_AAAA, TYPE_CNAME, TYPE_NS, TYPE_SOA,    TYPE_PTR,
    TYPE_MX,  TYPE_TXT,  TYPE_SRV,   TYPE_DS, TYPE_SVCB,   TYPE_ANY,
    TYPE_CAA, TYPE_AXFR, TYPE_IXFR,  4711,    TYPE_DNSKEY, TYPE_HTTPS,
};
enum { TYPE_COUNT = sizeof types / sizeof types[0] };

/* A client that asks, and the server's address that it asks at. */
struct querier {
    struct path path;
    struct client client;
};

struct proving {
    struct snapshot tried; /* the snapshot with an upstream for all names */
    struct route everything;
    struct querier *queriers;
    size_t count;
    size_t capacity;
    uint32_t *members; /* indexes of queriers, by the segment that they are inside of ... */
    size_t *starts;    /* ... where each segment's begin, and the end */
    uint64_t stride;
    struct proof *proof;
    struct err *err;
};

/* One query and its verdict. */
struct trial {
    const struct proving *proving;
    const struct querier *querier;
    const struct proof_name *name;
    struct query query;
    struct verdict verdict;
};

/* ---- the rules ---- */

static bool refute(const struct trial *trial, const char *sentence)
{
    char octets[512] = "", source[CIDR_TEXT_MAX], asked_at[CIDR_TEXT_MAX];
    struct text text = text_over(octets, sizeof octets - 1);

    ipv4_write(trial->querier->path.source, source);
    ipv4_write(trial->querier->path.destination, asked_at);
    text_add_string(&text, trial->querier->path.is_ipv6 ? "an IPv6 client" : source);
    if (trial->querier->path.destination != 0) {
        text_add_string(&text, " at ");
        text_add_string(&text, asked_at);
    }
    text_add_string(&text, " asks for ");
    name_add(&text, trial->query.name.octets);
    text_add_string(&text, " ");
    type_add(&text, trial->query.type);
    return err_set(trial->proving->err, ERR_RULE, "%s: %s", octets, sentence);
}

static bool reveals_nothing(const struct verdict *verdict)
{
    return verdict->answer == ANSWER_NONE && verdict->segment == NULL && verdict->app == NULL &&
           verdict->host == NULL && verdict->formation == NULL && verdict->dyno == NULL &&
           verdict->router == NULL && verdict->port == NULL && verdict->membership == NULL &&
           verdict->az == NULL;
}

static bool check_outsider(const struct trial *trial)
{
    const struct verdict *verdict = &trial->verdict;
    bool is_nxdomain = trial->proving->tried.policy.external_nxdomain;
    enum situation situation = is_nxdomain ? SITUATION_OUTSIDER_NXDOMAIN : SITUATION_OUTSIDER;
    uint8_t rcode = is_nxdomain ? RCODE_NXDOMAIN : RCODE_REFUSED;

    if (!reveals_nothing(verdict))
        return refute(trial, "an outsider's verdict holds something of a zone file");
    if (verdict->situation != situation || verdict->rcode != rcode ||
        verdict->reason != REASON_OUTSIDE || verdict->is_authoritative || verdict->has_soa ||
        verdict->may_recurse || verdict->soa_label != 0 || verdict->route != 0)
        return refute(trial, "an outsider's verdict differs from what every outsider gets");
    return true;
}

static bool is_member(const struct trial *trial, const struct segment *segment)
{
    const struct client *client = &trial->querier->client;

    for (uint32_t i = 0; i < client->count; i++)
        if (trial->proving->tried.segments[client->memberships[i].segment] == segment)
            return true;
    return false;
}

static bool is_apex_type(uint16_t type)
{
    return type == TYPE_A || type == TYPE_AAAA || type == TYPE_HTTPS || type == TYPE_SVCB ||
           type == TYPE_ANY;
}

static bool check_spaces(const struct trial *trial)
{
    const struct verdict *verdict = &trial->verdict;
    const struct segment *owner = trial->name->owner;

    if (verdict->segment != NULL && !is_member(trial, verdict->segment))
        return refute(trial, "the verdict holds something of a space that the client is not in");
    if (verdict->segment == NULL && (verdict->app != NULL || verdict->formation != NULL ||
                                     verdict->dyno != NULL || verdict->router != NULL))
        return refute(trial, "the verdict holds an app without its space");
    if (owner != NULL && !is_member(trial, owner) && verdict->answer != ANSWER_NONE)
        return refute(trial, "a client gets an answer from a space that it is not in");
    if (owner != NULL && verdict->segment != NULL && verdict->segment != owner &&
        verdict->answer != ANSWER_NONE)
        return refute(trial, "the answer is from another space than the name");
    return true;
}

/* True when a class of the client may ask for every name, or for those below a suffix of it. */
static bool may_recurse(const struct trial *trial)
{
    const struct recursion *recursion = &trial->proving->tried.policy.recursion_for;
    const struct client *client = &trial->querier->client;

    for (uint32_t i = 0; i < client->count; i++) {
        unsigned class = client->memberships[i].class;
        if ((recursion->all >> class & 1) != 0)
            return true;
        for (size_t j = 0; j < recursion->count; j++)
            if (recursion->suffixes[j].class == class &&
                name_is_within(&trial->query.name, &recursion->suffixes[j].name))
                return true;
    }
    return false;
}

static bool check_forwarding(const struct trial *trial)
{
    bool is_other_type = trial->name->is_apex && !is_apex_type(trial->query.type);

    if (trial->verdict.may_recurse != may_recurse(trial))
        return refute(trial, "recursion is offered against recursion_for");
    if (trial->verdict.situation == SITUATION_FORWARD && !may_recurse(trial))
        return refute(trial, "a name would be forwarded against recursion_for");
    if (!trial->name->is_ours || is_other_type)
        return true;
    if (trial->verdict.situation == SITUATION_FORWARD)
        return refute(trial, "an internal name would be forwarded to an upstream");
    if (verdict_is_foreign(&trial->verdict) && !trial->verdict.is_concealed)
        return refute(trial, "an internal name is treated as unknown");
    return true;
}

/* Checks the routers' ready records: name, type, class, TTL, length, and last the address. */
static bool has_routers_inside(const struct segment *segment)
{
    for (unsigned i = 0; i < 2 * segment->router_up_count; i++) {
        const uint8_t *record = segment->router_records + (size_t)i * READY_RECORD_OCTETS;
        if (!cidr_contains(segment->cidr, load32(record + READY_RECORD_OCTETS - 4)))
            return false;
    }
    return segment->router_up_count > 0;
}

static bool has_dynos_inside(const struct verdict *verdict)
{
    const struct formation_entry *formation = verdict->formation;
    const struct dyno_entry *dynos = verdict->segment->dynos + formation->dynos;

    if (verdict->answer == ANSWER_DYNO)
        return cidr_contains(verdict->segment->cidr, verdict->dyno->ip);
    for (uint32_t i = 0; i < formation->dyno_count; i++)
        if (dynos[i].state == DYNO_UP && !cidr_contains(verdict->segment->cidr, dynos[i].ip))
            return false;
    return true;
}

static bool check_addresses(const struct trial *trial)
{
    const struct verdict *verdict = &trial->verdict;
    bool is_inside = true;

    if (verdict->answer == ANSWER_ROUTERS) {
        if (verdict->app == NULL || (verdict->app->flags & APP_INTERNAL) == 0 ||
            verdict->app->web_up == 0)
            return refute(trial,
                          "routers are answered for something other than a running internal app");
        is_inside = has_routers_inside(verdict->segment);
    } else if (verdict->answer == ANSWER_FORMATION || verdict->answer == ANSWER_DYNO) {
        is_inside = has_dynos_inside(verdict);
    } else if (verdict->answer == ANSWER_ROUTER) {
        is_inside = cidr_contains(verdict->segment->cidr, verdict->router->ip);
    }
    return is_inside || refute(trial, "an address in the answer lies outside the space's cidr");
}

/* The availability zone by the dyno CIDRs, looked at one by one; NULL: none. */
static const struct az_entry *find_az(const struct segment *segment, uint32_t address)
{
    for (size_t i = 0; i < segment->az_block_count; i++)
        if (cidr_contains(segment->az_blocks[i].cidr, address))
            return &segment->azs[segment->az_blocks[i].az];
    return NULL;
}

static uint32_t count_routers_up(const struct segment *segment, const struct az_entry *az)
{
    uint32_t count = 0;

    for (size_t i = 0; i < segment->router_count; i++)
        count += segment->routers[i].state == ROUTER_UP && segment->routers[i].az != ENTRY_NONE &&
                 &segment->azs[segment->routers[i].az] == az;
    return count;
}

static bool is_router_of(const struct segment *segment, const struct az_entry *az, uint32_t ip)
{
    for (size_t i = 0; i < segment->router_count; i++)
        if (segment->routers[i].ip == ip)
            return segment->routers[i].az != ENTRY_NONE &&
                   &segment->azs[segment->routers[i].az] == az;
    return false;
}

/* True if the zone's part of the ready records holds its routers that are up, and no others. */
static bool has_own_routers(const struct segment *segment, const struct az_entry *az)
{
    const uint8_t *record =
        segment->router_records + (size_t)az->first * READY_RECORD_OCTETS + READY_RECORD_OCTETS - 4;

    if (az->up_count != count_routers_up(segment, az))
        return false;
    for (uint32_t i = 0; i < az->up_count; i++)
        if (!is_router_of(segment, az, load32(record + (size_t)i * READY_RECORD_OCTETS)))
            return false;
    return true;
}

static bool has_own_dyno(const struct verdict *verdict, const struct az_entry *az)
{
    const struct formation_entry *formation = verdict->formation;
    const struct dyno_entry *dynos = verdict->segment->dynos + formation->dynos;

    for (uint32_t i = 0; i < formation->dyno_count; i++)
        if (dynos[i].state == DYNO_UP && find_az(verdict->segment, dynos[i].ip) == az)
            return true;
    return false;
}

/* A client gets its own zone first or alone, if something is up there, and else no zone. */
static bool check_affinity(const struct trial *trial)
{
    const struct verdict *verdict = &trial->verdict;
    bool has_routers = verdict->answer == ANSWER_ROUTERS;
    bool has_dynos = verdict->answer == ANSWER_FORMATION || verdict->answer == ANSWER_SERVICES;
    const struct az_entry *own = NULL;

    if ((has_routers || has_dynos) && verdict->segment->affinity != AFFINITY_NONE &&
        verdict->membership->class == CLIENT_SPACE)
        own = find_az(verdict->segment, trial->querier->path.source);
    if (own != NULL &&
        !(has_routers ? count_routers_up(verdict->segment, own) > 0 : has_own_dyno(verdict, own)))
        own = NULL;
    if (verdict->az != own)
        return refute(trial, "the answer does not begin with the client's availability zone");
    return own == NULL || !has_routers || has_own_routers(verdict->segment, own) ||
           refute(trial, "the routers of an availability zone are not those of its zone file");
}

static bool check_row(const struct trial *trial)
{
    return verdict_fits(&trial->verdict) ||
           refute(trial, "the verdict differs from the line of `spacedns policy` that it names");
}

/* Whatever upstreams answer to a forwarded name, the reply has a line, and no address of a space.
 */
static bool check_outcomes(const struct trial *trial)
{
    static const struct upstream_outcome outcomes[] = {
        {.has_answer = true},
        {.has_answer = true, .has_space_address = true},
        {.has_answer = true, .is_stale = true, .fault = UPSTREAM_FAULT_SERVER},
        {.fault = UPSTREAM_FAULT_NETWORK},
    };

    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        struct trial after = *trial;
        bool is_relayed = outcome_decide(&trial->proving->tried, &outcomes[i], &after.verdict);
        if (is_relayed && outcomes[i].has_space_address)
            return refute(trial, "an upstream's answer with an address of a space is passed on");
        if (!check_row(&after))
            return false;
    }
    return true;
}

static bool check(const struct trial *trial)
{
    if (trial->querier->client.count == 0)
        return check_outsider(trial);
    return check_spaces(trial) && check_forwarding(trial) && check_addresses(trial) &&
           check_affinity(trial) && check_row(trial) &&
           (trial->verdict.situation != SITUATION_FORWARD || check_outcomes(trial));
}

/* ---- clients ---- */

static bool is_listed(const struct local_access *local, const char *space)
{
    for (size_t i = 0; i < local->space_count; i++)
        if (strcmp(local->spaces[i], space) == 0)
            return true;
    return false;
}

/* True if the zone file or the settings let the address in; `device`: that it comes by, or NULL. */
static bool lets_in(const struct segment *segment, const struct policy *policy, uint32_t address,
                    const char *device)
{
    bool is_loopback = address >> 24 == 127;

    if (cidr_contains(segment->cidr, address) ||
        (is_loopback && is_listed(&policy->local, segment->name)))
        return true;
    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        bool is_let_in =
            connection->grants && (connection->device == NULL ||
                                   (device != NULL && strcmp(connection->device, device) == 0));
        for (size_t j = 0; j < connection->block_count && is_let_in; j++)
            if (cidr_contains(connection->blocks[j], address))
                return true;
    }
    return false;
}

static bool is_seen_at(const struct segment *segment, uint32_t asked_at)
{
    for (size_t i = 0; i < segment->listen_count; i++)
        if (segment->listen[i] == asked_at)
            return true;
    return segment->listen_count == 0 && asked_at == 0;
}

static bool refute_querier(const struct proving *proving, const struct querier *querier,
                           const struct segment *segment, bool is_let_in)
{
    char source[CIDR_TEXT_MAX];

    ipv4_write(querier->path.source, source);
    return err_set(proving->err, ERR_RULE, "%s%s is taken to be %s space %s, and its zone file %s",
                   source, querier->path.is_ipv6 ? " (IPv6)" : "", is_let_in ? "outside" : "inside",
                   segment->name, is_let_in ? "lets it in" : "does not let it in");
}

/* The client must be inside exactly those spaces that let it in. */
static bool check_querier(const struct proving *proving, const struct querier *querier)
{
    const struct snapshot *tried = &proving->tried;
    const struct trial trial = {.proving = proving, .querier = querier};
    const char *device = access_device(&tried->access, querier->path.interface);

    for (size_t i = 0; i < tried->segment_count; i++) {
        const struct segment *segment = tried->segments[i];
        if (segment == NULL)
            continue;
        bool is_let_in = !querier->path.is_ipv6 && is_seen_at(segment, querier->path.destination) &&
                         lets_in(segment, &tried->policy, querier->path.source, device);
        if (is_let_in != is_member(&trial, segment))
            return refute_querier(proving, querier, segment, is_let_in);
    }
    return true;
}

static bool add_querier(struct proving *proving, const struct path *path)
{
    if (proving->count == proving->capacity) {
        size_t wider = proving->capacity == 0 ? 64 : 2 * proving->capacity;
        struct querier *moved = realloc(proving->queriers, wider * sizeof *moved);
        if (moved == NULL)
            return err_set(proving->err, ERR_MEMORY, "out of memory");
        proving->queriers = moved;
        proving->capacity = wider;
    }
    struct querier *querier = &proving->queriers[proving->count++];
    querier->path = *path;
    client_classify(&proving->tried, path, &querier->client);
    proving->proof->outsiders += querier->client.count == 0;
    return check_querier(proving, querier);
}

/* Adds a client in each dyno CIDR that is in an availability zone. */
static bool add_dynos_in_azs(struct proving *proving)
{
    for (size_t i = 0; i < proving->tried.segment_count; i++) {
        const struct segment *segment = proving->tried.segments[i];
        for (size_t j = 0; segment != NULL && j < segment->az_block_count; j++) {
            struct path path = {.source = cidr_last(segment->az_blocks[j].cidr),
                                .destination = segment->listen_count == 0 ? 0 : segment->listen[0]};
            if (!add_querier(proving, &path))
                return false;
        }
    }
    return true;
}

/* Adds the first and the last address of every range. */
static bool add_queriers_of(struct proving *proving, const struct view *view, uint32_t interface)
{
    for (uint32_t i = 0; i < view->range_count; i++) {
        uint32_t end = i + 1 < view->range_count ? view->starts[i + 1] - 1 : UINT32_MAX;
        struct path path = {
            .source = view->starts[i], .destination = view->address, .interface = interface};
        if (!add_querier(proving, &path))
            return false;
        path.source = end;
        if (end != view->starts[i] && !add_querier(proving, &path))
            return false;
    }
    return true;
}

static bool add_queriers(struct proving *proving)
{
    const struct access *access = &proving->tried.access;

    for (size_t i = 0; i < access->view_count; i++) {
        const struct view *view = &access->views[i];
        if (!add_queriers_of(proving, view, 0))
            return false;
        for (uint32_t j = 0; j < view->device_count; j++) {
            const struct view *by_device = &view->device_views[j];
            uint32_t interface = access_interface(access, access->devices[by_device->device]);
            if (!add_queriers_of(proving, by_device, interface) ||
                !add_queriers_of(proving, by_device, 0)) /* the same addresses by no device */
                return false;
        }
    }
    return add_dynos_in_azs(proving) && add_querier(proving, &(struct path){.is_ipv6 = true});
}

/* Lists the clients inside of each space, so that a name need not be tried for all clients. */
static bool list_members(struct proving *proving)
{
    size_t segments = proving->tried.segment_count, total = 0;
    size_t *starts = calloc(segments + 2, sizeof *starts);

    proving->starts = starts;
    for (size_t i = 0; i < proving->count && starts != NULL; i++)
        for (uint32_t j = 0; j < proving->queriers[i].client.count; j++, total++)
            starts[proving->queriers[i].client.memberships[j].segment + 2]++;
    proving->members = calloc(total + 1, sizeof *proving->members);
    if (starts == NULL || proving->members == NULL)
        return err_set(proving->err, ERR_MEMORY, "out of memory");
    for (size_t i = 2; i < segments + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < proving->count; i++)
        for (uint32_t j = 0; j < proving->queriers[i].client.count; j++)
            proving->members[starts[proving->queriers[i].client.memberships[j].segment + 1]++] =
                (uint32_t)i;
    return true;
}

/* ---- the trials ---- */

static bool try_types(struct proving *proving, const struct querier *querier,
                      const struct proof_name *name, uint64_t hash)
{
    struct trial trial = {
        .proving = proving,
        .querier = querier,
        .name = name,
        .query = {.class = CLASS_IN, .flags = FLAG_RD, .name = name->name},
    };

    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        trial.query.type = types[i];
        decide(&proving->tried, &querier->client, &trial.query, hash, &trial.verdict);
        proving->proof->decisions++;
        proving->proof->answers[verdict_answer(&trial.verdict)]++;
        if (!check(&trial))
            return false;
    }
    return true;
}

static bool try_name(void *context, const struct proof_name *name)
{
    struct proving *proving = context;
    uint64_t hash = index_hash(&proving->tried.index, &name->name);
    size_t turn = proving->proof->names++ % proving->stride;

    for (size_t i = turn; i < proving->count; i += proving->stride)
        if (!try_types(proving, &proving->queriers[i], name, hash))
            return false;
    if (proving->stride == 1 || name->owner == NULL)
        return true;
    for (size_t i = proving->starts[name->number]; i < proving->starts[name->number + 1]; i++)
        if (!try_types(proving, &proving->queriers[proving->members[i]], name, hash))
            return false;
    return true;
}

static bool count_name(void *context, const struct proof_name *name)
{
    (void)name;
    ++*(uint64_t *)context;
    return true;
}

/* Tries all names with this setting of recursion_for. */
static bool try_names(struct proving *proving, const struct recursion *recursion)
{
    proving->tried.policy.recursion_for = *recursion;
    proving->proof->names = 0;
    return proof_walk(&proving->tried, try_name, proving);
}

bool prove(const struct snapshot *snapshot, struct proof *proof, struct err *err)
{
    struct proving proving = {
        .tried = *snapshot, .everything = {.upstreams = "192.0.2.1"}, .proof = proof, .err = err};
    const struct recursion *configured = &snapshot->policy.recursion_for;
    const struct recursion everything = {.all = ALL_CLASSES};
    uint64_t names = 0;

    *proof = (struct proof){.types = TYPE_COUNT};
    name_from_text(".", &proving.everything.zone);
    proving.tried.policy.routes = (struct routes){.items = &proving.everything, .count = 1};
    proof_walk(&proving.tried, count_name, &names);
    bool holds = add_queriers(&proving) && list_members(&proving);
    proving.stride = 1 + names * proving.count * TYPE_COUNT / PROOF_DECISIONS_MOST;
    proof->clients = proving.count;
    proof->takes_turns = proving.stride > 1;
    holds = holds && try_names(&proving, &everything) &&
            (configured->count == 0 || try_names(&proving, configured));
    free(proving.queriers);
    free(proving.members);
    free(proving.starts);
    return holds;
}
