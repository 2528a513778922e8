#pragma once
/**
 * What the running server answers to the operator's command; lib/control/listener.h has the socket.
 *
 * What only the workers know is gathered before (inspection.h); the rest is the control thread's
 * own.
 *
 * Threads: the control thread.  Memory: each call is finished here.
 */
#include <stdint.h>

#include "control/listener.h"
#include "inspect/diff.h"
#include "spacednsd/kept.h"
#include "spacednsd/status_source.h"
#include "spacednsd/zones.h"

struct reload_result {
    enum reload_end end;
    const struct zones_loading *loading;
    const struct snapshot *current; /* that is served now */
    const struct diff *diff;        /* NULL unless the guard was asked, or nothing was to change */
    const struct kept_names *names; /* of forget */
};

/**
 * The path of the control socket: the settings', else the usual one if its folder may be written
 * to; NULL for none.
 */
const char *control_path(const struct settings *settings);

/** Answers a call that asks how things are, with what the workers have told by now. */
void control_answer(struct call *call, const struct status_source *view);

/** Answers every call of a list that waited for one reload. */
void control_answer_reload(struct call *calls, const struct reload_result *result);

/** Answers a call that is not to be understood. */
void control_answer_problem(struct call *call, const struct err *err);

/** Tells every call of a list that the server stops. */
void control_answer_stopping(struct call *calls);
