#pragma once
/**
 * Apps without a running web dyno that clients ask for in a loop: their negative TTL rises, so that
 * the clients' own caches end the loop.
 *
 *     more than 100 answers a second about one app ──► its TTL: 10, 20, 40, 60 seconds
 *     its zone file is read anew, above all because the app runs again ──► the space's own TTL
 *
 * A step takes a second. The rate is of all workers together: each takes its share of 100. A TTL of
 * the space that is longer is kept.
 *
 * A worker knows the last app of each of DEAD_APPS slots; when two loops share a slot, neither TTL
 * may rise. An app is known by its entry in the segment, so that everything is forgotten when the
 * space has changed, whichever app it was about; a loop that goes on takes four seconds then.
 *
 * Threads: one table per worker, used on its thread.  Memory: in place; a zeroed table is empty and
 * raises nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "decide/verdict.h"

enum {
    DEAD_APPS = 256,
    DEAD_APP_ANSWERS_A_SECOND = 100,
    DEAD_APP_TTL_FIRST_SECONDS = 10,
    DEAD_APP_TTL_MOST_SECONDS = 60,
};

struct dead_app {
    const struct app_entry *app; /* NULL: none */
    uint32_t now_s;
    uint32_t answers;              /* in that second */
    uint32_t ttl_seconds;          /* raised; 0: not */
    uint16_t number;               /* of its space's segment ... */
    const struct segment *segment; /* ... which may be freed before dead_apps_adopt */
};

struct dead_apps {
    uint32_t now_s;
    uint32_t answers_most; /* a second, of this worker; 0: nothing is counted */
    struct dead_app slots[DEAD_APPS];
};

/** Empties the table of one of so many workers. */
void dead_apps_init(struct dead_apps *dead, unsigned workers);

/** Sets the time, in seconds of any clock that does not jump. */
static inline void dead_apps_set_time(struct dead_apps *dead, uint32_t now_s)
{
    dead->now_s = now_s;
}

/** Forgets the apps whose space is not the same in the new snapshot (or NULL). */
void dead_apps_adopt(struct dead_apps *dead, const struct snapshot *snapshot);

/** Counts an answer about the verdict's app, and returns its negative TTL. */
uint32_t dead_apps_count(struct dead_apps *dead, const struct verdict *verdict);

/** Returns the raised TTL of an app; 0: it is not raised, or the space's own is longer. */
uint32_t dead_apps_raised_ttl(const struct dead_apps *dead, const struct app_entry *app);

/** The apps with a raised TTL, whose entries are of the snapshot adopted last. */
struct raised_app {
    const struct app_entry *app;
    const struct segment *segment;
    uint32_t ttl_seconds;
};

/** Lists them; `out` has room for DEAD_APPS. Returns how many there are. */
size_t dead_apps_list(const struct dead_apps *dead, struct raised_app *out);
