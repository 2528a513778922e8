#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "registry/mirror.h"

enum { AUDITS_DUE = 3 };

/* ---- one space's dyno keys ---- */

/* The keys that were read, while they are compared. */
struct comparing {
    struct mirror *mirror;
    const char *space;
    const struct etcd_pair *pairs; /* by key */
    size_t count;
    bool *is_known; /* of each: what is in force is the same */
    uint64_t revision;
    size_t differences;
};

static int compare_octets(struct octets a, const char *octets, size_t length)
{
    size_t shorter = a.length < length ? a.length : length;
    int order = shorter == 0 ? 0 : memcmp(a.start, octets, shorter);

    return order != 0 ? order : (a.length > length) - (a.length < length);
}

static const struct etcd_pair *find_pair(const struct comparing *comparing, const char *app,
                                         const char *type)
{
    struct key_text text;
    size_t low = 0, high = comparing->count;

    keys_write_dynos(&comparing->mirror->keys, comparing->space, app, type, &text);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_octets(comparing->pairs[middle].key, text.octets, text.length);
        if (order == 0)
            return &comparing->pairs[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool has_same_lines(const struct dyno_key *view, const struct etcd_pair *pair)
{
    struct report *report = report_new();
    struct dyno_key *read = report == NULL ? NULL
                                           : dyno_key_read(view->space, view->app, view->type,
                                                           view->revision, pair->value, report);
    bool is_same = read != NULL && !read->is_bad && read->count == view->count;

    for (size_t i = 0; is_same && i < view->count; i++)
        is_same = read->lines[i].number == view->lines[i].number &&
                  read->lines[i].ip == view->lines[i].ip &&
                  read->lines[i].state == view->lines[i].state;
    dyno_key_free(read);
    report_free(report);
    return is_same;
}

static bool is_pending(const struct mirror *mirror, const struct dyno_key *view)
{
    return dyno_table_find(&mirror->changes, view->space, view->app, view->type) != NULL ||
           dyno_table_find(&mirror->taken, view->space, view->app, view->type) != NULL;
}

/* A key in force. What is pending counts before it, and is swept by itself. */
static bool compare_in_force(void *context, const struct dyno_key *view)
{
    struct comparing *comparing = context;
    struct mirror *mirror = comparing->mirror;
    const struct etcd_pair *pair = find_pair(comparing, view->app, view->type);

    if (pair != NULL) {
        bool is_same = (uint64_t)pair->mod_revision == view->revision &&
                       (!mirror->distrusts || has_same_lines(view, pair));
        comparing->is_known[pair - comparing->pairs] = is_same;
        return true;
    }
    if (is_pending(mirror, view) ||
        dyno_table_find(&mirror->held, view->space, view->app, view->type) != NULL)
        return true;
    comparing->differences++;
    mirror_put_gone(mirror, view->space, view->app, view->type, comparing->revision);
    return true;
}

/* True when what is pending, or waits, is what was read. It is marked as seen. */
static bool compare_pending(struct mirror *mirror, const struct key *key,
                            const struct etcd_pair *pair, bool *is_same)
{
    struct dyno_table *tables[] = {&mirror->changes, &mirror->taken, &mirror->waiting};
    bool is_found = false;

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct dyno_slot *slot = dyno_table_find(tables[i], key->space, key->app, key->type);
        if (slot == NULL)
            continue;
        slot->mark = mirror->mark;
        if (is_found)
            continue;
        is_found = true;
        *is_same = !slot->key->is_gone && slot->key->revision == (uint64_t)pair->mod_revision &&
                   !mirror->distrusts;
    }
    return is_found;
}

static void compare_pair(struct comparing *comparing, size_t i)
{
    struct mirror *mirror = comparing->mirror;
    const struct etcd_pair *pair = &comparing->pairs[i];
    bool is_same = comparing->is_known[i];
    struct key key;

    keys_read(&mirror->keys, pair->key.start, pair->key.length, &key);
    if (key.kind != KEY_DYNOS || strcmp(key.space, comparing->space) != 0) {
        mirror->ignored_count++;
        return;
    }
    bool is_found = compare_pending(mirror, &key, pair, &is_same);
    if (is_same && !is_found)
        dyno_table_drop(&mirror->held, key.space, key.app, key.type); /* it is there again */
    if (is_same)
        return;
    comparing->differences++;
    mirror_put(mirror, pair);
}

size_t mirror_read_space(struct mirror *mirror, const char *space, const struct etcd_pair *pairs,
                         size_t count, uint64_t revision)
{
    const struct segment *segment =
        mirror->current == NULL ? NULL : snapshot_find_space(mirror->current, space);
    struct comparing comparing = {.mirror = mirror,
                                  .space = space,
                                  .pairs = pairs,
                                  .count = count,
                                  .is_known = calloc(count + 1, sizeof(bool)),
                                  .revision = revision};

    if (!mirror_selects(mirror, space)) {
        free(comparing.is_known);
        return 0;
    }
    if (comparing.is_known == NULL ||
        (segment != NULL && !segment_walk_keys(segment, compare_in_force, &comparing))) {
        mirror->has_failed = true;
        free(comparing.is_known);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        compare_pair(&comparing, i);
    free(comparing.is_known);
    return comparing.differences;
}

/* ---- what was not read any more ---- */

/* True when a newer change than this key says that it is gone, or that is held. */
static bool is_going(const struct mirror *mirror, const struct dyno_key *key)
{
    const struct dyno_slot *change =
        dyno_table_find(&mirror->changes, key->space, key->app, key->type);

    return (change != NULL && change->key->is_gone) ||
           dyno_table_find(&mirror->held, key->space, key->app, key->type) != NULL;
}

/*
 * Deletes the keys of a table that this read has not seen; `space` NULL: of all spaces. Deleting
 * changes the tables, so that the names are listed first.
 */
static size_t sweep_keys(struct mirror *mirror, const struct dyno_table *table, const char *space,
                         uint64_t revision)
{
    struct dyno_key **unseen = malloc((table->count + 1) * sizeof *unseen);
    size_t count = 0;

    for (size_t i = 0; unseen != NULL && i < table->used; i++) {
        const struct dyno_slot *slot = &table->slots[i];
        if (slot->key == NULL || slot->mark == mirror->mark || slot->key->is_gone ||
            (space != NULL && strcmp(slot->key->space, space) != 0) || is_going(mirror, slot->key))
            continue;
        unseen[count] = dyno_key_gone(slot->key->space, slot->key->app, slot->key->type, revision);
        if (unseen[count] == NULL)
            mirror->has_failed = true;
        else
            count++;
    }
    mirror->has_failed |= unseen == NULL;
    for (size_t i = 0; i < count; i++) {
        mirror_put_gone(mirror, unseen[i]->space, unseen[i]->app, unseen[i]->type, revision);
        dyno_key_free(unseen[i]);
    }
    free(unseen);
    return count;
}

static size_t sweep_tables(struct mirror *mirror, const char *space, uint64_t revision)
{
    return sweep_keys(mirror, &mirror->changes, space, revision) +
           sweep_keys(mirror, &mirror->taken, space, revision) +
           sweep_keys(mirror, &mirror->waiting, space, revision);
}

static void delete_kind(struct mirror *mirror, enum key_kind kind, const char *space,
                        uint64_t revision)
{
    struct key_text text;

    keys_write(&mirror->keys, kind, space, &text);
    mirror_delete(mirror, octets_of(text.octets), revision);
}

/* Whatever deleted it came before the revision of the read. */
static void sweep_document(struct mirror *mirror, struct mirror_space *space, uint64_t revision)
{
    delete_kind(mirror, KEY_DOCUMENT, space->name, revision);
    space->is_swept = space->document == NULL;
}

static void sweep_space(struct mirror *mirror, struct mirror_space *space, uint64_t revision)
{
    if (space->document != NULL && space->document_mark != mirror->mark)
        sweep_document(mirror, space, revision);
    if (space->candidate != NULL && space->candidate_mark != mirror->mark)
        delete_kind(mirror, KEY_CANDIDATE, space->name, revision);
    if (space->fixed != NULL && space->fixed_mark != mirror->mark)
        delete_kind(mirror, KEY_FIXED, space->name, revision);
}

/* ---- full reads ---- */

void mirror_begin_read(struct mirror *mirror, bool distrusts)
{
    mirror->mark++;
    mirror->distrusts = distrusts;
    mirror->history += distrusts;
    mirror->ignored_count = 0;
    mirror->dropped_spaces = 0;
    mirror->has_failed = false;
    mirror->audited[0] = '\0';
    mirror->audits_names = false;
}

void mirror_end_read(struct mirror *mirror, uint64_t revision)
{
    for (size_t i = 0; i < mirror->space_count; i++)
        sweep_space(mirror, mirror->spaces[i], revision);
    sweep_tables(mirror, NULL, revision);
    if (mirror->single_marks[KEY_PAUSE] != mirror->mark)
        mirror->pause_revision = 0;
    if (mirror->single_marks[KEY_FORCE] != mirror->mark)
        mirror->force_seen = revision;
    /* What has gone may have been the last change. */
    bool is_other =
        mirror->has_documents || mirror->changes.count > 0 || mirror->deletions.count > 0;
    if (is_other || mirror->distrusts || mirror->current == NULL ||
        mirror->changed_revision > revision)
        mirror->changed_revision = revision;
    mirror->distrusts = false;
}

void mirror_abandon_read(struct mirror *mirror)
{
    mirror->distrusts = false;
}

/* ---- audits ---- */

size_t mirror_audits_due(const struct mirror *mirror)
{
    size_t count = mirror->wants_names;

    for (size_t i = 0; i < mirror->space_count; i++)
        count += mirror->spaces[i]->audits_due > 0;
    return count;
}

/* What the next audit looks at: spaces that are due, then the one behind the last. */
static size_t next_audited(const struct mirror *mirror)
{
    size_t at = 0;

    if (mirror->wants_names)
        return mirror->space_count;
    while (at < mirror->space_count && mirror->spaces[at]->audits_due == 0)
        at++;
    if (at < mirror->space_count)
        return at;
    at = 0;
    while (at < mirror->space_count && strcmp(mirror->spaces[at]->name, mirror->audited) <= 0)
        at++;
    return at;
}

const char *mirror_begin_audit(struct mirror *mirror)
{
    size_t at = next_audited(mirror);

    mirror->is_audit_spoiled = false;
    mirror->audits_names = at == mirror->space_count;
    mirror->audited[0] = '\0';
    if (mirror->audits_names)
        return NULL;
    const char *name = mirror->spaces[at]->name;
    if (mirror->spaces[at]->audits_due > 0)
        mirror->spaces[at]->audits_due--;
    memcpy(mirror->audited, name, strlen(name) + 1);
    return mirror->audited;
}

static bool is_version(const struct mirror_document *document, const struct etcd_pair *pair)
{
    return document != NULL && document->mod_revision == (uint64_t)pair->mod_revision;
}

/* False beyond the limit, which is no lack of memory. */
static bool has_room(struct mirror *mirror, const char *name)
{
    return mirror_find(mirror, name) != NULL || mirror->space_count < MIRROR_SPACES_MOST ||
           mirror_make(mirror, name) != NULL;
}

/* Whose document went by has perhaps lost dynos in the same way. Its text, when it comes, spoils an
 * audit. */
static bool restore_new(struct mirror *mirror, const char *name, const struct etcd_pair *pair)
{
    if (!mirror_restore_newest(mirror, name, (uint64_t)pair->mod_revision,
                               (uint64_t)pair->create_revision, 0))
        return false;
    mirror_find(mirror, name)->audits_due = AUDITS_DUE;
    return true;
}

/* Returns true when the key is not as it is known; what it has is missing from now on. */
static bool audit_document_name(struct mirror *mirror, const char *name,
                                const struct etcd_pair *pair)
{
    const struct mirror_space *space = mirror_find(mirror, name);

    if (space != NULL && is_version(space->document, pair))
        return false;
    if (!restore_new(mirror, name, pair))
        mirror->has_failed = true;
    return true;
}

static bool audit_candidate(struct mirror *mirror, const char *name, const struct etcd_pair *pair)
{
    struct mirror_space *space = mirror_find(mirror, name);
    bool is_known = space != NULL && is_version(space->candidate, pair);

    if (!is_known && !mirror_restore_candidate(mirror, name, (uint64_t)pair->mod_revision,
                                               (uint64_t)pair->create_revision, false))
        mirror->has_failed = true;
    space = mirror_find(mirror, name);
    if (space != NULL)
        space->candidate_mark = mirror->mark;
    return !is_known;
}

static bool audit_fixed(struct mirror *mirror, const char *name, const struct etcd_pair *pair)
{
    struct mirror_space *space = mirror_make(mirror, name);

    if (space == NULL)
        return false;
    space->fixed_mark = mirror->mark;
    if (space->fixed != NULL && space->fixed->revision == (uint64_t)pair->mod_revision)
        return false;
    space->lacks_fixed = true;
    mirror->has_missing = true;
    return true;
}

/* One that is applied again does no harm, so that it is read where it is not known. */
static bool audit_force(struct mirror *mirror, const struct etcd_pair *pair)
{
    uint64_t seen = mirror->force_seen;

    mirror->lacks_force = (uint64_t)pair->mod_revision > seen;
    mirror->has_missing |= mirror->lacks_force;
    return mirror->lacks_force && seen != 0;
}

static bool audit_name(struct mirror *mirror, const struct etcd_pair *pair)
{
    struct key key;

    keys_read(&mirror->keys, pair->key.start, pair->key.length, &key);
    if (key.kind == KEY_FORCE)
        return audit_force(mirror, pair);
    if (!mirror_selects(mirror, key.space))
        return false;
    if (!has_room(mirror, key.space))
        return false;
    if (key.kind == KEY_DOCUMENT)
        return audit_document_name(mirror, key.space, pair);
    if (key.kind == KEY_CANDIDATE)
        return audit_candidate(mirror, key.space, pair);
    return key.kind == KEY_FIXED && audit_fixed(mirror, key.space, pair);
}

/* What is known and was not among the names is gone. Documents are audited space by space. */
static size_t sweep_names(struct mirror *mirror, uint64_t revision)
{
    size_t count = 0;

    for (size_t i = 0; i < mirror->space_count; i++) {
        const struct mirror_space *space = mirror->spaces[i];
        bool has_lost_fixed = space->fixed != NULL && space->fixed_mark != mirror->mark;
        bool has_lost_candidate = space->candidate != NULL && space->candidate_mark != mirror->mark;
        if (has_lost_fixed)
            delete_kind(mirror, KEY_FIXED, space->name, revision);
        if (has_lost_candidate)
            delete_kind(mirror, KEY_CANDIDATE, space->name, revision);
        count += (size_t)has_lost_fixed + (size_t)has_lost_candidate;
    }
    return count;
}

/* Who has paused it, and why, is not known by the name alone. */
static size_t audit_pause(struct mirror *mirror, uint64_t revision)
{
    if (mirror->pause_revision == revision)
        return 0;
    mirror->pause_revision = revision;
    mirror_write_unnamed_pause(mirror);
    return 1;
}

size_t mirror_end_names_audit(struct mirror *mirror, const struct etcd_pair *pairs, size_t count,
                              uint64_t revision)
{
    size_t differences = 0;
    uint64_t pause = 0;
    struct key key;

    if (!mirror->audits_names || mirror->is_audit_spoiled) {
        mirror->audits_names = false;
        return 0;
    }
    mirror->audits_names = false;
    mirror->wants_names = false;
    mirror->dropped_spaces = 0;
    mirror->mark++;
    for (size_t i = 0; i < count; i++) {
        keys_read(&mirror->keys, pairs[i].key.start, pairs[i].key.length, &key);
        if (key.kind == KEY_PAUSE)
            pause = (uint64_t)pairs[i].mod_revision;
        differences += audit_name(mirror, &pairs[i]);
    }
    return differences + sweep_names(mirror, revision) + audit_pause(mirror, pause);
}

static size_t audit_document(struct mirror *mirror, const struct etcd_pair *pair, uint64_t revision)
{
    struct mirror_space *space = mirror_find(mirror, mirror->audited);
    const struct mirror_document *known = space == NULL ? NULL : space->document;

    if (pair == NULL && known == NULL)
        return 0;
    if (pair == NULL) {
        sweep_document(mirror, space, revision);
        return 1;
    }
    if (known != NULL && known->mod_revision == (uint64_t)pair->mod_revision &&
        known->create_revision == (uint64_t)pair->create_revision)
        return 0;
    mirror_put(mirror, pair);
    return 1;
}

size_t mirror_end_audit(struct mirror *mirror, const struct etcd_pair *document,
                        const struct etcd_pair *pairs, size_t count, uint64_t revision)
{
    struct mirror_space *space = mirror_find(mirror, mirror->audited);

    if (mirror->is_audit_spoiled || mirror->audited[0] == '\0')
        return 0;
    mirror->mark++;
    if (space != NULL)
        space->audits_due = 0;
    return audit_document(mirror, document, revision) +
           mirror_read_space(mirror, mirror->audited, pairs, count, revision) +
           sweep_tables(mirror, mirror->audited, revision);
}
