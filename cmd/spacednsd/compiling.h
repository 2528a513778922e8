#pragma once
/**
 * When the compiled zone files (compiled.h) are written: soon after a change, but seldom, because
 * they are as large as all zone files. Until then they are behind, which only makes the next start
 * compile the files that changed meanwhile.
 *
 *     compiling_note ──COMPILING_SOON_MS, COMPILING_SELDOM_MS after the last──► due
 *       ──no reload is under way──► written on the pool ──no reload is under way──► released
 *
 * Events: compiled_failed with the first write that fails, compiled_stored with the next one that
 * does not.
 *
 * Threads: the control thread, except for writing.  Memory: segments are shared while they are
 * written.
 */
#include <uv.h>

#include "answer/compiled.h"
#include "answer/state.h"

enum { COMPILING_SOON_MS = 2000, COMPILING_SELDOM_MS = 300 * 1000 };

struct compiling {
    uv_timer_t timer;
    bool has_timer;
    uv_work_t work;
    struct compiled *compiled; /* NULL: nothing is held */
    bool is_writing;
    bool is_due;
    bool is_written; /* by the last write */
    atomic_bool is_stopping;
    void (*on_due)(void *context); /* compiling_settle is to be called as soon as possible */
    void *context;
    int folder;
    struct err err, problem; /* of this write; of the last one */
    uint64_t ended_ms;       /* the last write, by the loop's clock; 0: none */
};

/** on_due  called when compiling_settle has something to do, now or after the reload under way */
void compiling_start(struct compiling *compiling, uv_loop_t *loop, void (*on_due)(void *context),
                     void *context);

/** Zone files have changed: they are to be written. */
void compiling_note(struct compiling *compiling);

/**
 * No reload is under way: releases what is written, and begins what is due. Nothing is written for
 * a state that is not in use or behind.
 */
void compiling_settle(struct compiling *compiling, const struct state *state,
                      const struct snapshot *snapshot);

/** One under way ends soon, and none is begun until compiling_resume. */
void compiling_pause(struct compiling *compiling);
void compiling_resume(struct compiling *compiling);

/** No write is begun any more; one under way ends soon. */
void compiling_stop(struct compiling *compiling);

/** Releases what is held, once the loop has ended. */
void compiling_close(struct compiling *compiling);
