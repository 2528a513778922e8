#pragma once
/**
 * Questions that only a search list asks.
 *
 * A resolver appends the suffixes of its search list to a name, and asks for each. The client then
 * asks, within seconds of each other, for a name P and for P with a suffix, and the latter does not
 * exist:
 *
 *     api.example.com.svc.cluster.local   NXDOMAIN  ┐
 *     api.example.com                               ┘ one wasted question, suffix svc.cluster.local
 *
 * P may be asked before or after, up to WASTE_WINDOW_S apart at least; of several, the longest
 * counts. Questions are remembered by a hash; two alike in a window are one in billions.
 *
 * What mends it: with `options ndots:1` a name with a dot is asked as it is first, and not again
 * when it is answered. Where P has no dot, or is not answered, only `search .` helps, which takes
 * the suffixes away.
 *
 * Of names that do not exist, one client's address has a quarter of those that are examined, so
 * that one that asks for random names does not hide the waste of others.
 *
 * Threads: one.  Memory: about 3 MB; WASTE_MOST pairs, the least recently seen is pushed out.
 */
#include <stdbool.h>

#include "answer/index.h"
#include "traffic/uses.h"

enum {
    WASTE_MOST = 10000,
    WASTE_WINDOW_S = 10,
    WASTE_PENDING_MOST = 2048, /* names that do not exist, and wait to be seen as others' */
    WASTE_PENDING_OF_CLIENT = WASTE_PENDING_MOST / 4,
    WASTE_PREFIXES = 16,
};

/** What mends a wasted question; the outcomes of the uses. */
enum waste_remedy { WASTE_BY_NDOTS, WASTE_BY_SEARCH };

struct waste;

/** Returns NULL without memory. */
struct waste *waste_new(struct parties *parties);

/** NULL is allowed. */
void waste_free(struct waste *waste);

/** A question of a client, and its answer. */
struct waste_question {
    uint32_t source;
    uint32_t client; /* party */
    uint64_t name_hash;
    bool is_answered;
    uint32_t at_s;
};

/** Notes a question. */
void waste_note(struct waste *waste, const struct waste_question *question);

/** The name does not exist: it is wasted if it is another one with a suffix (waste_settle). */
void waste_note_missing(struct waste *waste, const struct waste_question *question,
                        const struct index *index, const struct name *name, uint32_t count);

/** Counts what is known to be wasted by now. */
void waste_settle(struct waste *waste, uint32_t now_s);

/** The wasted questions by client and suffix, which is a word; outcomes are enum waste_remedy. */
struct uses *waste_uses(const struct waste *waste);

/** Names that did not exist and were not examined, because there were too many. */
uint64_t waste_missed(const struct waste *waste);
