#pragma once
/**
 * What a topology changes in a space, and which of it may only go on purpose.
 *
 *     topology_read ──► topology_merge ──► difference_find ──► nothing: nothing is written
 *                                                         ├──► difference_judge: refused
 *                                                         └──► change_commit
 *
 * A topology that is fetched again and again is sometimes wrong: a call that fails halfway, an
 * account with fewer rights. Hence, beside the reload guard (inspect/guard.h), two more are refused
 * unless they are forced: an internal app that vanishes, for its clients lose its names; and a
 * loss of the last running web dyno by more than a tenth of the apps, and at least 20, at once.
 * A single app may go to zero at any time.
 *
 * A dyno that is not up is not in a topology, so that one is lost without being gone.
 *
 * Threads: pure.  Memory: everything lives in the caller's arena; texts of apps are borrowed.
 */
#include "base/arena.h"
#include "base/err.h"
#include "space/topology.h"

enum {
    DIFFERENCE_TEXTS_MOST = 20, /* changes that are put in words */
    DIFFERENCE_WEB_LEAST = 20,  /* apps that may always lose their web dynos at once */
    DIFFERENCE_WEB_PERCENT = 10,
};

struct difference {
    size_t apps_new, apps_gone;
    size_t domains_new, domains_gone;
    size_t dynos_new, dynos_gone;
    size_t others; /* ids, default domains, DNS targets, process types, states */
    const char *texts[DIFFERENCE_TEXTS_MOST]; /* "abc: web.2 10.0.130.57 is new" */
    size_t text_count;
    const char *internal_gone; /* the first internal app that vanishes; NULL: none */
    size_t internal_gone_count;
    size_t internal_count; /* internal apps before */
    size_t web_count;      /* apps with a running web dyno before ... */
    size_t web_lost;       /* ... that have none after */
};

/**
 * Compares a merged topology with the space as it is. Returns false when out of memory.
 */
bool difference_find(struct arena *arena, const struct topology *after, const struct space *before,
                     struct difference *out);

/** True when the topology says what the space has already. */
bool difference_is_none(const struct difference *difference);

/** Returns false with *err for a loss that is probably an accident; the sentence has the remedy. */
bool difference_judge(const struct difference *difference, struct err *err);
