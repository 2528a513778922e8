#include "space/fixed.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hash.h"

enum { ID_SHIFT = 1, NAME_SHIFT = 22, ID_BITS = NAME_SHIFT - ID_SHIFT };

/* Digits of e: the hash tells apart the names of one space, which its owner chooses. */
static const struct hash_key fixed_key = {.first = 0xb7e151628aed2a6a,
                                          .second = 0xbf7158809cf4f3c7};

static uint64_t hash_id(const char *id)
{
    uint64_t hash = id == NULL ? 0 : hash_octets(&fixed_key, id, strlen(id)) >> (64 - ID_BITS);

    return id != NULL && hash == 0 ? 1 : hash;
}

uint64_t fixed_app(const char *name, size_t name_length, const char *id, bool is_internal)
{
    uint64_t hash = hash_octets(&fixed_key, name, name_length);

    return hash >> NAME_SHIFT << NAME_SHIFT | hash_id(id) << ID_SHIFT | is_internal;
}

static int compare_words(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

void fixed_sort_apps(uint64_t *apps, size_t count)
{
    if (count > 0)
        qsort(apps, count, sizeof *apps, compare_words);
}

static uint64_t id_part(uint64_t app)
{
    return app >> ID_SHIFT & (((uint64_t)1 << ID_BITS) - 1);
}

/* Finds what is fixed of the app; NULL: nothing is. */
static const uint64_t *find_app(const struct fixed_space *fixed, uint64_t app)
{
    size_t low = 0, high = fixed->app_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fixed->apps[middle] >> NAME_SHIFT < app >> NAME_SHIFT)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < fixed->app_count; low++) {
        const uint64_t *found = &fixed->apps[low];
        if (*found >> NAME_SHIFT != app >> NAME_SHIFT)
            return NULL;
        if (id_part(*found) == 0 || id_part(app) == 0 || id_part(*found) == id_part(app))
            return found;
    }
    return NULL;
}

bool fixed_find_app(const struct fixed_space *fixed, const char *name, size_t name_length,
                    const char *id, bool *is_internal)
{
    const uint64_t *found = find_app(fixed, fixed_app(name, name_length, id, false));

    if (found != NULL && is_internal != NULL)
        *is_internal = (*found & 1) != 0;
    return found != NULL;
}

static void report_space(const struct space *space, const char *key, struct location at,
                         const char *is, const char *was, struct report *report)
{
    report_add(report, FINDING_IMMUTABLE, space->file, at,
               "%s of space %s is %.80s, and it was created with %.80s; it is fixed on creation, "
               "so put it back, or remove the space and create it anew",
               key, space->name.text, is == NULL ? "not given" : is, was == NULL ? "none" : was);
}

static struct location location_or_name(struct location at, const struct space *space)
{
    return at.line == 0 ? space->name.at : at;
}

static void check_word(const struct space *space, const char *key, const struct word *is,
                       const char *was, struct report *report)
{
    bool is_same = is->text == NULL || was == NULL ? is->text == was : strcmp(is->text, was) == 0;

    if (!is_same)
        report_space(space, key, location_or_name(is->at, space), is->text, was, report);
}

static void check_block(const struct space *space, const char *key, const struct block *is,
                        struct cidr was, struct report *report)
{
    char is_text[CIDR_TEXT_MAX], was_text[CIDR_TEXT_MAX];

    if (is->cidr.bits == was.bits && (was.bits == 0 || is->cidr.address == was.address))
        return;
    cidr_write(is->cidr, is_text);
    cidr_write(was, was_text);
    report_space(space, key, location_or_name(is->at, space), is->cidr.bits == 0 ? NULL : is_text,
                 was.bits == 0 ? NULL : was_text, report);
}

static void check_app(const struct space *space, const struct app *app,
                      const struct fixed_space *fixed, struct report *report)
{
    uint64_t word =
        fixed_app(app->name.text, strlen(app->name.text), app->id.text, app->internal_routing);
    const uint64_t *found = find_app(fixed, word);

    if (found == NULL || (*found & 1) == (word & 1))
        return;
    struct location at = app->internal_routing_at.line == 0 ? app->at : app->internal_routing_at;
    report_add(report, FINDING_IMMUTABLE, space->file, at,
               "internal_routing of app %.80s is %s and cannot become %s; it is fixed on creation, "
               "so put it back, or recreate the app: a new id instead of its id, another name, or "
               "remove it with one push and add it with the next",
               app->name.text, (*found & 1) != 0 ? "true" : "false",
               (word & 1) != 0 ? "true" : "false");
}

void fixed_check(const struct space *space, const struct fixed_space *fixed, struct report *report)
{
    if (space->name.text == NULL)
        return;
    if (fixed->id != NULL && space->id.text != NULL)
        check_word(space, "id", &space->id, fixed->id, report);
    if (fixed->cidr.bits != 0)
        check_block(space, "cidr", &space->cidr, fixed->cidr, report);
    check_block(space, "data_cidr", &space->data_cidr, fixed->data_cidr, report);
    check_word(space, "region", &space->region, fixed->region, report);
    if (space->generation != fixed->generation)
        report_space(space, "generation", space->name.at, generation_text(space->generation),
                     generation_text(fixed->generation), report);
    if (space->shield != fixed->shield)
        report_space(space, "shield", space->name.at, space->shield ? "true" : "false",
                     fixed->shield ? "true" : "false", report);
    for (size_t i = 0; i < space->app_count; i++)
        if (space->apps[i].name.text != NULL)
            check_app(space, &space->apps[i], fixed, report);
}
