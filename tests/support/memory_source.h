#pragma once
/**
 * A source of texts in memory with revisions, as a registry has them: a change may replace, add and
 * remove several texts at once, and notifies the listener by itself.
 *
 *     put, put, put ──► commit ──► the next revision, on_change
 *
 * A text's stamp is the revision that wrote it, and the one that wrote it first. What is listed
 * stays until the next list.
 *
 * A test that holds the source wrongly ends the program.
 */
#include "source/source.h"

enum { MEMORY_TEXTS_MOST = 8, MEMORY_NAME_MOST = 64, MEMORY_TEXT_MOST = 1024 };

struct memory_text {
    char name[MEMORY_NAME_MOST]; /* below the root */
    char octets[MEMORY_TEXT_MOST];
    uint64_t revision;
    uint64_t created; /* the revision that wrote it first */
};

struct memory_view {
    struct memory_text texts[MEMORY_TEXTS_MOST];
    size_t count;
};

struct memory_source {
    struct source source;
    uint64_t revision;
    struct memory_view next; /* with the change that is not committed yet */
    struct memory_view current;
    struct memory_view listed;
    struct source_listener listener;
    unsigned reads;
    void (*on_read)(struct memory_source *source); /* NULL, or called before each read */
};

void memory_source_init(struct memory_source *memory);

/** Makes a text part of the change; NULL removes it. */
void memory_source_put(struct memory_source *memory, const char *name, const char *octets);

/** Makes the change the next revision. */
void memory_source_commit(struct memory_source *memory);
