/* Edits of routers, peerings and VPN connections. */
#include <string.h>

#include "base/address.h"
#include "space/editing.h"

/* ---- routers: an address, or a mapping that has one as `ip` ---- */

static const struct yaml_mark *find_router(const struct yaml_mark *list, const char *address)
{
    if (list == NULL || list->kind != YAML_SEQUENCE)
        return NULL;
    for (const struct yaml_mark *item = list->first; item != NULL; item = item->next)
        if (item->kind == YAML_SCALAR && strcmp(item->text, address) == 0)
            return item;
    return editing_find(list, "ip", address, editing_is_same_text);
}

/* Begins an edit of an existing router. Returns it, or NULL with err. */
static const struct yaml_mark *begin_router(const struct edit *edit, struct edit_text *change,
                                            const char *address, struct err *err)
{
    if (!editing_begin(edit, change, err))
        return NULL;
    const struct yaml_mark *router = find_router(editing_value(change->root, "routers"), address);
    if (router == NULL)
        err_set(err, ERR_RULE, "there is no router %s in the file", address);
    return router;
}

bool edit_add_router(struct edit *edit, uint32_t ip, const char *az, struct err *err)
{
    static const char *const keys[] = {"routers", NULL};
    struct edit_text change;
    char address[CIDR_TEXT_MAX];

    ipv4_write(ip, address);
    if (!editing_begin(edit, &change, err))
        return false;
    if (find_router(editing_value(change.root, "routers"), address) != NULL)
        return err_set(err, ERR_RULE, "router %s is in the file already", address);
    const char *zone = az == NULL ? "" : editing_scalar(&change, az);
    if (zone == NULL)
        return false;
    const char *item =
        az == NULL ? address : edit_text_print(edit->arena, "{ip: %s, az: %s}", address, zone);
    return edit_text_add(&change, change.root, keys, editing_on_a_line(item)) &&
           editing_finish(edit, &change);
}

bool edit_remove_router(struct edit *edit, uint32_t ip, struct err *err)
{
    struct edit_text change;
    char address[CIDR_TEXT_MAX];

    ipv4_write(ip, address);
    const struct yaml_mark *router = begin_router(edit, &change, address, err);
    return router != NULL &&
           edit_text_remove(&change, editing_value(change.root, "routers"), router) &&
           editing_finish(edit, &change);
}

bool edit_set_router(struct edit *edit, uint32_t ip, enum router_state state, struct err *err)
{
    struct edit_text change;
    char address[CIDR_TEXT_MAX];

    ipv4_write(ip, address);
    const struct yaml_mark *router = begin_router(edit, &change, address, err);
    if (router == NULL)
        return false;
    if (editing_value(router, "state") == NULL && state == ROUTER_UP)
        return true; /* the default state */
    const char *word = router_state_text(state);
    bool is_set =
        router->kind == YAML_SCALAR
            ? edit_text_replace(&change, router,
                                edit_text_print(edit->arena, "{ip: %s, state: %s}", address, word))
            : edit_text_set(&change, router, "state", word);
    return is_set && editing_finish(edit, &change);
}

/* ---- peerings and VPN connections ---- */

/* A connection is an item of `list` with its name as `key`. */
struct connections {
    const char *list;
    const char *key;
    const char *blocks; /* the key of its blocks */
};

static const struct connections peerings = {"peerings", "pcx_id", "cidr_blocks"};
static const struct connections vpns = {"vpns", "name", "routable_cidrs"};

static const struct yaml_mark *find_connection(const struct edit_text *change,
                                               const struct connections *connections,
                                               const char *name)
{
    return editing_find(editing_value(change->root, connections->list), connections->key, name,
                        editing_is_same_text);
}

/* Begins an edit of an existing connection. Returns it, or NULL with err. */
static const struct yaml_mark *begin_connection(const struct edit *edit, struct edit_text *change,
                                                const struct connections *connections,
                                                const char *name, struct err *err)
{
    if (!editing_begin(edit, change, err))
        return NULL;
    const struct yaml_mark *connection = find_connection(change, connections, name);
    if (connection == NULL)
        err_set(err, ERR_RULE, "there is no %.64s in `%s` of the file", name, connections->list);
    return connection;
}

static bool add_connection(struct edit *edit, const struct connections *connections,
                           const struct new_connection *new, struct err *err)
{
    const char *const keys[] = {connections->list, NULL};
    struct edit_text change;
    char address[CIDR_TEXT_MAX] = "";

    if (!editing_begin(edit, &change, err))
        return false;
    if (find_connection(&change, connections, new->name) != NULL)
        return err_set(err, ERR_RULE, "%.64s is in `%s` of the file already", new->name,
                       connections->list);
    const char *name = editing_scalar(&change, new->name);
    if (name == NULL)
        return false;
    if (new->public_ip != 0)
        ipv4_write(new->public_ip, address);
    const char *item = edit_text_print(
        edit->arena, "{%s: %s, status: %s%s%s, %s: [%s]}", connections->key, name, new->status,
        address[0] == '\0' ? "" : ", public_ip: ", address, connections->blocks, new->blocks);
    return edit_text_add(&change, change.root, keys, editing_on_a_line(item)) &&
           editing_finish(edit, &change);
}

static bool remove_connection(struct edit *edit, const struct connections *connections,
                              const char *name, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *connection = begin_connection(edit, &change, connections, name, err);

    return connection != NULL &&
           edit_text_remove(&change, editing_value(change.root, connections->list), connection) &&
           editing_finish(edit, &change);
}

static bool set_status(struct edit *edit, const struct connections *connections, const char *name,
                       const char *status, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *connection = begin_connection(edit, &change, connections, name, err);

    return connection != NULL && edit_text_set(&change, connection, "status", status) &&
           editing_finish(edit, &change);
}

bool edit_add_peering(struct edit *edit, const struct new_connection *new, struct err *err)
{
    return add_connection(edit, &peerings, new, err);
}

bool edit_add_vpn(struct edit *edit, const struct new_connection *new, struct err *err)
{
    return add_connection(edit, &vpns, new, err);
}

bool edit_remove_peering(struct edit *edit, const char *pcx_id, struct err *err)
{
    return remove_connection(edit, &peerings, pcx_id, err);
}

bool edit_remove_vpn(struct edit *edit, const char *name, struct err *err)
{
    return remove_connection(edit, &vpns, name, err);
}

bool edit_set_peering(struct edit *edit, const char *pcx_id, enum peering_status status,
                      struct err *err)
{
    return set_status(edit, &peerings, pcx_id, peering_status_text(status), err);
}

bool edit_set_vpn(struct edit *edit, const char *name, enum vpn_status status, struct err *err)
{
    return set_status(edit, &vpns, name, vpn_status_text(status), err);
}
