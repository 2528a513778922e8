#pragma once
/**
 * Which addresses become or cease to be inside of which space: the difference of two access maps.
 *
 * Every address block of both sides is classed on both sides, so that a peering that is activated,
 * a block that is narrowed and a tunnel that goes down are seen whatever else the space has. Ranges
 * that change alike and lie side by side are one change.
 *
 *     before  10.20.0.0 ──── peered of test-space ────│
 *     after   10.20.0.0 ── peered ──│                      10.50.0.0 ── peered ──│
 *                                    └ outside now ───┘    └ inside now ─────────┘
 *
 * Threads: any while both snapshots are held.  Memory: the arena's; nothing of the snapshots is
 * borrowed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "base/arena.h"
#include "base/text.h"

enum { ACCESS_CHANGES_MOST = 1000 };

struct access_change {
    bool is_inside; /* after; else before */
    const char *space;
    enum client_class class;
    const char *connection; /* pcx id or VPN's name; NULL: the space's cidr, or local_as */
    uint32_t asked_at;      /* the server's address that it holds at; 0: all others */
    uint32_t first;
    uint32_t last; /* inclusive */
};

struct access_changes {
    struct access_change *items; /* by asked address, then by first address */
    size_t count;                /* of those kept */
    size_t left_out;
};

/** Compares. Returns false without memory. */
bool access_compare(const struct snapshot *before, const struct snapshot *after,
                    struct arena *arena, struct access_changes *changes);

/** "10.50.0.0/16", or "172.16.1.0-172.16.255.255" when it is no block. */
void access_format_range(const struct access_change *change, struct text *text);

/** "+ 10.50.0.0/16 becomes inside of acme-prod (peered, pcx-9): 65536 addresses" */
void access_format(const struct access_change *change, struct text *text);
