#include "inspect/space_names.h"

#include "base/text.h"
#include "wire/types.h"

enum { TEXT_MOST = 1024 };

struct space_walk {
    const struct snapshot *snapshot;
    const struct segment *segment;
    const struct app_entry *app;
    uint32_t dynos_most;
    space_on_name *on_name;
    void *context;
    struct space_name at;
};

static bool visit(struct space_walk *walk, uint16_t type)
{
    walk->at.type = type;
    walk->at.app = walk->app;
    return walk->on_name(walk->context, &walk->at);
}

bool space_names_discovery(const struct snapshot *snapshot, const struct segment *segment,
                           const struct app_entry *app, const char *front, struct name *out)
{
    char octets[TEXT_MOST] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    text_add_string(&text, front);
    text_add_string(&text, front[0] == '\0' ? "" : ".");
    text_add(&text, segment_text(segment, app->name), app->name_length);
    text_add_string(&text, ".app.");
    text_add_string(&text, snapshot->policy.suffixes.discovery);
    return name_from_text(octets, out);
}

bool space_names_reverse(uint32_t address, struct name *out)
{
    char octets[TEXT_MOST] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    for (unsigned i = 0; i < 4; i++) {
        text_add_number(&text, address >> 8 * i & 255);
        text_add_string(&text, ".");
    }
    text_add_string(&text, "in-addr.arpa");
    return name_from_text(octets, out);
}

static bool visit_host(struct space_walk *walk, const struct host *host, uint16_t type)
{
    const uint8_t *octets = walk->segment->texts + host->octets;

    if (!name_join(&walk->at.name, octets + 1, *octets, octets + 1 + *octets,
                   host->length - 1U - *octets))
        return true;
    walk->at.host = host;
    bool goes_on = visit(walk, type);
    walk->at.host = NULL;
    return goes_on;
}

static bool visit_discovery(struct space_walk *walk, const char *front, uint16_t type)
{
    return !space_names_discovery(walk->snapshot, walk->segment, walk->app, front,
                                  &walk->at.name) ||
           visit(walk, type);
}

static bool visit_address(struct space_walk *walk, uint32_t address)
{
    walk->at.address = address;
    bool goes_on = !space_names_reverse(address, &walk->at.name) || visit(walk, TYPE_PTR);
    walk->at.address = 0;
    return goes_on;
}

static bool visit_dyno(struct space_walk *walk, const struct dyno_entry *dyno, const char *type)
{
    char front[TEXT_MOST] = "";
    struct text text = text_over(front, sizeof front - 1);

    text_add_number(&text, dyno->number);
    text_add_string(&text, ".");
    text_add_string(&text, type);
    return visit_discovery(walk, front, TYPE_A) && visit_address(walk, dyno->ip);
}

static bool visit_port(struct space_walk *walk, const struct port_entry *port, const char *type)
{
    char front[TEXT_MOST] = "_";
    struct text text = text_over(front + 1, sizeof front - 2);

    text_add(&text, segment_text(walk->segment, port->name), port->name_length);
    text_add_string(&text, port->udp ? "._udp." : "._tcp.");
    text_add_string(&text, type);
    return visit_discovery(walk, front, TYPE_SRV);
}

static bool visit_formation(struct space_walk *walk, const struct formation_entry *formation)
{
    const struct segment *segment = walk->segment;
    char type[LABEL_MAX_OCTETS + 1] = "";

    if (formation->type_length == 0)
        return true;
    memcpy(type, segment_type(segment, formation), formation->type_length);
    bool goes_on = visit_discovery(walk, type, TYPE_A);
    for (uint32_t i = 0; i < formation->dyno_count && i < walk->dynos_most && goes_on; i++)
        goes_on = visit_dyno(walk, &segment->dynos[formation->dynos + i], type);
    for (uint32_t i = 0; i < formation->port_count && goes_on; i++)
        goes_on = visit_port(walk, &segment->ports[formation->ports + i], type);
    return goes_on;
}

static bool visit_app(struct space_walk *walk)
{
    const struct segment *segment = walk->segment;
    const struct app_entry *app = walk->app;
    const struct name *suffix = &walk->snapshot->index.apps_suffix;
    bool goes_on = true;

    if ((app->flags & APP_PLAIN_DOMAIN) != 0 &&
        name_join(&walk->at.name, segment_text(segment, app->name), app->name_length,
                  suffix->octets, suffix->length))
        goes_on = visit(walk, TYPE_A);
    for (unsigned i = 0; i < app->host_count && goes_on; i++)
        goes_on = visit_host(walk, &segment->hosts[app->hosts + i], TYPE_A);
    for (unsigned i = 0; i < app->formation_count && goes_on; i++)
        goes_on = visit_formation(walk, &segment->formations[app->formations + i]);
    return goes_on;
}

static bool visit_router(struct space_walk *walk, size_t number)
{
    char octets[TEXT_MOST] = "router-";
    struct text text = text_over(octets + 7, sizeof octets - 8);

    text_add_number(&text, number + 1);
    text_add_string(&text, ".");
    text_add_string(&text, walk->segment->name);
    text_add_string(&text, ".space.");
    text_add_string(&text, walk->snapshot->policy.suffixes.discovery);
    if (name_from_text(octets, &walk->at.name) && !visit(walk, TYPE_A))
        return false;
    return visit_address(walk, walk->segment->routers[number].ip);
}

bool space_names_walk(const struct snapshot *snapshot, const struct segment *segment,
                      uint32_t dynos_most, space_on_name *on_name, void *context)
{
    struct space_walk walk = {.snapshot = snapshot,
                              .segment = segment,
                              .dynos_most = dynos_most,
                              .on_name = on_name,
                              .context = context};
    bool goes_on = true;

    for (size_t i = 0; i < segment->app_count && goes_on; i++) {
        walk.app = &segment->apps[i];
        goes_on = visit_app(&walk);
    }
    walk.app = NULL;
    for (size_t i = 0; i < segment->host_count && goes_on; i++)
        if (segment->hosts[i].kind == HOST_RECORDS)
            goes_on = visit_host(&walk, &segment->hosts[i], 0);
    for (size_t i = 0; i < segment->router_count && goes_on; i++)
        goes_on = visit_router(&walk, i);
    return goes_on;
}
