#include "registry/mirror.h"

#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static int compare_names(const void *a, const void *b)
{
    const char *const *one = a, *const *other = b;

    return strcmp(*one, *other);
}

static bool copy_selection(struct mirror *mirror, const struct mirror_options *options)
{
    if (options->space_count == 0)
        return true;
    mirror->selection = calloc(options->space_count, sizeof *mirror->selection);
    if (mirror->selection == NULL)
        return false;
    for (size_t i = 0; i < options->space_count; i++) {
        mirror->selection[i] = strdup(options->spaces[i]);
        if (mirror->selection[i] == NULL)
            return false;
        mirror->selection_count++;
    }
    qsort(mirror->selection, mirror->selection_count, sizeof *mirror->selection, compare_names);
    return true;
}

bool mirror_init(struct mirror *mirror, const struct mirror_options *options, struct err *err)
{
    *mirror = (struct mirror){.keys = *options->keys, .is_canary = options->is_canary};
    bool has_path =
        options->state_path == NULL || (mirror->state_path = strdup(options->state_path)) != NULL;
    if (!has_path || !copy_selection(mirror, options))
        return err_set(err, ERR_MEMORY, "out of memory for the registry");
    return true;
}

void mirror_drop_text(struct mirror_document *document)
{
    document->text = NULL;
    arena_release(document->texts);
    document->texts = NULL;
}

void mirror_release_document(struct mirror_document *document)
{
    if (document == NULL || --document->holds > 0)
        return;
    mirror_drop_text(document);
    free(document);
}

void mirror_release_fixed(struct mirror_fixed *fixed)
{
    if (fixed == NULL || --fixed->holds > 0)
        return;
    free(fixed->space);
    free(fixed);
}

static void free_space(struct mirror_space *space)
{
    mirror_release_document(space->document);
    mirror_release_document(space->candidate);
    mirror_release_document(space->served);
    mirror_release_fixed(space->fixed);
    free(space);
}

void mirror_close(struct mirror *mirror)
{
    mirror_close_view(mirror);
    free(mirror->listed);
    for (size_t i = 0; i < mirror->space_count; i++)
        free_space(mirror->spaces[i]);
    free(mirror->spaces);
    for (size_t i = 0; i < mirror->selection_count; i++)
        free(mirror->selection[i]);
    free(mirror->selection);
    for (size_t i = 0; i < mirror->release_count; i++)
        free(mirror->releases[i]);
    free(mirror->releases);
    dyno_table_close(&mirror->changes);
    dyno_table_close(&mirror->taken);
    dyno_table_close(&mirror->waiting);
    dyno_table_close(&mirror->held);
    dyno_table_close(&mirror->deletions);
    free(mirror->state_path);
    free(mirror->force);
    free(mirror->mass_times);
    mirror_close_reasons(mirror);
    report_free(mirror->report);
    arena_release(mirror->texts);
    *mirror = (struct mirror){.current = NULL};
}

bool mirror_selects(const struct mirror *mirror, const char *space)
{
    return mirror->selection_count == 0 ||
           bsearch(&space, mirror->selection, mirror->selection_count, sizeof *mirror->selection,
                   compare_names) != NULL;
}

/* ---- spaces ---- */

/* The number of the first space whose name is not below this one. */
static size_t position(const struct mirror *mirror, const char *space)
{
    size_t low = 0, high = mirror->space_count;

    /* Full reads come in order. */
    if (high > 0 && strcmp(mirror->spaces[high - 1]->name, space) < 0)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(mirror->spaces[middle]->name, space) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mirror_space *mirror_find(const struct mirror *mirror, const char *space)
{
    size_t at = position(mirror, space);

    return at < mirror->space_count && strcmp(mirror->spaces[at]->name, space) == 0
               ? mirror->spaces[at]
               : NULL;
}

static bool make_room(struct mirror *mirror)
{
    if (mirror->space_count < mirror->space_capacity)
        return true;
    size_t wider = 2 * mirror->space_capacity + 16;
    struct mirror_space **spaces = realloc(mirror->spaces, wider * sizeof *spaces);
    if (spaces == NULL)
        return false;
    mirror->spaces = spaces;
    mirror->space_capacity = wider;
    return true;
}

struct report *mirror_findings(struct mirror *mirror)
{
    if (mirror->report == NULL)
        mirror->report = report_new();
    mirror->has_failed |= mirror->report == NULL;
    return mirror->report;
}

static void drop_space(struct mirror *mirror, const char *name)
{
    if (mirror->dropped_spaces++ == 0 && mirror_findings(mirror) != NULL)
        report_add(mirror->report, FINDING_LIMIT, "z", location_at(0, 0),
                   "space %s is one more than %d, and not served; make further cells", name,
                   MIRROR_SPACES_MOST);
}

static struct mirror_space *insert_space(struct mirror *mirror, const char *name)
{
    size_t at = position(mirror, name), room = strlen(name) + 1;
    struct mirror_space *space = make_room(mirror) ? calloc(1, sizeof *space + room) : NULL;

    if (space == NULL) {
        mirror->has_failed = true;
        return NULL;
    }
    memcpy(space->name, name, room);
    memmove(mirror->spaces + at + 1, mirror->spaces + at,
            (mirror->space_count - at) * sizeof *mirror->spaces);
    mirror->spaces[at] = space;
    mirror->space_count++;
    return space;
}

struct mirror_space *mirror_make(struct mirror *mirror, const char *space)
{
    struct mirror_space *found = mirror_find(mirror, space);

    if (found != NULL)
        return found;
    if (mirror->space_count < MIRROR_SPACES_MOST)
        return insert_space(mirror, space);
    drop_space(mirror, space);
    return NULL;
}

struct mirror_document *mirror_newest(const struct mirror *mirror, const struct mirror_space *space)
{
    if (!mirror->is_canary || space->candidate == NULL)
        return space->document;
    return space->candidate->is_removal ? NULL : space->candidate;
}

bool mirror_has_keys(const struct mirror *mirror)
{
    /* A change that came to nothing counts all the same: others may have taken it with one that
     * did. */
    bool is_behind = mirror->current != NULL && !mirror_has_documents(mirror) &&
                     mirror->current->generation != mirror->changed_revision;

    return (mirror->changes.count > 0 || is_behind) && !mirror->is_taking;
}

struct report *mirror_take_report(struct mirror *mirror)
{
    struct report *report = mirror->report;

    mirror->report = NULL;
    if (report != NULL && report_total(report) == 0) {
        report_free(report);
        return NULL;
    }
    return report;
}
