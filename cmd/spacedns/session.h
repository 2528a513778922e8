#pragma once
/**
 * One run of the operator's command: what was said, where output goes, and what is read on demand.
 *
 * Exit codes: 0 done · 1 refused, not found, or found wanting · 2 bad usage.
 *
 * Messages to people: what happened, why, what to do next. Output that was asked for goes to
 * standard output, everything else to standard error, as the platform's own command does. Colour
 * and signs only on a terminal.
 *
 * Threads: one.  Memory: a session owns what it has read.
 */
#include <stdbool.h>
#include <stdio.h>

#include "answer/load.h"
#include "config/settings.h"
#include "control/command.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct session {
    struct invocation invocation;
    FILE *out;
    FILE *err;
    bool has_color; /* on `out` */
    bool is_json;
    struct settings settings; /* of the server, once read */
    bool has_settings;
    struct policy policy;
    struct hash_key key;
    struct snapshot *snapshot;   /* what was loaded last */
    struct report *report;       /* of that */
    struct load_outcome outcome; /* of the load done last */
    const char *zones;           /* the folder of zone files, once settled */
    char server_zones[4096];     /* the running server's, once asked for */
    struct err server_problem;   /* why it did not tell */
    bool is_server_absent;       /* for there is none */
};

/** Runs one command. Returns the exit code. */
typedef int session_command(struct session *session);

/** Begins, once the command line is understood. Returns false, having said why. */
bool session_init(struct session *session);

void session_close(struct session *session);

/**
 * True when colour and signs belong on a stream: as --color says, else on a terminal, unless
 * NO_COLOR is set or TERM is dumb.
 */
bool session_has_signs(const struct session *session, FILE *stream);

/** Prints " ▸    Error: sentence" ("Error: sentence" without signs) and returns `code`. */
int session_fail(struct session *session, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The control socket: --socket, else the settings' control_socket, else the usual one. */
const char *session_socket(const struct session *session);

/**
 * The running server's zones folder, or NULL when none tells it, and then session->server_problem
 * is why; kept in the session. Says nothing.
 */
const char *session_server_zones(struct session *session);

/**
 * The folder of zone files: --zones, else the running server's, else the settings', else ./zones.
 * Says so when another one is taken because a server does not tell, or none is at --socket.
 */
const char *session_zones(struct session *session);

/** Reads the server's settings: --settings, else the usual file, else defaults. False, said why. */
bool session_read_settings(struct session *session);

/**
 * Loads a folder; the report stays in the session whatever comes of it. Returns NULL when there are
 * errors, without saying anything: the caller has the report, and `err` if it says nothing.
 */
struct snapshot *session_load(struct session *session, const char *folder,
                              const struct snapshot *before, struct err *err);

/**
 * After session_load has refused a folder without an error of its own: prints each finding that
 * stands in the way, and says how many there are, where the first is and that mending comes before
 * `next`, such as "try again". Returns EXIT_REFUSED.
 */
int session_fail_findings(struct session *session, const char *folder, const char *next);

/** As session_load without one before; prints the errors. Returns NULL with the reason said. */
struct snapshot *session_must_load_folder(struct session *session, const char *folder);

/** As session_load of the session's folder; prints the errors. Returns false with the code said. */
bool session_must_load(struct session *session);

/** "⬢ NAME" on a terminal, "NAME" elsewhere; for apps. Spaces have "⬡". */
void session_print_app(struct session *session, FILE *out, const char *name);
void session_print_space(struct session *session, FILE *out, const char *name);
