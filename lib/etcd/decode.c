#include "etcd/messages.h"

#include <protobuf-c/protobuf-c.h>
#include <stdalign.h>
#include <stdint.h>

#include "etcd/etcd.pb-c.h"

enum { ALIGNMENT = alignof(max_align_t) };

/* What one message may take of the arena: a short message may say that it has a lot in it. */
struct room {
    struct arena *arena;
    size_t left;
    bool is_full;
    bool has_no_memory;
};

/* Blocks are kept until the arena goes, also those that protobuf-c gives back. */
static void *take(void *context, size_t size)
{
    struct room *room = context;
    size_t taken = size + ALIGNMENT - size % ALIGNMENT; /* as the arena does, or one more */

    if (taken < size || taken > room->left) {
        room->is_full = true;
        return NULL;
    }
    room->left -= taken;
    void *block = arena_take(room->arena, size);
    room->has_no_memory |= block == NULL;
    return block;
}

static void give_back(void *context, void *block)
{
    (void)context, (void)block;
}

static bool fail(const struct room *room, struct err *err)
{
    if (room->has_no_memory)
        return err_set(err, ERR_MEMORY, "out of memory for a reply of etcd");
    if (room->is_full)
        return err_set(err, ERR_LIMIT,
                       "a reply of etcd has more parts than one may have; check what writes there");
    return err_set(err, ERR_SYNTAX,
                   "a reply is no message of etcd's API, version 3; check that etcd, 3.4 or newer, "
                   "is what answers there");
}

static size_t most_for(size_t length)
{
    return length > (SIZE_MAX - DECODED_OCTETS_LEAST) / DECODED_OCTETS_PER_OCTET
               ? SIZE_MAX
               : length * DECODED_OCTETS_PER_OCTET + DECODED_OCTETS_LEAST;
}

static void *unpack(struct room *room, const ProtobufCMessageDescriptor *descriptor,
                    const uint8_t *octets, size_t length)
{
    ProtobufCAllocator allocator = {.alloc = take, .free = give_back, .allocator_data = room};

    return protobuf_c_message_unpack(descriptor, &allocator, length, octets);
}

static struct room room_for(struct arena *arena, size_t length)
{
    return (struct room){.arena = arena, .left = most_for(length)};
}

/* ---- parts ---- */

static struct etcd_header header_of(const Etcdpb__Header *from)
{
    if (from == NULL)
        return (struct etcd_header){.revision = 0};
    return (struct etcd_header){.cluster = from->cluster_id,
                                .member = from->member_id,
                                .revision = from->revision,
                                .raft_term = from->raft_term};
}

static struct octets octets_from(ProtobufCBinaryData data)
{
    return (struct octets){.start = data.data, .length = data.len};
}

static struct etcd_pair pair_of(const Etcdpb__Pair *from)
{
    return (struct etcd_pair){.key = octets_from(from->key),
                              .value = octets_from(from->value),
                              .create_revision = from->create_revision,
                              .mod_revision = from->mod_revision,
                              .version = from->version,
                              .lease = from->lease};
}

static void *take_array(struct room *room, size_t count, size_t size)
{
    return take(room, count * size); /* no overflow: protobuf-c has taken more for so many */
}

static bool fill_range(struct room *room, const Etcdpb__RangeResponse *from,
                       struct etcd_range_response *to)
{
    struct etcd_pair *pairs = take_array(room, from->n_kvs, sizeof *pairs);

    if (pairs == NULL)
        return false;
    for (size_t i = 0; i < from->n_kvs; i++)
        pairs[i] = pair_of(from->kvs[i]);
    *to = (struct etcd_range_response){.header = header_of(from->header),
                                       .pairs = pairs,
                                       .count = from->n_kvs,
                                       .has_more = from->more,
                                       .in_range = from->count};
    return true;
}

/* ---- KV ---- */

bool etcd_decode_range(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_range_response *response, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__RangeResponse *from =
        unpack(&room, &etcdpb__range_response__descriptor, octets, length);

    return (from != NULL && fill_range(&room, from, response)) || fail(&room, err);
}

bool etcd_decode_delete(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_delete_response *response, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__DeleteResponse *from =
        unpack(&room, &etcdpb__delete_response__descriptor, octets, length);

    if (from == NULL)
        return fail(&room, err);
    *response =
        (struct etcd_delete_response){.header = header_of(from->header), .deleted = from->deleted};
    return true;
}

/* False without memory, and for an operation that we never ask for. */
static bool fill_result(struct room *room, const Etcdpb__Result *from, struct etcd_result *to)
{
    switch (from->response_case) {
    case ETCDPB__RESULT__RESPONSE_RANGE:
        to->kind = ETCD_DO_RANGE;
        return from->range != NULL && fill_range(room, from->range, &to->range);
    case ETCDPB__RESULT__RESPONSE_PUT:
        to->kind = ETCD_DO_PUT;
        return true;
    case ETCDPB__RESULT__RESPONSE_DELETE_RANGE:
        to->kind = ETCD_DO_DELETE;
        to->deleted = from->delete_range != NULL ? from->delete_range->deleted : 0;
        return from->delete_range != NULL;
    case ETCDPB__RESULT__RESPONSE__NOT_SET:
    default: /* protobuf-c's own last value */
        return false;
    }
}

bool etcd_decode_txn(struct arena *arena, const uint8_t *octets, size_t length,
                     struct etcd_txn_response *response, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__TxnResponse *from =
        unpack(&room, &etcdpb__txn_response__descriptor, octets, length);
    struct etcd_result *results =
        from == NULL ? NULL : take_array(&room, from->n_responses, sizeof *results);

    if (results == NULL)
        return fail(&room, err);
    for (size_t i = 0; i < from->n_responses; i++)
        if (!fill_result(&room, from->responses[i], &results[i]))
            return fail(&room, err);
    *response = (struct etcd_txn_response){.header = header_of(from->header),
                                           .has_succeeded = from->succeeded,
                                           .results = results,
                                           .count = from->n_responses};
    return true;
}

/* ---- Watch ---- */

static const struct etcd_event *list_events(struct room *room, const Etcdpb__WatchResponse *from)
{
    struct etcd_event *events = take_array(room, from->n_events, sizeof *events);

    for (size_t i = 0; events != NULL && i < from->n_events; i++) {
        if (from->events[i]->kv == NULL)
            return NULL;
        events[i] =
            (struct etcd_event){.is_delete = from->events[i]->type == ETCDPB__EVENT__TYPE__DELETE,
                                .pair = pair_of(from->events[i]->kv)};
    }
    return events;
}

bool etcd_decode_watch(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_watch_response *response, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__WatchResponse *from =
        unpack(&room, &etcdpb__watch_response__descriptor, octets, length);
    const struct etcd_event *events = from == NULL ? NULL : list_events(&room, from);

    if (events == NULL)
        return fail(&room, err);
    *response = (struct etcd_watch_response){.header = header_of(from->header),
                                             .id = from->watch_id,
                                             .is_created = from->created,
                                             .is_canceled = from->canceled,
                                             .is_fragment = from->fragment,
                                             .compact_revision = from->compact_revision,
                                             .reason = from->cancel_reason,
                                             .events = events,
                                             .count = from->n_events};
    return true;
}

/* ---- Lease, Auth ---- */

bool etcd_decode_lease(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_lease_response *response, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__LeaseResponse *from =
        unpack(&room, &etcdpb__lease_response__descriptor, octets, length);

    if (from == NULL)
        return fail(&room, err);
    *response = (struct etcd_lease_response){
        .header = header_of(from->header), .id = from->id, .seconds = from->ttl};
    return true;
}

bool etcd_decode_authenticate(struct arena *arena, const uint8_t *octets, size_t length,
                              struct etcd_authenticate_response *response, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__AuthenticateResponse *from =
        unpack(&room, &etcdpb__authenticate_response__descriptor, octets, length);

    if (from == NULL)
        return fail(&room, err);
    *response = (struct etcd_authenticate_response){.header = header_of(from->header),
                                                    .token = from->token};
    return true;
}

/* ---- Maintenance, Cluster ---- */

bool etcd_decode_status(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_status_response *response, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__StatusResponse *from =
        unpack(&room, &etcdpb__status_response__descriptor, octets, length);

    if (from == NULL)
        return fail(&room, err);
    *response = (struct etcd_status_response){.header = header_of(from->header),
                                              .version = from->version,
                                              .database_octets = from->db_size,
                                              .leader = from->leader};
    return true;
}

bool etcd_decode_members(struct arena *arena, const uint8_t *octets, size_t length,
                         struct etcd_members_response *response, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__MembersResponse *from =
        unpack(&room, &etcdpb__members_response__descriptor, octets, length);
    struct etcd_member *members =
        from == NULL ? NULL : take_array(&room, from->n_members, sizeof *members);

    if (members == NULL)
        return fail(&room, err);
    for (size_t i = 0; i < from->n_members; i++) {
        const Etcdpb__Member *member = from->members[i];
        members[i] = (struct etcd_member){.id = member->id,
                                          .name = member->name,
                                          .client_urls = (const char *const *)member->client_urls,
                                          .client_url_count = member->n_client_urls};
    }
    *response = (struct etcd_members_response){
        .header = header_of(from->header), .members = members, .count = from->n_members};
    return true;
}

bool etcd_decode_header(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_header *header, struct err *err)
{
    struct room room = room_for(arena, length);
    const Etcdpb__HeaderResponse *from =
        unpack(&room, &etcdpb__header_response__descriptor, octets, length);

    if (from == NULL)
        return fail(&room, err);
    *header = header_of(from->header);
    return true;
}
