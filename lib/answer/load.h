#pragma once
/**
 * From a folder of zone files to a snapshot: the whole cold path in one call.
 *
 *     list → read what changed → parse, check, seal (several threads) → check across files
 *          → index → snapshot
 *
 * Files that did not change since `before` (same device, inode, size and times, or the same
 * content) keep their segment. One that had its end mark there and lacks it now was cut (E-CUT).
 * Any error finding refuses the whole: the caller goes on with what it has.
 *
 * Rules across files: names and ids are unique (E-DUP, E-DOM-TAKEN, E-DOM-TARGET, E-REC-NAME),
 * address blocks of spaces seen at one address are disjoint (E-SPACE-OVERLAP), and what is fixed at
 * creation has not changed since `before` (E-IMMUTABLE).
 *
 * Internal names of `before` that the new snapshot does not have are kept back (fallen.h). At the
 * start, what was accepted before and is not in the folder any more takes the place of `before`.
 *
 * Threads: called from the control thread, or one thread of its own; starts up to `threads` more
 * and waits for them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/fallen.h"
#include "answer/snapshot.h"
#include "answer/stored.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "findings/report.h"

struct load_request {
    const char *folder;
    const struct policy *policy;
    bool is_new_policy;                /* there is something to do even if no file has changed */
    struct hash_key key;               /* one per process; shards depend on it */
    unsigned threads;                  /* that parse at once, 1 or more */
    const struct snapshot *before;     /* NULL at start */
    const char *file;                  /* NULL, or the one that is read from `draft` instead, */
    const char *draft;                 /* as if that had taken its place, be it new or not */
    bool reads_all;                    /* whatever a file's identity says; the content decides */
    bool wants_marks;                  /* a file without its end mark is a finding, W-NO-END */
    const struct waiting_clock *clock; /* NULL: a file that may be half written is read as it is */
    int64_t now_s;                     /* wall clock, for what is kept back */
    const struct stored *stored;       /* NULL, or what a folder keeps of what was accepted */
};

/** A text that was accepted, and that the store does not have. */
struct load_text {
    const char *name; /* of the file, without its folder */
    char *octets;
    size_t length;
    uint64_t checksum;
};

struct load_outcome {
    bool is_unchanged; /* nothing differs from `before`; no snapshot was made */
    size_t file_count;
    size_t read_count; /* files read anew */
    struct fallen_news fallen;
    struct load_text *texts; /* with request->stored; load_outcome_close frees them */
    size_t text_count;
    size_t lost_texts; /* of request->stored, that could not be read */
};

/**
 * Loads a folder.
 *
 * Returns a new snapshot of the next generation; or NULL when
 * - outcome->is_unchanged: there is nothing to do,
 * - the report is not clean: the findings say what is wrong,
 * - else *err: the folder cannot be read, is empty, or memory ran out.
 */
struct snapshot *snapshot_load(const struct load_request *request, struct report *report,
                               struct load_outcome *outcome, struct err *err);

/** Frees the texts. */
void load_outcome_close(struct load_outcome *outcome);
