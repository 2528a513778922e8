#include "source/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool source_stamp_is_same(const struct source_stamp *a, const struct source_stamp *b)
{
    static const struct source_stamp none;

    return memcmp(a, &none, sizeof none) != 0 && memcmp(a, b, sizeof *a) == 0;
}

const char *source_name(const struct source *source, struct arena *arena, const char *last)
{
    size_t root = strlen(source->root);

    while (root > 1 && source->root[root - 1] == '/')
        root--;
    size_t size = root + 1 + strlen(last) + 1;
    char *name = arena_take(arena, size);
    if (name != NULL)
        snprintf(name, size, "%.*s/%s", (int)root, source->root, last);
    return name;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void source_names_sort(struct source_names *names)
{
    if (names->count > 0)
        qsort(names->names, names->count, sizeof *names->names, compare_names);
}
