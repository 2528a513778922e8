#include "decide/suggestion.h"

#include <string.h>

#include "base/suggest.h"

/* A typing error usually leaves the beginning or the end of a word intact. */
static bool shares_an_end(const char *word, size_t length, const uint8_t *label)
{
    size_t shared = (length < *label ? length : *label) / 3;

    return memcmp(word, label + 1, shared) == 0 ||
           memcmp(word + length - shared, label + 1 + *label - shared, shared) == 0;
}

/* Keeps the word if it is closer than the best so far. */
static void consider(const char *word, size_t length, const uint8_t *label, unsigned *limit,
                     struct suggestion *closest)
{
    if (*limit == 0 || !shares_an_end(word, length, label))
        return;
    unsigned distance = suggest_distance((const char *)label + 1, *label, word, length, *limit);
    if (distance == 0 || distance > *limit)
        return;
    *closest = (struct suggestion){.text = word, .length = length};
    *limit = distance - 1;
}

struct suggestion suggest_app(const struct snapshot *snapshot, const struct client *client,
                              const uint8_t *label)
{
    struct suggestion closest = {.text = NULL};
    unsigned limit = suggest_limit(*label);
    size_t compared = 0;

    for (uint32_t i = 0; i < client->count; i++) {
        const struct segment *segment = snapshot->segments[client->memberships[i].segment];
        for (size_t j = 0; j < segment->app_count && compared < SUGGESTION_APPS_MAX; j++) {
            const struct app_entry *app = &segment->apps[j];
            compared++;
            if ((app->flags & APP_DISCOVERED) != 0)
                consider(segment_text(segment, app->name), app->name_length, label, &limit,
                         &closest);
        }
    }
    return closest;
}

struct suggestion suggest_process(const struct segment *segment, const struct app_entry *app,
                                  const uint8_t *label)
{
    struct suggestion closest = {.text = NULL};
    unsigned limit = suggest_limit(*label);

    for (unsigned i = 0; i < app->formation_count && i < SUGGESTION_APPS_MAX; i++) {
        const struct formation_entry *formation = &segment->formations[app->formations + i];
        if (formation->type_length > 0)
            consider(segment_type(segment, formation), formation->type_length, label, &limit,
                     &closest);
    }
    return closest;
}
