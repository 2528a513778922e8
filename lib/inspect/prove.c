#include "inspect/prove.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "decide/decide.h"
#include "inspect/prove_names.h"
#include "wire/types.h"

enum { ALL_CLASSES = 1U << CLIENT_SPACE | 1U << CLIENT_PEERED | 1U << CLIENT_VPN };

static const uint16_t types[] = {
    TYPE_A,   TYPE_AAAA, TYPE_CNAME, TYPE_NS, TYPE_SOA,    TYPE_PTR,
    TYPE_MX,  TYPE_TXT,  TYPE_SRV,   TYPE_DS, TYPE_SVCB,   TYPE_ANY,
    TYPE_CAA, TYPE_AXFR, TYPE_IXFR,  4711,    TYPE_DNSKEY, TYPE_HTTPS,
};
enum { TYPE_COUNT = sizeof types / sizeof types[0] };

/* Somebody who asks, and where. */
struct explain_source {
    struct path path;
    struct client client;
};

struct proving {
    struct snapshot tried; /* the snapshot with an upstream for everything */
    struct route everything;
    struct explain_source *askers;
    size_t count;
    size_t capacity;
    uint32_t *members; /* numbers of askers, by the segment that they are inside of ... */
    size_t *starts;    /* ... of each segment, and the end */
    uint64_t stride;
    struct proof *proof;
    struct err *err;
};

/* One question and its verdict. */
struct trial {
    const struct proving *proving;
    const struct explain_source *asker;
    const struct proof_name *name;
    struct query query;
    struct verdict verdict;
};

/* ---- what must hold ---- */

static bool refute(const struct trial *trial, const char *sentence)
{
    char octets[512] = "", source[CIDR_TEXT_MAX], asked_at[CIDR_TEXT_MAX];
    struct text text = text_over(octets, sizeof octets - 1);

    ipv4_write(trial->asker->path.source, source);
    ipv4_write(trial->asker->path.destination, asked_at);
    text_add_string(&text, trial->asker->path.is_ipv6 ? "an IPv6 client" : source);
    if (trial->asker->path.destination != 0) {
        text_add_string(&text, " at ");
        text_add_string(&text, asked_at);
    }
    text_add_string(&text, " asks for ");
    name_add(&text, trial->query.name.octets);
    text_add_string(&text, " ");
    type_add(&text, trial->query.type);
    return err_set(trial->proving->err, ERR_RULE, "%s: %s", octets, sentence);
}

static bool tells_nothing(const struct verdict *verdict)
{
    return verdict->answer == ANSWER_NONE && verdict->segment == NULL && verdict->app == NULL &&
           verdict->host == NULL && verdict->formation == NULL && verdict->dyno == NULL &&
           verdict->router == NULL && verdict->port == NULL && verdict->membership == NULL;
}

static bool check_outsider(const struct trial *trial)
{
    const struct verdict *verdict = &trial->verdict;
    uint8_t rcode = trial->proving->tried.policy.external_nxdomain ? RCODE_NXDOMAIN : RCODE_REFUSED;

    if (!tells_nothing(verdict))
        return refute(trial, "an outsider's verdict holds something of a zone file");
    if (verdict->situation != SITUATION_OUTSIDER || verdict->rcode != rcode ||
        verdict->reason != REASON_OUTSIDE || verdict->is_authoritative || verdict->has_soa ||
        verdict->may_recurse || verdict->soa_label != 0 || verdict->route != 0)
        return refute(trial, "an outsider's verdict differs from what every outsider gets");
    return true;
}

static bool is_member(const struct trial *trial, const struct segment *segment)
{
    const struct client *client = &trial->asker->client;

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
        return refute(trial, "the verdict holds an app of nobody's space");
    if (owner != NULL && !is_member(trial, owner) && verdict->answer != ANSWER_NONE)
        return refute(trial, "a client gets an answer from a space that it is not in");
    if (owner != NULL && verdict->segment != NULL && verdict->segment != owner &&
        verdict->answer != ANSWER_NONE)
        return refute(trial, "the answer is of another space than the name");
    return true;
}

static bool check_forwarding(const struct trial *trial)
{
    bool is_foreign = trial->name->is_apex && !is_apex_type(trial->query.type);

    if (!trial->name->is_ours || is_foreign)
        return true;
    if (trial->verdict.situation == SITUATION_FORWARD)
        return refute(trial, "an internal name would be forwarded to an upstream");
    bool is_nobodys = trial->verdict.situation == SITUATION_SPECIAL ||
                      trial->verdict.situation == SITUATION_NOT_OURS;
    if (is_nobodys && !trial->verdict.is_concealed)
        return refute(trial, "an internal name is taken for nobody's");
    return true;
}

/* The routers' records as they would be sent: a name, type, class, TTL, length, and the address. */
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
            return refute(trial, "routers are answered for what is no running internal app");
        is_inside = has_routers_inside(verdict->segment);
    } else if (verdict->answer == ANSWER_FORMATION || verdict->answer == ANSWER_DYNO) {
        is_inside = has_dynos_inside(verdict);
    } else if (verdict->answer == ANSWER_ROUTER) {
        is_inside = cidr_contains(verdict->segment->cidr, verdict->router->ip);
    }
    return is_inside || refute(trial, "an address in the answer lies outside the space's cidr");
}

static bool check(const struct trial *trial)
{
    if (trial->asker->client.count == 0)
        return check_outsider(trial);
    return check_spaces(trial) && check_forwarding(trial) && check_addresses(trial);
}

/* ---- who asks ---- */

static bool is_listed(const struct local_access *local, const char *space)
{
    for (size_t i = 0; i < local->space_count; i++)
        if (strcmp(local->spaces[i], space) == 0)
            return true;
    return false;
}

/* As the zone file says, and the settings. */
static bool lets_in(const struct segment *segment, const struct policy *policy, uint32_t address)
{
    bool is_loopback = address >> 24 == 127;

    if (cidr_contains(segment->cidr, address) ||
        (is_loopback && is_listed(&policy->local, segment->name)))
        return true;
    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        for (size_t j = 0; j < connection->block_count && connection->grants; j++)
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

static bool refute_asker(const struct proving *proving, const struct explain_source *asker,
                         const struct segment *segment, bool is_let_in)
{
    char source[CIDR_TEXT_MAX];

    ipv4_write(asker->path.source, source);
    return err_set(proving->err, ERR_RULE, "%s%s is taken to be %s space %s, and its zone file %s",
                   source, asker->path.is_ipv6 ? " (IPv6)" : "", is_let_in ? "outside" : "inside",
                   segment->name, is_let_in ? "lets it in" : "does not let it in");
}

/* The client is inside exactly those spaces that let it in. */
static bool check_asker(const struct proving *proving, const struct explain_source *asker)
{
    const struct snapshot *tried = &proving->tried;
    const struct trial trial = {.proving = proving, .asker = asker};

    for (size_t i = 0; i < tried->segment_count; i++) {
        const struct segment *segment = tried->segments[i];
        if (segment == NULL)
            continue;
        bool is_let_in = !asker->path.is_ipv6 && is_seen_at(segment, asker->path.destination) &&
                         lets_in(segment, &tried->policy, asker->path.source);
        if (is_let_in != is_member(&trial, segment))
            return refute_asker(proving, asker, segment, is_let_in);
    }
    return true;
}

static bool add_asker(struct proving *proving, const struct path *path)
{
    if (proving->count == proving->capacity) {
        size_t wider = proving->capacity == 0 ? 64 : 2 * proving->capacity;
        struct explain_source *moved = realloc(proving->askers, wider * sizeof *moved);
        if (moved == NULL)
            return err_set(proving->err, ERR_MEMORY, "out of memory");
        proving->askers = moved;
        proving->capacity = wider;
    }
    struct explain_source *asker = &proving->askers[proving->count++];
    asker->path = *path;
    client_classify(&proving->tried, path, &asker->client);
    proving->proof->outsiders += asker->client.count == 0;
    return check_asker(proving, asker);
}

/* The first and the last address of every range. */
static bool add_askers(struct proving *proving)
{
    const struct access *access = &proving->tried.access;

    for (size_t i = 0; i < access->view_count; i++) {
        const struct view *view = &access->views[i];
        for (uint32_t j = 0; j < view->range_count; j++) {
            uint32_t end = j + 1 < view->range_count ? view->starts[j + 1] - 1 : UINT32_MAX;
            struct path path = {.source = view->starts[j], .destination = view->address};
            if (!add_asker(proving, &path))
                return false;
            path.source = end;
            if (end != view->starts[j] && !add_asker(proving, &path))
                return false;
        }
    }
    return add_asker(proving, &(struct path){.is_ipv6 = true});
}

/* Who is inside of which space, so that everybody need not be looked at for each name. */
static bool list_members(struct proving *proving)
{
    size_t segments = proving->tried.segment_count, total = 0;
    size_t *starts = calloc(segments + 2, sizeof *starts);

    proving->starts = starts;
    for (size_t i = 0; i < proving->count && starts != NULL; i++)
        for (uint32_t j = 0; j < proving->askers[i].client.count; j++, total++)
            starts[proving->askers[i].client.memberships[j].segment + 2]++;
    proving->members = calloc(total + 1, sizeof *proving->members);
    if (starts == NULL || proving->members == NULL)
        return err_set(proving->err, ERR_MEMORY, "out of memory");
    for (size_t i = 2; i < segments + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < proving->count; i++)
        for (uint32_t j = 0; j < proving->askers[i].client.count; j++)
            proving->members[starts[proving->askers[i].client.memberships[j].segment + 1]++] =
                (uint32_t)i;
    return true;
}

/* ---- everything ---- */

static bool ask(struct proving *proving, const struct explain_source *asker,
                const struct proof_name *name, uint64_t hash)
{
    struct trial trial = {
        .proving = proving,
        .asker = asker,
        .name = name,
        .query = {.class = CLASS_IN, .flags = FLAG_RD, .name = name->name},
    };

    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        trial.query.type = types[i];
        decide(&proving->tried, &asker->client, &trial.query, hash, &trial.verdict);
        proving->proof->decisions++;
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
        if (!ask(proving, &proving->askers[i], name, hash))
            return false;
    if (proving->stride == 1 || name->owner == NULL)
        return true;
    for (size_t i = proving->starts[name->number]; i < proving->starts[name->number + 1]; i++)
        if (!ask(proving, &proving->askers[proving->members[i]], name, hash))
            return false;
    return true;
}

static bool count_name(void *context, const struct proof_name *name)
{
    (void)name;
    ++*(uint64_t *)context;
    return true;
}

bool prove(const struct snapshot *snapshot, struct proof *proof, struct err *err)
{
    struct proving proving = {
        .tried = *snapshot, .everything = {.upstreams = "192.0.2.1"}, .proof = proof, .err = err};
    uint64_t names = 0;

    *proof = (struct proof){.types = TYPE_COUNT};
    name_from_text(".", &proving.everything.zone);
    proving.tried.policy.routes = (struct routes){.items = &proving.everything, .count = 1};
    proving.tried.policy.recursion_for = ALL_CLASSES;
    proof_walk(&proving.tried, count_name, &names);
    bool holds = add_askers(&proving) && list_members(&proving);
    proving.stride = 1 + names * proving.count * TYPE_COUNT / PROOF_DECISIONS_MOST;
    proof->clients = proving.count;
    proof->takes_turns = proving.stride > 1;
    holds = holds && proof_walk(&proving.tried, try_name, &proving);
    free(proving.askers);
    free(proving.members);
    free(proving.starts);
    return holds;
}
