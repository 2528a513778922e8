#pragma once
/**
 * So many a second of something, and how many more there were.
 *
 * The seconds are those of the records (added_ns), so that they are counted alike whether they are
 * read at once or later.
 *
 * Threads: its owner's.  Memory: none.
 */
#include <stdbool.h>
#include <stdint.h>

struct querylog_budget {
    uint64_t second;
    uint32_t left;
    uint64_t left_out; /* since the owner has read it */
};

/** True when a second is over in which something was left out. */
static inline bool querylog_budget_is_due(const struct querylog_budget *budget, uint64_t second)
{
    return budget->left_out > 0 && second > budget->second;
}

/** Takes one of `rate` in that second; false: it is counted as left out. */
static inline bool querylog_budget_take(struct querylog_budget *budget, uint32_t rate,
                                        uint64_t second)
{
    if (second > budget->second || budget->second == 0) {
        budget->second = second;
        budget->left = rate;
    }
    budget->left_out += budget->left == 0;
    if (budget->left == 0)
        return false;
    budget->left--;
    return true;
}
