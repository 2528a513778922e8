#include "spacedns/free_address.h"

enum { RESERVED_FIRST = 4 };

static bool has_address(const struct space *space, uint32_t ip)
{
    for (size_t i = 0; i < space->app_count; i++)
        for (size_t j = 0; j < space->apps[i].formation_count; j++) {
            const struct formation *formation = &space->apps[i].formations[j];
            for (size_t k = 0; k < formation->dyno_count; k++)
                if (formation->dynos[k].ip == ip)
                    return true;
        }
    return false;
}

uint32_t free_address_find(const struct space *space, uint32_t after)
{
    bool is_behind = after == 0;

    for (size_t i = 0; i < space->dyno_cidrs.count; i++) {
        struct cidr cidr = space->dyno_cidrs.items[i].cidr;
        bool begins_here = !is_behind && cidr_contains(cidr, after);
        uint32_t ip = begins_here ? after + 1 : cidr_first(cidr) + RESERVED_FIRST;
        is_behind = is_behind || begins_here;
        for (; is_behind && ip < cidr_last(cidr); ip++)
            if (!has_address(space, ip))
                return ip;
    }
    return 0;
}

int free_address_fail(struct session *session, const struct space *space)
{
    return session_fail(session, EXIT_REFUSED,
                        "space %s has no free address left in its dyno_cidrs; remove a dyno, or "
                        "widen them",
                        space->name.text);
}
