#include "answer/loading.h"

#include <stdlib.h>
#include <string.h>

#include "answer/seal_unready.h"
#include "base/hash.h"
#include "space/parse.h"
#include "space/rules.h"
#include "space/zone_text.h"

/* True when the store has this very text. */
static bool is_stored(const struct load_request *request, const struct job *job,
                      const struct text_identity *identity)
{
    const struct stored_text *same =
        request->stored == NULL ? NULL : stored_find(request->stored, stored_name(job->file));

    return same != NULL && same->is_sound && same->length == identity->length &&
           same->checksum == identity->checksum;
}

/* Keeps the text for the store, unless it has it or none is used. Takes the text over. */
static void keep_text(const struct loading *loading, struct job *job,
                      const struct source_text *text, const struct text_identity *identity)
{
    job->checksum = identity->checksum;
    job->length = text->length;
    job->is_stored = is_stored(loading->request, job, identity);
    if (loading->request->stored != NULL && !job->is_stored)
        job->text = text->octets;
    else
        free(text->octets);
}

const char *load_space_of(struct arena *arena, const char *file)
{
    const char *name = stored_name(file);
    size_t length = strlen(name);
    const char *dot = strrchr(name, '.');

    if (dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0))
        length = (size_t)(dot - name);
    return arena_text(arena, name, length);
}

static const struct fixed_space *find_fixed(const struct load_request *request, const char *space)
{
    return request->fixed.find == NULL ? NULL : request->fixed.find(request->fixed.context, space);
}

/* What a folder does not ask of a file: the key names the space, and has what is fixed of it. */
static void check_document(const struct load_request *request, const struct job *job,
                           struct arena *arena, const struct space *space)
{
    const char *name = load_space_of(arena, job->file);

    if (name != NULL && space->name.text != NULL && strcmp(name, space->name.text) != 0) {
        report_add(job->report, FINDING_SPACE_NAME, job->file, space->name.at,
                   "the document is that of space %.80s by its key, and of space %.80s by its "
                   "text; write the same name in both",
                   name, space->name.text);
        return;
    }
    const struct fixed_space *fixed = name == NULL ? NULL : find_fixed(request, name);
    if (fixed != NULL)
        fixed_check(space, fixed, job->report);
}

/*
 * Compiles a text into a segment. The text, as large as the file, is released before the segment is
 * made: the model has copies of what it needs.
 */
static void compile(const struct loading *loading, struct job *job, const struct source_text *text,
                    const struct text_identity *identity)
{
    const struct suffixes *suffixes = &loading->request->policy->suffixes;
    struct arena *arena = arena_new();
    struct err err;
    /* A model that is handed over outlives the names. */
    const char *file = arena == NULL ? NULL : arena_text(arena, job->file, strlen(job->file));
    struct space *space =
        file == NULL ? NULL : space_parse(arena, file, text->octets, text->length, job->report);

    if (file == NULL)
        report_add(job->report, FINDING_MEMORY, job->file, (struct location){.line = 1},
                   "out of memory while the file was read");
    keep_text(loading, job, text, identity);
    if (space != NULL && !load_keys_mark_running(loading, job, space))
        report_add(job->report, FINDING_MEMORY, job->file, (struct location){.line = 1},
                   "out of memory for the dynos of the registry");
    if (space != NULL)
        space_check(space, suffixes, job->report);
    if (space != NULL && job->step == STEP_TEXT &&
        (loading->request->keeps_spaces || loading->request->fixed.find != NULL))
        check_document(loading->request, job, arena, space);
    if (space != NULL && report_is_clean(job->report)) {
        job->result = segment_seal(space, suffixes, identity, &err);
        if (job->result == NULL)
            report_add(job->report, err.code == ERR_LIMIT ? FINDING_LIMIT : FINDING_MEMORY,
                       job->file, (struct location){.line = 1}, "%s", err.text);
    }
    if (loading->request->wants_models)
        job->model = (struct load_model){.space = space, .arena = arena};
    else
        arena_free(arena);
}

/* True when the file's last served text had its end mark, at the start by the stored text. */
static bool was_marked(const struct load_request *request, const struct job *job)
{
    if (!load_is_start(request) || request->stored == NULL)
        return job->before != NULL && job->before->identity.is_marked;
    const struct stored_text *stored = stored_find(request->stored, stored_name(job->file));
    size_t length = 0;
    bool is_sound = false;
    char *octets = stored == NULL ? NULL : stored_read(stored, &length, &is_sound);
    bool was_marked = octets != NULL && is_sound && zone_text_is_marked(octets, length);
    free(octets);
    return was_marked;
}

/*
 * True when the source vouches for the previous text, so that it need not be read. At a start the
 * store must have it, too.
 */
static bool is_same(const struct load_request *request, struct job *job)
{
    if (job->before == NULL || request->reads_all || request->wants_marks)
        return false;
    const struct source_stamp stamp = request->source->stamp(request->source, job->file);
    if (!source_stamp_is_same(&stamp, &job->before->identity.stamp))
        return false;
    if (request->is_start)
        job->is_stored = is_stored(request, job, &job->before->identity);
    return !request->is_start || request->stored == NULL || job->is_stored;
}

static struct text_identity identify(const struct load_request *request,
                                     const struct source_text *text)
{
    return (struct text_identity){
        .stamp = text->stamp,
        .content = hash_octets(&request->key, text->octets, text->length),
        .checksum = request->stored == NULL ? 0 : stored_checksum(text->octets, text->length),
        .length = text->length,
        .is_marked = zone_text_is_marked(text->octets, text->length),
    };
}

static bool has_same_content(const struct segment *before, const struct text_identity *identity)
{
    return before != NULL && !before->is_unready && before->identity.content == identity->content &&
           before->identity.length == identity->length;
}

/* A registry's document may not be as long as a file. */
static bool is_too_long(const struct load_request *request, const struct job *job,
                        const struct source_text *text)
{
    if (!request->keeps_spaces || text->length <= DOCUMENT_OCTETS_MOST)
        return false;
    report_add(job->report, FINDING_LIMIT, job->file, (struct location){.line = 1},
               "the document has %zu octets, and a registry's may have %d; split it: give some of "
               "the apps a space of their own",
               text->length, DOCUMENT_OCTETS_MOST);
    return true;
}

static void keep(const struct loading *loading, struct job *job)
{
    job->is_kept = true;
    job->checksum = job->before->identity.checksum;
    job->length = job->before->identity.length;
    load_check_kept(loading, job);
}

/*
 * True when a text that cannot be read is the one that was compiled: a registry's, which has
 * decayed in the state folder, at a start that reaches no member. A folder's file is read or an
 * error.
 */
static bool is_compiled(const struct load_request *request, const struct job *job)
{
    if (!request->keeps_spaces || !request->is_start || job->before == NULL ||
        job->before->is_unready)
        return false;
    const struct source_stamp stamp = request->source->stamp(request->source, job->file);
    return source_stamp_is_same(&stamp, &job->before->identity.stamp);
}

static void run_text(const struct loading *loading, struct job *job)
{
    const struct load_request *request = loading->request;
    struct source_text text;

    if (job->is_gone)
        return;
    if (is_same(request, job)) {
        keep(loading, job);
        return;
    }
    job->was_read = true;
    if (!request->source->read(request->source, job->file, &text, job->report)) {
        job->is_kept = is_compiled(request, job) && load_forget_findings(job);
        return;
    }
    const struct text_identity identity = identify(request, &text);
    if (request->wants_marks && !identity.is_marked)
        zone_text_report_unmarked(job->file, text.octets, text.length, job->report);
    if (!identity.is_marked && was_marked(request, job)) {
        zone_text_report_cut(job->file, text.octets, text.length, job->report);
    } else if (is_too_long(request, job, &text)) {
        free(text.octets);
        return;
    } else if (has_same_content(job->before, &identity)) {
        /* The second word: when, in a registry, it was created. */
        job->is_recreated = job->before->identity.stamp.words[1] != identity.stamp.words[1];
        job->before->identity = identity;
        keep(loading, job);
    } else {
        compile(loading, job, &text, &identity);
        return;
    }
    keep_text(loading, job, &text, &identity);
}

bool load_text_run(void *context, size_t index)
{
    const struct loading *loading = context;
    struct job *job = &loading->jobs[index];

    run_text(loading, job);
    if (!load_keys_apply(loading, job))
        report_add(job->report, FINDING_MEMORY, job->file, (struct location){.line = 0},
                   "out of memory while the keys of its dynos were applied");
    return true;
}

void load_text_run_stored(const struct loading *loading, struct job *job)
{
    const struct stored_text *stored =
        stored_find(loading->request->stored, stored_name(job->file));
    bool is_sound = false;
    struct source_text text = {.octets = NULL};

    if (stored != NULL)
        text.octets = stored_read(stored, &text.length, &is_sound);
    if (!is_sound) {
        free(text.octets);
        return;
    }
    struct text_identity identity = identify(loading->request, &text);
    const struct source_stamp stamp =
        loading->request->source->stamp(loading->request->source, job->file);
    if (identity.checksum == job->checksum && identity.length == job->length)
        identity.stamp = stamp;
    else
        identity.stamp.words[1] = stamp.words[1]; /* when it was created decides whose a name is */
    compile(loading, job, &text, &identity);
    if (job->result != NULL)
        job->last_good.accepted_s = stored->accepted_s;
}

/* True when the same text was as unready before. */
static bool is_as_unready(const struct segment *before, const struct segment *result)
{
    return before != NULL && before->is_unready &&
           before->identity.content == result->identity.content &&
           before->identity.length == result->identity.length &&
           before->unready_code == result->unready_code &&
           before->unready_at.line == result->unready_at.line &&
           before->cidr.address == result->cidr.address && before->cidr.bits == result->cidr.bits;
}

/* The names that can be read are kept back once: when the space becomes unready. */
static void seal_unready(const struct loading *loading, struct job *job,
                         const struct unready_space *space, const struct source_text *text)
{
    const struct suffixes *suffixes = &loading->request->policy->suffixes;
    struct err err;

    job->result =
        segment_seal_unready(space, job->last_good.code, job->last_good.at, suffixes, &err);
    if (job->result == NULL)
        return;
    job->result->identity = (struct text_identity){
        .content = hash_octets(&loading->request->key, text->octets, text->length),
        .length = text->length,
    };
    if (is_as_unready(job->before, job->result)) {
        segment_release(job->result);
        job->result = segment_hold(job->before);
        job->is_kept = true;
        return;
    }
    job->names = segment_seal_names(space, suffixes, &err);
    if (job->names != NULL || err.code != ERR_MEMORY)
        return;
    segment_release(job->result);
    job->result = NULL;
}

/* What is left of a stored text shows clients and names, though nothing of it may be served. */
static bool read_decayed(const struct load_request *request, const struct job *job,
                         struct source_text *text)
{
    const struct stored_text *stored =
        request->stored == NULL ? NULL : stored_find(request->stored, stored_name(job->file));
    bool is_sound = false;

    text->octets = stored == NULL ? NULL : stored_read(stored, &text->length, &is_sound);
    return text->octets != NULL;
}

void load_text_run_unready(const struct loading *loading, struct job *job)
{
    const struct load_request *request = loading->request;
    struct report *report = report_new();
    struct arena *arena = arena_new();
    struct source_text text = {.octets = NULL};

    if (report != NULL && arena != NULL) {
        struct unready_space space = {.file = job->file, .name = load_space_of(arena, job->file)};
        if (!job->is_gone && (request->source->read(request->source, job->file, &text, report) ||
                              read_decayed(request, job, &text)))
            space.model = space_parse(arena, job->file, text.octets, text.length, report);
        if (space.name != NULL && !load_lacked_memory(report)) {
            space.fixed = find_fixed(request, space.name);
            seal_unready(loading, job, &space, &text);
        }
    }
    free(text.octets);
    arena_free(arena);
    report_free(report);
}
