#pragma once
/**
 * One round of a watch: a topology that was read is put into its space, or is refused.
 *
 *     text ──► read ──► merge ──► compare ──► judge ──► check, guard, write ──► reload
 *                                    └─► nothing differs: nothing is written
 *
 * It goes the way of every command that changes a zone file (change.h), with the reload guard on
 * even where no server runs, for nobody looks at what an automation writes. Names that vanish are
 * never released: the server keeps them back.
 *
 * Threads: one.  Memory: round_close frees what a round has made.
 */
#include "base/arena.h"
#include "spacedns/session.h"
#include "spacedns/spaces_difference.h"

enum round_end {
    ROUND_UNCHANGED,
    ROUND_APPLIED,  /* written, and loaded by the running server, if there is one */
    ROUND_REFUSED,  /* nothing was written */
    ROUND_UNLOADED, /* written, but the running server has not loaded it */
};

struct round {
    enum round_end end;
    struct arena *arena;
    struct difference difference;
    size_t app_count;
    size_t guessed_count; /* domains whose DNS target is a guess */
    const char *new_app;  /* one that was added; NULL: none */
    char space[64];
    char sentence[1024]; /* why it was refused or not loaded, with the remedy */
    char advice[512];    /* what the commands print beside, in one line */
};

/**
 * Runs a round.
 *
 * session      the watch's own, for its command line; each round has one like it
 * owes_reload  the round before has written what the running server has not loaded
 */
void round_run(const struct session *session, const struct topology_text *text, bool owes_reload,
               struct round *round);

void round_close(struct round *round);
