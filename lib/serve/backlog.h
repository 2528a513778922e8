#pragma once
/**
 * How far a UDP socket is behind with its requests, and since when it was last read: whether those
 * that are unread are worth an answer.
 *
 * Past saturation the kernel's buffer would make every request wait as long as it takes to answer a
 * full buffer. So a backlog that has not come to an end for BACKLOG_PATIENCE_MS, and that would
 * take BACKLOG_LONG_MS at the pace so far, is too long: it is dropped, but for every client's share
 * (share.h), in favour of the newest. Who has given up is not answered, who asks now is. From then
 * until BACKLOG_OVERLOAD_MS without such a drop, BACKLOG_LONG_MS is patience enough, so requests
 * that are answered have waited about that long at most, however large the buffer is. A crowd that
 * waited while a server began or stood aside for a moment is no overload: it is answered within the
 * patience.
 *
 * A process that stood still (stopped, swapped out, its machine paused) finds requests of any age:
 * after BACKLOG_QUIET_MS without a request they may be outdated, that is, have waited for longer
 * than BACKLOG_OUTDATED_MS. Those that waited for the server to begin are not: a restart answers
 * whoever is there.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
    BACKLOG_LONG_MS = 20,
    BACKLOG_PATIENCE_MS = 100,
    BACKLOG_OVERLOAD_MS = 1000,
    BACKLOG_QUIET_MS = 500,
    BACKLOG_OUTDATED_MS = 1000,
};

/** Of one socket; all zero at the start. */
struct backlog {
    bool is_there;       /* since the time below there were always more requests */
    uint64_t since_ms;   /* when it began */
    uint64_t served;     /* requests since then */
    uint64_t dropped_ms; /* when it was last dropped; 0: never */
    uint64_t read_ms;    /* when requests were last read that are not outdated; 0: never */
};

/** True when the requests that are unread may be outdated. */
bool backlog_may_be_outdated(const struct backlog *backlog, uint64_t now_ms);

/** Notes that requests are read, none of them outdated. */
void backlog_note_read(struct backlog *backlog, uint64_t now_ms);

/** True when it has lasted for so long that its length matters. */
bool backlog_is_old(const struct backlog *backlog, uint64_t now_ms);

/** True when an old backlog of `unread` requests is to be dropped. */
bool backlog_is_too_long(const struct backlog *backlog, uint64_t unread, uint64_t now_ms);

/** Notes that `count` requests were served. */
void backlog_note_served(struct backlog *backlog, uint64_t count, bool has_more, uint64_t now_ms);

/** Notes that it was dropped; `has_more`: not all of it, for now. */
void backlog_note_dropped(struct backlog *backlog, bool has_more, uint64_t now_ms);
