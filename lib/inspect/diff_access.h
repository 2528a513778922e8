#pragma once
/**
 * The address ranges that enter or leave a space: the difference of two access maps.
 *
 * Every address block of either snapshot is classified in both. So an activated peering, a narrowed
 * block and a tunnel that goes down are found, whatever else the space has. Adjacent ranges with
 * the same change are one change.
 *
 *     before  10.20.0.0 ──── peered of test-space ────│
 *     after   10.20.0.0 ── peered ──│                      10.50.0.0 ── peered ──│
 *                                    └ outside now ───┘    └ inside now ─────────┘
 *
 * Threads: any while both snapshots are held.  Memory: results live in the arena and borrow nothing
 * from the snapshots.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "base/arena.h"
#include "base/text.h"

enum { ACCESS_CHANGES_MOST = 1000 };

struct access_change {
    bool is_inside; /* inside after the change; else before it */
    const char *space;
    enum client_class class;
    const char *connection; /* pcx id or VPN's name; NULL: the space's cidr, or local_as */
    const char *device;     /* the interface whose clients it applies to; NULL: any */
    uint32_t asked_at;      /* the server's address that it applies to; 0: all others */
    uint32_t first;
    uint32_t last; /* inclusive */
};

struct access_changes {
    struct access_change *items; /* by asked address, then by first address */
    size_t count;                /* in `items` */
    size_t left_out;
};

/** Compares two snapshots. Returns false if memory runs out. */
bool access_compare(const struct snapshot *before, const struct snapshot *after,
                    struct arena *arena, struct access_changes *changes);

/** Appends "10.50.0.0/16", or "172.16.1.0-172.16.255.255" if it is not a block. */
void access_format_range(const struct access_change *change, struct text *text);

/** Appends "+ 10.50.0.0/16 becomes inside of acme-prod (peered, pcx-9): 65536 addresses" */
void access_format(const struct access_change *change, struct text *text);
