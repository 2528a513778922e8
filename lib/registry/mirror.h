#pragma once
/**
 * What is known of a cell, and what of it is not in force yet.
 *
 *     events, full reads ──put, delete──► ┌────────┐ ──take──► view: documents at one revision
 *     a response's end ────finish───────► │ mirror │ ──take──► dyno keys, up to the same
 *     loads, restates ─────note─────────► └────────┘ ◄─wait─── keys of apps that no document has
 *
 * Dyno keys in force are in the segments of the snapshot (answer/restate.h) and nowhere else; here
 * are
 *
 *     changes    those that have changed since the last take; the last change of a key wins
 *     taken      those that a take under way has
 *     waiting    those that nothing has taken: no document has the app, or the key has errors
 *     held       deletions that are held (below)
 *
 * and what counts of a key is the first of changes, taken, waiting, segment.
 *
 * Documents: of each space the newest one, with its text until it is in force; kept-out texts stay.
 * A view shows the newest document, or, while documents are paused or as long as its text is not
 * there, the one that is served. A replica that has nothing yet takes them although paused. On
 * channel canary next/SPACE counts before z/SPACE.
 *
 * What is not selected, is outside of the layout, or is beyond a limit is dropped on arrival, and
 * the latter two are counted.
 *
 * Mass deletion (G9): deletions of `web` keys of running apps are counted for MIRROR_MASS_MS. Once
 * they are MIRROR_MASS_LEAST or more, and more than one of ten running apps, further ones, and all
 * of the same response, are held: the dynos stay in force. A hold ends, per key, when the key is
 * put again or deleted with `force`, and by an `accept`.
 *
 * Threads: the control thread; between take and note the view is constant, and list, stamp, read,
 * mirror_find_fixed, mirror_has_new_fixed and mirror_is_forced may be called on any thread.
 * Memory: some 200 octets a space; keys and texts as said above. Texts that come together are freed
 * together.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/load.h"
#include "answer/snapshot.h"
#include "base/err.h"
#include "etcd/messages.h"
#include "registry/dyno_table.h"
#include "registry/keys.h"
#include "registry/registry.h"
#include "source/source.h"
#include "space/fixed.h"

enum {
    MIRROR_PREFIX = 2,              /* octets before the space in "z/SPACE" */
    MIRROR_DOCUMENT_MOST = 1 << 20, /* octets */
    MIRROR_SPACES_MOST = 65535,
    MIRROR_MASS_MS = 60 * 1000,
    MIRROR_MASS_LEAST = 20,
    MIRROR_MASS_SHARE = 10,      /* one of so many */
    MIRROR_VALUE_MOST = 1 << 16, /* octets of config, force, pause, beat, meta that are looked at */
    MIRROR_WORDS_MOST = 256,
    MIRROR_REASONS_MOST = 64,
};

/** One version of a document. Constant once made, but for the text, which is freed at a note. */
struct mirror_document {
    unsigned holds;
    uint64_t mod_revision;
    uint64_t create_revision;
    uint64_t checksum;   /* stored_checksum of the text; 0: not known */
    const char *text;    /* NULL: not in memory */
    struct arena *texts; /* that it is in, with those that came with it */
    size_t length;
    bool is_too_long; /* it has no text for that */
    uint64_t history; /* third word of its stamp: its revision may have been another text's */
    bool is_removal;  /* a candidate "-" */
    bool is_forced;
    char name[]; /* z/SPACE */
};

/** One version of f/SPACE. Constant once made, but for is_compared, which a note sets. */
struct mirror_fixed {
    unsigned holds;
    uint64_t revision;
    bool is_compared; /* what is in force agrees with it */
    struct fixed_space *space;
};

struct mirror_space {
    struct mirror_document *document;  /* z/SPACE; NULL: none */
    struct mirror_document *candidate; /* next/SPACE; NULL: none */
    struct mirror_document *served;    /* what is in force, without text; NULL: nothing */
    struct mirror_fixed *fixed;        /* NULL: none */
    uint64_t gone_revision;            /* that removed the document; 0: none did */
    bool is_gone_forced;
    bool is_swept;      /* it was found gone by a read: gone_revision is the read's */
    bool is_kept;       /* the document is not what is served, by the last load */
    bool defers;        /* from disk: the next view shows what is served */
    bool lacks_fixed;   /* an audit has found another f/SPACE */
    uint8_t audits_due; /* found by its document's name alone: audited before others, so often */
    uint32_t document_mark, candidate_mark, fixed_mark; /* full reads that saw them */
    char name[];
};

/** Why a dyno key is kept out: its first error. */
struct mirror_reason {
    char *file; /* d/SPACE/APP/TYPE@REVISION; NULL: free */
    char *sentence;
    enum finding_code code;
};

/** A dyno key that is kept out for its errors. */
struct mirror_bad {
    char file[DYNO_KEY_FILE_OCTETS];
    const struct mirror_reason *reason; /* NULL: not known any more */
};

/** The documents of a take. */
struct mirror_item {
    struct mirror_document *document;
    struct mirror_fixed *fixed; /* NULL: none */
    bool is_newest;             /* of its space */
    bool is_candidate;
    uint64_t created; /* the document, or the one that a candidate is to replace */
};

struct mirror_view {
    struct mirror_item *items; /* by name */
    size_t count;
    bool has_new_fixed; /* some item has an f/SPACE that nothing was compared with */
    char **forced_gone; /* names of texts that may go */
    size_t forced_gone_count;
};

struct mirror {
    struct source source; /* of the view */
    struct keys keys;
    char **selection; /* sorted; NULL: all */
    size_t selection_count;
    bool is_canary;
    char *state_path; /* where texts of served documents are; NULL: nowhere */

    struct mirror_space **spaces; /* by name */
    size_t space_count, space_capacity;
    struct dyno_table changes, taken, waiting, held;
    struct dyno_table deletions; /* of running apps, in the response that is being read */
    struct mirror_view view;
    const struct snapshot *current; /* in force; NULL: nothing yet */

    bool has_documents;        /* a document has changed since the last view */
    uint64_t changed_revision; /* of the last change that counts: the generation of the next take.
                                  Of everything that a snapshot is made of, and not of beats, so
                                  that replicas that have taken the same changes in other parts
                                  have the same generation at rest */
    bool has_loaded;           /* something is in force that a pause can keep */
    bool is_taking;
    const struct dyno_key **listed; /* of the take; NULL: none */
    enum registry_take taking;
    bool has_missing; /* some text may have to be read again */
    bool has_failed;  /* out of memory: something is missing, so everything has to be read again */
    bool distrusts;   /* a read of another history: equal revisions prove nothing */
    uint64_t history; /* distrusted reads so far */
    uint32_t mark;    /* of the full read under way, or the last one */

    char **releases; /* for the next load */
    size_t release_count, taken_releases;
    uint64_t force_revision; /* of a `force` that is not applied yet; 0: none */
    uint64_t force_seen;     /* of the last one; 0: not known, as after a start from disk */
    bool lacks_force;        /* an audit has found another one */
    char *force;             /* its value */
    size_t force_length;
    uint64_t pause_revision;       /* 0: not paused */
    bool was_holding;              /* at the end of the last response */
    bool was_paused;               /* for who says so */
    char pause[MIRROR_WORDS_MOST]; /* who and why */
    uint64_t beat_revision;
    uint64_t beat_at_ms; /* of the last beat: the wall clock, as its writer says */
    char writer[MIRROR_WORDS_MOST];
    uint32_t single_marks[KEY_HOST + 1];

    uint64_t *mass_times; /* of deletions, in MIRROR_MASS_MS, oldest first */
    size_t mass_count, mass_capacity;
    const struct snapshot *running_of; /* running_count is of this one */
    size_t running_count;

    struct mirror_reason reasons[MIRROR_REASONS_MOST]; /* the last ones */
    size_t reason_next;
    struct arena *texts;   /* of documents that come; NULL: none has */
    struct report *report; /* findings since the last mirror_take_report; NULL: none */
    size_t ignored_count;
    size_t dropped_spaces;           /* beyond MIRROR_SPACES_MOST */
    char audited[KEY_NAME_MOST + 1]; /* the space of an audit; empty: none */
    bool is_audit_spoiled;           /* it has changed meanwhile */
    bool audits_names;               /* an audit of all documents' names is under way */
    bool wants_names;                /* the next audit is one: there is room for spaces again */
};

struct mirror_options {
    const struct keys *keys;
    const char *const *spaces;
    size_t space_count;
    bool is_canary;
    const char *state_path;
};

/** Copies the options. Returns false with *err. */
bool mirror_init(struct mirror *mirror, const struct mirror_options *options, struct err *err);
void mirror_close(struct mirror *mirror);

/** True when the space is selected. */
bool mirror_selects(const struct mirror *mirror, const char *space);

/* ---- what arrives: mirror_finish ends a response (mirror_events.c) ---- */

/** A key has this value. One that is known already changes nothing. */
void mirror_put(struct mirror *mirror, const struct etcd_pair *pair);

/** A key is gone since `revision`. */
void mirror_delete(struct mirror *mirror, struct octets key, uint64_t revision);

/** What happened in a response, for whoever says so. */
struct mirror_news {
    bool has_change;   /* documents or keys may be taken */
    size_t held_count; /* dyno keys whose deletion is held from now on */
    bool holds_no_more;
};

/** Ends a response: everything that was put and deleted is whole now. */
void mirror_finish(struct mirror *mirror, uint64_t now_ms, struct mirror_news *news);

/**
 * Takes the findings since the last call; NULL: none. They are the caller's.
 */
struct report *mirror_take_report(struct mirror *mirror);

/* ---- keys with errors (mirror_bad.c) ---- */

/** Keeps the errors of dyno keys, for mirror_list_bad. */
void mirror_note_findings(struct mirror *mirror, const struct report *report);

/**
 * Lists keys that wait though their app is there, or whose value has errors, `most` of them.
 * Returns how many there are. What items point at is valid until the next call.
 */
size_t mirror_list_bad(struct mirror *mirror, struct mirror_bad *items, size_t most);

/* ---- full reads and audits (mirror_read.c) ---- */

/**
 * Begins a full read: what is not put again until its end is gone.
 *
 * distrusts  of another history: contents are compared, not revisions
 */
void mirror_begin_read(struct mirror *mirror, bool distrusts);

/**
 * Compares all dyno keys of a space with what counts, and puts and deletes what differs. Returns
 * how many differ.
 *
 * pairs  in the order of their keys, all of this space
 */
size_t mirror_read_space(struct mirror *mirror, const char *space, const struct etcd_pair *pairs,
                         size_t count, uint64_t revision);

/** Ends it; mirror_finish follows. */
void mirror_end_read(struct mirror *mirror, uint64_t revision);

/** Gives a full read up. What it has put stays. */
void mirror_abandon_read(struct mirror *mirror);

/**
 * Begins an audit of the next space and returns its name; NULL: that was the last one. Then it is
 * an audit of names: whether there are documents, f/SPACE, candidates, force or pause that are not
 * known, or known and gone.
 */
const char *mirror_begin_audit(struct mirror *mirror);

/** How many audits are to be made soon, and before others. */
size_t mirror_audits_due(const struct mirror *mirror);

/** Ends an audit of names. What differs is missing from now on, and spaces of documents that differ
 * are due. Returns how many keys. */
size_t mirror_end_names_audit(struct mirror *mirror, const struct etcd_pair *pairs, size_t count,
                              uint64_t revision);

/**
 * Compares the space with what was read, unless it has changed meanwhile, and mends; mirror_finish
 * follows. Returns how many keys differed.
 *
 * document  NULL: there is none
 */
size_t mirror_end_audit(struct mirror *mirror, const struct etcd_pair *document,
                        const struct etcd_pair *pairs, size_t count, uint64_t revision);

/**
 * Finds a document that is known, but whose text is neither here nor in force, and writes its key.
 * Returns false when there is none.
 */
bool mirror_find_missing(struct mirror *mirror, struct key_text *key);

/* ---- what is taken (mirror_view.c, mirror_note.c) ---- */

/** See registry.h. */
bool mirror_has_documents(const struct mirror *mirror);
bool mirror_has_keys(const struct mirror *mirror);
bool mirror_take(struct mirror *mirror, enum registry_take kind, struct registry_keys *keys);
bool mirror_wait(struct mirror *mirror, const struct dyno_key *const *keys, size_t count);
void mirror_note(struct mirror *mirror, const struct load_outcome *outcome,
                 const struct snapshot *current);
void mirror_note_failed(struct mirror *mirror);
const struct fixed_space *mirror_find_fixed(const struct mirror *mirror, const char *space);
bool mirror_has_new_fixed(const struct mirror *mirror, const char *space);
bool mirror_is_forced(const struct mirror *mirror, const char *text_name);

/** Frees what mirror_take has listed. */
void mirror_close_view(struct mirror *mirror);

/* ---- for the disk (mirror_restore.c) ---- */

/** Makes a space known with what is served; text and fixed are not known. False without memory. */
bool mirror_restore(struct mirror *mirror, const char *space, uint64_t mod_revision,
                    uint64_t create_revision, uint64_t checksum);

/** The space's document is another one, or (mod 0) was removed in `gone_revision`. */
bool mirror_restore_newest(struct mirror *mirror, const char *space, uint64_t mod_revision,
                           uint64_t create_revision, uint64_t gone_revision);

/** The same of its candidate; `is_removal` of a "-". */
bool mirror_restore_candidate(struct mirror *mirror, const char *space, uint64_t mod_revision,
                              uint64_t create_revision, bool is_removal);

/** Its f/SPACE; copied. `is_compared`: what is served agrees with it. */
bool mirror_restore_fixed(struct mirror *mirror, const char *space, const struct fixed_space *fixed,
                          uint64_t revision, bool is_compared);

/* ---- inside ---- */

/** The space of this name, or NULL. */
struct mirror_space *mirror_find(const struct mirror *mirror, const char *space);

/** The same, made if it is not there; NULL without memory, or beyond the limit. */
struct mirror_space *mirror_make(struct mirror *mirror, const char *space);

/** What a space should be served from: NULL for nothing. */
struct mirror_document *mirror_newest(const struct mirror *mirror,
                                      const struct mirror_space *space);

/** Writes that nobody is named who has paused. */
void mirror_write_unnamed_pause(struct mirror *mirror);

/** The report of findings about what arrives; NULL without memory, which is noted. */
struct report *mirror_findings(struct mirror *mirror);

/** Notes that a dyno key is gone, whatever counts of it. */
void mirror_put_gone(struct mirror *mirror, const char *space, const char *app, const char *type,
                     uint64_t revision);

/** Counts, holds or lets go the deletions of running apps' keys (mirror_mass.c). */
void mirror_judge_deletions(struct mirror *mirror, uint64_t now_ms, struct mirror_news *news);

/** True when the view has this document. */
bool mirror_shows(const struct mirror *mirror, const char *text_name);

/** True when a newer change of the key has come since it was taken: that one counts. */
bool mirror_is_superseded(const struct mirror *mirror, const struct dyno_key *key);

/** True when a document in force has the app. */
bool mirror_has_app(const struct mirror *mirror, const char *space, const char *app);

void mirror_close_reasons(struct mirror *mirror);

/**
 * Has a document that is held judged again when this key may let it pass: the first web key of an
 * app in force, which may lose the dynos of its document then.
 */
void mirror_judge_again(struct mirror *mirror, const struct dyno_key *key);

/** True when the app of a web key is running now. */
bool mirror_is_running(const struct mirror *mirror, const char *space, const char *app);

/** A key without names has this value (mirror_force.c). */
void mirror_put_single(struct mirror *mirror, enum key_kind kind, const struct etcd_pair *pair);

/** Applies the `force` that has come last: its revision is complete. */
void mirror_apply_force(struct mirror *mirror);

/** A version without text; NULL without memory. */
struct mirror_document *mirror_make_document(const char *space, uint64_t mod_revision,
                                             uint64_t create_revision);

/** Takes the struct over; NULL: there was no memory for it. */
void mirror_set_fixed(struct mirror *mirror, struct mirror_space *space, struct fixed_space *made,
                      uint64_t revision);

void mirror_release_document(struct mirror_document *document);

/** The document's text is not needed any more. */
void mirror_drop_text(struct mirror_document *document);
void mirror_release_fixed(struct mirror_fixed *fixed);
