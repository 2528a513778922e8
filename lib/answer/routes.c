#include "answer/routes.h"

uint8_t route_find(const struct routes *routes, const struct name *name)
{
    for (size_t i = 0; i < routes->count && i < ROUTES_MOST; i++)
        if (name_is_within(name, &routes->items[i].zone))
            return (uint8_t)i;
    return ROUTE_NONE;
}
