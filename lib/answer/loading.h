#pragma once
/**
 * A load under way: what the steps of load.c share. Internal to the answer module.
 *
 *     load.c         the steps, from the names to the snapshot
 *     load_text.c    one text: read, compared, compiled
 *     load_last_good.c  files with errors, served from accepted texts
 *     load_fallen.c  names that are no longer served, and the texts for the store
 *
 * Threads: load_text_run on several at once, each with a job of its own.
 * Memory: an arena of the load, but for what the outcome hands over.
 */
#include "answer/load.h"

/* One zone file being loaded. */
struct job {
    const char *file;
    struct segment *before;  /* the file's previous segment; NULL for a new file */
    size_t number;           /* of its segment */
    struct segment *result;  /* one hold; NULL when the file is broken */
    struct load_model model; /* with request->wants_models */
    struct report *report;
    bool is_kept; /* result is `before` */
    bool was_read;
    char *text; /* for the store; NULL: not wanted */
    size_t length;
    uint64_t checksum;
    bool is_stored;                  /* the store has this very text */
    bool falls_back;                 /* to its accepted text, in this round */
    struct load_last_good last_good; /* file NULL: the text is the file's */
};

struct loading {
    const struct load_request *request;
    struct report *report;
    struct err *err;
    struct arena *arena;
    struct job *jobs; /* sorted by file */
    size_t job_count;
    size_t segment_count; /* of the next snapshot */
    const struct segment **segments;
    const struct segment **dropped;
    bool *added;
    bool *newer; /* of these, that differ from what was accepted last */
    size_t changes;
    const struct segment *
        *fallen; /* dropped segments, then those of stored texts no longer served */
    size_t fallen_count;
    size_t unserved_count; /* the last of these, from the store */
    const struct stored_text **unserved_texts;
};

/* Sets *err. Returns false. */
bool load_out_of_memory(struct err *err);

/* True when this process has not served anything yet. */
bool load_is_start(const struct load_request *request);

/* The generation before the one that is made. */
uint64_t load_generation_before(const struct load_request *request);

/* A parallel_fn: does the job of this index. Findings go into the job's report. */
bool load_text_run(void *context, size_t index);

/* Compiles the accepted text of a job instead of the file's. Without one there is no result. */
void load_text_run_stored(const struct loading *loading, struct job *job);

/* The job of a file by name; NULL when there is none. */
struct job *load_find_job(const struct loading *loading, const char *file);

/*
 * Puts the jobs' results together, with their findings and those across files in loading->report.
 * Returns NULL when there are errors, or with *err.
 */
struct snapshot *load_attempt(struct loading *loading, struct load_outcome *outcome);

/* True when files with errors may be served from accepted texts. */
bool load_has_last_good(const struct load_request *request);

/* load_attempt, and others with accepted texts while there are errors. */
struct snapshot *load_with_last_good(struct loading *loading, struct load_outcome *outcome);

/* Sets the snapshot's kept-back names. Without memory the snapshot is freed, and *err set. */
struct snapshot *load_keep_fallen(struct loading *loading, struct snapshot *snapshot,
                                  struct load_outcome *outcome);

/* Hands over the texts that the store lacks. Returns false when out of memory. */
bool load_hand_texts(struct loading *loading, struct load_outcome *outcome);

/* Frees what load_keep_fallen has made. */
void load_free_fallen(struct loading *loading);
