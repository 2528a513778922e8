#pragma once
/**
 * Changes of a YAML text that keep every other octet: a part of edit.
 *
 * What is put in can be written in two ways; the text around it decides. In a block mapping or
 * list it becomes lines of its own with the indentation of their neighbours and the line ends of
 * the file, within brackets or braces it goes on the line.
 *
 *     piece    flow                          block
 *     item     {number: 1, state: up}        {number: 1, state: up}
 *     list     [{number: 1, state: up}]      - {number: 1, state: up}
 *     pair     dynos: [{…}]                  dynos:
 *                                              - {…}
 *
 * Changes are collected, not made, until edit_text_apply.
 *
 * Threads: pure.  Memory: in the arena.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "yaml/yaml_marks.h"

/** Lines of `block` are parted by '\n', the last has none. NULL texts: memory ran out. */
struct piece {
    const char *flow;
    const char *block;
};

enum { SPLICES_MOST = 4 };

/** `removed` octets at `at` give way to `text`. */
struct splice {
    size_t at;
    size_t removed;
    const char *text;
};

struct edit_text {
    struct arena *arena;
    const char *text;
    size_t length;
    const struct yaml_mark *root;
    struct splice splices[SPLICES_MOST]; /* in the order of the text */
    size_t splice_count;
    struct err *err;
};

/** A formatted text in the arena, or NULL without memory. */
const char *edit_text_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Adds an item to a list that may not be there yet.
 *
 * mapping  where the first key is, or will be
 * keys     the way to the list, ended by NULL: each but the last names a mapping
 * item     what goes into the list
 */
bool edit_text_add(struct edit_text *edit, const struct yaml_mark *mapping, const char *const *keys,
                   struct piece item);

/** Removes an item with the lines that it alone stands on. */
bool edit_text_remove(struct edit_text *edit, const struct yaml_mark *list,
                      const struct yaml_mark *item);

/** Gives a key of a mapping a scalar value, whether it had one or not. */
bool edit_text_set(struct edit_text *edit, const struct yaml_mark *mapping, const char *key,
                   const char *value);

/** Makes the changes. Returns the new text in the arena, *length octets; NULL with *err. */
const char *edit_text_apply(struct edit_text *edit, size_t *length);
