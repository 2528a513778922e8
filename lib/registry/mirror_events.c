/* What arrives: documents, what is fixed, dynos, and the keys without names. */
#include "registry/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "answer/stored.h"
#include "base/arena.h"
#include "registry/fixed_text.h"

enum { TEXTS_OCTETS = 1 << 20 }; /* of documents that are freed together, about */

static void spoil_audit(struct mirror *mirror, const char *space)
{
    mirror->is_audit_spoiled |= strcmp(mirror->audited, space) == 0;
}

static void spoil_audits(struct mirror *mirror, const char *space)
{
    spoil_audit(mirror, space);
    mirror->is_audit_spoiled |= mirror->audits_names;
}

/* ---- documents ---- */

struct mirror_document *mirror_make_document(const char *space, uint64_t mod, uint64_t create)
{
    size_t length = strlen(space) + sizeof "z/";
    struct mirror_document *document = calloc(1, sizeof *document + length);

    if (document == NULL)
        return NULL;
    document->holds = 1;
    document->mod_revision = mod;
    document->create_revision = create;
    snprintf(document->name, length, "z/%s", space);
    return document;
}

/*
 * Texts that come together are freed together, when the last of them is in force: each for itself
 * they would leave holes between what stays.
 */
static struct arena *texts_of(struct mirror *mirror)
{
    if (mirror->texts != NULL && arena_used(mirror->texts) >= TEXTS_OCTETS) {
        arena_release(mirror->texts);
        mirror->texts = NULL;
    }
    if (mirror->texts == NULL)
        mirror->texts = arena_new();
    return mirror->texts;
}

static bool set_text(struct mirror *mirror, struct mirror_document *document, struct octets value)
{
    document->length = value.length;
    document->is_too_long = value.length > MIRROR_DOCUMENT_MOST;
    if (document->is_too_long)
        return true;
    struct arena *texts = texts_of(mirror);
    document->text = texts == NULL ? NULL : arena_text(texts, value.start, value.length);
    if (document->text == NULL)
        return false;
    document->texts = arena_hold(texts);
    document->checksum = stored_checksum(document->text, value.length);
    return true;
}

static struct mirror_document *read_document(struct mirror *mirror, const char *space,
                                             const struct etcd_pair *pair)
{
    struct mirror_document *document =
        mirror_make_document(space, (uint64_t)pair->mod_revision, (uint64_t)pair->create_revision);

    if (document != NULL && !set_text(mirror, document, pair->value)) {
        mirror_release_document(document);
        return NULL;
    }
    return document;
}

static bool is_of_revision(const struct mirror_document *document, const struct etcd_pair *pair)
{
    return document != NULL && document->mod_revision == (uint64_t)pair->mod_revision &&
           document->create_revision == (uint64_t)pair->create_revision;
}

/* True when the pair is what is known, and nothing of it is missing. */
static bool is_known(const struct mirror *mirror, const struct mirror_document *document,
                     const struct mirror_document *served, const struct etcd_pair *pair)
{
    if (!is_of_revision(document, pair))
        return false;
    if (mirror->distrusts && pair->value.length <= MIRROR_DOCUMENT_MOST)
        return document->checksum == stored_checksum(pair->value.start, pair->value.length);
    return document->text != NULL || document->is_too_long || document->is_removal ||
           is_of_revision(served, pair);
}

static void put_document(struct mirror *mirror, const char *name, const struct etcd_pair *pair)
{
    struct mirror_space *space = mirror_make(mirror, name);

    if (space == NULL)
        return;
    space->document_mark = mirror->mark;
    if (is_known(mirror, space->document, space->served, pair))
        return;
    struct mirror_document *document = read_document(mirror, name, pair);
    if (document == NULL) {
        mirror->has_failed = true;
        return;
    }
    /* Accepted before its text came. */
    document->is_forced = is_of_revision(space->document, pair) && space->document->is_forced;
    document->history = mirror->distrusts ? mirror->history : 0;
    mirror_release_document(space->document);
    space->document = document;
    space->gone_revision = 0;
    space->is_gone_forced = false;
    space->is_swept = false;
    space->defers = false;
    spoil_audits(mirror, name);
    mirror->has_documents = true;
}

static void put_candidate(struct mirror *mirror, const char *name, const struct etcd_pair *pair)
{
    struct mirror_space *space = mirror_make(mirror, name);

    if (space == NULL)
        return;
    space->candidate_mark = mirror->mark;
    if (is_known(mirror, space->candidate, space->served, pair))
        return;
    struct mirror_document *document = read_document(mirror, name, pair);
    if (document == NULL) {
        mirror->has_failed = true;
        return;
    }
    document->is_removal = octets_are(pair->value, "-") || octets_are(pair->value, "-\n");
    document->history = mirror->distrusts ? mirror->history : 0;
    if (!mirror->is_canary) {
        /* It is only counted. */
        mirror_drop_text(document);
        document->is_too_long = true;
    } else if (document->is_removal) {
        mirror_drop_text(document);
    }
    mirror_release_document(space->candidate);
    space->candidate = document;
    space->is_gone_forced &= !mirror->is_canary;
    spoil_audits(mirror, name);
    mirror->has_documents |= mirror->is_canary;
}

/* ---- what is fixed ---- */

/* Takes the struct over; NULL: there was no memory for it. */
void mirror_set_fixed(struct mirror *mirror, struct mirror_space *space, struct fixed_space *made,
                      uint64_t revision)
{
    struct mirror_fixed *fixed = made == NULL ? NULL : calloc(1, sizeof *fixed);

    if (fixed == NULL) {
        free(made);
        mirror->has_failed = true;
        return;
    }
    *fixed = (struct mirror_fixed){.holds = 1, .revision = revision, .space = made};
    mirror_release_fixed(space->fixed);
    space->fixed = fixed;
}

static void report_fixed(struct mirror *mirror, const struct mirror_space *space)
{
    char file[KEY_NAME_MOST + sizeof "f/"];

    if (space->fixed == NULL || !space->fixed->space->is_unreadable ||
        mirror_findings(mirror) == NULL)
        return;
    snprintf(file, sizeof file, "f/%s", space->name);
    report_add(mirror->report, FINDING_SYNTAX, file, location_at(0, 0),
               "it has no line `space`, so that nothing is known of what was fixed when space "
               "%.80s was created; put the key back as it was, or delete it",
               space->name);
}

static void put_fixed(struct mirror *mirror, const char *name, const struct etcd_pair *pair)
{
    struct mirror_space *space = mirror_make(mirror, name);

    if (space == NULL)
        return;
    space->fixed_mark = mirror->mark;
    if (space->fixed != NULL && space->fixed->revision == (uint64_t)pair->mod_revision &&
        !mirror->distrusts)
        return;
    if (pair->value.length > MIRROR_DOCUMENT_MOST) {
        mirror->ignored_count++;
        return;
    }
    mirror_set_fixed(mirror, space, fixed_text_read(name, pair->value.start, pair->value.length),
                     (uint64_t)pair->mod_revision);
    report_fixed(mirror, space);
    space->lacks_fixed = false;
    spoil_audits(mirror, name);
    mirror->has_documents = true; /* a document that was kept out may be right now */
}

/* ---- dynos ---- */

static const struct dyno_slot *find_pending(const struct mirror *mirror, const struct key *key)
{
    const struct dyno_slot *slot =
        dyno_table_find(&mirror->changes, key->space, key->app, key->type);

    if (slot == NULL)
        slot = dyno_table_find(&mirror->taken, key->space, key->app, key->type);
    if (slot == NULL)
        slot = dyno_table_find(&mirror->waiting, key->space, key->app, key->type);
    return slot;
}

static bool is_in_force(const struct mirror *mirror, const char *space, const char *app,
                        const char *type, uint64_t *revision)
{
    const struct segment *segment =
        mirror->current == NULL ? NULL : snapshot_find_space(mirror->current, space);

    return segment != NULL && segment_find_key(segment, app, type, revision);
}

void mirror_judge_again(struct mirror *mirror, const struct dyno_key *key)
{
    uint64_t revision;

    if (strcmp(key->type, "web") != 0 || key->is_bad || key->is_gone ||
        !mirror_has_app(mirror, key->space, key->app))
        return;
    const struct mirror_space *space = mirror_find(mirror, key->space);
    if (space != NULL && space->is_kept &&
        !is_in_force(mirror, key->space, key->app, key->type, &revision))
        mirror->has_documents = true;
}

static void put_dynos(struct mirror *mirror, const struct key *key, const struct etcd_pair *pair)
{
    const struct dyno_slot *known = find_pending(mirror, key);

    if (known != NULL && known->key->revision == (uint64_t)pair->mod_revision &&
        !known->key->is_gone && !mirror->distrusts)
        return;
    if (mirror_findings(mirror) == NULL)
        return;
    struct dyno_key *read = dyno_key_read(
        key->space, key->app, key->type, (uint64_t)pair->mod_revision, pair->value, mirror->report);
    dyno_table_drop(&mirror->deletions, key->space, key->app, key->type);
    dyno_table_drop(&mirror->held, key->space, key->app, key->type);
    spoil_audit(mirror, key->space);
    if (read != NULL)
        mirror_judge_again(mirror, read);
    if (read == NULL || !dyno_table_put(&mirror->changes, read, mirror->mark))
        mirror->has_failed = true;
}

/* A key that only waits goes at once: nothing that is in force depends on it. */
static bool drop_waiting(struct mirror *mirror, const char *space, const char *app,
                         const char *type)
{
    uint64_t revision;

    if (dyno_table_find(&mirror->taken, space, app, type) != NULL ||
        is_in_force(mirror, space, app, type, &revision))
        return false;
    dyno_table_drop(&mirror->changes, space, app, type);
    dyno_table_drop(&mirror->waiting, space, app, type);
    return true;
}

void mirror_put_gone(struct mirror *mirror, const char *space, const char *app, const char *type,
                     uint64_t revision)
{
    spoil_audit(mirror, space);
    if (drop_waiting(mirror, space, app, type))
        return;
    const struct dyno_slot *change = dyno_table_find(&mirror->changes, space, app, type);
    if ((change != NULL && change->key->is_gone) ||
        dyno_table_find(&mirror->held, space, app, type) != NULL)
        return;
    struct dyno_key *gone = dyno_key_gone(space, app, type, revision);
    if (gone == NULL) {
        mirror->has_failed = true;
        return;
    }
    bool is_judged = strcmp(type, "web") == 0 && mirror_is_running(mirror, space, app);
    dyno_table_drop(&mirror->changes, space, app, type);
    if (!dyno_table_put(is_judged ? &mirror->deletions : &mirror->changes, gone, mirror->mark))
        mirror->has_failed = true;
}

/* ---- events ---- */

static void note_change(struct mirror *mirror, enum key_kind kind, uint64_t revision)
{
    bool counts = kind == KEY_DOCUMENT || kind == KEY_FIXED || kind == KEY_DYNOS ||
                  kind == KEY_FORCE || kind == KEY_PAUSE ||
                  (kind == KEY_CANDIDATE && mirror->is_canary);

    if (counts && mirror->changed_revision < revision)
        mirror->changed_revision = revision;
}

void mirror_put(struct mirror *mirror, const struct etcd_pair *pair)
{
    struct key key;

    keys_read(&mirror->keys, pair->key.start, pair->key.length, &key);
    if (key.space[0] != '\0' && !mirror_selects(mirror, key.space))
        return;
    note_change(mirror, key.kind, (uint64_t)pair->mod_revision);
    switch (key.kind) {
    case KEY_DOCUMENT:
        put_document(mirror, key.space, pair);
        break;
    case KEY_CANDIDATE:
        put_candidate(mirror, key.space, pair);
        break;
    case KEY_FIXED:
        put_fixed(mirror, key.space, pair);
        break;
    case KEY_DYNOS:
        put_dynos(mirror, &key, pair);
        break;
    case KEY_OTHER:
        mirror->ignored_count++;
        break;
    case KEY_META:
    case KEY_CONFIG:
    case KEY_FORCE:
    case KEY_PAUSE:
    case KEY_BEAT:
    case KEY_HOST:
        mirror_put_single(mirror, key.kind, pair);
        break;
    }
}

static void delete_document(struct mirror *mirror, const char *name, uint64_t revision)
{
    struct mirror_space *space = mirror_find(mirror, name);

    if (space == NULL || space->document == NULL)
        return;
    mirror_release_document(space->document);
    space->document = NULL;
    space->gone_revision = revision;
    space->is_gone_forced = false;
    space->is_swept = false;
    space->defers = false;
    spoil_audits(mirror, name);
    mirror->has_documents = true;
}

/* For a canary, a space without a document goes with its candidate. */
static void delete_candidate(struct mirror *mirror, const char *name, uint64_t revision)
{
    struct mirror_space *space = mirror_find(mirror, name);

    if (space == NULL || space->candidate == NULL)
        return;
    mirror_release_document(space->candidate);
    space->candidate = NULL;
    if (mirror->is_canary) {
        space->is_gone_forced = false;
        if (space->document == NULL)
            space->gone_revision = revision;
    }
    spoil_audits(mirror, name);
    mirror->has_documents |= mirror->is_canary;
    mirror->has_missing = true;
}

static void delete_fixed(struct mirror *mirror, const char *name)
{
    struct mirror_space *space = mirror_find(mirror, name);

    if (space == NULL || space->fixed == NULL)
        return;
    mirror_release_fixed(space->fixed);
    space->fixed = NULL;
    spoil_audits(mirror, name);
    mirror->has_documents = true;
}

void mirror_delete(struct mirror *mirror, struct octets octets, uint64_t revision)
{
    struct key key;

    keys_read(&mirror->keys, octets.start, octets.length, &key);
    if (key.space[0] != '\0' && !mirror_selects(mirror, key.space))
        return;
    note_change(mirror, key.kind, revision);
    if (key.kind == KEY_DOCUMENT)
        delete_document(mirror, key.space, revision);
    else if (key.kind == KEY_CANDIDATE)
        delete_candidate(mirror, key.space, revision);
    else if (key.kind == KEY_FIXED)
        delete_fixed(mirror, key.space);
    else if (key.kind == KEY_DYNOS)
        mirror_put_gone(mirror, key.space, key.app, key.type, revision);
    else if (key.kind == KEY_PAUSE) {
        mirror->pause_revision = 0;
        mirror->is_audit_spoiled |= mirror->audits_names;
    }
}

/* ---- the end of a response ---- */

void mirror_finish(struct mirror *mirror, uint64_t now_ms, struct mirror_news *news)
{
    *news = (struct mirror_news){.held_count = 0};
    mirror_apply_force(mirror);
    mirror_judge_deletions(mirror, now_ms, news);
    news->holds_no_more = mirror->was_holding && mirror->held.count == 0;
    mirror->was_holding = mirror->held.count > 0;
    arena_release(mirror->texts);
    mirror->texts = NULL;
    news->has_change = mirror_has_documents(mirror) || mirror_has_keys(mirror);
}
