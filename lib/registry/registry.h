#pragma once
/**
 * A replica's side of the registry: it follows one cell of etcd and hands over what has changed.
 *
 *     socket ──registry_receive──► ┌────────────┐ ──on_change──► owner
 *     socket ◄─registry_output──── │  registry  │ ◄─take, note── owner: one change at a time
 *     timer  ──registry_tick─────► └────────────┘ ──on_event───► log
 *                                    │   │    └─ disk     STATE/registry
 *                                    │   └────── mirror   what is known, and not in force yet
 *                                    └────────── follow   which connection, which calls
 *
 * The owner gathers after on_change as long as it likes and then begins one change of the snapshot:
 *
 *     registry_has_documents ── yes ──► registry_take(REGISTRY_LOAD) ──► snapshot_load on the pool
 *                            └─ no ───► registry_take(REGISTRY_RESTATE) ──► snapshot_restate
 *                                            │
 *              registry_wait (keys of apps that no document has) ◄──┤
 *              registry_note_loaded / _restated / _failed  ◄────────┘  ends it
 *
 * A take has everything up to one revision. Between a take and its note nothing that the take shows
 * changes, so that the threads of a load may read it: the source (list, stamp and read),
 * registry_find_fixed and registry_is_forced. What arrives meanwhile is for the next take.
 *
 * No sockets and no clock: the owner opens what the port asks for, hands over octets as they come,
 * and says what time it is. now_ms is a monotonic clock that never goes back.
 *
 * Sources: etcd's rpc.proto.
 * Threads: the control thread, but for what is said above.  Memory: what has changed and is not in
 * force yet, keys that wait, some 100 octets a space; texts of documents only until they are in
 * force, and of those that were kept out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "findings/report.h"
#include "source/source.h"

struct dyno_key;
struct tls_trust;
struct fixed_space;
struct load_outcome;
struct registry;
struct restate_outcome;
struct snapshot;

struct registry_options {
    const char *const *endpoints; /* http://HOST:PORT or https://HOST:PORT; 1 or more */
    size_t endpoint_count;
    bool starts_anywhere;    /* begins with any endpoint at random, instead of the first */
    struct tls_trust *trust; /* NULL: plain. Made for the protocol "h2" */
    const char *user;        /* NULL: the certificate is the login, or none is needed */
    const char *password;
    const char *root;
    const char *cell;
    const char *const *spaces; /* the selection; none: all of the cell */
    size_t space_count;
    bool is_canary;
    uint64_t stale_after_ms;
    bool announces;         /* writes what it has to ROOT-replicas/CELL/SERVER */
    const char *server_id;  /* its name there */
    const char *version;    /* of the program */
    const char *state_path; /* the state folder, for the file `registry` in it; NULL: none */
};

/** The connection, as the owner makes it. At most one is open or being opened. */
struct registry_port {
    /** Opens a connection to options.endpoints[i]: registry_connected or registry_closed follows.
     */
    void (*open)(void *context, const char *endpoint);
    /** registry_output has something to send. */
    void (*send)(void *context);
    /** Closes or gives up the connection at once; no call about it follows. */
    void (*close)(void *context);
    /** Milliseconds since 1970, for what is written and compared with others' clocks. */
    int64_t (*wall_ms)(void *context);
    void *context;
};

enum registry_event_kind {
    REGISTRY_CONNECTED, /* follows again */
    REGISTRY_LOST,      /* the connection: why, and when the next is tried */
    REGISTRY_READ,      /* everything was read */
    REGISTRY_RESET,     /* everything will be read: compacted, went back, another history */
    REGISTRY_OTHER,     /* another registry (id, cluster): read in full, nothing is lost by it */
    REGISTRY_DENIED,    /* a right or a password is missing */
    REGISTRY_REFUSED,   /* a format that this version does not know */
    REGISTRY_AUDIT,     /* a difference was found, and is mended */
    REGISTRY_HOLDS,     /* a mass deletion of dyno keys is held */
    REGISTRY_HOLDS_NO_MORE,
    REGISTRY_PAUSED,
    REGISTRY_RESUMED,
    REGISTRY_FINDINGS, /* the report has findings of keys */
    REGISTRY_DISK,     /* STATE/registry could not be read or written */
};

struct registry_event {
    enum registry_event_kind kind;
    bool is_problem;             /* a warning, else for information */
    const char *text;            /* a sentence, escaped, without full stop; NULL with a report */
    const struct report *report; /* NULL: none */
};

struct registry_listener {
    /** Documents or keys have changed: take them, at once or later. Not called again before that.
     */
    void (*on_change)(void *context);
    /** For the log. What it points at is for the call. */
    void (*on_event)(void *context, const struct registry_event *event);
    void *context;
};

/**
 * Makes a registry and reads STATE/registry, if there is one; opens nothing yet: the first
 * registry_tick does. Copies the options, but borrows the trust until the next
 * registry_change. Returns NULL with *err.
 */
struct registry *registry_new(const struct registry_options *options,
                              const struct registry_port *port,
                              const struct registry_listener *listener, uint64_t now_ms,
                              struct err *err);

/** Closes the connection through the port. Ends a take, if one is under way. NULL is allowed. */
void registry_free(struct registry *registry);

/** Settings that may change while it follows. The next connection uses the new trust. */
struct registry_live {
    struct tls_trust *trust;
    const char *password; /* copied, for the next log-in; NULL: none */
    uint64_t stale_after_ms;
    bool announces;
};
void registry_change(struct registry *registry, const struct registry_live *live);

/* ---- the connection ---- */

void registry_connected(struct registry *registry, uint64_t now_ms);

/** why  what the system says: "connection refused"; NULL: closed by the other side */
void registry_closed(struct registry *registry, const char *why, uint64_t now_ms);

void registry_receive(struct registry *registry, const void *octets, size_t length,
                      uint64_t now_ms);

/** Octets to be sent; none when *length is 0. They stay until registry_sent. */
const void *registry_output(struct registry *registry, size_t *length);
void registry_sent(struct registry *registry, size_t length);

/** When registry_tick is due next. */
uint64_t registry_next_ms(const struct registry *registry, uint64_t now_ms);
void registry_tick(struct registry *registry, uint64_t now_ms);

/* ---- changes ---- */

/** True when everything was read once, or STATE/registry was: there is something to serve. */
bool registry_is_known(const struct registry *registry);

/** True when documents have changed, so that a load is due. False while paused. */
bool registry_has_documents(const struct registry *registry);

/** True when dyno keys have changed. */
bool registry_has_keys(const struct registry *registry);

enum registry_take { REGISTRY_RESTATE, REGISTRY_LOAD };

struct registry_keys {
    const struct dyno_key *const *keys; /* sorted by space, app and type, each once; borrowed until
                                           the note. For a load those that wait, too */
    size_t count;
    uint64_t revision;           /* the generation of the snapshot that is made */
    const char *const *releases; /* names let go on purpose, for a load; until the note */
    size_t release_count;
};

/**
 * Begins a take; none is under way. Returns false without memory: nothing has begun.
 */
bool registry_take(struct registry *registry, enum registry_take kind, struct registry_keys *keys);

/**
 * The documents of the take: root "z", names z/SPACE, stamps of mod_revision and create_revision;
 * of a candidate, when the document was created that it is to replace, if there is one.
 */
struct source *registry_source(struct registry *registry);

/** What f/SPACE has (load_fixed); NULL: there is none. */
const struct fixed_space *registry_find_fixed(void *registry, const char *space);

/** The same, for `is_new`. */
bool registry_has_new_fixed(void *registry, const char *space);

/**
 * True when the guard does not count for this text: `force` was written in the revision that wrote
 * or removed it, or the operator has accepted it.
 */
bool registry_is_forced(const struct registry *registry, const char *text_name);

/**
 * Takes over keys that nothing has taken: they wait for a document. Between a take and its note;
 * those of the take are recognised by their address.
 */
bool registry_wait(struct registry *registry, const struct dyno_key *const *keys, size_t count);

/**
 * The take is in force with `current`, which the registry looks at from now on: for audits, full
 * reads, what it writes to disk. It stays valid until the next note.
 */
void registry_note_loaded(struct registry *registry, const struct load_outcome *outcome,
                          const struct snapshot *current);
void registry_note_restated(struct registry *registry, const struct snapshot *current);

/**
 * `current` is served now, without a take: names were kept back or forgotten, and its generation is
 * its own. The next restate, of no key, gives it the registry's again.
 */
void registry_note_replaced(struct registry *registry, const struct snapshot *current);

/** What a restate has found in keys, so that those which it refused are shown with their reason. */
void registry_note_findings(struct registry *registry, const struct report *report);

/** The take came to nothing (no memory): all of it is due again. */
void registry_note_failed(struct registry *registry);

/**
 * Reads everything and mends what differs, as an operator's reload asks for. What waits for its
 * time, an attempt or a full read, begins now.
 */
void registry_request_audit(struct registry *registry, uint64_t now_ms);

/* ---- disk ---- */

/**
 * What STATE/registry will have, of what is in force now; NULL: nothing has changed since, or no
 * memory. It borrows the snapshot, which must be held until registry_saved.
 */
struct registry_save;
struct registry_save *registry_begin_save(struct registry *registry);

/** Writes it; on any thread. Returns false with *err. */
bool registry_run_save(struct registry_save *save, struct err *err);

/** Ends it. `err` is NULL when it was written. */
void registry_end_save(struct registry *registry, struct registry_save *save,
                       const struct err *err);

/* ---- status ---- */

enum { REGISTRY_BAD_MOST = 20 }; /* keys with errors that are shown each */

/** A dyno key that is kept out. */
struct registry_bad {
    const char *key;   /* d/SPACE/APP/TYPE@REVISION */
    const char *code;  /* E-DYNO-IP; empty: not known any more */
    const char *cause; /* a sentence; empty */
};

enum registry_kept_kind {
    REGISTRY_KEPT,    /* has errors; the last good one is served */
    REGISTRY_HELD,    /* the guard refused it; the last one is served */
    REGISTRY_UNREADY, /* has errors, and there is none to serve: SERVFAIL */
    REGISTRY_TAKEN,   /* is served, but for names or ids that another space has */
};

struct registry_kept {
    enum registry_kept_kind kind;
    const char *space;
    const char *code;  /* E-DOM-NAME; "guard" */
    const char *cause; /* a sentence */
    uint64_t revision; /* of the document that is not served as it is */
};

struct registry_status {
    bool is_connected; /* everything is known up to `revision`, and more will come by itself */
    bool is_reading;   /* a full read is under way */
    bool is_stale;     /* age_ms above stale_after_ms */
    bool is_paused;
    bool is_canary;
    bool is_old;                /* W-REGISTRY-OLD: the server has known faults */
    const char *endpoint;       /* connected to, or tried last */
    const char *server_version; /* "3.4.23"; empty: not known */
    const char *cell;
    const char *pause;    /* who and why; empty */
    const char *problem;  /* a sentence; empty: none */
    const char *old_text; /* what is wrong with an old server; empty */
    uint64_t cluster;
    const char *id;    /* of meta; empty: not known */
    uint64_t revision; /* everything up to it was received */
    uint64_t in_force; /* everything up to it is answered, but for what is kept */
    int64_t age_ms;    /* since the last beat, else the member's last word; -1: never */
    int64_t lag_ms;    /* between the last beat's own time and its arrival; -1: no beat yet */
    size_t document_count;
    size_t candidate_count;
    size_t waiting_count; /* dyno keys whose app no document has */
    size_t bad_count;     /* dyno keys that are kept out: with errors, or that their app refuses */
    const struct registry_bad *bad;   /* the first of them, sorted; at most REGISTRY_BAD_MOST */
    size_t ignored_count;             /* keys outside of the layout */
    size_t held_app_count;            /* apps whose dyno keys' deletion is held */
    const struct registry_kept *kept; /* sorted by space */
    size_t kept_count;
    uint64_t connects, full_reads, audits, audit_differences, events, responses;
    /* Set by the owner: */
    uint64_t restates, restate_us; /* how many, and how long the last one took */
    const char *login_problem;     /* a sentence on a file that a reload could not read, so that
                                    * the former one is in use; NULL: none */
    const char *certificate;       /* file of ours; NULL: none */
    int64_t certificate_end_s;     /* when it ends, in seconds since 1970 */
    int64_t certificate_left_s;    /* until then; below 0: since then */
};

/** How many of `bad` there are. */
static inline size_t registry_bad_listed(const struct registry_status *status)
{
    return status->bad_count < REGISTRY_BAD_MOST ? status->bad_count : REGISTRY_BAD_MOST;
}

/** Texts and lists are the registry's, until its next call. */
void registry_describe(struct registry *registry, struct registry_status *status, uint64_t now_ms);
