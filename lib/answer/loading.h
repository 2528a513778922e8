#pragma once
/**
 * A load under way: what the steps of load.c share. Internal to the answer module.
 *
 *     load.c         the steps, from the names to the snapshot
 *     load_text.c    one text: read, compared, compiled
 *     load_last_good.c  files with errors, served from accepted texts
 *     load_keep.c    texts with errors, whose spaces stay as they were; keys that are another's
 *     load_keys.c    keys of dynos, in force and given
 *     load_fixed.c   texts that stay, when what is fixed of their spaces has changed
 *     load_fallen.c  names that are no longer served, and the texts for the store
 *
 * Threads: load_text_run on several at once, each with a job of its own.
 * Memory: an arena of the load, but for what the outcome hands over.
 */
#include "answer/crosscheck.h"
#include "answer/load.h"

/* What a job's result is from, with request->keeps_spaces; it only goes down. */
enum job_step { STEP_TEXT, STEP_KEPT, STEP_UNREADY };

/* Keys of dynos that are a job's. */
struct job_keys {
    struct dyno_key **carried; /* in force in `before`, copied and sorted */
    size_t carried_count, carried_capacity;
    bool is_carried;
    const struct dyno_key **waiting; /* of the carried and given ones, those not in the result */
    size_t waiting_count;
    struct report *findings; /* NULL: none */
};

/* One zone file being loaded. */
struct job {
    const char *file;
    struct segment *before;  /* the file's previous segment; NULL for a new file */
    size_t number;           /* of its segment */
    struct segment *result;  /* one hold; NULL when the file is broken */
    struct load_model model; /* with request->wants_models */
    struct report *report;
    bool is_kept;      /* result is of the text of `before` */
    bool is_recreated; /* ... which was deleted and created again: others may be first now */
    bool is_gone;      /* the source has no such text any more; without result unless held */
    enum job_step step;
    struct segment *names; /* of STEP_UNREADY: to keep back; NULL: none */
    struct job_keys keys;
    bool was_read;
    char *text; /* for the store; NULL: not wanted */
    size_t length;
    uint64_t checksum;
    bool is_stored;                  /* the store has this very text */
    bool falls_back;                 /* to its accepted text, in this round */
    struct load_last_good last_good; /* file NULL: the text is the file's */
};

/* An error of a text, by the number of its segment; the other's is ENTRY_NONE where none. */
struct charge {
    uint32_t charged, other;
};

struct loading {
    const struct load_request *request;
    struct report *report;
    struct err *err;
    struct arena *arena;
    struct job *jobs; /* sorted by file */
    size_t job_count;
    size_t gone_count;    /* of them, those that are gone */
    size_t segment_count; /* of the next snapshot */
    const struct segment **segments;
    const struct segment **dropped;
    bool *added;
    bool *newer; /* of these, that differ from what was accepted last */
    size_t changes;
    const struct segment *
        *fallen; /* dropped segments, names of unready spaces, stored texts no longer served */
    size_t fallen_count;
    size_t unserved_count; /* the last of these, from the store */
    void (*on_charge)(void *loading, uint32_t charged, uint32_t other); /* candidates' */
    struct charge *charges; /* with request->keeps_spaces: of the last attempt */
    size_t charge_count, charge_capacity;
    bool has_lost_charges; /* no memory */
    bool is_sealed;        /* the snapshot has the jobs' results */
    const struct stored_text **unserved_texts;
};

/* Sets *err. Returns false. */
bool load_out_of_memory(struct err *err);

/* True when this process has not served anything yet. */
bool load_is_start(const struct load_request *request);

/* The generation before the one that is made. */
uint64_t load_generation_before(const struct load_request *request);

/*
 * A parallel_fn: does the job of this index, its keys included. Findings go into the job's report.
 */
bool load_text_run(void *context, size_t index);

/* Reports what of a text that stays is not as it is fixed now. */
void load_check_kept(const struct loading *loading, struct job *job);

/* Compiles the accepted text of a job instead of the file's. Without one there is no result. */
void load_text_run_stored(const struct loading *loading, struct job *job);

/*
 * Seals what is known of the space of a text that cannot be served, as the result, and its names.
 * Reads the text once more. Without a result there is no memory.
 */
void load_text_run_unready(const struct loading *loading, struct job *job);

/* The space of a text by the text's name; borrowed, or in the arena. NULL: no memory. */
const char *load_space_of(struct arena *arena, const char *file);

/* The job of a file by name; NULL when there is none. */
struct job *load_find_job(const struct loading *loading, const char *file);

/*
 * Puts the jobs' results together, with their findings and those across files in loading->report.
 * Returns NULL when there are errors, or with *err.
 */
struct snapshot *load_attempt(struct loading *loading, struct load_outcome *outcome);

/* Marks the apps of a text that a key has a running web dyno of. Returns false without memory. */
bool load_keys_mark_running(const struct loading *loading, struct job *job, struct space *space);

/*
 * Applies the keys of its space to a job's result: those in force in `before`, if the result is of
 * another text, then those of the request. Returns false without memory.
 */
bool load_keys_apply(const struct loading *loading, struct job *job);

/* `before` with the keys of the request, with one hold. NULL without memory. */
struct segment *load_keys_before(const struct loading *loading, struct job *job);

/* Hands over the keys that wait, and their findings. Returns false without memory. */
bool load_keys_hand(struct loading *loading, struct load_outcome *outcome);

void load_keys_close(struct job *job);

/* What the attempt is about, for the rules across texts. */
struct candidates load_candidates(const struct loading *loading);

/* True when the report has lost a finding, or memory ran out while it was made. */
bool load_lacked_memory(const struct report *report);

/* For a text that is not the one to be served any more. False without memory. */
bool load_forget_findings(struct job *job);

/* Notes the first error of the report, which the job falls back for; an earlier note stays. */
void load_note_cause(struct job *job, struct report *report);

/* Frees what a job has made of its text. Without memory job->report is NULL. */
void load_drop_text(struct job *job);

/*
 * A parallel_fn: replaces what a job with falls_back has made of its text by the accepted text, or
 * goes down by a step. Returns false without memory.
 */
bool load_fall_back(void *context, size_t index);

/* Takes a job whose text was dropped a step down. Returns false without memory. */
bool load_step_down(struct loading *loading, struct job *job);

/* Reports the texts that are not served, and hands them to the outcome. */
bool load_hand_last_good(struct loading *loading, struct load_outcome *outcome);

/* load_attempt with each space as far down the steps as errors and the judge demand. */
struct snapshot *load_keeping_spaces(struct loading *loading, struct load_outcome *outcome);

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
