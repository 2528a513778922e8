#include "traffic/hidden_name.h"

#include <stdlib.h>
#include <string.h>

enum { HASH_OCTETS = 8, BITS = 8, SIDES = 2 };

/* A name that is not in an index, or the suffix that stands for all names below it. */
struct known_name {
    uint64_t hash; /* of the name, or of "*" in front of the suffix */
    const uint8_t *octets;
    uint8_t length;
};

/* ---- what is kept ---- */

static size_t bits_octets(unsigned labels)
{
    return (labels + BITS - 1) / BITS;
}

/* The hash that stands for all names below a suffix; 0 when nothing fits in front of it. */
static uint64_t hash_below(const struct index *index, const uint8_t *suffix, size_t length)
{
    struct name wildcard;

    return name_join(&wildcard, "*", 1, suffix, length) ? index_hash(index, &wildcard) : 0;
}

size_t hidden_name_write(const struct index *index, const struct name *name,
                         uint8_t out[HIDDEN_NAME_OCTETS_MOST])
{
    unsigned labels = name->label_count;
    uint8_t *hashes = out + 1 + bits_octets(labels);
    const uint8_t *at = name->octets;

    memset(out, 0, 1 + bits_octets(labels));
    out[0] = (uint8_t)labels;
    for (unsigned i = 0; i < labels; i++) {
        if (at[1] == '_')
            out[1 + i / BITS] |= (uint8_t)(1U << i % BITS);
        at += *at + 1U;
        if (i + 1 == labels)
            break;
        uint64_t hash = hash_below(index, at, name_suffix_length(name, at));
        memcpy(hashes + (size_t)i * HASH_OCTETS, &hash, sizeof hash);
    }
    return 1 + bits_octets(labels) + (labels > 0 ? (labels - 1U) * (size_t)HASH_OCTETS : 0);
}

/* ---- what is known ---- */

static bool add_known(struct known_names *known, uint64_t hash, const uint8_t *octets,
                      size_t length)
{
    if (known->count == known->capacity) {
        size_t wider = known->capacity == 0 ? 64 : 2 * known->capacity;
        struct known_name *moved = realloc(known->items, wider * sizeof *moved);
        if (moved == NULL)
            return false;
        known->items = moved;
        known->capacity = wider;
    }
    known->items[known->count++] =
        (struct known_name){.hash = hash, .octets = octets, .length = (uint8_t)length};
    return true;
}

/* A zone: itself, and all names below it. */
static bool add_zone(struct known_names *known, const struct index *index, const struct name *zone)
{
    return zone->label_count == 0 ||
           (add_known(known, index_hash(index, zone), zone->octets, zone->length) &&
            add_known(known, hash_below(index, zone->octets, zone->length), zone->octets,
                      zone->length));
}

static bool add_policy(struct known_names *known, const struct snapshot *snapshot)
{
    const struct routes *routes = &snapshot->policy.routes;
    const struct recursion *recursion = &snapshot->policy.recursion_for;
    bool done = true;

    for (size_t i = 0; i < routes->count && done; i++)
        done = add_zone(known, &snapshot->index, &routes->items[i].zone);
    for (size_t i = 0; i < recursion->count && done; i++)
        done = add_zone(known, &snapshot->index, &recursion->suffixes[i].name);
    return done;
}

static bool add_empty_names(struct known_names *known, const struct index *index,
                            const struct segment *segment)
{
    for (size_t i = 0; i < segment->empty_count; i++) {
        const struct empty_name *empty = &segment->empty_names[i];
        const uint8_t *octets = segment->texts + empty->octets;
        struct name name;
        if (name_join(&name, octets + 1, *octets, octets + 1 + *octets,
                      empty->length - 1U - *octets) &&
            !add_known(known, index_hash(index, &name), octets, empty->length))
            return false;
    }
    return true;
}

static int by_hash(const void *a, const void *b)
{
    uint64_t left = ((const struct known_name *)a)->hash;
    uint64_t right = ((const struct known_name *)b)->hash;

    return left < right ? -1 : left > right;
}

bool known_names_open(struct known_names *known, const struct snapshot *before,
                      const struct snapshot *after)
{
    *known = (struct known_names){.sides = {before, after}};
    for (unsigned side = 0; side < SIDES; side++) {
        const struct snapshot *snapshot = known->sides[side];
        if (!add_policy(known, snapshot))
            return false;
        for (size_t i = 0; i < snapshot->segment_count; i++)
            if (snapshot->segments[i] != NULL &&
                !add_empty_names(known, &snapshot->index, snapshot->segments[i]))
                return false;
    }
    if (known->count > 0)
        qsort(known->items, known->count, sizeof *known->items, by_hash);
    return true;
}

void known_names_close(struct known_names *known)
{
    free(known->items);
    known->items = NULL;
    known->count = known->capacity = 0;
}

/* ---- stand-ins ---- */

static bool copy_name(const uint8_t *octets, size_t length, struct name *out)
{
    return length > 1 &&
           name_join(out, octets + 1, *octets, octets + 1 + *octets, length - 1U - *octets);
}

/* The name with a hash, a wildcard by its own name. */
static bool find_declared(const struct known_names *known, uint64_t hash, struct name *out)
{
    struct index_entry entry;

    for (unsigned side = 0; side < SIDES; side++) {
        const struct snapshot *snapshot = known->sides[side];
        if (!index_find_hash(&snapshot->index, snapshot->segments, hash, &entry))
            continue;
        index_name(&snapshot->index, snapshot->segments[entry.segment], entry, out);
        return true;
    }
    return false;
}

static bool find_item(const struct known_names *known, uint64_t hash, struct name *out)
{
    const struct known_name key = {.hash = hash};
    const struct known_name *found =
        known->count == 0 ? NULL : bsearch(&key, known->items, known->count, sizeof key, by_hash);

    return found != NULL && copy_name(found->octets, found->length, out);
}

/* The suffix that a hash stands for. */
static bool find_suffix(const struct known_names *known, uint64_t hash, struct name *out)
{
    struct name wildcard;

    if (find_item(known, hash, out))
        return true;
    if (!find_declared(known, hash, &wildcard))
        return false;
    const uint8_t *suffix = name_suffix(&wildcard, 1);
    return copy_name(suffix, name_suffix_length(&wildcard, suffix), out);
}

/* Puts the labels before `own` in front, which no zone file has. They fit: each is the shortest. */
static void fill(const struct hidden_name *hidden, unsigned count, struct name *out)
{
    struct name tail;

    while (count-- > 0) {
        bool is_service = (hidden->octets[1 + count / BITS] >> count % BITS & 1) != 0;
        tail = *out;
        name_join(out, is_service ? "_" : "?", 1, tail.octets, tail.length);
    }
}

unsigned known_names_resolve(const struct known_names *known, const struct hidden_name *hidden,
                             struct name *out)
{
    unsigned labels = hidden->octets[0], skipped = 0;
    const uint8_t *hashes = hidden->octets + 1 + bits_octets(labels);
    bool is_found = find_declared(known, hidden->hash, out) || find_item(known, hidden->hash, out);

    while (!is_found && ++skipped < labels) {
        uint64_t hash;
        memcpy(&hash, hashes + (size_t)(skipped - 1) * HASH_OCTETS, sizeof hash);
        is_found = find_suffix(known, hash, out);
    }
    if (!is_found) {
        skipped = labels;
        *out = (struct name){.length = 1};
    }
    fill(hidden, skipped, out);
    return labels - skipped;
}
