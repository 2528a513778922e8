#include "spacedns/spaces_merge.h"

#include <string.h>
#include <strings.h>

const struct app *topology_find_app(const struct app *apps, size_t count, const struct app *wanted)
{
    const struct app *named = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct app *app = &apps[i];
        if (app->id.text != NULL && wanted->id.text != NULL &&
            strcasecmp(app->id.text, wanted->id.text) == 0)
            return app;
        if (strcmp(app->name.text, wanted->name.text) == 0)
            named = app;
    }
    return named;
}

const struct domain *topology_find_domain(const struct app *app, const struct domain *wanted)
{
    for (size_t i = 0; i < app->domain_count; i++)
        if (app->domains[i].is_wildcard == wanted->is_wildcard &&
            strcmp(app->domains[i].hostname.text, wanted->hostname.text) == 0)
            return &app->domains[i];
    return NULL;
}

/* The targets as a topology lists them. */
static size_t list_targets(const struct app *app, const char **targets)
{
    size_t count = 0;

    for (size_t i = 0; i < app->domain_count; i++)
        if (app->domains[i].cname.text != NULL)
            targets[count++] = app->domains[i].cname.text;
    return topology_sort_names(targets, count);
}

static bool has_same_domains(const struct app *app, const struct app *before)
{
    if (app->domain_count != before->domain_count)
        return false;
    for (size_t i = 0; i < app->domain_count; i++)
        if (topology_find_domain(before, &app->domains[i]) == NULL)
            return false;
    return true;
}

/* With the same targets, the pairs of the zone file are valid for the topology too. */
static bool has_same_targets(const char *const *targets, size_t count, const char *const *others,
                             size_t other_count)
{
    if (count != other_count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(targets[i], others[i]) != 0)
            return false;
    return true;
}

static bool merge_domains(struct arena *arena, struct topology *topology, struct app *app,
                          const struct app *before)
{
    const char **targets = arena_take(arena, (app->domain_count + 1) * sizeof *targets);
    const char **others = arena_take(arena, (before->domain_count + 1) * sizeof *others);

    if (targets == NULL || others == NULL)
        return false;
    size_t count = list_targets(app, targets);
    bool is_known = has_same_domains(app, before) &&
                    has_same_targets(targets, count, others, list_targets(before, others));
    if (is_known && count > 1)
        topology->guessed_count -= app->domain_count;
    for (size_t i = 0; i < app->domain_count; i++) {
        struct domain *domain = &app->domains[i];
        const struct domain *known = topology_find_domain(before, domain);
        if (known == NULL)
            continue;
        domain->is_alias = known->is_alias;
        domain->is_flat = known->is_flat;
        domain->is_pending = known->is_pending;
        if (is_known)
            domain->cname = known->cname;
    }
    return true;
}

static void merge_ports(struct app *app, const struct app *before)
{
    for (size_t i = 0; i < app->formation_count; i++)
        for (size_t j = 0; j < before->formation_count; j++) {
            const struct formation *known = &before->formations[j];
            if (strcmp(app->formations[i].type.text, known->type.text) != 0)
                continue;
            app->formations[i].ports = known->ports;
            app->formations[i].port_count = known->port_count;
        }
}

bool topology_merge(struct arena *arena, struct topology *topology, const struct space *before)
{
    for (size_t i = 0; i < topology->app_count; i++) {
        struct app *app = &topology->apps[i];
        const struct app *known = topology_find_app(before->apps, before->app_count, app);
        if (known == NULL)
            continue;
        app->internal_routing = known->internal_routing;
        app->acm = known->acm;
        app->maintenance = known->maintenance;
        app->dns_discovery = known->dns_discovery;
        merge_ports(app, known);
        if (!merge_domains(arena, topology, app, known))
            return false;
    }
    return true;
}
