#include "serve/querylog_history.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t second_ns = 1000000000;

bool querylog_history_init(struct querylog_history *history)
{
    bool is_whole = true;

    *history = (struct querylog_history){.number = 0};
    for (unsigned kind = 0; kind < QUERYLOG_KINDS; kind++) {
        history->kept[kind] = calloc(QUERYLOG_KEPT_OF_KIND, sizeof *history->kept[kind]);
        is_whole = is_whole && history->kept[kind] != NULL;
    }
    return is_whole;
}

void querylog_history_close(struct querylog_history *history)
{
    for (unsigned kind = 0; kind < QUERYLOG_KINDS; kind++)
        free(history->kept[kind]);
}

void querylog_history_add(struct querylog_history *history, const struct querylog_record *record)
{
    unsigned kind = record->kind;
    struct querylog_budget *budget = &history->budgets[kind];

    if (!querylog_budget_take(budget, QUERYLOG_KEPT_RATE, record->added_ns / second_ns))
        return;
    struct querylog_kept *kept =
        &history->kept[kind][history->added[kind]++ % QUERYLOG_KEPT_OF_KIND];
    kept->number = history->number++;
    kept->left_out = budget->left_out;
    kept->record = *record;
    budget->left_out = 0;
}

/* ---- finding ---- */

/* Goes back from the newest record. */
struct walk {
    const struct querylog_history *history;
    size_t passed[QUERYLOG_KINDS]; /* records of the kind that were walked over */
};

/* The next older record of a kind; NULL: there is none. */
static const struct querylog_kept *older(const struct walk *walk, unsigned kind)
{
    size_t added = walk->history->added[kind], passed = walk->passed[kind];

    if (passed == added || passed == QUERYLOG_KEPT_OF_KIND)
        return NULL;
    return &walk->history->kept[kind][(added - passed - 1) % QUERYLOG_KEPT_OF_KIND];
}

static const struct querylog_kept *walk_back(struct walk *walk)
{
    const struct querylog_kept *newest = NULL;
    unsigned of_kind = 0;

    for (unsigned kind = 0; kind < QUERYLOG_KINDS; kind++) {
        const struct querylog_kept *each = older(walk, kind);
        if (each == NULL || (newest != NULL && newest->number > each->number))
            continue;
        newest = each;
        of_kind = kind;
    }
    walk->passed[of_kind] += newest != NULL;
    return newest;
}

static void reverse(struct querylog_found *found)
{
    struct querylog_record aside;

    for (size_t i = 0; i < found->count / 2; i++) {
        aside = found->records[i];
        found->records[i] = found->records[found->count - 1 - i];
        found->records[found->count - 1 - i] = aside;
    }
}

void querylog_history_find(const struct querylog_history *history,
                           const struct querylog_filter *filter, size_t most,
                           struct querylog_found *found)
{
    struct walk walk = {.history = history};
    const struct querylog_kept *kept;

    if (most > QUERYLOG_KEPT_MOST)
        most = QUERYLOG_KEPT_MOST;
    *found = (struct querylog_found){.records = malloc((most + 1) * sizeof *found->records)};
    for (unsigned kind = 0; kind < QUERYLOG_KINDS; kind++)
        if (querylog_filter_takes(filter, kind))
            found->left_out += history->budgets[kind].left_out;
    while (found->records != NULL && found->count < most && (kept = walk_back(&walk)) != NULL) {
        if (querylog_filter_passes(filter, &kept->record))
            found->records[found->count++] = kept->record;
        if (found->count < most && querylog_filter_takes(filter, kept->record.kind))
            found->left_out += kept->left_out;
    }
    reverse(found);
}
