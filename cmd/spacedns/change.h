#pragma once
/**
 * Commands that change a zone document: a file of the folder, or a document of the registry
 * (store.h).
 *
 *     change_open ──► edits of change.edit ──► change_commit ──► change_close
 *
 * A folder is locked before it is read and until the file is written. All documents with the change
 * are loaded before the document is replaced: what the server would refuse is never written; nor,
 * unless --force is given, what its guard would refuse.
 *
 * In a registry a change is one transaction. When another writer was first, everything is read
 * again and the command begins anew, at most five times: the session is_lost (commands.c). Replicas
 * take the change by themselves, so nothing is reloaded.
 *
 * Progress is printed on standard error as the platform does: "Adding web.2 to abc... done", or
 * "... !" and the error.
 *
 * Threads: one.
 */
#include "space/edit.h"
#include "spacedns/app_selection.h"
#include "spacedns/removed.h"
#include "spacedns/store.h"

enum { CHANGE_NOTE_MOST = 200 };

struct dynos_key;

struct change {
    struct session *session;
    struct space_set space_set;
    struct app_selection selected; /* app: NULL when a space is changed */
    char folder[PATH_MAX];         /* of the zone files; fixed for the whole command */
    struct store store;
    struct edit edit;
    struct removed removed;   /* names that the server must not keep back */
    struct dynos_key **dynos; /* of a registry, that are changed instead of the document */
    size_t dyno_count;
    size_t dyno_capacity;
    const char *new_name; /* of the app that is renamed */
    bool removes_app;
    bool is_begun; /* change_begin was called */
    const struct dyno_key *const
        *dropped; /* of a registry: keys whose dynos the document has now */
    size_t dropped_count;
    bool is_unattended; /* nobody looks at it: the guard is on without a server, too */
    bool is_guarded;    /* a running server will read it, with its guard on */
};

/**
 * Opens the document of an app, or of a space when `app` is NULL. Returns EXIT_DONE, or another
 * exit code with the error printed. Call change_close in both cases.
 */
int change_open(struct change *change, struct session *session, const char *app);

/** As change_open with the app of the command line. */
int change_open_app(struct change *change, struct session *session);

void change_close(struct change *change);

/** Prints "SENTENCE ⬢ NAME... " on standard error; a NULL name is left out. */
void change_begin(struct change *change, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * Prints "!" after change_begin, and the error; or, when another writer of the registry was first,
 * that the command begins anew. Returns EXIT_REFUSED.
 */
int change_fail(struct change *change, const char *sentence);

/** Checks, writes, prints "done" followed by `after`. Returns the exit code. */
int change_commit(struct change *change, const char *after);

/**
 * Requests a reload of the running server and the release of removed names, unless --no-reload is
 * given; without a server, prints how to load the change. The server logs the command line as the
 * note of the reload. Returns the exit code: the file stays
 * changed even if the server refuses, which other changes in the folder may cause.
 */
int change_request_reload(struct change *change);

/**
 * Commits and requests a reload. With --json prints, as every command does, an object: the space,
 * the app and the file that is changed.
 */
int change_finish(struct change *change);

/** The same, and prints the line that is changed, or that nothing had to be. */
int change_finish_at_line(struct change *change);

/** As change_finish, but the file is removed instead of edited, once the rest would be served. */
int change_finish_removal(struct change *change);

/** Prints a line of advice on standard error. */
void change_advise(const struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
