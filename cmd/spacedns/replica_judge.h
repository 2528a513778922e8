#pragma once
/**
 * Which replicas are not well, by what they have announced.
 *
 * A replica is
 *
 *     behind        it announced itself after a change of a document, or a push, and did not
 *                   answer from that; or says that changes wait
 *     stale         its last word is older than REPLICA_STALE_MS: it has missed two of them
 *     holding apps  a mass deletion of dyno keys is held
 *     holding       its guard refuses the newest document of a space
 *     keeping       the newest document of a space has errors
 *
 * While documents are paused, replicas go on with dynos, and what waits for the end of the pause is
 * not behind: the sum names the pause. Who has said nothing since the last change is not behind for
 * that: a word comes every 20 s, and soon after a push. The revisions of two replicas tell nothing:
 * one that has read everything has etcd's, and one that follows the last change's.
 *
 * Threads: pure, but for what is printed.  Memory: never allocates.
 */
#include <stdio.h>

#include "base/text.h"
#include "spacedns/replica_list.h"

enum { REPLICA_STALE_MS = 45 * 1000 }; /* they announce themselves every 17.5 to 22.5 s */

enum replica_fault {
    REPLICA_BEHIND,
    REPLICA_STALE,
    REPLICA_HOLDS_APPS,
    REPLICA_HOLDS,
    REPLICA_KEEPS,
    REPLICA_FAULTS,
};

struct replica_verdict {
    bool has[REPLICA_FAULTS];
    bool is_well;                  /* none of them */
    uint64_t behind;               /* by how many revisions */
    char since[REPLICA_WORD_MOST]; /* empty: not known */
    bool is_awaited;               /* it has said nothing since the last change */
};

/** Judges one. now_ms is the wall clock's. */
struct replica_verdict replica_judge(const struct replica *replica, const struct replica_cell *cell,
                                     int64_t now_ms);

/** "behind", "stale", "holds-apps", "holds-spaces", "keeps-spaces". */
const char *replica_fault_text(enum replica_fault fault);

/** Appends "ok", or what is not well in some words: long lists are shortened, with a count. */
void replica_write_state(const struct replica *replica, const struct replica_verdict *verdict,
                         struct text *out);

/**
 * Prints the line below the list: how many replicas there are, which have what, and what to do.
 * Returns true when all are well.
 */
bool replica_print_sum(const struct replica_list *list, const struct replica_cell *cell,
                       int64_t now_ms, FILE *out);
