/* A build without the registry: nothing is requested. */
#include "etcd/rights.h"

size_t etcd_list_rights(struct arena *arena, enum etcd_method method, struct octets request,
                        const struct etcd_right **rights)
{
    (void)arena, (void)method, (void)request;
    *rights = NULL;
    return 0;
}

void etcd_add_rights(struct text *text, const struct etcd_right *rights, size_t count, size_t most)
{
    (void)text, (void)rights, (void)count, (void)most;
}
