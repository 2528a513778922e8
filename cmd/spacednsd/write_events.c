#include "spacednsd/write_events.h"

#include "base/log.h"

void write_events_note(const struct write_events *events, const struct err *err,
                       struct err *problem)
{
    bool had_failed = problem->code != ERR_NONE;
    bool has_failed = err->code != ERR_NONE;

    if (has_failed && !had_failed)
        log_sentence(LOG_WARNING, events->failed, err->text);
    if (!has_failed && had_failed)
        log_sentence(LOG_INFO, events->stored, events->text);
    *problem = *err;
}
