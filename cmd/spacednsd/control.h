#pragma once
/**
 * The running server's answers to the operator's command; lib/control/control_socket.h has the
 * socket.
 *
 * Worker reports are collected before (inspection.h); the rest is the control thread's own.
 *
 * Threads: the control thread.  Memory: each call is finished here.
 */
#include <stdint.h>

#include "control/control_socket.h"
#include "inspect/diff.h"
#include "spacednsd/kept.h"
#include "spacednsd/status_source.h"
#include "spacednsd/zones.h"
#include "traffic/replay.h"

struct reload_result {
    enum reload_end end;
    const struct zones_loading *loading;
    const struct snapshot *current; /* served now */
    const struct diff *diff;        /* NULL unless the guard checked it, or for a dry run */
    size_t silent_workers;          /* whose last questions lack in it */
    const struct replay *replay;    /* NULL unless a dry run was tried on the last questions */
    const struct kept_names *names; /* of forget */
    uint64_t ms;                    /* from the beginning of the loading to now */
};

/**
 * The path of the control socket: the settings', else the default one if its folder is writable.
 * Returns NULL when there is none.
 */
const char *control_path(const struct settings *settings);

/** Finds the groups that may use the socket. Returns false with *err when the host lacks one. */
bool control_find_access(const struct settings *settings, struct control_access *access,
                         struct err *err);

/** Answers a call that needs no reload, from the worker reports received so far. */
void control_answer(struct call *call, const struct status_source *source);

/** Answers every call of a list that waited for one reload. */
void control_answer_reload(struct call *calls, const struct reload_result *result);

/** Answers a call that cannot be parsed. */
void control_answer_problem(struct call *call, const struct err *err);

/** Answers a call that has to wait for the end of an upgrade. */
void control_answer_upgrading(struct call *call);

/** Answers every call of a list: the server is stopping. */
void control_answer_stopping(struct call *calls);
