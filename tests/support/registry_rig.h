#pragma once
/**
 * A registry in process: its owner's part, and a scripted etcd at the other end.
 *
 *     rig_put(&rig, "z/a", "space: a\n…")     a revision of the store
 *     rig_settle(&rig)                         octets go both ways until both are quiet
 *     rig_adopt(&rig)                          the owner takes, loads or restates, and notes
 *     rig_run(&rig, 30000)                     the same, with the clock going on
 *
 * Keys are below /spacedns/eu/. The cell has meta, unless rig.is_bare was set before rig_start. The
 * clock begins at RIG_START_MS, and nothing sleeps.
 *
 * What goes wrong (no memory, a load that fails) ends the program.
 */
#include "answer/load.h"
#include "answer/snapshot.h"
#include "registry/registry.h"
#include "support/etcd_peer.h"
#include "support/etcd_store.h"

enum { RIG_START_MS = 10000, RIG_KINDS = REGISTRY_DISK + 1, RIG_TEXT = 1024 };

struct registry_rig {
    /* A test may set these before rig_start. */
    struct registry_options options;
    bool is_bare;

    struct etcd_store *store;
    struct etcd_peer *peer; /* NULL: no connection */
    struct registry *registry;
    struct policy policy;
    struct snapshot *current; /* NULL: nothing was loaded yet */
    uint64_t now_ms;

    bool is_cut;         /* connections are refused */
    bool is_lazy;        /* rig_run does not adopt */
    size_t piece;        /* octets that the registry gets at once; 0: all */
    bool is_guarded;     /* the guard of replicas judges documents, too */
    const char *refused; /* the space whose changes the guard refuses, unless forced; NULL: none */

    bool wants_open, wants_close;
    bool has_change; /* on_change was called */
    unsigned opens, loads, restates;
    unsigned told[RIG_KINDS];        /* events of each kind */
    char texts[RIG_KINDS][RIG_TEXT]; /* the last of each */
    char findings[RIG_TEXT];         /* the codes of all findings */
    char endpoint[128];
    char released[RIG_TEXT];     /* names let go by all loads */
    struct load_outcome outcome; /* of the last load */
};

/** Default options: two endpoints, cell eu, everything selected. */
void rig_init(struct registry_rig *rig);
void rig_start(struct registry_rig *rig);

/** Makes the registry anew, as a process that starts again does: what is served is lost. */
void rig_restart(struct registry_rig *rig);
void rig_close(struct registry_rig *rig);

/** A revision of one key below /spacedns/eu/. */
void rig_put(struct registry_rig *rig, const char *key, const char *value);
void rig_delete(struct registry_rig *rig, const char *key);

/** The document of a space a … z with apps "bill shop!", ! for internal, with web.1 declared down.
 */
void rig_put_space(struct registry_rig *rig, const char *space, const char *apps);

/** The connection ends. */
void rig_cut(struct registry_rig *rig);

void rig_settle(struct registry_rig *rig);

/** Takes until nothing is due. Returns true if anything was. */
bool rig_adopt(struct registry_rig *rig);

void rig_run(struct registry_rig *rig, uint64_t ms);

/** rig_run until it is watching and nothing is due, 3 minutes at most. */
void rig_follow(struct registry_rig *rig);

/** What is served: "a(bill,shop) b(unready)"; "c(-)" without apps. */
const char *rig_served(const struct registry_rig *rig);

/** The key in force: "1 up 10.0.130.1, 2 down @REVISION"; "-": none. */
const char *rig_dynos(const struct registry_rig *rig, const char *space, const char *app,
                      const char *type);

struct registry_status rig_status(struct registry_rig *rig);
