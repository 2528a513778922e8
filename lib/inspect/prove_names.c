#include "inspect/prove_names.h"

#include <string.h>

#include "base/text.h"

enum { LABEL_EXAMPLES = 2, DYNOS_MOST = 4, TEXT_MOST = 1024 };

static const char *const examples[LABEL_EXAMPLES] = {"zz-proof", "_zz-proof"};

struct name_walk {
    const struct snapshot *snapshot;
    const struct segment *segment;
    const struct app_entry *app;
    proof_on_name *on_name;
    void *context;
    struct proof_name at;
};

static bool visit(struct name_walk *walk, bool is_ours)
{
    walk->at.owner = is_ours ? walk->segment : NULL;
    walk->at.is_ours = is_ours;
    return walk->on_name(walk->context, &walk->at);
}

/* Visits names that no zone has, below one that it may have. */
static bool visit_below(struct name_walk *walk, const uint8_t *octets, size_t length, bool is_ours)
{
    bool goes_on = true;

    for (unsigned i = 0; i < LABEL_EXAMPLES && goes_on; i++)
        if (name_join(&walk->at.name, examples[i], strlen(examples[i]), octets, length))
            goes_on = visit(walk, is_ours && i == 0);
    return goes_on;
}

static bool visit_host(struct name_walk *walk, const struct host *host, bool is_internal)
{
    const uint8_t *octets = walk->segment->texts + host->octets;
    const uint8_t *rest = octets + 1 + *octets;
    size_t left = host->length - 1U - *octets;
    bool is_served = is_internal && host->kind != HOST_PENDING;

    walk->at.is_apex = (host->flags & HOST_APEX) != 0;
    if (!name_join(&walk->at.name, octets + 1, *octets, rest, left))
        return true;
    bool goes_on = visit(walk, is_served);
    walk->at.is_apex = false;
    if ((host->flags & HOST_WILDCARD) != 0)
        return goes_on && visit_below(walk, rest, left, is_served);
    return goes_on && visit_below(walk, octets, host->length, false);
}

/* Visits FRONT.APP.app.localspace; an empty front means APP.app itself. */
static bool visit_discovery(struct name_walk *walk, const char *front)
{
    char octets[TEXT_MOST] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    text_add_string(&text, front);
    text_add_string(&text, front[0] == '\0' ? "" : ".");
    text_add(&text, segment_text(walk->segment, walk->app->name), walk->app->name_length);
    text_add_string(&text, ".app.");
    text_add_string(&text, walk->snapshot->policy.suffixes.discovery);
    return !name_from_text(octets, &walk->at.name) || visit(walk, true);
}

static bool visit_address(struct name_walk *walk, uint32_t address, bool is_ours)
{
    char octets[TEXT_MOST] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    for (unsigned i = 0; i < 4; i++) {
        text_add_number(&text, address >> 8 * i & 255);
        text_add_string(&text, ".");
    }
    text_add_string(&text, "in-addr.arpa");
    /* Spaces with listen addresses of their own may have the same address. */
    walk->at.owner = NULL;
    walk->at.is_ours = is_ours;
    return !name_from_text(octets, &walk->at.name) || walk->on_name(walk->context, &walk->at);
}

static bool visit_dyno(struct name_walk *walk, const struct dyno_entry *dyno, const char *type)
{
    char front[TEXT_MOST] = "";
    struct text text = text_over(front, sizeof front - 1);

    text_add_number(&text, dyno->number);
    text_add_string(&text, ".");
    text_add_string(&text, type);
    bool is_inside = cidr_contains(walk->segment->cidr, dyno->ip);
    return visit_discovery(walk, front) && visit_address(walk, dyno->ip, is_inside);
}

static bool visit_port(struct name_walk *walk, const struct port_entry *port, const char *type)
{
    char front[TEXT_MOST] = "_";
    struct text text = text_over(front + 1, sizeof front - 2);

    text_add(&text, segment_text(walk->segment, port->name), port->name_length);
    text_add_string(&text, port->udp ? "._udp." : "._tcp.");
    text_add_string(&text, type);
    return visit_discovery(walk, front);
}

static bool visit_formation(struct name_walk *walk, const struct formation_entry *formation)
{
    const struct segment *segment = walk->segment;
    char type[LABEL_MAX_OCTETS + 1] = "";
    bool goes_on = true;

    if (formation->type_length == 0)
        return true;
    memcpy(type, segment_text(segment, formation->type), formation->type_length);
    goes_on = visit_discovery(walk, type);
    for (uint32_t i = 0; i < formation->dyno_count && i < DYNOS_MOST && goes_on; i++)
        goes_on = visit_dyno(walk, &segment->dynos[formation->dynos + i], type);
    for (uint32_t i = 0; i < formation->port_count && goes_on; i++)
        goes_on = visit_port(walk, &segment->ports[formation->ports + i], type);
    return goes_on;
}

static bool visit_app(struct name_walk *walk)
{
    const struct segment *segment = walk->segment;
    const struct app_entry *app = walk->app;
    const struct name *suffix = &walk->snapshot->index.apps_suffix;
    bool is_internal = (app->flags & APP_INTERNAL) != 0;
    bool goes_on = true;

    if (name_join(&walk->at.name, segment_text(segment, app->name), app->name_length,
                  suffix->octets, suffix->length))
        goes_on = visit(walk, is_internal && (app->flags & APP_PLAIN_DOMAIN) != 0);
    for (unsigned i = 0; i < app->host_count && goes_on; i++)
        goes_on = visit_host(walk, &segment->hosts[app->hosts + i], is_internal);
    goes_on = goes_on && visit_discovery(walk, "") && visit_discovery(walk, "_dynos") &&
              visit_discovery(walk, examples[0]);
    for (unsigned i = 0; i < app->formation_count && goes_on; i++)
        goes_on = visit_formation(walk, &segment->formations[app->formations + i]);
    return goes_on;
}

static bool visit_router(struct name_walk *walk, size_t number)
{
    char octets[TEXT_MOST] = "router-";
    struct text text = text_over(octets + 7, sizeof octets - 8);

    text_add_number(&text, number + 1);
    text_add_string(&text, ".");
    text_add_string(&text, walk->segment->name);
    text_add_string(&text, ".space.");
    text_add_string(&text, walk->snapshot->policy.suffixes.discovery);
    if (name_from_text(octets, &walk->at.name) && !visit(walk, true))
        return false;
    return visit_address(walk, walk->segment->routers[number].ip, true);
}

static bool visit_segment(struct name_walk *walk)
{
    const struct segment *segment = walk->segment;
    bool goes_on = visit_address(walk, cidr_first(segment->cidr), true) &&
                   visit_address(walk, cidr_last(segment->cidr), true) &&
                   visit_address(walk, cidr_first(segment->cidr) - 1, false) &&
                   visit_address(walk, cidr_last(segment->cidr) + 1, false);

    for (size_t i = 0; i < segment->app_count && goes_on; i++) {
        walk->app = &segment->apps[i];
        goes_on = visit_app(walk);
    }
    for (size_t i = 0; i < segment->host_count && goes_on; i++)
        if (segment->hosts[i].kind == HOST_RECORDS)
            goes_on = visit_host(walk, &segment->hosts[i], true);
    for (size_t i = 0; i < segment->router_count && goes_on; i++)
        goes_on = visit_router(walk, i);
    return goes_on;
}

/* Visits names without owner, below the discovery suffix and elsewhere. */
static bool visit_common(struct name_walk *walk)
{
    static const char *const fronts[] = {"_whoami.", "_apps.", "version.",  "upcheck.",
                                         "app.",     "space.", "zz-proof.", ""};
    static const char *const others[] = {
        "www.example.org", "_why.www.example.org",   ".",        "localhost",
        "printer.local",   "1.2.0.192.in-addr.arpa", "id.server"};
    bool goes_on = true;

    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0] && goes_on; i++) {
        char octets[TEXT_MOST] = "";
        struct text text = text_over(octets, sizeof octets - 1);
        text_add_string(&text, fronts[i]);
        text_add_string(&text, walk->snapshot->policy.suffixes.discovery);
        walk->at.is_ours = true;
        if (name_from_text(octets, &walk->at.name))
            goes_on = walk->on_name(walk->context, &walk->at);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0] && goes_on; i++)
        if (name_from_text(others[i], &walk->at.name))
            goes_on = visit(walk, false);
    return goes_on;
}

bool proof_walk(const struct snapshot *snapshot, proof_on_name *on_name, void *context)
{
    struct name_walk walk = {.snapshot = snapshot, .on_name = on_name, .context = context};
    bool goes_on = visit_common(&walk);

    for (size_t i = 0; i < snapshot->segment_count && goes_on; i++) {
        walk.segment = snapshot->segments[i];
        walk.at.number = i;
        if (walk.segment != NULL)
            goes_on = visit_segment(&walk);
    }
    return goes_on;
}
