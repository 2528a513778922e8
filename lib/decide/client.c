#include "decide/client.h"

void client_classify(const struct snapshot *snapshot, const struct path *path,
                     struct client *client)
{
    *client = (struct client){.address = path->source};
    if (snapshot == NULL)
        return;
    client->view = access_view(&snapshot->access, path->destination);
    if (path->is_ipv6)
        return;
    if (client->view->device_count > 0)
        client->view = view_by_interface(&snapshot->access, client->view, path->interface);
    struct membership_set set = view_find(client->view, path->source);
    client->memberships = client->view->memberships + set.first;
    client->count = set.count;
}

const struct membership *client_membership(const struct client *client, uint16_t segment)
{
    uint32_t low = 0, high = client->count;

    /* Sorted by segment, one each. */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct membership *membership = &client->memberships[middle];
        if (membership->segment == segment)
            return membership;
        if (membership->segment < segment)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool client_has_class(const struct client *client, unsigned classes)
{
    for (uint32_t i = 0; i < client->count; i++)
        if ((classes >> client->memberships[i].class & 1) != 0)
            return true;
    return false;
}

unsigned client_classes(const struct client *client)
{
    unsigned classes = 0;

    for (uint32_t i = 0; i < client->count; i++)
        classes |= 1U << client->memberships[i].class;
    return classes;
}

enum client_class client_class(const struct client *client)
{
    enum client_class closest = CLIENT_EXTERNAL;

    for (uint32_t i = 0; i < client->count; i++)
        if (client->memberships[i].class < closest)
            closest = client->memberships[i].class;
    return closest;
}

const char *class_text(enum client_class class)
{
    static const char *const texts[] = {
        [CLIENT_SPACE] = "space",
        [CLIENT_PEERED] = "peered",
        [CLIENT_VPN] = "vpn",
        [CLIENT_EXTERNAL] = "external",
    };
    return texts[class];
}
