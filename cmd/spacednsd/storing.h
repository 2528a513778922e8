#pragma once
/**
 * Storing the state: the running time, events, and when a write that failed is tried again.
 *
 *     failed ──1 s──► tried ──2 s──► tried ──4 s──► ... every ten minutes, until all is stored
 *
 * Each load stores as well, and prolongs no wait when that fails, too.
 *
 * Events: state_decayed, state_unused; state_failed with the first write that fails, state_stored
 * with the next one that does not.
 *
 * Threads: the control thread.
 */
#include "answer/load.h"
#include "answer/state.h"

struct storing {
    uint64_t opened_ns;   /* when the state was read */
    int64_t opened_ran_s; /* the running time then */
    struct err problem;   /* of opening the folder or of the last write; ERR_NONE: none */
    uint64_t wait_ms;     /* before the next try */
    uint64_t retry_ns;    /* when it is due, by the monotonic clock */
};

/** Begins to count the running time, once the state is open or there is none. */
void storing_begin(struct storing *storing, const struct state *state);

/** The running time: of earlier servers with this state, and since this one's start. */
int64_t storing_ran_s(const struct storing *storing);

/** Notes and logs the outcome of state_open or state_store. */
void storing_note(struct storing *storing, const struct state *state,
                  const struct load_outcome *outcome);

/** Milliseconds until a write is to be tried again, 1 at least; 0: everything is stored. */
uint64_t storing_next_ms(const struct storing *storing, const struct state *state);
