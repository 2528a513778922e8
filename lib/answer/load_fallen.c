#include "answer/loading.h"

#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "space/parse.h"

static int compare_name(const void *name, const void *job)
{
    return strcmp(name, stored_name(((const struct job *)job)->file));
}

/* The suffixes with which the stored texts were served; NULL: the current ones. */
static const struct stored_suffixes *suffixes_before(const struct load_request *request)
{
    const struct stored *stored = request->stored;

    return load_is_start(request) && stored != NULL &&
                   stored_has_other_suffixes(stored, &request->policy->suffixes)
               ? &stored->suffixes
               : NULL;
}

/* True when the source does not have the stored text, or has another. */
static bool is_unserved(const struct loading *loading, const struct stored_text *text)
{
    /* All names have one root, so their order is that of what follows it. */
    const struct job *job =
        bsearch(text->name, loading->jobs, loading->job_count, sizeof *loading->jobs, compare_name);

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

    if (before != NULL)
        suffixes.apps = before->apps, suffixes.discovery = before->discovery;
    const char *file =
        arena == NULL ? NULL : source_name(loading->request->source, arena, text->name);
    if (octets != NULL && file != NULL && report != NULL)
        space = space_parse(arena, file, octets, length, report);
    if (space != NULL && (is_sound || report_is_clean(report)))
        segment = segment_seal(space, &suffixes, &(struct text_identity){.length = 0},
                               &(struct err){.code = ERR_NONE});
    loading->fallen[loading->fallen_count - loading->unserved_count + index] = segment;
    free(octets);
    arena_free(arena);
    report_free(report);
    return true;
}

/* Texts that are not served, and of spaces that have nothing else, are kept back for their names.
 */
static void add_names(struct loading *loading)
{
    for (size_t i = 0; i < loading->job_count; i++)
        if (loading->jobs[i].names != NULL)
            loading->fallen[loading->fallen_count++] = loading->jobs[i].names;
}

static bool seal_unserved_texts(struct loading *loading, struct load_outcome *outcome)
{
    const struct load_request *request = loading->request;
    size_t stored =
        load_is_start(request) && request->stored != NULL ? request->stored->text_count : 0;

    loading->fallen_count = loading->segment_count;
    loading->fallen =
        calloc(loading->segment_count + loading->job_count + stored + 1, sizeof(struct segment *));
    loading->unserved_texts = calloc(stored + 1, sizeof(struct stored_text *));
    if (loading->fallen == NULL || loading->unserved_texts == NULL)
        return false;
    if (!load_is_start(request)) /* else the stored texts tell what was served */
        memcpy(loading->fallen, loading->dropped,
               loading->segment_count * sizeof(struct segment *));
    add_names(loading);
    for (size_t i = 0; i < stored; i++)
        if (is_unserved(loading, &request->stored->texts[i]))
            loading->unserved_texts[loading->unserved_count++] = &request->stored->texts[i];
    loading->fallen_count += loading->unserved_count;
    parallel_for(loading->unserved_count, request->threads, seal_unserved_text, loading);
    for (size_t i = 0; i < loading->unserved_count; i++)
        outcome->lost_texts +=
            loading->fallen[loading->fallen_count - loading->unserved_count + i] == NULL;
    return true;
}

struct snapshot *load_keep_fallen(struct loading *loading, struct snapshot *snapshot,
                                  struct load_outcome *outcome)
{
    const struct load_request *request = loading->request;
    const struct stored *stored = request->stored;
    struct fallen_request fallen = {
        .added = loading->added,
        .generation = load_generation_before(request),
        .now_s = request->now_s,
        .ran_s = request->ran_s,
    };

    if (snapshot == NULL)
        return NULL;
    fallen.former = load_is_start(request) ? NULL : request->before;
    if (fallen.former != NULL)
        fallen.before = fallen.former->kept_back;
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
    load_out_of_memory(loading->err);
    snapshot_free(snapshot);
    return NULL;
}

bool load_hand_texts(struct loading *loading, struct load_outcome *outcome)
{
    outcome->texts = calloc(loading->job_count + 1, sizeof *outcome->texts);
    if (outcome->texts == NULL)
        return false;
    for (size_t i = 0; i < loading->job_count; i++) {
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

void load_free_fallen(struct loading *loading)
{
    for (size_t i = 0; i < loading->unserved_count; i++)
        segment_release(
            (struct segment *)loading->fallen[loading->fallen_count - loading->unserved_count + i]);
    free(loading->fallen);
    free(loading->unserved_texts);
}
