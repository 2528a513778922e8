#include <string.h>

#include "answer/crosscheck.h"

/* An app that never had an id is the same one under a new id. */
static const char recreation[] = "a new id instead of its id, another name, or remove it with one "
                                 "reload or push and add it with the next";

struct immutable_check {
    const struct snapshot *before;
    const struct candidates *candidates;
    const struct load_fixed *fixed;
    struct report *report;
    bool has_refused; /* something of the segment that is being checked */
    uint32_t likely;  /* number of the app that find_in looks at first */
};

/* What is fixed of a space, or NULL. */
static const struct fixed_space *find_fixed(const struct immutable_check *check, const char *space)
{
    return check->fixed->find == NULL ? NULL : check->fixed->find(check->fixed->context, space);
}

static bool is_app_fixed(const struct fixed_space *fixed, const struct segment *segment,
                         uint32_t number)
{
    const struct app_entry *app = &segment->apps[number];
    const char *id = segment->app_ids == NULL ? NULL : segment->app_ids[number];

    return fixed != NULL &&
           fixed_find_app(fixed, segment_text(segment, app->name), app->name_length, id, NULL);
}

static bool are_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *id_of(const struct segment *segment, uint32_t app)
{
    return segment->app_ids == NULL ? NULL : segment->app_ids[app];
}

/* Finds the app in the previous snapshot: by name unless the ids differ, else by id. */
static bool find_app(const struct immutable_check *check, const struct segment *segment,
                     uint32_t number, struct index_entry *found)
{
    const struct app_entry *app = &segment->apps[number];
    const char *id = id_of(segment, number);

    if (snapshot_find_app(check->before, segment_text(segment, app->name), app->name_length,
                          found)) {
        const char *old_id = id_of(check->before->segments[found->segment], found->number);
        if (id == NULL || old_id == NULL || strcmp(id, old_id) == 0)
            return true;
    }
    return id != NULL && index_find_id(&check->before->index, check->before->segments, id, found) &&
           found->kind == INDEX_APP_ID;
}

/* True when two apps are one: by id where both have one, else by name. */
static bool are_one(const struct segment *left, uint32_t left_app, const struct segment *right,
                    uint32_t right_app)
{
    const struct app_entry *a = &left->apps[left_app], *b = &right->apps[right_app];
    const char *a_id = id_of(left, left_app), *b_id = id_of(right, right_app);

    if (a_id != NULL && b_id != NULL)
        return strcmp(a_id, b_id) == 0;
    return a->name_length == b->name_length &&
           memcmp(segment_text(left, a->name), segment_text(right, b->name), a->name_length) == 0;
}

/*
 * Finds the same app in a segment, which may be NULL. Where many are looked for, a file was copied
 * or split: then they mostly follow each other there, too.
 */
static bool find_in(struct immutable_check *check, const struct segment *among,
                    const struct segment *segment, uint32_t app, uint32_t *found)
{
    uint32_t count = among == NULL ? 0 : (uint32_t)among->app_count;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (check->likely + i) % count;
        if (!are_one(among, at, segment, app))
            continue;
        check->likely = at + 1;
        *found = at;
        return true;
    }
    return false;
}

/* What the text of a former segment's file says now; NULL: it is gone, and its number another's. */
static const struct segment *text_now(const struct immutable_check *check, uint32_t number)
{
    const struct segment *old = check->before->segments[number];
    const struct segment *now = check->candidates->segments[number];

    return now != NULL && strcmp(now->file, old->file) == 0 ? now : NULL;
}

/* What the text of a segment's file said before; NULL: it is new. */
static const struct segment *text_before(const struct immutable_check *check, uint32_t number)
{
    const struct segment *now = check->candidates->segments[number];
    const struct segment *old =
        number < check->before->segment_count ? check->before->segments[number] : NULL;

    return old != NULL && strcmp(now->file, old->file) == 0 ? old : NULL;
}

/*
 * What an app was like, its own space's text says first, whoever had its name or id. One that still
 * is in the space that had it is no app that moved, but claimed twice.
 */
static bool find_former(struct immutable_check *check, uint32_t segment_number, uint32_t number,
                        struct index_entry *found)
{
    const struct segment *segment = check->candidates->segments[segment_number];
    const struct segment *own = text_before(check, segment_number);
    uint32_t other;

    if (!find_app(check, segment, number, found))
        return false;
    if (own != NULL && found->segment == segment_number)
        return true;
    if (find_in(check, own, segment, number, &other)) {
        *found = (struct index_entry){.segment = (uint16_t)segment_number, .number = other};
        return true;
    }
    return !find_in(check, text_now(check, found->segment), segment, number, &other);
}

/* True when the space that had an id before still has it. */
static bool has_id_still(const struct immutable_check *check, uint32_t number, const char *id)
{
    const struct segment *now = text_now(check, number);

    return now != NULL && now->id != NULL && strcmp(now->id, id) == 0;
}

/*
 * True when the app was in another space, and the two are not one space renamed: that is of one id,
 * and the former text does not have it any more.
 */
static bool has_moved(const struct immutable_check *check, uint32_t number,
                      const struct segment *segment)
{
    const struct segment *old = check->before->segments[number];

    if (strcmp(old->name, segment->name) == 0)
        return false;
    return old->id == NULL || !are_same(old->id, segment->id) ||
           (text_now(check, number) != segment && has_id_still(check, number, old->id));
}

/* True when what is fixed no longer has the app in its space: there it was removed. */
static bool was_removed(const struct immutable_check *check, const struct segment *old_segment,
                        uint32_t old_number)
{
    return check->fixed->find != NULL &&
           !is_app_fixed(find_fixed(check, old_segment->name), old_segment, old_number);
}

static void check_app(struct immutable_check *check, uint32_t segment_number, uint32_t number)
{
    const struct segment *segment = check->candidates->segments[segment_number];
    const struct app_entry *app = &segment->apps[number];
    struct index_entry entry;
    if (!find_former(check, segment_number, number, &entry))
        return;
    const struct segment *old_segment = check->before->segments[entry.segment];
    const struct app_entry *old = &old_segment->apps[entry.number];
    bool moved = has_moved(check, entry.segment, segment);
    if (moved && was_removed(check, old_segment, entry.number))
        return;
    bool was_internal = (old->flags & APP_INTERNAL) != 0;
    bool is_internal = (app->flags & APP_INTERNAL) != 0;
    int length = app->name_length;
    const char *name = segment_text(segment, app->name);

    if (was_internal != is_internal) {
        check->has_refused = true;
        report_add(check->report, FINDING_IMMUTABLE, segment->file, app->at,
                   "internal_routing of app %.*s is %s and cannot become %s; it is fixed on "
                   "creation, so put it back, or recreate the app: %s",
                   length, name, was_internal ? "true" : "false", is_internal ? "true" : "false",
                   recreation);
    }
    if (moved) {
        check->has_refused = true;
        report_add(check->report, FINDING_IMMUTABLE, segment->file, app->at,
                   "app %.*s is in space %s and cannot move to %s; recreate it there: %s", length,
                   name, old_segment->name, segment->name, recreation);
    }
}

/*
 * Finds the space in the previous snapshot: by id where both have one, else by name. Its own text
 * says first what has the id; one that another space still has is claimed twice, and says nothing.
 */
static const struct segment *find_space(const struct immutable_check *check, uint32_t number)
{
    const struct snapshot *before = check->before;
    const struct segment *segment = check->candidates->segments[number];
    const struct segment *own = text_before(check, number);
    struct index_entry found;

    if (own != NULL && own->id != NULL && are_same(own->id, segment->id))
        return own;
    if (segment->id != NULL &&
        index_find_id(&before->index, before->segments, segment->id, &found) &&
        found.kind == INDEX_SPACE_ID && !has_id_still(check, found.segment, segment->id))
        return before->segments[found.segment];
    const struct segment *old = snapshot_find_space(before, segment->name);
    bool is_another = old != NULL && old->id != NULL && segment->id != NULL;
    return is_another ? NULL : old;
}

static void report_space(struct immutable_check *check, const struct segment *segment,
                         const char *key)
{
    check->has_refused = true;
    report_add(check->report, FINDING_IMMUTABLE, segment->file, segment->at,
               "%s of space %s has changed; it is fixed on creation, so put it back, or make a new "
               "space (a new id, or another name)",
               key, segment->name);
}

static bool are_same_blocks(struct cidr a, struct cidr b)
{
    return a.address == b.address && a.bits == b.bits;
}

static void check_space(struct immutable_check *check, uint32_t number)
{
    const struct segment *segment = check->candidates->segments[number];
    const struct segment *old = find_space(check, number);

    if (old == NULL || old->is_unready)
        return;
    if (!are_same_blocks(old->cidr, segment->cidr))
        report_space(check, segment, "cidr");
    if (!are_same_blocks(old->data_cidr, segment->data_cidr))
        report_space(check, segment, "data_cidr");
    if (!are_same(old->region, segment->region))
        report_space(check, segment, "region");
    if (old->generation != segment->generation)
        report_space(check, segment, "generation");
    if (old->shield != segment->shield)
        report_space(check, segment, "shield");
}

static void check_segment(struct immutable_check *check, uint32_t number)
{
    const struct segment *segment = check->candidates->segments[number];
    const struct fixed_space *fixed = find_fixed(check, segment->name);

    if (fixed == NULL)
        check_space(check, number);
    for (uint32_t i = 0; i < segment->app_count; i++)
        if (!is_app_fixed(fixed, segment, i))
            check_app(check, number, i);
}

void crosscheck_immutable(const struct snapshot *before, const struct candidates *candidates,
                          const struct load_fixed *fixed, struct report *report)
{
    struct immutable_check check = {
        .before = before, .candidates = candidates, .fixed = fixed, .report = report};

    for (size_t i = 0; i < candidates->count; i++) {
        const struct segment *segment = candidates->segments[i];
        if (segment == NULL || segment->is_unready || !candidates->added[i])
            continue;
        check.has_refused = false;
        check_segment(&check, (uint32_t)i);
        if (check.has_refused && candidates->on_charge != NULL)
            candidates->on_charge(candidates->context, (uint32_t)i, ENTRY_NONE);
    }
}
