#pragma once
/**
 * What was fixed when a space and its apps were created, apart from the zone file.
 *
 * A folder's files are compared with what is served (answer/crosscheck.h). Replicas of a registry
 * may start with nothing to compare with, so the registry keeps what is fixed under a key of its
 * own, and all of them refuse the same documents (E-IMMUTABLE). registry/fixed.h reads and writes
 * that key's text; this is what it says, and the check.
 *
 * An app takes eight octets, because a replica keeps those of all spaces:
 *
 *     63                  22 21                1 0
 *     hash of the name       hash of the id     internal_routing
 *                            (0: none known)
 *
 * Threads: pure functions; a fixed space is constant once made.  Memory: the caller's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findings/report.h"
#include "space/model.h"

struct fixed_space {
    const char *name;
    const char *id;        /* NULL: none, not compared */
    struct cidr cidr;      /* bits 0: not known, not compared */
    struct cidr data_cidr; /* bits 0: none */
    const char *region;    /* NULL: none */
    enum generation generation;
    bool shield;
    const uint64_t *apps; /* fixed_app of each, sorted */
    size_t app_count;
    bool is_unreadable; /* nothing of it is known: it is as if it were not there */
};

/** What is fixed of an app. `id` may be NULL. */
uint64_t fixed_app(const char *name, size_t name_length, const char *id, bool is_internal);

/** Sorts the apps of a fixed space that is being made. */
void fixed_sort_apps(uint64_t *apps, size_t count);

/**
 * Finds an app among those fixed; *is_internal, if wanted, is then what was fixed. An app of that
 * name is another one if both have an id, and not the same.
 */
bool fixed_find_app(const struct fixed_space *fixed, const char *name, size_t name_length,
                    const char *id, bool *is_internal);

/**
 * Reports what of a model is not as it was fixed (E-IMMUTABLE): the space's id, cidr, data_cidr,
 * region, generation and shield, and internal_routing of the apps that are in both.
 */
void fixed_check(const struct space *space, const struct fixed_space *fixed, struct report *report);
