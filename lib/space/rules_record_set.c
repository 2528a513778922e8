/* Static records of one name, and of one name and type. */
#include <stdlib.h>
#include <string.h>

#include "space/checking.h"
#include "wire/name.h"

enum {
    CNAME_TYPE = 5,
    OWNER_TEXT_MAX = 4 * NAME_MAX_OCTETS + 1,
    RECORD_HEAD_OCTETS = 12,
    /* A message less its header, the longest question, and OPT with options. */
    SET_OCTETS_MOST = 65535 - 12 - 259 - 512,
};

static int compare_octets(const uint8_t *left, size_t left_length, const uint8_t *right,
                          size_t right_length)
{
    size_t shorter = left_length < right_length ? left_length : right_length;
    int order = shorter == 0 ? 0 : memcmp(left, right, shorter);

    if (order != 0 || left_length == right_length)
        return order;
    return left_length < right_length ? -1 : 1;
}

static int compare_owners(const struct record *left, const struct record *right)
{
    return compare_octets(left->owner, left->owner_length, right->owner, right->owner_length);
}

/* Compares by owner, CNAMEs first, then by type, data and location. */
static int compare_records(const void *a, const void *b)
{
    const struct record *left = *(const struct record *const *)a;
    const struct record *right = *(const struct record *const *)b;
    int order = compare_owners(left, right);
    int left_type = left->type == CNAME_TYPE ? 0 : left->type;
    int right_type = right->type == CNAME_TYPE ? 0 : right->type;

    if (order != 0 || left_type != right_type)
        return order != 0 ? order : left_type - right_type;
    order = compare_octets(left->rdata, left->rdata_length, right->rdata, right->rdata_length);
    if (order != 0)
        return order;
    return location_is_before(left->at, right->at) ? -1 : 1;
}

static const char *owner_text(const struct record *record, char *out)
{
    struct text text = text_over(out, OWNER_TEXT_MAX - 1);

    name_add(&text, record->owner);
    *text.next = '\0';
    return out;
}

/* A name with a CNAME has no other records (RFC 1034 section 3.6.2). */
static void check_cname(struct checking *checking, const struct record *cname,
                        const struct record *record)
{
    char owner[OWNER_TEXT_MAX];

    FIND(checking, REC_CNAME, record->at,
         "record owner %.200s has a CNAME on line %u, and such a name has no other records; remove "
         "one of them",
         owner_text(record, owner), (unsigned)cname->at.line);
}

/* RFC 2181 section 5; after sorting, equal data are adjacent. */
static void check_duplicate(struct checking *checking, const struct record *before,
                            const struct record *record)
{
    char owner[OWNER_TEXT_MAX];

    if (compare_octets(before->rdata, before->rdata_length, record->rdata, record->rdata_length) ==
        0)
        FIND(checking, REC_DUP, record->at,
             "this record of %.200s is already given on line %u; remove one of them",
             owner_text(record, owner), (unsigned)before->at.line);
}

/* Checks the records of one name and type. */
static void check_set(struct checking *checking, const struct record *const *set, size_t count)
{
    char owner[OWNER_TEXT_MAX];
    size_t octets = 0;
    bool is_mixed = false;

    for (size_t i = 0; i < count; i++) {
        const struct record *record = set[i];
        octets += RECORD_HEAD_OCTETS + record->rdata_length;
        if (record->ttl_seconds != set[0]->ttl_seconds && !is_mixed) {
            is_mixed = true;
            FIND(checking, REC_TTL_MIXED, record->at,
                 "%.200s has TTL %u here and %u on line %u; records of one name and type have one "
                 "TTL, and the lowest is served: give them the same",
                 owner_text(record, owner), (unsigned)record->ttl_seconds,
                 (unsigned)set[0]->ttl_seconds, (unsigned)set[0]->at.line);
        }
    }
    if (octets > SET_OCTETS_MOST)
        FIND(checking, REC_SIZE, set[0]->at,
             "the %zu records of %.200s have %zu octets, and a message holds %d; remove some",
             count, owner_text(set[0], owner), octets, SET_OCTETS_MOST);
}

static void check_sorted(struct checking *checking, const struct record **sorted, size_t count)
{
    const struct record *cname = NULL;
    size_t first = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_new_owner = i == 0 || compare_owners(sorted[i], sorted[i - 1]) != 0;
        bool is_new_set = is_new_owner || sorted[i]->type != sorted[i - 1]->type;
        if (is_new_set && i > 0)
            check_set(checking, sorted + first, i - first);
        if (is_new_set)
            first = i;
        if (is_new_owner)
            cname = sorted[i]->type == CNAME_TYPE ? sorted[i] : NULL;
        else if (cname != NULL)
            check_cname(checking, cname, sorted[i]);
        else if (!is_new_set)
            check_duplicate(checking, sorted[i - 1], sorted[i]);
    }
    check_set(checking, sorted + first, count - first);
}

void check_record_sets(struct checking *checking)
{
    const struct space *space = checking->space;
    size_t count = space->record_count;

    if (count == 0)
        return;
    const struct record **sorted = malloc(count * sizeof *sorted);
    if (sorted == NULL) {
        FIND(checking, MEMORY, space->records[0].at, "out of memory while records were compared");
        return;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = &space->records[i];
    qsort(sorted, count, sizeof *sorted, compare_records);
    check_sorted(checking, sorted, count);
    free(sorted);
}
