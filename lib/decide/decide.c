#include "decide/decide.h"

#include <string.h>

#include "decide/affinity.h"
#include "decide/discovery.h"
#include "decide/names.h"
#include "decide/reverse.h"
#include "decide/special.h"
#include "wire/types.h"

static void refuse_outsider(const struct snapshot *snapshot, struct verdict *verdict)
{
    if (snapshot->policy.external_nxdomain)
        verdict_set(verdict, SITUATION_OUTSIDER_NXDOMAIN, RCODE_NXDOMAIN, REASON_OUTSIDE);
    else
        verdict_set(verdict, SITUATION_OUTSIDER, RCODE_REFUSED, REASON_OUTSIDE);
}

/* The chaos class identifies the server (RFC 4892); BIND's old names mean the same. */
static void decide_chaos(const struct query *query, struct verdict *verdict)
{
    enum answer_kind kind = query->class == CLASS_CH ? names_find_chaos(&query->name) : ANSWER_NONE;

    if (kind == ANSWER_NONE) {
        verdict_set(verdict, SITUATION_UNSUPPORTED, RCODE_REFUSED, REASON_NOT_SUPPORTED);
        return;
    }
    names_answer(query, kind, verdict);
    if (verdict->answer != ANSWER_NONE)
        return;
    verdict->situation = SITUATION_NO_DATA_CHAOS;
    verdict->has_soa = false; /* zones, and so their SOA records, are of class IN */
}

/* Only these types of an apex are ours; its MX, TXT, NS and SOA belong to the public zone. */
static bool is_apex_type(uint16_t type)
{
    return type == TYPE_A || type == TYPE_AAAA || type == TYPE_HTTPS || type == TYPE_SVCB ||
           type == TYPE_ANY;
}

static enum reason web_reason(const struct app_entry *app)
{
    bool all_crashed = app->web_count > 0 && app->web_crashed == app->web_count;
    return all_crashed ? REASON_CRASHED : REASON_NO_WEB;
}

/* True when the client's peering lists routes that leave out a router. */
static bool is_route_missing(const struct verdict *verdict)
{
    uint32_t connection = verdict->membership->connection;
    return connection != ENTRY_NONE && verdict->segment->connections[connection].misses_router;
}

/* An internal name of a space that the client is inside of. */
static void decide_web(const struct client *client, const struct query *query,
                       struct verdict *verdict)
{
    bool has_cname = verdict->host != NULL && verdict->host->target != ENTRY_NONE &&
                     (verdict->host->flags & (HOST_APEX | HOST_FLAT)) == 0;
    bool asks_cname = has_cname && (query->type == TYPE_CNAME || query->type == TYPE_ANY);

    verdict->is_authoritative = true;
    if (verdict->app->web_up == 0) {
        verdict_negative(verdict, SITUATION_NO_WEB, RCODE_NOERROR, web_reason(verdict->app));
        return;
    }
    if (asks_cname) {
        verdict->situation = SITUATION_RECORDS;
        return;
    }
    if (query->type == TYPE_SOA) {
        verdict_soa(verdict);
        return;
    }
    bool asks_address = query->type == TYPE_A || query->type == TYPE_ANY;
    if (!asks_address || verdict->segment->router_up_count == 0) {
        verdict_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
        return;
    }
    verdict->situation = SITUATION_ROUTERS;
    verdict->answer = ANSWER_ROUTERS;
    if (verdict->segment->affinity != AFFINITY_NONE)
        affinity_choose(client, verdict);
    if (is_route_missing(verdict))
        verdict->reason = REASON_ROUTE_MISSING;
}

/* A name that is not ours: forwarded, answered as a special-use name, or refused. */
static void decide_other_name(const struct snapshot *snapshot, const struct query *query,
                              struct verdict *verdict)
{
    const struct routes *routes = &snapshot->policy.routes;
    bool may_ask = verdict->may_recurse && (query->flags & FLAG_RD) != 0;
    uint8_t route = may_ask ? route_find(routes, &query->name) : ROUTE_NONE;

    if (route == ROUTE_NONE)
        verdict_not_ours(verdict);
    else if (!special_decide(&routes->items[route], query, verdict))
        verdict_forward(verdict, route);
}

/* The client's membership of the space that a kept-back name belonged to, or NULL. */
static const struct membership *former_membership(const struct snapshot *snapshot,
                                                  const struct client *client,
                                                  const struct kept_back_cohort *cohort)
{
    for (uint32_t i = 0; i < client->count; i++) {
        const struct segment *segment = snapshot->segments[client->memberships[i].segment];
        if (strcmp(segment->name, cohort->space) == 0)
            return &client->memberships[i];
    }
    return NULL;
}

/*
 * A name that was internal and is no longer declared. Only wildcards with more labels than `depth`
 * are considered. Returns false when the name is not kept back.
 */
static bool decide_kept_back(const struct snapshot *snapshot, const struct client *client,
                             const struct query *query, uint64_t hash, unsigned depth,
                             struct verdict *verdict)
{
    struct kept_back_entry entry;

    if (snapshot->kept_back == NULL ||
        !kept_back_find(snapshot->kept_back, &query->name, hash, depth, &entry) ||
        (entry.is_apex && !is_apex_type(query->type)))
        return false;
    verdict->membership = former_membership(snapshot, client, entry.cohort);
    if (verdict->membership == NULL) {
        verdict_conceal(NULL, verdict);
        return true;
    }
    verdict->segment = snapshot->segments[verdict->membership->segment];
    if (verdict->segment->is_unready) {
        verdict_unready(verdict->segment, verdict->membership, verdict);
        return true;
    }
    verdict->kept_back = entry.cohort;
    verdict_negative(verdict, SITUATION_KEPT_BACK, RCODE_NXDOMAIN, REASON_WITHHELD);
    return true;
}

/*
 * A wildcard of an app without internal routing lets a name be forwarded, but not one that was
 * internal by itself or by a closer wildcard: that has not been declared again.
 */
static bool is_kept_below_wildcard(const struct snapshot *snapshot, const struct client *client,
                                   const struct query *query, uint16_t segment,
                                   struct verdict *verdict)
{
    const struct host *host = verdict->host;
    unsigned depth = 0;

    if (snapshot->kept_back == NULL || host == NULL || (host->flags & HOST_WILDCARD) == 0)
        return false;
    const uint8_t *octets = snapshot->segments[segment]->texts + host->octets;
    for (; *octets != 0; octets += *octets + 1U)
        depth++;
    struct verdict kept = {.may_recurse = verdict->may_recurse};
    uint64_t hash = index_hash(&snapshot->index, &query->name);
    if (!decide_kept_back(snapshot, client, query, hash, depth, &kept))
        return false;
    *verdict = kept;
    return true;
}

/*
 * Another space's internal name gets what a name that nobody has gets, so that spaces cannot list
 * each other's names. Where that would be forwarded, an internal name is not: it gets NXDOMAIN.
 */
static void decide_concealed(const struct snapshot *snapshot, const struct query *query,
                             struct verdict *verdict)
{
    decide_other_name(snapshot, query, verdict);
    if (verdict->situation != SITUATION_FORWARD)
        return;
    verdict->route = 0;
    verdict_withhold(verdict, SITUATION_OTHER_SPACE);
}

/* A name that an app serves: default domain, custom domain, DNS target. */
static void decide_app(const struct snapshot *snapshot, const struct client *client,
                       const struct query *query, uint16_t segment, struct verdict *verdict)
{
    bool is_public_type = verdict->host != NULL && (verdict->host->flags & HOST_APEX) != 0 &&
                          !is_apex_type(query->type);

    if ((verdict->app->flags & APP_INTERNAL) == 0 || is_public_type) {
        if (is_kept_below_wildcard(snapshot, client, query, segment, verdict))
            return;
        /* As any other name. A client inside the space may learn that the app is its own. */
        verdict->membership = client_membership(client, segment);
        verdict->segment = verdict->membership == NULL ? NULL : snapshot->segments[segment];
        if (verdict->membership == NULL || is_public_type) {
            verdict->app = NULL;
            verdict->host = NULL;
        }
        decide_other_name(snapshot, query, verdict);
        return;
    }
    if (verdict_admit(client, snapshot, segment, verdict))
        decide_web(client, query, verdict);
}

static void decide_records(const struct snapshot *snapshot, const struct client *client,
                           const struct query *query, uint16_t segment, struct verdict *verdict)
{
    if (!verdict_admit(client, snapshot, segment, verdict))
        return;
    verdict->is_authoritative = true;
    bool has_cname = host_has_type(verdict->segment, verdict->host, TYPE_CNAME);
    if (has_cname && query->type != TYPE_CNAME && query->type != TYPE_ANY) {
        verdict->situation = SITUATION_ALIAS;
        verdict->answer = ANSWER_ALIAS;
        return;
    }
    if (query->type == TYPE_SOA) {
        verdict_soa(verdict);
        return;
    }
    if (query->type != TYPE_ANY && !host_has_type(verdict->segment, verdict->host, query->type)) {
        verdict_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
        return;
    }
    verdict->situation = SITUATION_RECORDS;
    verdict->answer = ANSWER_RECORDS;
}

/* Decides on a name that the index knows. */
static void decide_entry(const struct snapshot *snapshot, const struct client *client,
                         const struct query *query, const struct index_entry *entry,
                         struct verdict *verdict)
{
    const struct segment *segment = snapshot->segments[entry->segment];

    if (entry->kind == INDEX_APP) {
        verdict->app = &segment->apps[entry->number];
        decide_app(snapshot, client, query, entry->segment, verdict);
        return;
    }
    verdict->host = &segment->hosts[entry->number];
    if (verdict->host->kind == HOST_RECORDS) {
        decide_records(snapshot, client, query, entry->segment, verdict);
        return;
    }
    verdict->app = &segment->apps[verdict->host->owner];
    decide_app(snapshot, client, query, entry->segment, verdict);
}

/* Names that no zone file lists individually. Returns false when the name is not one of them. */
static bool decide_unlisted(const struct snapshot *snapshot, const struct client *client,
                            const struct query *query, struct verdict *verdict)
{
    enum answer_kind kind = names_find(PARENT_ANY, query->name.octets);
    if (kind != ANSWER_NONE) {
        names_answer(query, kind, verdict);
        return true;
    }
    if (name_is_within(&query->name, &snapshot->discovery_suffix)) {
        discovery_decide(snapshot, client, query, verdict);
        if (verdict->formation != NULL && verdict->segment->affinity != AFFINITY_NONE)
            affinity_choose(client, verdict);
        return true;
    }
    return reverse_decide(snapshot, client, query, verdict);
}

/* True when upstream_zones lists a zone that holds the name. */
static bool has_listed_zone(const struct snapshot *snapshot, const struct query *query)
{
    const struct routes *routes = &snapshot->policy.routes;
    uint8_t route = route_find(routes, &query->name);

    return route != ROUTE_NONE && routes->items[route].zone.label_count > 0;
}

/*
 * A name above static records of one of the client's spaces exists and has no data (RFC 8020). It
 * is forwarded only if a zone of upstream_zones holds it. Bounded by the number of spaces of one
 * client, at depths where such names are.
 */
static bool decide_empty(const struct snapshot *snapshot, const struct client *client,
                         const struct query *query, struct verdict *verdict)
{
    unsigned depth = query->name.label_count;

    if ((snapshot->empty_depths[depth / 64] >> depth % 64 & 1) == 0)
        return false;
    for (uint32_t i = 0; i < client->count; i++) {
        uint16_t number = client->memberships[i].segment;
        if (!segment_has_empty_name(snapshot->segments[number], &query->name))
            continue;
        if (has_listed_zone(snapshot, query))
            return false;
        if (!verdict_admit(client, snapshot, number, verdict))
            return true;
        verdict->is_empty_name = true;
        if (query->type == TYPE_SOA)
            verdict_soa(verdict);
        else
            verdict_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
        return true;
    }
    return false;
}

/* A guess is wrong for one name in millions: then the slots are walked. */
static inline bool find_name(const struct snapshot *snapshot, const struct name *name,
                             uint64_t hash, const struct index_entry *guess,
                             struct index_entry *entry)
{
    if (guess == NULL)
        return snapshot_find(snapshot, name, hash, entry);
    *entry = *guess;
    return guess->kind != INDEX_NOTHING &&
           (index_is_of(&snapshot->index, snapshot->segments, *guess, name) ||
            snapshot_find(snapshot, name, hash, entry));
}

static void decide_name(const struct snapshot *snapshot, const struct client *client,
                        const struct query *query, uint64_t hash, const struct index_entry *guess,
                        struct verdict *verdict)
{
    struct index_entry entry;
    bool is_listed = find_name(snapshot, &query->name, hash, guess, &entry) &&
                     snapshot_is_served(snapshot, &entry);

    if (!is_listed) {
        if (decide_unlisted(snapshot, client, query, verdict))
            return;
        if (!snapshot_find_wildcard(snapshot, &query->name, &entry)) {
            if (!decide_empty(snapshot, client, query, verdict) &&
                !decide_kept_back(snapshot, client, query, hash, 0, verdict))
                decide_other_name(snapshot, query, verdict);
            return;
        }
    }
    decide_entry(snapshot, client, query, &entry, verdict);
}

/*
 * True when this client may ask upstreams for the name, whoever has it: the answer to another
 * space's name depends on no more than that.
 */
static bool may_recurse(const struct snapshot *snapshot, const struct client *client,
                        const struct name *name)
{
    const struct recursion *recursion = &snapshot->policy.recursion_for;

    if (snapshot->policy.routes.count == 0)
        return false;
    return client_has_class(client, recursion->all) ||
           (recursion->count > 0 &&
            recursion_find(recursion, client_classes(client), name) != NULL);
}

/*
 * Decides for a client of unready spaces alone; only _why may still tell it so. Returns false if
 * one of its spaces can answer. Bounded by the number of spaces of one client.
 */
static bool decide_unready(const struct snapshot *snapshot, const struct client *client,
                           const struct query *query, struct verdict *verdict)
{
    if (snapshot->unready_count == 0)
        return false;
    for (uint32_t i = 0; i < client->count; i++)
        if (!snapshot->segments[client->memberships[i].segment]->is_unready)
            return false;
    enum answer_kind kind = names_find(PARENT_ANY, query->name.octets);
    if (kind != ANSWER_NONE)
        names_answer(query, kind, verdict);
    else
        verdict_unready(snapshot->segments[client->memberships[0].segment], client->memberships,
                        verdict);
    return true;
}

/* Types of messages and transfers: no name has records of them (RFC 6895 section 3.1). */
static bool is_meta_type(uint16_t type)
{
    return type == TYPE_OPT || (type >= TYPE_TKEY && type < TYPE_ANY);
}

void decide(const struct snapshot *snapshot, const struct client *client, const struct query *query,
            uint64_t hash, struct verdict *verdict)
{
    decide_guessed(snapshot, client, query, hash, NULL, verdict);
}

void decide_guessed(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, uint64_t hash, const struct index_entry *guess,
                    struct verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    if (snapshot == NULL || snapshot->is_waiting) {
        verdict_set(verdict, SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY);
        return;
    }
    if (client->count == 0) {
        refuse_outsider(snapshot, verdict);
        return;
    }
    verdict->may_recurse = may_recurse(snapshot, client, &query->name);
    if (query->class != CLASS_IN) {
        decide_chaos(query, verdict);
        return;
    }
    if (is_meta_type(query->type)) {
        verdict_set(verdict, SITUATION_UNSUPPORTED, RCODE_REFUSED, REASON_NOT_SUPPORTED);
        return;
    }
    if (decide_unready(snapshot, client, query, verdict))
        return;
    decide_name(snapshot, client, query, hash, guess, verdict);
    if (verdict->is_concealed)
        decide_concealed(snapshot, query, verdict);
}

void decide_unreadable(enum query_status status, const struct client *client,
                       struct verdict *verdict)
{
    bool is_inside = client->count > 0;

    *verdict = (struct verdict){.reason = REASON_NONE};
    if (status == QUERY_OPCODE)
        verdict_set(verdict, SITUATION_OPCODE, RCODE_NOTIMP,
                    is_inside ? REASON_NOT_SUPPORTED : REASON_NONE);
    else if (status == QUERY_VERSION)
        verdict_set(verdict, SITUATION_EDNS_VERSION, RCODE_BADVERS, REASON_NONE);
    else if (status == QUERY_COOKIE)
        verdict_set(verdict, SITUATION_COOKIE, RCODE_NOERROR, REASON_NONE);
    else
        verdict_set(verdict, SITUATION_MALFORMED, RCODE_FORMERR, REASON_NONE);
}

void decide_rate_limited(struct verdict *verdict)
{
    *verdict = (struct verdict){.reason = REASON_NONE};
    verdict_set(verdict, SITUATION_RATE_LIMITED, RCODE_REFUSED, REASON_RATE_LIMITED);
}

void decide_slip(struct verdict *verdict)
{
    *verdict = (struct verdict){.answer = ANSWER_CUT};
    verdict_set(verdict, SITUATION_OUTSIDER_LIMITED, RCODE_NOERROR, REASON_OUTSIDE);
}
