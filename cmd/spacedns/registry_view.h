#pragma once
/**
 * What a registry has at one revision, for a command: read as a whole, then shown to loads as a
 * source of texts.
 *
 *     registry_view_read ──► documents, f/, next/, dynos, marks        all of one revision
 *                              │
 *     registry_view_draft ──►  documents as they would be  ──source──► snapshot_load
 *
 * A document is a text of the source, z/SPACE; its stamp is that of replicas: mod_revision, then
 * create_revision. A draft replaces, adds or removes one in memory, and has no stamp. A hidden
 * document is not listed: it has errors, so replicas do not serve it either.
 *
 * Dynos are read in ranges of whole spaces: a page of a long prefix would make etcd visit every key
 * behind it.
 *
 * Threads: one; loads read the source on several.  Memory: texts live in the view's arena until
 * registry_view_close.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/dyno_key.h"
#include "base/arena.h"
#include "base/err.h"
#include "findings/report.h"
#include "registry/keys.h"
#include "registry/lines.h"
#include "source/source.h"
#include "space/fixed.h"
#include "spacedns/etcd_client.h"

struct registry_document {
    const char *space;
    const char *name; /* z/SPACE */
    struct line_text text;
    uint64_t created;  /* 0: only a draft */
    uint64_t modified; /* 0: only a draft */
    struct line_text draft;
    bool has_draft;
    bool is_removed; /* by the draft */
    bool is_hidden;
    enum finding_code code; /* the rest: why it is hidden */
    struct location at;
    const char *cause; /* the first error as a sentence; NULL: not hidden */
};

/** f/SPACE or next/SPACE. */
struct registry_text {
    const char *space;
    struct line_text text;
    uint64_t modified;
    struct fixed_space *fixed; /* of f/SPACE, malloc'ed */
};

struct registry_texts {
    struct registry_text *items; /* sorted by space */
    size_t count;
    size_t capacity;
};

/** A key without a name in it: meta, config, force, pause, beat. */
struct registry_mark {
    struct line_text text;
    uint64_t modified; /* 0: it is not there */
};

struct registry_view {
    struct source source; /* its root is "z" */
    const struct keys *keys;
    struct arena *arena;
    uint64_t revision;
    struct registry_document *documents; /* sorted by space */
    size_t count;
    size_t capacity;
    struct registry_texts fixed;
    struct registry_texts candidates;
    struct dyno_key **dynos; /* sorted as loads want them */
    size_t dyno_count;
    size_t dyno_capacity;
    struct report *dyno_findings; /* of their values */
    struct registry_mark meta, config, force, pause, beat;
};

/** How far a long read is; `octets` read so far. */
typedef void registry_view_progress(void *context, const char *what, size_t octets);

struct registry_reading {
    struct etcd_client *client;
    const struct keys *keys;             /* borrowed until the view is closed */
    bool leaves_dynos;                   /* the dynos are not read */
    uint64_t revision;                   /* 0: the newest */
    registry_view_progress *on_progress; /* NULL: nobody wants to know */
    void *context;
};

/** The newer of two revisions. */
static inline uint64_t registry_newer(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/** Makes a view without documents. Returns false with *err. */
bool registry_view_init(struct registry_view *view, const struct keys *keys, struct err *err);

/**
 * Reads a registry. Returns false with *err, also when it has a format that this version does not
 * know (ERR_RULE) or none at all (no `meta`: ERR_RULE). Call registry_view_close in either case.
 */
bool registry_view_read(struct registry_view *view, const struct registry_reading *reading,
                        struct err *err);

void registry_view_close(struct registry_view *view);

/** Finds the document of a space; NULL: there is none, nor a draft of one. */
struct registry_document *registry_view_find(const struct registry_view *view, const char *space);

/** Finds the text of a space; NULL: there is none. */
const struct registry_text *registry_texts_find(const struct registry_texts *texts,
                                                const char *space);

/**
 * Shows a draft of a space's document from now on; text.octets NULL: its removal. A hidden document
 * is shown again. The text is borrowed. Returns false without memory.
 */
bool registry_view_draft(struct registry_view *view, const char *space, struct line_text text);

/** Shows the documents as the registry has them. */
void registry_view_drop_drafts(struct registry_view *view);

/** dyno_key_compare, for qsort and bsearch in view->dynos. */
int registry_compare_dynos(const void *a, const void *b);

/** The number of texts that the source lists. */
size_t registry_view_count_listed(const struct registry_view *view);
