#pragma once
/**
 * A source with some texts replaced, added or removed in memory: what would be, if they were
 * written. A change is checked this way before any file is touched.
 *
 * Texts of the overlay have no stamp, so they are always read. The overlay does not watch.
 *
 * Threads: as its base.  Memory: borrows the base and the texts.
 */
#include "source/source.h"

struct overlay_text {
    const char *name;   /* as the source lists it */
    const char *octets; /* NULL: the text is removed */
    size_t length;
};

struct overlay {
    struct source source;
    struct source *base;
    const struct overlay_text *texts;
    size_t text_count;
};

/** Lays texts, each of another name, over a source. A base without texts is allowed. */
void overlay_init(struct overlay *overlay, struct source *base, const struct overlay_text *texts,
                  size_t text_count);
