#include "answer/load.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "answer/crosscheck.h"
#include "answer/dyno_key.h"
#include "answer/loading.h"
#include "base/parallel.h"

bool load_out_of_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY, "out of memory while loading zones");
}

bool load_is_start(const struct load_request *request)
{
    return request->is_start || request->before == NULL || request->before->is_waiting;
}

uint64_t load_generation_before(const struct load_request *request)
{
    const struct snapshot *before = request->before;

    if (before != NULL && !load_is_start(request))
        return before->generation;
    return request->stored == NULL ? 0 : request->stored->generation;
}

static uint64_t generation_next(const struct load_request *request)
{
    return request->generation != 0 ? request->generation : load_generation_before(request) + 1;
}

static int compare_files(const void *a, const void *b)
{
    const struct job *left = a, *right = b;
    return strcmp(left->file, right->file);
}

/* Jobs have the order of the listing. */
struct job *load_find_job(const struct loading *loading, const char *file)
{
    const struct job key = {.file = file};
    return bsearch(&key, loading->jobs, loading->job_count, sizeof key, compare_files);
}

/* Gives the files that were there before the numbers they had. */
static void keep_numbers(struct loading *loading, bool *taken)
{
    const struct snapshot *before = loading->request->before;

    for (size_t i = 0; before != NULL && i < before->segment_count; i++) {
        const struct segment *segment = before->segments[i];
        struct job *job = segment == NULL ? NULL : load_find_job(loading, segment->file);
        if (job != NULL) {
            job->before = (struct segment *)segment;
            job->number = i;
            taken[i] = true;
        }
    }
}

/* Gives every new file the next free number. Returns one more than the last number of all. */
static size_t give_numbers(struct loading *loading, bool *taken)
{
    size_t next = 0, used = 0;

    for (size_t i = 0; i < loading->job_count; i++) {
        struct job *job = &loading->jobs[i];
        if (job->before == NULL) {
            while (taken[next])
                next++;
            job->number = next;
            taken[next] = true;
        }
        used = job->number + 1 > used ? job->number + 1 : used;
    }
    return used;
}

static bool number_segments(struct loading *loading)
{
    const struct snapshot *before = loading->request->before;
    size_t old_count = before == NULL ? 0 : before->segment_count;
    size_t most = old_count + loading->job_count + 1;

    loading->segment_count = most;
    loading->segments = calloc(most, sizeof(struct segment *));
    loading->dropped = calloc(most, sizeof(struct segment *));
    loading->added = calloc(most, sizeof *loading->added);
    loading->newer = calloc(most, sizeof *loading->newer);
    bool *taken = calloc(most, sizeof *taken);
    if (loading->segments == NULL || loading->dropped == NULL || loading->added == NULL ||
        loading->newer == NULL || taken == NULL) {
        free(taken);
        return load_out_of_memory(loading->err);
    }
    keep_numbers(loading, taken);
    size_t used = give_numbers(loading, taken);
    free(taken);
    /* Numbers above the last used one are only needed while something is dropped there. */
    loading->segment_count = used > old_count ? used : old_count;
    if (loading->segment_count > SEGMENT_MAX)
        return err_set(loading->err, ERR_LIMIT, "%s holds more than %d zone files",
                       loading->request->source->root, SEGMENT_MAX);
    return true;
}

static bool list_texts(struct loading *loading, struct source_names *names)
{
    struct source *source = loading->request->source;

    if (source->list(source, loading->arena, names, loading->err))
        return true;
    *names = (struct source_names){.count = 0};
    return loading->request->keeps_spaces && loading->err->code == ERR_RULE;
}

/* Adds the texts of `before` that the source has no more: the judge may hold them. */
static void add_gone_jobs(struct loading *loading)
{
    const struct snapshot *before = loading->request->before;
    size_t listed = loading->job_count;

    for (size_t i = 0; i < before->segment_count; i++) {
        const struct segment *segment = before->segments[i];
        if (segment == NULL || load_find_job(loading, segment->file) != NULL)
            continue;
        loading->jobs[listed + loading->gone_count++] =
            (struct job){.file = segment->file, .is_gone = true};
    }
    loading->job_count += loading->gone_count;
    if (loading->gone_count > 0)
        qsort(loading->jobs, loading->job_count, sizeof *loading->jobs, compare_files);
}

static bool make_jobs(struct loading *loading)
{
    const struct load_request *request = loading->request;
    bool has_gone = request->keeps_spaces && !load_is_start(request);
    struct source_names names = {.count = 0};

    if (!list_texts(loading, &names))
        return false;
    size_t most = names.count + (has_gone ? request->before->segment_count : 0);
    loading->jobs = calloc(most + 1, sizeof *loading->jobs);
    if (loading->jobs == NULL)
        return load_out_of_memory(loading->err);
    for (size_t i = 0; i < names.count; i++)
        loading->jobs[loading->job_count++].file = names.names[i];
    if (has_gone)
        add_gone_jobs(loading);
    for (size_t i = 0; i < loading->job_count; i++) {
        loading->jobs[i].report = report_new();
        if (loading->jobs[i].report == NULL)
            return load_out_of_memory(loading->err);
    }
    return number_segments(loading);
}

/* Merges the jobs' results and lists the segments of the next snapshot. */
static void gather(struct loading *loading, struct load_outcome *outcome)
{
    const struct snapshot *before = loading->request->before;
    bool has_waiting = before != NULL && before->index.waiting != NULL;

    outcome->read_count = 0;
    loading->changes = 0;
    for (size_t i = 0; before != NULL && i < before->segment_count; i++)
        loading->dropped[i] = before->segments[i];
    for (size_t i = 0; i < loading->job_count; i++) {
        struct job *job = &loading->jobs[i];
        report_merge(loading->report, job->report);
        outcome->read_count += job->was_read;
        if (job->is_kept) {
            loading->dropped[job->number] = NULL;
            job->result = job->result == NULL ? segment_hold(job->before) : job->result;
        }
        loading->segments[job->number] = job->result;
        loading->added[job->number] = job->result != NULL && !job->is_kept;
        loading->newer[job->number] =
            loading->added[job->number] && !(load_is_start(loading->request) && job->is_stored);
        loading->changes += job->is_kept
                                ? job->result != job->before || (has_waiting && job->is_recreated)
                                : job->result != NULL || !job->is_gone;
    }
    for (size_t i = 0; i < loading->segment_count; i++)
        loading->changes += loading->dropped[i] != NULL;
    outcome->file_count = loading->job_count - loading->gone_count;
    outcome->change_count = loading->changes;
}

struct candidates load_candidates(const struct loading *loading)
{
    return (struct candidates){.segments = loading->segments,
                               .added = loading->added,
                               .newer = loading->newer,
                               .count = loading->segment_count,
                               .on_charge = loading->on_charge,
                               .context = (void *)loading};
}

/* Where spaces are kept, who was created first has a key that two claim, and nothing is refused. */
static bool on_clash(void *context, const struct index_clash *clash)
{
    struct loading *loading = context;
    const struct candidates candidates = load_candidates(loading);

    if (loading->request->keeps_spaces)
        return crosscheck_is_first(&candidates, clash->newer.segment, clash->older.segment);
    crosscheck_report_clash(&candidates, clash, loading->report);
    return false;
}

static void run_crosschecks(struct loading *loading)
{
    const struct candidates candidates = load_candidates(loading);

    crosscheck_spaces(&candidates, loading->report);
    crosscheck_connections(&candidates, loading->report);
    crosscheck_devices(&candidates, loading->report);
    if (!load_is_start(loading->request))
        crosscheck_immutable(loading->request->before, &candidates, &loading->request->fixed,
                             loading->report);
}

/* Builds index and snapshot. Returns NULL when a rule across files is broken, or without memory. */
static struct snapshot *assemble(struct loading *loading)
{
    const struct snapshot *before = loading->request->before;
    const struct index_change change = {
        .before = before == NULL ? NULL : &before->index,
        .segments = loading->segments,
        .dropped = loading->dropped,
        .added = loading->added,
        .segment_count = loading->segment_count,
    };
    struct snapshot_parts parts = {
        .policy = loading->request->policy,
        .generation = generation_next(loading->request),
        .segments = loading->segments,
        .segment_count = loading->segment_count,
        .index = {.key = before == NULL ? loading->request->key : before->index.key},
    };

    if (!name_from_text(parts.policy->suffixes.apps, &parts.index.apps_suffix)) {
        err_set(loading->err, ERR_RULE, "suffix %s is not a host name",
                parts.policy->suffixes.apps);
        return NULL;
    }
    if (!index_build(&parts.index, &change, on_clash, loading)) {
        load_out_of_memory(loading->err);
        return NULL;
    }
    if (!report_is_clean(loading->report)) {
        index_close(&parts.index);
        return NULL;
    }
    loading->segments = NULL; /* owned by the snapshot now, as are the results */
    loading->is_sealed = true;
    struct snapshot *snapshot = snapshot_seal(&parts);
    if (snapshot == NULL)
        load_out_of_memory(loading->err);
    return snapshot;
}

struct snapshot *load_attempt(struct loading *loading, struct load_outcome *outcome)
{
    const struct load_request *request = loading->request;

    gather(loading, outcome);
    outcome->is_unchanged =
        !load_is_start(request) && loading->changes == 0 && !request->is_new_policy &&
        (request->generation == 0 || request->generation == request->before->generation);
    if (outcome->is_unchanged)
        return NULL;
    run_crosschecks(loading);
    return assemble(loading);
}

/* Hands over the models; the jobs have none then. */
static bool hand_models(struct loading *loading, struct load_outcome *outcome)
{
    outcome->models = calloc(loading->job_count, sizeof *outcome->models);
    if (outcome->models == NULL)
        return false;
    for (size_t i = 0; i < loading->job_count; i++)
        if (loading->jobs[i].model.space != NULL) {
            outcome->models[outcome->model_count++] = loading->jobs[i].model;
            loading->jobs[i].model.arena = NULL;
        }
    return true;
}

/* Hands over what the request wants besides the snapshot. */
static bool hand_over(struct loading *loading, struct load_outcome *outcome)
{
    const struct load_request *request = loading->request;

    return load_keys_hand(loading, outcome) &&
           (request->stored == NULL || load_hand_texts(loading, outcome)) &&
           (!request->wants_models || hand_models(loading, outcome));
}

void load_models_free(struct load_model *models, size_t count)
{
    for (size_t i = 0; i < count; i++)
        arena_free(models[i].arena);
    free(models);
}

void load_texts_free(struct load_text *texts, size_t count)
{
    if (texts == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        free((char *)texts[i].name);
        free(texts[i].octets);
    }
    free(texts);
    if (count > 0)
        malloc_trim(0); /* the texts may have been as large as all files together */
}

void load_outcome_close(struct load_outcome *outcome)
{
    load_texts_free(outcome->texts, outcome->text_count);
    load_models_free(outcome->models, outcome->model_count);
    load_last_good_free(outcome->last_good, outcome->last_good_count);
    load_keys_free(outcome->unused, outcome->unused_count);
    report_free(outcome->key_findings);
    outcome->key_findings = NULL;
    outcome->unused = NULL;
    outcome->unused_count = 0;
    outcome->last_good = NULL;
    outcome->last_good_count = 0;
    outcome->texts = NULL;
    outcome->text_count = 0;
    outcome->models = NULL;
    outcome->model_count = 0;
}

void load_keys_free(struct dyno_key **keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dyno_key_free(keys[i]);
    free(keys);
}

static void clean_up(struct loading *loading)
{
    for (size_t i = 0; i < loading->job_count; i++) {
        if (!loading->is_sealed)
            segment_release(loading->jobs[i].result);
        segment_release(loading->jobs[i].names);
        load_keys_close(&loading->jobs[i]);
        report_free(loading->jobs[i].report);
        free(loading->jobs[i].text);
        arena_free(loading->jobs[i].model.arena);
        free(loading->jobs[i].last_good.file);
        free(loading->jobs[i].last_good.space);
    }
    load_free_fallen(loading);
    free(loading->segments);
    free(loading->dropped);
    free(loading->added);
    free(loading->newer);
    free(loading->jobs);
    arena_free(loading->arena);
    malloc_trim(0); /* parsing uses several times the memory that stays */
}

struct snapshot *snapshot_load(const struct load_request *request, struct report *report,
                               struct load_outcome *outcome, struct err *err)
{
    struct loading loading = {
        .request = request, .report = report, .err = err, .arena = arena_new()};
    struct snapshot *snapshot = NULL;

    *outcome = (struct load_outcome){.is_unchanged = false};
    if (loading.arena == NULL) {
        load_out_of_memory(err);
        return NULL;
    }
    if (make_jobs(&loading)) {
        parallel_for(loading.job_count, request->threads, load_text_run, &loading);
        if (request->keeps_spaces)
            snapshot = load_keeping_spaces(&loading, outcome);
        else
            snapshot = load_has_last_good(request) && report_is_clean(report)
                           ? load_with_last_good(&loading, outcome)
                           : load_attempt(&loading, outcome);
        snapshot = load_keep_fallen(&loading, snapshot, outcome);
        if ((snapshot != NULL || outcome->is_unchanged) && !hand_over(&loading, outcome)) {
            load_out_of_memory(err);
            snapshot_free(snapshot);
            snapshot = NULL;
        }
        report_sort(report);
    }
    clean_up(&loading);
    return snapshot;
}
