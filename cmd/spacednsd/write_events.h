#pragma once
/**
 * Events of a file that is written again and again: the first write that fails is logged as a
 * warning, and the next one that does not.
 *
 * Threads: the control thread.
 */
#include "base/err.h"

struct write_events {
    const char *failed; /* its text is the error's */
    const char *stored;
    const char *text; /* of `stored` */
};

/** Notes the outcome of a write: `err` of this one, `problem` of the one before, which becomes it.
 */
void write_events_note(const struct write_events *events, const struct err *err,
                       struct err *problem);
