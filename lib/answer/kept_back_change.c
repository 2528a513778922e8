#include "answer/kept_back_change.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SHARD_SLOTS_LEAST = 4, NAMES_FIRST = 1024 };

/* ---- shards ---- */

static struct kept_back_shard *shard_new(uint32_t slots)
{
    size_t octets = slots * (sizeof(uint64_t) + sizeof(uint32_t));
    struct kept_back_shard *shard = calloc(1, sizeof *shard + octets);

    if (shard != NULL) {
        shard->holds = 1;
        shard->slots = slots;
        shard->values = (uint32_t *)(void *)(shard->hashes + slots);
    }
    return shard;
}

static void shard_put(struct kept_back_shard *shard, uint64_t hash, uint32_t value)
{
    uint32_t at = kept_back_home(shard, hash);

    while (shard->hashes[at] != 0)
        at = at + 1 == shard->slots ? 0 : at + 1;
    shard->hashes[at] = hash;
    shard->values[at] = value;
    shard->used++;
}

/* The slot of a hash; `slots` when there is none. */
static uint32_t shard_find(const struct kept_back_shard *shard, uint64_t hash)
{
    uint32_t at = kept_back_home(shard, hash);

    while (shard->hashes[at] != 0 && shard->hashes[at] != hash)
        at = at + 1 == shard->slots ? 0 : at + 1;
    return shard->hashes[at] == hash ? at : shard->slots;
}

/* Empties a slot, and moves up those that could no longer be found. */
static void shard_empty(struct kept_back_shard *shard, uint32_t hole)
{
    uint32_t at = hole;

    for (;;) {
        at = at + 1 == shard->slots ? 0 : at + 1;
        if (shard->hashes[at] == 0)
            break;
        uint32_t home = kept_back_home(shard, shard->hashes[at]);
        bool is_reached = hole <= at ? hole < home && home <= at : hole < home || home <= at;
        if (is_reached)
            continue;
        shard->hashes[hole] = shard->hashes[at];
        shard->values[hole] = shard->values[at];
        hole = at;
    }
    shard->hashes[hole] = 0;
    shard->used--;
}

/* Copies the names into a table of so many slots. Returns NULL without memory. */
static struct kept_back_shard *shard_copy(const struct kept_back_shard *from, uint32_t slots)
{
    struct kept_back_shard *shard = shard_new(slots);

    for (uint32_t i = 0; shard != NULL && from != NULL && i < from->slots; i++)
        if (from->hashes[i] != 0)
            shard_put(shard, from->hashes[i], from->values[i]);
    return shard;
}

static void shard_release(struct kept_back_shard *shard)
{
    if (shard != NULL && --shard->holds == 0)
        free(shard);
}

/* A writable shard for the hash, with room for one more name. NULL without memory. */
static struct kept_back_shard *open_shard(struct kept_back_change *change, uint64_t hash)
{
    size_t number = hash >> 56;
    struct kept_back_shard *shard = change->next->shards[number];
    uint32_t slots = shard == NULL ? SHARD_SLOTS_LEAST : shard->slots;
    bool is_full = shard != NULL && (shard->used + 1) * 5 > slots * 4;

    if (change->touched[number] && !is_full)
        return shard;
    struct kept_back_shard *wider = shard_copy(shard, is_full ? 2 * slots : slots);
    if (wider == NULL) {
        change->has_failed = true;
        return NULL;
    }
    shard_release(shard);
    change->next->shards[number] = wider;
    change->touched[number] = true;
    return wider;
}

/* Shrinks the changed shards to four names per five slots. */
static bool pack_shards(struct kept_back *next, const bool touched[KEPT_BACK_SHARDS])
{
    for (size_t i = 0; i < KEPT_BACK_SHARDS; i++) {
        struct kept_back_shard *shard = next->shards[i];
        if (!touched[i])
            continue;
        struct kept_back_shard *packed =
            shard->used == 0 ? NULL : shard_copy(shard, shard->used + shard->used / 4 + 1);
        if (packed == NULL && shard->used > 0)
            return false;
        shard_release(shard);
        next->shards[i] = packed;
    }
    return true;
}

/* ---- begin ---- */

static bool copy_cohorts(struct kept_back *next, const struct kept_back *before)
{
    size_t count = before->cohort_count;

    next->cohorts = calloc(count + 1, sizeof(struct kept_back_cohort *));
    next->alive = calloc(count + 1, sizeof *next->alive);
    if (next->cohorts == NULL || next->alive == NULL)
        return false;
    next->cohort_count = count;
    memcpy(next->alive, before->alive, count * sizeof *next->alive);
    for (size_t i = 0; i < count; i++) {
        next->cohorts[i] = before->cohorts[i];
        if (next->cohorts[i] != NULL)
            next->cohorts[i]->holds++;
    }
    return true;
}

void kept_back_change_begin(struct kept_back_change *change, const struct kept_back *before,
                            const struct hash_key *key)
{
    struct kept_back *next = calloc(1, sizeof *next);

    *change = (struct kept_back_change){.next = next, .has_failed = next == NULL};
    if (next == NULL)
        return;
    next->holds = 1;
    next->key = *key;
    if (before == NULL)
        return;
    next->count = before->count;
    next->pushed_out = before->pushed_out;
    memcpy(next->wildcard_counts, before->wildcard_counts, sizeof next->wildcard_counts);
    for (size_t i = 0; i < KEPT_BACK_SHARDS; i++) {
        next->shards[i] = before->shards[i];
        if (next->shards[i] != NULL)
            next->shards[i]->holds++;
    }
    change->has_failed = !copy_cohorts(next, before);
}

/* ---- cohorts ---- */

/* Takes the first free cohort number and makes room for it. */
static bool take_number(struct kept_back_change *change)
{
    struct kept_back *next = change->next;
    size_t number = 0;

    while (number < next->cohort_count && next->cohorts[number] != NULL)
        number++;
    if (number == next->cohort_count) {
        void *cohorts = realloc(next->cohorts, (number + 1) * sizeof(struct kept_back_cohort *));
        if (cohorts != NULL)
            next->cohorts = cohorts;
        void *alive = realloc(next->alive, (number + 1) * sizeof *next->alive);
        if (alive != NULL)
            next->alive = alive;
        if (cohorts == NULL || alive == NULL || number >= KEPT_BACK_COHORTS_MOST) {
            change->has_failed = true;
            return false;
        }
        next->cohorts[number] = NULL;
        next->cohort_count++;
    }
    next->alive[number] = 0;
    change->number = (uint32_t)number;
    return true;
}

/* Adds the open cohort to the table, if it has a name. */
static void close_cohort(struct kept_back_change *change)
{
    struct kept_back_cohort *cohort = change->open;

    if (cohort == NULL)
        return;
    change->open = NULL;
    cohort->octets = change->octets;
    if (change->is_numbered && change->octets > 0)
        cohort->names = malloc(change->octets);
    if (!change->is_numbered || (change->octets > 0 && cohort->names == NULL)) {
        change->has_failed |= change->is_numbered;
        free(cohort);
        return;
    }
    if (cohort->names != NULL)
        memcpy(cohort->names, change->names, change->octets);
    change->next->cohorts[change->number] = cohort;
    change->is_numbered = false;
}

void kept_back_change_cohort(struct kept_back_change *change, uint64_t generation, int64_t since_s,
                             int64_t ran_s, const char *space, const char *file)
{
    if (change->has_failed)
        return;
    close_cohort(change);
    size_t space_octets = strlen(space) + 1, file_octets = strlen(file) + 1;
    struct kept_back_cohort *cohort = malloc(sizeof *cohort + space_octets + file_octets);
    if (cohort == NULL) {
        change->has_failed = true;
        return;
    }
    char *words = (char *)(cohort + 1);
    *cohort = (struct kept_back_cohort){.holds = 1,
                                        .generation = generation,
                                        .since_s = since_s,
                                        .ran_s = ran_s,
                                        .space = memcpy(words, space, space_octets),
                                        .file = memcpy(words + space_octets, file, file_octets)};
    change->open = cohort;
    change->is_numbered = false;
    change->octets = 0;
}

/* Lists a name in the open cohort, maybe as its first. */
static bool list_name(struct kept_back_change *change, const struct name *name, bool is_apex)
{
    assert(change->open != NULL);
    if (!change->is_numbered && !take_number(change))
        return false;
    change->is_numbered = true;
    if (change->is_unlisted)
        return true;
    if (change->octets + 1 + name->length > change->capacity) {
        size_t wider = 2 * change->capacity + NAMES_FIRST;
        uint8_t *moved = realloc(change->names, wider);
        if (moved == NULL) {
            change->has_failed = true;
            return false;
        }
        change->names = moved;
        change->capacity = wider;
    }
    change->names[change->octets] = is_apex;
    memcpy(change->names + change->octets + 1, name->octets, name->length);
    change->octets += 1U + name->length;
    change->open->count++;
    return true;
}

/* ---- names ---- */

static bool is_wildcard(const struct name *name)
{
    return name->octets[0] == 1 && name->octets[1] == '*';
}

/* Counts a name as released. */
static void count_out(struct kept_back_change *change, uint32_t value)
{
    struct kept_back *next = change->next;
    uint32_t number = kept_back_cohort_of(value);
    unsigned depth = kept_back_depth_of(value);

    assert(number < next->cohort_count && next->count > 0 && next->alive[number] > 0 &&
           (depth == 0 || next->wildcard_counts[depth] > 0));
    next->alive[number]--;
    next->count--;
    next->wildcard_counts[depth] -= depth > 0;
    change->removed++;
}

void kept_back_change_add(struct kept_back_change *change, const struct name *name, bool is_apex)
{
    if (change->has_failed)
        return;
    struct kept_back *next = change->next;
    uint64_t hash = kept_back_hash(next, name);
    struct kept_back_shard *shard = open_shard(change, hash);
    uint32_t at = shard == NULL ? 0 : shard_find(shard, hash);

    if (shard == NULL)
        return;
    if (at < shard->slots && change->is_numbered &&
        kept_back_cohort_of(shard->values[at]) == change->number)
        return;
    if (!list_name(change, name, is_apex))
        return;
    uint32_t depth = is_wildcard(name) ? name->label_count : 0;
    uint32_t value =
        change->number | depth << KEPT_BACK_COHORT_BITS | (is_apex ? KEPT_BACK_APEX : 0);
    if (at < shard->slots) {
        uint32_t before = kept_back_cohort_of(shard->values[at]);
        assert(before < next->cohort_count && next->alive[before] > 0);
        next->alive[before]--;
        shard->values[at] = value;
    } else {
        shard_put(shard, hash, value);
        next->count++;
        next->wildcard_counts[name->label_count] += is_wildcard(name);
        change->added++;
    }
    next->alive[change->number]++;
}

bool kept_back_change_remove(struct kept_back_change *change, const struct name *name)
{
    if (change->has_failed)
        return false;
    uint64_t hash = kept_back_hash(change->next, name);
    const struct kept_back_shard *shared = change->next->shards[hash >> 56];
    if (shared == NULL || shard_find(shared, hash) == shared->slots)
        return false;
    struct kept_back_shard *shard = open_shard(change, hash);
    if (shard == NULL)
        return false;
    uint32_t at = shard_find(shard, hash);
    count_out(change, shard->values[at]);
    shard_empty(shard, at);
    return true;
}

/* ---- many names ---- */

static bool has_quota(const struct kept_back_shard *shard, const uint32_t *quotas)
{
    for (uint32_t i = 0; i < shard->slots; i++)
        if (shard->hashes[i] != 0 && quotas[kept_back_cohort_of(shard->values[i])] > 0)
            return true;
    return false;
}

/* Replaces a shard by one without the names that the quotas take. */
static void thin_shard(struct kept_back_change *change, size_t number, uint32_t *quotas)
{
    struct kept_back_shard *shard = change->next->shards[number];

    if (shard == NULL || !has_quota(shard, quotas))
        return;
    struct kept_back_shard *thinner = shard_new(shard->slots);
    if (thinner == NULL) {
        change->has_failed = true;
        return;
    }
    for (uint32_t i = 0; i < shard->slots; i++) {
        if (shard->hashes[i] == 0)
            continue;
        uint32_t *quota = &quotas[kept_back_cohort_of(shard->values[i])];
        if (*quota == 0) {
            shard_put(thinner, shard->hashes[i], shard->values[i]);
            continue;
        }
        --*quota;
        count_out(change, shard->values[i]);
    }
    shard_release(shard);
    change->next->shards[number] = thinner;
    change->touched[number] = true;
}

/* Releases of each cohort as many names as its quota, and frees the quotas. Returns how many. */
static size_t remove_quotas(struct kept_back_change *change, uint32_t *quotas)
{
    size_t removed = change->removed;

    for (size_t i = 0; i < KEPT_BACK_SHARDS && !change->has_failed; i++)
        thin_shard(change, i, quotas);
    free(quotas);
    return change->removed - removed;
}

/* A quota of 0 for each cohort, once all are closed. NULL without memory. */
static uint32_t *begin_quotas(struct kept_back_change *change)
{
    if (!change->has_failed)
        close_cohort(change);
    if (change->has_failed)
        return NULL;
    uint32_t *quotas = calloc(change->next->cohort_count + 1, sizeof *quotas);
    change->has_failed = quotas == NULL;
    return quotas;
}

size_t kept_back_change_expire(struct kept_back_change *change, int64_t until_s)
{
    uint32_t *quotas = begin_quotas(change);
    const struct kept_back *next = change->next;

    if (quotas == NULL)
        return 0;
    for (size_t i = 0; i < next->cohort_count; i++)
        if (next->cohorts[i] != NULL && next->cohorts[i]->ran_s <= until_s)
            quotas[i] = next->alive[i];
    return remove_quotas(change, quotas);
}

size_t kept_back_change_limit(struct kept_back_change *change, size_t most)
{
    size_t count = 0;

    if (change->has_failed || change->next->count <= most)
        return 0;
    uint32_t *quotas = begin_quotas(change);
    uint32_t *numbers = quotas == NULL ? NULL : kept_back_by_age(change->next, &count);
    size_t excess = change->next->count - most;
    for (size_t i = 0; i < count && excess > 0; i++) {
        uint32_t alive = change->next->alive[numbers[i]];
        quotas[numbers[i]] = excess < alive ? (uint32_t)excess : alive;
        excess -= quotas[numbers[i]];
    }
    if (numbers == NULL) {
        change->has_failed = true;
        free(quotas);
        return 0;
    }
    free(numbers);
    size_t removed = remove_quotas(change, quotas);
    change->next->pushed_out += removed;
    return removed;
}

/* ---- end ---- */

static void drop_dead_cohorts(struct kept_back *next)
{
    size_t used = 0;

    for (size_t i = 0; i < next->cohort_count; i++) {
        if (next->cohorts[i] != NULL && next->alive[i] == 0) {
            kept_back_release_cohort(next->cohorts[i]);
            next->cohorts[i] = NULL;
        }
        used = next->cohorts[i] != NULL ? i + 1 : used;
    }
    next->cohort_count = used;
    for (size_t i = 0; i <= LABEL_MAX_COUNT; i++)
        if (next->wildcard_counts[i] > 0)
            next->wildcard_depths[i / 64] |= (uint64_t)1 << i % 64;
}

struct kept_back *kept_back_change_finish(struct kept_back_change *change)
{
    struct kept_back *next = change->next;

    if (!change->has_failed)
        close_cohort(change);
    if (!change->has_failed)
        change->has_failed = !pack_shards(next, change->touched);
    if (change->has_failed) {
        kept_back_change_drop(change);
        change->has_failed = true;
        return NULL;
    }
    drop_dead_cohorts(next);
    free(change->names);
    change->names = NULL;
    change->next = NULL;
    if (next->count > 0 || next->pushed_out > 0)
        return next;
    kept_back_release(next);
    return NULL;
}

void kept_back_change_drop(struct kept_back_change *change)
{
    kept_back_release(change->next);
    free(change->open);
    free(change->names);
    change->open = NULL;
    change->next = NULL;
    change->names = NULL;
}
