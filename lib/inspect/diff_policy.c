#include "inspect/diff_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/client.h"

enum { VALUE_OCTETS = 1024, ROUTE_KEY_OCTETS = 4 * NAME_MAX_OCTETS + 16 };

/* ---- differing values ---- */

static bool add(struct arena *arena, struct policy_changes *changes,
                const struct policy_change *change)
{
    struct policy_change *grown =
        arena_grow(arena, changes->items, changes->count, &changes->capacity, sizeof *grown);

    if (grown == NULL)
        return false;
    changes->items = grown;
    struct policy_change *kept = &grown[changes->count];
    *kept = *change;
    kept->before = arena_text(arena, change->before, strlen(change->before));
    kept->after = arena_text(arena, change->after, strlen(change->after));
    if (change->space != NULL)
        kept->space = arena_text(arena, change->space, strlen(change->space));
    if (kept->before == NULL || kept->after == NULL ||
        (change->space != NULL && kept->space == NULL))
        return false;
    changes->count++;
    return true;
}

/* A value as zero-terminated text. */
struct value {
    char octets[VALUE_OCTETS];
};

static struct text begin(struct value *value)
{
    memset(value->octets, 0, sizeof value->octets);
    return text_over(value->octets, sizeof value->octets - 1);
}

static bool add_differing(struct arena *arena, struct policy_changes *changes, const char *space,
                          const char *key, const struct value values[2])
{
    return strcmp(values[0].octets, values[1].octets) == 0 ||
           add(arena, changes,
               &(struct policy_change){.space = space,
                                       .key = key,
                                       .before = values[0].octets,
                                       .after = values[1].octets});
}

/* ---- settings ---- */

typedef void write_policy(const struct policy *policy, struct text *text);

static void write_external(const struct policy *policy, struct text *text)
{
    text_add_string(text, policy->external_nxdomain ? "nxdomain" : "refuse");
}

static void write_classes(unsigned classes, struct text *text)
{
    for (unsigned class = CLIENT_SPACE; class < CLIENT_EXTERNAL; class ++)
        if ((classes >> class & 1) != 0) {
            text_add_string(text, text->next == text->start ? "" : ",");
            text_add_string(text, class_text(class));
        }
}

static void write_localspace_to(const struct policy *policy, struct text *text)
{
    write_classes(policy->localspace_to, text);
}

static void write_local_as(const struct policy *policy, struct text *text)
{
    for (size_t i = 0; i < policy->local.space_count; i++) {
        text_add_string(text, i == 0 ? "" : ",");
        text_add_string(text, policy->local.spaces[i]);
    }
}

static void write_server_id(const struct policy *policy, struct text *text)
{
    text_add_string(text, policy->server_id == NULL ? "" : policy->server_id);
}

static void write_external_rate(const struct policy *policy, struct text *text)
{
    text_add_number(text, policy->external_rate);
}

static void write_external_slip(const struct policy *policy, struct text *text)
{
    text_add_number(text, policy->external_slip);
}

static void write_client_rate(const struct policy *policy, struct text *text)
{
    text_add_number(text, policy->client_rate);
}

static const struct {
    const char *key;
    write_policy *write;
} policy_values[] = {
    {"external", write_external},           {"localspace_to", write_localspace_to},
    {"local_as", write_local_as},           {"server_id", write_server_id},
    {"external_rate", write_external_rate}, {"external_slip", write_external_slip},
    {"client_rate", write_client_rate},
};

/* As text of any length: a class may have many suffixes. Returns NULL if memory runs out. */
static char *recursion_text(const struct recursion *recursion, unsigned class)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return NULL;
    if (class < RECURSION_CLASSES)
        recursion_print_class(recursion, class, out);
    else
        recursion_print(recursion, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* Compares what one class may ask for; with RECURSION_CLASSES, all classes in one line. */
static bool compare_class(const struct recursion *before, const struct recursion *after,
                          unsigned class, const char *key, struct arena *arena,
                          struct policy_changes *changes)
{
    struct policy_change change = {.key = key};
    char *old = recursion_text(before, class), *new = recursion_text(after, class);
    bool done = old != NULL && new != NULL;

    if (done && strcmp(old, new) != 0) {
        change.before = old;
        change.after = new;
        done = add(arena, changes, &change);
    }
    free(old);
    free(new);
    return done;
}

/* By class as soon as one has suffixes, so that the line shows who gains or loses which. */
static bool compare_recursion(const struct recursion *before, const struct recursion *after,
                              struct arena *arena, struct policy_changes *changes)
{
    static const char *const keys[RECURSION_CLASSES] = {
        "recursion_for.space", "recursion_for.peered", "recursion_for.vpn"};
    bool done = true;

    if (before->count == 0 && after->count == 0)
        return compare_class(before, after, RECURSION_CLASSES, "recursion_for", arena, changes);
    for (unsigned class = 0; class < RECURSION_CLASSES; class ++)
        done = done && compare_class(before, after, class, keys[class], arena, changes);
    return done;
}

/* Returns the route of the zone, or NULL. */
static const struct route *find_route(const struct routes *routes, const struct name *zone)
{
    for (size_t i = 0; i < routes->count; i++)
        if (name_equals(zone, routes->items[i].zone.octets, routes->items[i].zone.length))
            return &routes->items[i];
    return NULL;
}

static void write_route(const struct route *route, struct value *value)
{
    struct text text = begin(value);

    text_add_string(&text, route == NULL ? "none" : route->upstreams);
    if (route != NULL && route->allow_rebind)
        text_add_string(&text, ", allow_rebind");
}

static bool compare_route(const struct route *before, const struct route *after,
                          struct arena *arena, struct policy_changes *changes)
{
    const struct route *route = before != NULL ? before : after;
    char octets[ROUTE_KEY_OCTETS] = "";
    struct text key = text_over(octets, sizeof octets - 1);
    struct value values[2];

    if (route->zone.label_count == 0) {
        text_add_string(&key, "upstreams");
    } else {
        text_add_string(&key, "upstreams of ");
        name_add(&key, route->zone.octets);
    }
    write_route(before, &values[0]);
    write_route(after, &values[1]);
    const char *kept = arena_text(arena, octets, text_length(&key));
    return kept != NULL && add_differing(arena, changes, NULL, kept, values);
}

static bool compare_routes(const struct routes *before, const struct routes *after,
                           struct arena *arena, struct policy_changes *changes)
{
    bool done = true;

    for (size_t i = 0; i < before->count; i++)
        done = done && compare_route(&before->items[i], find_route(after, &before->items[i].zone),
                                     arena, changes);
    for (size_t i = 0; i < after->count; i++)
        if (find_route(before, &after->items[i].zone) == NULL)
            done = done && compare_route(NULL, &after->items[i], arena, changes);
    return done;
}

bool policy_compare(const struct policy *before, const struct policy *after, struct arena *arena,
                    struct policy_changes *changes)
{
    bool done = true;

    for (size_t i = 0; i < sizeof policy_values / sizeof policy_values[0]; i++) {
        struct value values[2];
        struct text old = begin(&values[0]), new = begin(&values[1]);
        policy_values[i].write(before, &old);
        policy_values[i].write(after, &new);
        done = done && add_differing(arena, changes, NULL, policy_values[i].key, values);
    }
    done = done && compare_recursion(&before->recursion_for, &after->recursion_for, arena, changes);
    return done && compare_routes(&before->routes, &after->routes, arena, changes);
}

/* ---- TTLs and affinity ---- */

static bool compare_ttl(const struct segment *space, const char *key, uint32_t before,
                        uint32_t after, struct arena *arena, struct policy_changes *changes)
{
    struct value values[2];
    struct text old = begin(&values[0]), new = begin(&values[1]);

    text_add_number(&old, before);
    text_add_number(&new, after);
    return add_differing(arena, changes, space->name, key, values);
}

static bool compare_affinity(const struct segment *before, const struct segment *after,
                             struct arena *arena, struct policy_changes *changes)
{
    struct value values[2];
    struct text old = begin(&values[0]), new = begin(&values[1]);

    text_add_string(&old, affinity_text(before->affinity));
    text_add_string(&new, affinity_text(after->affinity));
    return add_differing(arena, changes, before->name, "affinity", values);
}

bool space_settings_compare(const struct segment *before, const struct segment *after,
                            struct arena *arena, struct policy_changes *changes)
{
    return compare_affinity(before, after, arena, changes) &&
           compare_ttl(before, "ttl.router", before->router_ttl_seconds, after->router_ttl_seconds,
                       arena, changes) &&
           compare_ttl(before, "ttl.dyno", before->dyno_ttl_seconds, after->dyno_ttl_seconds, arena,
                       changes) &&
           compare_ttl(before, "ttl.negative", before->negative_ttl_seconds,
                       after->negative_ttl_seconds, arena, changes);
}

void setting_change_format(const struct policy_change *change, struct text *text)
{
    text_add_string(text, "~ ");
    text_add_string(text, change->key);
    text_add_string(text, ": ");
    text_add_string(text, change->before[0] == '\0' ? "nothing" : change->before);
    text_add_string(text, " -> ");
    text_add_string(text, change->after[0] == '\0' ? "nothing" : change->after);
}

/* ---- changes that no address shows ---- */

static bool has_other_dynos(const struct segment *a, const struct segment *b)
{
    if (a->dyno_count != b->dyno_count)
        return true;
    for (size_t i = 0; i < a->dyno_count; i++)
        if (a->dynos[i].ip != b->dynos[i].ip || a->dynos[i].number != b->dynos[i].number ||
            a->dynos[i].state != b->dynos[i].state)
            return true;
    return false;
}

static size_t count_ports(const struct segment *segment)
{
    size_t count = 0;

    for (size_t i = 0; i < segment->formation_count; i++)
        count += segment->formations[i].port_count;
    return count;
}

static bool has_other_ports(const struct segment *a, const struct segment *b)
{
    size_t count = count_ports(a);

    if (count != count_ports(b))
        return true;
    for (size_t i = 0; i < count; i++) {
        const struct port_entry *left = &a->ports[i], *right = &b->ports[i];
        if (left->number != right->number || left->udp != right->udp ||
            left->name_length != right->name_length ||
            memcmp(segment_text(a, left->name), segment_text(b, right->name), left->name_length) !=
                0)
            return true;
    }
    return false;
}

static bool has_other_records(const struct segment *a, const struct segment *b)
{
    if (a->record_count != b->record_count)
        return true;
    for (size_t i = 0; i < a->record_count; i++) {
        const struct record_entry *left = &a->records[i], *right = &b->records[i];
        if (left->type != right->type || left->ttl_seconds != right->ttl_seconds ||
            left->rdata_length != right->rdata_length ||
            memcmp(segment_text(a, left->rdata), segment_text(b, right->rdata),
                   left->rdata_length) != 0)
            return true;
    }
    return false;
}

static bool has_other_routers(const struct segment *a, const struct segment *b)
{
    if (a->router_count != b->router_count)
        return true;
    for (size_t i = 0; i < a->router_count; i++)
        if (a->routers[i].ip != b->routers[i].ip || a->routers[i].state != b->routers[i].state)
            return true;
    return false;
}

static const char *az_name(const struct segment *segment, uint32_t az)
{
    return az == ENTRY_NONE ? "" : segment->azs[az].name;
}

/* Without affinity no answer depends on the zones. */
static bool has_other_azs(const struct segment *a, const struct segment *b)
{
    if (a->affinity == AFFINITY_NONE && b->affinity == AFFINITY_NONE)
        return false;
    if (a->az_block_count != b->az_block_count)
        return true;
    for (size_t i = 0; i < a->az_block_count; i++) {
        const struct az_block *left = &a->az_blocks[i], *right = &b->az_blocks[i];
        if (left->cidr.address != right->cidr.address || left->cidr.bits != right->cidr.bits ||
            strcmp(az_name(a, left->az), az_name(b, right->az)) != 0)
            return true;
    }
    for (size_t i = 0; i < a->router_count && i < b->router_count; i++)
        if (strcmp(az_name(a, a->routers[i].az), az_name(b, b->routers[i].az)) != 0)
            return true;
    return false;
}

static bool has_other_routes(const struct segment *a, const struct segment *b)
{
    if (a->connection_count != b->connection_count)
        return true;
    for (size_t i = 0; i < a->connection_count; i++)
        if (a->connections[i].misses_router != b->connections[i].misses_router)
            return true;
    return false;
}

static bool has_other_apps(const struct segment *a, const struct segment *b)
{
    if (a->app_count != b->app_count || a->formation_count != b->formation_count ||
        a->host_count != b->host_count)
        return true;
    for (size_t i = 0; i < a->app_count; i++)
        if (a->apps[i].flags != b->apps[i].flags || a->apps[i].web_count != b->apps[i].web_count ||
            a->apps[i].name_length != b->apps[i].name_length ||
            memcmp(segment_text(a, a->apps[i].name), segment_text(b, b->apps[i].name),
                   a->apps[i].name_length) != 0)
            return true;
    return false;
}

static const struct {
    bool (*differs)(const struct segment *a, const struct segment *b);
    const char *kind;
} others[] = {
    {has_other_apps, "apps and domains that answer nothing inside"},
    {has_other_dynos, "names of single dynos (A, PTR)"},
    {has_other_ports, "ports (SRV)"},
    {has_other_records, "static records that are no addresses, or their TTLs"},
    {has_other_routers, "names of routers (A, PTR)"},
    {has_other_azs, "addresses by availability zone (affinity)"},
    {has_other_routes, "notes on routes of peerings (Q40)"},
};

size_t others_compare(const struct segment *before, const struct segment *after,
                      const char *kinds[DIFF_OTHERS_MOST])
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof others / sizeof others[0] && count < DIFF_OTHERS_MOST; i++)
        if (others[i].differs(before, after))
            kinds[count++] = others[i].kind;
    return count;
}
