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
 * Files are read line by line, so that names are never all in memory.
 *
 * Threads: one at a time for each file.  Memory: a line at a time.
 */
#include <stdio.h>

#include "answer/kept_back_change.h"

enum state_list_end {
    STATE_LIST_SOUND,
    STATE_LIST_DECAYED, /* it is damaged; a part may be readable */
    STATE_LIST_NEWER,   /* another version wrote it */
};

/** Reads a file through. *sum, if sound, is equal for equal files. Rewinds it. */
enum state_list_end state_list_check(FILE *in, uint64_t *sum);

/**
 * Adds the readable names of a file to a change; change->has_failed without memory.
 *
 * ran_s     running time at present: when a cohort's is missing or later, its names are as if just
 *           lost
 * is_sound  false: the names are as if just lost
 */
void state_list_read(FILE *in, int64_t ran_s, bool is_sound, struct kept_back_change *change);

/**
 * Calls for each name alive that the file has and memory has not, in the order of the file, which
 * is that of age. Returns false when ended.
 */
bool state_list_walk(FILE *in, const struct kept_back *kept, kept_back_on_name *on_name,
                     void *context);

/** What a file is made of. */
struct state_names {
    FILE *source;                   /* the previous file; NULL: there is none */
    const struct kept_back *after;  /* NULL: nothing */
    const struct kept_back *before; /* names that `after` lacks are added; NULL: nothing */
};

/**
 * Writes a file. Returns false on failure. *written: names written; it may be less than there are
 * if the source is damaged.
 */
bool state_list_write(FILE *out, const struct state_names *names, size_t *written);

/** True when a name of `one` is not in `other`, or is with another cohort; both may be NULL. */
bool state_list_differs(const struct kept_back *one, const struct kept_back *other);
