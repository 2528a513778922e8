#include "inspect/prove_rules.h"

#include "base/bytes.h"
#include "decide/outcome.h"
#include "wire/types.h"

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
    return err_set(trial->err, ERR_RULE, "%s: %s", octets, sentence);
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
    bool is_nxdomain = trial->snapshot->policy.external_nxdomain;
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
    return proof_client_is_inside(trial->querier, trial->snapshot, segment);
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

/* A client whose spaces are all unready: every name might be one of theirs. */
static bool check_unready(const struct trial *trial)
{
    const struct client *client = &trial->querier->client;
    enum situation situation = trial->verdict.situation;

    for (uint32_t i = 0; i < client->count; i++)
        if (!trial->snapshot->segments[client->memberships[i].segment]->is_unready)
            return true;
    return situation == SITUATION_NOT_READY || situation == SITUATION_UNSUPPORTED ||
           situation == SITUATION_INTROSPECTION || situation == SITUATION_NO_DATA ||
           refute(trial, "the client's spaces are unready, and it gets something else than "
                         "SERVFAIL");
}

/* True when a class of the client may ask for every name, or for those below a suffix of it. */
static bool may_recurse(const struct trial *trial)
{
    const struct recursion *recursion = &trial->snapshot->policy.recursion_for;
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
        bool is_relayed = outcome_decide(trial->snapshot, &outcomes[i], &after.verdict);
        if (is_relayed && outcomes[i].has_space_address)
            return refute(trial, "an upstream's answer with an address of a space is passed on");
        if (!check_row(&after))
            return false;
    }
    return true;
}

bool trial_check(const struct trial *trial)
{
    if (trial->querier->client.count == 0)
        return check_outsider(trial);
    return check_spaces(trial) && check_unready(trial) && check_forwarding(trial) &&
           check_addresses(trial) && check_affinity(trial) && check_row(trial) &&
           (trial->verdict.situation != SITUATION_FORWARD || check_outcomes(trial));
}
