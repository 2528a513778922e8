#pragma once
/**
 * Changes a YAML text, keeping every other octet.
 *
 * A new part is written in one of two forms, as the text around it requires. In a block mapping or
 * list it gets lines of its own, with the indentation of their neighbours and the line ends of the
 * file; within brackets or braces it is written on the line.
 *
 *     piece    flow                          block
 *     item     {number: 1, state: up}        {number: 1, state: up}
 *     list     [{number: 1, state: up}]      - {number: 1, state: up}
 *     pair     dynos: [{…}]                  dynos:
 *                                              - {…}
 *
 * Changes are only collected until edit_text_apply makes them.
 *
 * Threads: pure.  Memory: in the arena.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "yaml/yaml_marks.h"

/** The lines of `block` are separated by '\n', without one at the end. NULL texts: no memory. */
struct piece {
    const char *flow;
    const char *block;
};

enum { SPLICES_MOST = 4 };

/** Replaces the `removed` octets at `at` by `text`. */
struct text_change {
    size_t at;
    size_t removed;
    const char *text;
};

struct edit_text {
    struct arena *arena;
    const char *text;
    size_t length;
    const struct yaml_mark *root;
    struct text_change splices[SPLICES_MOST]; /* in the order of the text */
    size_t splice_count;
    struct err *err;
};

/** Returns a formatted text in the arena, or NULL without memory. */
const char *edit_text_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Adds an item to a list, which is made if necessary.
 *
 * mapping  the mapping of the first key
 * keys     the path to the list, ended by NULL: each but the last names a mapping
 * item     the new item
 */
bool edit_text_add(struct edit_text *edit, const struct yaml_mark *mapping, const char *const *keys,
                   struct piece item);

/** Removes an item, and its lines when nothing else is on them. */
bool edit_text_remove(struct edit_text *edit, const struct yaml_mark *list,
                      const struct yaml_mark *item);

/** Sets a key of a mapping to a scalar value, whether it had one or not. */
bool edit_text_set(struct edit_text *edit, const struct yaml_mark *mapping, const char *key,
                   const char *value);

/** Replaces a scalar, which is an item of a list. */
bool edit_text_replace(struct edit_text *edit, const struct yaml_mark *item, const char *value);

/** Makes the changes. Returns the new text in the arena, *length octets; NULL with *err. */
const char *edit_text_apply(struct edit_text *edit, size_t *length);
