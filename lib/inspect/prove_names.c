#include "inspect/prove_names.h"

#include <string.h>

#include "base/text.h"
#include "decide/names.h"
#include "inspect/space_names.h"
#include "wire/types.h"

enum { LABEL_EXAMPLES = 2, DYNOS_MOST = 4, TEXT_MOST = 1024 };

static const char *const examples[LABEL_EXAMPLES] = {"zz-proof", "_zz-proof"};

static const struct {
    enum name_parent parent;
    const char *label;
} introspection[] = {
#define NAME(symbol, parent, label, type, printer, help) {PARENT_##parent, label},
#include "decide/names.def"
};

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

static bool visit_host(struct name_walk *walk, const struct host *host, bool is_served)
{
    const uint8_t *octets = walk->segment->texts + host->octets;
    bool is_wildcard = (host->flags & HOST_WILDCARD) != 0;
    size_t front = is_wildcard ? 1U + *octets : 0;

    walk->at.is_apex = (host->flags & HOST_APEX) != 0;
    bool goes_on = visit(walk, is_served);
    walk->at.is_apex = false;
    return goes_on &&
           visit_below(walk, octets + front, host->length - front, is_wildcard && is_served);
}

/* Visits the names of names.def below a parent, each by its label. */
static bool visit_introspection(struct name_walk *walk, enum name_parent parent,
                                bool (*visit_label)(struct name_walk *walk, const char *label))
{
    bool goes_on = true;

    for (size_t i = 0; i < sizeof introspection / sizeof introspection[0] && goes_on; i++)
        if (introspection[i].parent == parent)
            goes_on = visit_label(walk, introspection[i].label);
    return goes_on;
}

static bool visit_address(struct name_walk *walk, uint32_t address, bool is_ours)
{
    /* Spaces with listen addresses of their own may have the same address. */
    walk->at.owner = NULL;
    walk->at.is_ours = is_ours;
    return !space_names_reverse(address, &walk->at.name) || walk->on_name(walk->context, &walk->at);
}

/* True when another space has the name of an app or host of this one. */
static bool is_anothers(const struct name_walk *walk, struct index_entry entry)
{
    const struct snapshot *snapshot = walk->snapshot;
    struct index_entry owner;

    entry.segment = (uint16_t)walk->at.number;
    return snapshot->index.waiting != NULL &&
           index_find_owner(&snapshot->index, snapshot->segments, entry, &owner) &&
           owner.segment != entry.segment;
}

static bool is_app_anothers(const struct name_walk *walk, const struct app_entry *app)
{
    return is_anothers(walk, (struct index_entry){.kind = INDEX_APP,
                                                  .number = (uint32_t)(app - walk->segment->apps)});
}

static bool is_host_anothers(const struct name_walk *walk, const struct host *host)
{
    return is_anothers(walk,
                       (struct index_entry){.kind = INDEX_HOST,
                                            .number = (uint32_t)(host - walk->segment->hosts)});
}

static bool visit_declared(void *context, const struct space_name *name)
{
    struct name_walk *walk = context;
    bool is_internal = name->app != NULL && (name->app->flags & APP_INTERNAL) != 0;
    bool is_plain = name->app != NULL && name->type == TYPE_A;
    const struct host *host = name->host;

    walk->at.name = name->name;
    if (name->type == TYPE_PTR)
        return visit_address(walk, name->address,
                             cidr_contains(walk->segment->cidr, name->address));
    if (host != NULL ? is_host_anothers(walk, host)
                     : name->app != NULL && is_app_anothers(walk, name->app))
        return true;
    if (host != NULL)
        return visit_host(
            walk, host, host->kind == HOST_RECORDS || (is_internal && host->kind != HOST_PENDING));
    bool is_discovery = name_is_within(&name->name, &walk->snapshot->discovery_suffix);
    return visit(walk, !is_plain || is_discovery || is_internal);
}

/* Visits FRONT.APP.app.localspace; an empty front means APP.app itself. */
static bool visit_discovery(struct name_walk *walk, const char *front)
{
    return !space_names_discovery(walk->snapshot, walk->segment, walk->app, front,
                                  &walk->at.name) ||
           visit(walk, true);
}

/* Visits names of an app that its zone file does not declare. */
static bool visit_app(struct name_walk *walk)
{
    const struct app_entry *app = walk->app;
    const struct name *suffix = &walk->snapshot->index.apps_suffix;
    bool goes_on = true;

    if ((app->flags & APP_PLAIN_DOMAIN) == 0 &&
        name_join(&walk->at.name, segment_text(walk->segment, app->name), app->name_length,
                  suffix->octets, suffix->length))
        goes_on = visit(walk, false);
    return goes_on && visit_discovery(walk, "") && visit_discovery(walk, examples[0]) &&
           visit_introspection(walk, PARENT_APP, visit_discovery);
}

static bool visit_segment(struct name_walk *walk)
{
    const struct segment *segment = walk->segment;
    if (segment->is_unready && segment->cidr.bits > 16) /* its block is not known */
        return true;
    bool goes_on = visit_address(walk, cidr_first(segment->cidr), true) &&
                   visit_address(walk, cidr_last(segment->cidr), true) &&
                   visit_address(walk, cidr_first(segment->cidr) - 1, false) &&
                   visit_address(walk, cidr_last(segment->cidr) + 1, false) &&
                   space_names_walk(walk->snapshot, segment, DYNOS_MOST, visit_declared, walk);

    for (size_t i = 0; i < segment->app_count && goes_on; i++) {
        walk->app = &segment->apps[i];
        goes_on = is_app_anothers(walk, walk->app) || visit_app(walk);
    }
    return goes_on;
}

/* Visits FRONT below the discovery suffix; an empty front means the suffix itself. */
static bool visit_below_suffix(struct name_walk *walk, const char *front)
{
    char octets[TEXT_MOST] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    text_add_string(&text, front);
    text_add_string(&text, front[0] == '\0' ? "" : ".");
    text_add_string(&text, walk->snapshot->policy.suffixes.discovery);
    walk->at.is_ours = true;
    return !name_from_text(octets, &walk->at.name) || walk->on_name(walk->context, &walk->at);
}

static bool visit_foreign(struct name_walk *walk, const char *name)
{
    return !name_from_text(name, &walk->at.name) || visit(walk, false);
}

static bool visit_before_foreign(struct name_walk *walk, const char *label)
{
    char octets[TEXT_MOST] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    text_add_string(&text, label);
    text_add_string(&text, ".www.example.org");
    return visit_foreign(walk, octets);
}

/* Visits names without owner, below the discovery suffix and elsewhere. */
static bool visit_common(struct name_walk *walk)
{
    static const char *const fronts[] = {"app", "space", "zz-proof", ""};
    static const char *const others[] = {"www.example.org", ".", "localhost", "printer.local",
                                         "1.2.0.192.in-addr.arpa"};
    bool goes_on = visit_introspection(walk, PARENT_SUFFIX, visit_below_suffix);

    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0] && goes_on; i++)
        goes_on = visit_below_suffix(walk, fronts[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0] && goes_on; i++)
        goes_on = visit_foreign(walk, others[i]);
    return goes_on && visit_introspection(walk, PARENT_ANY, visit_before_foreign) &&
           visit_introspection(walk, PARENT_CHAOS, visit_foreign);
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
