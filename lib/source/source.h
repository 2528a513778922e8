#pragma once
/**
 * Where the texts of zones come from, as an interface: names, stamps and texts. The code above it
 * knows neither files nor a network, so that a folder, a registry or texts in memory serve alike.
 *
 *     load ──list──────────► source     the names of all texts
 *     load ──stamp, read───► source     what has changed since, and its text
 *     owner ◄──on_change──── source     list again
 *
 * A text is known by its name: the source's root, a slash, and what no other text of the source
 * has. Findings show names to users. A stamp stands for one content of one text; what is in it is
 * the source's own. For a folder that is what identifies a file (folder.h), for a registry the
 * revision in which the text was last written.
 *
 * list begins a view. A source with revisions shows one revision until the next list: a text that
 * changes or goes meanwhile is stamped and read as it was listed. Texts that were changed together
 * are all in a view, or none is. A folder cannot promise this: its files are read as they are.
 *
 * Threads: one load at a time. Between one list and the next, stamp and read are called on several
 * threads at once. watch and on_change belong to the thread of the source's loop; on_change may
 * come while a load is running, and then asks for another.
 * Memory: the source is its owner's; it outlives the load.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "findings/report.h"

enum { SOURCE_STAMP_WORDS = 5 };

/** All zero: none. Compared only with stamps of the same source and name. */
struct source_stamp {
    uint64_t words[SOURCE_STAMP_WORDS];
};

struct source_names {
    const char **names; /* sorted, each once */
    size_t count;
};

/** A text that has been read. */
struct source_text {
    char *octets; /* malloc'ed; the reader frees them */
    size_t length;
    struct source_stamp stamp;
};

/** The callback. */
struct source_listener {
    /**
     * The texts are no longer those of the last list. One call may stand for several changes, but
     * none goes without a call after it. Never called from within watch.
     */
    void (*on_change)(void *context);
    void *context;
};

/** The operations, filled in by the implementation. */
struct source {
    const char *root; /* what names begin with, as the operator writes it: the folder's path */

    /**
     * Lists the texts, in the arena, and begins a view. Returns false with *err when that is
     * impossible; code ERR_RULE when there are no texts.
     */
    bool (*list)(struct source *source, struct arena *arena, struct source_names *names,
                 struct err *err);

    /**
     * The stamp that a read of this text would give, without reading it. No stamp when only
     * reading can tell whether the text has changed.
     */
    struct source_stamp (*stamp)(struct source *source, const char *name);

    /**
     * Reads a text. Returns false with an error finding in the report (E-FILE, E-LIMIT, E-BUSY).
     * A source that does not have the text in memory refuses more than YAML_FILE_MAX octets, which
     * no text may have.
     */
    bool (*read)(struct source *source, const char *name, struct source_text *text,
                 struct report *report);

    /**
     * Notifies the listener of changes from now on, until the source is closed. Returns false with
     * *err. NULL: the source notices no changes, so loads have to be requested.
     */
    bool (*watch)(struct source *source, const struct source_listener *listener, struct err *err);
};

/** True when both are stamps and equal. */
bool source_stamp_is_same(const struct source_stamp *a, const struct source_stamp *b);

/** The name of a text from what follows the root's slash. Returns NULL when out of memory. */
const char *source_name(const struct source *source, struct arena *arena, const char *last);

/** Sorts the names. */
void source_names_sort(struct source_names *names);
