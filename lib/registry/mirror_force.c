#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "registry/lines.h"
#include "registry/mirror.h"

/* ---- force ---- */

/* Applies `accept` lines and the revision of `force` to what is held or kept out. */
static bool names(const struct mirror *mirror, const char *key, const char *space)
{
    struct lines lines = lines_over(mirror->force, mirror->force_length);
    struct line line;

    while (lines_next(&lines, &line))
        if (line_is(&line, key) &&
            ((line.value.length == 3 && memcmp(line.value.octets, "all", 3) == 0) ||
             (line.value.length == strlen(space) &&
              memcmp(line.value.octets, space, line.value.length) == 0)))
            return true;
    return false;
}

static bool forces(const struct mirror *mirror, const char *space, uint64_t revision)
{
    return revision == mirror->force_revision ||
           (revision != 0 && revision < mirror->force_revision && names(mirror, "accept", space));
}

/* The revision of a removal that was not seen is not known, but force names what it removes. */
static bool removes(const struct mirror *mirror, const struct mirror_space *space)
{
    return space->is_swept && space->served != NULL &&
           space->served->mod_revision < mirror->force_revision &&
           names(mirror, "remove", space->name);
}

/* Which revision has removed what the space should be served from; 0: none has. */
static uint64_t gone_revision_of(const struct mirror *mirror, const struct mirror_space *space)
{
    if (!mirror->is_canary || space->candidate == NULL)
        return space->gone_revision;
    return space->candidate->is_removal ? space->candidate->mod_revision : 0;
}

static void force_space(struct mirror *mirror, struct mirror_space *space)
{
    struct mirror_document *newest = mirror_newest(mirror, space);
    uint64_t gone = gone_revision_of(mirror, space);

    if (newest != NULL && !newest->is_forced && forces(mirror, space->name, newest->mod_revision)) {
        newest->is_forced = true;
        mirror->has_documents |= space->is_kept;
    }
    if (gone != 0 && !space->is_gone_forced &&
        (forces(mirror, space->name, gone) || removes(mirror, space))) {
        space->is_gone_forced = true;
        mirror->has_documents = true;
    }
}

/* Lets the deletions that are forced go on. */
static void force_deletions(struct mirror *mirror, struct dyno_table *table)
{
    for (size_t i = 0; i < table->used; i++) {
        const struct dyno_key *key = table->slots[i].key;
        const struct mirror_space *space = key == NULL ? NULL : mirror_find(mirror, key->space);
        bool goes = space != NULL && space->is_gone_forced;
        if (key == NULL || (!goes && !forces(mirror, key->space, key->revision)))
            continue;
        struct dyno_key *taken = dyno_table_take(table, key->space, key->app, key->type);
        if (!dyno_table_put(&mirror->changes, taken, mirror->mark))
            mirror->has_failed = true;
    }
}

void mirror_apply_force(struct mirror *mirror)
{
    if (mirror->force_revision == 0)
        return;
    for (size_t i = 0; i < mirror->space_count; i++)
        force_space(mirror, mirror->spaces[i]);
    force_deletions(mirror, &mirror->deletions);
    force_deletions(mirror, &mirror->held);
    mirror->force_revision = 0;
}

/* Everything of the revision comes within the response: force is applied when the next one comes,
 * or at the end. */
static void put_force(struct mirror *mirror, const struct etcd_pair *pair)
{
    size_t length = pair->value.length > MIRROR_VALUE_MOST ? MIRROR_VALUE_MOST : pair->value.length;

    mirror_apply_force(mirror);
    mirror->is_audit_spoiled |= mirror->audits_names;
    free(mirror->force);
    mirror->force_length = 0;
    mirror->force = malloc(length + 1);
    if (mirror->force == NULL) {
        mirror->has_failed = true;
        return;
    }
    if (length > 0)
        memcpy(mirror->force, pair->value.start, length);
    mirror->force_length = length;
    mirror->force_revision = mirror->force_seen = (uint64_t)pair->mod_revision;
    mirror->lacks_force = false;
}

static void add_release(struct mirror *mirror, const struct line_text *name)
{
    char **wider =
        realloc(mirror->releases, (mirror->release_count + 1) * sizeof *mirror->releases);

    if (wider != NULL) {
        mirror->releases = wider;
        wider[mirror->release_count] = strndup(name->octets, name->length);
    }
    if (wider == NULL || wider[mirror->release_count] == NULL)
        mirror->has_failed = true;
    else
        mirror->release_count++;
}

static void put_config(struct mirror *mirror, const struct etcd_pair *pair)
{
    struct lines lines = lines_over(pair->value.start, pair->value.length);
    struct line line;
    const size_t most = 100000;

    while (mirror->release_count < most && lines_next(&lines, &line))
        if (line_is(&line, "release") && line.value.length <= KEY_NAME_MOST)
            add_release(mirror, &line.value);
}

static void copy_word(const struct etcd_pair *pair, const char *key, char *out, size_t size)
{
    char word[MIRROR_WORDS_MOST];

    lines_copy(pair->value.start, pair->value.length, key, word, sizeof word);
    escape_string(out, size, word);
}

void mirror_write_unnamed_pause(struct mirror *mirror)
{
    snprintf(mirror->pause, sizeof mirror->pause, "no name and no reason are known");
}

/* The key alone pauses, whatever its value is. */
static void put_pause(struct mirror *mirror, const struct etcd_pair *pair)
{
    char by[MIRROR_WORDS_MOST / 3] = "", why[MIRROR_WORDS_MOST / 2] = "";

    if (pair->value.length <= MIRROR_VALUE_MOST) {
        copy_word(pair, "by", by, sizeof by);
        copy_word(pair, "why", why, sizeof why);
    }
    const char *separator = by[0] == '\0' || why[0] == '\0' ? "" : ": ";
    snprintf(mirror->pause, sizeof mirror->pause, "%s%s%s", by, separator, why);
    if (mirror->pause[0] == '\0')
        mirror_write_unnamed_pause(mirror);
    mirror->pause_revision = (uint64_t)pair->mod_revision;
    mirror->is_audit_spoiled |= mirror->audits_names;
}

static void put_beat(struct mirror *mirror, const struct etcd_pair *pair)
{
    mirror->beat_at_ms = lines_number(pair->value.start, pair->value.length, "at_ms");
    mirror->beat_revision = (uint64_t)pair->mod_revision;
    copy_word(pair, "by", mirror->writer, sizeof mirror->writer);
}

void mirror_put_single(struct mirror *mirror, enum key_kind kind, const struct etcd_pair *pair)
{
    mirror->single_marks[kind] = mirror->mark;
    if (kind == KEY_FORCE)
        put_force(mirror, pair);
    else if (kind == KEY_CONFIG && pair->value.length <= MIRROR_DOCUMENT_MOST)
        put_config(mirror, pair);
    else if (kind == KEY_PAUSE)
        put_pause(mirror, pair);
    else if (kind == KEY_BEAT && pair->value.length <= MIRROR_VALUE_MOST)
        put_beat(mirror, pair);
}
