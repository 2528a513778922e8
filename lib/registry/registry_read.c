#include <stdlib.h>
#include <string.h>

#include "registry/registry_state.h"

/* ---- full reads: what is read in pages ---- */

static void close_reading(struct reading *reading)
{
    free(reading->pages);
    for (size_t i = 0; i < reading->space_count; i++)
        free(reading->spaces[i]);
    free(reading->spaces);
    *reading = (struct reading){.is_active = false};
}

/* Everything but dynos: before d/ and behind it. */
static size_t plan_all(const struct registry *registry, struct key_range *pages)
{
    struct key_range all, dynos;

    keys_range_all(&registry->keys, &all);
    keys_range_kind(&registry->keys, KEY_DYNOS, &dynos);
    pages[0] = (struct key_range){.begin = all.begin, .end = dynos.begin};
    pages[1] = (struct key_range){.begin = dynos.end, .end = all.end};
    return 2;
}

static void plan_one(const struct registry *registry, enum key_kind kind, const char *space,
                     struct key_range *page)
{
    keys_write(&registry->keys, kind, space, &page->begin);
    page->end = page->begin;
    page->end.octets[page->end.length++] = '\0';
}

static size_t plan_selection(const struct registry *registry, struct key_range *pages)
{
    static const enum key_kind singles[] = {KEY_BEAT, KEY_CONFIG, KEY_FORCE, KEY_PAUSE};
    static const enum key_kind kinds[] = {KEY_FIXED, KEY_CANDIDATE, KEY_DOCUMENT};
    const struct mirror *mirror = &registry->mirror;
    size_t count = 0;

    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
        plan_one(registry, singles[i], "", &pages[count++]);
    for (size_t n = 0; n < mirror->selection_count; n++)
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            plan_one(registry, kinds[i], mirror->selection[n], &pages[count++]);
    return count;
}

static void lose_memory(struct registry *registry)
{
    follow_on_lost(&registry->follow, "out of memory for what is read", registry->now_ms);
}

static void ask_page(struct registry *registry)
{
    struct reading *reading = &registry->reading;
    const struct key_range *page = &reading->pages[reading->page];

    registry_call_range(
        registry, CALL_PAGE, 0,
        &(struct range_call){.begin = reading->has_cursor ? &reading->cursor : &page->begin,
                             .end = &page->end,
                             .revision = reading->revision,
                             .limit = reading->limit});
}

void registry_begin_read(struct registry *registry, uint64_t revision, bool distrusts)
{
    struct reading *reading = &registry->reading;
    size_t selected = registry->mirror.selection_count;

    registry_stop_read(registry);
    reading->pages = malloc((4 + 3 * selected) * sizeof *reading->pages);
    if (reading->pages == NULL) {
        lose_memory(registry);
        return;
    }
    reading->page_count = selected == 0 ? plan_all(registry, reading->pages)
                                        : plan_selection(registry, reading->pages);
    reading->is_active = true;
    reading->revision = revision;
    reading->limit = PAGE_FIRST;
    mirror_begin_read(&registry->mirror, distrusts);
    ask_page(registry);
}

void registry_stop_read(struct registry *registry)
{
    if (!registry->reading.is_active)
        return;
    registry_cancel_calls(registry, CALL_PAGE, CALL_DYNOS);
    close_reading(&registry->reading);
    mirror_abandon_read(&registry->mirror);
}

/* ---- full reads: dynos ---- */

/* The order of "SPACE/". */
static int compare_spaces(const void *a, const void *b)
{
    const unsigned char *one = *(const unsigned char *const *)a;
    const unsigned char *other = *(const unsigned char *const *)b;

    while (*one != '\0' && *one == *other)
        one++, other++;
    return (*one == '\0' ? '/' : *one) - (*other == '\0' ? '/' : *other);
}

static bool list_spaces(struct registry *registry)
{
    struct reading *reading = &registry->reading;
    const struct mirror *mirror = &registry->mirror;
    bool is_selected = mirror->selection_count > 0;
    size_t count = is_selected ? mirror->selection_count : mirror->space_count;

    reading->spaces = calloc(count + 1, sizeof *reading->spaces);
    for (size_t i = 0; reading->spaces != NULL && i < count; i++) {
        reading->spaces[i] = strdup(is_selected ? mirror->selection[i] : mirror->spaces[i]->name);
        if (reading->spaces[i] == NULL)
            return false;
        reading->space_count++;
    }
    if (reading->spaces != NULL && count > 0)
        qsort(reading->spaces, count, sizeof *reading->spaces, compare_spaces);
    return reading->spaces != NULL;
}

/* All keys of dynos are in one of the ranges: before the first space, and from each on. */
static size_t count_ranges(const struct registry *registry)
{
    return registry->reading.space_count + (registry->mirror.selection_count == 0);
}

/* The space that a range begins with; NULL: none. */
static const char *space_of_range(const struct registry *registry, size_t index)
{
    const struct reading *reading = &registry->reading;

    if (registry->mirror.selection_count > 0)
        return reading->spaces[index];
    return index == 0 ? NULL : reading->spaces[index - 1];
}

static void plan_range(const struct registry *registry, size_t index, struct key_range *range)
{
    const struct reading *reading = &registry->reading;
    const char *space = space_of_range(registry, index);
    struct key_range next;

    keys_range_kind(&registry->keys, KEY_DYNOS, range);
    if (space != NULL) {
        keys_range_dynos(&registry->keys, space, &next);
        range->begin = next.begin;
    }
    if (registry->mirror.selection_count > 0) {
        range->end = next.end;
    } else if (index < reading->space_count) {
        keys_range_dynos(&registry->keys, reading->spaces[index], &next);
        range->end = next.begin;
    }
}

static void finish_read(struct registry *registry)
{
    uint64_t revision = registry->reading.revision;

    mirror_end_read(&registry->mirror, revision);
    close_reading(&registry->reading);
    registry->is_known = true;
    /* A pause keeps nothing of what another selection or channel had. */
    registry->mirror.has_loaded &= !registry->is_partial;
    registry->is_partial = false;
    registry->follow.has_data = true;
    follow_on_read(&registry->follow, registry->now_ms);
    registry_notify(registry, REGISTRY_READ, false,
                    "the registry was read at revision %llu: %zu space%s",
                    (unsigned long long)revision, registry->mirror.space_count,
                    registry->mirror.space_count == 1 ? "" : "s");
    if (registry_write_missing(registry))
        registry_notify_text(registry, REGISTRY_READ, true, registry->text);
    registry_finish(registry);
}

static void ask_ranges(struct registry *registry)
{
    struct reading *reading = &registry->reading;
    size_t count = count_ranges(registry);

    while (reading->range_next < count &&
           reading->range_next - reading->range_done < READ_AT_ONCE) {
        struct key_range range;
        plan_range(registry, reading->range_next, &range);
        if (!registry_call_range(registry, CALL_DYNOS, reading->range_next++,
                                 &(struct range_call){.begin = &range.begin,
                                                      .end = &range.end,
                                                      .revision = reading->revision}))
            return;
    }
    if (reading->range_done == count)
        finish_read(registry);
}

static bool is_in_space(const struct registry *registry, const struct etcd_pair *pair,
                        const char *space)
{
    struct key key;

    keys_read(&registry->keys, pair->key.start, pair->key.length, &key);
    return key.kind == KEY_DYNOS && strcmp(key.space, space) == 0;
}

/* Compares the pairs space by space. Returns true when the space was among them. */
static bool take_spaces(struct registry *registry, const struct etcd_range_response *response,
                        const char *space)
{
    bool is_found = false;
    size_t end;

    for (size_t i = 0; i < response->count; i = end) {
        struct key key;
        keys_read(&registry->keys, response->pairs[i].key.start, response->pairs[i].key.length,
                  &key);
        end = i + 1;
        if (key.kind != KEY_DYNOS) {
            registry->mirror.ignored_count++;
            continue;
        }
        while (end < response->count && is_in_space(registry, &response->pairs[end], key.space))
            end++;
        mirror_read_space(&registry->mirror, key.space, response->pairs + i, end - i,
                          registry->reading.revision);
        is_found |= space != NULL && strcmp(space, key.space) == 0;
    }
    return is_found;
}

void registry_on_dynos(struct registry *registry, size_t index,
                       const struct etcd_range_response *response)
{
    const char *space = space_of_range(registry, index);

    if (!take_spaces(registry, response, space) && space != NULL)
        mirror_read_space(&registry->mirror, space, NULL, 0, registry->reading.revision);
    registry->reading.range_done++;
    ask_ranges(registry);
}

/* ---- full reads: pages ---- */

static void adapt_limit(struct reading *reading, const struct etcd_range_response *response)
{
    size_t octets = 1;

    for (size_t i = 0; i < response->count; i++)
        octets += response->pairs[i].key.length + response->pairs[i].value.length;
    int64_t limit = (int64_t)(PAGE_OCTETS * response->count / octets);
    reading->limit = limit < PAGE_LEAST ? PAGE_LEAST : limit > PAGE_MOST ? PAGE_MOST : limit;
}

/* The next page begins behind the last key. */
static bool move_cursor(struct reading *reading, const struct etcd_range_response *response)
{
    const struct octets *last = &response->pairs[response->count - 1].key;

    if (last->length >= KEY_OCTETS_MOST)
        return false;
    memcpy(reading->cursor.octets, last->start, last->length);
    reading->cursor.octets[last->length] = '\0';
    reading->cursor.length = last->length + 1;
    reading->has_cursor = true;
    return true;
}

void registry_on_page(struct registry *registry, const struct etcd_range_response *response)
{
    struct reading *reading = &registry->reading;

    for (size_t i = 0; i < response->count; i++)
        mirror_put(&registry->mirror, &response->pairs[i]);
    if (response->has_more && (response->count == 0 || !move_cursor(reading, response))) {
        follow_on_lost(&registry->follow, "it sent a page with a key that is too long",
                       registry->now_ms);
        return;
    }
    if (response->has_more) {
        adapt_limit(reading, response);
        ask_page(registry);
        return;
    }
    reading->has_cursor = false;
    if (++reading->page < reading->page_count)
        ask_page(registry);
    else if (list_spaces(registry))
        ask_ranges(registry);
    else
        lose_memory(registry);
}
