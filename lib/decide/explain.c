#include "decide/explain.h"

#include <assert.h>
#include <string.h>

#include "base/escape.h"
#include "decide/affinity.h"
#include "decide/alias.h"
#include "decide/explain_freshness.h"
#include "decide/explain_reason.h"
#include "decide/explain_records.h"
#include "decide/explain_step.h"
#include "decide/outcome.h"
#include "decide/outside.h"
#include "decide/suggestion.h"
#include "wire/types.h"

static void add_block(struct text *text, struct cidr cidr)
{
    char block[CIDR_TEXT_MAX];

    cidr_write(cidr, block);
    text_add_string(text, block);
}

/* The membership that the explanation is about, or NULL. */
static const struct membership *shown_membership(const struct client *client,
                                                 const struct verdict *verdict)
{
    if (verdict->membership != NULL || client->count == 0)
        return verdict->membership;
    return &client->memberships[0];
}

static void explain_client(const struct snapshot *snapshot, const struct client *client,
                           const struct verdict *verdict, const char *address,
                           struct explanation *explanation)
{
    const struct membership *membership = shown_membership(client, verdict);
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "client=");
    if (address != NULL)
        text_add_string(&text, address);
    else
        text_add_ipv4(&text, client->address);
    text_add_string(&text, " class=");
    if (membership == NULL) {
        text_add_string(&text, "external: in no space, active peering or VPN");
        explain_end_step(explanation, &text);
        return;
    }
    const struct segment *segment = snapshot->segments[membership->segment];
    text_add_string(&text, class_text(membership->class));
    text_add_string(&text, " space=");
    text_add_string(&text, segment->name);
    if (membership->connection != ENTRY_NONE) {
        const struct connection *connection = &segment->connections[membership->connection];
        text_add_string(&text, connection->kind == CONNECTION_PEERING ? " peering=" : " vpn=");
        escape_add(&text, connection->name, strlen(connection->name));
    }
    text_add_string(&text, " because of ");
    add_block(&text, membership->block);
    uint32_t line = membership_line(segment, membership);
    if (line == 0)
        text_add_string(&text, " (setting local_as)");
    else
        explain_add_location(explanation, &text, segment, line);
    explain_end_step(explanation, &text);
}

/* Only to the operator. */
static void explain_outside(const struct snapshot *snapshot, const struct client *client,
                            struct explanation *explanation)
{
    struct outside_entry entries[OUTSIDE_MOST];
    size_t count = outside_find(snapshot, client, entries);

    for (size_t i = 0; i < count; i++) {
        struct text text = explain_begin_step(explanation);
        outside_write(&entries[i], client->address, &text);
        explain_end_step(explanation, &text);
    }
}

static void explain_owner(const struct verdict *verdict, struct explanation *explanation)
{
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "name of space=");
    text_add_string(&text, verdict->owner->name);
    explain_add_location(explanation, &text, verdict->owner, verdict->owner->at.line);
    text_add_string(&text, ": the client gets what it would get for a name that nobody has");
    explain_end_step(explanation, &text);
}

/* One line for each link; query and verdict are then the last name's. Returns how many. */
static unsigned explain_aliases(const struct snapshot *snapshot, const struct client *client,
                                const struct alias_hops *hops, struct query *query,
                                struct verdict *verdict, struct explanation *explanation)
{
    struct alias_chain chain;
    struct name target;
    unsigned taken = 0;
    uint64_t hash;

    alias_begin(&chain, snapshot, client);
    while (alias_next(verdict, hops, &taken, &target)) { /* ALIAS_LINKS_MOST at most */
        struct text text = explain_begin_step(explanation);
        text_add_string(&text, "alias=");
        name_add(&text, query->name.octets);
        text_add_string(&text, " target=");
        name_add(&text, target.octets);
        if (verdict->situation == SITUATION_ALIAS)
            explain_add_location(explanation, &text, verdict->segment,
                                 alias_record(verdict)->at.line);
        else
            text_add_string(&text, ", as an upstream answered");
        explain_end_step(explanation, &text);
        alias_follow(&chain, &target, query, &hash, verdict);
    }
    return chain.count;
}

static void explain_host(const struct verdict *verdict, struct explanation *explanation)
{
    static const char *const kinds[] = {
        [HOST_DEFAULT] = "default domain",
        [HOST_DOMAIN] = "custom domain",
        [HOST_TARGET] = "DNS target",
        [HOST_RECORDS] = "static records",
    };
    const struct host *host = verdict->host;
    struct text text = explain_begin_step(explanation);

    assert(verdict->segment != NULL); /* whoever sets a host sets its segment */
    text_add_string(&text, "host=");
    name_add(&text, verdict->segment->texts + host->octets);
    text_add_string(&text, " kind=");
    text_add_string(&text, (host->flags & HOST_WILDCARD) != 0 ? "wildcard custom domain"
                                                              : kinds[host->kind]);
    explain_add_location(explanation, &text, verdict->segment, host->at.line);
    explain_end_step(explanation, &text);
}

/* Where a kept-back name was declared, so that the operator can declare it there again. */
static void explain_kept_back(const struct verdict *verdict, struct explanation *explanation)
{
    const struct kept_back_cohort *cohort = verdict->kept_back;
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "kept back: internal in space ");
    text_add_string(&text, cohort->space);
    text_add_string(&text, " until generation ");
    text_add_number(&text, cohort->generation);
    text_add_string(&text, " (");
    text_add_string(&text, cohort->file);
    text_add_string(&text, "), no longer declared, never forwarded");
    explain_end_step(explanation, &text);
}

/* The error that keeps the document of the space out. */
static void explain_unready(const struct segment *segment, struct explanation *explanation)
{
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "not ready: the document of space ");
    escape_add(&text, segment->name, strlen(segment->name));
    text_add_string(&text, " has errors, and there is no earlier one: ");
    text_add_string(&text, finding_name(segment->unready_code));
    if (segment->unready_at.line > 0)
        explain_add_location(explanation, &text, segment, segment->unready_at.line);
    explain_end_step(explanation, &text);
}

static void explain_app(const struct verdict *verdict, struct explanation *explanation)
{
    const struct app_entry *app = verdict->app;
    struct text text = explain_begin_step(explanation);

    assert(verdict->segment != NULL);
    text_add_string(&text, "app=");
    explain_add_app(&text, verdict);
    text_add_string(&text, " space=");
    text_add_string(&text, verdict->segment->name);
    text_add_string(&text, (app->flags & APP_INTERNAL) != 0 ? " internal_routing=true"
                                                            : " internal_routing=false");
    text_add_string(&text, " web_dynos=");
    text_add_number(&text, app->web_count);
    text_add_string(&text, " web_up=");
    text_add_number(&text, app->web_up);
    explain_add_location(explanation, &text, verdict->segment, app->at.line);
    explain_end_step(explanation, &text);
    if (verdict_is_foreign(verdict)) {
        text = explain_begin_step(explanation);
        text_add_string(&text, "internal routing is fixed at creation: the app must be recreated "
                               "with it to become internal");
        explain_end_step(explanation, &text);
    }
}

static void explain_raised_ttl(uint32_t ttl_seconds, struct explanation *explanation)
{
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "negative_ttl=");
    text_add_number(&text, ttl_seconds);
    text_add_string(&text, " raised: clients ask for it more than 100 times a second");
    explain_end_step(explanation, &text);
}

/* A name directly below the apps' suffix that no app has: likely a mistyped one. */
static void explain_mistyped(const struct snapshot *snapshot, const struct client *client,
                             const struct name *name, struct explanation *explanation)
{
    struct name suffix;

    if (!name_from_text(snapshot->policy.suffixes.apps, &suffix) ||
        name->label_count != suffix.label_count + 1 || !name_is_within(name, &suffix))
        return;
    struct suggestion suggestion = suggest_app(snapshot, client, name->octets);
    if (suggestion.text == NULL)
        return;
    struct text text = explain_begin_step(explanation);
    text_add_string(&text, "did you mean ");
    text_add(&text, suggestion.text, suggestion.length);
    text_add_string(&text, "? no app of the client's spaces has this name");
    explain_end_step(explanation, &text);
}

/*
 * A type other than A at an app's name has no reason code: nothing is wrong, but users ask why
 * there is no AAAA. The SOA of such a name is its own, that of a discovery name is not.
 */
static bool is_other_type(const struct query *query, const struct verdict *verdict)
{
    return verdict->situation == SITUATION_NO_DATA && verdict->app != NULL && verdict->has_soa &&
           verdict->soa_label == 0 && query->type != TYPE_A;
}

static void explain_other_type(const struct query *query, struct explanation *explanation)
{
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "no ");
    type_add(&text, query->type);
    text_add_string(&text, ": an internal name has the routers' addresses, type A, and no others");
    explain_end_step(explanation, &text);
}

static void format_text(const char *octets, struct explanation *explanation)
{
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, octets);
    explain_end_step(explanation, &text);
}

/* Where the client may ask for names below suffixes only: which of them allows it, or the list. */
static void explain_recursion(const struct snapshot *snapshot, const struct client *client,
                              const struct query *query, struct explanation *explanation)
{
    const struct recursion *recursion = &snapshot->policy.recursion_for;
    unsigned classes = client_classes(client);

    if (recursion->count == 0 || (recursion->all & classes) != 0 ||
        (recursion_classes(recursion) & classes) == 0)
        return;
    const struct recursion_suffix *suffix = recursion_find(recursion, classes, &query->name);
    struct text text = explain_begin_step(explanation);
    text_add_string(&text, "recursion_for ");
    text_add_string(&text, class_text(suffix == NULL ? client_class(client) : suffix->class));
    if (suffix != NULL) {
        text_add_string(&text, ": because of ");
        text_add_string(&text, suffix->text);
    } else {
        text_add_string(&text, ": not below ");
        explain_add_suffixes(&text, recursion, classes);
    }
    explain_end_step(explanation, &text);
}

static void explain_forward(const struct snapshot *snapshot, const struct verdict *verdict,
                            const struct explain_facts *facts, struct explanation *explanation)
{
    const struct route *route = &snapshot->policy.routes.items[verdict->route];
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "zone=");
    name_add(&text, route->zone.octets);
    text_add_string(&text, route->allow_rebind ? " allow_rebind=true" : "");
    if (facts->servers == NULL) {
        text_add_string(&text, " upstreams=");
        text_add_string(&text, route->upstreams);
    }
    explain_end_step(explanation, &text);
    if (facts->servers != NULL)
        format_text(facts->servers, explanation);
    if (facts->cached != NULL)
        format_text(facts->cached, explanation);
}

/* The last name of a chain: the one without an address, or the one that is forwarded. */
static void add_last(struct text *text, const char *word, const struct query *query, unsigned links)
{
    if (links == 0)
        return;
    text_add_string(text, word);
    name_add(text, query->name.octets);
}

static bool is_empty(const struct verdict *verdict)
{
    return verdict->answer == ANSWER_NONE && !verdict_has_cname(verdict);
}

/* `links` aliases have led to the query. */
static void explain_verdict(const struct snapshot *snapshot, const struct client *client,
                            const struct query *query, const struct verdict *verdict,
                            unsigned links, struct explanation *explanation)
{
    const struct reason_entry *reason = reason_entry(verdict->reason);
    struct text text;

    if (reason->level != REASON_LEVEL_NONE) {
        text = explain_begin_step(explanation);
        text_add_string(&text, "remedy=");
        text_add_string(&text, reason->remedy);
        explain_end_step(explanation, &text);
    }
    text = explain_begin_step(explanation);
    text_add_string(&text, "verdict=");
    if (verdict->situation == SITUATION_FORWARD && verdict->reason == REASON_NONE) {
        text_add_string(&text, "forward to ");
        text_add_string(&text, snapshot->policy.routes.items[verdict->route].upstreams);
        add_last(&text, " for ", query, links);
        explain_end_step(explanation, &text);
        return;
    }
    rcode_add(&text, verdict->rcode);
    if (is_empty(verdict) && verdict->rcode == RCODE_NOERROR)
        text_add_string(&text, " without data");
    if (is_empty(verdict))
        add_last(&text, " at ", query, links);
    if (verdict->reason != REASON_NONE) {
        text_add_string(&text, ": ");
        explain_reason(snapshot, client, query, verdict, &text);
    }
    explain_end_step(explanation, &text);
}

/* Prints the steps about the name that the aliases lead to. */
static void explain_last(const struct snapshot *snapshot, const struct client *client,
                         const struct query *query, const struct verdict *verdict,
                         const struct explain_facts *facts, struct explanation *explanation)
{
    if (verdict->situation == SITUATION_NOT_READY && verdict->segment != NULL)
        explain_unready(verdict->segment, explanation);
    if (verdict->kept_back != NULL)
        explain_kept_back(verdict, explanation);
    if (facts->for_operator && verdict->owner != NULL)
        explain_owner(verdict, explanation);
    if (verdict->host != NULL)
        explain_host(verdict, explanation);
    if (verdict->app != NULL)
        explain_app(verdict, explanation);
    if (verdict->situation == SITUATION_NO_WEB && facts->raised_ttl_seconds > 0)
        explain_raised_ttl(facts->raised_ttl_seconds, explanation);
    if (verdict->app == NULL && verdict_is_foreign(verdict))
        explain_mistyped(snapshot, client, &query->name, explanation);
    if (verdict->formation != NULL)
        explain_formation(verdict, explanation);
    if (verdict->is_empty_name)
        format_text("static records of the space stand below the name, and none at it",
                    explanation);
    if (verdict->answer == ANSWER_ROUTERS)
        explain_routers(verdict, explanation);
    if (affinity_orders(verdict->answer) && verdict->segment->affinity != AFFINITY_NONE)
        explain_affinity(client, verdict, explanation);
    if (is_other_type(query, verdict))
        explain_other_type(query, explanation);
    if (verdict_is_foreign(verdict))
        explain_recursion(snapshot, client, query, explanation);
    if (verdict_is_forwarded(verdict))
        explain_forward(snapshot, verdict, facts, explanation);
}

/* ---- the registry ---- */

/* A note: the answer is what was right at the registry's last word. */
static void explain_stale(struct explanation *explanation)
{
    const struct reason_entry *reason = reason_entry(REASON_REGISTRY_STALE);
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, reason->code);
    text_add_string(&text, " ");
    text_add_string(&text, reason->description);
    explain_end_step(explanation, &text);
}

/* Revisions are shown to whom locations are. */
static void explain_freshness(const struct snapshot *snapshot, const struct verdict *verdict,
                              const struct membership *membership, struct explanation *explanation)
{
    const struct segment *segment = verdict->segment;

    if (snapshot->freshness == NULL || !explanation->has_locations)
        return;
    if (segment == NULL && membership != NULL)
        segment = snapshot->segments[membership->segment];
    if (segment != NULL) {
        struct text text = explain_begin_step(explanation);
        explain_freshness_write(snapshot->freshness, segment, &text);
        explain_end_step(explanation, &text);
    }
    if (freshness_is_stale(snapshot->freshness))
        explain_stale(explanation);
}

void explain(const struct snapshot *snapshot, const struct client *client,
             const struct query *query, const struct verdict *verdict,
             const struct explain_facts *facts, struct explanation *explanation)
{
    static const struct explain_facts none;
    struct query last = *query;
    struct verdict end = *verdict;

    if (facts == NULL)
        facts = &none;
    const struct membership *membership = shown_membership(client, verdict);
    explanation->has_locations =
        facts->for_operator || (membership != NULL && membership->class == CLIENT_SPACE);
    explanation->count = 0;
    struct text text = explain_begin_step(explanation);
    text_add_string(&text, "name=");
    name_add(&text, query->name.octets);
    text_add_string(&text, " type=");
    type_add(&text, query->type);
    explain_end_step(explanation, &text);
    explain_client(snapshot, client, verdict, facts->address, explanation);
    if (facts->for_operator && facts->address == NULL)
        explain_outside(snapshot, client, explanation);
    if (facts->limited != NULL)
        format_text(facts->limited, explanation);
    unsigned links = explain_aliases(snapshot, client, facts->hops, &last, &end, explanation);
    if (facts->outcome != NULL && end.situation == SITUATION_FORWARD)
        outcome_decide(snapshot, facts->outcome, &end);
    explain_last(snapshot, client, &last, &end, facts, explanation);
    explain_freshness(snapshot, &end, membership, explanation);
    explain_verdict(snapshot, client, &last, &end, links, explanation);
}
