#pragma once
/**
 * What every edit of a zone file does. A part of edit.
 *
 *     editing_begin ──► splices of the change (edit_text.h) ──► editing_finish
 *
 * Threads: pure.  Memory: the arena of the edit.
 */
#include "space/edit.h"
#include "yaml/edit_text.h"

/** Reads the text as it is. Returns false with *err. */
bool editing_begin(const struct edit *edit, struct edit_text *change, struct err *err);

/**
 * Applies the change, provided that it changes the meaning in one point only. Returns false with
 * the error of editing_begin set, and the text unchanged.
 */
bool editing_finish(struct edit *edit, struct edit_text *change);

/** As editing_finish, when a value of `replaced` octets is replaced. */
bool editing_finish_value(struct edit *edit, struct edit_text *change, size_t replaced);

/** Returns the value of a key; NULL if there is none, or no mapping. */
const struct yaml_mark *editing_value(const struct yaml_mark *mapping, const char *key);

typedef bool compare_texts(const char *a, const char *b);

compare_texts editing_is_same_text;

/** Finds the item of a list whose key has the text. `list` may be NULL. */
const struct yaml_mark *editing_find(const struct yaml_mark *list, const char *key,
                                     const char *text, compare_texts *is_same);

/** Returns the text as a scalar, quoted if needed; NULL with *err if it cannot be written. */
const char *editing_scalar(const struct edit_text *change, const char *text);

/** An item written on one line, whatever the style of the list. */
struct piece editing_on_a_line(const char *text);
