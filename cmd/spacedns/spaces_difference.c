#include "spacedns/spaces_difference.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spacedns/spaces_merge.h"

enum { TEXT_OCTETS = 320 };

struct comparing {
    struct arena *arena;
    struct difference *out;
    const char *app;
    bool has_failed;
};

static void add(struct comparing *comparing, size_t *count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Counts a change, and puts the first ones in words. */
static void add(struct comparing *comparing, size_t *count, const char *format, ...)
{
    struct difference *out = comparing->out;
    char text[TEXT_OCTETS];
    va_list arguments;

    (*count)++;
    if (out->text_count == DIFFERENCE_TEXTS_MOST)
        return;
    int length = snprintf(text, sizeof text, "%.64s: ", comparing->app);
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    const char *kept = arena_text(comparing->arena, text, strlen(text));
    comparing->has_failed = comparing->has_failed || kept == NULL;
    if (kept != NULL)
        out->texts[out->text_count++] = kept;
}

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* ---- domains ---- */

static void compare_domains(struct comparing *comparing, const struct app *after,
                            const struct app *before)
{
    struct difference *out = comparing->out;

    for (size_t i = 0; i < after->domain_count; i++) {
        const struct domain *domain = &after->domains[i];
        const struct domain *old = topology_find_domain(before, domain);
        const char *star = domain->is_wildcard ? "*." : "";
        if (old == NULL)
            add(comparing, &out->domains_new, "domain %s%.200s is new", star,
                domain->hostname.text);
        else if (!is_same_text(domain->cname.text, old->cname.text))
            add(comparing, &out->others, "domain %s%.200s has another DNS target", star,
                domain->hostname.text);
    }
    for (size_t i = 0; i < before->domain_count; i++)
        if (topology_find_domain(after, &before->domains[i]) == NULL)
            add(comparing, &out->domains_gone, "domain %s%.200s is gone",
                before->domains[i].is_wildcard ? "*." : "", before->domains[i].hostname.text);
}

/* ---- dynos ---- */

static const struct dyno *find_dyno(const struct formation *formation, uint32_t number)
{
    for (size_t i = 0; formation != NULL && i < formation->dyno_count; i++)
        if (formation->dynos[i].number == number)
            return &formation->dynos[i];
    return NULL;
}

static const struct formation *find_formation(const struct app *app, const char *type)
{
    for (size_t i = 0; i < app->formation_count; i++)
        if (strcmp(app->formations[i].type.text, type) == 0)
            return &app->formations[i];
    return NULL;
}

static void compare_dyno(struct comparing *comparing, const char *type, const struct dyno *dyno,
                         const struct dyno *old)
{
    struct difference *out = comparing->out;
    char address[CIDR_TEXT_MAX];

    ipv4_write(dyno->ip, address);
    if (old == NULL)
        add(comparing, &out->dynos_new, "%.128s.%u %s is new", type, dyno->number, address);
    else if (old->ip != dyno->ip)
        add(comparing, &out->others, "%.128s.%u has the address %s", type, dyno->number, address);
    else if (old->state != dyno->state)
        add(comparing, &out->others, "%.128s.%u is %s", type, dyno->number,
            dyno_state_text(dyno->state));
}

static void compare_formation(struct comparing *comparing, const struct formation *after,
                              const struct formation *before)
{
    const char *type = after->type.text;

    if (before == NULL)
        add(comparing, &comparing->out->others, "process type %.128s is new", type);
    for (size_t i = 0; i < after->dyno_count; i++)
        compare_dyno(comparing, type, &after->dynos[i], find_dyno(before, after->dynos[i].number));
    for (size_t i = 0; before != NULL && i < before->dyno_count; i++)
        if (find_dyno(after, before->dynos[i].number) == NULL)
            add(comparing, &comparing->out->dynos_gone, "%.128s.%u is gone", type,
                before->dynos[i].number);
}

static void compare_formations(struct comparing *comparing, const struct app *after,
                               const struct app *before)
{
    for (size_t i = 0; i < after->formation_count; i++)
        compare_formation(comparing, &after->formations[i],
                          find_formation(before, after->formations[i].type.text));
    for (size_t i = 0; i < before->formation_count; i++)
        if (find_formation(after, before->formations[i].type.text) == NULL)
            add(comparing, &comparing->out->others, "process type %.128s is gone",
                before->formations[i].type.text);
}

/* ---- apps ---- */

static void compare_app(struct comparing *comparing, const struct app *after,
                        const struct app *before)
{
    struct difference *out = comparing->out;

    if (strcmp(after->name.text, before->name.text) != 0)
        add(comparing, &out->others, "was renamed, from %.64s", before->name.text);
    if (!is_same_text(after->id.text, before->id.text))
        add(comparing, &out->others, "has the id %.40s",
            after->id.text == NULL ? "of none" : after->id.text);
    if (!is_same_text(after->default_domain.text, before->default_domain.text))
        add(comparing, &out->others, "has the default domain %.128s",
            after->default_domain.text == NULL ? "of its name" : after->default_domain.text);
    compare_domains(comparing, after, before);
    compare_formations(comparing, after, before);
}

static void compare_lost(struct comparing *comparing, const struct app *before,
                         const struct app *after)
{
    struct difference *out = comparing->out;
    bool had_web = app_has_running_web(before);

    comparing->app = before->name.text;
    out->internal_count += before->internal_routing;
    out->web_count += had_web;
    out->web_lost += had_web && (after == NULL || !app_has_running_web(after));
    if (after != NULL)
        return;
    add(comparing, &out->apps_gone, "the app is gone");
    if (!before->internal_routing)
        return;
    if (out->internal_gone_count++ == 0)
        out->internal_gone = before->name.text;
}

bool difference_find(struct arena *arena, const struct topology *after, const struct space *before,
                     struct difference *out)
{
    struct comparing comparing = {.arena = arena, .out = out};

    *out = (struct difference){.apps_new = 0};
    for (size_t i = 0; i < before->app_count; i++) {
        const struct app *app = &before->apps[i];
        compare_lost(&comparing, app, topology_find_app(after->apps, after->app_count, app));
    }
    for (size_t i = 0; i < after->app_count; i++) {
        const struct app *app = &after->apps[i];
        const struct app *old = topology_find_app(before->apps, before->app_count, app);
        comparing.app = app->name.text;
        if (old == NULL)
            add(&comparing, &out->apps_new, "the app is new");
        else
            compare_app(&comparing, app, old);
    }
    return !comparing.has_failed;
}

bool difference_is_none(const struct difference *difference)
{
    return difference->apps_new + difference->apps_gone + difference->domains_new +
               difference->domains_gone + difference->dynos_new + difference->dynos_gone +
               difference->others ==
           0;
}

bool difference_judge(const struct difference *difference, struct err *err)
{
    const char *gone = difference->internal_gone;

    if (gone != NULL)
        return err_set(err, ERR_RULE,
                       "the topology lacks %zu of the %zu internal apps, such as %s; nothing was "
                       "changed; if that app is meant to go, run spacedns apps:destroy %s "
                       "--confirm %s; if all are, add --once --force",
                       difference->internal_gone_count, difference->internal_count, gone, gone,
                       gone);
    if (difference->web_lost >= DIFFERENCE_WEB_LEAST &&
        difference->web_lost * 100 > difference->web_count * DIFFERENCE_WEB_PERCENT)
        return err_set(err, ERR_RULE,
                       "in the topology %zu of the %zu apps with a running web dyno have none, at "
                       "once; nothing was changed; fetch it again, or if they are meant to stop, "
                       "add --once --force",
                       difference->web_lost, difference->web_count);
    return true;
}
