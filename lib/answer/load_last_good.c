#include <stdlib.h>
#include <string.h>

#include "answer/loading.h"
#include "base/clock.h"
#include "base/parallel.h"

enum { ROUNDS_BY_FILE = 3 }; /* then all changed files fall back */

bool load_has_last_good(const struct load_request *request)
{
    return load_is_start(request) && request->stored != NULL && request->stored->text_count > 0;
}

void load_note_cause(struct job *job, struct report *report)
{
    struct load_last_good *noted = &job->last_good;

    job->falls_back = true;
    if (noted->file != NULL)
        return;
    report_sort(report);
    const struct finding *first = report_first_error(report);
    report_refusal(report, job->file, &noted->cause);
    noted->code = first == NULL ? FINDING_MEMORY : first->code;
    noted->at = (struct location){.line = 0};
    if (first != NULL && strcmp(first->file, job->file) == 0)
        noted->at = first->at;
    noted->file = strdup(job->file);
    job->falls_back = noted->file != NULL;
}

static bool may_fall_back(const struct job *job)
{
    return job->last_good.file == NULL;
}

/* Files with errors of their own. Returns their number. */
static size_t choose_broken(struct loading *loading)
{
    size_t count = 0;

    for (size_t i = 0; i < loading->job_count; i++) {
        struct job *job = &loading->jobs[i];
        if (!may_fall_back(job) || report_is_clean(job->report))
            continue;
        load_note_cause(job, job->report);
        count += job->falls_back;
    }
    return count;
}

/* Changed files that the report has errors of. Returns their number. */
static size_t choose_named(struct loading *loading)
{
    const struct finding *findings = report_findings(loading->report);
    size_t count = 0;

    for (size_t i = 0; i < report_total(loading->report); i++) {
        struct job *job = load_find_job(loading, findings[i].file);
        if (finding_level(findings[i].code) != FINDING_ERROR || job == NULL ||
            !may_fall_back(job) || job->is_stored)
            continue;
        struct report *own = report_new();
        if (own == NULL)
            return count;
        report_merge(own, loading->report);
        report_keep_file(own, job->file);
        load_note_cause(job, own);
        report_free(own);
        count += job->falls_back;
    }
    return count;
}

static size_t choose_changed(struct loading *loading)
{
    size_t count = 0;

    for (size_t i = 0; i < loading->job_count; i++) {
        struct job *job = &loading->jobs[i];
        if (!may_fall_back(job) || job->is_stored)
            continue;
        load_note_cause(job, loading->report);
        count += job->falls_back;
    }
    return count;
}

void load_drop_text(struct job *job)
{
    segment_release(job->result);
    free(job->text);
    arena_free(job->model.arena);
    report_free(job->report);
    job->result = NULL;
    job->is_kept = false;
    job->text = NULL;
    job->model = (struct load_model){.arena = NULL};
    job->report = report_new();
    job->is_stored = false;
}

bool load_fall_back(void *context, size_t index)
{
    struct loading *loading = context;
    struct job *job = &loading->jobs[index];

    if (!job->falls_back)
        return true;
    job->falls_back = false;
    load_drop_text(job);
    if (job->report == NULL)
        return false;
    if (loading->request->keeps_spaces)
        return load_step_down(loading, job) && load_keys_apply(loading, job);
    load_text_run_stored(loading, job);
    job->last_good.is_served = job->result != NULL;
    if (job->last_good.is_served)
        return load_keys_apply(loading, job);
    report_free(job->report); /* of a text that is not the operator's any more */
    job->report = report_new();
    return job->report != NULL;
}

/* Returns the number of files that fall back; more in each round, and at last none. */
static size_t choose(struct loading *loading, size_t round)
{
    size_t count = round == 0 ? choose_broken(loading) : 0;

    if (count == 0 && round <= ROUNDS_BY_FILE)
        count = choose_named(loading);
    return count == 0 ? choose_changed(loading) : count;
}

static bool has_results(const struct loading *loading)
{
    for (size_t i = 0; i < loading->job_count; i++)
        if (loading->jobs[i].result != NULL)
            return true;
    return false;
}

/*
 * loading->report has the findings of the last attempt; the first one's, of the files as they are,
 * stay.
 */
static struct snapshot *attempt_with_accepted(struct loading *loading, struct load_outcome *outcome,
                                              struct report *refusal)
{
    struct snapshot *snapshot = NULL;

    for (size_t round = 0; snapshot == NULL && !report_is_clean(loading->report); round++) {
        if (choose(loading, round) == 0)
            return NULL;
        struct report *next = report_new();
        if (next == NULL ||
            !parallel_for(loading->job_count, loading->request->threads, load_fall_back, loading)) {
            report_free(next);
            load_out_of_memory(loading->err);
            return NULL;
        }
        if (loading->report != refusal)
            report_free(loading->report);
        loading->report = next;
        snapshot = load_attempt(loading, outcome);
    }
    if (has_results(loading))
        return snapshot;
    snapshot_free(snapshot);
    return NULL;
}

static void report_kept(const struct load_last_good *text, struct report *report)
{
    if (text->keeping == LOAD_HELD)
        report_add(report, FINDING_HELD, text->file, text->at,
                   "space %.80s stays as it was: %s; put it back with `spacedns push`, or if the "
                   "change is meant, let it through with `spacedns registry:accept %.80s`",
                   text->space, text->cause.text, text->space);
    else if (text->keeping == LOAD_TAKEN)
        report_add(report, FINDING_TAKEN, text->file, text->at,
                   "space %.80s is served without what another space has, whose document was "
                   "created first: %s; push it again without that",
                   text->space, text->cause.text);
    else if (text->keeping == LOAD_KEPT)
        report_add(report, FINDING_LAST_GOOD, text->file, text->at,
                   "space %.80s stays as it was, because its document has errors: %s; correct it "
                   "and push it again",
                   text->space, text->cause.text);
    else
        report_add(report, FINDING_UNSERVED, text->file, text->at,
                   "space %.80s is not ready, and its clients get SERVFAIL, because its document "
                   "has errors and there is no earlier one: %s; correct it and push it again",
                   text->space, text->cause.text);
}

static void report_last_good(const struct load_last_good *file, struct report *report)
{
    char accepted[CLOCK_TEXT_OCTETS];

    clock_format(file->accepted_s, accepted);
    if (file->is_served)
        report_add(report, FINDING_LAST_GOOD, file->file, file->at,
                   "the text accepted at %s is served, because the file has errors: %s; correct it "
                   "and reload",
                   accepted, file->cause.text);
    else
        report_add(report, FINDING_UNSERVED, file->file, file->at,
                   "the space is not served, because the file has errors and no earlier text of it "
                   "can be used: %s; correct it and reload",
                   file->cause.text);
}

bool load_hand_last_good(struct loading *loading, struct load_outcome *outcome)
{
    bool keeps_spaces = loading->request->keeps_spaces;

    outcome->last_good = calloc(loading->job_count + 1, sizeof *outcome->last_good);
    if (outcome->last_good == NULL)
        return load_out_of_memory(loading->err);
    for (size_t i = 0; i < loading->job_count; i++) {
        struct job *job = &loading->jobs[i];
        if (job->last_good.file == NULL)
            continue;
        (keeps_spaces ? report_kept : report_last_good)(&job->last_good, loading->report);
        outcome->last_good[outcome->last_good_count++] = job->last_good;
        job->last_good.file = NULL;
        job->last_good.space = NULL;
    }
    return true;
}

/* Reports the files as they are, or as they are served; a check wants both. */
static struct snapshot *conclude(struct loading *loading, struct load_outcome *outcome,
                                 struct snapshot *snapshot, const struct report *findings)
{
    report_merge(loading->report, findings);
    if (snapshot == NULL || load_hand_last_good(loading, outcome)) {
        if (report_is_clean(loading->report))
            return snapshot;
    }
    snapshot_free(snapshot);
    return NULL;
}

struct snapshot *load_with_last_good(struct loading *loading, struct load_outcome *outcome)
{
    struct report *given = loading->report, *refusal = report_new();
    struct snapshot *snapshot = NULL;

    if (refusal == NULL) {
        load_out_of_memory(loading->err);
        return NULL;
    }
    loading->report = refusal;
    snapshot = load_attempt(loading, outcome);
    if (snapshot == NULL)
        snapshot = attempt_with_accepted(loading, outcome, refusal);
    struct report *last = loading->report;
    loading->report = given;
    snapshot = conclude(loading, outcome, snapshot,
                        snapshot == NULL || loading->request->is_check ? refusal : last);
    if (last != refusal)
        report_free(last);
    report_free(refusal);
    return snapshot;
}

void load_last_good_free(struct load_last_good *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(files[i].file);
        free(files[i].space);
    }
    free(files);
}
