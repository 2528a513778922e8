#include "forward/server_list.h"

size_t server_list_find(const struct server_list *servers, const struct upstream *upstream)
{
    size_t number = 0;

    while (number < servers->count && !upstream_equals(servers->items[number], upstream))
        number++;
    return number;
}

void server_list_fill(struct server_list *servers, const struct upstream_zones *zones)
{
    servers->count = 0;
    for (size_t i = 0; i < zones->count; i++) {
        const struct upstreams *upstreams = &zones->items[i].upstreams;
        for (size_t j = 0; j < upstreams->count && servers->count < UPSTREAMS_IN_ALL_MOST; j++)
            if (server_list_find(servers, &upstreams->items[j]) == servers->count)
                servers->items[servers->count++] = &upstreams->items[j];
    }
}
