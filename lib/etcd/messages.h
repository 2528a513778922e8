#pragma once
/**
 * Messages of etcd's API, version 3: requests as octets, and octets of responses as plain structs.
 *
 *     const struct etcd_range range = {.key = octets_of("a")};
 *     struct octets request = etcd_encode_range(arena, &range);
 *     ... etcd_connection_call(connection, ETCD_RANGE, request.start, request.length, false) ...
 *     struct etcd_range_response response;
 *     if (etcd_decode_range(arena, octets, length, &response, &err)) ...
 *
 * Requests and decoded responses live in the caller's arena, so that one arena for a call (or an
 * event) holds all that belongs to it. A request that is encoded borrows nothing afterwards.
 *
 * Decoding believes no length in the octets: a response takes at most DECODED_OCTETS_PER_OCTET
 * times its own length, and DECODED_OCTETS_LEAST. What a newer etcd adds is passed over.
 *
 * Revisions are positive; 0 stands for none.
 *
 * A build without the registry (without/) encodes and decodes nothing.
 *
 * Sources: etcd's rpc.proto, kv.proto and auth.proto; etcd.proto beside this file has the parts
 *          that we use, with their field numbers.
 * Threads: pure functions.  Memory: the arena's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/octets.h"
#include "etcd/method.h"

enum { DECODED_OCTETS_PER_OCTET = 32, DECODED_OCTETS_LEAST = 64 << 10 };

/* ---- keys ---- */

/**
 * The key just behind all that begin with `prefix`: its last octet below 0xff plus one, and nothing
 * after it. "\0", which stands for all keys from here on, if there is none. Empty without memory.
 */
struct octets etcd_prefix_end(struct arena *arena, struct octets prefix);

/** One key with its value, as it was at the header's (or event's) revision. */
struct etcd_pair {
    struct octets key;
    struct octets value;
    int64_t create_revision;
    int64_t mod_revision;
    int64_t version; /* changes since it was created, 1 for the first; 0: the key is gone */
    int64_t lease;   /* 0: none */
};

/** Who answers, and at which revision of the whole store. */
struct etcd_header {
    uint64_t cluster;
    uint64_t member;
    int64_t revision;
    uint64_t raft_term;
};

/* ---- requests: octets whose start is NULL say that there is no memory ---- */

/** All keys from `key` up to but not including `end`; an empty `end`: the one key. */
struct etcd_range {
    struct octets key;
    struct octets end;
    int64_t limit;        /* pairs at most; 0: all */
    int64_t revision;     /* as of which; 0: now */
    bool is_serializable; /* the member answers alone: works without quorum, may be behind */
    bool keys_only;
    bool count_only;
};
struct octets etcd_encode_range(struct arena *arena, const struct etcd_range *range);

struct etcd_put {
    struct octets key;
    struct octets value;
    int64_t lease;
};
struct octets etcd_encode_put(struct arena *arena, const struct etcd_put *put);

struct etcd_delete {
    struct octets key;
    struct octets end;
};
struct octets etcd_encode_delete(struct arena *arena, const struct etcd_delete *removal);

/* Their numbers are etcd's. */
enum etcd_compare_target { ETCD_VERSION, ETCD_CREATE, ETCD_MOD, ETCD_VALUE };
enum etcd_compare_result { ETCD_EQUAL, ETCD_GREATER, ETCD_LESS, ETCD_NOT_EQUAL };

/** "The mod_revision of this key is less than 17." A key that is not there has 0 in all three. */
struct etcd_compare {
    struct octets key;
    struct octets end; /* holds for each of these keys; empty: the one key */
    enum etcd_compare_target target;
    enum etcd_compare_result result;
    int64_t number;      /* unless the target is ETCD_VALUE */
    struct octets value; /* if it is */
};

enum etcd_operation_kind { ETCD_DO_RANGE, ETCD_DO_PUT, ETCD_DO_DELETE };

struct etcd_operation {
    enum etcd_operation_kind kind;
    union {
        struct etcd_range range;
        struct etcd_put put;
        struct etcd_delete removal;
    };
};

/** If all compares hold, the first operations are done, else the others; in one revision. */
struct etcd_txn {
    const struct etcd_compare *compares;
    size_t compare_count;
    const struct etcd_operation *success;
    size_t success_count;
    const struct etcd_operation *failure;
    size_t failure_count;
};
struct octets etcd_encode_txn(struct arena *arena, const struct etcd_txn *txn);

/** `is_physical`: the reply comes when the space is free for a defragmentation. */
struct octets etcd_encode_compact(struct arena *arena, int64_t revision, bool is_physical);

/** Never asks for fragments, which cost etcd 3.4 quadratic time, nor for previous values. */
struct etcd_watch {
    struct octets key;
    struct octets end;
    int64_t start_revision; /* the first that is told; 0: what comes from now on */
    int64_t id;             /* ours to choose, different on one stream; 0: etcd chooses */
    bool wants_progress;    /* an empty response now and then, when nothing happens */
};
struct octets etcd_encode_watch(struct arena *arena, const struct etcd_watch *watch);
struct octets etcd_encode_watch_cancel(struct arena *arena, int64_t id);

/** `id` 0: etcd chooses. */
struct octets etcd_encode_lease_grant(struct arena *arena, int64_t seconds, int64_t id);
struct octets etcd_encode_lease_keep_alive(struct arena *arena, int64_t id);
struct octets etcd_encode_lease_revoke(struct arena *arena, int64_t id);

struct octets etcd_encode_authenticate(struct arena *arena, const char *user, const char *password);

enum etcd_permission { ETCD_READ, ETCD_WRITE, ETCD_READ_WRITE }; /* etcd's numbers */

/** Without a password (NULL) the user logs in by the common name of a certificate alone. */
struct octets etcd_encode_user_add(struct arena *arena, const char *user, const char *password);
struct octets etcd_encode_user_grant_role(struct arena *arena, const char *user, const char *role);
struct octets etcd_encode_role_add(struct arena *arena, const char *role);
struct octets etcd_encode_role_grant(struct arena *arena, const char *role,
                                     enum etcd_permission permission, struct octets key,
                                     struct octets end);

/** For ETCD_AUTH_ENABLE, ETCD_STATUS and ETCD_MEMBERS, whose requests are empty. */
struct octets etcd_encode_nothing(void);

/* ---- responses: false with a sentence in *err when the octets are no such message ---- */

struct etcd_range_response {
    struct etcd_header header;
    const struct etcd_pair *pairs; /* by key */
    size_t count;
    bool has_more;    /* the limit left some out */
    int64_t in_range; /* all keys of the range, those left out included */
};
bool etcd_decode_range(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_range_response *response, struct err *err);

struct etcd_delete_response {
    struct etcd_header header;
    int64_t deleted;
};
bool etcd_decode_delete(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_delete_response *response, struct err *err);

/** What one operation of a transaction did. */
struct etcd_result {
    enum etcd_operation_kind kind;
    struct etcd_range_response range; /* of ETCD_DO_RANGE */
    int64_t deleted;                  /* of ETCD_DO_DELETE */
};

struct etcd_txn_response {
    struct etcd_header header;
    bool has_succeeded; /* all compares held */
    const struct etcd_result *results;
    size_t count;
};
bool etcd_decode_txn(struct arena *arena, const uint8_t *octets, size_t length,
                     struct etcd_txn_response *response, struct err *err);

struct etcd_event {
    bool is_delete;
    struct etcd_pair pair; /* of a deletion: the key, and in mod_revision the revision */
};

/**
 * Looked at in this order: is_canceled (a watch that is refused is created and canceled at once),
 * is_created, events. No event and neither of these: progress up to the header's revision.
 */
struct etcd_watch_response {
    struct etcd_header header;
    int64_t id;
    bool is_created;
    bool is_canceled;
    bool is_fragment; /* the revision goes on in the next response */
    int64_t
        compact_revision; /* of a watch that wanted what history does not have any more, else 0 */
    const char *reason;   /* of the cancellation; "" if none is given. Not escaped */
    const struct etcd_event *events;
    size_t count;
};
bool etcd_decode_watch(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_watch_response *response, struct err *err);

/** Of a grant and a keep-alive. */
struct etcd_lease_response {
    struct etcd_header header;
    int64_t id;
    int64_t seconds; /* 0: the lease is not there any more */
};
bool etcd_decode_lease(struct arena *arena, const uint8_t *octets, size_t length,
                       struct etcd_lease_response *response, struct err *err);

struct etcd_authenticate_response {
    struct etcd_header header;
    const char *token;
};
bool etcd_decode_authenticate(struct arena *arena, const uint8_t *octets, size_t length,
                              struct etcd_authenticate_response *response, struct err *err);

struct etcd_status_response {
    struct etcd_header header;
    const char *version; /* "3.4.23" */
    int64_t database_octets;
    uint64_t leader; /* the member's id; 0: none */
};
bool etcd_decode_status(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_status_response *response, struct err *err);

struct etcd_member {
    uint64_t id;
    const char *name;
    const char *const *client_urls;
    size_t client_url_count;
};

struct etcd_members_response {
    struct etcd_header header;
    const struct etcd_member *members;
    size_t count;
};
bool etcd_decode_members(struct arena *arena, const uint8_t *octets, size_t length,
                         struct etcd_members_response *response, struct err *err);

/** Of all other methods: the header is all they have. */
bool etcd_decode_header(struct arena *arena, const uint8_t *octets, size_t length,
                        struct etcd_header *header, struct err *err);
