#include "decide/explain.h"

#include <assert.h>
#include <string.h>

#include "decide/near.h"
#include "wire/types.h"

static void add_app(struct text *text, const struct verdict *verdict)
{
    assert(verdict->app != NULL);
    text_add(text, segment_text(verdict->segment, verdict->app->name), verdict->app->name_length);
}

static void add_type(struct text *text, const struct verdict *verdict)
{
    assert(verdict->formation != NULL);
    text_add_string(text, segment_text(verdict->segment, verdict->formation->type));
}

static void add_label(struct text *text, const uint8_t *label)
{
    uint8_t name[LABEL_MAX_OCTETS + 2] = {*label};

    memcpy(name + 1, label + 1, *label);
    name_add(text, name);
}

static void add_web_counts(struct text *text, const struct verdict *verdict)
{
    assert(verdict->app != NULL);
    uint16_t count = verdict->app->web_count;

    add_app(text, verdict);
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
    if (verdict->situation == SITUATION_OTHER_SPACE) {
        text_add_string(text, "this name belongs to another space than yours");
        return;
    }
    text_add_string(text, "class ");
    text_add_string(text, class_text(client_class(client)));
    text_add_string(text, " may not ask discovery names here; ask from a dyno");
}

static void add_not_ours(struct text *text, const struct verdict *verdict)
{
    if (verdict->app == NULL) {
        text_add_string(text, "not a name of this space, and no recursion for this client");
        return;
    }
    add_app(text, verdict);
    text_add_string(text, " has no internal routing; to have it, recreate the app");
}

static void add_not_running(struct text *text, const struct verdict *verdict)
{
    if (verdict->dyno == NULL) {
        text_add_string(text, "no dyno of ");
        add_type(text, verdict);
        text_add_string(text, " is up in ");
        add_app(text, verdict);
        return;
    }
    add_type(text, verdict);
    text_add_string(text, ".");
    text_add_number(text, verdict->dyno->number);
    text_add_string(text, " of ");
    add_app(text, verdict);
    text_add_string(text, " is ");
    text_add_string(text, dyno_state_text(verdict->dyno->state));
}

static void add_near(struct text *text, struct near_word near)
{
    if (near.text == NULL)
        return;
    text_add_string(text, "; did you mean ");
    text_add(text, near.text, near.length);
    text_add_string(text, "?");
}

/* The label in front of APP.app or SPACE.space, or of what stands in its place. */
static const uint8_t *label_before_suffix(const struct snapshot *snapshot, const struct name *name,
                                          unsigned back)
{
    unsigned from_root = snapshot->discovery_suffix.label_count + back;
    return name->label_count < from_root ? NULL : name_suffix(name, name->label_count - from_root);
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
        add_near(text, near_app(snapshot, client, app));
    } else if (verdict->formation == NULL) {
        text_add_string(text, "no such process: ");
        add_label(text, process);
        add_near(text, near_process(verdict->segment, verdict->app, process));
    } else {
        text_add_string(text, "no such dyno or port of ");
        add_type(text, verdict);
        text_add_string(text, " in ");
        add_app(text, verdict);
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

static void add_fact(struct text *text, const struct snapshot *snapshot,
                     const struct client *client, const struct query *query,
                     const struct verdict *verdict)
{
    switch (verdict->reason) {
    case REASON_CRASHED:
        text_add_string(text, "app crashed: ");
        add_web_counts(text, verdict);
        break;
    case REASON_NO_WEB:
        text_add_string(text, "no web dynos running: ");
        add_web_counts(text, verdict);
        break;
    case REASON_OUTSIDE:
        text_add_string(text, "client is outside every space, peering and VPN served here");
        break;
    case REASON_NOT_ALLOWED:
        add_not_allowed(text, client, verdict);
        break;
    case REASON_NOT_OURS:
        add_not_ours(text, verdict);
        break;
    case REASON_NOT_RUNNING:
        add_not_running(text, verdict);
        break;
    case REASON_NOT_DECLARED:
        add_not_declared(text, snapshot, client, query, verdict);
        break;
    case REASON_SPACE_CHANGING:
        text_add_string(text, "space ");
        text_add_string(text, verdict->segment->name);
        text_add_string(text, verdict->segment->state == SPACE_DELETING ? " is being deleted"
                                                                        : " is being created");
        break;
    case REASON_ROUTE_MISSING:
        add_route_missing(text, verdict);
        break;
    default:
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

/* One step under construction; end_step keeps it. */
static struct text begin_step(struct explanation *explanation)
{
    return text_over(explanation->steps[explanation->count].octets, EXPLAIN_STEP_OCTETS);
}

static void end_step(struct explanation *explanation, const struct text *text)
{
    explanation->steps[explanation->count].length = (uint8_t)text_length(text);
    if (explanation->count < EXPLAIN_STEPS_MAX - 1)
        explanation->count++;
}

static void add_place(struct text *text, const struct segment *segment, uint32_t line)
{
    text_add_string(text, " (");
    text_add_string(text, segment->file);
    text_add_string(text, ":");
    text_add_number(text, line);
    text_add_string(text, ")");
}

static void add_block(struct text *text, struct cidr cidr)
{
    char block[CIDR_TEXT_MAX];

    cidr_write(cidr, block);
    text_add_string(text, block);
}

static void tell_client(const struct snapshot *snapshot, const struct client *client,
                        const struct verdict *verdict, struct explanation *explanation)
{
    const struct membership *membership = verdict->membership;
    if (membership == NULL && client->count > 0)
        membership = &client->memberships[0];
    struct text text = begin_step(explanation);

    text_add_string(&text, "client=");
    text_add_ipv4(&text, client->address);
    text_add_string(&text, " class=");
    if (membership == NULL) {
        text_add_string(&text, "external: in no space, active peering or VPN");
        end_step(explanation, &text);
        return;
    }
    const struct segment *segment = snapshot->segments[membership->segment];
    uint32_t line = segment->at.line;
    text_add_string(&text, class_text(membership->class));
    text_add_string(&text, " space=");
    text_add_string(&text, segment->name);
    if (membership->connection != ENTRY_NONE) {
        const struct connection *connection = &segment->connections[membership->connection];
        text_add_string(&text, connection->kind == CONNECTION_PEERING ? " peering=" : " vpn=");
        text_add_string(&text, connection->name);
        line = connection->at.line;
    }
    text_add_string(&text, " because of ");
    add_block(&text, membership->block);
    add_place(&text, segment, line);
    end_step(explanation, &text);
}

static void tell_host(const struct verdict *verdict, struct explanation *explanation)
{
    static const char *const kinds[] = {"default domain", "custom domain", "DNS target",
                                        "static records"};
    const struct host *host = verdict->host;
    struct text text = begin_step(explanation);

    text_add_string(&text, "host=");
    name_add(&text, verdict->segment->texts + host->octets);
    text_add_string(&text, " kind=");
    text_add_string(&text, (host->flags & HOST_WILDCARD) != 0 ? "wildcard custom domain"
                                                              : kinds[host->kind]);
    add_place(&text, verdict->segment, host->at.line);
    end_step(explanation, &text);
}

static void tell_app(const struct verdict *verdict, struct explanation *explanation)
{
    const struct app_entry *app = verdict->app;
    struct text text = begin_step(explanation);

    text_add_string(&text, "app=");
    add_app(&text, verdict);
    text_add_string(&text, " space=");
    text_add_string(&text, verdict->segment->name);
    text_add_string(&text, (app->flags & APP_INTERNAL) != 0 ? " internal_routing=true"
                                                            : " internal_routing=false");
    text_add_string(&text, " web_dynos=");
    text_add_number(&text, app->web_count);
    text_add_string(&text, " web_up=");
    text_add_number(&text, app->web_up);
    add_place(&text, verdict->segment, app->at.line);
    end_step(explanation, &text);
    if (verdict->situation == SITUATION_NOT_OURS) {
        text = begin_step(explanation);
        text_add_string(&text, "internal routing is fixed at creation: the app must be recreated "
                               "with it to become internal");
        end_step(explanation, &text);
    }
}

static void tell_formation(const struct verdict *verdict, struct explanation *explanation)
{
    struct text text = begin_step(explanation);

    text_add_string(&text, "process=");
    add_type(&text, verdict);
    text_add_string(&text, " dynos=");
    text_add_number(&text, verdict->formation->dyno_count);
    if (verdict->dyno != NULL) {
        text_add_string(&text, " dyno=");
        text_add_number(&text, verdict->dyno->number);
        text_add_string(&text, " state=");
        text_add_string(&text, dyno_state_text(verdict->dyno->state));
    }
    add_place(&text, verdict->segment,
              verdict->dyno != NULL ? verdict->dyno->line : verdict->formation->at.line);
    end_step(explanation, &text);
}

static void tell_routers(const struct verdict *verdict, struct explanation *explanation)
{
    const struct segment *segment = verdict->segment;
    struct text text = begin_step(explanation);

    text_add_string(&text, "routers up:");
    for (size_t i = 0; i < segment->router_count; i++) {
        if (segment->routers[i].state != ROUTER_UP)
            continue;
        text_add_string(&text, " ");
        text_add_ipv4(&text, segment->routers[i].ip);
    }
    add_place(&text, segment, segment->routers[0].at.line);
    end_step(explanation, &text);
}

static void tell_verdict(const struct snapshot *snapshot, const struct client *client,
                         const struct query *query, const struct verdict *verdict,
                         struct explanation *explanation)
{
    const struct reason_entry *reason = reason_entry(verdict->reason);
    struct text text;

    if (reason->level != REASON_LEVEL_NONE) {
        text = begin_step(explanation);
        text_add_string(&text, "remedy=");
        text_add_string(&text, reason->remedy);
        end_step(explanation, &text);
    }
    text = begin_step(explanation);
    text_add_string(&text, "verdict=");
    rcode_add(&text, verdict->rcode);
    if (verdict->answer == ANSWER_NONE && verdict->rcode == RCODE_NOERROR &&
        !verdict_has_cname(verdict))
        text_add_string(&text, " without data");
    if (verdict->reason != REASON_NONE) {
        text_add_string(&text, ": ");
        explain_reason(snapshot, client, query, verdict, &text);
    }
    end_step(explanation, &text);
}

void explain(const struct snapshot *snapshot, const struct client *client,
             const struct query *query, const struct verdict *verdict,
             struct explanation *explanation)
{
    explanation->count = 0;
    struct text text = begin_step(explanation);
    text_add_string(&text, "name=");
    name_add(&text, query->name.octets);
    text_add_string(&text, " type=");
    type_add(&text, query->type);
    end_step(explanation, &text);
    tell_client(snapshot, client, verdict, explanation);
    if (verdict->host != NULL)
        tell_host(verdict, explanation);
    if (verdict->app != NULL)
        tell_app(verdict, explanation);
    if (verdict->formation != NULL)
        tell_formation(verdict, explanation);
    if (verdict->answer == ANSWER_ROUTERS)
        tell_routers(verdict, explanation);
    tell_verdict(snapshot, client, query, verdict, explanation);
}
