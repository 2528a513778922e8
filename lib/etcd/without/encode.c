/* A build without the registry: nothing is encoded. */
#include "etcd/messages.h"

struct octets etcd_prefix_end(struct arena *arena, struct octets prefix)
{
    (void)arena, (void)prefix;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_range(struct arena *arena, const struct etcd_range *range)
{
    (void)arena, (void)range;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_put(struct arena *arena, const struct etcd_put *put)
{
    (void)arena, (void)put;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_delete(struct arena *arena, const struct etcd_delete *removal)
{
    (void)arena, (void)removal;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_txn(struct arena *arena, const struct etcd_txn *txn)
{
    (void)arena, (void)txn;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_compact(struct arena *arena, int64_t revision, bool is_physical)
{
    (void)arena, (void)revision, (void)is_physical;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_watch(struct arena *arena, const struct etcd_watch *watch)
{
    (void)arena, (void)watch;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_watch_cancel(struct arena *arena, int64_t id)
{
    (void)arena, (void)id;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_lease_grant(struct arena *arena, int64_t seconds, int64_t id)
{
    (void)arena, (void)seconds, (void)id;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_lease_keep_alive(struct arena *arena, int64_t id)
{
    (void)arena, (void)id;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_lease_revoke(struct arena *arena, int64_t id)
{
    (void)arena, (void)id;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_authenticate(struct arena *arena, const char *user, const char *password)
{
    (void)arena, (void)user, (void)password;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_user_add(struct arena *arena, const char *user, const char *password)
{
    (void)arena, (void)user, (void)password;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_user_grant_role(struct arena *arena, const char *user, const char *role)
{
    (void)arena, (void)user, (void)role;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_role_add(struct arena *arena, const char *role)
{
    (void)arena, (void)role;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_role_grant(struct arena *arena, const char *role,
                                     enum etcd_permission permission, struct octets key,
                                     struct octets end)
{
    (void)arena, (void)role, (void)permission, (void)key, (void)end;
    return (struct octets){.start = NULL};
}

struct octets etcd_encode_nothing(void)
{
    return (struct octets){.start = NULL};
}
