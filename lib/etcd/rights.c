#include "etcd/rights.h"

#include <protobuf-c/protobuf-c.h>

#include "base/escape.h"
#include "etcd/etcd.pb-c.h"

/* The rights of one request. */
struct list {
    struct arena *arena;
    struct etcd_right *rights;
    size_t count, capacity;
};

static void *take(void *arena, size_t size)
{
    return arena_take(arena, size);
}

static void give_back(void *arena, void *block)
{
    (void)arena, (void)block;
}

/* The requests are our own, so their lengths are believed. */
static void *unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                    struct octets request)
{
    ProtobufCAllocator allocator = {.alloc = take, .free = give_back, .allocator_data = arena};

    return protobuf_c_message_unpack(descriptor, &allocator, request.length, request.start);
}

static struct octets octets_from(ProtobufCBinaryData data)
{
    return (struct octets){.start = data.data, .length = data.len};
}

static bool is_listed(const struct list *list, const struct etcd_right *right)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rights[i].permission == right->permission &&
            octets_are_same(list->rights[i].key, right->key) &&
            octets_are_same(list->rights[i].end, right->end))
            return true;
    return false;
}

static void add(struct list *list, enum etcd_permission permission, ProtobufCBinaryData key,
                ProtobufCBinaryData end)
{
    const struct etcd_right right = {
        .permission = permission, .key = octets_from(key), .end = octets_from(end)};
    struct etcd_right *rights;

    if (is_listed(list, &right))
        return;
    rights =
        arena_grow(list->arena, list->rights, list->count, &list->capacity, sizeof *list->rights);
    if (rights == NULL)
        return;
    list->rights = rights;
    rights[list->count++] = right;
}

static void add_operation(struct list *list, const Etcdpb__Operation *operation)
{
    const ProtobufCBinaryData one = {.len = 0};

    switch (operation->request_case) {
    case ETCDPB__OPERATION__REQUEST_RANGE:
        add(list, ETCD_READ, operation->range->key, operation->range->range_end);
        return;
    case ETCDPB__OPERATION__REQUEST_PUT:
        add(list, ETCD_WRITE, operation->put->key, one);
        return;
    case ETCDPB__OPERATION__REQUEST_DELETE_RANGE:
        add(list, ETCD_WRITE, operation->delete_range->key, operation->delete_range->range_end);
        return;
    case ETCDPB__OPERATION__REQUEST__NOT_SET:
    default: /* protobuf-c's own last one */
        return;
    }
}

static void add_txn(struct list *list, const Etcdpb__TxnRequest *txn)
{
    for (size_t i = 0; i < txn->n_compare; i++)
        add(list, ETCD_READ, txn->compare[i]->key, txn->compare[i]->range_end);
    for (size_t i = 0; i < txn->n_success; i++)
        add_operation(list, txn->success[i]);
    for (size_t i = 0; i < txn->n_failure; i++)
        add_operation(list, txn->failure[i]);
}

/* The other methods need no right, or the role root. */
static void add_request(struct list *list, enum etcd_method method, const void *request)
{
    const ProtobufCBinaryData one = {.len = 0};

    if (method == ETCD_RANGE) {
        const Etcdpb__RangeRequest *range = request;
        add(list, ETCD_READ, range->key, range->range_end);
    } else if (method == ETCD_PUT) {
        const Etcdpb__PutRequest *put = request;
        add(list, ETCD_WRITE, put->key, one);
    } else if (method == ETCD_DELETE) {
        const Etcdpb__DeleteRequest *removal = request;
        add(list, ETCD_WRITE, removal->key, removal->range_end);
    } else if (method == ETCD_TXN) {
        add_txn(list, request);
    } else {
        const Etcdpb__WatchRequest *watch = request;
        if (watch->request_case == ETCDPB__WATCH_REQUEST__REQUEST_CREATE)
            add(list, ETCD_READ, watch->create->key, watch->create->range_end);
    }
}

static const ProtobufCMessageDescriptor *descriptor_of(enum etcd_method method)
{
    if (method == ETCD_RANGE)
        return &etcdpb__range_request__descriptor;
    if (method == ETCD_PUT)
        return &etcdpb__put_request__descriptor;
    if (method == ETCD_DELETE)
        return &etcdpb__delete_request__descriptor;
    if (method == ETCD_TXN)
        return &etcdpb__txn_request__descriptor;
    return method == ETCD_WATCH ? &etcdpb__watch_request__descriptor : NULL;
}

size_t etcd_list_rights(struct arena *arena, enum etcd_method method, struct octets request,
                        const struct etcd_right **rights)
{
    const ProtobufCMessageDescriptor *descriptor = descriptor_of(method);
    const void *message = descriptor == NULL ? NULL : unpack(arena, descriptor, request);
    struct list list = {.arena = arena};

    if (message != NULL)
        add_request(&list, method, message);
    *rights = list.rights;
    return list.count;
}

static void add_key(struct text *text, struct octets key)
{
    if (key.length > 0)
        escape_add(text, (const char *)key.start, key.length);
}

void etcd_add_rights(struct text *text, const struct etcd_right *rights, size_t count, size_t most)
{
    for (size_t i = 0; i < count && i < most; i++) {
        text_add_string(text, i > 0 ? ", " : "");
        text_add_string(text, rights[i].permission == ETCD_READ ? "read " : "write ");
        add_key(text, rights[i].key);
        if (rights[i].end.length > 0) {
            text_add_string(text, " to ");
            add_key(text, rights[i].end);
        }
    }
    if (count > most) {
        text_add_string(text, " and ");
        text_add_number(text, count - most);
        text_add_string(text, " more");
    }
}
