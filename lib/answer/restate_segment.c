/* The dyno half of a copy: formations as they were, and those of the changes. */
#include "answer/restating.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- scratch ---- */

/* Takes room off the scratch; without scratch, only measures. */
static void *cut(const struct restating *restating, size_t *at, size_t octets, size_t alignment)
{
    uintptr_t start = (uintptr_t)restating->scratch + *at;
    size_t gap = (alignment - start % alignment) % alignment;
    void *piece = restating->scratch == NULL ? NULL : restating->scratch + *at + gap;

    *at += octets + (restating->scratch == NULL ? alignment : gap);
    return piece;
}

static size_t lay_out(struct restating *restating)
{
    const struct segment *before = restating->before;
    size_t formations = before->formation_count + restating->change_count + 1;
    size_t declared = restating->declared == NULL ? 0 : restating->declared->dyno_count;
    size_t dynos = before->dyno_count + restating->line_count + declared + 1;
    struct dyno_half *half = &restating->half;
    size_t at = 0;

    half->apps = cut(restating, &at, before->app_count * sizeof *half->apps, APP_ENTRY_OCTETS);
    half->revisions = cut(restating, &at, formations * sizeof *half->revisions, sizeof(uint64_t));
    half->formations = cut(restating, &at, formations * sizeof *half->formations, 8);
    half->dynos = cut(restating, &at, dynos * sizeof *half->dynos, 8);
    half->dynos_by_ip = cut(restating, &at, dynos * sizeof *half->dynos_by_ip, 8);
    restating->fresh = cut(restating, &at, dynos * sizeof *restating->fresh, 8);
    restating->renumbered =
        cut(restating, &at, (before->dyno_count + 1) * sizeof *restating->renumbered, 8);
    restating->is_changed = cut(restating, &at, formations * sizeof *restating->is_changed, 1);
    return at;
}

static bool take_scratch(struct restating *restating)
{
    restating->scratch = malloc(lay_out(restating));
    if (restating->scratch == NULL)
        return false;
    lay_out(restating);
    return true;
}

/* ---- formations ---- */

static bool is_web(const char *type)
{
    return strcmp(type, "web") == 0;
}

/* The texts as they were, unless some type is no more: then those that are left are put anew. */
static bool begin_types(struct restating *restating)
{
    const struct segment *before = restating->before;

    restating->keeps_types = true;
    for (size_t i = 0; i < restating->change_count; i++) {
        const struct change *change = &restating->changes[i];
        if (change->key->is_gone && before->formations[change->formation].at.line == 0)
            restating->keeps_types = false;
    }
    return !restating->keeps_types ||
           type_texts_copy(&restating->half.types, before->types, before->type_octets);
}

/* Copies formations as they were, a run of them with their dynos. Returns false without memory. */
static bool keep_formations(struct restating *restating, uint32_t first, uint32_t end)
{
    const struct segment *before = restating->before;
    const struct formation_entry *old = &before->formations[first];
    struct dyno_half *half = &restating->half;
    struct formation_entry *kept = &half->formations[half->formation_count];
    uint32_t count = end - first;
    bool are_put = true;

    if (count == 0)
        return true;
    uint32_t dyno = old->dynos, dyno_end = old[count - 1].dynos + old[count - 1].dyno_count;
    uint32_t shift = half->dyno_count - dyno; /* modulo 2^32 */
    memcpy(kept, old, count * sizeof *kept);
    memset(&restating->is_changed[half->formation_count], 0, count);
    for (uint32_t i = 0; i < count; i++)
        kept[i].dynos += shift;
    for (uint32_t i = 0; i < count && !restating->keeps_types && are_put; i++)
        are_put = type_texts_put(&half->types, segment_type(before, &old[i]), &kept[i].type);
    for (uint32_t i = 0; i < count; i++)
        half->revisions[half->formation_count + i] = segment_revision(before, &old[i]);
    if (dyno_end > dyno)
        memcpy(&half->dynos[half->dyno_count], &before->dynos[dyno],
               (dyno_end - dyno) * sizeof *half->dynos);
    for (uint32_t i = dyno; i < dyno_end; i++)
        restating->renumbered[i] = i + shift;
    half->formation_count += count;
    half->dyno_count += dyno_end - dyno;
    return are_put;
}

/* Adds a formation without dynos, of a type's text. Returns NULL without memory. */
static struct formation_entry *add_formation(struct restating *restating,
                                             const struct formation_entry *like, const char *type,
                                             uint64_t revision)
{
    struct dyno_half *half = &restating->half;
    struct formation_entry *entry = &half->formations[half->formation_count];
    bool has_text = restating->keeps_types && like->dynos != ENTRY_NONE;

    *entry = *like;
    entry->dynos = half->dyno_count;
    entry->dyno_count = 0;
    half->revisions[half->formation_count] = revision;
    half->formation_count++;
    return has_text || type_texts_put(&half->types, type, &entry->type) ? entry : NULL;
}

/* The dynos of a changed formation are published anew. */
static void finish_changed(struct restating *restating, struct formation_entry *entry)
{
    struct dyno_half *half = &restating->half;

    entry->dyno_count = half->dyno_count - entry->dynos;
    restating->is_changed[entry - half->formations] = true;
    if (!formation_is_published(half->apps, entry))
        return;
    for (uint32_t i = entry->dynos; i < half->dyno_count; i++)
        if (dyno_is_named(&half->dynos[i]))
            restating->fresh[restating->fresh_count++] = i;
}

static bool put_list(struct restating *restating, const struct formation_entry *like,
                     const struct dyno_key *key)
{
    struct dyno_half *half = &restating->half;
    struct formation_entry *entry = add_formation(restating, like, key->type, key->revision);

    if (entry == NULL)
        return false;
    for (size_t i = 0; i < key->count; i++) {
        const struct dyno_line *line = &key->lines[i];
        half->dynos[half->dyno_count++] = (struct dyno_entry){
            .ip = line->ip,
            .number = line->number,
            .line = location_at(line->line, 0).line,
            .state = line->state,
        };
    }
    finish_changed(restating, entry);
    return true;
}

/* Gives a declared formation its own list back. Declared ones are the first of their app. */
static bool put_declared(struct restating *restating, const struct formation_entry *old)
{
    const struct segment *before = restating->before, *declared = restating->declared;
    struct dyno_half *half = &restating->half;
    struct formation_entry *entry = add_formation(restating, old, segment_type(before, old), 0);

    if (entry == NULL)
        return false;
    if (declared != NULL) {
        size_t nth = (size_t)(old - before->formations) - before->apps[old->app].formations;
        const struct formation_entry *own =
            &declared->formations[declared->apps[old->app].formations + nth];
        for (uint32_t i = 0; i < own->dyno_count; i++)
            half->dynos[half->dyno_count++] = declared->dynos[own->dynos + i];
    }
    finish_changed(restating, entry);
    return true;
}

/* ---- apps ---- */

static void replace_dynos(struct restating *restating, const struct formation_entry *old)
{
    for (uint32_t i = 0; i < old->dyno_count; i++)
        restating->renumbered[old->dynos + i] = ENTRY_NONE;
}

static bool put_changed(struct restating *restating, const struct change *change)
{
    const struct formation_entry *old = &restating->before->formations[change->formation];

    replace_dynos(restating, old);
    if (!change->key->is_gone)
        return put_list(restating, old, change->key);
    return old->at.line == 0 || put_declared(restating, old);
}

static bool put_new(struct restating *restating, const struct change *change)
{
    size_t length = strlen(change->key->type);
    const struct formation_entry like = {
        .app = change->app,
        .dynos = ENTRY_NONE, /* not one of the segment before */
        .type_length = length <= LABEL_MAX_OCTETS ? (uint8_t)length : 0,
    };

    return put_list(restating, &like, change->key);
}

/*
 * The changes of an app: first those of its formations, then new types. Undeclared types are
 * sorted, so that it does not matter in which order keys came.
 */
static bool put_formations(struct restating *restating, uint32_t app, const struct change *next,
                           const struct change *end)
{
    const struct segment *before = restating->before;
    const struct app_entry *old = &before->apps[app];
    const struct change *added = next;
    bool is_put = true;

    while (added < end && added->formation != ENTRY_NONE)
        added++;
    const struct change *first_added = added;
    for (uint32_t i = old->formations; i < old->formations + old->formation_count && is_put; i++) {
        const struct formation_entry *formation = &before->formations[i];
        while (is_put && formation->at.line == 0 && added < end &&
               strcmp(added->key->type, segment_type(before, formation)) < 0)
            is_put = put_new(restating, added++);
        if (is_put && next < first_added && next->formation == i)
            is_put = put_changed(restating, next++);
        else if (is_put)
            is_put = keep_formations(restating, i, i + 1);
    }
    while (is_put && added < end)
        is_put = put_new(restating, added++);
    return is_put;
}

static void count_web(struct restating *restating, struct app_entry *app)
{
    const struct dyno_half *half = &restating->half;

    app->web_count = app->web_up = app->web_crashed = 0;
    for (uint32_t i = app->formations; i < half->formation_count; i++)
        if (is_web(half->types.octets + half->formations[i].type))
            app_count_web(app, &half->dynos[half->formations[i].dynos],
                          half->formations[i].dyno_count);
}

static bool put_app(struct restating *restating, uint32_t number, const struct change *first,
                    const struct change *end)
{
    struct dyno_half *half = &restating->half;
    struct app_entry *app = &half->apps[number];

    *app = restating->before->apps[number];
    app->formations = half->formation_count;
    if (!put_formations(restating, number, first, end))
        return false;
    app->formation_count = (uint16_t)(half->formation_count - app->formations);
    count_web(restating, app);
    return true;
}

/* Copies a run of apps as they were. */
static bool keep_apps(struct restating *restating, uint32_t first, uint32_t end)
{
    const struct segment *before = restating->before;
    struct app_entry *apps = restating->half.apps;

    if (first == end)
        return true;
    uint32_t formation = before->apps[first].formations;
    uint32_t formation_end =
        before->apps[end - 1].formations + before->apps[end - 1].formation_count;
    uint32_t shift = restating->half.formation_count - formation; /* modulo 2^32 */
    memcpy(&apps[first], &before->apps[first], (end - first) * sizeof *apps);
    for (uint32_t i = first; i < end && shift != 0; i++)
        apps[i].formations += shift;
    return keep_formations(restating, formation, formation_end);
}

static bool put_apps(struct restating *restating)
{
    const struct segment *before = restating->before;
    const struct change *next = restating->changes, *end = next + restating->change_count;
    uint32_t kept = 0;

    if (!begin_types(restating))
        return false;
    while (next < end) {
        const struct change *first = next;
        while (next < end && next->app == first->app)
            next++;
        if (!keep_apps(restating, kept, first->app) || !put_app(restating, first->app, first, next))
            return false;
        kept = first->app + 1;
    }
    return keep_apps(restating, kept, (uint32_t)before->app_count);
}

/* ---- addresses ---- */

static void list_published(struct dyno_half *half)
{
    for (uint32_t i = 0; i < half->formation_count; i++) {
        const struct formation_entry *formation = &half->formations[i];
        bool is_published = formation_is_published(half->apps, formation);
        for (uint32_t j = 0; j < formation->dyno_count && is_published; j++)
            if (dyno_is_named(&half->dynos[formation->dynos + j]))
                half->dynos_by_ip[half->published_count++] = formation->dynos + j;
    }
    dyno_half_sort(half, half->dynos_by_ip, half->published_count);
}

/* Merges what was sorted before with the few new ones, which are sorted here. */
static void merge_published(struct restating *restating)
{
    const struct segment *before = restating->before;
    struct dyno_half *half = &restating->half;
    uint32_t next = 0;

    dyno_half_sort(half, restating->fresh, restating->fresh_count);
    for (size_t i = 0; i < before->published_count; i++) {
        uint32_t dyno = restating->renumbered[before->dynos_by_ip[i]];
        if (dyno == ENTRY_NONE)
            continue;
        while (next < restating->fresh_count &&
               dyno_half_compare(half, restating->fresh[next], dyno) < 0)
            half->dynos_by_ip[half->published_count++] = restating->fresh[next++];
        half->dynos_by_ip[half->published_count++] = dyno;
    }
    while (next < restating->fresh_count)
        half->dynos_by_ip[half->published_count++] = restating->fresh[next++];
}

/* Where a dyno is written. */
static void locate(const struct restating *restating, const struct formation_entry *formation,
                   char out[DYNO_KEY_FILE_OCTETS])
{
    const struct segment *before = restating->before;
    const struct dyno_half *half = &restating->half;
    const struct app_entry *app = &half->apps[formation->app];
    uint64_t revision = half->revisions[formation - half->formations];
    char name[UINT8_MAX + 1] = "";

    if (revision == 0) {
        snprintf(out, DYNO_KEY_FILE_OCTETS, "%s", before->file);
        return;
    }
    memcpy(name, segment_text(before, app->name), app->name_length);
    const struct dyno_key key = {.space = before->name,
                                 .app = name,
                                 .type = half->types.octets + formation->type,
                                 .revision = revision};
    dyno_key_file(&key, out);
}

/* Reports a dyno that has just lost its reverse name to the owner. */
static void report_moved(const struct restating *restating, uint32_t owner, uint32_t loser)
{
    const struct segment *before = restating->before;
    const struct dyno_half *half = &restating->half;
    const struct formation_entry *theirs = dyno_half_formation(half, owner);
    const struct formation_entry *own = dyno_half_formation(half, loser);
    const struct dyno_entry *dyno = &half->dynos[loser];
    uint32_t known = segment_find_dyno(before, dyno->ip);
    bool had_it = known != ENTRY_NONE && restating->renumbered[known] == loser;
    char file[DYNO_KEY_FILE_OCTETS], newer[DYNO_KEY_FILE_OCTETS], address[CIDR_TEXT_MAX];

    if (restating->outcome->report == NULL ||
        (!had_it && !restating->is_changed[own - half->formations]))
        return;
    locate(restating, own, file);
    locate(restating, theirs, newer);
    ipv4_write(dyno->ip, address);
    report_add(restating->outcome->report, FINDING_DYNO_IP_MOVED, file, location_at(dyno->line, 1),
               "address %s of dyno %.64s.%u is also that of %.64s.%u in %.260s, which owns its "
               "reverse name; take the dyno that is no more out of its list",
               address, half->types.octets + own->type, (unsigned)dyno->number,
               half->types.octets + theirs->type, (unsigned)half->dynos[owner].number, newer);
}

/* Leaves each address with its owner, the first of those that have it. */
static void keep_owners(struct restating *restating)
{
    struct dyno_half *half = &restating->half;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < half->published_count; i++) {
        uint32_t dyno = half->dynos_by_ip[i];
        uint32_t owner = kept == 0 ? dyno : half->dynos_by_ip[kept - 1];
        if (kept > 0 && half->dynos[owner].ip == half->dynos[dyno].ip)
            report_moved(restating, owner, dyno);
        else
            half->dynos_by_ip[kept++] = dyno;
    }
    half->hidden_count = half->published_count - kept;
    half->published_count = kept;
}

static void publish(struct restating *restating)
{
    /* Whoever had lost its reverse name may have it again. */
    if (restating->before->hidden_count == 0)
        merge_published(restating);
    else
        list_published(&restating->half);
    keep_owners(restating);
}

/* ---- the copy ---- */

static bool has_keys(const struct dyno_half *half)
{
    for (uint32_t i = 0; i < half->formation_count; i++)
        if (half->revisions[i] != 0)
            return true;
    return false;
}

/* The segment with the lists of the file, where it declares dynos. */
static struct segment *find_declared(const struct segment *before)
{
    if (before->declared != NULL || before->revisions != NULL || before->dyno_count == 0)
        return before->declared;
    return (struct segment *)before;
}

static struct segment *join(struct restating *restating)
{
    struct dyno_half *half = &restating->half;
    struct segment head;
    size_t shared_octets = arena_used(restating->before->arena);

    /* Octets between members, too: equal segments have equal images. */
    memcpy(&head, restating->before, sizeof head);
    if (!has_keys(half)) {
        half->revisions = NULL;
        restating->declared = NULL;
    }
    head.declared = restating->declared;
    if (head.declared != NULL)
        shared_octets = head.declared->octets;
    struct segment *segment = dyno_half_join(&head, half, shared_octets);
    if (segment == NULL)
        return NULL;
    arena_hold(segment->arena);
    if (segment->declared != NULL)
        segment_hold(segment->declared);
    return segment;
}

static struct segment *make_copy(struct restating *restating)
{
    if (!take_scratch(restating) || !put_apps(restating))
        return NULL;
    publish(restating);
    return join(restating);
}

struct segment *segment_restate(const struct segment *before, const struct dyno_key *const *keys,
                                size_t count, struct restate_outcome *outcome, struct err *err)
{
    struct restating restating = {
        .before = before, .declared = find_declared(before), .outcome = outcome};
    struct segment *segment = NULL;

    if (restate_plan(&restating, keys, count))
        segment = restating.change_count == 0 ? segment_hold((struct segment *)before)
                                              : make_copy(&restating);
    free(restating.changes);
    free(restating.scratch);
    type_texts_close(&restating.half.types);
    if (segment == NULL)
        err_set(err, ERR_MEMORY, "%s: out of memory while dynos were changed", before->file);
    else
        outcome->changed_spaces += segment != before;
    return segment;
}
