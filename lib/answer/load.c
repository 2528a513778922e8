#include "answer/load.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/crosscheck.h"
#include "base/parallel.h"
#include "source/folder.h"
#include "space/parse.h"
#include "space/rules.h"
#include "space/zone_text.h"

/* One zone file being loaded. */
struct job {
    const char *file;
    struct segment *before; /* the file's previous segment; NULL for a new file */
    size_t number;          /* of its segment */
    struct segment *result; /* one hold; NULL when the file is broken */
    struct report *report;
    bool is_kept; /* result is `before` */
    bool was_read;
    char *text; /* for the store; NULL: not wanted */
    size_t length;
    uint64_t checksum;
    bool is_stored; /* the store has this very text */
};

struct loading {
    const struct load_request *request;
    struct report *report;
    struct err *err;
    struct arena *arena;
    struct folder folder;
    struct job *jobs;
    size_t segment_count; /* of the next snapshot */
    const struct segment **segments;
    const struct segment **dropped;
    bool *added;
    size_t changes;
    const struct segment *
        *fallen; /* dropped segments, then those of stored texts no longer served */
    size_t fallen_count;
    size_t unserved_count; /* the last of these, from the store */
    const struct stored_text **unserved_texts;
};

static bool out_of_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY, "out of memory while loading zones");
}

static int compare_files(const void *a, const void *b)
{
    const struct job *left = a, *right = b;
    return strcmp(left->file, right->file);
}

/* The job of a file by name; jobs have the order of the listing. */
static struct job *find_job(const struct loading *loading, const char *file)
{
    const struct job key = {.file = file};
    return bsearch(&key, loading->jobs, loading->folder.count, sizeof key, compare_files);
}

/* Gives every file its segment's number: the one it had, else the next free one. */
static bool number_segments(struct loading *loading)
{
    const struct snapshot *before = loading->request->before;
    size_t old_count = before == NULL ? 0 : before->segment_count;
    size_t next = 0;

    loading->segment_count = old_count + loading->folder.count;
    loading->segments = calloc(loading->segment_count, sizeof(struct segment *));
    loading->dropped = calloc(loading->segment_count, sizeof(struct segment *));
    loading->added = calloc(loading->segment_count, sizeof *loading->added);
    bool *taken = calloc(loading->segment_count, sizeof *taken);
    if (loading->segments == NULL || loading->dropped == NULL || loading->added == NULL ||
        taken == NULL) {
        free(taken);
        return out_of_memory(loading->err);
    }
    for (size_t i = 0; i < old_count; i++) {
        const struct segment *segment = before->segments[i];
        struct job *job = segment == NULL ? NULL : find_job(loading, segment->file);
        if (job != NULL) {
            job->before = (struct segment *)segment;
            job->number = i;
            taken[i] = true;
        }
    }
    size_t used = 0;
    for (size_t i = 0; i < loading->folder.count; i++) {
        struct job *job = &loading->jobs[i];
        if (job->before == NULL) {
            while (taken[next])
                next++;
            job->number = next;
            taken[next] = true;
        }
        used = job->number + 1 > used ? job->number + 1 : used;
    }
    free(taken);
    /* Numbers above the last used one are only needed while something is dropped there. */
    loading->segment_count = used > old_count ? used : old_count;
    if (loading->segment_count > SEGMENT_MAX)
        return err_set(loading->err, ERR_LIMIT, "zones folder %s holds more than %d files",
                       loading->request->folder, SEGMENT_MAX);
    return true;
}

/* Lists the folder's files, and a draft's even if it is the only one. */
static bool list_files(struct loading *loading)
{
    const struct load_request *request = loading->request;
    bool is_listed = folder_list(loading->arena, request->folder, &loading->folder, loading->err);

    if (request->file == NULL)
        return is_listed;
    if (!is_listed && loading->err->code != ERR_RULE)
        return false;
    loading->err->code = ERR_NONE;
    return folder_add(loading->arena, &loading->folder, request->file) ||
           out_of_memory(loading->err);
}

static bool make_jobs(struct loading *loading)
{
    loading->jobs = calloc(loading->folder.count, sizeof *loading->jobs);
    if (loading->jobs == NULL)
        return out_of_memory(loading->err);
    for (size_t i = 0; i < loading->folder.count; i++) {
        loading->jobs[i].file = loading->folder.files[i];
        loading->jobs[i].report = report_new();
        if (loading->jobs[i].report == NULL)
            return out_of_memory(loading->err);
    }
    return number_segments(loading);
}

/* Keeps the text for the store, unless it has it or none is used. Takes the text over. */
static void keep_text(const struct loading *loading, struct job *job, const struct zone_text *text)
{
    const struct stored *stored = loading->request->stored;

    if (stored != NULL) {
        const struct stored_text *same = stored_find(stored, stored_name(job->file));
        job->checksum = stored_checksum(text->octets, text->length);
        job->length = text->length;
        job->is_stored = same != NULL && same->is_sound && same->length == text->length &&
                         same->checksum == job->checksum;
        if (!job->is_stored) {
            job->text = text->octets;
            return;
        }
    }
    free(text->octets);
}

/*
 * Compiles a text into a segment; findings go into the job's report. The text, as large as the
 * file, is released before the segment is made: the model has copies of what it needs.
 */
static void compile(const struct loading *loading, struct job *job, const struct zone_text *text)
{
    const struct suffixes *suffixes = &loading->request->policy->suffixes;
    struct arena *arena = arena_new();
    struct err err;
    struct space *space =
        arena == NULL ? NULL
                      : space_parse(arena, job->file, text->octets, text->length, job->report);

    if (arena == NULL)
        report_add(job->report, FINDING_MEMORY, job->file, (struct location){.line = 1},
                   "out of memory while the file was read");
    keep_text(loading, job, text);
    if (space != NULL)
        space_check(space, suffixes, job->report);
    if (space != NULL && report_is_clean(job->report)) {
        job->result = segment_seal(space, suffixes, &text->identity, &err);
        if (job->result == NULL)
            report_add(job->report, err.code == ERR_LIMIT ? FINDING_LIMIT : FINDING_MEMORY,
                       job->file, (struct location){.line = 1}, "%s", err.text);
    }
    arena_free(arena);
}

/* The file that a job reads. */
static const char *source_of(const struct loading *loading, const struct job *job)
{
    const struct load_request *request = loading->request;

    return request->file != NULL && strcmp(request->file, job->file) == 0 ? request->draft
                                                                          : job->file;
}

/* True when the file's last served text had its end mark, at the start by the stored text. */
static bool was_marked(const struct load_request *request, const struct job *job)
{
    if (job->before != NULL || request->before != NULL || request->stored == NULL)
        return job->before != NULL && job->before->identity.is_marked;
    const struct stored_text *stored = stored_find(request->stored, stored_name(job->file));
    size_t length = 0;
    bool is_sound = false;
    char *octets = stored == NULL ? NULL : stored_read(stored, &length, &is_sound);
    bool was_marked = octets != NULL && is_sound && zone_text_is_marked(octets, length);
    free(octets);
    return was_marked;
}

static bool run_job(void *context, size_t index)
{
    const struct loading *loading = context;
    struct job *job = &loading->jobs[index];
    const char *source = source_of(loading, job);
    struct zone_text text;

    if (job->before != NULL && !loading->request->reads_all && !loading->request->wants_marks &&
        folder_is_same(source, &job->before->identity)) {
        job->is_kept = true;
        return true;
    }
    job->was_read = true;
    /* A draft is written by the caller, so it is not busy. */
    if (!folder_read(source, &loading->request->key,
                     source == job->file ? loading->request->clock : NULL, &text, job->report))
        return true;
    if (loading->request->wants_marks && !text.identity.is_marked)
        zone_text_report_unmarked(job->file, text.octets, text.length, job->report);
    if (!text.identity.is_marked && was_marked(loading->request, job)) {
        zone_text_report_cut(job->file, text.octets, text.length, job->report);
    } else if (job->before != NULL && job->before->identity.content == text.identity.content &&
               job->before->identity.size == text.identity.size) {
        job->is_kept = true;
        job->before->identity = text.identity;
    } else {
        compile(loading, job, &text);
        return true;
    }
    keep_text(loading, job, &text);
    return true;
}

/* Merges the jobs' results and lists the segments of the next snapshot. */
static void gather(struct loading *loading, struct load_outcome *outcome)
{
    const struct snapshot *before = loading->request->before;

    for (size_t i = 0; before != NULL && i < before->segment_count; i++)
        loading->dropped[i] = before->segments[i];
    for (size_t i = 0; i < loading->folder.count; i++) {
        struct job *job = &loading->jobs[i];
        report_merge(loading->report, job->report);
        outcome->read_count += job->was_read;
        if (job->is_kept) {
            loading->dropped[job->number] = NULL;
            job->result = segment_hold(job->before);
        }
        loading->segments[job->number] = job->result;
        loading->added[job->number] = job->result != NULL && !job->is_kept;
        loading->changes += !job->is_kept;
    }
    for (size_t i = 0; i < loading->segment_count; i++)
        loading->changes += loading->dropped[i] != NULL;
    outcome->file_count = loading->folder.count;
}

static void on_clash(void *context, const struct index_clash *clash)
{
    struct loading *loading = context;
    const struct candidates candidates = {
        .segments = loading->segments, .added = loading->added, .count = loading->segment_count};

    crosscheck_report_clash(&candidates, clash, loading->report);
}

static void run_crosschecks(struct loading *loading)
{
    const struct candidates candidates = {
        .segments = loading->segments, .added = loading->added, .count = loading->segment_count};

    crosscheck_spaces(&candidates, loading->report);
    crosscheck_connections(&candidates, loading->report);
    crosscheck_ids(&candidates, loading->report);
    if (loading->request->before != NULL)
        crosscheck_immutable(loading->request->before, &candidates, loading->report);
}

static uint64_t generation_before(const struct load_request *request)
{
    if (request->before != NULL)
        return request->before->generation;
    return request->stored == NULL ? 0 : request->stored->generation;
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
        .generation = generation_before(loading->request) + 1,
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
        out_of_memory(loading->err);
        return NULL;
    }
    if (!report_is_clean(loading->report)) {
        index_close(&parts.index);
        return NULL;
    }
    loading->segments = NULL; /* owned by the snapshot now */
    struct snapshot *snapshot = snapshot_seal(&parts);
    if (snapshot == NULL)
        out_of_memory(loading->err);
    return snapshot;
}

/* ---- names no longer served ---- */

static int compare_name(const void *name, const void *job)
{
    return strcmp(name, stored_name(((const struct job *)job)->file));
}

/* The suffixes with which the stored texts were served; NULL: the current ones. */
static const struct stored_suffixes *suffixes_before(const struct load_request *request)
{
    const struct stored *stored = request->stored;

    return request->before == NULL && stored != NULL &&
                   stored_has_other_suffixes(stored, &request->policy->suffixes)
               ? &stored->suffixes
               : NULL;
}

/* True when the folder does not have the stored text, or has another. */
static bool is_unserved(const struct loading *loading, const struct stored_text *text)
{
    /* All files are in one folder, so the order of their paths is that of their names. */
    const struct job *job = bsearch(text->name, loading->jobs, loading->folder.count,
                                    sizeof *loading->jobs, compare_name);

    return job == NULL || !job->is_stored || suffixes_before(loading->request) != NULL;
}

/* Makes a segment of a text that was accepted earlier, only for its names. */
static bool seal_unserved_text(void *context, size_t index)
{
    const struct loading *loading = context;
    const struct stored_suffixes *before = suffixes_before(loading->request);
    struct suffixes suffixes = loading->request->policy->suffixes;
    const struct stored_text *text = loading->unserved_texts[index];
    struct report *report = report_new();
    struct arena *arena = arena_new();
    struct segment *segment = NULL;
    struct space *space = NULL;
    size_t length = 0;
    bool is_sound = false;
    char *octets = stored_read(text, &length, &is_sound);
    char file[PATH_MAX];

    if (before != NULL)
        suffixes.apps = before->apps, suffixes.discovery = before->discovery;
    snprintf(file, sizeof file, "%s/%s", loading->request->folder, text->name);
    if (octets != NULL && arena != NULL && report != NULL)
        space = space_parse(arena, file, octets, length, report);
    if (space != NULL && (is_sound || report_is_clean(report)))
        segment = segment_seal(space, &suffixes, &(struct file_identity){.size = 0},
                               &(struct err){.code = ERR_NONE});
    loading->fallen[loading->fallen_count - loading->unserved_count + index] = segment;
    free(octets);
    arena_free(arena);
    report_free(report);
    return true;
}

static bool seal_unserved_texts(struct loading *loading, struct load_outcome *outcome)
{
    const struct load_request *request = loading->request;
    size_t stored =
        request->before == NULL && request->stored != NULL ? request->stored->text_count : 0;

    loading->fallen_count = loading->segment_count;
    loading->fallen = calloc(loading->segment_count + stored + 1, sizeof(struct segment *));
    loading->unserved_texts = calloc(stored + 1, sizeof(struct stored_text *));
    if (loading->fallen == NULL || loading->unserved_texts == NULL)
        return false;
    memcpy(loading->fallen, loading->dropped, loading->segment_count * sizeof(struct segment *));
    for (size_t i = 0; i < stored; i++)
        if (is_unserved(loading, &request->stored->texts[i]))
            loading->unserved_texts[loading->unserved_count++] = &request->stored->texts[i];
    loading->fallen_count += loading->unserved_count;
    parallel_for(loading->unserved_count, request->threads, seal_unserved_text, loading);
    for (size_t i = 0; i < loading->unserved_count; i++)
        outcome->lost_texts += loading->fallen[loading->segment_count + i] == NULL;
    return true;
}

/* Sets the snapshot's kept-back names. Without memory nothing is loaded. */
static struct snapshot *keep_fallen(struct loading *loading, struct snapshot *snapshot,
                                    struct load_outcome *outcome)
{
    const struct load_request *request = loading->request;
    const struct stored *stored = request->stored;
    struct fallen_request fallen = {
        .added = loading->added,
        .generation = generation_before(request),
        .now_s = request->now_s,
        .ran_s = request->ran_s,
    };

    if (snapshot == NULL)
        return NULL;
    if (request->before != NULL)
        fallen.before = request->before->kept_back;
    else if (stored != NULL)
        fallen.before = stored->kept_back;
    if (seal_unserved_texts(loading, outcome)) {
        fallen.dropped = loading->fallen;
        fallen.dropped_count = loading->fallen_count;
        fallen.unserved_count = loading->unserved_count;
        fallen.suffixes = suffixes_before(request);
        if (fallen_follow(snapshot, &fallen, &snapshot->kept_back, &outcome->fallen))
            return snapshot;
    }
    out_of_memory(loading->err);
    snapshot_free(snapshot);
    return NULL;
}

/* Hands over the texts that the store lacks. */
static bool hand_texts(struct loading *loading, struct load_outcome *outcome)
{
    outcome->texts = calloc(loading->folder.count + 1, sizeof *outcome->texts);
    if (outcome->texts == NULL)
        return false;
    for (size_t i = 0; i < loading->folder.count; i++) {
        struct job *job = &loading->jobs[i];
        if (job->text == NULL)
            continue;
        outcome->texts[outcome->text_count++] = (struct load_text){
            .name = strdup(stored_name(job->file)),
            .octets = job->text,
            .length = job->length,
            .checksum = job->checksum,
        };
        job->text = NULL;
        if (outcome->texts[outcome->text_count - 1].name == NULL)
            return false;
    }
    return true;
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
    outcome->texts = NULL;
    outcome->text_count = 0;
}

static void clean_up(struct loading *loading)
{
    for (size_t i = 0; loading->segments != NULL && i < loading->segment_count; i++)
        segment_release((struct segment *)loading->segments[i]);
    for (size_t i = 0; loading->jobs != NULL && i < loading->folder.count; i++) {
        report_free(loading->jobs[i].report);
        free(loading->jobs[i].text);
    }
    for (size_t i = 0; i < loading->unserved_count; i++)
        segment_release(
            (struct segment *)loading->fallen[loading->fallen_count - loading->unserved_count + i]);
    free(loading->fallen);
    free(loading->unserved_texts);
    free(loading->segments);
    free(loading->dropped);
    free(loading->added);
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
        out_of_memory(err);
        return NULL;
    }
    if (list_files(&loading) && make_jobs(&loading)) {
        parallel_for(loading.folder.count, request->threads, run_job, &loading);
        gather(&loading, outcome);
        outcome->is_unchanged =
            request->before != NULL && loading.changes == 0 && !request->is_new_policy;
        if (!outcome->is_unchanged) {
            run_crosschecks(&loading);
            snapshot = keep_fallen(&loading, assemble(&loading), outcome);
        }
        if ((snapshot != NULL || outcome->is_unchanged) && request->stored != NULL &&
            !hand_texts(&loading, outcome)) {
            out_of_memory(err);
            snapshot_free(snapshot);
            snapshot = NULL;
        }
        report_sort(report);
    }
    clean_up(&loading);
    return snapshot;
}
