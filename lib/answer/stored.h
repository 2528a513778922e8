#pragma once
/**
 * Data of an earlier run of the server: the texts of the zone files that it accepted last, its
 * generation, and the names that it kept back.
 *
 * state.h reads and writes it; load.h compares it with the folder of zone files, so that names
 * removed while no server ran are kept back, too.
 *
 * Threads: constant during a load.  Memory: the state's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/kept_back.h"
#include "space/model.h"

/** A text in the store. */
struct stored_text {
    const char *name; /* of the zone file, without its folder */
    const char *path; /* of the text */
    size_t skip;      /* octets before it */
    size_t length;
    uint64_t checksum;  /* stored_checksum of it */
    int64_t accepted_s; /* wall clock, when it was written; set when the folder is opened */
    bool is_sound;      /* no mismatch with that checksum was found */
};

enum { STORED_SUFFIX_OCTETS = 201 }; /* the settings' maximum, and a zero */

/** The suffixes with which names were served. */
struct stored_suffixes {
    char apps[STORED_SUFFIX_OCTETS]; /* empty: not known, treated as the current ones */
    char discovery[STORED_SUFFIX_OCTETS];
};

struct stored {
    uint64_t generation; /* the last one; 0: none */
    int64_t ran_s; /* running time: seconds in which servers with this folder ran, as stored */
    struct stored_suffixes suffixes;
    struct kept_back *kept_back;
    struct stored_text *texts; /* sorted by name */
    size_t text_count;
};

/** A checksum that is the same in every process, so that it can be stored. */
uint64_t stored_checksum(const void *octets, size_t length);

/** True when names were served with known suffixes that differ from these. */
bool stored_has_other_suffixes(const struct stored *stored, const struct suffixes *suffixes);

/** Finds a text by the name of its file; NULL when there is none. */
const struct stored_text *stored_find(const struct stored *stored, const char *name);

/** The part of a path after its last slash. */
const char *stored_name(const char *path);

/**
 * Reads a text. Returns malloc'ed octets, or NULL when it cannot be read; *is_sound is true when
 * its checksum matches.
 */
char *stored_read(const struct stored_text *text, size_t *length, bool *is_sound);
