#pragma once
/**
 * A server whose zones come from a registry: what joins it to reloads and workers.
 *
 *     link ──► registry ──changed──► gathered ──┬─ documents ──► a reload (reloads.h) ──┐
 *                  ▲                            └─ dyno keys ──► restated here ─────────┤
 *                  └──────────────────── what is in force ◄─────────────────────────────┘
 *
 * One at a time: while a reload is under way, changes are only gathered. A restate waits for no
 * worker; when they have not taken many of them, it does.
 *
 * What is in force is written to the state folder every 20 to 45 s, on the pool, and once more at
 * the end (replica_save.h). Before the registry has been read for the first time, without a state
 * folder that has it, all queries are answered with SERVFAIL (T13), and the server is not ready.
 *
 * Events: replica_events.h.
 *
 * Threads: the control thread, but for what a load calls (source, judge, fixed, login) and
 * writing.
 * Memory: replica_close.
 */
#include <uv.h>

#include "answer/freshness.h"
#include "answer/load.h"
#include "registry/registry.h"
#include "spacednsd/replica_events.h"
#include "spacednsd/replica_link.h"
#include "spacednsd/replica_login.h"

struct reloads;
struct server;

enum { REPLICA_NAME_OCTETS = 192 };

struct replica {
    struct registry *registry; /* NULL: a folder is served */
    struct reloads *reloads;
    struct server *server;
    uv_loop_t *loop;
    struct replica_link link;
    struct replica_login login;
    struct freshness freshness;
    char name[REPLICA_NAME_OCTETS]; /* as it announces itself */

    uv_prepare_t settle; /* before the loop waits */
    uv_timer_t tick;     /* the registry's */
    uv_timer_t gather;
    uv_timer_t second;
    uv_timer_t save;
    bool has_handles;
    bool is_stopping;
    bool is_writer; /* nobody else writes the state folder */

    struct registry_keys keys; /* of the take under way */
    bool is_taken;
    void (*on_caught_up)(void *context); /* called once; NULL: nobody waits */
    void *context;
    uint64_t patience_ms; /* when who waits is called in any case */

    struct registry_save *saving; /* NULL: nothing is written */
    uint64_t save_began_ms;       /* the last one */
    uint64_t save_due_ms;         /* the next one */
    uv_work_t work;
    struct err save_err;

    struct replica_logged logged;
    uint64_t started_ms;
    size_t findings; /* logged in this second ... */
    size_t left_out; /* ... and not */
    uint64_t restates;
    uint64_t restated_keys;
    uint64_t restate_us; /* the last one */
};

/**
 * Makes the registry of the settings, which need not have one, and reads its state. Before the
 * first loading and the sandbox. Returns false with *err; replica_close frees in any case.
 */
bool replica_open(struct replica *replica, struct reloads *reloads, struct err *err);

static inline bool replica_is_used(const struct replica *replica)
{
    return replica->registry != NULL;
}

/** Begins to follow; what is loaded has been published. */
void replica_start(struct replica *replica, uv_loop_t *loop, struct server *server);

/** From now on the state folder is this server's alone. */
void replica_begin_writing(struct replica *replica);

/**
 * Writes once more, and then no more: another server writes from now on. Returns false while a
 * write is under way, whose end reloads are notified of (reloads_note_idle).
 */
bool replica_end_writing(struct replica *replica);

static inline bool replica_is_writing(const struct replica *replica)
{
    return replica->saving != NULL;
}

/** Follows no more; a write under way ends. */
void replica_stop(struct replica *replica);

/** Writes once more, if this server is the writer, and frees all; the server still exists. */
void replica_close(struct replica *replica);

/** True while there is nothing to serve: the registry was never read. */
bool replica_is_waiting(const struct replica *replica);

/**
 * Calls on_caught_up once everything that the registry has is answered, but after `patience_ms` in
 * any case. It may be called at once.
 */
void replica_await(struct replica *replica, uint64_t patience_ms, void (*on_caught_up)(void *),
                   void *context);

/** What status, metrics and readiness show. Texts and lists are valid until the control thread goes
 * on. */
void replica_describe(struct replica *replica, struct registry_status *status);

/* ---- for reloads ---- */

/** Sets what a load of the registry needs, and begins its take. Returns false without memory. */
bool replica_prepare(struct replica *replica, struct load_request *request);

/**
 * Ends the take, if the load had one: the outcome is what is served now. Its unused keys are taken
 * over.
 */
void replica_note_loaded(struct replica *replica, struct load_outcome *outcome);

/** Ends the take: nothing of it is served. */
void replica_note_failed(struct replica *replica);

/** No reload is under way: goes on with what was gathered meanwhile. */
void replica_go_on(struct replica *replica);

/**
 * Reads the files of certificates and the password, on any thread, and reports those that cannot be
 * used at the origins of the settings that the load has read.
 */
void replica_read_login(struct replica *replica, const struct settings *origins,
                        struct report *report);

/**
 * An operator has requested a reload, which has ended: settings, what replica_read_login has read,
 * and an audit.
 */
void replica_note_settings(struct replica *replica);

/** The names that the take's documents let go on purpose; until its note. */
const char *const *replica_releases(const struct replica *replica, size_t *count);
