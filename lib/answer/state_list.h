#pragma once
/**
 * The file of kept-back names: a part of state.h.
 *
 *     spacedns kept-back 2
 *     cohort 17 1729080000 86400 test-space zones/test-space.yaml
 *     name api.example.com
 *     apex example.net
 *     checksum 0123456789abcdef
 *
 * A cohort's line has its generation, the wall clock and the running time; version 1 lacks the
 * latter. Names are in presentation form; octets of other words that are not printable ASCII are
 * \DDD.
 *
 * Threads: one.
 */
#include <stdio.h>

#include "answer/kept_back.h"
#include "base/err.h"

enum state_list_end {
    STATE_LIST_READ,
    STATE_LIST_DECAYED, /* it is damaged; the readable part was read */
    STATE_LIST_NEWER,   /* another version wrote it */
    STATE_LIST_FAILED,  /* no memory */
};

/**
 * Reads the file. *kept is NULL when nothing is kept back, or with NEWER and FAILED.
 *
 * ran_s  running time at present: when a cohort's is missing or later, its names are as if just
 * lost
 */
enum state_list_end state_list_read(FILE *in, const struct hash_key *key, int64_t ran_s,
                                    struct kept_back **kept);

/**
 * Writes the names of `after`, and those of `before` that are not among them; both may be NULL.
 * Returns false on failure.
 */
bool state_list_write(FILE *out, const struct kept_back *after, const struct kept_back *before);

/** True when a name of `one` is not in `other`, or is with another cohort; both may be NULL. */
bool state_list_differs(const struct kept_back *one, const struct kept_back *other);
