#include "decide/explain_reason.h"

#include <assert.h>
#include <string.h>

#include "base/escape.h"
#include "decide/discovery.h"
#include "decide/special.h"
#include "decide/suggestion.h"

const char explain_outside_text[] =
    "Q18 client is outside every space, peering and VPN served here";

void explain_add_app(struct text *text, const struct verdict *verdict)
{
    assert(verdict->app != NULL);
    text_add(text, segment_text(verdict->segment, verdict->app->name), verdict->app->name_length);
}

void explain_add_type(struct text *text, const struct verdict *verdict)
{
    assert(verdict->formation != NULL);
    text_add_string(text, segment_type(verdict->segment, verdict->formation));
}

void explain_add_suffixes(struct text *text, const struct recursion *recursion, unsigned classes)
{
    enum { MORE_OCTETS = 12 }; /* " and 63 more" */
    size_t left = 0;
    bool is_first = true;

    for (size_t i = 0; i < recursion->count; i++)
        left += classes >> recursion->suffixes[i].class & 1;
    for (size_t i = 0; i < recursion->count && left > 0; i++) {
        const struct recursion_suffix *suffix = &recursion->suffixes[i];
        if ((classes >> suffix->class & 1) == 0)
            continue;
        size_t room = (size_t)(text->end - text->next), needed = strlen(suffix->text) + 2;
        if (room < needed + (left > 1 ? MORE_OCTETS : 0))
            break;
        text_add_string(text, is_first ? "" : ", ");
        text_add_string(text, suffix->text);
        is_first = false;
        left--;
    }
    if (left == 0)
        return;
    text_add_string(text, is_first ? "" : " and ");
    text_add_number(text, left);
    text_add_string(text, !is_first ? " more" : left == 1 ? " suffix" : " suffixes");
}

static void add_label(struct text *text, const uint8_t *label)
{
    uint8_t name[LABEL_MAX_OCTETS + 2] = {*label};

    memcpy(name + 1, label + 1, *label);
    name_add(text, name);
}

static void add_no_web(struct text *text, const struct verdict *verdict)
{
    assert(verdict->app != NULL);
    uint16_t count = verdict->app->web_count;

    text_add_string(text,
                    verdict->reason == REASON_CRASHED ? "app crashed: " : "no web dynos running: ");
    explain_add_app(text, verdict);
    if (count == 0) {
        text_add_string(text, " has no web dyno; scale web to 1 or more");
        return;
    }
    text_add_string(text, " has ");
    text_add_number(text, count);
    text_add_string(text, count == 1 ? " web dyno, none up" : " web dynos, none up");
}

static void add_not_allowed(struct text *text, const struct client *client,
                            const struct verdict *verdict)
{
    if (verdict->is_concealed) {
        text_add_string(text, "a name of another space, of which this client is not a member");
        return;
    }
    text_add_string(text, "class ");
    text_add_string(text, class_text(client_class(client)));
    text_add_string(text, " may not ask discovery names here; ask from a dyno");
}

/* The names that the client may ask for, as far as a sentence has room for them. */
static void add_no_recursion(struct text *text, const struct snapshot *snapshot,
                             const struct client *client)
{
    const struct recursion *recursion = &snapshot->policy.recursion_for;

    if ((recursion_classes(recursion) & client_classes(client)) == 0) {
        text_add_string(text, "no recursion for this client");
        return;
    }
    text_add_string(text, "recursion only for ");
    explain_add_suffixes(text, recursion, client_classes(client));
}

/* Why it is not forwarded: the client, its query, or no upstream for the name. */
static void add_not_ours(struct text *text, const struct snapshot *snapshot,
                         const struct client *client, const struct query *query,
                         const struct verdict *verdict)
{
    if (verdict->app != NULL) {
        explain_add_app(text, verdict);
        text_add_string(text, " has no internal routing; to have it, recreate the app");
        return;
    }
    text_add_string(text, "not a name of this space, and ");
    if (!client_has_class(client, snapshot->policy.recursion_for.all) &&
        recursion_find(&snapshot->policy.recursion_for, client_classes(client), &query->name) ==
            NULL)
        add_no_recursion(text, snapshot, client);
    else if (route_find(&snapshot->policy.routes, &query->name) == ROUTE_NONE)
        text_add_string(text, "no upstream to ask; name one in upstreams");
    else
        text_add_string(text, "the query does not want recursion (RD=0)");
}

/* "no reply from 10.0.0.2"; without a single server, all servers of the route. */
static void add_upstream_fault(struct text *text, const struct snapshot *snapshot,
                               const struct verdict *verdict)
{
    if (verdict->upstream_fault == NULL) {
        text_add_string(text, reason_entry(verdict->reason)->description);
        return;
    }
    text_add_string(text, verdict->upstream_fault);
    text_add_string(text, " ");
    text_add_string(text, verdict->upstream != NULL
                              ? verdict->upstream
                              : snapshot->policy.routes.items[verdict->route].upstreams);
}

static void add_stale(struct text *text, const struct snapshot *snapshot,
                      const struct verdict *verdict)
{
    if (verdict->upstream_fault != NULL)
        text_add_string(text, "stale answer: ");
    add_upstream_fault(text, snapshot, verdict);
}

static void add_rebind(struct text *text, const struct snapshot *snapshot,
                       const struct verdict *verdict)
{
    const struct name *zone = &snapshot->policy.routes.items[verdict->route].zone;

    text_add_string(text, "answer has an address of a space served here; if meant, set "
                          "allow_rebind");
    if (zone->label_count == 0)
        return;
    text_add_string(text, " for ");
    name_add(text, zone->octets);
}

static void add_special_use(struct text *text, const struct query *query)
{
    struct special special;

    if (!special_find(&query->name, &special)) {
        text_add_string(text, reason_entry(REASON_SPECIAL_USE)->description);
        return;
    }
    text_add_string(text, "special-use name ");
    name_add(text, name_suffix(&query->name, query->name.label_count - special.label_count));
    text_add_string(text, special.kind == SPECIAL_INVALID
                              ? " never exists (RFC 6761)"
                              : " is not forwarded; list its zone in upstream_zones");
}

static void add_not_running(struct text *text, const struct verdict *verdict)
{
    if (verdict->dyno == NULL) {
        text_add_string(text, "no dyno of ");
        explain_add_type(text, verdict);
        text_add_string(text, " is up in ");
        explain_add_app(text, verdict);
        return;
    }
    explain_add_type(text, verdict);
    text_add_string(text, ".");
    text_add_number(text, verdict->dyno->number);
    text_add_string(text, " of ");
    explain_add_app(text, verdict);
    text_add_string(text, " is ");
    text_add_string(text, dyno_state_text(verdict->dyno->state));
}

/* Clients of the name's former space see the generation; others do not. */
static void add_withheld(struct text *text, const struct verdict *verdict)
{
    if (verdict->kept_back == NULL) {
        text_add_string(text, "not a name of your space, and not asked of an upstream");
        return;
    }
    text_add_string(text, "internal until generation ");
    text_add_number(text, verdict->kept_back->generation);
    text_add_string(text, ", no longer declared; if meant: spacedns forget");
}

static void add_suggestion(struct text *text, struct suggestion suggestion)
{
    if (suggestion.text == NULL)
        return;
    text_add_string(text, "; did you mean ");
    text_add(text, suggestion.text, suggestion.length);
    text_add_string(text, "?");
}

/* The label `back` labels in front of the discovery suffix, or NULL. */
static const uint8_t *label_before_suffix(const struct snapshot *snapshot, const struct name *name,
                                          unsigned back)
{
    unsigned from_root = snapshot->discovery_suffix.label_count + back;
    return name->label_count < from_root ? NULL : name_suffix(name, name->label_count - from_root);
}

/* Appends the name without one of its labels. */
static void add_name_without(struct text *text, const struct name *name, const uint8_t *label)
{
    struct name shorter = *name;
    size_t start = (size_t)(label - name->octets), skipped = *label + 1U;

    memmove(shorter.octets + start, name->octets + start + skipped, name->length - start - skipped);
    name_add(text, shorter.octets);
}

/* _http._tcp.1.web.APP: a port is declared for a process type, so no dyno has an SRV of its own. */
static bool is_service_of_dyno(const struct snapshot *snapshot, const struct name *name)
{
    const uint8_t *dyno = label_before_suffix(snapshot, name, 4);
    const uint8_t *protocol = label_before_suffix(snapshot, name, 5);
    uint32_t number;

    return protocol != NULL && protocol[1] == '_' && label_read_number(dyno, &number);
}

static void add_not_declared(struct text *text, const struct snapshot *snapshot,
                             const struct client *client, const struct query *query,
                             const struct verdict *verdict)
{
    const uint8_t *branch = label_before_suffix(snapshot, &query->name, 1);
    const uint8_t *process = label_before_suffix(snapshot, &query->name, 3);
    const uint8_t *app = label_before_suffix(snapshot, &query->name, 2);

    if (!name_is_within(&query->name, &snapshot->discovery_suffix)) {
        text_add_string(text, "no dyno or router has this address");
    } else if (app == NULL || memcmp(branch, "\3app", 4) != 0) {
        text_add_string(text, "names are [n.]process.APP.app.");
        name_add(text, snapshot->discovery_suffix.octets);
    } else if (verdict->app == NULL) {
        text_add_string(text, "no such app: ");
        add_label(text, app);
        add_suggestion(text, suggest_app(snapshot, client, app));
    } else if (verdict->formation == NULL) {
        text_add_string(text, "no such process: ");
        add_label(text, process);
        add_suggestion(text, suggest_process(verdict->segment, verdict->app, process));
    } else if (is_service_of_dyno(snapshot, &query->name)) {
        text_add_string(text, "one dyno has no SRV; ask ");
        add_name_without(text, &query->name, label_before_suffix(snapshot, &query->name, 4));
    } else {
        text_add_string(text, "no such dyno or port of ");
        explain_add_type(text, verdict);
        text_add_string(text, " in ");
        explain_add_app(text, verdict);
    }
}

static void add_route_missing(struct text *text, const struct verdict *verdict)
{
    const struct segment *segment = verdict->segment;
    char block[CIDR_TEXT_MAX];

    cidr_write(segment->cidr, block);
    text_add_string(text, segment->connections[verdict->membership->connection].name);
    text_add_string(text, " has no route to a router; add one for ");
    text_add_string(text, block);
}

static void add_space_changing(struct text *text, const struct segment *segment)
{
    text_add_string(text, "space ");
    text_add_string(text, segment->name);
    text_add_string(text,
                    segment->state == SPACE_DELETING ? " is being deleted" : " is being created");
}

static void add_not_ready(struct text *text, const struct verdict *verdict)
{
    if (verdict->segment == NULL) {
        text_add_string(text, reason_entry(REASON_NOT_READY)->description);
        return;
    }
    text_add_string(text, "space ");
    escape_add(text, verdict->segment->name, strlen(verdict->segment->name));
    text_add_string(text, " is not ready: its document has errors");
}

/* A space whose answers are withheld: its state, or its document, is the cause. */
static void add_not_served(struct text *text, const struct verdict *verdict)
{
    if (verdict->reason == REASON_SPACE_CHANGING)
        add_space_changing(text, verdict->segment);
    else
        add_not_ready(text, verdict);
}

static void add_rate_limited(struct text *text, const struct snapshot *snapshot)
{
    text_add_string(text, "this client asks more than ");
    text_add_number(text, snapshot->policy.client_rate);
    text_add_string(text, " times a second; ask less often (client_rate)");
}

static void add_fact(struct text *text, const struct snapshot *snapshot,
                     const struct client *client, const struct query *query,
                     const struct verdict *verdict)
{
    switch (verdict->reason) {
    case REASON_CRASHED:
    case REASON_NO_WEB:
        add_no_web(text, verdict);
        break;
    case REASON_OUTSIDE:
        text_add_string(text, explain_outside_text + sizeof "Q18");
        break;
    case REASON_NOT_ALLOWED:
        add_not_allowed(text, client, verdict);
        break;
    case REASON_NOT_OURS:
        add_not_ours(text, snapshot, client, query, verdict);
        break;
    case REASON_UPSTREAM:
    case REASON_UPSTREAM_NETWORK:
        add_upstream_fault(text, snapshot, verdict);
        break;
    case REASON_REBIND:
        add_rebind(text, snapshot, verdict);
        break;
    case REASON_STALE:
    case REASON_STALE_NXDOMAIN:
        add_stale(text, snapshot, verdict);
        break;
    case REASON_SPECIAL_USE:
        add_special_use(text, query);
        break;
    case REASON_NOT_RUNNING:
        add_not_running(text, verdict);
        break;
    case REASON_WITHHELD:
        add_withheld(text, verdict);
        break;
    case REASON_NOT_DECLARED:
        add_not_declared(text, snapshot, client, query, verdict);
        break;
    case REASON_SPACE_CHANGING:
    case REASON_NOT_READY:
        add_not_served(text, verdict);
        break;
    case REASON_ROUTE_MISSING:
        add_route_missing(text, verdict);
        break;
    case REASON_RATE_LIMITED:
        add_rate_limited(text, snapshot);
        break;
    case REASON_NONE:
    case REASON_ALIAS_ENDLESS:
    case REASON_REGISTRY_STALE:
    case REASON_RELOAD_REFUSED:
    case REASON_NOT_SUPPORTED:
    case REASON_COUNT:
        text_add_string(text, reason_entry(verdict->reason)->description);
    }
}

void explain_reason(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, const struct verdict *verdict, struct text *text)
{
    if (verdict->reason == REASON_NONE)
        return;
    text_add_string(text, reason_entry(verdict->reason)->code);
    text_add_string(text, " ");
    add_fact(text, snapshot, client, query, verdict);
}
