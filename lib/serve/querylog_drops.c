#include "serve/querylog_drops.h"

#include "base/clock.h"
#include "base/log.h"

static const uint64_t second_ns = 1000000000;

void querylog_drops_log(struct querylog_drops *drops, uint64_t dropped, bool is_last)
{
    uint64_t now = clock_monotonic_ns();
    struct log_line line;

    if (dropped == drops->logged || (!is_last && drops->logged_ns != 0 &&
                                     now - drops->logged_ns < QUERYLOG_DROPS_SECONDS * second_ns))
        return;
    log_start(&line, LOG_WARNING, "querylog_dropped");
    log_number(&line, "count", dropped - drops->logged);
    log_string(&line, "text",
               "lines came faster than the reader of standard output takes them, or than they can "
               "be written");
    log_send(&line);
    drops->logged = dropped;
    drops->logged_ns = now;
}
