#pragma once
/**
 * Names that are kept back: events and answers about them, and their release between reloads.
 *
 * Events: names_kept_back, names_let_go.
 *
 * Threads: kept_let_go on any one thread while snapshots do not change; the rest on the control
 * thread.
 */
#include "answer/state.h"
#include "control/control_socket.h"
#include "spacednsd/audit.h"
#include "spacednsd/zones.h"

enum { KEPT_LISTED_MOST = 10000 };

/** The names of a call (forget), and which of them were kept back. */
struct kept_names {
    struct name *names; /* malloc'ed */
    bool *was_kept;     /* set by kept_let_go */
    size_t count;
};

/** Reads the operands. Returns false with *err when one is not a name. */
bool kept_read_names(struct kept_names *names, const struct call *call, struct err *err);

/**
 * Adds names that are written as texts; what is none is left out. Returns false without memory, and
 * then none is added.
 */
bool kept_add_names(struct kept_names *names, const char *const *texts, size_t count);

void kept_close_names(struct kept_names *names);

/**
 * Makes the next snapshot, without the names listed and without those that have expired. Sets
 * loading->snapshot, or outcome.is_unchanged, or err.
 */
void kept_let_go(struct zones_loading *loading, struct kept_names *names);

/** Logs the names that a load keeps back, and those let go as expired or as too many. */
void kept_log_fallen(const struct snapshot *snapshot, const struct fallen_news *news);

/** Logs that the snapshot of kept_let_go is served. */
void kept_log_let_go(const struct snapshot *snapshot, const struct zones_loading *loading,
                     const struct kept_names *names, const struct audit *audit);

/** Answers kept-back. */
void kept_answer_list(struct call *call, const struct snapshot *snapshot, const struct state *state,
                      bool is_json);

/** Prints the outcome of forget. Returns the exit code. */
int kept_answer_forget(struct call *call, const struct kept_names *names, uint64_t generation,
                       bool is_json);

/** Milliseconds until the next name expires, an hour at most; 0: no name is kept back. */
uint64_t kept_next_ms(const struct snapshot *snapshot, int64_t ran_s);
