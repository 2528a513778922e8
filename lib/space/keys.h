#pragma once
/**
 * What each key of a zone file means, in words for an operator: keys.def as an array.
 *
 *     field tables (parse*.c)  how a key is read  ──┐
 *     keys.def                 what it means      ──┴─► schema ──► editors, zones/README.md
 *
 * Shape: one entry per line of keys.def, in its order. Every key of every field table has exactly
 * one entry. Texts are Markdown of one line.
 *
 * Threads: constant data.  Memory: static.
 */
#include <stddef.h>

#include "space/fields.h"

struct key_text {
    const struct table *table;
    const char *key;
    const char *initial; /* the value that an absent key stands for, as in YAML; NULL: none */
    const char *example; /* the key with a value, or a mapping that has it, in YAML; NULL: none */
    const char *help;
};

extern const struct key_text key_texts[];
extern const size_t key_text_count;

/** Returns the entry of a key of the table, or NULL if the table has no such key. */
const struct key_text *key_text_find(const struct table *table, const char *key);
