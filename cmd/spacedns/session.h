#pragma once
/**
 * One run of the operator's command: the command line, output streams, and data read on demand.
 *
 * Exit codes: 0 done · 1 refused, not found, or a check failed · 2 bad usage.
 *
 * Without --zones and --socket, the environment's SPACEDNS_ZONES and SPACEDNS_SOCKET stand for
 * them, for an operator who always works on the same folder or server.
 *
 * Messages have the event, the cause and the remedy. Requested output goes to standard output,
 * everything else to standard error, as the platform's own command does. Colour and signs appear
 * only on a terminal.
 *
 * Threads: one.  Memory: a session owns what it has read.
 */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "answer/load.h"
#include "config/settings.h"
#include "control/command.h"
#include "source/overlay.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct session {
    struct invocation invocation;        /* with options from the environment */
    const char *variables[OPTION_COUNT]; /* that gave an option; NULL: the command line did */
    FILE *out;
    FILE *err;
    bool is_json;
    struct settings settings; /* of the server, once read */
    bool has_settings;
    bool has_server_settings; /* they are read as the running server reads them */
    char **server_arguments;  /* for that: its command line */
    struct policy policy;
    struct hash_key key;
    struct snapshot *snapshot;         /* loaded last */
    bool wants_models;                 /* loads hand over models */
    struct report *report;             /* of that load; before, of the settings */
    struct load_outcome outcome;       /* of that load */
    const char *zones;                 /* the folder of zone files, once known */
    struct registry_session *registry; /* NULL: not read */
    unsigned tries_left;               /* of a change that another writer has come before */
    bool is_lost;                      /* that has happened: the command is run again */
    bool has_asked_server;
    json_t *server;            /* the running server's status, once requested */
    struct err server_problem; /* why that failed */
    bool is_server_absent;     /* because no server runs */
};

/** Runs one command. Returns the exit code. */
typedef int session_command(struct session *session);

/** Starts, once the command line is parsed. Returns false with the error printed. */
bool session_init(struct session *session);

void session_close(struct session *session);

/**
 * True when a stream gets colour: by --color, else on a terminal, unless NO_COLOR is set or TERM is
 * dumb.
 */
bool session_has_color(const struct session *session, FILE *stream);

/**
 * Returns the sign if a stream gets colour and, without --color, the locale is UTF-8; else an empty
 * text.
 */
const char *session_sign(const struct session *session, FILE *stream, const char *sign);

/** Prints " ▸    Error: sentence" ("Error: sentence" without signs) and returns `code`. */
int session_fail(struct session *session, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Refuses the operand behind the first, which only a registry makes possible. */
int session_fail_second_operand(struct session *session);

/** True when the settings name a registry and no folder was given instead, once both are read. */
bool session_has_registry(const struct session *session);

/**
 * Adds to an error about an option's value which environment variable has given it, if one has.
 */
void session_name_variable(const struct session *session, enum command_option option,
                           struct err *err);

/**
 * The control socket: --socket, else the settings' control_socket (session_read_host_settings),
 * else the usual one.
 */
const char *session_socket(const struct session *session);

/**
 * Requests the running server's status, once: session->server. Returns false with
 * session->server_problem set, and prints nothing.
 */
bool session_has_server(struct session *session);

/**
 * Requests the running server's zones folder, once. Returns it, stored in the session, or NULL with
 * session->server_problem set, if there is no server. Prints nothing.
 */
const char *session_server_zones(struct session *session);

/**
 * What zone documents are read from, as messages name it: the registry, if session_has_registry;
 * else the folder of zone files: --zones, else the running server's, else the settings', else
 * ./zones. Prints a warning when a server does not answer, or none is at --socket, and another is
 * used.
 */
const char *session_zones(struct session *session);

/**
 * Reads the settings: --settings, else the usual file, else defaults. False: error printed; what is
 * wrong with the settings is in the report as well.
 */
bool session_read_host_settings(struct session *session);

/**
 * The same, but without --settings and --zones a running server's settings go first: its settings
 * file and its flags, so that they fit its zones.
 */
bool session_read_settings(struct session *session);

/**
 * Prints which settings and which zone files an output was made from, to `err`:
 *
 *     settings=of the running server zones=/etc/spacedns/zones
 *     settings=/etc/spacedns/spacednsd.yaml registry=/spacedns/eu revision=8123456
 */
void session_print_sources(struct session *session);

/**
 * Loads a folder, or the session's registry if `folder` is session_zones; report and outcome stay
 * in the session. Returns NULL when there are errors and prints nothing: they are in the report, or
 * in `err` if the report has none.
 */
struct snapshot *session_load(struct session *session, const char *folder,
                              const struct snapshot *before, struct err *err);

/** As session_load, as if the draft were in the folder. Models are not handed over. */
struct snapshot *session_load_draft(struct session *session, const char *folder,
                                    const struct overlay_text *draft, const struct snapshot *before,
                                    struct err *err);

/**
 * After session_load has refused a folder without setting `err`: prints each error, then the count,
 * the first location, and that the user must fix them and then do `next`, such as "try again".
 * Returns EXIT_REFUSED.
 */
int session_fail_findings(struct session *session, const char *folder, const char *next);

/** As session_load without `before`. Returns NULL with the errors printed. */
struct snapshot *session_must_load_folder(struct session *session, const char *folder);

/** As session_load of the session's folder. Returns false with the errors printed. */
bool session_must_load(struct session *session);

/** "⬢ NAME" on a terminal, "NAME" elsewhere; for apps. Spaces have "⬡". */
void session_print_app(struct session *session, FILE *out, const char *name);
void session_print_space(struct session *session, FILE *out, const char *name);
