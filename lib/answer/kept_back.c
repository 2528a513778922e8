#include "answer/kept_back.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct kept_back *kept_back_hold(struct kept_back *kept)
{
    if (kept != NULL)
        kept->holds++;
    return kept;
}

void kept_back_release_cohort(struct kept_back_cohort *cohort)
{
    if (cohort == NULL || --cohort->holds > 0)
        return;
    free(cohort->names);
    free(cohort);
}

void kept_back_release(struct kept_back *kept)
{
    if (kept == NULL)
        return;
    assert(kept->holds > 0);
    if (--kept->holds > 0)
        return;
    for (size_t i = 0; i < KEPT_BACK_SHARDS; i++)
        if (kept->shards[i] != NULL && --kept->shards[i]->holds == 0)
            free(kept->shards[i]);
    for (size_t i = 0; i < kept->cohort_count; i++)
        kept_back_release_cohort(kept->cohorts[i]);
    free(kept->cohorts);
    free(kept->alive);
    free(kept);
}

bool kept_back_has(const struct kept_back *kept, uint64_t hash, struct kept_back_entry *entry)
{
    const struct kept_back_shard *shard = kept->shards[hash >> 56];

    if (hash == 0)
        hash = 1;
    if (shard == NULL)
        return false;
    /* A fifth of the slots is empty, so the loop ends. */
    for (uint32_t at = kept_back_home(shard, hash); shard->hashes[at] != 0;
         at = at + 1 == shard->slots ? 0 : at + 1) {
        if (shard->hashes[at] != hash)
            continue;
        uint32_t number = kept_back_cohort_of(shard->values[at]);
        assert(number < kept->cohort_count);
        entry->cohort = kept->cohorts[number];
        entry->is_apex = (shard->values[at] & KEPT_BACK_APEX) != 0;
        return true;
    }
    return false;
}

bool kept_back_find(const struct kept_back *kept, const struct name *name, uint64_t hash,
                    unsigned depth, struct kept_back_entry *entry)
{
    const uint64_t *depths = kept->wildcard_depths;
    const uint8_t *label = name->octets;

    if (kept_back_has(kept, hash, entry))
        return true;
    if ((depths[0] | depths[1]) == 0)
        return false;
    /* As snapshot_find_wildcard: at most LABEL_MAX_COUNT iterations. */
    for (unsigned labels = name->label_count; labels > 1 && labels > depth; labels--) {
        const uint8_t *suffix = label + 1 + *label;
        struct name wildcard;
        if (label[1] == '_')
            return false;
        label = suffix;
        if ((depths[labels / 64] >> labels % 64 & 1) == 0)
            continue;
        if (name_join(&wildcard, "*", 1, suffix, name_suffix_length(name, suffix)) &&
            kept_back_has(kept, hash_padded(&kept->key, wildcard.octets, wildcard.length), entry))
            return true;
    }
    return false;
}

static int compare_ages(const void *a, const void *b, void *context)
{
    const struct kept_back *kept = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    const struct kept_back_cohort *x = kept->cohorts[left], *y = kept->cohorts[right];

    if (x->ran_s != y->ran_s)
        return x->ran_s < y->ran_s ? -1 : 1;
    if (x->generation != y->generation)
        return x->generation < y->generation ? -1 : 1;
    return left < right ? -1 : left > right;
}

uint32_t *kept_back_by_age(const struct kept_back *kept, size_t *count)
{
    uint32_t *numbers = malloc((kept->cohort_count + 1) * sizeof *numbers);

    *count = 0;
    if (numbers == NULL)
        return NULL;
    for (size_t i = 0; i < kept->cohort_count; i++)
        if (kept->cohorts[i] != NULL)
            numbers[(*count)++] = (uint32_t)i;
    qsort_r(numbers, *count, sizeof *numbers, compare_ages, (void *)kept);
    return numbers;
}

/* Reads a name of a cohort's list. Returns the position of the next one. */
static const uint8_t *read_listed(const uint8_t *listed, struct name *name, bool *is_apex)
{
    size_t length = name_measure(listed + 1);
    struct reader in = reader_over(listed + 1, length);

    *is_apex = *listed != 0;
    bool read = name_read(&in, name);
    assert(read);
    return listed + 1 + length;
}

bool kept_back_walk(const struct kept_back *kept, kept_back_on_name *on_name, void *context)
{
    size_t count;
    uint32_t *numbers = kept_back_by_age(kept, &count);
    bool goes_on = numbers != NULL;

    for (size_t i = 0; i < count && goes_on; i++) {
        const struct kept_back_cohort *cohort = kept->cohorts[numbers[i]];
        const uint8_t *next = cohort->names;
        for (size_t j = 0; next != NULL && j < cohort->count && goes_on; j++) {
            struct kept_back_entry entry;
            struct name name;
            bool is_apex;
            next = read_listed(next, &name, &is_apex);
            if (kept_back_has(kept, kept_back_hash(kept, &name), &entry) && entry.cohort == cohort)
                goes_on = on_name(context, &name, &entry);
        }
    }
    free(numbers);
    return goes_on;
}

void kept_back_drop_names(struct kept_back *kept)
{
    for (size_t i = 0; kept != NULL && i < kept->cohort_count; i++) {
        if (kept->cohorts[i] == NULL)
            continue;
        free(kept->cohorts[i]->names);
        kept->cohorts[i]->names = NULL;
    }
}

size_t kept_back_octets(const struct kept_back *kept)
{
    size_t octets =
        sizeof *kept + kept->cohort_count * (sizeof *kept->cohorts + sizeof *kept->alive);

    for (size_t i = 0; i < KEPT_BACK_SHARDS; i++)
        if (kept->shards[i] != NULL)
            octets += sizeof *kept->shards[i] +
                      kept->shards[i]->slots * (sizeof(uint64_t) + sizeof(uint32_t));
    for (size_t i = 0; i < kept->cohort_count; i++) {
        const struct kept_back_cohort *cohort = kept->cohorts[i];
        if (cohort != NULL)
            octets += sizeof *cohort + strlen(cohort->space) + strlen(cohort->file) + 2 +
                      (cohort->names == NULL ? 0 : cohort->octets);
    }
    return octets;
}
