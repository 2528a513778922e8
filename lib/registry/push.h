#pragma once
/**
 * A push: documents, and what belongs to them, written in transactions that another push cannot
 * slip into.
 *
 *     read config's mod_revision ──► check and plan ──► push_next ──call KV.Txn──► push_note
 *                                                         ▲                          │
 *                                                         └──── PUSH_MORE ───────────┤
 *                                          PUSH_DONE · PUSH_LOST (read and check again) ─┘
 *
 * Each transaction compares the mod_revision of `config` with what the writer has read, and puts
 * `config` itself, so that of two concurrent pushes one is lost, as a whole and without a trace.
 *
 * A transaction has 128 operations at most (etcd's --max-txn-ops) and 1.5 MB (--max-request-bytes).
 * A greater push is written in parts, each with its own `config`, `force` and `release` lines. Each
 * part has to be valid in itself: changes of one group are never parted. A group is, for example,
 * the space that gives a domain away and the one that takes it.
 *
 *     change            operations
 *     document          put z/SPACE (with a canary: next/SPACE)
 *     new space         put z/SPACE, put f/SPACE; compares that f/SPACE is not there
 *     removed space     delete z/SPACE, f/SPACE, next/SPACE and the range d/SPACE/; put force
 *     promoted          put z/SPACE, delete next/SPACE
 *     aborted           delete next/SPACE
 *
 * Sources: etcd's rpc.proto (TxnRequest).
 * Threads: one.  Memory: borrows the request until push_close; messages are its own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "registry/keys.h"

enum {
    PUSH_OPERATIONS_MOST = 128,
    PUSH_OCTETS_MOST = 1500 * 1000, /* of a message; etcd's limit is 1.5 MiB */
    PUSH_DOCUMENT_MOST = 1 << 20,   /* of a document */
    PUSH_TRIES = 5,                 /* how often a lost push is worth being checked again */
};

enum push_action {
    PUSH_PUT,     /* the document is as given */
    PUSH_REMOVE,  /* the space goes, with everything that belongs to it */
    PUSH_PROMOTE, /* the candidate is the document: as given, NULL for a removal */
    PUSH_ABORT,   /* the candidate goes */
    PUSH_RAW,     /* puts `text` to `raw`, or deletes it with NULL */
};

struct push_change {
    enum push_action action;
    const char *space;
    const char *text; /* the document */
    size_t length;
    const char *fixed;          /* f/SPACE of a new space; NULL: it stays */
    bool replaces_fixed;        /* f/SPACE may be there already (a space that is made anew, or that
                                   gets apps) */
    unsigned group;             /* changes of one number stay together; 0: on its own */
    const struct key_text *raw; /* PUSH_RAW */
    uint64_t raw_revision; /* PUSH_RAW: the mod_revision it has to have; 0: that it is not there;
                              UINT64_MAX: any */
};

struct push_request {
    const struct keys *keys;
    const struct push_change *changes;
    size_t change_count;
    bool is_canary;              /* PUSH_PUT and PUSH_REMOVE write next/SPACE only */
    const char *by;              /* USER@HOST */
    const char *at;              /* RFC 3339 */
    const char *what;            /* "push test-space" */
    const char *const *releases; /* names that replicas do not keep back */
    size_t release_count;
    const char *force;          /* why; NULL: the guard of every replica is asked */
    const char *const *accepts; /* spaces, or "all": writes `accept` lines of force */
    size_t accept_count;
    bool leaves_config;     /* neither compares nor writes config: for force, pause and dynos */
    size_t operations_most; /* 0: PUSH_OPERATIONS_MOST */
};

enum push_state {
    PUSH_MORE, /* push_next has another part */
    PUSH_DONE, /* everything is written */
    PUSH_LOST, /* a compare failed: someone else wrote; this part and all after it are not written
                */
};

struct push {
    const struct push_request *request;
    uint64_t config_revision; /* what the next part compares */
    size_t *order;            /* changes, by group */
    size_t next;              /* in order: the first of the next part */
    size_t part_end;          /* in order: after the last of the part under way */
    unsigned parts;           /* written so far */
    uint64_t revision;        /* of the last part that was written; 0: none */
    const void *message;      /* of the part under way */
    size_t length;
    struct arena *arena; /* of the message */
};

/**
 * Begins a push.
 *
 * config_revision  mod_revision of `config` as read, 0 when it was not there
 *
 * Returns false with *err: out of memory, a document above PUSH_DOCUMENT_MOST, or a group above the
 * limits of a transaction, with what to do about it. Call push_close in either case.
 */
bool push_begin(struct push *push, const struct push_request *request, uint64_t config_revision,
                struct err *err);

/** Makes the message of the next part, push->message, for KV.Txn. Returns false without memory. */
bool push_next(struct push *push, struct err *err);

/**
 * Reads the response to push->message. Returns false with *err when it cannot be read; etcd's
 * refusals are the caller's (grpc status).
 */
bool push_note(struct push *push, const void *response, size_t length, enum push_state *state,
               struct err *err);

void push_close(struct push *push);
