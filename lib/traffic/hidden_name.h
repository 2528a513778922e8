#pragma once
/**
 * Names of others, of which only hashes are kept.
 *
 *     api.shop.example   hash of the name;  *.shop.example   hash      which labels begin with "_"
 *                                           *.example        hash
 *
 * The hashes are those of the index, with its key, which never leaves the process. So nobody reads
 * the name out of what is kept, but a snapshot that declares it, or a suffix of it, is recognised:
 * as a host, a wildcard, an empty name above static records, a zone of upstream_zones or a suffix
 * of recursion_for. That is all that an answer depends on, for a name that is neither below our own
 * suffixes nor of special use. So a stand-in is made that two snapshots decide on as they would on
 * the name: the longest suffix that one of them knows, with as many other labels in front.
 *
 * Sources: RFC 4592 (wildcards).
 * Threads: pure.  Memory: an array of the known names, a few dozen octets each.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"

enum { HIDDEN_NAME_OCTETS_MOST = 1 + 16 + 8 * LABEL_MAX_COUNT };

/**
 * Writes what is kept of a name besides its hash. Returns the length in octets.
 */
size_t hidden_name_write(const struct index *index, const struct name *name,
                         uint8_t out[HIDDEN_NAME_OCTETS_MOST]);

/** What is kept of a name. */
struct hidden_name {
    uint64_t hash; /* index_hash of it */
    const uint8_t *octets;
    size_t length;
};

/** The names that either of two snapshots knows; their indexes have the same key. */
struct known_names {
    const struct snapshot *sides[2];
    struct known_name *items; /* besides those in the indexes; sorted by hash */
    size_t count;
    size_t capacity;
};

/** Returns false without memory; known_names_close frees in any case. Borrows the snapshots. */
bool known_names_open(struct known_names *known, const struct snapshot *before,
                      const struct snapshot *after);

void known_names_close(struct known_names *known);

/**
 * Makes the stand-in of a hidden name. Returns how many of its labels, from the last on, are the
 * name's own: all of them when a snapshot declares it, 0 when neither knows any part.
 */
unsigned known_names_resolve(const struct known_names *known, const struct hidden_name *hidden,
                             struct name *out);
