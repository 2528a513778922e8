#pragma once
/**
 * The settings that change answers, and changes of a space that no address shows.
 *
 * Of the settings: external, local_as, localspace_to, recursion_for, upstreams, upstream_zones,
 * allow_rebind, server_id. Of a space: its TTLs.
 *
 * Threads: any while both snapshots are held.  Memory: results live in the arena and borrow nothing
 * from the snapshots.
 */
#include <stdbool.h>
#include <stddef.h>

#include "answer/snapshot.h"
#include "base/arena.h"
#include "base/text.h"

struct policy_change {
    const char *space;  /* NULL: of the server */
    const char *key;    /* as in the settings file, or in the zone file */
    const char *before; /* as in the file; "" if not set */
    const char *after;
};

struct policy_changes {
    struct policy_change *items;
    size_t count;
    size_t capacity;
};

/** Compares the settings that answers depend on. Returns false if memory runs out. */
bool policy_compare(const struct policy *before, const struct policy *after, struct arena *arena,
                    struct policy_changes *changes);

/** Compares the TTLs and the affinity of a space. Returns false if memory runs out. */
bool space_settings_compare(const struct segment *before, const struct segment *after,
                            struct arena *arena, struct policy_changes *changes);

/** Appends "~ recursion_for: space,peered -> space" */
void setting_change_format(const struct policy_change *change, struct text *text);

/**
 * Names the differences of two files of a space that neither addresses, access nor settings show:
 * dynos by number, ports, records, routers by number, availability zones, routes of peerings.
 * Returns the number of texts written to `kinds`, DIFF_OTHERS_MOST at most.
 */
enum { DIFF_OTHERS_MOST = 8 };
size_t others_compare(const struct segment *before, const struct segment *after,
                      const char *kinds[DIFF_OTHERS_MOST]);
