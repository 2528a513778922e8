#pragma once
/**
 * What the replicas of a cell have announced, and what the cell has to hold it against.
 *
 *     ROOT-replicas/CELL/ns1@10.0.0.2:53      revision: 4711
 *                                             at_ms: 1796000000000
 *                                             version: 1.0
 *                                             format: 1
 *                                             channel: stable
 *                                             known: 4730          changes wait for long: up to
 *                                             waits_ms: 7000       which, and since when
 *                                             held_apps: 3         only if there are some
 *                                             held: test-space        one line each
 *                                             kept: bench-7 E-DOM-NAME
 *
 * Threads: one.  Memory: a list and a cell live in one arena, the list's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "etcd/messages.h"
#include "registry/keys.h"
#include "spacedns/etcd_client.h"

enum { REPLICA_NAME_MOST = 128, REPLICA_WORD_MOST = 64, REPLICA_WHY_MOST = 300 };

/** A space that a replica does not serve from its newest document. */
struct replica_kept {
    const char *space;
    const char *code; /* E-DOM-NAME; empty if it is held */
    bool is_held;     /* by the guard */
};

struct replica {
    char name[REPLICA_NAME_MOST];
    uint64_t revision; /* which it answers from */
    uint64_t written;  /* the revision of the announcement itself */
    uint64_t format;
    uint64_t known;     /* which it has received, if changes wait for long; 0 */
    int64_t waits_ms;   /* for how long they waited at at_ms; 0 */
    uint64_t held_apps; /* whose dyno keys' deletion it holds */
    int64_t at_ms;      /* of its wall clock */
    char version[REPLICA_WORD_MOST];
    char channel[REPLICA_WORD_MOST];
    struct replica_kept *kept;
    size_t kept_count;
    size_t kept_capacity;
};

struct replica_list {
    struct arena *arena;
    struct replica *items;
    size_t count;
    size_t capacity;
};

/** What the cell has. */
struct replica_cell {
    uint64_t changed;                   /* the last revision of a document, or of a push */
    char changed_at[REPLICA_WORD_MOST]; /* empty: not known */
    bool is_paused;
    char paused_by[REPLICA_WHY_MOST];
    char why[REPLICA_WHY_MOST];
};

/** Reads the announcements. Returns false with *err. Call replica_list_close in either case. */
bool replica_list_read(struct replica_list *list, struct etcd_client *client,
                       const struct keys *keys, struct err *err);

void replica_list_close(struct replica_list *list);

/** Adds what one key announces. Returns false without memory. */
bool replica_list_add(struct replica_list *list, const struct keys *keys,
                      const struct etcd_pair *pair);

/** Reads the cell's documents, without their texts, and its marks. Returns false with *err. */
bool replica_cell_read(struct replica_cell *cell, struct replica_list *list,
                       struct etcd_client *client, const struct keys *keys, struct err *err);

/** True if it holds or keeps the space. */
bool replica_keeps(const struct replica *replica, const char *space);
