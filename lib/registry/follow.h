#pragma once
/**
 * Following a registry: which endpoint, which calls, and whether what comes is still the history
 * that was followed. A state machine: events in, actions out, the time is handed in.
 *
 *                   ready            token            meta, as we know it
 *     down ──► opening ──► logging in ──► greeting ──────────────────► resuming ──► watching
 *      ▲          │            (a login by    │▲  nothing known            │            │
 *      │          │             name only)    ││  another history          │ compacted, │
 *      │          │                           ▼│                           │ unlike     │
 *      │          │                        spreading ◄─────────────────────┴────────────┘
 *      │          │                           │ 0 … 60 s, then greeting again
 *      │          ▼                           ▼
 *      └── closed, broken, silent ◄──────  reading ──► resuming
 *
 * 1. A watch is resumed AT the last revision that changed something of ours, not behind it, and
 *    what comes for it must be what we have (a hash of its events). That finds another history, a
 *    compaction up to a missed deletion, which etcd 3.4 passes over in silence, and a registry
 *    that went back. What has not come within FOLLOW_RESUME_MS does not come. If that revision
 *    deleted something it is resumed at the one before: a history that is compacted up to the
 *    deletion is refused then, instead of passed over.
 * 2. A header's revision below ours: it went back. Another id of meta or of the cluster: another
 *    registry. Then everything is read, and the owner's guard judges it.
 *    Without any id, of a registry that had one, nothing is read: its prefix was deleted, or the
 *    settings name a wrong one. It is tried again until there is one.
 * 3. A response that creates and cancels a watch was refused. With a compact revision: read.
 * 4. After FOLLOW_QUIET_MS without a word a PING, and FOLLOW_PONG_MS for the reply. etcd ends
 *    connections with more than one PING in 5 s.
 * 5. The revision that is known is that of the last event, not of the header: a member that
 *    catches up a watch sends responses whose header is far ahead of their events.
 *    Progress without events moves it, too, but events that come after it count all the same.
 * 6. Back-off of 100 ms … 2 s with jitter, endpoints in turn; back to the first every 30 … 60 min,
 *    since a member that was restarted would stay without watchers.
 * 7. The member is asked for the registry's id with quorum, so that one that lags behind has
 *    caught up before its revision is compared with ours. With nothing to serve it may answer
 *    alone.
 *
 * Sources: etcd's API guide; etcd #18089 (the lost deletion).
 * Threads: one.  Memory: none of its own; texts of the options are borrowed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "etcd/connection.h"
#include "etcd/messages.h"
#include "registry/registry.h"

enum {
    FOLLOW_OPEN_MS = 3000,  /* to be connected, TLS included */
    FOLLOW_REPLY_MS = 5000, /* to log in, to greet */
    FOLLOW_QUIET_MS = 6000,
    FOLLOW_PONG_MS = 2000,
    FOLLOW_RESUME_MS = 10000,
    FOLLOW_BACKOFF_LEAST_MS = 100,
    FOLLOW_BACKOFF_MOST_MS = 2000,
    FOLLOW_SETTLED_MS = 2000, /* of watching: losses before that do not count any more */
    FOLLOW_SLOW_MS = 30000,   /* what a human has to mend first */
    FOLLOW_HOME_MS = 30 * 60 * 1000,
    FOLLOW_SPREAD_MS = 60 * 1000,
    FOLLOW_FORMAT = 1, /* of meta */
    FOLLOW_ID_OCTETS = 64,
    FOLLOW_VERSION_OCTETS = 32,
    FOLLOW_TEXT_OCTETS = 1024,
    FOLLOW_ACTIONS_MOST = 16,
};

enum follow_state {
    FOLLOW_DOWN,
    FOLLOW_OPENING,
    FOLLOW_LOGGING_IN,
    FOLLOW_GREETING,
    FOLLOW_SPREADING,
    FOLLOW_READING,
    FOLLOW_RESUMING, /* a watch was asked for, and what it begins with is not checked yet */
    FOLLOW_WATCHING,
};

/** Where in which history we are: what is kept on disk. */
struct follow_position {
    uint64_t cluster; /* 0: not known */
    char id[FOLLOW_ID_OCTETS];
    uint64_t revision;      /* everything up to it is known; 0: nothing */
    uint64_t seen_revision; /* the last one that changed something; 0: not known */
    uint64_t seen_hash;     /* of its events */
    bool has_seen_deletion; /* one of them is a deletion */
};

enum follow_action_kind {
    FOLLOW_OPEN,  /* number: of the endpoint */
    FOLLOW_CLOSE, /* the connection */
    FOLLOW_LOGIN, /* ask for a token */
    FOLLOW_GREET, /* ask for meta and the status; is_alone: serializable */
    FOLLOW_READ,  /* everything, at the revision `number`; distrusts */
    FOLLOW_WATCH, /* from the revision `number` on */
    FOLLOW_STOP,  /* cancel the watch and the calls of a read */
    FOLLOW_PING,
    FOLLOW_NOTIFY, /* event, is_problem, text */
};

struct follow_action {
    enum follow_action_kind kind;
    uint64_t number;
    bool is_alone;
    bool distrusts;
    enum registry_event_kind event;
    bool is_problem;
    char text[FOLLOW_TEXT_OCTETS];
};

struct follow_options {
    const char *const *endpoints;
    size_t endpoint_count;
    bool starts_anywhere;
    const char *user;   /* NULL: no login by name */
    const char *prefix; /* of the cell's keys, for sentences */
    uint64_t seed;      /* of jitter */
};

struct follow {
    struct follow_options options;
    struct follow_position position;
    enum follow_state state;
    size_t endpoint;
    size_t home;   /* the endpoint to go back to */
    bool has_data; /* set by the owner: there is something to serve */
    uint64_t random;
    uint64_t due_ms; /* of the state: when it is over */
    uint64_t backoff_ms;
    uint64_t word_ms;               /* of the last octets from the member */
    uint64_t pong_ms;               /* until when a reply to PING is waited for; 0: none is */
    uint64_t home_ms;               /* when to go back */
    uint64_t login_ms;              /* of the last login; 0: none on this connection */
    uint64_t watching_ms;           /* since when this connection has watched; 0: not yet */
    uint64_t notified_ms;           /* of the last loss; 0: none since a watch that lasted */
    bool is_spread;                 /* the time between full reads of many replicas is over */
    bool is_created;                /* the member has accepted the watch */
    bool is_resuming;               /* the first events must be those that are known */
    bool has_seen_again;            /* some of them have come */
    uint64_t applied;               /* events up to this revision are known */
    uint64_t seen_again;            /* their hash */
    bool needs_read;                /* position is not to be resumed */
    bool is_doubted;                /* what is read next is compared, whatever its revisions */
    bool reads_at_once;             /* and that has no time: set by the owner, until it was read */
    bool is_hurried;                /* and somebody waits, until it watches */
    bool distrusts;                 /* the read is of another history */
    char next_id[FOLLOW_ID_OCTETS]; /* of meta as it was asked for; in position once read */
    uint64_t next_cluster;
    uint64_t read_revision;
    char version[FOLLOW_VERSION_OCTETS]; /* of the server */
    char problem[FOLLOW_TEXT_OCTETS];    /* why it is not watching; empty */
    uint64_t connects, reads;
    struct follow_action actions[FOLLOW_ACTIONS_MOST];
    size_t action_first, action_count;
};

/** `position` is where to go on; all zeros: nothing is known. */
void follow_init(struct follow *follow, const struct follow_options *options,
                 const struct follow_position *position, uint64_t now_ms);

/** Takes the next action; false when there is none. */
bool follow_take(struct follow *follow, struct follow_action *action);

/** When follow_tick is due. */
uint64_t follow_next_ms(const struct follow *follow);
void follow_tick(struct follow *follow, uint64_t now_ms);

/* ---- events ---- */

/** The member speaks HTTP/2. */
void follow_on_ready(struct follow *follow, uint64_t now_ms);

/** The connection is no more, or is to be given up. */
void follow_on_lost(struct follow *follow, const char *why, uint64_t now_ms);

/** Octets have come. */
void follow_on_word(struct follow *follow, uint64_t now_ms);
void follow_on_pong(struct follow *follow, uint64_t now_ms);

/** There is a token, or none is needed. */
void follow_on_token(struct follow *follow, uint64_t now_ms);

/** The value of meta: format 0 and an empty id when there is none. */
void follow_on_meta(struct follow *follow, const struct etcd_header *header, uint64_t format,
                    const char *id, uint64_t now_ms);

/** The same, when it changes while it is watched. */
void follow_on_meta_change(struct follow *follow, uint64_t format, const char *id, uint64_t now_ms);

/**
 * It is deleted while it is watched. What has lost it is no registry to believe: true when nothing
 * of the response is to be applied, and everything stays as it is until meta is there again.
 */
bool follow_on_meta_gone(struct follow *follow, const struct etcd_event *event, uint64_t now_ms);

/** Goes on with what was known elsewhere, after a full read. */
void follow_adopt(struct follow *follow, const struct follow_position *position);

/** The member's version. */
void follow_on_version(struct follow *follow, const char *version);

/** The full read is complete. */
void follow_on_read(struct follow *follow, uint64_t now_ms);

/** A header of a read's or audit's response. Returns false when it is another registry's: drop it.
 */
bool follow_on_header(struct follow *follow, const struct etcd_header *header, uint64_t now_ms);

/**
 * A response of the watch. Returns true when events from *first on are to be applied, with
 * position.revision as the revision reached.
 */
bool follow_on_watch(struct follow *follow, const struct etcd_watch_response *response,
                     size_t *first, uint64_t now_ms);

/** A call other than an audit has ended without success, or a watch at all. */
void follow_on_failure(struct follow *follow, enum etcd_status status, const char *text,
                       uint64_t now_ms);

/** Everything is to be read anew: something was lost here (out of memory). */
void follow_read_again(struct follow *follow, uint64_t now_ms);

/** Somebody is there who waits: what would be done some time later is due now. */
void follow_hurry(struct follow *follow, uint64_t now_ms);

/** True for a version with known faults; `why` says which. */
bool follow_is_old(const char *version, const char **why);

/** The hash of one event; those of a revision are added up. */
uint64_t follow_hash(const struct etcd_event *event);
