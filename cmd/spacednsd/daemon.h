#pragma once
/**
 * The server's process: what it holds, and its way from the start to the end.
 *
 *     process (user, sockets, state folder) ─► load ─► server ─► serve ─► free
 *             └──────────────────────────────────┴────────┴──────────────►
 *
 * While it serves, daemon_requests.h has what an operator requests, and daemon_upgrade.h how one
 * process takes over from another.
 *
 * Threads: runs on the calling thread, the control thread, and returns when the server has stopped.
 */
#include <uv.h>

#include "config/settings.h"
#include "control/control_socket.h"
#include "serve/server.h"
#include "spacednsd/cookies.h"
#include "spacednsd/inspection.h"
#include "spacednsd/log_calls.h"
#include "spacednsd/privileges.h"
#include "spacednsd/reloads.h"
#include "spacednsd/replica.h"
#include "spacednsd/sandbox.h"
#include "spacednsd/service.h"
#include "spacednsd/signals.h"
#include "spacednsd/status_source.h"
#include "spacednsd/takeover.h"
#include "spacednsd/top_calls.h"
#include "spacednsd/upgrade.h"
#include "spacednsd/usage_keeping.h"
#include "spacednsd/web.h"

/** The program's exit codes. */
enum { EXIT_REFUSED = 1, EXIT_UNAVAILABLE = 3 };

struct daemon {
    const struct settings *settings; /* of the start; reloads has those in force */
    struct report *report;           /* the settings' warnings, until the first loading has them */
    uv_loop_t loop;
    bool has_loop;
    struct signals signals;
    struct server *server;                 /* owns the first snapshot, once it is there */
    struct control_socket *control_socket; /* NULL: no control socket */
    struct control_access access;
    struct status_source source;
    struct reloads reloads;
    struct replica replica;
    struct inspection inspection;
    struct web web;
    struct log_calls log_calls;
    struct top_calls top_calls;
    struct cookies cookies;
    struct usage_keeping usage;
    struct service service;
    struct takeover takeover;
    struct takeover_owner takeover_owner;
    struct upgrade upgrade;
    struct upgrade_owner upgrade_owner;
    uv_idle_t leaving; /* another process serves: a last turn for signals */
    unsigned leaving_turns;
    struct privileges privileges;
    struct sandbox sandbox;
    int code;        /* the program's */
    bool is_ready;   /* the first snapshot is being answered from */
    bool has_probed; /* its workers, as a server that takes over */
};

/**
 * Serves until a signal stops it; sets the settings' limits of descriptors. Returns the program's
 * exit code.
 *
 * report  the warnings of the settings; taken over
 */
int daemon_run(struct settings *settings, struct report *report);

/** Prints why the program ends, or that it cannot do what it should. */
void daemon_print(const char *sentence);

/** Every worker answers from the first snapshot: logs it, and lets reloads begin. */
void daemon_become_ready(struct daemon *daemon);
