#include "scheduler/batch.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_FIRST = 64 };

static struct batch_entry *find(struct batch *batch, const char *key, bool is_under_way)
{
    for (size_t i = batch->count; i > 0; i--) {
        struct batch_entry *entry = &batch->entries[i - 1];
        if (entry->is_under_way == is_under_way && strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

static struct batch_entry *grow(struct batch *batch)
{
    size_t capacity = batch->capacity == 0 ? ENTRIES_FIRST : batch->capacity * 2;

    if (batch->count < batch->capacity)
        return &batch->entries[batch->count];
    struct batch_entry *grown = realloc(batch->entries, capacity * sizeof *grown);
    if (grown == NULL)
        return NULL;
    batch->entries = grown;
    batch->capacity = capacity;
    return &grown[batch->count];
}

static bool add(struct batch *batch, const char *key, char *value, size_t length, uint64_t now_ms)
{
    struct batch_entry *waiting = find(batch, key, false);
    struct batch_entry *under_way = find(batch, key, true);

    if (waiting != NULL) {
        free(waiting->value);
        waiting->value = value;
        waiting->length = length;
        batch->coalesced++;
        return true;
    }
    struct batch_entry *entry = grow(batch);
    char *copy = entry == NULL ? NULL : strdup(key);
    if (copy == NULL)
        return false;
    *entry =
        (struct batch_entry){.key = copy, .value = value, .length = length, .since_ms = now_ms};
    batch->count++;
    if (under_way != NULL) /* grow may have moved it */
        find(batch, key, true)->is_stale = true;
    return true;
}

bool batch_put(struct batch *batch, const char *key, const char *value, size_t length,
               uint64_t now_ms)
{
    char *copy = malloc(length + 1);

    if (copy == NULL)
        return false;
    memcpy(copy, value, length);
    copy[length] = '\0';
    if (add(batch, key, copy, length, now_ms))
        return true;
    free(copy);
    return false;
}

bool batch_delete(struct batch *batch, const char *key, uint64_t now_ms)
{
    return add(batch, key, NULL, 0, now_ms);
}

static size_t octets_of_entry(const struct batch_entry *entry)
{
    return strlen(entry->key) + entry->length;
}

uint64_t batch_due_ms(const struct batch *batch)
{
    uint64_t oldest_ms = UINT64_MAX;
    size_t count = 0, octets = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_entry *entry = &batch->entries[i];
        if (entry->is_under_way)
            continue;
        count++;
        octets += octets_of_entry(entry);
        oldest_ms = entry->since_ms < oldest_ms ? entry->since_ms : oldest_ms;
    }
    if (count == 0)
        return UINT64_MAX;
    if (count >= BATCH_OPERATIONS_MOST || octets >= BATCH_OCTETS_MOST)
        return 0;
    return oldest_ms + batch->gather_ms;
}

static struct etcd_operation operation_of(const struct batch_entry *entry)
{
    if (entry->value == NULL)
        return (struct etcd_operation){.kind = ETCD_DO_DELETE,
                                       .removal = {.key = octets_of(entry->key)}};
    return (struct etcd_operation){
        .kind = ETCD_DO_PUT,
        .put = {.key = octets_of(entry->key),
                .value = {.start = (const uint8_t *)entry->value, .length = entry->length}}};
}

size_t batch_take(struct batch *batch, struct arena *arena, struct octets *request)
{
    struct etcd_operation operations[BATCH_OPERATIONS_MOST];
    size_t count = 0, octets = 0;

    for (size_t i = 0; i < batch->count && count < BATCH_OPERATIONS_MOST; i++) {
        struct batch_entry *entry = &batch->entries[i];
        octets += octets_of_entry(entry);
        if (octets > BATCH_OCTETS_MOST && count > 0)
            break;
        entry->is_under_way = true;
        operations[count++] = operation_of(entry);
    }
    const struct etcd_txn txn = {.success = operations, .success_count = count};
    *request = etcd_encode_txn(arena, &txn);
    return count;
}

/* Removes what is under way, or of that what has changed since; the rest waits. */
static void settle(struct batch *batch, bool is_written)
{
    size_t kept = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct batch_entry *entry = &batch->entries[i];
        if (entry->is_under_way && (is_written || entry->is_stale)) {
            free(entry->key);
            free(entry->value);
            continue;
        }
        entry->is_under_way = false;
        batch->entries[kept++] = *entry;
    }
    batch->count = kept;
}

void batch_written(struct batch *batch)
{
    settle(batch, true);
}

void batch_return(struct batch *batch)
{
    settle(batch, false);
}

void batch_close(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->entries[i].key);
        free(batch->entries[i].value);
    }
    free(batch->entries);
    *batch = (struct batch){.gather_ms = batch->gather_ms};
}
