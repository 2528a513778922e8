#pragma once
/**
 * How a scripted etcd answers: messages of its API in, messages out, from a store; no HTTP/2.
 *
 * Threads: one.  Memory: answers are the caller's to free; without memory the program ends.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/octets.h"
#include "support/etcd_store.h"

/** A member that answers. */
struct answering {
    struct etcd_store *store;
    uint64_t member;
    int64_t next_watch;
};

/** A watch of a client. */
struct etcd_watching {
    struct etcd_watching *next;
    int32_t stream; /* of HTTP/2 */
    int64_t id;
    struct octets key, end; /* owned */
    int64_t next_revision;  /* that it has not been told */
    bool wants_progress;
};
void watching_free(struct etcd_watching *watch);

struct answer {
    enum etcd_status status;
    const char *text;
    struct octets message; /* to be freed */
};

/** Of all methods but ETCD_WATCH. */
struct answer answer_call(struct answering *answering, enum etcd_method method,
                          struct octets message);

/**
 * A request of a watch's stream: the response, and the watch that it makes (or NULL), or the id of
 * the one that it ends (or -1).
 */
struct octets answer_watch(struct answering *answering, const struct etcd_watching *watches,
                           struct octets message, struct etcd_watching **made, int64_t *canceled);

/** The next revision of a watch; start NULL: nothing has happened. *goes_on is false: it is over.
 */
struct octets answer_events(const struct answering *answering, struct etcd_watching *watch,
                            bool *goes_on);

struct octets answer_progress(const struct answering *answering, const struct etcd_watching *watch);
struct octets answer_canceled(const struct answering *answering, int64_t id,
                              int64_t compact_revision, const char *reason);
