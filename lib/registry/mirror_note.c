/* The end of a take: what of it is in force now, and what waits. */
#include "registry/mirror.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "base/arena.h"

enum {
    TAKEN_KEY_OCTETS = 192,    /* of a key with two dynos, about */
    TRIMMED_OCTETS = 16 << 20, /* so much freed memory is given back */
};

/* ---- what is in force ---- */

static void drop_releases(struct mirror *mirror)
{
    size_t count = mirror->taken_releases;

    for (size_t i = 0; i < count; i++)
        free(mirror->releases[i]);
    mirror->release_count -= count;
    if (count > 0)
        memmove(mirror->releases, mirror->releases + count,
                mirror->release_count * sizeof *mirror->releases);
    mirror->taken_releases = 0;
}

static const struct load_last_good *find_kept_out(const struct load_outcome *outcome,
                                                  const char *file)
{
    size_t low = 0, high = outcome->last_good_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(outcome->last_good[middle].file, file);
        if (order == 0)
            return outcome->last_good[middle].keeping == LOAD_TAKEN ? NULL
                                                                    : &outcome->last_good[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* It is against what is fixed now, and stays in force. */
static bool is_in_force(const struct load_last_good *kept)
{
    return kept->is_served && source_stamp_is_same(&kept->stamp, &kept->served_stamp);
}

/* The document is in force: its text is not needed any more. Returns how long it was. */
static size_t serve(struct mirror_space *space, struct mirror_document *document)
{
    size_t octets = document->text == NULL ? 0 : document->length;

    if (space->served != document) {
        mirror_release_document(space->served);
        space->served = document;
        document->holds++;
    }
    mirror_drop_text(document);
    return octets;
}

/* A text that stays does not keep those that came with it. */
static void keep_apart(struct mirror_document *document)
{
    if (document->text == NULL || arena_used(document->texts) <= 2 * (document->length + 1))
        return;
    struct arena *own = arena_new();
    const char *copy = own == NULL ? NULL : arena_text(own, document->text, document->length);
    if (copy == NULL) {
        arena_free(own);
        return;
    }
    mirror_drop_text(document);
    document->text = copy;
    document->texts = own;
}

static void forget_served(struct mirror *mirror, struct mirror_space *space)
{
    mirror_release_document(space->served);
    space->served = NULL;
    mirror->has_missing = true;
}

/* Returns how many octets of text it has let go. */
static size_t note_item(struct mirror *mirror, const struct mirror_item *item,
                        const struct load_outcome *outcome)
{
    struct mirror_document *document = item->document;
    struct mirror_space *space = mirror_find(mirror, document->name + MIRROR_PREFIX);

    if (space == NULL)
        return 0;
    const struct load_last_good *kept = find_kept_out(outcome, document->name);
    space->is_kept = kept != NULL;
    if (kept == NULL && item->is_newest && item->fixed != NULL)
        item->fixed->is_compared = true;
    if (kept == NULL || is_in_force(kept))
        return serve(space, document);
    keep_apart(document);
    if (document->text == NULL && !document->is_too_long && space->served == document)
        forget_served(mirror, space);
    return 0;
}

/*
 * What has nothing in the registry and nothing in force is forgotten. The first room after there
 * was none is for spaces that were left out: they are found by their names.
 */
static void forget_spaces(struct mirror *mirror)
{
    bool was_full = mirror->space_count == MIRROR_SPACES_MOST;
    size_t kept = 0;

    for (size_t i = 0; i < mirror->space_count; i++) {
        struct mirror_space *space = mirror->spaces[i];
        if (space->document != NULL || space->candidate != NULL || space->fixed != NULL ||
            space->served != NULL)
            mirror->spaces[kept++] = space;
        else
            free(space);
    }
    mirror->space_count = kept;
    mirror->wants_names |= was_full && kept < MIRROR_SPACES_MOST;
}

/* A space that the view did not have is gone, or its removal is held. */
static void note_space(struct mirror *mirror, struct mirror_space *space,
                       const struct load_outcome *outcome)
{
    char name[KEY_NAME_MOST + MIRROR_PREFIX + 1];

    snprintf(name, sizeof name, "z/%s", space->name);
    if (space->defers)
        mirror->has_documents = true;
    space->defers = false;
    if (mirror_shows(mirror, name))
        return;
    space->is_kept = find_kept_out(outcome, name) != NULL;
    if (!space->is_kept && space->served != NULL)
        forget_served(mirror, space);
}

static void note_gone(struct mirror *mirror, const struct load_outcome *outcome)
{
    for (size_t i = 0; i < mirror->space_count; i++)
        note_space(mirror, mirror->spaces[i], outcome);
    forget_spaces(mirror);
}

/* A key that is in force as it was taken. */
static bool mark_in_force(void *context, const struct dyno_key *view)
{
    struct dyno_slot *slot = dyno_table_find(context, view->space, view->app, view->type);

    if (slot != NULL && slot->key->revision == view->revision)
        slot->key->is_gone = true;
    return true;
}

/* Keys of a load that are neither in force nor handed back have errors: they wait, too. */
static void keep_refused(struct mirror *mirror)
{
    for (size_t i = 0; mirror->current != NULL && i < mirror->current->segment_count; i++)
        if (mirror->current->segments[i] != NULL && mirror->taken.count > 0 &&
            !segment_walk_keys(mirror->current->segments[i], mark_in_force, &mirror->taken))
            mirror->has_failed = true;
    for (size_t i = 0; i < mirror->taken.used; i++) {
        struct dyno_key *key = mirror->taken.slots[i].key;
        if (key == NULL || key->is_gone)
            continue;
        dyno_table_take(&mirror->taken, key->space, key->app, key->type);
        if (mirror_is_superseded(mirror, key))
            dyno_key_free(key);
        else if (!dyno_table_put(&mirror->waiting, key, mirror->mark))
            mirror->has_failed = true;
    }
}

/* The guard has judged without the keys that came while the load ran. */
static void judge_again(struct mirror *mirror)
{
    for (size_t i = 0; i < mirror->changes.used; i++)
        if (mirror->changes.slots[i].key != NULL)
            mirror_judge_again(mirror, mirror->changes.slots[i].key);
}

static void end_take(struct mirror *mirror)
{
    mirror->is_taking = false;
    free(mirror->listed);
    mirror->listed = NULL;
    dyno_table_close(&mirror->taken);
    mirror->running_of = NULL;
}

void mirror_note(struct mirror *mirror, const struct load_outcome *outcome,
                 const struct snapshot *current)
{
    size_t octets = mirror->taken.count * TAKEN_KEY_OCTETS;

    mirror->current = current;
    if (outcome != NULL && mirror->taking == REGISTRY_LOAD) {
        mirror->has_loaded = true;
        for (size_t i = 0; i < mirror->view.count; i++)
            octets += note_item(mirror, &mirror->view.items[i], outcome);
        note_gone(mirror, outcome);
        drop_releases(mirror);
        keep_refused(mirror);
        mirror_close_view(mirror);
        judge_again(mirror);
    }
    end_take(mirror);
    if (octets >= TRIMMED_OCTETS)
        malloc_trim(0);
}

/* Both orders are right: what has changed since is newer than what was taken. */
void mirror_note_failed(struct mirror *mirror)
{
    if (!dyno_table_move(&mirror->changes, &mirror->taken))
        mirror->has_failed = true;
    if (mirror->taking == REGISTRY_LOAD)
        mirror->has_documents = true;
    mirror->taken_releases = 0;
    mirror_close_view(mirror);
    end_take(mirror);
}
