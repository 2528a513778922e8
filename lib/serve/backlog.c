#include "serve/backlog.h"

bool backlog_may_be_outdated(const struct backlog *backlog, uint64_t now_ms)
{
    return backlog->read_ms != 0 && now_ms > backlog->read_ms + BACKLOG_QUIET_MS;
}

void backlog_note_read(struct backlog *backlog, uint64_t now_ms)
{
    backlog->read_ms = now_ms;
}

static uint64_t patience_ms(const struct backlog *backlog, uint64_t now_ms)
{
    bool was_dropped =
        backlog->dropped_ms != 0 && now_ms < backlog->dropped_ms + BACKLOG_OVERLOAD_MS;

    return was_dropped ? BACKLOG_LONG_MS : BACKLOG_PATIENCE_MS;
}

bool backlog_is_old(const struct backlog *backlog, uint64_t now_ms)
{
    return backlog->is_there && now_ms - backlog->since_ms >= patience_ms(backlog, now_ms);
}

bool backlog_is_too_long(const struct backlog *backlog, uint64_t unread, uint64_t now_ms)
{
    return unread * (now_ms - backlog->since_ms) > BACKLOG_LONG_MS * backlog->served;
}

void backlog_note_served(struct backlog *backlog, uint64_t count, bool has_more, uint64_t now_ms)
{
    if (has_more && !backlog->is_there) {
        backlog->since_ms = now_ms;
        backlog->served = 0;
    }
    backlog->is_there = has_more;
    backlog->served += count;
}

void backlog_note_dropped(struct backlog *backlog, bool has_more, uint64_t now_ms)
{
    backlog->dropped_ms = now_ms;
    backlog->is_there = has_more;
}
