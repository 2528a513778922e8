#pragma once
/**
 * The dynos of one process type, as a key of the registry gives them.
 *
 *     d/SPACE/APP/TYPE      1 up 10.0.130.56
 *                           2 starting 10.0.151.218 host=blue-7
 *                           3 down
 *
 * The value has a line for each dyno: its number, its state in the words of zone files, its
 * address (needed by dynos that are up or starting), and words with `=`, which are ignored, as a
 * later writer may add some. Words are parted by blanks; lines without a word are nothing. An
 * empty value is an empty list.
 *
 * A key that is in force replaces the `dynos` list of its formation in the zone file; one that is
 * gone gives it back. A type that no zone file declares is declared by its key (restate.h).
 *
 * Findings have the codes of zone files, and are at d/SPACE/APP/TYPE@REVISION:LINE.
 *
 * Threads: pure but for the report.  Memory: one malloc a key.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/octets.h"
#include "findings/report.h"

enum {
    DYNO_KEY_OCTETS_MOST = 1 << 16, /* of a value */
    DYNO_KEY_FILE_OCTETS = 320,     /* for dyno_key_file */
};

/** A dyno. */
struct dyno_line {
    uint32_t number; /* from 1 */
    uint32_t ip;     /* 0: none given */
    uint8_t state;   /* enum dyno_state */
    uint32_t line;   /* of the value, from 1 */
};

struct dyno_key {
    const char *space;
    const char *app;
    const char *type;
    uint64_t revision; /* of its last change, from 1; of a key that is gone: of its deletion */
    bool is_gone;      /* the list of the zone file counts again */
    bool is_bad;       /* the value has errors: what is in force stays */
    const struct dyno_line *lines;
    size_t count;
};

/**
 * Reads a value, with the findings in the report. A key with errors has no
 * lines. Returns NULL without memory.
 */
struct dyno_key *dyno_key_read(const char *space, const char *app, const char *type,
                               uint64_t revision, struct octets value, struct report *report);

/** Makes a key that is gone. Returns NULL without memory. */
struct dyno_key *dyno_key_gone(const char *space, const char *app, const char *type,
                               uint64_t revision);

/** Copies a key, which may be a view (segment_walk_keys). Returns NULL without memory. */
struct dyno_key *dyno_key_copy(const struct dyno_key *key);

/** Frees a key. NULL is allowed. */
void dyno_key_free(struct dyno_key *key);

/** The order of keys: by space, then app, then type, each by their octets. */
int dyno_key_compare(const struct dyno_key *a, const struct dyno_key *b);

/**
 * Writes the key's name in findings, "d/SPACE/APP/TYPE@REVISION", with a closing zero octet; cut to
 * DYNO_KEY_FILE_OCTETS.
 */
void dyno_key_file(const struct dyno_key *key, char out[DYNO_KEY_FILE_OCTETS]);

/**
 * Writes the value of a key, as dyno_key_read reads it, without the words that it ignores. Returns
 * its malloc'ed octets, closed by a zero octet that `length` does not count; NULL without memory.
 */
char *dyno_key_write(const struct dyno_key *key, size_t *length);
