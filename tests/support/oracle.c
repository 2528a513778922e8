#include "support/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TEXT_MOST = 256,
    TYPE_A = 1,
    TYPE_AAAA = 28,
    TYPE_SVCB = 64,
    TYPE_HTTPS = 65,
    TYPE_ANY = 255
};

static bool equals(const char *absolute, const char *relative)
{
    size_t length = strlen(relative);
    return strlen(absolute) == length + 1 && strncasecmp(absolute, relative, length) == 0;
}

/* True when the name lies below `suffix`, at a label's border. */
static bool is_below(const char *absolute, const char *suffix)
{
    size_t length = strlen(absolute) - 1, tail = strlen(suffix);
    return length > tail && absolute[length - tail - 1] == '.' &&
           strncasecmp(absolute + length - tail, suffix, tail) == 0 &&
           (length < tail + 2 || absolute[length - tail - 2] != '\\');
}

static bool is_served(const struct domain *domain)
{
    return domain->cname.text != NULL && !domain->is_pending;
}

static bool is_default_domain(const struct app *app, const char *name)
{
    char plain[TEXT_MOST];

    snprintf(plain, sizeof plain, "%s.herokuapp.com", app->name.text);
    return equals(name, app->default_domain.text != NULL ? app->default_domain.text : plain);
}

static bool find_exact(const struct app *app, const char *name, struct owner *owner)
{
    owner->app = app;
    owner->domain = NULL;
    if (is_default_domain(app, name))
        return true;
    for (size_t i = 0; i < app->domain_count; i++) {
        const struct domain *domain = &app->domains[i];
        if (!is_served(domain))
            continue;
        if (equals(name, domain->cname.text))
            return true;
        if (!domain->is_wildcard && equals(name, domain->hostname.text)) {
            owner->domain = domain;
            return true;
        }
    }
    return false;
}

/* No label in front of the wildcard's base begins with an underscore. */
static bool is_covered(const char *name, const char *base)
{
    size_t front = strlen(name) - 1 - strlen(base);

    if (!is_below(name, base))
        return false;
    for (size_t i = 0; i < front; i++)
        if (name[i] == '_' && (i == 0 || name[i - 1] == '.'))
            return false;
    return true;
}

static void find_wildcard(const struct app *app, const char *name, struct owner *owner)
{
    for (size_t i = 0; i < app->domain_count; i++) {
        const struct domain *domain = &app->domains[i];
        const char *base = domain->hostname.text;
        bool is_closer =
            owner->domain == NULL || strlen(base) > strlen(owner->domain->hostname.text);
        if (is_served(domain) && domain->is_wildcard && is_closer && is_covered(name, base)) {
            owner->app = app;
            owner->domain = domain;
            owner->is_wildcard = true;
        }
    }
}

bool oracle_find_owner(const struct space *const *spaces, size_t count, const char *name,
                       struct owner *owner)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < spaces[i]->app_count; j++) {
            *owner = (struct owner){.space = spaces[i]};
            if (find_exact(&spaces[i]->apps[j], name, owner))
                return true;
        }
    }
    *owner = (struct owner){.space = NULL};
    for (size_t i = 0; i < count; i++) {
        const struct domain *before = owner->domain;
        for (size_t j = 0; j < spaces[i]->app_count; j++)
            find_wildcard(&spaces[i]->apps[j], name, owner);
        if (owner->domain != before)
            owner->space = spaces[i];
    }
    return owner->space != NULL;
}

bool oracle_owns_type(const struct owner *owner, uint16_t type)
{
    const struct domain *domain = owner->domain;

    if (domain == NULL)
        return true;
    const char *dot = strchr(domain->hostname.text, '.');
    bool has_two_labels = dot != NULL && strchr(dot + 1, '.') == NULL && !domain->is_wildcard;
    if (!domain->is_alias && !has_two_labels)
        return true;
    return type == TYPE_A || type == TYPE_AAAA || type == TYPE_HTTPS || type == TYPE_SVCB ||
           type == TYPE_ANY;
}

static bool holds(const struct blocks *blocks, uint32_t address)
{
    for (size_t i = 0; i < blocks->count; i++)
        if (cidr_contains(blocks->items[i].cidr, address))
            return true;
    return false;
}

static bool is_vpn_up(const struct vpn *vpn)
{
    bool is_up = vpn->tunnel_count == 0;

    for (size_t i = 0; i < vpn->tunnel_count; i++)
        is_up = is_up || vpn->tunnels[i].is_up;
    return is_up && vpn->status == VPN_ACTIVE;
}

bool oracle_is_dyno(const struct space *space, uint32_t address)
{
    return cidr_contains(space->cidr.cidr, address);
}

/* A connection without a device is open to every interface. */
static bool comes_by(const struct word *wanted, const char *device)
{
    return wanted->text == NULL || (device != NULL && strcmp(wanted->text, device) == 0);
}

static bool is_peered(const struct space *space, uint32_t address, const char *device)
{
    for (size_t i = 0; i < space->peering_count; i++) {
        const struct peering *peering = &space->peerings[i];
        bool grants = peering->status == PEERING_ACTIVE &&
                      (peering->type == PEERING_CUSTOMER_MANAGED || peering->grant) &&
                      comes_by(&peering->device, device);
        if (grants && holds(&peering->cidr_blocks, address))
            return true;
    }
    return false;
}

static bool is_behind_vpn(const struct space *space, uint32_t address, const char *device)
{
    for (size_t i = 0; i < space->vpn_count; i++)
        if (is_vpn_up(&space->vpns[i]) && comes_by(&space->vpns[i].device, device) &&
            holds(&space->vpns[i].routable_cidrs, address))
            return true;
    return false;
}

bool oracle_is_member(const struct space *space, uint32_t address, const char *device)
{
    return oracle_is_dyno(space, address) || is_peered(space, address, device) ||
           is_behind_vpn(space, address, device);
}

unsigned oracle_classes(const struct space *const *spaces, size_t count, uint32_t address)
{
    unsigned classes = 0;

    for (size_t i = 0; i < count; i++)
        classes |= (oracle_is_dyno(spaces[i], address) ? 1U : 0) |
                   (is_peered(spaces[i], address, NULL) ? 2U : 0) |
                   (is_behind_vpn(spaces[i], address, NULL) ? 4U : 0);
    return classes;
}

/* True when the text spells the wire name. */
static bool spells(const char *name, const uint8_t *label)
{
    while (*label != 0 && strncasecmp(name, (const char *)label + 1, *label) == 0 &&
           name[*label] == '.') {
        name += *label + 1;
        label += *label + 1;
    }
    return *label == 0 && *name == '\0';
}

static bool is_record_owner(const struct space *space, const char *name)
{
    for (size_t i = 0; i < space->record_count; i++)
        if (spells(name, space->records[i].owner))
            return true;
    return false;
}

static bool is_above_record(const struct space *space, const char *name)
{
    for (size_t i = 0; i < space->record_count; i++) {
        const uint8_t *label = space->records[i].owner;
        for (label += *label + 1; *label != 0; label += *label + 1)
            if (spells(name, label))
                return true;
    }
    return false;
}

/* Four labels below two letters or arpa, three elsewhere. */
static bool is_deep_enough(const char *name)
{
    unsigned labels = 0;
    const char *last = name;

    for (const char *at = name; *at != '\0'; at++) {
        labels += *at == '.';
        if (*at == '.' && at[1] != '\0')
            last = at + 1;
    }
    return labels >= (strlen(last) == 3 || equals(last, "arpa") ? 4 : 3);
}

bool oracle_is_empty_name(const struct space *const *spaces, size_t count, const char *name,
                          uint32_t client, const char *device)
{
    for (size_t i = 0; i < count; i++)
        if (oracle_is_member(spaces[i], client, device) && is_above_record(spaces[i], name))
            return is_deep_enough(name);
    return false;
}

bool oracle_may_recurse(const struct recursion *recursion, unsigned classes, const char *name)
{
    for (size_t i = 0; i < recursion->count; i++)
        if ((classes >> recursion->suffixes[i].class & 1) != 0 &&
            (equals(name, recursion->suffixes[i].text) ||
             is_below(name, recursion->suffixes[i].text)))
            return true;
    return (recursion->all & classes) != 0;
}

const struct space *oracle_special_space(const struct space *const *spaces, size_t count,
                                         const char *name)
{
    char reverse[TEXT_MOST];

    for (size_t i = 0; i < count; i++) {
        uint32_t first = cidr_first(spaces[i]->cidr.cidr);
        snprintf(reverse, sizeof reverse, "%u.%u.in-addr.arpa", first >> 16 & 255, first >> 24);
        if (equals(name, reverse) || is_below(name, reverse) || is_record_owner(spaces[i], name))
            return spaces[i];
    }
    return NULL;
}

bool oracle_is_special(const struct space *const *spaces, size_t count, const char *name)
{
    return strncasecmp(name, "_why.", 5) == 0 || equals(name, "localspace") ||
           is_below(name, "localspace") || oracle_special_space(spaces, count, name) != NULL;
}

static int compare_addresses(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

size_t oracle_routers(const struct space *space, uint32_t *addresses, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < space->router_count && count < most; i++)
        if (space->routers[i].state == ROUTER_UP)
            addresses[count++] = space->routers[i].ip;
    qsort(addresses, count, sizeof *addresses, compare_addresses);
    return count;
}
