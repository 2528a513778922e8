#include "spacedns/registry_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/fixed_text.h"

enum { PAGE = 500, SPACES_AT_ONCE = 64 };

struct keys_reading {
    struct registry_view *view;
    const struct registry_reading *reading;
    size_t octets; /* so far */
    struct err *err;
};

static bool fail_memory(const struct keys_reading *reading)
{
    return err_set(reading->err, ERR_MEMORY, "out of memory; free some, then try again");
}

/* ---- a pair ---- */

static bool copy(const struct keys_reading *reading, const struct etcd_pair *pair,
                 struct line_text *text)
{
    *text = (struct line_text){
        .octets = arena_text(reading->view->arena, pair->value.start, pair->value.length),
        .length = pair->value.length};
    return text->octets != NULL || fail_memory(reading);
}

static bool take_document(const struct keys_reading *reading, const struct key *key,
                          const struct etcd_pair *pair)
{
    struct registry_view *view = reading->view;
    char name[sizeof key->space + sizeof "z/"];
    int length = snprintf(name, sizeof name, "z/%s", key->space);
    const char *kept = arena_text(view->arena, name, (size_t)length);
    struct registry_document *documents =
        arena_grow(view->arena, view->documents, view->count, &view->capacity, sizeof *documents);

    if (kept == NULL || documents == NULL)
        return fail_memory(reading);
    view->documents = documents;
    struct registry_document *document = &documents[view->count];
    *document = (struct registry_document){.space = kept + sizeof "z/" - 1,
                                           .name = kept,
                                           .created = (uint64_t)pair->create_revision,
                                           .modified = (uint64_t)pair->mod_revision};
    if (!copy(reading, pair, &document->text))
        return false;
    view->count++;
    return true;
}

static bool take_text(const struct keys_reading *reading, struct registry_texts *texts,
                      const struct key *key, const struct etcd_pair *pair)
{
    struct arena *arena = reading->view->arena;
    struct registry_text *items =
        arena_grow(arena, texts->items, texts->count, &texts->capacity, sizeof *items);
    const char *space = arena_text(arena, key->space, strlen(key->space));

    if (items == NULL || space == NULL)
        return fail_memory(reading);
    texts->items = items;
    items[texts->count] =
        (struct registry_text){.space = space, .modified = (uint64_t)pair->mod_revision};
    if (!copy(reading, pair, &items[texts->count].text))
        return false;
    texts->count++;
    return true;
}

static bool take_fixed(const struct keys_reading *reading, const struct key *key,
                       const struct etcd_pair *pair)
{
    struct registry_texts *texts = &reading->view->fixed;

    if (!take_text(reading, texts, key, pair))
        return false;
    struct registry_text *text = &texts->items[texts->count - 1];
    text->fixed = fixed_text_read(text->space, text->text.octets, text->text.length);
    return text->fixed != NULL || fail_memory(reading);
}

static bool take_mark(const struct keys_reading *reading, struct registry_mark *mark,
                      const struct etcd_pair *pair)
{
    mark->modified = (uint64_t)pair->mod_revision;
    return copy(reading, pair, &mark->text);
}

static bool take_dynos(const struct keys_reading *reading, const struct key *key,
                       const struct etcd_pair *pair)
{
    struct registry_view *view = reading->view;

    if (view->dyno_count == view->dyno_capacity) {
        size_t capacity = view->dyno_capacity == 0 ? 64 : 2 * view->dyno_capacity;
        struct dyno_key **dynos = realloc(view->dynos, capacity * sizeof(void *));
        if (dynos == NULL)
            return fail_memory(reading);
        view->dynos = dynos;
        view->dyno_capacity = capacity;
    }
    struct dyno_key *dynos =
        dyno_key_read(key->space, key->app, key->type, (uint64_t)pair->mod_revision, pair->value,
                      view->dyno_findings);
    if (dynos == NULL)
        return fail_memory(reading);
    view->dynos[view->dyno_count++] = dynos;
    return true;
}

static bool take(const struct keys_reading *reading, const struct etcd_pair *pair)
{
    struct registry_view *view = reading->view;
    struct key key;

    keys_read(view->keys, pair->key.start, pair->key.length, &key);
    switch (key.kind) {
    case KEY_META:
        return take_mark(reading, &view->meta, pair);
    case KEY_CONFIG:
        return take_mark(reading, &view->config, pair);
    case KEY_FORCE:
        return take_mark(reading, &view->force, pair);
    case KEY_PAUSE:
        return take_mark(reading, &view->pause, pair);
    case KEY_BEAT:
        return take_mark(reading, &view->beat, pair);
    case KEY_DOCUMENT:
        return take_document(reading, &key, pair);
    case KEY_FIXED:
        return take_fixed(reading, &key, pair);
    case KEY_CANDIDATE:
        return take_text(reading, &view->candidates, &key, pair);
    case KEY_DYNOS:
        return take_dynos(reading, &key, pair);
    case KEY_HOST:
    case KEY_OTHER:
        break;
    }
    return true;
}

/* ---- ranges ---- */

/* Sets where the next page begins: at the key that follows the page's last one in order. */
static bool go_on(struct key_range *range, const struct etcd_range_response *page)
{
    if (!page->has_more || page->count == 0)
        return false;
    const struct octets last = page->pairs[page->count - 1].key;
    if (last.length >= sizeof range->begin.octets - 1)
        return false; /* such a key is none of ours */
    memcpy(range->begin.octets, last.start, last.length);
    range->begin.octets[last.length] = '\0';
    range->begin.length = last.length + 1;
    return true;
}

static bool call_range(struct keys_reading *reading, struct arena *arena,
                       const struct etcd_range *range, struct etcd_range_response *page)
{
    struct octets response;

    if (!etcd_client_call(reading->reading->client, ETCD_RANGE, etcd_encode_range(arena, range),
                          &response, reading->err))
        return false;
    reading->octets += response.length;
    return etcd_decode_range(arena, response.start, response.length, page, reading->err);
}

/* Reads one page, and sets range->begin behind it. */
static bool read_page(struct keys_reading *reading, struct key_range *range, size_t limit,
                      bool *has_more)
{
    struct registry_view *view = reading->view;
    struct arena *arena = arena_new();
    struct etcd_range_response page = {.count = 0};
    const struct etcd_range wanted = {
        .key = {(const uint8_t *)range->begin.octets, range->begin.length},
        .end = {(const uint8_t *)range->end.octets, range->end.length},
        .limit = (int64_t)limit,
        .revision = (int64_t)view->revision};

    if (arena == NULL)
        return fail_memory(reading);
    bool is_read = call_range(reading, arena, &wanted, &page);
    if (is_read && view->revision == 0)
        view->revision = (uint64_t)page.header.revision;
    for (size_t i = 0; i < page.count && is_read; i++)
        is_read = take(reading, &page.pairs[i]);
    *has_more = is_read && go_on(range, &page);
    arena_free(arena);
    return is_read;
}

static bool read_range(struct keys_reading *reading, struct key_range range, size_t limit,
                       const char *what)
{
    bool has_more = true;

    while (has_more) {
        if (!read_page(reading, &range, limit, &has_more))
            return false;
        if (reading->reading->on_progress != NULL)
            reading->reading->on_progress(reading->reading->context, what, reading->octets);
    }
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    return strcmp((*(const struct key_range *const *)a)->begin.octets,
                  (*(const struct key_range *const *)b)->begin.octets);
}

/* Spaces in the order of their dynos' keys, in which a slash follows the name. */
static struct key_range **order_spaces(const struct keys_reading *reading, struct arena *arena)
{
    const struct registry_view *view = reading->view;
    struct key_range **ranges = arena_take(arena, (view->count + 1) * sizeof(void *));
    struct key_range *all = arena_take(arena, (view->count + 1) * sizeof *all);

    if (ranges == NULL || all == NULL)
        return NULL;
    for (size_t i = 0; i < view->count; i++) {
        keys_range_dynos(view->keys, view->documents[i].space, &all[i]);
        ranges[i] = &all[i];
    }
    qsort(ranges, view->count, sizeof *ranges, compare_ranges);
    return ranges;
}

/* The ranges leave no gap, so that keys of spaces without a document are read as well. */
static bool read_dynos(struct keys_reading *reading)
{
    struct registry_view *view = reading->view;
    struct arena *arena = arena_new();
    struct key_range **spaces = arena == NULL ? NULL : order_spaces(reading, arena);
    struct key_range all, part;
    bool is_read = true;

    if (spaces == NULL) {
        arena_free(arena);
        return fail_memory(reading);
    }
    keys_range_kind(view->keys, KEY_DYNOS, &all);
    part.begin = all.begin;
    for (size_t i = SPACES_AT_ONCE; is_read && i < view->count; i += SPACES_AT_ONCE) {
        part.end = spaces[i]->begin;
        is_read = read_range(reading, part, 0, "dynos");
        part.begin = part.end;
    }
    part.end = all.end;
    is_read = is_read && read_range(reading, part, 0, "dynos");
    arena_free(arena);
    return is_read;
}

/* All but the dynos: what is before d/ and what is behind it. */
static bool read_others(struct keys_reading *reading)
{
    struct key_range all, dynos;

    keys_range_all(reading->view->keys, &all);
    keys_range_kind(reading->view->keys, KEY_DYNOS, &dynos);
    const struct key_range before = {.begin = all.begin, .end = dynos.begin},
                           behind = {.begin = dynos.end, .end = all.end};
    return read_range(reading, before, PAGE, "documents") &&
           read_range(reading, behind, PAGE, "documents");
}

static int compare_documents(const void *a, const void *b)
{
    return strcmp(((const struct registry_document *)a)->space,
                  ((const struct registry_document *)b)->space);
}

bool registry_read(struct registry_view *view, const struct registry_reading *reading,
                   struct err *err)
{
    struct keys_reading all = {.view = view, .reading = reading, .err = err};

    if (!read_others(&all))
        return false;
    if (view->count > 0)
        qsort(view->documents, view->count, sizeof *view->documents, compare_documents);
    if (reading->leaves_dynos)
        return true;
    if (!read_dynos(&all))
        return false;
    if (view->dyno_count > 0)
        qsort(view->dynos, view->dyno_count, sizeof(void *), registry_compare_dynos);
    return true;
}
