/* Availability zones of dyno CIDRs and routers, and the affinity that depends on them. */
#include "space/checking.h"

static bool has_dyno_az(const struct space *space)
{
    for (size_t i = 0; i < space->dyno_cidrs.count; i++)
        if (space->dyno_cidrs.items[i].az.text != NULL)
            return true;
    return false;
}

void check_affinity(struct checking *checking)
{
    const struct space *space = checking->space;

    if (space->affinity != AFFINITY_NONE && !has_dyno_az(space))
        FIND(checking, AFFINITY, space->affinity_at,
             "`affinity` is %s, but no item of dyno_cidrs has an `az`, so no dyno is in an "
             "availability zone; write them as {cidr: 10.0.128.0/20, az: us-east-1a}",
             affinity_text(space->affinity));
}

/* Reports a router whose az no dyno CIDR has. */
static void check_router_az(struct checking *checking, const struct seen *azs,
                            const struct router *router)
{
    char text[CIDR_TEXT_MAX];

    if (seen_find(azs, 0, router->az.text) != NULL)
        return;
    ipv4_write(router->ip, text);
    FIND(checking, ROUTER_AZ, router->az.at,
         "router %s has the az %.64s, which no item of dyno_cidrs has, so no dyno is near it; "
         "correct it, or give the dyno CIDR of that zone its az",
         text, router->az.text);
}

static size_t check_listed_azs(struct checking *checking, struct seen *azs)
{
    const struct space *space = checking->space;
    size_t count = 0;

    for (size_t i = 0; i < space->dyno_cidrs.count; i++) {
        const struct word *az = &space->dyno_cidrs.items[i].az;
        if (az->text != NULL)
            seen_add(azs, 0, az->text, az->at, NULL);
    }
    for (size_t i = 0; i < space->router_count; i++) {
        if (space->routers[i].az.text == NULL)
            continue;
        count++;
        check_router_az(checking, azs, &space->routers[i]);
    }
    return count;
}

/* An az of a router alone is a note for people. */
void check_router_azs(struct checking *checking)
{
    const struct space *space = checking->space;
    struct seen azs;

    if (!has_dyno_az(space))
        return;
    seen_init(&azs, space->dyno_cidrs.count);
    size_t count = check_listed_azs(checking, &azs);
    if (count == 0 && space->affinity != AFFINITY_NONE)
        FIND(checking, ROUTER_AZ, space->affinity_at,
             "`affinity` is %s, but no router has an `az`, so dynos get all routers alike; write "
             "them as {ip: 10.0.0.37, az: us-east-1a}",
             affinity_text(space->affinity));
    checking_close_seen(checking, &azs);
}
