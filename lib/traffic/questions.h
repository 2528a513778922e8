#pragma once
/**
 * The last questions of clients, so that other zone files can be tried on them (replay.h).
 *
 *     flows of the workers ──questions_add──► who asked (address, where, by which interface)
 *                                             × name × type ─► times, first, last
 *
 * A question is its client, name and type; asked again, it is counted, and is the newest. The one
 * that was reported least recently makes room when there are `most`, or when all together would
 * take more than `octets_most`.
 *
 * Names that are ours are kept as they are: those that the snapshot declares or keeps back, those
 * below our suffixes, and special-use names, private reverse ones among them. Of all others there
 * are only hashes (hidden_name.h).
 *
 * All clients outside are one, whose names do not matter: they get the same for every name, and the
 * workers pass on no address of theirs. Replies that the workers could not count with their client
 * are counted here as `coarse`, those they could not count at all as `lost`.
 *
 * Everything outlives snapshots and ends with the process; nothing is stored.
 *
 * Threads: one; a copy may be read by another.
 * Memory: malloc per question, octets_most and 32 octets for each of `most`; 28 MB as the server
 * has it. A copy is one block of octets_most.
 */
#include <stdbool.h>
#include <stdint.h>

#include "decide/client.h"
#include "traffic/flows.h"

enum {
    QUESTIONS_MOST = 100000,
    QUESTIONS_OCTETS_MOST = 24 << 20, /* names of 160 octets, or hidden ones of 16 labels */
};

struct questions;

struct questions_options {
    uint32_t most; /* 1 or more */
    size_t octets_most;
    uint32_t now_s; /* since when they are kept, in seconds since 1970 */
};

struct question_asked {
    struct path path; /* of clients outside: zero */
    bool is_outside;
    bool is_hidden;
    uint16_t type; /* of clients outside: 0 */
    uint16_t length;
    uint32_t first_s; /* seconds since 1970 */
    uint32_t last_s;
    uint64_t hash; /* index_hash of the name */
    uint64_t count;
    const uint8_t *octets; /* the name in wire form, or what is kept of a hidden one */
};

/** What is known about what is not here. */
struct questions_reach {
    uint32_t since_s;    /* every question asked after this second is here */
    uint64_t pushed_out; /* questions that made room */
    uint64_t coarse;     /* replies counted without their client */
    uint64_t lost;       /* replies counted nowhere */
};

/** Returns NULL without memory. */
struct questions *questions_new(const struct questions_options *options);

/** NULL is allowed. */
void questions_free(struct questions *questions);

/** Adds a table, which began at a time in milliseconds since 1970. */
void questions_add(struct questions *questions, const struct flow_table *table, int64_t begun_ms);

/** Copies all of it, to be read; nothing can be added to a copy. Returns NULL without memory. */
struct questions *questions_copy(const struct questions *questions);

uint32_t questions_count(const struct questions *questions);

struct questions_reach questions_reach(const struct questions *questions);

/** The one reported next after `question`, the newest after NULL; NULL: no more. Borrowed. */
const struct question_asked *questions_next(const struct questions *questions,
                                            const struct question_asked *question);
