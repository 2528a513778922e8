#pragma once
/**
 * What a scripted etcd knows: keys with all their versions, by revision, as etcd's own store has
 * them. Several members (etcd_peer.h) may share one.
 *
 *     struct etcd_store *store = etcd_store_new();
 *     etcd_store_put(store, "/spacedns/c/meta", "format: 1\n");   // revision 2: it begins at 1
 *     etcd_store_begin(store);                                    // several in one revision
 *     etcd_store_put(store, ...), etcd_store_delete(store, ...);
 *     etcd_store_commit(store);
 *
 * Compacting leaves out old versions and, as etcd 3.4 does, deletions up to and at that revision. A
 * backup that is restored has the cluster's id and an older history.
 *
 * Threads: one.  Memory: its own; without memory the program ends.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/octets.h"
#include "etcd/connection.h"

enum { ETCD_STORE_CLUSTER = 0xc1, ETCD_STORE_TERM = 7 };

/** One version of one key. */
struct etcd_version {
    int64_t mod_revision;
    int64_t create_revision;
    int64_t version;
    int64_t lease;
    bool is_delete;
    struct octets value; /* owned */
};

struct etcd_entry {
    struct octets key; /* owned */
    struct etcd_version *versions;
    size_t count;
};

/** A change, in the order of changes. */
struct etcd_change {
    int64_t revision;
    struct etcd_entry *entry;
    int64_t mod_revision;
};

/** What a method is to answer instead of what it does. */
struct etcd_fault {
    enum etcd_status status; /* ETCD_OK: none */
    const char *text;
    unsigned left;   /* calls; 0: all */
    unsigned spares; /* calls that come before those */
    bool is_silent;  /* never replies */
    bool repeats;    /* each response comes `copies` times, 0 or more */
    unsigned copies;
};

enum { ETCD_STORE_METHODS = ETCD_MEMBERS + 1 };

struct etcd_store {
    uint64_t cluster; /* may be set by a test */
    uint64_t raft_term;
    const char *version; /* "3.4.23" */
    int64_t revision;
    int64_t compacted; /* 0: never */
    bool is_committing;
    struct etcd_entry **entries; /* by key */
    size_t entry_count;
    struct etcd_change *changes;
    size_t change_count;
    int64_t next_lease;
    struct etcd_fault faults[ETCD_STORE_METHODS];
    bool has_no_leader;   /* watches end, and only serializable ranges are answered */
    const char *user;     /* NULL: no log-in; else calls need a token */
    const char *password; /* NULL: */
    unsigned token;       /* number of the token that counts */
    struct octets denied; /* keys that begin so are denied; empty: none */
};

struct etcd_store *etcd_store_new(void);
void etcd_store_free(struct etcd_store *store);

/** Changes one key, in a revision of its own unless one is begun. Returns the revision. */
int64_t etcd_store_put(struct etcd_store *store, const char *key, const char *value);
int64_t etcd_store_put_octets(struct etcd_store *store, struct octets key, struct octets value,
                              int64_t lease);

/** Deletes [key, end); end NULL or empty: one key. Returns how many there were. */
int64_t etcd_store_delete(struct etcd_store *store, const char *key, const char *end);
int64_t etcd_store_delete_octets(struct etcd_store *store, struct octets key, struct octets end);

/** Deletes all keys of a lease, in one revision. */
void etcd_store_expire_lease(struct etcd_store *store, int64_t lease);

void etcd_store_begin(struct etcd_store *store);
int64_t etcd_store_commit(struct etcd_store *store);

void etcd_store_compact(struct etcd_store *store, int64_t revision);

/** A copy of what it holds, and the way back to it: members do not notice. */
struct etcd_store *etcd_store_backup(const struct etcd_store *store);
void etcd_store_restore(struct etcd_store *store, const struct etcd_store *backup);

/** Makes a method answer an error `times` times; 0: always, until etcd_store_heal. */
void etcd_store_fail(struct etcd_store *store, enum etcd_method method, enum etcd_status status,
                     const char *text, unsigned times);

/** Makes a method reply never. */
void etcd_store_silence(struct etcd_store *store, enum etcd_method method);

/** Makes a method send each response so many times, before it ends well. */
void etcd_store_repeat(struct etcd_store *store, enum etcd_method method, unsigned copies);
void etcd_store_heal(struct etcd_store *store);

/** Makes all tokens invalid. */
void etcd_store_expire_tokens(struct etcd_store *store);

/** The version of a key as of a revision, or NULL when it was not there. */
const struct etcd_version *etcd_store_get(const struct etcd_store *store, struct octets key,
                                          int64_t revision);

/** True if [key, end), or key alone when end is empty, contains the other. */
bool etcd_store_is_within(struct octets other, struct octets key, struct octets end);

/** The value of a key now, or NULL; text with a closing zero. */
const char *etcd_store_value(const struct etcd_store *store, const char *key);
