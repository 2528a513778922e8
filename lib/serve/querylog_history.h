#pragma once
/**
 * The last 10,000 records: 5,000 failures and 5,000 others, each kind in a ring of its own, so that
 * good answers never push failures out.
 *
 *     failures  ... ─ record ─ record ─(12 not kept)─ record ─►
 *     others    ... ─ record ─(98,000 not kept)─ record ─ record ─►
 *
 * Of each kind at most QUERYLOG_KEPT_RATE a second are kept; what is left out is counted where it
 * would be.
 *
 * Threads: its owner's.  Memory: everything in querylog_history_init.
 */
#include "serve/querylog_budget.h"
#include "serve/querylog_filter.h"

enum {
    QUERYLOG_KEPT_MOST = 10000,
    QUERYLOG_KEPT_OF_KIND = QUERYLOG_KEPT_MOST / QUERYLOG_KINDS,
    QUERYLOG_KEPT_RATE = 200,
};

struct querylog_kept {
    uint64_t number;   /* of all records kept, in their order */
    uint64_t left_out; /* of the kind, between the record before and this one */
    struct querylog_record record;
};

struct querylog_history {
    uint64_t number; /* of the next record */
    struct querylog_kept *kept[QUERYLOG_KINDS];
    size_t added[QUERYLOG_KINDS]; /* ever */
    struct querylog_budget budgets[QUERYLOG_KINDS];
};

/** What was found; the records are the oldest first. */
struct querylog_found {
    struct querylog_record *records; /* to be freed; NULL: out of memory */
    size_t count;
    uint64_t left_out; /* of the wanted kinds, since the first of these records, or ever */
};

/** Returns false without memory; querylog_history_close is to be called all the same. */
bool querylog_history_init(struct querylog_history *history);

void querylog_history_close(struct querylog_history *history);

void querylog_history_add(struct querylog_history *history, const struct querylog_record *record);

/** Counts replies of a kind that never became records. */
static inline void querylog_history_skip(struct querylog_history *history, unsigned kind,
                                         uint64_t count)
{
    history->budgets[kind].left_out += count;
}

/** Finds the last `most` records that pass, at most QUERYLOG_KEPT_MOST. */
void querylog_history_find(const struct querylog_history *history,
                           const struct querylog_filter *filter, size_t most,
                           struct querylog_found *found);
