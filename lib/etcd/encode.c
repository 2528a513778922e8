#include "etcd/messages.h"

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "etcd/etcd.pb-c.h"

/* Messages are built on the stack and in the arena, borrow their octets, and are packed at once. */

static struct octets pack(struct arena *arena, const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *room = arena_take(arena, length);

    if (room == NULL)
        return (struct octets){.start = NULL};
    protobuf_c_message_pack(message, room);
    return (struct octets){.start = room, .length = length};
}

/* protobuf-c has no constant octets and texts, and writes to neither while it packs. */

static ProtobufCBinaryData borrow(struct octets octets)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)octets.start, .len = octets.length};
}

static char *borrow_text(const char *text)
{
    return (char *)text;
}

struct octets etcd_prefix_end(struct arena *arena, struct octets prefix)
{
    static const uint8_t all = 0;
    size_t length = prefix.length;

    while (length > 0 && prefix.start[length - 1] == 0xff)
        length--;
    if (length == 0)
        return (struct octets){.start = &all, .length = 1};
    uint8_t *end = (uint8_t *)arena_text(arena, prefix.start, length);
    if (end == NULL)
        return (struct octets){.start = NULL};
    end[length - 1]++;
    return (struct octets){.start = end, .length = length};
}

/* ---- KV ---- */

static Etcdpb__RangeRequest range_request(const struct etcd_range *range)
{
    Etcdpb__RangeRequest request = ETCDPB__RANGE_REQUEST__INIT;

    request.key = borrow(range->key);
    request.range_end = borrow(range->end);
    request.limit = range->limit;
    request.revision = range->revision;
    request.serializable = range->is_serializable;
    request.keys_only = range->keys_only;
    request.count_only = range->count_only;
    return request;
}

static Etcdpb__PutRequest put_request(const struct etcd_put *put)
{
    Etcdpb__PutRequest request = ETCDPB__PUT_REQUEST__INIT;

    request.key = borrow(put->key);
    request.value = borrow(put->value);
    request.lease = put->lease;
    return request;
}

static Etcdpb__DeleteRequest delete_request(const struct etcd_delete *removal)
{
    Etcdpb__DeleteRequest request = ETCDPB__DELETE_REQUEST__INIT;

    request.key = borrow(removal->key);
    request.range_end = borrow(removal->end);
    return request;
}

struct octets etcd_encode_range(struct arena *arena, const struct etcd_range *range)
{
    const Etcdpb__RangeRequest request = range_request(range);

    return pack(arena, &request.base);
}

struct octets etcd_encode_put(struct arena *arena, const struct etcd_put *put)
{
    const Etcdpb__PutRequest request = put_request(put);

    return pack(arena, &request.base);
}

struct octets etcd_encode_delete(struct arena *arena, const struct etcd_delete *removal)
{
    const Etcdpb__DeleteRequest request = delete_request(removal);

    return pack(arena, &request.base);
}

struct octets etcd_encode_compact(struct arena *arena, int64_t revision, bool is_physical)
{
    Etcdpb__CompactRequest request = ETCDPB__COMPACT_REQUEST__INIT;

    request.revision = revision;
    request.physical = is_physical;
    return pack(arena, &request.base);
}

/* ---- transactions ---- */

/* One operation and its request. */
struct operation {
    Etcdpb__Operation operation;
    union {
        Etcdpb__RangeRequest range;
        Etcdpb__PutRequest put;
        Etcdpb__DeleteRequest removal;
    };
};

static void fill_operation(struct operation *to, const struct etcd_operation *from)
{
    etcdpb__operation__init(&to->operation);
    switch (from->kind) {
    case ETCD_DO_RANGE:
        to->range = range_request(&from->range);
        to->operation.request_case = ETCDPB__OPERATION__REQUEST_RANGE;
        to->operation.range = &to->range;
        return;
    case ETCD_DO_PUT:
        to->put = put_request(&from->put);
        to->operation.request_case = ETCDPB__OPERATION__REQUEST_PUT;
        to->operation.put = &to->put;
        return;
    case ETCD_DO_DELETE:
        to->removal = delete_request(&from->removal);
        to->operation.request_case = ETCDPB__OPERATION__REQUEST_DELETE_RANGE;
        to->operation.delete_range = &to->removal;
        return;
    }
}

/* Returns NULL without memory. */
static Etcdpb__Operation **list_operations(struct arena *arena, const struct etcd_operation *from,
                                           size_t count)
{
    struct operation *operations = arena_take(arena, count * sizeof *operations);
    Etcdpb__Operation **list = arena_take(arena, count * sizeof *list);

    if (operations == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        fill_operation(&operations[i], &from[i]);
        list[i] = &operations[i].operation;
    }
    return list;
}

static void fill_compare(Etcdpb__Compare *to, const struct etcd_compare *from)
{
    etcdpb__compare__init(to);
    to->key = borrow(from->key);
    to->range_end = borrow(from->end);
    to->result = (Etcdpb__Compare__Result)from->result;
    to->target = (Etcdpb__Compare__Target)from->target;
    switch (from->target) {
    case ETCD_VERSION:
        to->union_case = ETCDPB__COMPARE__UNION_VERSION;
        to->version = from->number;
        return;
    case ETCD_CREATE:
        to->union_case = ETCDPB__COMPARE__UNION_CREATE_REVISION;
        to->create_revision = from->number;
        return;
    case ETCD_MOD:
        to->union_case = ETCDPB__COMPARE__UNION_MOD_REVISION;
        to->mod_revision = from->number;
        return;
    case ETCD_VALUE:
        to->union_case = ETCDPB__COMPARE__UNION_VALUE;
        to->value = borrow(from->value);
        return;
    }
}

static Etcdpb__Compare **list_compares(struct arena *arena, const struct etcd_compare *from,
                                       size_t count)
{
    Etcdpb__Compare *compares = arena_take(arena, count * sizeof *compares);
    Etcdpb__Compare **list = arena_take(arena, count * sizeof *list);

    if (compares == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        fill_compare(&compares[i], &from[i]);
        list[i] = &compares[i];
    }
    return list;
}

struct octets etcd_encode_txn(struct arena *arena, const struct etcd_txn *txn)
{
    Etcdpb__TxnRequest request = ETCDPB__TXN_REQUEST__INIT;

    request.n_compare = txn->compare_count;
    request.compare = list_compares(arena, txn->compares, txn->compare_count);
    request.n_success = txn->success_count;
    request.success = list_operations(arena, txn->success, txn->success_count);
    request.n_failure = txn->failure_count;
    request.failure = list_operations(arena, txn->failure, txn->failure_count);
    if (request.compare == NULL || request.success == NULL || request.failure == NULL)
        return (struct octets){.start = NULL};
    return pack(arena, &request.base);
}

/* ---- Watch, Lease ---- */

struct octets etcd_encode_watch(struct arena *arena, const struct etcd_watch *watch)
{
    Etcdpb__WatchRequest request = ETCDPB__WATCH_REQUEST__INIT;
    Etcdpb__WatchCreate create = ETCDPB__WATCH_CREATE__INIT;

    create.key = borrow(watch->key);
    create.range_end = borrow(watch->end);
    create.start_revision = watch->start_revision;
    create.watch_id = watch->id;
    create.progress_notify = watch->wants_progress;
    request.request_case = ETCDPB__WATCH_REQUEST__REQUEST_CREATE;
    request.create = &create;
    return pack(arena, &request.base);
}

struct octets etcd_encode_watch_cancel(struct arena *arena, int64_t id)
{
    Etcdpb__WatchRequest request = ETCDPB__WATCH_REQUEST__INIT;
    Etcdpb__WatchCancel cancel = ETCDPB__WATCH_CANCEL__INIT;

    cancel.watch_id = id;
    request.request_case = ETCDPB__WATCH_REQUEST__REQUEST_CANCEL;
    request.cancel = &cancel;
    return pack(arena, &request.base);
}

struct octets etcd_encode_lease_grant(struct arena *arena, int64_t seconds, int64_t id)
{
    Etcdpb__LeaseGrantRequest request = ETCDPB__LEASE_GRANT_REQUEST__INIT;

    request.ttl = seconds;
    request.id = id;
    return pack(arena, &request.base);
}

struct octets etcd_encode_lease_keep_alive(struct arena *arena, int64_t id)
{
    Etcdpb__LeaseRequest request = ETCDPB__LEASE_REQUEST__INIT;

    request.id = id;
    return pack(arena, &request.base);
}

struct octets etcd_encode_lease_revoke(struct arena *arena, int64_t id)
{
    return etcd_encode_lease_keep_alive(arena, id); /* the same fields */
}

/* ---- Auth ---- */

struct octets etcd_encode_authenticate(struct arena *arena, const char *user, const char *password)
{
    Etcdpb__AuthenticateRequest request = ETCDPB__AUTHENTICATE_REQUEST__INIT;

    request.name = borrow_text(user);
    request.password = borrow_text(password);
    return pack(arena, &request.base);
}

struct octets etcd_encode_user_add(struct arena *arena, const char *user, const char *password)
{
    Etcdpb__UserAddRequest request = ETCDPB__USER_ADD_REQUEST__INIT;
    Etcdpb__UserAddRequest__Options options = ETCDPB__USER_ADD_REQUEST__OPTIONS__INIT;

    request.name = borrow_text(user);
    request.options = &options;
    if (password != NULL)
        request.password = borrow_text(password);
    else
        options.no_password = true;
    return pack(arena, &request.base);
}

struct octets etcd_encode_user_grant_role(struct arena *arena, const char *user, const char *role)
{
    Etcdpb__UserGrantRoleRequest request = ETCDPB__USER_GRANT_ROLE_REQUEST__INIT;

    request.user = borrow_text(user);
    request.role = borrow_text(role);
    return pack(arena, &request.base);
}

struct octets etcd_encode_role_add(struct arena *arena, const char *role)
{
    Etcdpb__RoleAddRequest request = ETCDPB__ROLE_ADD_REQUEST__INIT;

    request.name = borrow_text(role);
    return pack(arena, &request.base);
}

struct octets etcd_encode_role_grant(struct arena *arena, const char *role,
                                     enum etcd_permission permission, struct octets key,
                                     struct octets end)
{
    Etcdpb__RoleGrantRequest request = ETCDPB__ROLE_GRANT_REQUEST__INIT;
    Etcdpb__Permission granted = ETCDPB__PERMISSION__INIT;

    granted.permtype = (Etcdpb__Permission__Type)permission;
    granted.key = borrow(key);
    granted.range_end = borrow(end);
    request.name = borrow_text(role);
    request.perm = &granted;
    return pack(arena, &request.base);
}

struct octets etcd_encode_nothing(void)
{
    static const uint8_t none = 0;

    return (struct octets){.start = &none, .length = 0};
}
