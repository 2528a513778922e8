#include "spacedns/snippet_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/client.h"
#include "wire/domain.h"

enum { NAME_TEXT_MAX = 1024, CLASSES_FROM_OUTSIDE = 1U << CLIENT_PEERED | 1U << CLIENT_VPN };

/* ---- lists of names ---- */

static void add_copy(struct snippet_rules *rules, struct name_list *names, const char *name)
{
    const char **items =
        arena_grow(rules->arena, names->items, names->count, &names->capacity, sizeof *items);
    const char *copy = arena_text(rules->arena, name, strlen(name));

    rules->lacks_memory |= items == NULL || copy == NULL;
    if (rules->lacks_memory)
        return;
    names->items = items;
    names->items[names->count++] = copy;
}

/* Names go into other programs' files; one that would need quoting there is left out. */
static bool is_plain(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static void add_name(struct snippet_rules *rules, struct name_list *names, const char *name)
{
    if (is_plain(name))
        add_copy(rules, names, name);
    else
        rules->skipped++;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, and removes duplicates: a wildcard's parent may be a domain too. */
static void sort_names(struct name_list *names)
{
    size_t kept = 0;

    if (names->count > 0)
        qsort(names->items, names->count, sizeof names->items[0], compare_names);
    for (size_t i = 0; i < names->count; i++)
        if (kept == 0 || strcmp(names->items[kept - 1], names->items[i]) != 0)
            names->items[kept++] = names->items[i];
    names->count = kept;
}

static bool is_below_one(const struct name_list *suffixes, const char *name)
{
    for (size_t i = 0; i < suffixes->count; i++)
        if (domain_is_within(name, suffixes->items[i]))
            return true;
    return false;
}

/* Adds a suffix unless one of the list holds it; removes those that it holds. */
static void add_suffix(struct snippet_rules *rules, struct name_list *suffixes, const char *suffix)
{
    size_t kept = 0;

    if (is_below_one(suffixes, suffix))
        return;
    for (size_t i = 0; i < suffixes->count; i++)
        if (!domain_is_within(suffixes->items[i], suffix))
            suffixes->items[kept++] = suffixes->items[i];
    suffixes->count = kept;
    add_name(rules, suffixes, suffix);
}

/* ---- the names of the space ---- */

static void add_host(struct snippet_rules *rules, const struct host *host, struct name_list *names)
{
    const struct segment *segment = rules->segment;
    char buffer[NAME_TEXT_MAX];
    struct text text = text_over(buffer, sizeof buffer - 1);
    bool is_app =
        host->kind == HOST_DEFAULT || host->kind == HOST_DOMAIN || host->kind == HOST_TARGET;

    if (host->kind == HOST_PENDING ||
        (is_app && (segment->apps[host->owner].flags & APP_INTERNAL) == 0))
        return;
    name_add(&text, segment->texts + host->octets);
    *text.next = '\0';
    bool is_apex = host->kind == HOST_DOMAIN && (host->flags & HOST_APEX) != 0;
    bool is_wildcard = (host->flags & HOST_WILDCARD) != 0;
    add_name(rules, is_apex ? &rules->apexes : names, is_wildcard ? buffer + strlen("*.") : buffer);
}

static void gather_names(struct snippet_rules *rules, struct name_list *names)
{
    const struct segment *segment = rules->segment;
    char name[NAME_TEXT_MAX];

    for (size_t i = 0; i < segment->app_count; i++) {
        const struct app_entry *app = &segment->apps[i];
        unsigned wanted = APP_INTERNAL | APP_PLAIN_DOMAIN;
        snprintf(name, sizeof name, "%.*s.%s", app->name_length,
                 (const char *)segment->texts + app->name, rules->policy->suffixes.apps);
        if ((app->flags & wanted) == wanted)
            add_name(rules, names, name);
    }
    for (size_t i = 0; i < segment->host_count; i++)
        add_host(rules, &segment->hosts[i], names);
    sort_names(names);
    sort_names(&rules->apexes);
}

/* ---- what the clients may ask for ---- */

static unsigned classes_of_connections(const struct segment *segment)
{
    unsigned classes = 0;

    for (size_t i = 0; i < segment->connection_count; i++)
        if (segment->connections[i].grants)
            classes |= 1U << (segment->connections[i].kind == CONNECTION_PEERING ? CLIENT_PEERED
                                                                                 : CLIENT_VPN);
    return classes == 0 ? CLASSES_FROM_OUTSIDE : classes;
}

static bool class_may_ask(const struct recursion *recursion, unsigned class, const char *name)
{
    for (size_t i = 0; i < recursion->count; i++)
        if (recursion->suffixes[i].class == class &&
            domain_is_within(name, recursion->suffixes[i].text))
            return true;
    return (recursion->all >> class & 1) != 0;
}

/* True when each of the classes may ask for every name at and below this one. */
static bool may_ask(const struct snippet_rules *rules, const char *name)
{
    for (unsigned class = 0; class < RECURSION_CLASSES; class ++)
        if ((rules->classes >> class & 1) != 0 &&
            !class_may_ask(&rules->policy->recursion_for, class, name))
            return false;
    return rules->policy->routes.count > 0;
}

/* ---- suffixes ---- */

/* True for co.uk, com.au and the like, where others register names. */
static bool is_registry(const char *domain)
{
    const char *dot = strchr(domain, '.');

    return dot == NULL || (strchr(dot + 1, '.') == NULL && dot - domain <= 3 && strlen(dot) == 3);
}

/* The domain in which other names like this one would be: that above it, or itself. */
static const char *domain_above(const char *name, bool is_apex)
{
    bool is_service = name[0] == '_';

    for (const char *dot; name[0] == '_' && (dot = strchr(name, '.')) != NULL;)
        name = dot + 1;
    const char *dot = strchr(name, '.');
    return is_apex || is_service || dot == NULL || is_registry(dot + 1) ? name : dot + 1;
}

static void suggest_suffix(struct snippet_rules *rules, struct name_list *suffixes,
                           const char *name, bool is_apex)
{
    const struct suffixes *own = &rules->policy->suffixes;
    const char *const platforms[] = {own->apps, own->targets[0], own->targets[1]};

    for (size_t i = 0; i < sizeof platforms / sizeof platforms[0]; i++)
        if (domain_is_within(name, platforms[i])) {
            add_suffix(rules, suffixes, platforms[i]);
            return;
        }
    add_suffix(rules, suffixes, domain_above(name, is_apex));
}

/* Suffixes below which all names of the space, and others like them, are. */
static void suggest_suffixes(struct snippet_rules *rules, const struct name_list *names,
                             struct name_list *suffixes)
{
    const struct suffixes *own = &rules->policy->suffixes;

    add_suffix(rules, suffixes, own->apps);
    add_suffix(rules, suffixes, own->targets[0]);
    add_suffix(rules, suffixes, own->targets[1]);
    for (size_t i = 0; i < names->count; i++)
        suggest_suffix(rules, suffixes, names->items[i], false);
    for (size_t i = 0; i < rules->apexes.count; i++)
        suggest_suffix(rules, suffixes, rules->apexes.items[i], true);
}

/* Suffixes that each of the classes may ask for. */
static void find_suffixes(struct snippet_rules *rules, const struct name_list *suggested,
                          struct name_list *suffixes)
{
    const struct recursion *recursion = &rules->policy->recursion_for;

    for (size_t i = 0; i < recursion->count; i++)
        if ((rules->classes >> recursion->suffixes[i].class & 1) != 0 &&
            may_ask(rules, recursion->suffixes[i].text))
            add_suffix(rules, suffixes, recursion->suffixes[i].text);
    if ((rules->classes & ~recursion->all) != 0 || rules->policy->routes.count == 0)
        return;
    for (size_t i = 0; i < suggested->count; i++)
        add_suffix(rules, suffixes, suggested->items[i]);
}

/* ---- the setting that would allow suffixes ---- */

static void print_class(const struct snippet_rules *rules, unsigned class,
                        const struct name_list *suggested, FILE *out)
{
    const struct recursion *recursion = &rules->policy->recursion_for;
    struct name_list merged = {.count = 0};
    struct snippet_rules aside = *rules;

    for (size_t i = 0; i < recursion->count; i++)
        if (recursion->suffixes[i].class == class)
            add_suffix(&aside, &merged, recursion->suffixes[i].text);
    for (size_t i = 0; i < suggested->count; i++)
        add_suffix(&aside, &merged, suggested->items[i]);
    if (merged.count > RECURSION_SUFFIXES_MOST / 2) { /* there is room for two such classes */
        fputs("all", out);
        return;
    }
    for (size_t i = 0; i < merged.count; i++)
        fprintf(out, "%s%s", i == 0 ? "[" : ", ", merged.items[i]);
    fputs("]", out);
}

static void print_setting(const struct snippet_rules *rules, const struct name_list *suggested,
                          FILE *out)
{
    const struct recursion *recursion = &rules->policy->recursion_for;
    const struct name_list none = {.count = 0};
    const char *separator = "";

    fputs(rules->policy->routes.count == 0 ? "upstreams, and " : "", out);
    fputs("recursion_for: {", out);
    for (unsigned class = 0; class < RECURSION_CLASSES; class ++) {
        bool is_wanted = (rules->classes >> class & 1) != 0;
        bool is_all = (recursion->all >> class & 1) != 0;
        if (!is_wanted && (recursion_classes(recursion) >> class & 1) == 0)
            continue;
        fprintf(out, "%s%s: ", separator, recursion_class_names[class]);
        if (is_all)
            fputs("all", out);
        else
            print_class(rules, class, is_wanted ? suggested : &none, out);
        separator = ", ";
    }
    fputs("}", out);
}

static void suggest_setting(struct snippet_rules *rules, const struct name_list *suggested)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (out != NULL) {
        print_setting(rules, suggested, out);
        if (fclose(out) == 0)
            rules->setting = arena_text(rules->arena, text, length);
        free(text);
    }
    rules->lacks_memory |= rules->setting == NULL;
}

/* ---- rules ---- */

static bool may_ask_all(const struct snippet_rules *rules, const struct name_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!may_ask(rules, names->items[i]))
            return false;
    return true;
}

/* An apex has a rule where the server answers its other types, and names below it, too. */
static void move_apexes(struct snippet_rules *rules)
{
    struct name_list apexes = rules->apexes;
    size_t kept = 0;

    for (size_t i = 0; i < apexes.count; i++) {
        if (may_ask(rules, apexes.items[i]))
            add_copy(rules, &rules->rules, apexes.items[i]);
        else
            rules->apexes.items[kept++] = apexes.items[i];
    }
    rules->apexes.count = kept;
}

static void add_alone(struct snippet_rules *rules, const struct name_list *suffixes,
                      const struct name_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (is_below_one(suffixes, names->items[i]))
            continue;
        add_copy(rules, &rules->rules, names->items[i]);
        rules->alone += rules->by_suffix;
    }
}

static void name_classes(struct snippet_rules *rules)
{
    static const char *const words[] = {[0] = "no class",
                                        [1U << CLIENT_PEERED] = "peered",
                                        [1U << CLIENT_VPN] = "vpn",
                                        [CLASSES_FROM_OUTSIDE] = "peered and vpn"};

    rules->class_names = words[rules->classes & CLASSES_FROM_OUTSIDE];
    rules->lacks_discovery = (rules->classes & ~rules->policy->localspace_to) != 0;
}

void snippet_find_rules(struct snippet_rules *rules, enum snippet_by by)
{
    struct name_list names = {.count = 0}, suggested = {.count = 0}, suffixes = {.count = 0};

    if (rules->classes == 0)
        rules->classes = classes_of_connections(rules->segment);
    name_classes(rules);
    gather_names(rules, &names);
    suggest_suffixes(rules, &names, &suggested);
    find_suffixes(rules, &suggested, &suffixes);
    bool is_whole =
        suffixes.count > 0 && may_ask_all(rules, &names) && may_ask_all(rules, &rules->apexes);
    rules->by_suffix =
        by == SNIPPET_BY_DEFAULT ? is_whole : by == SNIPPET_BY_SUFFIX && suffixes.count > 0;
    if (!is_whole)
        suggest_setting(rules, &suggested);
    if (!rules->by_suffix)
        suffixes.count = 0;
    move_apexes(rules);
    if (rules->by_suffix) /* what is allowed lies below the suffixes */
        rules->rules = suffixes;
    add_alone(rules, &suffixes, &names);
    add_name(rules, &rules->rules, rules->policy->suffixes.discovery);
    sort_names(&rules->rules);
}
