#pragma once
/**
 * What is known about who uses what, added up from the flows of all workers (flows.h).
 *
 *     flow ─► asking ─┬─► apps      app                 counts, last minute and hour      `most`
 *                     ├─► domains   app x domain        counts, who was last             100,000
 *                     ├─► pairs     who asks x app      counts                           100,000
 *                     ├─► expiries  dyno                until when it may be in use
 *                     └─► waste     who asks x suffix   search lists
 *
 * Apps and who asks are known by name (parties.h), so all this outlives snapshots and, stored
 * (usage_file.h), processes. Each table is bounded (uses.h):
 *
 *  - Counts of apps are exact. An app that is not counted on its own, because `most` others were
 *    asked within a week, is part of "_other"; so is what was counted for an app that was pushed
 *    out.
 *  - Pairs are exact as long as there are at most USAGE_PAIRS. Then the pair asked least recently
 *    is pushed out, and what it counted goes to the app's remainder, so that pairs and remainder
 *    together are always what was asked for the app. A pair's `first` is since when it is exact.
 *  - Clients that may not know of an app, outsiders and those of other spaces, are guests: of each
 *    table they fill half at most, and push nothing out. Beyond that they are counted with the
 * other apps, and in the remainders. So who asks for every name there is hides nobody.
 *  - Replies that the workers could count only by app are in the remainder, too; those that they
 *    could not count at all are `lost`. Either may have had dynos: the former keep all of the
 *    app's in use until they have expired, the latter all of every app.
 *
 * Threads: the control thread.  Memory: usage_free; about 25 MB at its bounds, used as it fills.
 */
#include <stdbool.h>
#include <stdint.h>

#include "traffic/expiries.h"
#include "traffic/flows.h"
#include "traffic/lately.h"
#include "traffic/leaders.h"
#include "traffic/longest_ttl.h"
#include "traffic/uses.h"
#include "traffic/waste.h"

enum {
    USAGE_PAIRS = 100000,
    USAGE_DOMAINS = 100000,
    USAGE_EXPIRIES = 1 << 20,
    USAGE_APP_IDLE_S = 7 * 86400, /* an app's counts stay for so long, even if the table is full */
};

struct usage;

struct usage_options {
    uint32_t apps_most; /* 1 or more */
    uint32_t pairs_most;
    uint32_t now_s; /* since when it counts, in seconds since 1970 */
};

/** Returns NULL without memory. */
struct usage *usage_new(const struct usage_options *options);

/** NULL is allowed. */
void usage_free(struct usage *usage);

/** Adds a table, which began at a time in milliseconds since 1970. */
void usage_add(struct usage *usage, const struct flow_table *table, int64_t begun_ms);

/**
 * The clock was set back to now_s, or what was read is of a clock that was ahead: nothing was asked
 * later than that, and no answer given before lasts longer than the longest TTL (longest_ttl.h).
 */
void usage_set_back(struct usage *usage, uint32_t now_s);

/** How a flow's questions ended. */
enum use_outcome usage_outcome(const struct flow *flow);

/** Since when it counts, in seconds since 1970. */
uint32_t usage_since(const struct usage *usage);

/** Replies that were counted nowhere. */
uint64_t usage_lost(const struct usage *usage);

/** Finds an app by its name, in a space or, with NULL, in the one where it was asked last. */
uint32_t usage_find_app(const struct usage *usage, const char *space, const char *name);

/** An app's counts, by its party; NULL: not asked, or in usage_other. */
const struct use *usage_app(const struct usage *usage, uint32_t app);

/** Its last minute and hour; NULL as above. */
const struct lately *usage_lately(const struct usage *usage, uint32_t app);

/** What is counted of all apps that are not counted on their own. */
const struct use_counts *usage_other(const struct usage *usage);

/** What an app was asked by pairs that are no more, and by clients not known. */
struct use_counts usage_remainder(const struct usage *usage, uint32_t app);

struct usage_app {
    const char *space; /* "" for the last */
    const char *name;
    const uint64_t *counts; /* USE_OUTCOMES of them */
};

typedef void usage_on_app(void *context, const struct usage_app *app);

/** Calls for each app, and last for "_other". */
void usage_walk_apps(const struct usage *usage, usage_on_app *on_app, void *context);

/** The tables: pairs (who asks, app); domains (app, domain); waste (who asks, suffix). */
struct parties *usage_parties(const struct usage *usage);
struct uses *usage_apps(const struct usage *usage);
struct uses *usage_domains(const struct usage *usage);
struct uses *usage_pairs(const struct usage *usage);
struct expiries *usage_expiries(const struct usage *usage);
struct waste *usage_waste(const struct usage *usage);

/** How long an answer may last that is not among the expiries. */
struct longest_ttl *usage_longest_ttl(const struct usage *usage);

/** The busiest apps, clients and names. */
const struct leaders *usage_leaders(const struct usage *usage);

/* ---- what was stored (usage_file.h) ---- */

/** Sums that are in no table. */
struct usage_sums {
    uint32_t since_s;
    uint64_t lost;
    struct use_counts other;     /* apps */
    struct use_counts remainder; /* of apps whose remainder was pushed out */
};

/** The remainders by app: (app, PARTY_NONE). */
struct uses *usage_remainders(const struct usage *usage);

const struct usage_sums *usage_sums(const struct usage *usage);

/** Adds the sums of another; it counts since the earlier of both. */
void usage_add_sums(struct usage *usage, const struct usage_sums *sums);

/** Adds counts of an app, and its minutes. */
void usage_add_app(struct usage *usage, uint32_t app, uint32_t by, const struct use_counts *more,
                   const struct lately *lately);
