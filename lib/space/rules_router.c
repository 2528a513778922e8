/* Internal routers: the addresses of every internal name. */
#include "space/checking.h"

enum { LIST_SIZE = 256, RESERVED_FIRST = 4 };

/* AWS reserves the first four addresses of a subnet and the last one. */
static bool is_reserved(struct cidr subnet, uint32_t address)
{
    return subnet.bits < 30 &&
           (address - cidr_first(subnet) < RESERVED_FIRST || address == cidr_last(subnet));
}

/* Reports the router's address if it lies in a block for dynos or data. */
static bool check_other_blocks(struct checking *checking, const struct router *router,
                               const char *text, const char *right)
{
    const struct space *space = checking->space;
    const struct block *dynos = blocks_find(&space->dyno_cidrs, router->ip);
    struct cidr data = space->data_cidr.cidr;
    char block[CIDR_TEXT_MAX];

    if (data.bits != 0 && cidr_contains(data, router->ip)) {
        cidr_write(data, block);
        FIND(checking, ROUTER_DATA, router->at,
             "router %s lies in the data CIDR %s; give the router an address in %s", text, block,
             right);
        return true;
    }
    if (dynos != NULL) {
        cidr_write(dynos->cidr, block);
        FIND(checking, ROUTER_DYNO, router->at,
             "router %s lies in dyno CIDR %s; give the router an address in %s", text, block,
             right);
        return true;
    }
    return false;
}

static void check_router_range(struct checking *checking, const struct router *router)
{
    const struct space *space = checking->space;
    const struct block *subnet = blocks_find(&space->router_cidrs, router->ip);
    struct cidr cidr = space->cidr.cidr;
    char text[CIDR_TEXT_MAX];
    char right[LIST_SIZE];
    char block[CIDR_TEXT_MAX];

    ipv4_write(router->ip, text);
    blocks_list(&space->router_cidrs, right, sizeof right);
    cidr_write(cidr, block);
    if (check_other_blocks(checking, router, text, right))
        return;
    if (!cidr_contains(cidr, router->ip))
        FIND(checking, ROUTER_RANGE, router->at,
             "router %s lies outside the space's cidr %s; give it an address in %s", text, block,
             right);
    else if (subnet == NULL)
        FIND(checking, ROUTER_RANGE, router->at,
             "router %s lies outside router_cidrs; give it an address in %s", text, right);
    else if (router->ip == cidr_first(cidr) || router->ip == cidr_last(cidr))
        FIND(checking, ROUTER_RANGE, router->at,
             "router %s is the network or broadcast address of %s; give it another address in %s",
             text, block, right);
    else if (is_reserved(subnet->cidr, router->ip))
        FIND(checking, ROUTER_RESERVED, router->at,
             "router %s is one of the addresses a subnet reserves (its first four and its last); "
             "check the address",
             text);
}

void check_routers(struct checking *checking)
{
    const struct space *space = checking->space;
    char text[CIDR_TEXT_MAX];
    struct seen seen;

    seen_init(&seen, space->router_count);
    for (size_t i = 0; i < space->router_count; i++) {
        const struct router *router = &space->routers[i];
        const struct seen_entry *before = seen_add_number(&seen, 0, router->ip, router->at, NULL);
        if (before != NULL) {
            ipv4_write(router->ip, text);
            FIND(checking, ROUTER_DUP, router->at,
                 "router %s is already given on line %u; remove one", text,
                 (unsigned)before->at.line);
        } else if (space->cidr.cidr.bits == 16) { /* else that is the finding */
            check_router_range(checking, router);
        }
    }
    checking_close_seen(checking, &seen);
}

static bool has_router_up(const struct space *space)
{
    for (size_t i = 0; i < space->router_count; i++)
        if (space->routers[i].state == ROUTER_UP)
            return true;
    return false;
}

void check_router_up(struct checking *checking)
{
    const struct space *space = checking->space;
    struct location at = space->routers_at.line > 0 ? space->routers_at : space->name.at;
    size_t i = 0;

    while (i < space->app_count && !space->apps[i].internal_routing)
        i++;
    if (i < space->app_count && !has_router_up(space))
        FIND(
            checking, NO_ROUTER, at,
            "space %.80s has the internal app %.40s (line %u) and no router that is up, so the app "
            "has no address; %s",
            space->name.text, space->apps[i].name.text, (unsigned)space->apps[i].at.line,
            space->router_count == 0 ? "list the addresses of the space's routers in `routers`"
                                     : "once a router is up, set its `state`");
}
