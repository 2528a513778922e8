#include "answer/dyno_half.h"

#include <stdlib.h>
#include <string.h>

#include "base/blocks.h"

enum {
    TYPES_COMPARED = 16,
    WORD_LOAD_OCTETS = 8, /* readable beyond the last text */
};

/* ---- texts of types ---- */

static bool find_type(const struct type_texts *types, const char *type, uint32_t *offset)
{
    size_t at = 0;

    for (unsigned i = 0; i < TYPES_COMPARED && at < types->length; i++) {
        if (strcmp(types->octets + at, type) == 0) {
            *offset = (uint32_t)at;
            return true;
        }
        at += strlen(types->octets + at) + 1;
    }
    return false;
}

bool type_texts_put(struct type_texts *types, const char *type, uint32_t *offset)
{
    size_t octets = strlen(type) + 1;

    if (find_type(types, type, offset))
        return true;
    if (types->length + octets > types->capacity) {
        size_t wider = 2 * types->capacity + octets;
        char *moved = wider < UINT32_MAX ? realloc(types->octets, wider) : NULL;
        if (moved == NULL)
            return false;
        types->octets = moved;
        types->capacity = wider;
    }
    memcpy(types->octets + types->length, type, octets);
    *offset = (uint32_t)types->length;
    types->length += octets;
    return true;
}

bool type_texts_copy(struct type_texts *types, const void *octets, size_t length)
{
    types->octets = malloc(length + 1);
    if (types->octets == NULL)
        return false;
    if (length > 0)
        memcpy(types->octets, octets, length);
    types->length = types->capacity = length;
    return true;
}

void type_texts_close(struct type_texts *types)
{
    free(types->octets);
    *types = (struct type_texts){.octets = NULL};
}

/* ---- dynos ---- */

static uint16_t count_up_to_limit(uint16_t count)
{
    return count == UINT16_MAX ? count : (uint16_t)(count + 1);
}

void app_count_web(struct app_entry *app, const struct dyno_entry *dynos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        app->web_count = count_up_to_limit(app->web_count);
        if (dynos[i].state == DYNO_UP)
            app->web_up = count_up_to_limit(app->web_up);
        if (dynos[i].state == DYNO_CRASHED)
            app->web_crashed = count_up_to_limit(app->web_crashed);
    }
}

const struct formation_entry *dyno_half_formation(const struct dyno_half *half, uint32_t dyno)
{
    return formations_find_dyno(half->formations, half->formation_count, dyno);
}

static uint64_t revision_of(const struct dyno_half *half, uint32_t dyno)
{
    return half->revisions == NULL
               ? 0
               : half->revisions[dyno_half_formation(half, dyno) - half->formations];
}

int dyno_half_compare_owners(const struct dyno_half *half, uint32_t left, uint32_t right)
{
    uint64_t older = revision_of(half, left), newer = revision_of(half, right);
    if (older != newer)
        return older > newer ? -1 : 1;
    return left < right ? -1 : left > right;
}

static int compare_dynos(const void *a, const void *b, void *half)
{
    return dyno_half_compare(half, *(const uint32_t *)a, *(const uint32_t *)b);
}

void dyno_half_sort(const struct dyno_half *half, uint32_t *dynos, size_t count)
{
    qsort_r(dynos, count, sizeof *dynos, compare_dynos, (void *)half);
}

/* ---- one block ---- */

/* A block that is being filled. */
struct filling {
    uint8_t *block;
    size_t at;
};

/* Octets of the arrays. */
static size_t measure(const struct segment *head, const struct dyno_half *half)
{
    size_t a_formation =
        sizeof *half->formations + (half->revisions == NULL ? 0 : sizeof *half->revisions);

    return head->app_count * sizeof *half->apps + half->formation_count * a_formation +
           half->dyno_count * sizeof *half->dynos +
           half->published_count * sizeof *half->dynos_by_ip + half->types.length +
           WORD_LOAD_OCTETS;
}

static const void *place(struct filling *filling, const void *from, size_t octets)
{
    uint8_t *to = filling->block + filling->at;

    if (octets > 0)
        memcpy(to, from, octets);
    filling->at += octets;
    return to;
}

/* In the order of their alignment. */
static void fill(struct segment *segment, const struct dyno_half *half, struct filling *filling)
{
    size_t formations = half->formation_count;

    segment->apps = place(filling, half->apps, segment->app_count * sizeof *half->apps);
    segment->revisions = half->revisions == NULL ? NULL
                                                 : place(filling, half->revisions,
                                                         formations * sizeof *half->revisions);
    segment->formations = place(filling, half->formations, formations * sizeof *half->formations);
    segment->formation_count = formations;
    segment->dynos = place(filling, half->dynos, half->dyno_count * sizeof *half->dynos);
    segment->dyno_count = half->dyno_count;
    segment->dynos_by_ip =
        place(filling, half->dynos_by_ip, half->published_count * sizeof *half->dynos_by_ip);
    segment->published_count = half->published_count;
    segment->hidden_count = half->hidden_count;
    segment->types = place(filling, half->types.octets, half->types.length);
    segment->type_octets = half->types.length;
}

struct segment *dyno_half_join(const struct segment *head, const struct dyno_half *half,
                               size_t shared_octets)
{
    /* Long blocks are aligned for any type; app entries need more. */
    size_t octets = sizeof *head + APP_ENTRY_OCTETS - 1 + measure(head, half);
    struct segment *segment = block_take(octets);

    if (segment == NULL)
        return NULL;
    memcpy(segment, head, sizeof *segment);
    size_t over = ((uintptr_t)segment + sizeof *segment) % APP_ENTRY_OCTETS;
    struct filling filling = {.block = (uint8_t *)segment,
                              .at = sizeof *segment + (over == 0 ? 0 : APP_ENTRY_OCTETS - over)};
    fill(segment, half, &filling);
    memset(filling.block + filling.at, 0, octets - filling.at);
    segment->holds = 1;
    segment->block_octets = octets;
    segment->octets = octets + shared_octets;
    return segment;
}
