#include "traffic/waste.h"

#include <stdlib.h>
#include <string.h>

enum { SETS = 2, SET_SLOTS = 1 << 15, SET_FULL = SET_SLOTS / 2, SET_PROBES = 8, TEXT_MOST = 1024 };
enum { SHARES = 1 << 10 };

/* A set has hashes of a client and a name; their lowest bit: the name was answered. */
static const uint64_t answered_bit = 1;

struct asked_set {
    uint32_t used;
    uint64_t slots[SET_SLOTS];
};

/* A name that does not exist. */
struct pending {
    uint32_t source, client, count, at_s;
    unsigned age; /* sets begun since */
    size_t prefix_count;
    uint64_t hashes[WASTE_PREFIXES]; /* of the name without its last labels, shortest first */
    uint8_t ends[WASTE_PREFIXES];    /* where each ends */
    struct name name;
};

struct waste {
    struct parties *parties;
    struct uses *uses;
    struct asked_set *sets; /* the current one and the one before */
    unsigned current;
    uint32_t begun_s; /* the current set */
    struct pending *pending;
    size_t pending_count;
    uint16_t shares[SHARES]; /* of pending, by a hash of the client's address */
    uint64_t missed;
};

struct waste *waste_new(struct parties *parties)
{
    struct waste *waste = calloc(1, sizeof *waste);
    const struct uses_options options = {.parties = parties, .most = WASTE_MOST};

    if (waste == NULL)
        return NULL;
    waste->parties = parties;
    waste->uses = uses_new(&options);
    waste->sets = calloc(SETS, sizeof *waste->sets);
    waste->pending = calloc(WASTE_PENDING_MOST, sizeof *waste->pending);
    if (waste->uses != NULL && waste->sets != NULL && waste->pending != NULL)
        return waste;
    waste_free(waste);
    return NULL;
}

void waste_free(struct waste *waste)
{
    if (waste == NULL)
        return;
    uses_free(waste->uses);
    free(waste->sets);
    free(waste->pending);
    free(waste);
}

/* ---- what was asked ---- */

/* Never zero, which is an empty slot. */
static uint64_t hash_question(uint32_t source, uint64_t name_hash)
{
    return (hash_mix(name_hash ^ source, 0x9e3779b97f4a7c15) | 2) & ~answered_bit;
}

static void begin_set(struct waste *waste, uint32_t now_s)
{
    waste->current = 1 - waste->current;
    memset(&waste->sets[waste->current], 0, sizeof waste->sets[0]);
    waste->begun_s = now_s;
    for (size_t i = 0; i < waste->pending_count; i++)
        waste->pending[i].age++;
}

void waste_note(struct waste *waste, const struct waste_question *question)
{
    uint64_t hash = hash_question(question->source, question->name_hash);
    struct asked_set *set = &waste->sets[waste->current];
    uint32_t slot = (uint32_t)(hash >> 32) % SET_SLOTS;

    for (unsigned i = 0; i < SET_PROBES; i++) {
        uint64_t *known = &set->slots[(slot + i) % SET_SLOTS];
        if (*known != 0 && (*known & ~answered_bit) != hash)
            continue;
        set->used += *known == 0;
        *known |= hash | (question->is_answered ? answered_bit : 0);
        break;
    }
}

/* Returns the slot's value, or 0. */
static uint64_t find_in(const struct asked_set *set, uint64_t hash)
{
    uint32_t slot = (uint32_t)(hash >> 32) % SET_SLOTS;

    for (unsigned i = 0; i < SET_PROBES; i++) {
        uint64_t known = set->slots[(slot + i) % SET_SLOTS];
        if ((known & ~answered_bit) == hash)
            return known;
    }
    return 0;
}

static uint64_t find(const struct waste *waste, uint64_t hash)
{
    return find_in(&waste->sets[0], hash) | find_in(&waste->sets[1], hash);
}

/* ---- what does not exist ---- */

/* The hashes of the name without its last labels. Names have 127 labels at most. */
static void add_prefixes(struct pending *pending, const struct index *index,
                         const struct name *name)
{
    struct name prefix = {.length = 0};
    size_t end = 0;

    pending->prefix_count = 0;
    while (pending->prefix_count < WASTE_PREFIXES) {
        size_t next = end + 1 + name->octets[end];
        if (name->octets[next] == 0)
            break; /* the whole name */
        memcpy(prefix.octets + end, name->octets + end, next - end);
        end = next;
        prefix.length = (uint8_t)(end + 1);
        prefix.octets[end] = 0;
        pending->ends[pending->prefix_count] = (uint8_t)end;
        pending->hashes[pending->prefix_count++] = index_hash(index, &prefix);
    }
}

/* Two clients may share a share. */
static uint16_t *share_of(struct waste *waste, uint32_t source)
{
    return &waste->shares[hash_mix(source, 0x9e3779b97f4a7c15) % SHARES];
}

void waste_note_missing(struct waste *waste, const struct waste_question *question,
                        const struct index *index, const struct name *name, uint32_t count)
{
    if (name->length <= 2 || name->octets[1 + name->octets[0]] == 0)
        return; /* the root, or a single label */
    uint16_t *share = share_of(waste, question->source);
    if (waste->pending_count == WASTE_PENDING_MOST || *share == WASTE_PENDING_OF_CLIENT) {
        waste->missed += count;
        return;
    }
    ++*share;
    struct pending *pending = &waste->pending[waste->pending_count++];
    pending->source = question->source;
    pending->client = question->client;
    pending->count = count;
    pending->at_s = question->at_s;
    pending->age = 0;
    pending->name = *name;
    add_prefixes(pending, index, name);
    parties_hold(waste->parties, pending->client);
}

/* ---- counting ---- */

static uint32_t add_suffix(struct waste *waste, const struct pending *pending, size_t prefix)
{
    char octets[TEXT_MOST];
    struct text text = text_over(octets, sizeof octets);

    name_add(&text, pending->name.octets + pending->ends[prefix]);
    return parties_add(
        waste->parties,
        &(struct party_key){.kind = PARTY_WORD, .name = octets, .name_length = text_length(&text)});
}

static void count_wasted(struct waste *waste, const struct pending *pending, size_t prefix,
                         bool is_answered)
{
    struct use_counts more = {.first_s = pending->at_s, .last_s = pending->at_s};
    uint32_t suffix = add_suffix(waste, pending, prefix);

    more.counts[is_answered && prefix > 0 ? WASTE_BY_NDOTS : WASTE_BY_SEARCH] = pending->count;
    if (suffix != PARTY_NONE && pending->client != PARTY_NONE)
        uses_raise(waste->uses, pending->client, suffix, &more);
}

/* Returns false when no part of it was asked for yet. */
static bool settle(struct waste *waste, const struct pending *pending)
{
    for (size_t i = pending->prefix_count; i-- > 0;) {
        uint64_t found = find(waste, hash_question(pending->source, pending->hashes[i]));
        if (found == 0)
            continue;
        count_wasted(waste, pending, i, (found & answered_bit) != 0);
        return true;
    }
    return false;
}

void waste_settle(struct waste *waste, uint32_t now_s)
{
    size_t kept = 0;

    for (size_t i = 0; i < waste->pending_count; i++) {
        struct pending *pending = &waste->pending[i];
        if (pending->age < SETS && !settle(waste, pending)) {
            if (kept != i)
                waste->pending[kept] = *pending;
            kept++;
        } else {
            --*share_of(waste, pending->source);
            parties_release(waste->parties, pending->client);
        }
    }
    waste->pending_count = kept;
    if (now_s >= waste->begun_s + WASTE_WINDOW_S || now_s < waste->begun_s ||
        waste->sets[waste->current].used >= SET_FULL)
        begin_set(waste, now_s);
}

struct uses *waste_uses(const struct waste *waste)
{
    return waste->uses;
}

uint64_t waste_missed(const struct waste *waste)
{
    return waste->missed;
}
