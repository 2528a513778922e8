#pragma once
/**
 * Where the zone documents are that commands change, behind one interface: a folder of files, or a
 * registry.
 *
 *     store_open ──► store_read ──► edit and check the text ──► store_replace or store_remove
 *                └─────────────────► check the text ──────────► store_create
 *                                                                  └──► store_close
 *
 * A document is replaced as it was read or not at all: what another command has changed meanwhile
 * is never lost.
 *
 *               lock                        a change that came between
 *     folder    of the folder, from open    cannot, or is refused (source/zone_file.h)
 *               to store_unlock
 *     registry  none                        the transaction fails: is_lost
 *
 * Threads: one.  Memory: a store has one document at a time, and owns its text.
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "answer/dyno_key.h"
#include "base/err.h"
#include "source/zone_file.h"
#include "spacedns/session.h"

struct app_selection;

/** What is written beside a document. */
struct store_note {
    const char *what;                      /* the command line, shortened */
    const struct app_selection *app;       /* that goes or gets another name; NULL: none does */
    const char *app_name;                  /* its new name; NULL: it goes */
    const struct dyno_key *const *dropped; /* keys of dynos, which the document has now */
    size_t dropped_count;
    const char *const *releases; /* names that go on purpose */
    size_t release_count;
    bool is_forced; /* the guard is not asked; of a removal and an operator's --force */
};

struct store {
    const struct store_kind *kind;
    struct session *session;
    const char *place; /* the folder, or "the registry ..."; borrowed */
    const char *name;  /* of the document, as the source lists it and users see it */
    const char *text;  /* of the document */
    size_t length;
    struct err loss;       /* ERR_NONE, or properties of a file that could not be kept */
    bool is_lost;          /* another writer was first: read everything, then try again */
    int lock;              /* of a folder */
    struct zone_file file; /* of a folder */
    uint64_t revision;     /* of a registry: in which the document was written last */
};

/** The operations, filled in by the implementation; false with a sentence in *err. */
struct store_kind {
    bool (*open)(struct store *store, struct err *err);
    bool (*name)(const struct store *store, const char *space, char name[PATH_MAX],
                 struct err *err);
    bool (*has)(const struct store *store, const char *name);
    bool (*read)(struct store *store, const char *name, struct err *err);
    bool (*replace)(struct store *store, const char *text, size_t length,
                    const struct store_note *note, struct err *err);
    bool (*remove)(struct store *store, const struct store_note *note, struct err *err);
    bool (*create)(struct store *store, const char *name, const char *text, size_t length,
                   struct err *err);
    void (*unlock)(struct store *store);
    void (*close)(struct store *store);
};

/** Opens the session's folder or registry, once its settings are read. */
bool store_open(struct store *store, struct session *session, struct err *err);

/** Reads a document of the session's source. Refuses one that may not be written. */
bool store_read(struct store *store, const char *name, struct err *err);

/** Replaces the document that was read. */
bool store_replace(struct store *store, const char *text, size_t length,
                   const struct store_note *note, struct err *err);

/** Removes the document that was read. */
bool store_remove(struct store *store, const struct store_note *note, struct err *err);

/** Writes the name that the document of a new space has. */
bool store_name(const struct store *store, const char *space, char name[PATH_MAX], struct err *err);

/** True if there is a document of that name, once the session has loaded what is there. */
bool store_has(const struct store *store, const char *name);

/** Creates a document. False with ERR_RULE when there is one. */
bool store_create(struct store *store, const char *name, const char *text, size_t length,
                  struct err *err);

/** Lets others change what is in the store, before store_close does. */
void store_unlock(struct store *store);

/** Allowed after a failed store_open, and for a zeroed store. */
void store_close(struct store *store);

extern const struct store_kind store_folder;
extern const struct store_kind store_registry;
