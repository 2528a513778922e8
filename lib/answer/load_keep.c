#include <stdlib.h>
#include <string.h>

#include "answer/loading.h"
#include "base/parallel.h"

/*
 * Texts go down by a step at a time, all that have to in one round, in parallel:
 *
 *     errors of their own ──► the judge ──► clashes, as long as there are any
 *
 * What is served of `before` has no clashes, so a text that can go down to it ends all of its own.
 * A key that two texts claim is no clash: it is that of the text created first (load.c), and the
 * other's space is served without it.
 */
enum { ROUNDS_FAIR = 8 }; /* then a clash counts even with a text that goes down as well */

static bool has_kept(const struct loading *loading, const struct job *job)
{
    const struct load_request *request = loading->request;

    if (load_is_start(request))
        return request->stored != NULL;
    return job->before != NULL && !job->before->is_unready;
}

static void keep_before(const struct loading *loading, struct job *job)
{
    if (load_is_start(loading->request)) {
        load_text_run_stored(loading, job);
        return;
    }
    job->result = segment_hold(job->before);
    job->is_kept = true;
}

/* Findings of a text that is not the operator's any more are of no use. */
bool load_forget_findings(struct job *job)
{
    report_free(job->report);
    job->report = report_new();
    return job->report != NULL;
}

bool load_step_down(struct loading *loading, struct job *job)
{
    if (job->step == STEP_TEXT && has_kept(loading, job)) {
        job->step = STEP_KEPT;
        keep_before(loading, job);
        if (job->result != NULL)
            return true;
        if (load_lacked_memory(job->report) || !load_forget_findings(job))
            return false;
    }
    job->step = STEP_UNREADY;
    load_text_run_unready(loading, job);
    return job->result != NULL;
}

static bool step_down(struct loading *loading)
{
    return parallel_for(loading->job_count, loading->request->threads, load_fall_back, loading) ||
           load_out_of_memory(loading->err);
}

/* ---- errors of their own ---- */

bool load_lacked_memory(const struct report *report)
{
    const struct finding *findings = report_findings(report);
    bool has_lacked = !report_is_clean(report) && report_first_error(report) == NULL;

    for (size_t i = 0; i < report_total(report) && !has_lacked; i++)
        has_lacked = findings[i].code == FINDING_MEMORY;
    return has_lacked;
}

static bool has_memory(struct loading *loading, const struct report *report)
{
    return !load_lacked_memory(report) || load_out_of_memory(loading->err);
}

static bool keep_broken(struct loading *loading)
{
    for (size_t i = 0; i < loading->job_count; i++) {
        struct job *job = &loading->jobs[i];
        if (report_is_clean(job->report))
            continue;
        if (!has_memory(loading, job->report))
            return false;
        load_note_cause(job, job->report);
        if (!job->falls_back)
            return load_out_of_memory(loading->err);
    }
    return step_down(loading);
}

/* ---- the judge ---- */

/* True when something that is served would change. */
static bool is_judged(const struct job *job)
{
    return job->before != NULL && !job->before->is_unready && !job->is_kept &&
           job->step == STEP_TEXT;
}

static bool hold_refused(struct loading *loading)
{
    const struct load_judge *judge = &loading->request->judge;

    if (judge->may_change == NULL || load_is_start(loading->request))
        return true;
    for (size_t i = 0; i < loading->job_count; i++) {
        struct job *job = &loading->jobs[i];
        struct err why = {.code = ERR_NONE};
        if (!is_judged(job))
            continue;
        struct segment *old = load_keys_before(loading, job);
        if (old == NULL)
            return load_out_of_memory(loading->err);
        bool may_change = judge->may_change(judge->context, job->file, old, job->result, &why);
        segment_release(old);
        if (may_change)
            continue;
        job->last_good =
            (struct load_last_good){.file = strdup(job->file), .keeping = LOAD_HELD, .cause = why};
        job->falls_back = job->last_good.file != NULL;
        if (!job->falls_back)
            return load_out_of_memory(loading->err);
    }
    return step_down(loading);
}

/* ---- clashes ---- */

static void note_charge(void *context, uint32_t charged, uint32_t other)
{
    struct loading *loading = context;
    const struct charge *last =
        loading->charge_count == 0 ? NULL : &loading->charges[loading->charge_count - 1];

    if (last != NULL && last->charged == charged && last->other == other)
        return;
    struct charge *grown = arena_grow(loading->arena, loading->charges, loading->charge_count,
                                      &loading->charge_capacity, sizeof *grown);
    if (grown == NULL) {
        loading->has_lost_charges = true;
        return;
    }
    loading->charges = grown;
    grown[loading->charge_count++] = (struct charge){.charged = charged, .other = other};
}

/* What the charges of an attempt are decided by. */
struct docket {
    struct loading *loading;
    struct job **jobs; /* by number of segment */
    bool is_fair;      /* a text that goes down itself charges nobody */
};

static uint64_t created(const struct docket *docket, uint32_t number)
{
    return docket->jobs[number]->result->identity.stamp.words[1];
}

/* Those created first come first: whether they stay is known when they charge others. */
static int compare_charges(const void *a, const void *b, void *context)
{
    const struct docket *docket = context;
    const struct charge *left = a, *right = b;
    uint64_t left_created = created(docket, left->charged);
    uint64_t right_created = created(docket, right->charged);

    if (left_created != right_created)
        return left_created < right_created ? -1 : 1;
    return strcmp(docket->jobs[left->charged]->file, docket->jobs[right->charged]->file);
}

static bool note_clash(const struct docket *docket, struct job *job)
{
    struct report *own = report_new();

    if (own == NULL)
        return load_out_of_memory(docket->loading->err);
    report_merge(own, docket->loading->report);
    report_keep_file(own, job->file);
    load_note_cause(job, own);
    report_free(own);
    return job->falls_back || load_out_of_memory(docket->loading->err);
}

/* Returns false without memory. */
static bool decide_charges(const struct docket *docket, size_t *count)
{
    const struct loading *loading = docket->loading;

    *count = 0;
    for (size_t i = 0; i < loading->charge_count; i++) {
        const struct charge *charge = &loading->charges[i];
        struct job *job = docket->jobs[charge->charged];
        bool other_goes = charge->other != ENTRY_NONE && docket->jobs[charge->other]->falls_back;
        if (job->falls_back || job->step == STEP_UNREADY || (docket->is_fair && other_goes))
            continue;
        if (!note_clash(docket, job))
            return false;
        (*count)++;
    }
    return true;
}

/* The jobs by number of their segment, to be freed; NULL without memory. */
static struct job **list_by_number(struct loading *loading)
{
    struct job **jobs = calloc(loading->segment_count + 1, sizeof(struct job *));

    for (size_t i = 0; jobs != NULL && i < loading->job_count; i++)
        if (loading->jobs[i].result != NULL)
            jobs[loading->jobs[i].number] = &loading->jobs[i];
    return jobs;
}

/* Chooses the texts that go down for the clashes of the last attempt. False: none, or no memory. */
static bool choose_charged(struct loading *loading, size_t round)
{
    struct docket docket = {
        .loading = loading, .jobs = list_by_number(loading), .is_fair = round < ROUNDS_FAIR};
    size_t count = 0;

    if (docket.jobs == NULL || loading->has_lost_charges) {
        free(docket.jobs);
        return load_out_of_memory(loading->err);
    }
    if (loading->charge_count > 0)
        qsort_r(loading->charges, loading->charge_count, sizeof *loading->charges, compare_charges,
                &docket);
    bool decided = decide_charges(&docket, &count);
    free(docket.jobs);
    if (decided && count == 0)
        err_set(loading->err, ERR_RULE, "the texts of %s contradict each other",
                loading->request->source->root);
    return decided && count > 0;
}

/* loading->report is of the last attempt alone. */
static struct snapshot *attempt_until_clean(struct loading *loading, struct load_outcome *outcome)
{
    for (size_t round = 0;; round++) {
        struct report *report = report_new();
        if (report == NULL) {
            load_out_of_memory(loading->err);
            return NULL;
        }
        report_free(loading->report);
        loading->report = report;
        loading->charge_count = 0;
        struct snapshot *snapshot = load_attempt(loading, outcome);
        if (snapshot != NULL || report_is_clean(report))
            return snapshot;
        if (!has_memory(loading, report) || !choose_charged(loading, round) || !step_down(loading))
            return NULL;
    }
}

/* ---- keys that are another's ---- */

/* Reports the entries of one space that wait, from one on. Returns the end of them. */
static size_t report_waiting(const struct candidates *candidates, const struct snapshot *served,
                             size_t first, struct report *report)
{
    const struct index_waiting *waiting = served->index.waiting;
    size_t i = first;

    for (; i < waiting->count && waiting->entries[i].segment == waiting->entries[first].segment;
         i++) {
        struct index_entry owner;
        if (index_find_owner(&served->index, served->segments, waiting->entries[i], &owner))
            crosscheck_report_waiting(candidates, waiting->entries[i], owner, report);
    }
    return i;
}

/* What keeps a whole text out was noted before, and says more. */
static bool note_taken(struct job *job, struct report *own)
{
    if (job->last_good.file != NULL || report_is_clean(own))
        return true;
    load_note_cause(job, own);
    job->falls_back = false;
    job->last_good.keeping = LOAD_TAKEN;
    return job->last_good.file != NULL;
}

/* Notes the spaces that are served without keys that another one has. */
static bool note_all_taken(struct loading *loading, const struct snapshot *served)
{
    const struct index_waiting *waiting = served->index.waiting;
    const struct candidates candidates = {.segments = served->segments,
                                          .count = served->segment_count};

    if (waiting == NULL)
        return true;
    struct job **jobs = list_by_number(loading);
    bool is_noted = jobs != NULL;
    for (size_t i = 0; i < waiting->count && is_noted;) {
        struct report *own = report_new();
        is_noted = own != NULL;
        if (!is_noted)
            break;
        struct job *job = jobs[waiting->entries[i].segment];
        i = report_waiting(&candidates, served, i, own);
        is_noted = job == NULL || note_taken(job, own);
        report_free(own);
    }
    free(jobs);
    return is_noted || load_out_of_memory(loading->err);
}

/* ---- what came of it ---- */

static bool describe(struct loading *loading, struct job *job)
{
    struct load_last_good *noted = &job->last_good;
    struct source *source = loading->request->source;

    noted->is_served = job->step == STEP_KEPT || noted->keeping == LOAD_TAKEN;
    if (job->step == STEP_UNREADY)
        noted->keeping = LOAD_UNREADY;
    noted->space = strdup(job->result->name);
    if (!job->is_gone)
        noted->stamp = source->stamp(source, job->file);
    if (noted->is_served)
        noted->served_stamp = job->result->identity.stamp;
    return noted->space != NULL || load_out_of_memory(loading->err);
}

static bool describe_all(struct loading *loading)
{
    for (size_t i = 0; i < loading->job_count; i++)
        if (loading->jobs[i].last_good.file != NULL && !describe(loading, &loading->jobs[i]))
            return false;
    return true;
}

struct snapshot *load_keeping_spaces(struct loading *loading, struct load_outcome *outcome)
{
    struct report *given = loading->report;
    struct snapshot *snapshot = NULL;

    loading->report = NULL;
    loading->on_charge = note_charge;
    if (keep_broken(loading) && hold_refused(loading))
        snapshot = attempt_until_clean(loading, outcome);
    struct report *last = loading->report;
    loading->report = given;
    if (snapshot != NULL || outcome->is_unchanged) {
        report_merge(given, last);
        if (!note_all_taken(loading, snapshot != NULL ? snapshot : loading->request->before) ||
            !describe_all(loading) || !load_hand_last_good(loading, outcome)) {
            outcome->is_unchanged = false;
            snapshot_free(snapshot);
            snapshot = NULL;
        }
    }
    report_free(last);
    return snapshot;
}
