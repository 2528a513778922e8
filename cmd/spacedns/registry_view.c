#include "spacedns/registry_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spacedns/registry_read.h"

/* ---- the source ---- */

static bool is_listed(const struct registry_document *document)
{
    return document->has_draft ? !document->is_removed
                               : document->modified != 0 && !document->is_hidden;
}

size_t registry_view_count_listed(const struct registry_view *view)
{
    size_t count = 0;

    for (size_t i = 0; i < view->count; i++)
        count += is_listed(&view->documents[i]);
    return count;
}

static bool list(struct source *source, struct arena *arena, struct source_names *names,
                 struct err *err)
{
    const struct registry_view *view = (struct registry_view *)source;

    *names =
        (struct source_names){.names = arena_take(arena, (view->count + 1) * sizeof *names->names)};
    if (names->names == NULL)
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    for (size_t i = 0; i < view->count; i++)
        if (is_listed(&view->documents[i]))
            names->names[names->count++] = view->documents[i].name;
    return names->count > 0 ||
           err_set(err, ERR_RULE, "the registry would hold no document; push one");
}

static const struct registry_document *find_name(const struct registry_view *view, const char *name)
{
    const struct registry_document *document = registry_view_find(view, name + sizeof "z/" - 1);

    return document != NULL && strcmp(document->name, name) == 0 ? document : NULL;
}

static struct source_stamp stamp(struct source *source, const char *name)
{
    const struct registry_document *document = find_name((struct registry_view *)source, name);

    if (document == NULL || document->has_draft)
        return (struct source_stamp){.words = {0}};
    return (struct source_stamp){.words = {document->modified, document->created}};
}

static bool read_text(struct source *source, const char *name, struct source_text *text,
                      struct report *report)
{
    const struct registry_document *document = find_name((struct registry_view *)source, name);
    const struct line_text *from = document->has_draft ? &document->draft : &document->text;
    char *octets = malloc(from->length + 1);

    if (octets == NULL) {
        report_add(report, FINDING_MEMORY, name, (struct location){.line = 1},
                   "out of memory while the text was read");
        return false;
    }
    memcpy(octets, from->octets, from->length);
    octets[from->length] = '\0';
    *text = (struct source_text){
        .octets = octets, .length = from->length, .stamp = stamp(source, name)};
    return true;
}

/* ---- what is in it ---- */

/* The index at which a space is, or belongs. */
static size_t seek(const struct registry_view *view, const char *space)
{
    size_t low = 0, high = view->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(view->documents[middle].space, space) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct registry_document *registry_view_find(const struct registry_view *view, const char *space)
{
    size_t at = seek(view, space);

    return at < view->count && strcmp(view->documents[at].space, space) == 0 ? &view->documents[at]
                                                                             : NULL;
}

static int compare_text(const void *space, const void *text)
{
    return strcmp(space, ((const struct registry_text *)text)->space);
}

const struct registry_text *registry_texts_find(const struct registry_texts *texts,
                                                const char *space)
{
    return texts->count == 0
               ? NULL
               : bsearch(space, texts->items, texts->count, sizeof *texts->items, compare_text);
}

/* A document that only a draft has. NULL without memory. */
static struct registry_document *insert(struct registry_view *view, const char *space)
{
    size_t at = seek(view, space);
    char *name = arena_take(view->arena, strlen(space) + sizeof "z/");
    struct registry_document *documents =
        arena_grow(view->arena, view->documents, view->count, &view->capacity, sizeof *documents);

    if (documents == NULL || name == NULL)
        return NULL;
    snprintf(name, strlen(space) + sizeof "z/", "z/%s", space);
    memmove(documents + at + 1, documents + at, (view->count - at) * sizeof *documents);
    view->documents = documents;
    view->count++;
    documents[at] = (struct registry_document){.space = name + sizeof "z/" - 1, .name = name};
    return &documents[at];
}

bool registry_view_draft(struct registry_view *view, const char *space, struct line_text text)
{
    struct registry_document *document = registry_view_find(view, space);

    if (document == NULL)
        document = insert(view, space);
    if (document == NULL)
        return false;
    document->draft = text;
    document->has_draft = true;
    document->is_removed = text.octets == NULL;
    return true;
}

void registry_view_drop_drafts(struct registry_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        view->documents[i].has_draft = false;
}

int registry_compare_dynos(const void *a, const void *b)
{
    return dyno_key_compare(*(const struct dyno_key *const *)a, *(const struct dyno_key *const *)b);
}

/* ---- reading ---- */

/* Whether this program may read and write such a registry. */
static bool check_meta(const struct registry_view *view, struct err *err)
{
    const struct line_text *meta = &view->meta.text;

    if (view->meta.modified == 0)
        return err_set(err, ERR_RULE,
                       "there is no registry at %.200s; check registry.root and registry.cell, or "
                       "make one with spacedns registry:init",
                       view->keys->prefix);
    uint64_t format = lines_number(meta->octets, meta->length, "format");
    return format == 1 || err_set(err, ERR_RULE,
                                  "the registry at %.200s has format %" PRIu64
                                  ", and this version knows format 1; use a newer spacedns",
                                  view->keys->prefix, format);
}

bool registry_view_init(struct registry_view *view, const struct keys *keys, struct err *err)
{
    *view = (struct registry_view){
        .source = {.root = "z", .list = list, .stamp = stamp, .read = read_text},
        .keys = keys,
        .arena = arena_new(),
        .dyno_findings = report_new()};
    return (view->arena != NULL && view->dyno_findings != NULL) ||
           err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
}

bool registry_view_read(struct registry_view *view, const struct registry_reading *reading,
                        struct err *err)
{
    if (!registry_view_init(view, reading->keys, err))
        return false;
    view->revision = reading->revision;
    return registry_read(view, reading, err) && check_meta(view, err);
}

void registry_view_close(struct registry_view *view)
{
    for (size_t i = 0; i < view->dyno_count; i++)
        dyno_key_free(view->dynos[i]);
    for (size_t i = 0; i < view->fixed.count; i++)
        free(view->fixed.items[i].fixed);
    free(view->dynos);
    report_free(view->dyno_findings);
    arena_free(view->arena);
    *view = (struct registry_view){.arena = NULL};
}
