#pragma once
/**
 * Commands that change a zone file.
 *
 *     change_open ──► edits of change.edit ──► change_commit ──► change_close
 *
 * The folder is locked before it is read, so what a command decides on is still so when it writes.
 * The folder as it would be is loaded before the file takes its place: what the server would
 * refuse is never written; nor, unless --force is given, what its guard would.
 *
 * What is under way is said on standard error as the platform does: "Adding web.2 to abc... done",
 * or "... !" and why.
 *
 * Threads: one.
 */
#include "source/zone_file.h"
#include "space/edit.h"
#include "spacedns/app_selection.h"
#include "spacedns/removed.h"

struct change {
    struct session *session;
    struct space_set space_set;
    struct app_selection selected; /* app: NULL when a space is changed */
    char folder[PATH_MAX];         /* of the zone files, from the beginning to the end */
    int lock;
    struct zone_file file;
    struct edit edit;
    struct removed removed; /* names that the server is not to keep back */
    bool is_told;           /* change_begin has said what is under way */
    bool is_guarded;        /* by a server that is to read it */
};

/**
 * Opens the file of an app, or of a space when `app` is NULL. Returns EXIT_DONE, or the code to
 * end with, having said why. change_close is due whatever comes back.
 */
int change_open(struct change *change, struct session *session, const char *app);

/** As change_open with the app of the command line. */
int change_open_app(struct change *change, struct session *session);

void change_close(struct change *change);

/** Says "SENTENCE ⬢ NAME... " on standard error; a NULL name is left out. */
void change_begin(struct change *change, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Says "!" after what is under way, and the error. Returns EXIT_REFUSED. */
int change_fail(struct change *change, const char *sentence);

/** Checks, writes, says "done" (with `after` behind it). Returns the exit code. */
int change_commit(struct change *change, const char *after);

/**
 * Has the running server read it, and let go of what was removed, unless --no-reload; or tells how
 * one comes to read it. Returns the exit code: the file stays changed though the server refuses, as
 * it does for other changes that wait in the folder.
 */
int change_request_reload(struct change *change);

/** A line of advice on standard error. */
void change_advise(const struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
