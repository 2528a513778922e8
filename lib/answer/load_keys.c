#include <stdlib.h>
#include <string.h>

#include "answer/loading.h"
#include "answer/restate.h"

/* Keys that were copied of a segment, or are borrowed of the request. */
struct key_list {
    const struct dyno_key *const *keys;
    size_t count;
};

/* The first of the request's keys whose space is not before the one given. */
static size_t find_first(const struct load_request *request, const char *space, bool is_after)
{
    size_t low = 0, high = request->key_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(request->keys[middle]->space, space);
        if (order < 0 || (is_after && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The request's keys of a space. */
static struct key_list find_given(const struct load_request *request, const char *space)
{
    if (request->key_count == 0)
        return (struct key_list){.keys = NULL};
    size_t first = find_first(request, space, false);
    return (struct key_list){.keys = request->keys + first,
                             .count = find_first(request, space, true) - first};
}

/* ---- keys in force ---- */

static bool carry_key(void *context, const struct dyno_key *view)
{
    struct job_keys *keys = context;

    if (keys->carried_count == keys->carried_capacity) {
        size_t wider = 2 * keys->carried_capacity + 16;
        struct dyno_key **moved = realloc(keys->carried, wider * sizeof *moved);
        if (moved == NULL)
            return false;
        keys->carried = moved;
        keys->carried_capacity = wider;
    }
    struct dyno_key *copy = dyno_key_copy(view);
    if (copy == NULL)
        return false;
    keys->carried[keys->carried_count++] = copy;
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    return dyno_key_compare(*(const struct dyno_key *const *)a, *(const struct dyno_key *const *)b);
}

/* Copies the keys in force of the job's previous segment, once. Returns false without memory. */
static bool carry_keys(struct job *job)
{
    struct job_keys *keys = &job->keys;

    if (keys->is_carried || job->before == NULL)
        return true;
    if (!segment_walk_keys(job->before, carry_key, keys))
        return false;
    keys->is_carried = true;
    if (keys->carried_count > 0)
        qsort(keys->carried, keys->carried_count, sizeof(struct dyno_key *), compare_keys);
    return true;
}

/* ---- for the rules of a text ---- */

static const struct dyno_key *find_key(struct key_list list, const struct dyno_key *wanted)
{
    const struct dyno_key *const *found =
        list.count == 0 ? NULL
                        : bsearch(&wanted, list.keys, list.count, sizeof wanted, compare_keys);

    return found == NULL ? NULL : *found;
}

static bool has_up(const struct dyno_key *key)
{
    for (size_t i = 0; i < key->count; i++)
        if (key->lines[i].state == DYNO_UP)
            return true;
    return false;
}

bool load_keys_mark_running(const struct loading *loading, struct job *job, struct space *space)
{
    struct key_list given = find_given(loading->request, space->name.text);

    if (given.count == 0 && job->before == NULL)
        return true;
    if (!carry_keys(job))
        return false;
    const struct key_list carried = {(const struct dyno_key *const *)job->keys.carried,
                                     job->keys.carried_count};
    for (size_t i = 0; i < space->app_count; i++) {
        struct app *app = &space->apps[i];
        const struct dyno_key web = {
            .space = space->name.text, .app = app->name.text, .type = "web"};
        const struct dyno_key *key = find_key(given, &web);
        if (key == NULL || key->is_bad)
            key = find_key(carried, &web);
        app->runs_by_key = key != NULL && has_up(key);
    }
    return true;
}

/* ---- applying ---- */

/* True when a key that is in force is not what counts any more. */
static bool is_replaced(const struct key_list *given, const struct dyno_key *carried)
{
    const struct dyno_key *const *found =
        given->count == 0
            ? NULL
            : bsearch(&carried, given->keys, given->count, sizeof carried, compare_keys);

    return found != NULL && !(*found)->is_bad;
}

static bool waits(const struct dyno_key *key)
{
    return !key->is_gone && !key->is_bad;
}

static void add_waiting(struct job_keys *keys, const struct dyno_key *key)
{
    keys->waiting[keys->waiting_count++] = key;
}

/* Most spaces have no keys to apply in a load, and there are many. */
static bool make_room(struct job_keys *keys, size_t count)
{
    free(keys->waiting);
    keys->waiting = count == 0 ? NULL : malloc(count * sizeof *keys->waiting);
    keys->waiting_count = 0;
    report_free(keys->findings);
    keys->findings = NULL;
    return keys->waiting != NULL || count == 0;
}

/* Notes the keys that the segment does not have: no app has their name, or they have errors. */
static void note_waiting(struct job_keys *keys, const struct restate_outcome *outcome,
                         const struct key_list *given)
{
    for (size_t i = 0; i < outcome->unused_count; i++)
        if (waits(outcome->unused[i]) && !is_replaced(given, outcome->unused[i]))
            add_waiting(keys, outcome->unused[i]);
    for (size_t i = 0; i < outcome->refused_count; i++)
        if (waits(outcome->refused[i]) && !is_replaced(given, outcome->refused[i]))
            add_waiting(keys, outcome->refused[i]);
}

/*
 * Replaces the segment, of which the caller has a hold, by a copy with the keys. `given` are those
 * that will be applied after them.
 */
static bool restate(struct job_keys *keys, struct segment **segment, struct key_list list,
                    const struct key_list *given)
{
    struct restate_outcome outcome = {.report = keys->findings};
    struct err err;

    if (list.count == 0)
        return true;
    struct segment *copy = segment_restate(*segment, list.keys, list.count, &outcome, &err);
    if (copy != NULL) {
        note_waiting(keys, &outcome, given);
        segment_release(*segment);
        *segment = copy;
    }
    restate_outcome_close(&outcome);
    return copy != NULL;
}

/* An unready space has no apps that could take a key. */
static bool wait_for_ready(struct job_keys *keys, struct key_list list,
                           const struct key_list *given)
{
    for (size_t i = 0; i < list.count; i++)
        if (waits(list.keys[i]) && !is_replaced(given, list.keys[i]))
            add_waiting(keys, list.keys[i]);
    return true;
}

/* Most spaces have none, and what thousands of jobs keep lies between what stays for long. */
static void drop_empty(struct job_keys *keys)
{
    if (keys->waiting_count == 0) {
        free(keys->waiting);
        keys->waiting = NULL;
    }
    if (report_total(keys->findings) == 0 && report_is_clean(keys->findings)) {
        report_free(keys->findings);
        keys->findings = NULL;
    }
}

static bool apply(struct job *job, struct segment **segment, struct key_list carried,
                  struct key_list given)
{
    static const struct key_list none;
    struct job_keys *keys = &job->keys;

    if (!make_room(keys, carried.count + given.count))
        return false;
    if (carried.count + given.count == 0)
        return true;
    if ((*segment)->is_unready)
        return wait_for_ready(keys, carried, &given) && wait_for_ready(keys, given, &none);
    keys->findings = report_new();
    if (keys->findings == NULL || !restate(keys, segment, carried, &given) ||
        !restate(keys, segment, given, &none))
        return false;
    drop_empty(keys);
    return true;
}

bool load_keys_apply(const struct loading *loading, struct job *job)
{
    if (job->is_kept && job->result == NULL)
        job->result = segment_hold(job->before);
    if (job->result == NULL)
        return true;
    struct key_list given = find_given(loading->request, job->result->name);
    struct key_list carried = {.keys = NULL};
    if (!job->is_kept) {
        if (!carry_keys(job))
            return false;
        carried = (struct key_list){(const struct dyno_key *const *)job->keys.carried,
                                    job->keys.carried_count};
    }
    return apply(job, &job->result, carried, given);
}

struct segment *load_keys_before(const struct loading *loading, struct job *job)
{
    struct job aside = {.before = job->before};
    struct segment *segment = segment_hold(job->before);

    if (!apply(&aside, &segment, (struct key_list){.keys = NULL},
               find_given(loading->request, segment->name))) {
        segment_release(segment);
        segment = NULL;
    }
    load_keys_close(&aside);
    return segment;
}

void load_keys_close(struct job *job)
{
    struct job_keys *keys = &job->keys;

    for (size_t i = 0; i < keys->carried_count; i++)
        dyno_key_free(keys->carried[i]);
    free(keys->carried);
    free(keys->waiting);
    report_free(keys->findings);
    *keys = (struct job_keys){.carried = NULL};
}

/* ---- handing over ---- */

static bool hand_key(struct load_outcome *outcome, const struct dyno_key *key)
{
    outcome->unused[outcome->unused_count] = dyno_key_copy(key);
    if (outcome->unused[outcome->unused_count] == NULL)
        return false;
    outcome->unused_count++;
    return true;
}

/* The keys of a space that has gone, unless they went with it. */
static bool hand_carried(const struct load_request *request, const struct job *job,
                         struct load_outcome *outcome)
{
    struct key_list given = find_given(request, job->before->name);

    for (size_t i = 0; i < job->keys.carried_count; i++)
        if (!is_replaced(&given, job->keys.carried[i]) && !hand_key(outcome, job->keys.carried[i]))
            return false;
    return true;
}

static bool hand_waiting(const struct job *job, struct load_outcome *outcome)
{
    for (size_t i = 0; i < job->keys.waiting_count; i++)
        if (!hand_key(outcome, job->keys.waiting[i]))
            return false;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The given keys of spaces that no text has; `spaces` are those that some text has, sorted. */
static bool hand_spaceless(const struct load_request *request, const char *const *spaces,
                           size_t space_count, struct load_outcome *outcome)
{
    bool is_known = false;

    for (size_t i = 0; i < request->key_count; i++) {
        const struct dyno_key *key = request->keys[i];
        if (i == 0 || strcmp(request->keys[i - 1]->space, key->space) != 0)
            is_known = space_count > 0 && bsearch(&key->space, spaces, space_count, sizeof *spaces,
                                                  compare_names) != NULL;
        if (!is_known && waits(key) && !hand_key(outcome, key))
            return false;
    }
    return true;
}

static size_t count_unused(const struct loading *loading)
{
    size_t most = loading->request->key_count;

    for (size_t i = 0; i < loading->job_count; i++)
        most += loading->jobs[i].keys.waiting_count + loading->jobs[i].keys.carried_count;
    return most;
}

static bool hand_jobs_keys(struct loading *loading, const char **spaces,
                           struct load_outcome *outcome)
{
    size_t count = 0;

    for (size_t i = 0; i < loading->job_count; i++) {
        const struct job *job = &loading->jobs[i];
        if (job->keys.findings != NULL)
            report_merge(outcome->key_findings, job->keys.findings);
        if (job->result != NULL)
            spaces[count++] = job->result->name;
        if (!(job->result != NULL
                  ? hand_waiting(job, outcome)
                  : job->before == NULL || hand_carried(loading->request, job, outcome)))
            return false;
    }
    if (count > 0 && loading->request->key_count > 0)
        qsort(spaces, count, sizeof *spaces, compare_names);
    return hand_spaceless(loading->request, spaces, count, outcome);
}

bool load_keys_hand(struct loading *loading, struct load_outcome *outcome)
{
    bool handed = true;

    for (size_t i = 0; i < loading->job_count && handed; i++)
        if (loading->jobs[i].result == NULL)
            handed = carry_keys(&loading->jobs[i]);
    const char **spaces = calloc(loading->job_count + 1, sizeof *spaces);
    outcome->unused = calloc(count_unused(loading) + 1, sizeof *outcome->unused);
    outcome->key_findings = report_new();
    handed = handed && spaces != NULL && outcome->unused != NULL && outcome->key_findings != NULL &&
             hand_jobs_keys(loading, spaces, outcome);
    if (handed && outcome->unused_count > 0)
        qsort(outcome->unused, outcome->unused_count, sizeof *outcome->unused, compare_keys);
    if (handed)
        report_sort(outcome->key_findings);
    free(spaces);
    return handed;
}
