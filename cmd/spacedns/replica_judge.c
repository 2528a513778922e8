#include "spacedns/replica_judge.h"

#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

enum { MS_PER_S = 1000, SPACES_SHOWN = 2 };

const char *replica_fault_text(enum replica_fault fault)
{
    static const char *const texts[] = {[REPLICA_BEHIND] = "behind",
                                        [REPLICA_STALE] = "stale",
                                        [REPLICA_HOLDS_APPS] = "holds-apps",
                                        [REPLICA_HOLDS] = "holds-spaces",
                                        [REPLICA_KEEPS] = "keeps-spaces"};

    return texts[fault];
}

/* ---- one replica ---- */

static void judge_change(const struct replica *replica, const struct replica_cell *cell,
                         struct replica_verdict *verdict)
{
    if (replica->revision >= cell->changed)
        return;
    verdict->is_awaited = replica->written < cell->changed;
    if (verdict->is_awaited)
        return;
    verdict->behind = cell->changed - replica->revision;
    snprintf(verdict->since, sizeof verdict->since, "%s", cell->changed_at);
}

/* What it says itself goes before: it is of dynos, too. */
static void judge_waiting(const struct replica *replica, struct replica_verdict *verdict)
{
    if (replica->waits_ms == 0 || replica->known <= replica->revision)
        return;
    verdict->is_awaited = false;
    verdict->behind = replica->known - replica->revision;
    clock_format((replica->at_ms - replica->waits_ms) / MS_PER_S, verdict->since);
}

static size_t count_kept(const struct replica *replica, bool is_held)
{
    size_t count = 0;

    for (size_t i = 0; i < replica->kept_count; i++)
        count += replica->kept[i].is_held == is_held;
    return count;
}

struct replica_verdict replica_judge(const struct replica *replica, const struct replica_cell *cell,
                                     int64_t now_ms)
{
    struct replica_verdict verdict = {.is_well = true};

    judge_change(replica, cell, &verdict);
    judge_waiting(replica, &verdict);
    verdict.has[REPLICA_BEHIND] = verdict.behind > 0;
    verdict.has[REPLICA_STALE] = now_ms - replica->at_ms > REPLICA_STALE_MS;
    verdict.has[REPLICA_HOLDS_APPS] = replica->held_apps > 0;
    verdict.has[REPLICA_HOLDS] = count_kept(replica, true) > 0;
    verdict.has[REPLICA_KEEPS] = count_kept(replica, false) > 0;
    for (int fault = 0; fault < REPLICA_FAULTS; fault++)
        verdict.is_well = verdict.is_well && !verdict.has[fault];
    return verdict;
}

/* ---- its state ---- */

static void add_count(struct text *out, uint64_t count, const char *one, const char *many)
{
    text_add_number(out, count);
    text_add_string(out, count == 1 ? one : many);
}

/* "a-space, b-space and 3 more"; of those that are kept each with its code. */
static void add_spaces(const struct replica *replica, bool is_held, struct text *out)
{
    size_t shown = 0, count = count_kept(replica, is_held);

    for (size_t i = 0; i < replica->kept_count && shown < SPACES_SHOWN; i++) {
        const struct replica_kept *kept = &replica->kept[i];
        if (kept->is_held != is_held)
            continue;
        text_add_string(out, shown == 0 ? "" : ", ");
        text_add_string(out, kept->space);
        if (kept->code[0] != '\0') {
            text_add_string(out, " (");
            text_add_string(out, kept->code);
            text_add_string(out, ")");
        }
        shown++;
    }
    if (count > shown) {
        text_add_string(out, " and ");
        text_add_number(out, count - shown);
        text_add_string(out, " more");
    }
}

static void add_fault(const struct replica *replica, const struct replica_verdict *verdict,
                      enum replica_fault fault, struct text *out)
{
    switch (fault) {
    case REPLICA_BEHIND:
        text_add_string(out, "behind by ");
        add_count(out, verdict->behind, " revision", " revisions");
        text_add_string(out, verdict->since[0] == '\0' ? "" : " since ");
        text_add_string(out, verdict->since);
        return;
    case REPLICA_STALE:
        text_add_string(out, "stale");
        return;
    case REPLICA_HOLDS_APPS:
        text_add_string(out, "holds the dynos of ");
        add_count(out, replica->held_apps, " app", " apps");
        return;
    case REPLICA_HOLDS:
        text_add_string(out, "holds ");
        add_spaces(replica, true, out);
        return;
    case REPLICA_KEEPS:
        text_add_string(out, "keeps ");
        add_spaces(replica, false, out);
        return;
    case REPLICA_FAULTS:
        return;
    }
}

void replica_write_state(const struct replica *replica, const struct replica_verdict *verdict,
                         struct text *out)
{
    size_t count = 0;

    for (int fault = 0; fault < REPLICA_FAULTS; fault++) {
        if (!verdict->has[fault])
            continue;
        text_add_string(out, count++ == 0 ? "! " : ", ");
        add_fault(replica, verdict, (enum replica_fault)fault, out);
    }
    if (count == 0)
        text_add_string(out, verdict->is_awaited ? "no word since the last change" : "ok");
}

/* ---- the sum ---- */

struct fault_words {
    const char *one;
    const char *many;
    const char *remedy;
};

static const struct fault_words *words_of(enum replica_fault fault)
{
    static const struct fault_words words[] = {
        [REPLICA_BEHIND] = {"is behind", "are behind",
                            "for the reason, see spacedns status and the log there"},
        [REPLICA_STALE] = {"is stale", "are stale",
                           "see whether it runs and reaches etcd, and has the right time; after a "
                           "minute without a word it leaves this list"},
        [REPLICA_HOLDS_APPS] = {"holds deleted dynos", "hold deleted dynos",
                                "have the scheduler write these again, or if they are meant to go: "
                                "spacedns registry:accept"},
        [REPLICA_HOLDS] = {"holds spaces", "hold spaces",
                           "put back what vanishes with spacedns push, or if it is meant: spacedns "
                           "registry:accept SPACE"},
        [REPLICA_KEEPS] = {"keeps spaces", "keep spaces", "push their zone files without errors"},
    };

    return &words[fault];
}

struct sum {
    size_t counts[REPLICA_FAULTS];
    const struct replica *first[REPLICA_FAULTS];
};

static void add_verdict(struct sum *sum, const struct replica *replica,
                        const struct replica_verdict *verdict)
{
    for (int fault = 0; fault < REPLICA_FAULTS; fault++)
        if (verdict->has[fault] && sum->counts[fault]++ == 0)
            sum->first[fault] = replica;
}

/* ", 2 are behind (ns1 and 1 more)" */
static void print_counts(const struct sum *sum, FILE *out)
{
    for (int fault = 0; fault < REPLICA_FAULTS; fault++) {
        const struct fault_words *words = words_of((enum replica_fault)fault);
        size_t count = sum->counts[fault];
        if (count == 0)
            continue;
        escape_printf(out, ", %zu %s (%s", count, count == 1 ? words->one : words->many,
                      sum->first[fault]->name);
        if (count > 1)
            fprintf(out, " and %zu more", count - 1);
        fputc(')', out);
    }
}

static void print_remedies(const struct sum *sum, const struct replica_cell *cell, FILE *out)
{
    const char *separator = ": ";

    for (int fault = 0; fault < REPLICA_FAULTS; fault++) {
        if (sum->counts[fault] == 0)
            continue;
        fprintf(out, "%s%s", separator, words_of((enum replica_fault)fault)->remedy);
        separator = "; ";
    }
    if (cell->is_paused)
        escape_printf(out, "; documents are paused by %s: %s; spacedns registry:resume ends it",
                      cell->paused_by, cell->why);
}

bool replica_print_sum(const struct replica_list *list, const struct replica_cell *cell,
                       int64_t now_ms, FILE *out)
{
    struct sum sum = {.counts = {0}};
    bool are_well = true;

    for (size_t i = 0; i < list->count; i++) {
        const struct replica_verdict verdict = replica_judge(&list->items[i], cell, now_ms);
        add_verdict(&sum, &list->items[i], &verdict);
        are_well = are_well && verdict.is_well;
    }
    fprintf(out, "%zu replica%s", list->count, list->count == 1 ? "" : "s");
    if (are_well)
        fputs(list->count == 1 ? ", which is well" : ", all are well", out);
    print_counts(&sum, out);
    print_remedies(&sum, cell, out);
    fputc('\n', out);
    return are_well;
}
