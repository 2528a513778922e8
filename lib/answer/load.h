#pragma once
/**
 * Loads the zone files of a source into a snapshot: the whole cold path in one call.
 *
 *     list → read what changed → parse, check, seal (several threads) → check across files
 *          → index → snapshot
 *
 * Files that did not change since `before` (same stamp, or the same content) keep their segment.
 * One that had its end mark there and lacks it now was cut (E-CUT).
 * Any error finding refuses the whole load: the caller keeps the snapshot it has. Only at a start
 * with accepted texts (stored.h) a file with errors is served from its own one instead
 * (W-LAST-GOOD), or not at all without one (W-UNSERVED):
 *
 *     files with errors of their own ──► those whose changes break a rule across files
 *       ──► all changed files ──► refused
 *
 * each only while the whole still has errors.
 *
 * With `keeps_spaces`, which a registry's loads have, a load is never refused for what the texts
 * say: each text with errors leaves its space as it was, and the others go on. From best to worst
 * a space is served from
 *
 *     its text ──► what it had: the segment of `before`, at a start the accepted text
 *       ──► nothing: it is unready, its clients are answered SERVFAIL (segment_seal_unready)
 *
 * A text takes one step for errors of its own (E-IMMUTABLE and E-CUT are such), and when another
 * text breaks a rule across texts with it: of two, the one that was created later, by the second
 * word of its stamp. If what a space had breaks a rule with the new text of another, it is the new
 * text that takes the step: no text takes away what is served. A judge may hold back a text without
 * errors, and the removal of one. A text that stays takes a step, too, when what is fixed of its
 * space has become another; what it had is not compared. So the result depends on `before`, the
 * texts and the judge only.
 *
 * A name or id that two texts claim costs neither its step. The text that was created first has it,
 * whatever was served before; the other's space is served without it, and has it once the first
 * lets go of it.
 *
 * Rules across files: names and ids are unique (E-DUP, E-DOM-TAKEN, E-DOM-TARGET, E-REC-NAME),
 * address blocks of spaces visible at one address are disjoint (E-SPACE-OVERLAP), and keys fixed at
 * creation have not changed since `before` (E-IMMUTABLE).
 *
 * Internal names of `before` that the new snapshot does not have are kept back (fallen.h). At the
 * start, the stored texts that were accepted earlier and are no longer in the source serve as
 * `before`.
 *
 * Threads: called on the control thread or on a loading thread; starts up to `threads` more and
 * waits for them.  Memory: the caller frees the snapshot, and what the outcome has.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/fallen.h"
#include "answer/snapshot.h"
#include "answer/stored.h"
#include "base/err.h"
#include "base/hash.h"
#include "findings/report.h"
#include "source/source.h"
#include "space/fixed.h"

struct dyno_key;

enum { DOCUMENT_OCTETS_MOST = 1 << 20 }; /* of a text, with keeps_spaces */

/**
 * Decides about the changes of a load that keeps spaces: one text at a time, on the thread that
 * called snapshot_load.
 */
struct load_judge {
    /**
     * Returns false with the sentence *why if what is served of a text may not change like this.
     *
     * old   what is served, never unready, with the request's keys: what they change is no
     *       change of the text
     * next  NULL: the text is gone
     */
    bool (*may_change)(void *context, const char *text_name, const struct segment *old,
                       const struct segment *next, struct err *why);
    void *context;
};

/** Finds what is fixed of spaces, for E-IMMUTABLE without a snapshot before. */
struct load_fixed {
    /**
     * Returns what is fixed of a space, constant until the load has ended; NULL when nothing is
     * known: then it may not change from `before`. Called on several threads at once.
     */
    const struct fixed_space *(*find)(void *context, const char *space);
    /**
     * Returns true if that has changed since the text in force was compared with it: then a text
     * that has not changed is compared, too. NULL: never. Called as `find`.
     */
    bool (*is_new)(void *context, const char *space);
    void *context;
};

struct load_request {
    struct source *source;
    const struct policy *policy;
    bool is_new_policy;            /* makes a snapshot even if no file has changed */
    struct hash_key key;           /* one per process; shards depend on it */
    unsigned threads;              /* parsing in parallel, 1 or more */
    const struct snapshot *before; /* NULL at a start without compiled files; one that is waiting
                                      is a start's, too */
    bool is_start;     /* `before` is compiled (compiled.h), and nothing was served of it: only its
                          segments and index are used, and a new snapshot is made in any case */
    bool reads_all;    /* reads every file; the content decides whether it changed */
    bool wants_marks;  /* reports a file without its end mark, W-NO-END */
    bool wants_models; /* hands over the models of the files that it compiles */
    int64_t now_s;     /* wall clock, shown for names kept back */
    int64_t ran_s;     /* running time, for names kept back (stored.h) */
    const struct stored *stored; /* NULL, or the accepted texts of the state folder */
    bool is_check; /* errors refuse the load even where accepted texts could be served; the report
                      has both */
    bool keeps_spaces;   /* errors keep the space; a source may have no texts */
    uint64_t generation; /* of the snapshot, smaller ones than before's too; 0: the next */
    const struct dyno_key *const *keys; /* to apply besides those that the segments of `before`
                                           carry, of which they replace those of the same name;
                                           sorted by space, app and type */
    size_t key_count;
    struct load_judge judge; /* with keeps_spaces; may_change NULL: everything may change */
    struct load_fixed fixed; /* find NULL: nothing is known */
};

/** An accepted text that the store does not have. */
struct load_text {
    const char *name; /* of the file, without its folder */
    char *octets;
    size_t length;
    uint64_t checksum;
};

/** What a file says, with all that no answer needs. */
struct load_model {
    const struct space *space;
    struct arena *arena; /* of the space */
};

/** What is served instead of a text. */
enum load_keeping {
    LOAD_KEPT,    /* what the space had, because of errors */
    LOAD_HELD,    /* what the space had, because the judge refused the change */
    LOAD_UNREADY, /* nothing, because of errors and because the space had nothing */
    LOAD_TAKEN,   /* the text, without the names and ids that another text has */
};

/** A file whose text is not served as it is: because of errors, of the judge, or of another text.
 */
struct load_last_good {
    char *file;
    enum finding_code code; /* of the first error; not of LOAD_HELD */
    struct location at;     /* of it; line 0: in other files, or of no line */
    struct err cause;       /* the first error as a sentence, without the file's own location; of
                               LOAD_HELD, the judge's */
    int64_t accepted_s;     /* wall clock, when the text that is served was stored; 0: it is that
                               of `before` */
    bool is_served;         /* false: no accepted text of it can be served either */

    /* The rest is of a load that keeps spaces. */
    enum load_keeping keeping;
    char *space;               /* its name: of what is served, else as far as the text shows it,
                                  else of the text's name */
    struct source_stamp stamp; /* of the text that is not served as it is; none: it is gone */
    struct source_stamp served_stamp; /* of the one that is served; none: not known */
};

struct load_outcome {
    bool is_unchanged; /* nothing has changed since `before`; no snapshot was made */
    size_t file_count;
    size_t read_count;   /* files read */
    size_t change_count; /* segments that are new or gone */
    struct fallen_news fallen;
    struct load_text *texts; /* with request->stored; NULL: no files were loaded */
    size_t text_count;
    size_t lost_texts;                /* of request->stored, that could not be read */
    struct load_last_good *last_good; /* sorted by file */
    size_t last_good_count;
    struct load_model *models; /* with request->wants_models, in the order of the names;
                                  load_outcome_close frees them */
    size_t model_count;
    struct dyno_key **unused; /* copies of the keys, given or in force before, that wait: no text
                                 has their app, or not the dyno CIDRs of their addresses; sorted */
    size_t unused_count;
    struct report *key_findings; /* of the keys that were applied; no error among them refuses
                                    anything; NULL: nothing was loaded */
};

/**
 * Loads a source.
 *
 * Returns a new snapshot of the next generation, or of request->generation; or NULL when
 * - outcome->is_unchanged: nothing has changed, the generation neither,
 * - the report is not clean: it has the findings; with keeps_spaces it always is, and W-LAST-GOOD,
 *   W-HELD, W-UNSERVED and W-TAKEN stand for the errors of texts that are not served,
 * - else *err: the source cannot be read, is empty, or memory ran out.
 */
struct snapshot *snapshot_load(const struct load_request *request, struct report *report,
                               struct load_outcome *outcome, struct err *err);

/** Frees texts and their list. */
void load_texts_free(struct load_text *texts, size_t count);

/** Frees a list that was taken out of an outcome. */
void load_last_good_free(struct load_last_good *files, size_t count);

/** Frees keys that were taken out of an outcome. */
void load_keys_free(struct dyno_key **keys, size_t count);

/** Frees texts, models, keys and the list of files that are not served as they are. */
void load_outcome_close(struct load_outcome *outcome);

/** Frees models that were taken out of an outcome. */
void load_models_free(struct load_model *models, size_t count);
