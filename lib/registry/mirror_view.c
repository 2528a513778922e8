#include "registry/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/stored.h"
#include "base/file.h"

enum { FIRST_LINE_MOST = 96 };

/* ---- what a view shows ---- */

/* A replica that serves nothing yet has nothing to keep as it is. */
static bool is_paused(const struct mirror *mirror)
{
    return mirror->pause_revision != 0 && mirror->has_loaded;
}

static bool has_text(const struct mirror_space *space, const struct mirror_document *document)
{
    return document->text != NULL || document->is_too_long ||
           (space->served != NULL && space->served->mod_revision == document->mod_revision &&
            space->served->create_revision == document->create_revision);
}

static struct mirror_document *shown(const struct mirror *mirror, const struct mirror_space *space)
{
    struct mirror_document *newest = mirror_newest(mirror, space);

    if (is_paused(mirror) || space->defers)
        return space->served;
    /* One without a text to serve is listed all the same: its space is not ready, not gone. */
    if (newest != NULL && !has_text(space, newest) && space->served != NULL)
        return space->served;
    return newest;
}

void mirror_close_view(struct mirror *mirror)
{
    struct mirror_view *view = &mirror->view;

    for (size_t i = 0; i < view->count; i++) {
        mirror_release_document(view->items[i].document);
        mirror_release_fixed(view->items[i].fixed);
    }
    free(view->items);
    for (size_t i = 0; i < view->forced_gone_count; i++)
        free(view->forced_gone[i]);
    free(view->forced_gone);
    *view = (struct mirror_view){.count = 0};
}

static bool add_forced_gone(struct mirror_view *view, const char *space)
{
    char **wider =
        realloc(view->forced_gone, (view->forced_gone_count + 1) * sizeof *view->forced_gone);

    if (wider == NULL)
        return false;
    view->forced_gone = wider;
    size_t room = strlen(space) + MIRROR_PREFIX + 1;
    char *name = malloc(room);
    if (name == NULL)
        return false;
    snprintf(name, room, "z/%s", space);
    wider[view->forced_gone_count++] = name;
    return true;
}

/* An older document, as in a pause, is not the one that it belongs to. */
static bool is_new_fixed(const struct mirror_item *item)
{
    return item->is_newest && item->fixed != NULL && !item->fixed->is_compared;
}

static struct mirror_fixed *usable_fixed(const struct mirror_space *space)
{
    return space->fixed != NULL && !space->fixed->space->is_unreadable ? space->fixed : NULL;
}

static bool add_item(struct mirror *mirror, const struct mirror_space *space)
{
    struct mirror_view *view = &mirror->view;
    struct mirror_document *document = shown(mirror, space);

    if (document == NULL)
        return !space->is_gone_forced || add_forced_gone(view, space->name);
    struct mirror_fixed *fixed = usable_fixed(space);
    document->holds++;
    if (fixed != NULL)
        fixed->holds++;
    struct mirror_item *item = &view->items[view->count++];
    bool is_candidate = document == space->candidate;
    bool replaces = is_candidate && space->document != NULL;
    *item = (struct mirror_item){.document = document,
                                 .fixed = fixed,
                                 .is_newest = document == mirror_newest(mirror, space),
                                 .is_candidate = is_candidate,
                                 .created = replaces ? space->document->create_revision
                                                     : document->create_revision};
    view->has_new_fixed |= is_new_fixed(item);
    return true;
}

static bool make_view(struct mirror *mirror)
{
    bool passed = true;

    mirror_close_view(mirror);
    mirror->view.items = calloc(mirror->space_count + 1, sizeof *mirror->view.items);
    if (mirror->view.items == NULL)
        return false;
    for (size_t i = 0; i < mirror->space_count && passed; i++)
        passed = add_item(mirror, mirror->spaces[i]);
    if (!passed)
        mirror_close_view(mirror);
    return passed;
}

/* ---- the source ---- */

static const struct mirror_item *find_item(const struct mirror *mirror, const char *name)
{
    const struct mirror_view *view = &mirror->view;
    size_t low = 0, high = view->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(view->items[middle].document->name, name);
        if (order == 0)
            return &view->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool mirror_shows(const struct mirror *mirror, const char *text_name)
{
    return find_item(mirror, text_name) != NULL;
}

static const struct mirror *mirror_of(const struct source *source)
{
    return (const struct mirror *)source; /* its first member */
}

static bool list(struct source *source, struct arena *arena, struct source_names *names,
                 struct err *err)
{
    const struct mirror_view *view = &mirror_of(source)->view;

    names->count = 0;
    names->names = arena_take(arena, (view->count + 1) * sizeof *names->names);
    for (size_t i = 0; names->names != NULL && i < view->count; i++) {
        const char *name = view->items[i].document->name;
        names->names[i] = arena_text(arena, name, strlen(name));
        if (names->names[i] == NULL)
            names->names = NULL;
        else
            names->count++;
    }
    return names->names != NULL ||
           err_set(err, ERR_MEMORY, "out of memory for the names of the registry's documents");
}

/* A document and its candidate may be of one revision. */
static struct source_stamp stamp_of(const struct mirror_item *item)
{
    const struct mirror_document *document = item->document;

    return (struct source_stamp){
        .words = {document->mod_revision, item->created, document->history, item->is_candidate}};
}

static struct source_stamp stamp(struct source *source, const char *name)
{
    const struct mirror_item *item = find_item(mirror_of(source), name);

    return item == NULL ? (struct source_stamp){.words = {0}} : stamp_of(item);
}

static bool complain(struct report *report, const char *name, const char *text)
{
    report_add(report, FINDING_FILE, name, location_at(0, 0), "%s", text);
    return false;
}

/* Reads the text of what is served from the state folder; NULL unless it is the very text. */
static char *read_stored(const struct mirror *mirror, const struct mirror_document *document,
                         const char *suffix, size_t *length)
{
    char path[4096];
    struct err err;
    const size_t most = MIRROR_DOCUMENT_MOST + FIRST_LINE_MOST;

    if (mirror->state_path == NULL || document->checksum == 0 ||
        snprintf(path, sizeof path, "%s/zones/%s%s", mirror->state_path,
                 document->name + MIRROR_PREFIX, suffix) >= (int)sizeof path)
        return NULL;
    char *text = file_read_text(path, most, length, &err);
    char *newline = text == NULL ? NULL : memchr(text, '\n', *length);
    if (newline == NULL || strncmp(text, "# spacedns zone ", 16) != 0) {
        free(text);
        return NULL;
    }
    *length -= (size_t)(newline + 1 - text);
    memmove(text, newline + 1, *length + 1);
    if (stored_checksum(text, *length) == document->checksum)
        return text;
    free(text);
    return NULL;
}

static bool read_text(struct source *source, const char *name, struct source_text *text,
                      struct report *report)
{
    const struct mirror_item *item = find_item(mirror_of(source), name);

    if (item == NULL)
        return complain(report, name, "the registry has no such document; push it");
    const struct mirror_document *document = item->document;
    if (document->is_too_long) {
        report_add(report, FINDING_LIMIT, name, location_at(0, 0),
                   "the document has %zu octets, more than %d; split the space", document->length,
                   MIRROR_DOCUMENT_MOST);
        return false;
    }
    size_t length = document->length;
    char *octets = document->text == NULL ? NULL : malloc(length + 1);
    if (octets != NULL)
        memcpy(octets, document->text, length + 1);
    if (document->text == NULL)
        octets = read_stored(mirror_of(source), document, ".yaml", &length);
    if (document->text == NULL && octets == NULL)
        octets = read_stored(mirror_of(source), document, "", &length);
    if (octets == NULL)
        return complain(report, name,
                        "its text is neither in memory nor in the state folder; it is read from "
                        "the registry once that can be reached");
    *text = (struct source_text){.octets = octets, .length = length, .stamp = stamp_of(item)};
    return true;
}

static void set_source(struct mirror *mirror)
{
    mirror->source = (struct source){.root = "z", .list = list, .stamp = stamp, .read = read_text};
}

static const struct mirror_item *find_space(const struct mirror *mirror, const char *space)
{
    char name[KEY_NAME_MOST + MIRROR_PREFIX + 1];

    snprintf(name, sizeof name, "z/%s", space);
    return find_item(mirror, name);
}

const struct fixed_space *mirror_find_fixed(const struct mirror *mirror, const char *space)
{
    const struct mirror_item *item = find_space(mirror, space);

    return item == NULL || item->fixed == NULL ? NULL : item->fixed->space;
}

bool mirror_has_new_fixed(const struct mirror *mirror, const char *space)
{
    const struct mirror_item *item =
        mirror->view.has_new_fixed ? find_space(mirror, space) : NULL; /* many ask */

    return item != NULL && is_new_fixed(item);
}

bool mirror_is_forced(const struct mirror *mirror, const char *text_name)
{
    const struct mirror_item *item = find_item(mirror, text_name);

    for (size_t i = 0; item == NULL && i < mirror->view.forced_gone_count; i++)
        if (strcmp(mirror->view.forced_gone[i], text_name) == 0)
            return true;
    return item != NULL && item->document->is_forced;
}

/* ---- taking ---- */

bool mirror_has_documents(const struct mirror *mirror)
{
    return mirror->has_documents && !is_paused(mirror) && !mirror->is_taking;
}

/* What has changed is newer than what waits. */
static bool take_keys(struct mirror *mirror, enum registry_take kind)
{
    struct dyno_table taken = {.count = 0};

    if (!dyno_table_move(&taken, &mirror->changes))
        return false;
    mirror->taken = taken;
    if (kind == REGISTRY_LOAD)
        return dyno_table_move(&mirror->taken, &mirror->waiting);
    for (size_t i = 0; i < taken.used; i++)
        if (taken.slots[i].key != NULL)
            dyno_table_drop(&mirror->waiting, taken.slots[i].key->space, taken.slots[i].key->app,
                            taken.slots[i].key->type);
    return true;
}

bool mirror_take(struct mirror *mirror, enum registry_take kind, struct registry_keys *keys)
{
    if (kind == REGISTRY_LOAD && !make_view(mirror))
        return false;
    set_source(mirror);
    mirror->is_taking = true;
    mirror->taking = kind;
    mirror->taken_releases = mirror->release_count;
    if (!take_keys(mirror, kind)) {
        mirror->has_failed = true;
        mirror_note_failed(mirror);
        return false;
    }
    mirror->listed = malloc((mirror->taken.count + 1) * sizeof *mirror->listed);
    if (mirror->listed == NULL) {
        mirror_note_failed(mirror);
        return false;
    }
    keys->count = dyno_table_list(&mirror->taken, mirror->listed);
    keys->keys = mirror->listed;
    keys->releases = (const char *const *)mirror->releases;
    keys->release_count = mirror->release_count;
    if (kind == REGISTRY_LOAD && !is_paused(mirror))
        mirror->has_documents = false;
    return true;
}

bool mirror_is_superseded(const struct mirror *mirror, const struct dyno_key *key)
{
    return dyno_table_find(&mirror->changes, key->space, key->app, key->type) != NULL;
}

bool mirror_wait(struct mirror *mirror, const struct dyno_key *const *keys, size_t count)
{
    bool passed = true;

    for (size_t i = 0; i < count; i++) {
        struct dyno_key *key = (struct dyno_key *)keys[i];
        const struct dyno_slot *slot =
            dyno_table_find(&mirror->taken, key->space, key->app, key->type);
        if (slot != NULL && slot->key == key)
            dyno_table_take(&mirror->taken, key->space, key->app, key->type);
        if (key->is_gone || mirror_is_superseded(mirror, key))
            dyno_key_free(key);
        else
            passed &= dyno_table_put(&mirror->waiting, key, mirror->mark);
    }
    mirror->has_failed |= !passed;
    return passed;
}
