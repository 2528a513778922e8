#include "support/etcd_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd/etcd.pb-c.h"

enum { OPERATIONS_MOST = 128 };

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static struct octets copy(struct octets from)
{
    uint8_t *to = must(malloc(from.length + 1));

    if (from.length > 0)
        memcpy(to, from.start, from.length);
    to[from.length] = 0;
    return (struct octets){.start = to, .length = from.length};
}

static struct octets from_data(ProtobufCBinaryData data)
{
    return (struct octets){.start = data.data, .length = data.len};
}

static ProtobufCBinaryData to_data(struct octets octets)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)octets.start, .len = octets.length};
}

static struct octets pack(const void *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *octets = must(malloc(length + 1));

    protobuf_c_message_pack(message, octets);
    return (struct octets){.start = octets, .length = length};
}

static struct answer reply(const void *message)
{
    return (struct answer){.status = ETCD_OK, .text = "", .message = pack(message)};
}

static struct answer refusal(enum etcd_status status, const char *text)
{
    return (struct answer){.status = status, .text = text};
}

void watching_free(struct etcd_watching *watch)
{
    free((void *)watch->key.start);
    free((void *)watch->end.start);
    free(watch);
}

static Etcdpb__Header header_at(const struct answering *answering, int64_t revision)
{
    Etcdpb__Header header = ETCDPB__HEADER__INIT;

    header.cluster_id = answering->store->cluster;
    header.member_id = answering->member;
    header.revision = revision;
    header.raft_term = answering->store->raft_term;
    return header;
}

/* ---- rights ---- */

/* A range is denied when it overlaps with what is: etcd wants the right on the whole of it. */
static bool is_denied(const struct etcd_store *store, struct octets key, struct octets end)
{
    struct octets denied = store->denied;

    if (denied.length == 0)
        return false;
    if (key.length >= denied.length && memcmp(key.start, denied.start, denied.length) == 0)
        return true;
    return end.length > 0 && etcd_store_is_within(denied, key, end);
}

static const char *const denial = "etcdserver: permission denied";

/* ---- range ---- */

static Etcdpb__Pair *pair_from(const struct etcd_entry *entry, const struct etcd_version *version,
                               bool has_value)
{
    Etcdpb__Pair *pair = must(malloc(sizeof *pair));

    etcdpb__pair__init(pair);
    pair->key = to_data(copy(entry->key));
    if (has_value && version->value.length > 0)
        pair->value = to_data(copy(version->value));
    pair->create_revision = version->create_revision;
    pair->mod_revision = version->mod_revision;
    pair->version = version->version;
    pair->lease = version->lease;
    return pair;
}

/* The revision that reads see: that of a transaction under way, too. */
static int64_t latest(const struct etcd_store *store)
{
    return store->revision + (store->is_committing ? 1 : 0);
}

static Etcdpb__RangeResponse *read_range(const struct etcd_store *store,
                                         const Etcdpb__RangeRequest *request)
{
    Etcdpb__RangeResponse *response = must(malloc(sizeof *response));
    int64_t revision = request->revision > 0 ? request->revision : latest(store);

    etcdpb__range_response__init(response);
    response->kvs = must(malloc((store->entry_count + 1) * sizeof *response->kvs));
    for (size_t i = 0; i < store->entry_count; i++) {
        const struct etcd_entry *entry = store->entries[i];
        const struct etcd_version *version = etcd_store_get(store, entry->key, revision);
        if (version == NULL || !etcd_store_is_within(entry->key, from_data(request->key),
                                                     from_data(request->range_end)))
            continue;
        response->count++;
        if (request->count_only)
            continue;
        if (request->limit > 0 && (int64_t)response->n_kvs == request->limit)
            response->more = true;
        else
            response->kvs[response->n_kvs++] = pair_from(entry, version, !request->keys_only);
    }
    return response;
}

static struct answer answer_range(const struct answering *answering, struct octets message)
{
    const struct etcd_store *store = answering->store;
    Etcdpb__RangeRequest *request =
        must(etcdpb__range_request__unpack(NULL, message.length, message.start));
    Etcdpb__Header header = header_at(answering, store->revision);
    struct answer answer;

    if (is_denied(store, from_data(request->key), from_data(request->range_end))) {
        answer = refusal(ETCD_PERMISSION_DENIED, denial);
    } else if (store->has_no_leader && !request->serializable) {
        answer = refusal(ETCD_UNAVAILABLE, "etcdserver: request timed out");
    } else if (request->revision > store->revision) {
        answer =
            refusal(ETCD_OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision");
    } else if (request->revision > 0 && request->revision < store->compacted) {
        answer =
            refusal(ETCD_OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
    } else {
        Etcdpb__RangeResponse *response = read_range(store, request);
        response->header = &header;
        answer = reply(response);
        response->header = NULL;
        etcdpb__range_response__free_unpacked(response, NULL);
    }
    etcdpb__range_request__free_unpacked(request, NULL);
    return answer;
}

/* ---- changes ---- */

static struct answer answer_put(struct answering *answering, struct octets message)
{
    struct etcd_store *store = answering->store;
    Etcdpb__PutRequest *request =
        must(etcdpb__put_request__unpack(NULL, message.length, message.start));
    Etcdpb__PutResponse response = ETCDPB__PUT_RESPONSE__INIT;
    struct answer answer = refusal(ETCD_PERMISSION_DENIED, denial);

    if (!is_denied(store, from_data(request->key), (struct octets){.length = 0})) {
        etcd_store_put_octets(store, from_data(request->key), from_data(request->value),
                              request->lease);
        Etcdpb__Header header = header_at(answering, store->revision);
        response.header = &header;
        answer = reply(&response);
    }
    etcdpb__put_request__free_unpacked(request, NULL);
    return answer;
}

static struct answer answer_delete(struct answering *answering, struct octets message)
{
    struct etcd_store *store = answering->store;
    Etcdpb__DeleteRequest *request =
        must(etcdpb__delete_request__unpack(NULL, message.length, message.start));
    Etcdpb__DeleteResponse response = ETCDPB__DELETE_RESPONSE__INIT;
    struct answer answer = refusal(ETCD_PERMISSION_DENIED, denial);

    if (!is_denied(store, from_data(request->key), from_data(request->range_end))) {
        response.deleted =
            etcd_store_delete_octets(store, from_data(request->key), from_data(request->range_end));
        Etcdpb__Header header = header_at(answering, store->revision);
        response.header = &header;
        answer = reply(&response);
    }
    etcdpb__delete_request__free_unpacked(request, NULL);
    return answer;
}

/* ---- transactions ---- */

static int order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int order_of_version(const Etcdpb__Compare *compare, const struct etcd_version *version)
{
    static const struct etcd_version absent;
    const struct etcd_version *is = version != NULL ? version : &absent;

    switch (compare->target) {
    case ETCDPB__COMPARE__TARGET__VERSION:
        return order_of(is->version, compare->version);
    case ETCDPB__COMPARE__TARGET__CREATE:
        return order_of(is->create_revision, compare->create_revision);
    case ETCDPB__COMPARE__TARGET__MOD:
        return order_of(is->mod_revision, compare->mod_revision);
    default: { /* VALUE, for texts */
        size_t shorter =
            is->value.length < compare->value.len ? is->value.length : compare->value.len;
        int order = shorter == 0 ? 0 : memcmp(is->value.start, compare->value.data, shorter);
        return order != 0 ? order
                          : order_of((int64_t)is->value.length, (int64_t)compare->value.len);
    }
    }
}

static bool compare_holds(const Etcdpb__Compare *compare, const struct etcd_version *version)
{
    int order = order_of_version(compare, version);

    if (version == NULL && compare->target == ETCDPB__COMPARE__TARGET__VALUE)
        return false;
    switch (compare->result) {
    case ETCDPB__COMPARE__RESULT__EQUAL:
        return order == 0;
    case ETCDPB__COMPARE__RESULT__GREATER:
        return order > 0;
    case ETCDPB__COMPARE__RESULT__LESS:
        return order < 0;
    default: /* NOT_EQUAL */
        return order != 0;
    }
}

static bool holds(const struct etcd_store *store, const Etcdpb__Compare *compare)
{
    struct octets key = from_data(compare->key), end = from_data(compare->range_end);

    if (end.length == 0)
        return compare_holds(compare, etcd_store_get(store, key, store->revision));
    for (size_t i = 0; i < store->entry_count; i++) {
        const struct etcd_version *version =
            etcd_store_get(store, store->entries[i]->key, store->revision);
        if (version != NULL && etcd_store_is_within(store->entries[i]->key, key, end) &&
            !compare_holds(compare, version))
            return false;
    }
    return true;
}

/* A key that is put twice, or put and deleted. */
static bool has_duplicate(Etcdpb__Operation *const *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            const Etcdpb__Operation *a = operations[i], *b = operations[j];
            if (i == j || a->request_case != ETCDPB__OPERATION__REQUEST_PUT)
                continue;
            struct octets key = from_data(a->put->key);
            if (b->request_case == ETCDPB__OPERATION__REQUEST_PUT &&
                octets_are_same(key, from_data(b->put->key)))
                return true;
            if (b->request_case == ETCDPB__OPERATION__REQUEST_DELETE_RANGE &&
                etcd_store_is_within(key, from_data(b->delete_range->key),
                                     from_data(b->delete_range->range_end)))
                return true;
        }
    return false;
}

static bool has_denied(const struct etcd_store *store, Etcdpb__Operation *const *operations,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const Etcdpb__Operation *operation = operations[i];
        struct octets key = {.length = 0}, end = {.length = 0};
        if (operation->request_case == ETCDPB__OPERATION__REQUEST_PUT) {
            key = from_data(operation->put->key);
        } else if (operation->request_case == ETCDPB__OPERATION__REQUEST_RANGE) {
            key = from_data(operation->range->key);
            end = from_data(operation->range->range_end);
        } else {
            key = from_data(operation->delete_range->key);
            end = from_data(operation->delete_range->range_end);
        }
        if (is_denied(store, key, end))
            return true;
    }
    return false;
}

static Etcdpb__Result *perform(struct etcd_store *store, const Etcdpb__Operation *operation)
{
    Etcdpb__Result *result = must(malloc(sizeof *result));

    etcdpb__result__init(result);
    if (operation->request_case == ETCDPB__OPERATION__REQUEST_PUT) {
        etcd_store_put_octets(store, from_data(operation->put->key),
                              from_data(operation->put->value), operation->put->lease);
        result->response_case = ETCDPB__RESULT__RESPONSE_PUT;
        result->put = must(malloc(sizeof *result->put));
        etcdpb__put_response__init(result->put);
    } else if (operation->request_case == ETCDPB__OPERATION__REQUEST_RANGE) {
        result->response_case = ETCDPB__RESULT__RESPONSE_RANGE;
        result->range = read_range(store, operation->range);
    } else {
        result->response_case = ETCDPB__RESULT__RESPONSE_DELETE_RANGE;
        result->delete_range = must(malloc(sizeof *result->delete_range));
        etcdpb__delete_response__init(result->delete_range);
        result->delete_range->deleted =
            etcd_store_delete_octets(store, from_data(operation->delete_range->key),
                                     from_data(operation->delete_range->range_end));
    }
    return result;
}

static struct answer perform_all(struct answering *answering, bool has_succeeded,
                                 Etcdpb__Operation *const *operations, size_t count)
{
    struct etcd_store *store = answering->store;
    Etcdpb__TxnResponse *response = must(malloc(sizeof *response));
    struct answer answer;

    etcdpb__txn_response__init(response);
    response->responses = must(malloc((count + 1) * sizeof *response->responses));
    etcd_store_begin(store);
    for (; response->n_responses < count; response->n_responses++)
        response->responses[response->n_responses] =
            perform(store, operations[response->n_responses]);
    etcd_store_commit(store);
    Etcdpb__Header header = header_at(answering, store->revision);
    response->header = &header;
    response->succeeded = has_succeeded;
    answer = reply(response);
    response->header = NULL;
    etcdpb__txn_response__free_unpacked(response, NULL);
    return answer;
}

static struct answer answer_txn(struct answering *answering, struct octets message)
{
    const struct etcd_store *store = answering->store;
    Etcdpb__TxnRequest *request =
        must(etcdpb__txn_request__unpack(NULL, message.length, message.start));
    bool has_succeeded = true;
    struct answer answer;

    for (size_t i = 0; i < request->n_compare; i++)
        has_succeeded = has_succeeded && holds(store, request->compare[i]);
    if (request->n_compare > OPERATIONS_MOST || request->n_success > OPERATIONS_MOST ||
        request->n_failure > OPERATIONS_MOST)
        answer = refusal(ETCD_INVALID_ARGUMENT, "etcdserver: too many operations in txn request");
    else if (has_duplicate(request->success, request->n_success) ||
             has_duplicate(request->failure, request->n_failure))
        answer = refusal(ETCD_INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request");
    else if (has_denied(store, request->success, request->n_success) ||
             has_denied(store, request->failure, request->n_failure))
        answer = refusal(ETCD_PERMISSION_DENIED, denial);
    else if (has_succeeded)
        answer = perform_all(answering, true, request->success, request->n_success);
    else
        answer = perform_all(answering, false, request->failure, request->n_failure);
    etcdpb__txn_request__free_unpacked(request, NULL);
    return answer;
}

/* ---- the other methods ---- */

static struct answer answer_header(const struct answering *answering)
{
    Etcdpb__Header header = header_at(answering, answering->store->revision);
    Etcdpb__HeaderResponse response = ETCDPB__HEADER_RESPONSE__INIT;

    response.header = &header;
    return reply(&response);
}

static struct answer answer_compact(struct answering *answering, struct octets message)
{
    struct etcd_store *store = answering->store;
    Etcdpb__CompactRequest *request =
        must(etcdpb__compact_request__unpack(NULL, message.length, message.start));
    int64_t revision = request->revision;

    etcdpb__compact_request__free_unpacked(request, NULL);
    if (revision > store->revision)
        return refusal(ETCD_OUT_OF_RANGE,
                       "etcdserver: mvcc: required revision is a future revision");
    if (revision <= store->compacted)
        return refusal(ETCD_OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
    etcd_store_compact(store, revision);
    return answer_header(answering);
}

static struct answer answer_lease(struct answering *answering, enum etcd_method method,
                                  struct octets message)
{
    Etcdpb__LeaseResponse response = ETCDPB__LEASE_RESPONSE__INIT;
    Etcdpb__Header header = header_at(answering, answering->store->revision);

    response.header = &header;
    if (method == ETCD_LEASE_GRANT) {
        Etcdpb__LeaseGrantRequest *request =
            must(etcdpb__lease_grant_request__unpack(NULL, message.length, message.start));
        response.id = request->id > 0 ? request->id : answering->store->next_lease++;
        response.ttl = request->ttl;
        etcdpb__lease_grant_request__free_unpacked(request, NULL);
        return reply(&response);
    }
    Etcdpb__LeaseRequest *request =
        must(etcdpb__lease_request__unpack(NULL, message.length, message.start));
    response.id = request->id;
    etcdpb__lease_request__free_unpacked(request, NULL);
    if (method == ETCD_LEASE_REVOKE) {
        etcd_store_expire_lease(answering->store, response.id);
        return answer_header(answering);
    }
    response.ttl = 60;
    return reply(&response);
}

static struct answer answer_authenticate(const struct answering *answering, struct octets message)
{
    const struct etcd_store *store = answering->store;
    Etcdpb__AuthenticateRequest *request =
        must(etcdpb__authenticate_request__unpack(NULL, message.length, message.start));
    Etcdpb__AuthenticateResponse response = ETCDPB__AUTHENTICATE_RESPONSE__INIT;
    Etcdpb__Header header = header_at(answering, store->revision);
    bool is_right = store->user != NULL && strcmp(request->name, store->user) == 0 &&
                    strcmp(request->password, store->password) == 0;
    char token[64];

    etcdpb__authenticate_request__free_unpacked(request, NULL);
    if (store->user == NULL)
        return refusal(ETCD_FAILED_PRECONDITION, "etcdserver: authentication is not enabled");
    if (!is_right)
        return refusal(ETCD_INVALID_ARGUMENT,
                       "etcdserver: authentication failed, invalid user ID or password");
    snprintf(token, sizeof token, "token-%u", store->token);
    response.header = &header;
    response.token = token;
    return reply(&response);
}

static struct answer answer_status(const struct answering *answering)
{
    Etcdpb__StatusResponse response = ETCDPB__STATUS_RESPONSE__INIT;
    Etcdpb__Header header = header_at(answering, answering->store->revision);

    response.header = &header;
    response.version = (char *)answering->store->version;
    response.db_size = 20480;
    response.leader = answering->store->has_no_leader ? 0 : answering->member;
    return reply(&response);
}

static struct answer answer_members(const struct answering *answering)
{
    Etcdpb__MembersResponse response = ETCDPB__MEMBERS_RESPONSE__INIT;
    Etcdpb__Member member = ETCDPB__MEMBER__INIT, *list = &member;
    Etcdpb__Header header = header_at(answering, answering->store->revision);
    char url[] = "http://127.0.0.1:2379", name[] = "default", *urls = url;

    response.header = &header;
    response.n_members = 1;
    response.members = &list;
    member.id = answering->member;
    member.name = name;
    member.n_client_urls = 1;
    member.client_urls = &urls;
    return reply(&response);
}

struct answer answer_call(struct answering *answering, enum etcd_method method,
                          struct octets message)
{
    switch (method) {
    case ETCD_RANGE:
        return answer_range(answering, message);
    case ETCD_PUT:
        return answer_put(answering, message);
    case ETCD_DELETE:
        return answer_delete(answering, message);
    case ETCD_TXN:
        return answer_txn(answering, message);
    case ETCD_COMPACT:
        return answer_compact(answering, message);
    case ETCD_LEASE_GRANT:
    case ETCD_LEASE_KEEP_ALIVE:
    case ETCD_LEASE_REVOKE:
        return answer_lease(answering, method, message);
    case ETCD_AUTHENTICATE:
        return answer_authenticate(answering, message);
    case ETCD_STATUS:
        return answer_status(answering);
    case ETCD_MEMBERS:
        return answer_members(answering);
    case ETCD_AUTH_ENABLE:
    case ETCD_USER_ADD:
    case ETCD_USER_GRANT_ROLE:
    case ETCD_ROLE_ADD:
    case ETCD_ROLE_GRANT:
        return answer_header(answering);
    case ETCD_WATCH:
        break;
    }
    abort();
}

/* ---- watches ---- */

static struct octets watch_response(const struct answering *answering, int64_t revision,
                                    Etcdpb__WatchResponse *response)
{
    Etcdpb__Header header = header_at(answering, revision);

    response->header = &header;
    struct octets packed = pack(response);
    response->header = NULL;
    return packed;
}

struct octets answer_canceled(const struct answering *answering, int64_t id,
                              int64_t compact_revision, const char *reason)
{
    Etcdpb__WatchResponse response = ETCDPB__WATCH_RESPONSE__INIT;

    response.watch_id = id;
    response.canceled = true;
    response.compact_revision = compact_revision;
    response.cancel_reason = (char *)(reason == NULL ? "" : reason);
    return watch_response(answering, answering->store->revision, &response);
}

struct octets answer_progress(const struct answering *answering, const struct etcd_watching *watch)
{
    Etcdpb__WatchResponse response = ETCDPB__WATCH_RESPONSE__INIT;

    response.watch_id = watch->id;
    return watch_response(answering, answering->store->revision, &response);
}

static bool is_taken(const struct etcd_watching *watches, int64_t id)
{
    for (; watches != NULL; watches = watches->next)
        if (watches->id == id)
            return true;
    return false;
}

/* As etcd, an unknown key is no error, and a revision to come is none, either. */
static struct octets create_watch(struct answering *answering, const struct etcd_watching *watches,
                                  const Etcdpb__WatchCreate *create, struct etcd_watching **made)
{
    Etcdpb__WatchResponse response = ETCDPB__WATCH_RESPONSE__INIT;
    const struct etcd_store *store = answering->store;

    response.created = true;
    response.watch_id = create->watch_id;
    if (is_denied(store, from_data(create->key), from_data(create->range_end))) {
        response.watch_id = -1;
        response.canceled = true;
        response.cancel_reason = (char *)denial;
        return watch_response(answering, store->revision, &response);
    }
    while (response.watch_id == 0 || is_taken(watches, response.watch_id))
        response.watch_id = answering->next_watch++;
    struct etcd_watching *watch = must(calloc(1, sizeof *watch));
    *watch = (struct etcd_watching){
        .id = response.watch_id,
        .key = copy(from_data(create->key)),
        .end = copy(from_data(create->range_end)),
        .next_revision = create->start_revision > 0 ? create->start_revision : store->revision + 1,
        .wants_progress = create->progress_notify,
    };
    *made = watch;
    return watch_response(answering, store->revision, &response);
}

struct octets answer_watch(struct answering *answering, const struct etcd_watching *watches,
                           struct octets message, struct etcd_watching **made, int64_t *canceled)
{
    Etcdpb__WatchRequest *request =
        must(etcdpb__watch_request__unpack(NULL, message.length, message.start));
    struct octets response = {.start = NULL};

    *canceled = -1;
    if (request->request_case == ETCDPB__WATCH_REQUEST__REQUEST_CREATE) {
        response = create_watch(answering, watches, request->create, made);
    } else if (request->request_case == ETCDPB__WATCH_REQUEST__REQUEST_CANCEL) {
        *canceled = request->cancel->watch_id;
        response = answer_canceled(answering, *canceled, 0, "");
    }
    etcdpb__watch_request__free_unpacked(request, NULL);
    return response;
}

static const struct etcd_version *find_version(const struct etcd_change *change)
{
    for (size_t i = 0; i < change->entry->count; i++)
        if (change->entry->versions[i].mod_revision == change->mod_revision)
            return &change->entry->versions[i];
    return NULL;
}

/* The first revision from the watch's next one that changed a key of it; 0: none. */
static int64_t next_change(const struct etcd_store *store, const struct etcd_watching *watch)
{
    for (size_t i = 0; i < store->change_count; i++) {
        const struct etcd_change *change = &store->changes[i];
        if (change->revision >= watch->next_revision && change->revision <= store->revision &&
            etcd_store_is_within(change->entry->key, watch->key, watch->end))
            return change->revision;
    }
    return 0;
}

static Etcdpb__Event *event_from(const struct etcd_change *change)
{
    const struct etcd_version *version = must((void *)find_version(change));
    Etcdpb__Event *event = must(malloc(sizeof *event));

    etcdpb__event__init(event);
    event->type = version->is_delete ? ETCDPB__EVENT__TYPE__DELETE : ETCDPB__EVENT__TYPE__PUT;
    event->kv = pair_from(change->entry, version, true);
    return event;
}

struct octets answer_events(const struct answering *answering, struct etcd_watching *watch,
                            bool *goes_on)
{
    const struct etcd_store *store = answering->store;
    int64_t revision = next_change(store, watch);
    Etcdpb__WatchResponse *response;

    *goes_on = true;
    if (watch->next_revision < store->compacted && watch->next_revision <= store->revision) {
        *goes_on = false;
        return answer_canceled(answering, watch->id, store->compacted, "");
    }
    if (revision == 0)
        return (struct octets){.start = NULL};
    response = must(malloc(sizeof *response));
    etcdpb__watch_response__init(response);
    response->watch_id = watch->id;
    response->events = must(malloc(store->change_count * sizeof *response->events));
    for (size_t i = 0; i < store->change_count; i++)
        if (store->changes[i].revision == revision &&
            etcd_store_is_within(store->changes[i].entry->key, watch->key, watch->end))
            response->events[response->n_events++] = event_from(&store->changes[i]);
    watch->next_revision = revision + 1;
    struct octets packed = watch_response(answering, revision, response);
    etcdpb__watch_response__free_unpacked(response, NULL);
    return packed;
}
