#pragma once
/**
 * Calls about who uses what: who-uses, last-asked, waste; safe-to-stop is in usage_dyno.h.
 *
 * The workers have handed over what was asked before the call (inspection.h).
 *
 * Threads: the control thread.  Memory: each call is finished here.
 */
#include "control/control_socket.h"
#include "spacednsd/status_source.h"

void usage_call_answer_who(struct call *call, const struct status_source *source);
void usage_call_answer_last(struct call *call, const struct status_source *source);
void usage_call_answer_waste(struct call *call, const struct status_source *source);

/** An app of a call: in the snapshot, or asked in the past. */
struct usage_subject {
    const char *name;
    const struct segment *segment; /* NULL: it is not declared now */
    const struct app_entry *app;   /* the same */
    uint32_t party;                /* PARTY_NONE: never asked, as far as is known */
};

/** Finds the app; false: the call is finished, with an error. */
bool usage_call_find_app(struct call *call, const struct status_source *source, const char *name,
                         struct usage_subject *subject);

/**
 * Warns that the server before is still leaving, and of workers that have not reported. Returns
 * true when there is nothing to warn of: everything is known.
 */
bool usage_call_warn(struct call *call, const struct status_source *source);
