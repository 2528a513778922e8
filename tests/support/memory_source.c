#include "support/memory_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

static struct memory_text *find(struct memory_view *view, const char *name)
{
    for (size_t i = 0; i < view->count; i++)
        if (strcmp(view->texts[i].name, name) == 0)
            return &view->texts[i];
    return NULL;
}

/* The listed text of a name with the root. */
static struct memory_text *find_listed(struct memory_source *memory, const char *name)
{
    size_t root = strlen(memory->source.root);

    must(strncmp(name, memory->source.root, root) == 0 && name[root] == '/');
    struct memory_text *text = find(&memory->listed, name + root + 1);
    must(text != NULL);
    return text;
}

static bool memory_list(struct source *source, struct arena *arena, struct source_names *names,
                        struct err *err)
{
    struct memory_source *memory = (struct memory_source *)source;

    memory->listed = memory->current;
    if (memory->listed.count == 0)
        return err_set(err, ERR_RULE, "%s has no text", source->root);
    *names = (struct source_names){
        .names = arena_take(arena, memory->listed.count * sizeof *names->names),
        .count = memory->listed.count};
    if (names->names == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < names->count; i++) {
        names->names[i] = source_name(source, arena, memory->listed.texts[i].name);
        if (names->names[i] == NULL)
            return err_set(err, ERR_MEMORY, "out of memory");
    }
    source_names_sort(names);
    return true;
}

static struct source_stamp memory_stamp(struct source *source, const char *name)
{
    const struct memory_text *found = find_listed((struct memory_source *)source, name);

    return (struct source_stamp){.words = {found->revision, found->created}};
}

static bool memory_read(struct source *source, const char *name, struct source_text *text,
                        struct report *report)
{
    struct memory_source *memory = (struct memory_source *)source;

    (void)report;
    if (memory->on_read != NULL)
        memory->on_read(memory);
    memory->reads++;
    const struct memory_text *found = find_listed(memory, name);
    *text = (struct source_text){.octets = strdup(found->octets),
                                 .length = strlen(found->octets),
                                 .stamp = {.words = {found->revision, found->created}}};
    must(text->octets != NULL);
    return true;
}

static bool memory_watch(struct source *source, const struct source_listener *listener,
                         struct err *err)
{
    (void)err;
    ((struct memory_source *)source)->listener = *listener;
    return true;
}

void memory_source_init(struct memory_source *memory)
{
    *memory = (struct memory_source){.source = {.root = "registry",
                                                .list = memory_list,
                                                .stamp = memory_stamp,
                                                .read = memory_read,
                                                .watch = memory_watch}};
}

void memory_source_put(struct memory_source *memory, const char *name, const char *octets)
{
    struct memory_view *next = &memory->next;
    struct memory_text *text = find(next, name);

    if (octets == NULL) {
        must(text != NULL);
        *text = next->texts[--next->count];
        return;
    }
    if (text == NULL) {
        must(next->count < MEMORY_TEXTS_MOST);
        text = &next->texts[next->count++];
        text->created = memory->revision + 1;
    }
    must(strlen(name) < sizeof text->name && strlen(octets) < sizeof text->octets);
    snprintf(text->name, sizeof text->name, "%s", name);
    snprintf(text->octets, sizeof text->octets, "%s", octets);
    text->revision = memory->revision + 1;
}

void memory_source_commit(struct memory_source *memory)
{
    memory->revision++;
    memory->current = memory->next;
    if (memory->listener.on_change != NULL)
        memory->listener.on_change(memory->listener.context);
}
