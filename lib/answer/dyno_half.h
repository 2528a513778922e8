#pragma once
/**
 * The dyno half of a segment while it is being made: what depends on dynos.
 *
 *     one block │ struct segment │ apps │ revisions │ formations │ dynos │ dynos_by_ip │ types │
 *
 * A segment that is sealed or restated collects these arrays somewhere else first, and then puts
 * them together in a block of exactly their size. The document half (segment.h) is in the head's
 * arena, which copies of a segment share.
 *
 * Threads: one for each segment.  Memory: the arrays are the caller's, except for the texts.
 */
#include "answer/segment.h"

/** Texts of process types, each once as far as is cheap. Zeroed at first. */
struct type_texts {
    char *octets; /* malloc'ed; zero-terminated texts in a row */
    size_t length;
    size_t capacity;
};

/**
 * Finds the text of a type, or adds it. Looks at the first few texts only: most spaces have one or
 * two. Returns false without memory.
 */
bool type_texts_put(struct type_texts *types, const char *type, uint32_t *offset);

/** Copies texts that lie in a row. Returns false without memory. */
bool type_texts_copy(struct type_texts *types, const void *octets, size_t length);

void type_texts_close(struct type_texts *types);

struct dyno_half {
    struct app_entry *apps; /* head->app_count of them */
    struct formation_entry *formations;
    uint64_t *revisions; /* NULL: no formation has a key */
    uint32_t formation_count;
    struct dyno_entry *dynos;
    uint32_t dyno_count;
    uint32_t *dynos_by_ip;
    uint32_t published_count;
    uint32_t hidden_count;
    struct type_texts types;
};

/** True if named dynos of the formation are published. */
static inline bool formation_is_published(const struct app_entry *apps,
                                          const struct formation_entry *formation)
{
    return (apps[formation->app].flags & APP_DISCOVERED) != 0 && formation->type_length > 0;
}

/** Adds the dynos of a formation of type web to the counts of its app. */
void app_count_web(struct app_entry *app, const struct dyno_entry *dynos, size_t count);

/**
 * The order of dynos by address; of equal ones, the one that owns the reverse name comes first:
 * that with the greater revision of its formation, then the first in the segment.
 */
int dyno_half_compare_owners(const struct dyno_half *half, uint32_t left, uint32_t right);

static inline int dyno_half_compare(const struct dyno_half *half, uint32_t left, uint32_t right)
{
    uint32_t left_ip = half->dynos[left].ip, right_ip = half->dynos[right].ip;

    if (left_ip != right_ip)
        return left_ip < right_ip ? -1 : 1;
    return dyno_half_compare_owners(half, left, right);
}

/** Sorts dynos in that order. */
void dyno_half_sort(const struct dyno_half *half, uint32_t *dynos, size_t count);

/** The formation of a dyno in the half. */
const struct formation_entry *dyno_half_formation(const struct dyno_half *half, uint32_t dyno);

/**
 * Makes a segment of a head, whose members of the dyno half are not used, and a half. Its memory is
 * counted in `octets`, together with `shared_octets`. Returns it with one hold; NULL without
 * memory. It takes over the holds that the head has: the arena's and that of `declared`.
 */
struct segment *dyno_half_join(const struct segment *head, const struct dyno_half *half,
                               size_t shared_octets);
