/* Empty names between static records and the domains that hold them. */
#include <stdlib.h>
#include <string.h>

#include "answer/seal.h"

enum { LABELS_LEAST = 3, COUNTRY_LABEL_OCTETS = 2 };

static unsigned count_labels(const uint8_t *name)
{
    unsigned count = 0;

    for (; *name != 0; name += *name + 1U)
        count++;
    return count;
}

/* The minimum number of labels of an empty name; `last` is its last label. */
static unsigned labels_least(const uint8_t *last)
{
    bool is_deeper =
        *last == COUNTRY_LABEL_OCTETS || (*last == 4 && memcmp(last + 1, "arpa", 4) == 0);
    return is_deeper ? LABELS_LEAST + 1 : LABELS_LEAST;
}

static const uint8_t *last_label(const uint8_t *name)
{
    while (name[*name + 1U] != 0)
        name += *name + 1U;
    return name;
}

/* Lists the empty names above one owner; `list` NULL counts them only. Bounded by its labels. */
static size_t list_above(const uint8_t *texts, const struct host *host, struct empty_name *list)
{
    const uint8_t *name = texts + host->octets;
    unsigned labels = count_labels(name), least = labels_least(last_label(name));
    size_t skipped = 0, count = 0;

    while (--labels >= least) {
        skipped += name[skipped] + 1U;
        if (list != NULL)
            list[count] = (struct empty_name){.octets = host->octets + (uint32_t)skipped,
                                              .length = (uint8_t)(host->length - skipped),
                                              .label_count = (uint8_t)labels};
        count++;
    }
    return count;
}

static size_t list_all(const struct segment *segment, struct empty_name *list)
{
    size_t count = 0;

    for (size_t i = 0; i < segment->host_count; i++)
        if (segment->hosts[i].kind == HOST_RECORDS)
            count +=
                list_above(segment->texts, &segment->hosts[i], list == NULL ? NULL : list + count);
    return count;
}

static int compare(const void *a, const void *b, void *texts)
{
    const struct empty_name *left = a, *right = b;

    return segment_compare_empty(left, (const uint8_t *)texts + right->octets, right->length,
                                 texts);
}

bool seal_empty_names(struct segment *segment)
{
    size_t count = list_all(segment, NULL), kept = 0;

    if (count == 0)
        return true;
    struct empty_name *list = malloc(count * sizeof *list);
    if (list == NULL)
        return false;
    list_all(segment, list);
    qsort_r(list, count, sizeof *list, compare, (void *)segment->texts);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare(&list[i - 1], &list[i], (void *)segment->texts) != 0)
            list[kept++] = list[i];
    struct empty_name *names = arena_take(segment->arena, kept * sizeof *names);
    if (names != NULL)
        memcpy(names, list, kept * sizeof *names);
    free(list);
    segment->empty_names = names;
    segment->empty_count = names == NULL ? 0 : kept;
    for (size_t i = 0; i < segment->empty_count; i++)
        segment->empty_depths[names[i].label_count / 64] |= (uint64_t)1
                                                            << names[i].label_count % 64;
    return names != NULL;
}
