#pragma once
/**
 * The data that workers answer from: all segments, their index, the client views, the policy.
 *
 * A snapshot is the model in read-optimised form. load.h builds it on the control thread; it is
 * posted to the workers (mailbox.h) and never written afterwards. The next one shares unchanged
 * segments and index shards.
 *
 *     snapshot ─┬─ segments[]  one per zone file, held by a set (segment_set.h)
 *               ├─ index       names and ids → app, host or space
 *               ├─ access      client address → memberships
 *               ├─ kept_back   names that were internal and are no longer declared
 *               └─ policy, SOA data, generation
 *
 * Threads: readers anywhere; made and freed on the control thread only.
 * Memory: holds its segments and its policy's arena; the index shares shards with other snapshots.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/access.h"
#include "answer/index.h"
#include "answer/kept_back.h"
#include "answer/policy.h"
#include "answer/segment.h"
#include "answer/segment_set.h"

enum { SOA_TAIL_OCTETS = 20, SOA_NEGATIVE_TTL_SECONDS = 5 };

struct freshness;
struct standings;

struct snapshot {
    uint64_t generation; /* from 1; changes only when content does. It may go back: a registry does,
                            when it is restored */
    uint64_t turn;       /* from 1: the order of publishing, set by the server; before that, the
                            generation */
    struct policy policy;
    struct name discovery_suffix;    /* localspace. */
    const struct segment **segments; /* of the set, by number; NULL where unused */
    size_t segment_count;
    struct index index;
    struct access access;
    struct kept_back *kept_back; /* NULL: none; see fallen.h */
    uint64_t wildcard_depths[2]; /* bit n: some wildcard has n labels, "*" included */
    uint64_t empty_depths[2];    /* bit n: some empty name has n labels */
    uint64_t blocks[5];          /* bit n: the private /16 of that number is a space's */
    uint64_t data_blocks[69];    /* bit n: the private /20 of that number is of some data CIDR */
    uint8_t soa_data[2 * 255 + SOA_TAIL_OCTETS]; /* names and numbers, minimum TTL last */
    uint16_t soa_length;
    size_t app_count;
    size_t host_count;
    size_t unready_count; /* of its segments, the unready ones */
    bool is_waiting;      /* nothing was ever loaded: every query is answered with SERVFAIL (T13) */
    const struct freshness *freshness; /* of the registry; NULL: none. Set by the server */
    struct standings *standings; /* of its routes' upstreams, for all workers; set by the server */
    struct segment_set *set;     /* control thread: what holds the segments */
    struct snapshot *older;      /* control thread: snapshots not yet freed */
};

/** Finds the entry of a name. `hash` is index_hash of it. */
static inline bool snapshot_find(const struct snapshot *snapshot, const struct name *name,
                                 uint64_t hash, struct index_entry *found)
{
    return index_find(&snapshot->index, snapshot->segments, name, hash, found);
}

/**
 * True when the entry answers its name. A pending domain does not, nor does an app under its plain
 * name if it has another default domain.
 */
static inline bool snapshot_is_served(const struct snapshot *snapshot,
                                      const struct index_entry *entry)
{
    const struct segment *segment = snapshot->segments[entry->segment];

    return entry->kind == INDEX_HOST ? segment->hosts[entry->number].kind != HOST_PENDING
                                     : (segment->apps[entry->number].flags & APP_PLAIN_DOMAIN) != 0;
}

/**
 * Finds the wildcard closest to a name: the one with the most labels. Labels that begin with "_"
 * are never covered. At most LABEL_MAX_COUNT look-ups, only at depths that have wildcards.
 */
bool snapshot_find_wildcard(const struct snapshot *snapshot, const struct name *name,
                            struct index_entry *found);

/** Finds an app by its bare name, whatever its default domain is. */
bool snapshot_find_app(const struct snapshot *snapshot, const void *label, size_t length,
                       struct index_entry *found);

/** Finds an app of a space; another space may have its name (index.h), and then all are looked at.
 */
bool snapshot_find_app_of(const struct snapshot *snapshot, const char *space, const char *app,
                          struct index_entry *found);

/** The number of spaces: one for each zone file. */
size_t snapshot_count_spaces(const struct snapshot *snapshot);

/** Finds the segment of a space by the space's name; NULL: there is none. */
const struct segment *snapshot_find_space(const struct snapshot *snapshot, const char *name);

/** Returns the name of a space that may have been meant, or NULL. */
const char *snapshot_suggest_space(const struct snapshot *snapshot, const char *name);

/** True when the address is in the CIDR of any space, wherever that space is visible. */
bool snapshot_has_space(const struct snapshot *snapshot, uint32_t address);

/** True when the address is in the CIDR or the data CIDR of any space, in constant time. */
bool snapshot_has_address(const struct snapshot *snapshot, uint32_t address);

/** The parts of a snapshot; segments are taken over (one hold each). */
struct snapshot_parts {
    const struct policy *policy;
    uint64_t generation;
    const struct segment **segments; /* malloc'ed, taken over */
    size_t segment_count;
    struct index index; /* taken over */
};

/** Makes a snapshot of the parts. Returns NULL without memory; the parts are released then too. */
struct snapshot *snapshot_seal(struct snapshot_parts *parts);

/**
 * Copies a snapshot as another generation, with other names kept back; `kept` is taken over.
 * Returns NULL without memory; `kept` is then released too.
 */
struct snapshot *snapshot_renew(const struct snapshot *before, uint64_t generation,
                                struct kept_back *kept);

/**
 * Copies a snapshot with a copy of its set, in which segments of the same names and hosts are put
 * that differ only in their dynos; all else is shared. The set is taken over. Standings are to be
 * set by the server. Returns NULL without memory, and leaves the set then.
 */
struct snapshot *snapshot_replace(const struct snapshot *before, struct segment_set *set,
                                  uint64_t generation);

/** Releases everything the snapshot holds. NULL is allowed. */
void snapshot_free(struct snapshot *snapshot);

/** Memory of the snapshot's segments, index and views in octets. */
size_t snapshot_octets(const struct snapshot *snapshot);
