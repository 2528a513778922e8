/* What a write that failed has left, and what loads add to it. */
#include <stdlib.h>
#include <string.h>

#include "answer/state_write.h"

void state_free_unstored(struct state *state)
{
    load_texts_free(state->unstored, state->unstored_count);
    state->unstored = NULL;
    state->unstored_count = 0;
}

static int compare_segments(const void *a, const void *b)
{
    const struct segment *left = *(const struct segment *const *)a;
    const struct segment *right = *(const struct segment *const *)b;

    return strcmp(stored_name(left->file), stored_name(right->file));
}

/* The segments of a snapshot, by the names of their texts. NULL without memory. */
static const struct segment **sort_segments(const struct snapshot *snapshot, size_t *count)
{
    const struct segment **segments =
        calloc(snapshot->segment_count + 1, sizeof(const struct segment *));

    *count = 0;
    for (size_t i = 0; segments != NULL && i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            segments[(*count)++] = snapshot->segments[i];
    if (segments != NULL)
        qsort(segments, *count, sizeof(const struct segment *), compare_segments);
    return segments;
}

/* True when this very text is served. */
static bool is_served(const struct load_text *text, const struct segment *const *segments,
                      size_t count)
{
    const struct segment key = {.file = text->name}, *wanted = &key;
    const struct segment *const *found =
        bsearch(&wanted, segments, count, sizeof(const struct segment *), compare_segments);

    return found != NULL && (*found)->identity.checksum == text->checksum &&
           (*found)->identity.length == text->length;
}

static bool has_text(const struct load_outcome *outcome, const char *name)
{
    size_t i = 0;

    while (i < outcome->text_count && strcmp(outcome->texts[i].name, name) != 0)
        i++;
    return i < outcome->text_count;
}

/* Adds those that an earlier write has left and the load has not handed over again. */
static bool add_unstored(struct state *state, const struct snapshot *snapshot,
                         struct load_outcome *outcome)
{
    size_t segment_count, most = outcome->text_count + state->unstored_count;
    const struct segment **segments = sort_segments(snapshot, &segment_count);
    struct load_text *texts =
        segments == NULL ? NULL : realloc(outcome->texts, (most + 1) * sizeof *texts);

    if (texts == NULL) {
        free(segments);
        return false;
    }
    outcome->texts = texts;
    size_t count = outcome->text_count;
    for (size_t i = 0; i < state->unstored_count; i++) {
        struct load_text *left = &state->unstored[i];
        if (has_text(outcome, left->name) || !is_served(left, segments, segment_count))
            continue;
        texts[count++] = *left;
        *left = (struct load_text){.name = NULL};
    }
    outcome->text_count = count;
    free(segments);
    return true;
}

bool state_take_texts(struct state *state, const struct snapshot *snapshot,
                      struct load_outcome *outcome)
{
    if (outcome->texts == NULL)
        return true;
    if (state->unstored_count > 0 && !add_unstored(state, snapshot, outcome))
        return false;
    state_free_unstored(state);
    state->unstored = outcome->texts;
    state->unstored_count = outcome->text_count;
    outcome->texts = NULL;
    outcome->text_count = 0;
    return true;
}
