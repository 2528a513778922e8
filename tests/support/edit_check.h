#pragma once
/** Checks one edit of a zone file: exactly its subject changes, or nothing does. */
#include "space/edit.h"

/** Applies the edit of this number. Returns what the edit returned. */
typedef bool edit_apply(struct edit *edit, unsigned verb, struct err *err);

/** after  the text expected; NULL: the edit must fail with a sentence, and leave the text alone */
void edit_check(edit_apply *apply, unsigned verb, const char *before, const char *after);
