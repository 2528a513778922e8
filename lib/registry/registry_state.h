#pragma once
/**
 * What a registry is made of; for the files registry*.c alone.
 *
 *     registry.c           the owner's calls, and what it is told
 *     registry_actions.c   what follow decides
 *     registry_responses.c what comes from the member
 *     registry_calls.c     the calls under way: made, found again by their number, canceled
 *     registry_read.c      full reads
 *     registry_audit.c     audits, texts that are missing
 *     registry_take.c      changes for the owner, and what is saved
 *     registry_announce.c  ROOT-replicas/CELL/SERVER
 *     registry_identity.c  whether it is the cell that is known
 *     registry_status.c    what people are told
 *
 * Threads, memory: registry.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "config/registry_endpoint.h"
#include "etcd/connection.h"
#include "etcd/messages.h"
#include "registry/disk.h"
#include "registry/follow.h"
#include "registry/keys.h"
#include "registry/mirror.h"
#include "registry/registry.h"

enum {
    CALLS_MOST = 32,
    READ_AT_ONCE = 16, /* ranges of dynos */
    PAGE_LEAST = 16,   /* pairs */
    PAGE_FIRST = 100,
    PAGE_MOST = 500,
    PAGE_OCTETS = 8 << 20, /* what a page should have */
    AUDIT_DAY_MS = 24 * 60 * 60 * 1000,
    AUDIT_LEAST_MS = 2000,
    AUDIT_MOST_MS = 60 * 1000,
    AUDIT_REPLY_MS = 30 * 1000,
    ANNOUNCE_MS = 20 * 1000,
    ANNOUNCE_SOON_MS = 2000,  /* after documents were taken, spread over the replicas */
    ANNOUNCE_LEAST_MS = 5000, /* between two announcements */
    ANNOUNCE_WAITS_MS = 5000, /* changes that wait for so long are told */
    LEASE_SECONDS = 60,
    MISSING_MS = 1000,
};

enum call_kind {
    CALL_NONE,
    CALL_LOGIN,
    CALL_META,
    CALL_STATUS,
    CALL_PAGE,
    CALL_DYNOS, /* index: of the range */
    CALL_WATCH,
    CALL_AUDIT_DOCUMENT,
    CALL_AUDIT_NAMES,
    CALL_AUDIT_DYNOS,
    CALL_MISSING,
    CALL_LEASE,
    CALL_KEEP,
    CALL_ANNOUNCE,
};

struct call {
    uint32_t number;
    enum call_kind kind;
    size_t index;
    bool is_answered; /* a message has come for it */
};

/** A full read under way. */
struct reading {
    bool is_active;
    uint64_t revision;
    struct key_range *pages; /* ranges that are read in pages, one after the other */
    size_t page_count, page;
    struct key_text cursor; /* where the next page begins */
    bool has_cursor;
    int64_t limit;
    char **spaces; /* of the ranges of dynos, in the order of their keys; NULL: not known yet */
    size_t space_count;
    size_t range_next, range_done; /* of space_count + 1 ranges, or of space_count if selected */
};

/** An audit under way: two ranges of one space. */
struct audit {
    bool is_active;
    uint64_t revision;
    bool has_document;
    struct arena *arena; /* of the document's response */
    struct etcd_range_response document;
    uint64_t due_ms;  /* until when a reply is waited for */
    size_t left;      /* of the audits that were asked for */
    uint64_t next_ms; /* of the next one */
};

struct announcing {
    int64_t lease; /* 0: none */
    uint64_t next_ms;
    uint64_t last_ms; /* when the last one was begun */
    bool is_denied;
};

struct kept_list {
    struct registry_kept *items;
    size_t count;
};

struct registry {
    struct registry_options options;
    char **endpoints;
    char *user, *password, *server_id, *version, *state_path, *cell;
    struct registry_port port;
    struct registry_listener listener;
    struct keys keys;
    struct random_source random;

    struct follow follow;
    struct mirror mirror;
    struct etcd_connection *connection; /* NULL: none is open */
    struct registry_endpoint endpoint;  /* of the connection; borrowed by it */
    bool is_receiving;                  /* within etcd_connection_receive: it is not freed */
    struct call calls[CALLS_MOST];
    struct reading reading;
    struct audit audit;
    struct announcing announcing;
    uint64_t now_ms; /* of the call under way */

    struct disk_fit disk_fit;
    struct mirror_bad bad_keys[REGISTRY_BAD_MOST];
    struct registry_bad bad[REGISTRY_BAD_MOST]; /* of the status */
    bool is_partial;                            /* what is known is of other settings, on disk */
    bool is_foreign; /* what is on disk is of another root: it has to be asked for its id */
    char foreign_id[FOLLOW_ID_OCTETS];
    bool is_known;                /* there is something to load: the disk's, or a full read */
    bool is_notified;             /* on_change was called, and nothing was taken since */
    uint64_t word_ms;             /* when the member of the watch last said something; 0: never */
    uint64_t beat_ms;             /* when the last beat came; 0: never */
    int64_t lag_ms;               /* of it */
    uint64_t missing_ms;          /* when missing texts are looked for */
    struct follow_position taken; /* position of the take under way */
    struct follow_position in_force;
    uint64_t took_ms;        /* when the last take began */
    uint64_t waits_since_ms; /* since when changes wait to be in force, at most; 0: none do */
    bool is_saved;           /* the disk has in_force */
    bool is_saving;
    bool is_save_failing; /* which is notified once */
    struct kept_list kept;
    uint64_t audits, differences, events, responses;
    struct err disk_problem;
    char text[FOLLOW_TEXT_OCTETS]; /* of the status */
};

/* ---- registry_identity.c ---- */

/** The answer to the greeting. */
void registry_on_meta(struct registry *registry, const struct etcd_range_response *response);

/** Looks whether the events of a response have changed the id of the cell: the last one that names
 * it counts. */
void registry_look_for_meta(struct registry *registry, const struct etcd_event *events,
                            size_t count);

/** True when the response deletes what the cell is known by: nothing of it is applied. */
bool registry_loses_meta(struct registry *registry, const struct etcd_watch_response *response);

/** Writes what is to be known about a state of other settings to registry->text. */
void registry_write_partial(struct registry *registry);
void registry_write_foreign(struct registry *registry);

/* ---- registry_status.c ---- */

/** Writes registry->text if the cell has no key at all; false: it has. */
bool registry_write_missing(struct registry *registry);

/* ---- registry_calls.c ---- */

/** Makes a call; false: it could not be made, and the connection is given up. */
bool registry_call(struct registry *registry, enum call_kind kind, size_t index,
                   enum etcd_method method, struct octets message);

/** Makes a range call. `end` NULL: of one key. */
struct range_call {
    const struct key_text *begin;
    const struct key_text *end;
    uint64_t revision;
    int64_t limit;
    bool is_linearizable;
    bool keys_only;
};
bool registry_call_range(struct registry *registry, enum call_kind kind, size_t index,
                         const struct range_call *range);

/** The call of a number; NULL: it was canceled. */
struct call *registry_find_call(struct registry *registry, uint32_t number);

/** Cancels all calls of these kinds, from `first` to `last`. */
void registry_cancel_calls(struct registry *registry, enum call_kind first, enum call_kind last);
bool registry_has_call(const struct registry *registry, enum call_kind kind);

/* ---- registry.c ---- */

void registry_notify(struct registry *registry, enum registry_event_kind kind, bool is_problem,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

void registry_notify_text(struct registry *registry, enum registry_event_kind kind, bool is_problem,
                          const char *text);

void registry_close_connection(struct registry *registry);

/** An empty mirror. Returns false with *err. */
bool registry_init_mirror(struct registry *registry, struct err *err);

/** Ends what a response has put and deleted: findings, holds, on_change. */
void registry_finish(struct registry *registry);

/* ---- registry_actions.c ---- */

/** Ends every call from outside: what was decided is done, what waits is sent. */
void registry_act(struct registry *registry);

/* ---- registry_responses.c ---- */

/** Speaks to the member whose endpoint has been opened. */
bool registry_make_connection(struct registry *registry, struct err *err);

/* ---- registry_read.c ---- */

void registry_begin_read(struct registry *registry, uint64_t revision, bool distrusts);
void registry_stop_read(struct registry *registry);
void registry_on_page(struct registry *registry, const struct etcd_range_response *response);
void registry_on_dynos(struct registry *registry, size_t index,
                       const struct etcd_range_response *response);

/* ---- registry_audit.c ---- */

void registry_tick_audit(struct registry *registry);
void registry_stop_audit(struct registry *registry);

/** Has audits that are due begin now. */
void registry_hurry_audits(struct registry *registry);

/** Takes over the arena, which has the response, if it needs it; *arena is NULL then. */
void registry_on_audit_document(struct registry *registry,
                                const struct etcd_range_response *response, struct arena **arena);
void registry_on_audit_dynos(struct registry *registry, const struct etcd_range_response *response);
void registry_on_audit_names(struct registry *registry, const struct etcd_range_response *response);
void registry_tick_missing(struct registry *registry);
void registry_on_missing(struct registry *registry, const struct etcd_range_response *response);

/* ---- registry_announce.c ---- */

/** Not before there is something in force: who waits for a push would take it for one behind. */
bool registry_announces(const struct registry *registry);
/** Because documents were taken. */
void registry_announce_soon(struct registry *registry);
void registry_tick_announce(struct registry *registry);
void registry_on_lease(struct registry *registry, const struct etcd_lease_response *response);
void registry_on_announce_failure(struct registry *registry, enum etcd_status status,
                                  const char *text);

/* ---- registry_status.c ---- */

void registry_set_kept(struct registry *registry, const struct load_outcome *outcome);
void registry_close_kept(struct registry *registry);
