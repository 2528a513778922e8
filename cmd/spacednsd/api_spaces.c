#include "spacednsd/api_spaces.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/spaces_json.h"
#include "spacednsd/usage_call.h"
#include "spacednsd/usage_text.h"

enum { NAME_OCTETS = 64, SPACE_OCTETS = 256 };

static const struct usage *usage_of(const struct api_visit *visit)
{
    return visit->api->source->usage->usage;
}

void api_answer_spaces(struct api_visit *visit)
{
    api_send_json(visit, spaces_json(server_current(visit->api->server)));
}

/* ---- apps ---- */

static json_t *json_app(const struct api_visit *visit, const struct segment *segment,
                        const struct app_entry *app)
{
    char name[NAME_OCTETS];
    json_t *object = spaces_json_app(segment, app);

    snprintf(name, sizeof name, "%.*s", app->name_length, segment_text(segment, app->name));
    uint32_t party = usage_find_app(usage_of(visit), segment->name, name);
    const struct lately *lately = party == PARTY_NONE ? NULL : usage_lately(usage_of(visit), party);
    uint64_t last_minute = lately == NULL ? 0 : lately_last_minute(lately, usage_now_s());
    json_object_set_new(object, "asked_last_minute", json_integer((json_int_t)last_minute));
    json_object_set_new(object, "asked_by_minute", usage_json_hour(lately));
    return object;
}

/* A walk through the apps. */
struct page {
    const struct snapshot *snapshot;
    const struct segment *only; /* NULL: all spaces */
    const char *part;           /* of names, in lower case; NULL: any */
    size_t segment, app;        /* the next one */
    size_t left;                /* for the page */
    size_t unseen;              /* that may be looked at */
};

static bool has_part(const struct segment *segment, const struct app_entry *app, const char *part)
{
    return part == NULL ||
           memmem(segment_text(segment, app->name), app->name_length, part, strlen(part)) != NULL;
}

/* Moves to the next segment that has an app left. Returns NULL at the end. */
static const struct segment *find_segment(struct page *page)
{
    for (; page->segment < page->snapshot->segment_count; page->segment++, page->app = 0) {
        const struct segment *segment = page->snapshot->segments[page->segment];
        if (segment != NULL && page->app < segment->app_count &&
            (page->only == NULL || page->only == segment))
            return segment;
    }
    return NULL;
}

/* Adds a page's apps to the list. Returns what the next page goes on behind, or null. */
static json_t *walk(const struct api_visit *visit, struct page *page, json_t *list)
{
    const struct segment *segment, *last_of = NULL;
    const struct app_entry *last = NULL;

    while ((segment = find_segment(page)) != NULL) {
        if (page->left == 0 || page->unseen == 0) {
            assert(last != NULL); /* a page has room for one app */
            return json_sprintf("%s/%.*s", last_of->name, last->name_length,
                                segment_text(last_of, last->name));
        }
        last_of = segment;
        last = &segment->apps[page->app++];
        page->unseen--;
        if (!has_part(segment, last, page->part))
            continue;
        page->left--;
        json_array_append_new(list, json_app(visit, segment, last));
    }
    return json_null();
}

/* Begins behind SPACE/NAME. Returns false when that app is not served. */
static bool begin_behind(struct page *page, const char *after)
{
    const char *slash = strchr(after, '/');
    size_t length = slash == NULL ? SPACE_OCTETS : (size_t)(slash - after);
    char space[SPACE_OCTETS] = "";
    struct index_entry entry;

    if (length >= sizeof space)
        return false;
    memcpy(space, after, length);
    if (!snapshot_find_app_of(page->snapshot, space, slash + 1, &entry))
        return false;
    page->segment = entry.segment;
    page->app = (size_t)entry.number + 1;
    return true;
}

static void copy_lower(const char *text, char lower[NAME_OCTETS])
{
    size_t i = 0;

    for (; text[i] != '\0' && i < NAME_OCTETS - 1; i++)
        lower[i] = (char)(tolower)((unsigned char)text[i]);
    lower[i] = '\0';
}

void api_answer_apps(struct api_visit *visit)
{
    const char *space = api_text_of(visit, ARGUMENT_APPS_SPACE);
    const char *after = api_text_of(visit, ARGUMENT_APPS_AFTER);
    const char *part = api_text_of(visit, ARGUMENT_APPS_CONTAINS);
    struct page page = {.snapshot = server_current(visit->api->server),
                        .left = visit->arguments.numbers[ARGUMENT_APPS_LIMIT],
                        .unseen = API_APPS_EXAMINED};
    char lower[NAME_OCTETS];

    if (space != NULL && (page.only = snapshot_find_space(page.snapshot, space)) == NULL) {
        api_fail_space(visit, space);
        return;
    }
    if (after != NULL && !begin_behind(&page, after)) {
        api_fail(visit, HTTP_BAD_REQUEST,
                 "after names no app that is served, as SPACE/NAME; begin without it");
        return;
    }
    if (part != NULL)
        copy_lower(part, lower);
    page.part = part == NULL ? NULL : lower;
    json_t *list = json_array();
    json_t *next = walk(visit, &page, list);
    api_send_json(visit, json_pack("{s:o, s:o}", "apps", list, "next", next));
}

/* ---- one app ---- */

static void add_users(const struct api_visit *visit, const char *space, const char *name,
                      json_t *object)
{
    const struct usage *usage = usage_of(visit);
    uint32_t party = usage_find_app(usage, space, name);
    struct use_counts rest = usage_remainder(usage, party);
    json_t *others = json_object();
    size_t count = 0;
    const struct use **found =
        party == PARTY_NONE ? NULL : usage_gather(usage_pairs(usage), usage_is_of, &party, &count);

    usage_json_counts(others, &rest);
    json_object_set_new(object, "used_by", usage_json_users(usage, found, count));
    json_object_set_new(object, "used_by_others", others);
    free(found);
}

void api_answer_app(struct api_visit *visit)
{
    const struct snapshot *snapshot = server_current(visit->api->server);
    const char *name = api_text_of(visit, ARGUMENT_APP_NAME);
    const char *space = api_text_of(visit, ARGUMENT_APP_SPACE);
    struct index_entry entry;
    struct err err;

    bool is_served = space == NULL ? snapshot_find_app(snapshot, name, strlen(name), &entry)
                                   : snapshot_find_app_of(snapshot, space, name, &entry);
    if (!is_served) {
        err_set(&err, ERR_RULE, "no app %.64s is served%s%.64s; /api/v1/apps lists them", name,
                space == NULL ? "" : " in ", space == NULL ? "" : space);
        api_fail(visit, HTTP_NOT_FOUND, err.text);
        return;
    }
    const struct segment *segment = snapshot->segments[entry.segment];
    const struct app_entry *app = &segment->apps[entry.number];
    json_t *object = json_app(visit, segment, app);
    json_object_set_new(object, "domains", spaces_json_domains(snapshot, segment, app));
    json_object_set_new(object, "formation", spaces_json_formation(segment, app));
    add_users(visit, segment->name, name, object);
    api_send_json(visit, object);
}
