#pragma once
/**
 * A bounded table of uses: how often one party was asked for by another, and when.
 *
 * A use is known by two parties (parties.h), which it holds; what the two stand for is its owner's.
 * When the table is full, a new use pushes out the one that was raised least recently, if that was
 * last asked `idle_s` ago or more; otherwise the new one is left out.
 *
 * So with idle_s = 0: as long as no more than `most` uses are asked, every figure is exact. Once
 * there are more, a use that is in the table has exact figures from its `first` on, and one that
 * was pushed out has not been asked since each of the `most` - 1 others was. What pushed-out uses
 * have counted goes to the owner, so no sum loses anything.
 *
 *     slots ──► uses ── newer/older ── a list from the newest to the oldest
 *
 * Threads: one.  Memory: 72 octets for each of `most`; pages are used as it fills.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traffic/parties.h"

/** How a question for an app ended. */
enum use_outcome {
    USE_ANSWERED, /* with records */
    USE_EMPTY,    /* without, as the name has none of that type */
    USE_REFUSED,  /* the client may not have it */
    USE_FAILED,   /* the app, the process or the dyno is not there or does not run; other errors */
    USE_OUTCOMES
};

/** "answered", "empty", "refused", "failed". */
const char *use_outcome_text(enum use_outcome outcome);

/** Counts by outcome; times in seconds since 1970, 0 before there is a count. */
struct use_counts {
    uint64_t counts[USE_OUTCOMES];
    uint32_t first_s;
    uint32_t last_s;
};

struct use {
    uint32_t parties[2];
    struct use_counts asked;
    uint32_t by;        /* the party that asked last, if the owner sets it (uses_set_by) */
    uint16_t by_second; /* when, the lowest bits; */
    uint16_t by_ms;     /* and within that second */
    uint32_t newer, older;
};

/** Adds what was counted. */
void use_counts_add(struct use_counts *sum, const struct use_counts *more);

/** The clock was set back to now_s: nothing was counted later than that. */
void use_counts_set_back(struct use_counts *counts, uint32_t now_s);

/** All outcomes together. */
uint64_t use_counts_total(const struct use_counts *counts);

struct uses;

/** Called before a use is pushed out. */
typedef void uses_on_pushed_out(void *context, const struct use *use);

struct uses_options {
    struct parties *parties; /* borrowed */
    uint32_t most;           /* 1 or more */
    uint32_t idle_s;
    uses_on_pushed_out *on_pushed_out; /* NULL: nobody wants what it counted */
    void *context;
};

/** Returns NULL without memory. */
struct uses *uses_new(const struct uses_options *options);

/** Releases no party: they are freed with it. NULL is allowed. */
void uses_free(struct uses *uses);

/**
 * Adds to the use of two parties, which becomes the newest. Returns NULL when it is left out; the
 * pointer is good until the next call.
 */
struct use *uses_raise(struct uses *uses, uint32_t first, uint32_t second,
                       const struct use_counts *more);

/**
 * The same for a guest, who only asks for many things: its use is added while less than half of
 * `most` are there, and pushes nothing out.
 */
struct use *uses_raise_guest(struct uses *uses, uint32_t first, uint32_t second,
                             const struct use_counts *more);

/**
 * Sets who asked last, unless somebody has asked after at_ms, in milliseconds since 1970. The use
 * has been raised with that time.
 */
void uses_set_by(struct uses *uses, struct use *use, uint32_t by, int64_t at_ms);

/** The clock was set back to now_s: no use was asked later than that. */
void uses_set_back(struct uses *uses, uint32_t now_s);

/** Finds a use; NULL: there is none. */
const struct use *uses_find(const struct uses *uses, uint32_t first, uint32_t second);

/** The next use, oldest first; `before` NULL: the oldest. NULL: there are no more. */
const struct use *uses_next(const struct uses *uses, const struct use *before);

/** A use's number among them, 0 to `most` - 1; it keeps it until it is pushed out. */
size_t uses_number(const struct uses *uses, const struct use *use);

size_t uses_count(const struct uses *uses);
