#include "support/etcd_store.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static struct octets copy(struct octets from)
{
    uint8_t *to = must(malloc(from.length + 1));

    if (from.length > 0)
        memcpy(to, from.start, from.length);
    to[from.length] = 0;
    return (struct octets){.start = to, .length = from.length};
}

static void drop(struct octets octets)
{
    free((void *)octets.start);
}

static int compare(struct octets a, struct octets b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.start, b.start, shorter);

    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

bool etcd_store_is_within(struct octets other, struct octets key, struct octets end)
{
    if (end.length == 0)
        return octets_are_same(other, key);
    bool is_open = end.length == 1 && end.start[0] == 0;
    return compare(other, key) >= 0 && (is_open || compare(other, end) < 0);
}

struct etcd_store *etcd_store_new(void)
{
    struct etcd_store *store = must(calloc(1, sizeof *store));

    *store = (struct etcd_store){.cluster = ETCD_STORE_CLUSTER,
                                 .raft_term = ETCD_STORE_TERM,
                                 .version = "3.4.23",
                                 .revision = 1,
                                 .next_lease = 1000,
                                 .token = 1};
    return store;
}

/* ---- entries ---- */

static void free_entry(struct etcd_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++)
        drop(entry->versions[i].value);
    free(entry->versions);
    drop(entry->key);
    free(entry);
}

static void clear(struct etcd_store *store)
{
    for (size_t i = 0; i < store->entry_count; i++)
        free_entry(store->entries[i]);
    free(store->entries);
    free(store->changes);
    store->entries = NULL;
    store->changes = NULL;
    store->entry_count = store->change_count = 0;
}

void etcd_store_free(struct etcd_store *store)
{
    if (store == NULL)
        return;
    clear(store);
    free(store);
}

/* The first entry at or after a key. */
static size_t position(const struct etcd_store *store, struct octets key)
{
    size_t low = 0, high = store->entry_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(store->entries[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct etcd_entry *find_or_add(struct etcd_store *store, struct octets key)
{
    size_t at = position(store, key);

    if (at < store->entry_count && octets_are_same(store->entries[at]->key, key))
        return store->entries[at];
    store->entries =
        must(realloc(store->entries, (store->entry_count + 1) * sizeof(struct etcd_entry *)));
    memmove(store->entries + at + 1, store->entries + at,
            (store->entry_count - at) * sizeof(struct etcd_entry *));
    store->entry_count++;
    store->entries[at] = must(calloc(1, sizeof(struct etcd_entry)));
    store->entries[at]->key = copy(key);
    return store->entries[at];
}

static const struct etcd_version *version_at(const struct etcd_entry *entry, int64_t revision)
{
    for (size_t i = entry->count; i > 0; i--)
        if (entry->versions[i - 1].mod_revision <= revision)
            return entry->versions[i - 1].is_delete ? NULL : &entry->versions[i - 1];
    return NULL;
}

const struct etcd_version *etcd_store_get(const struct etcd_store *store, struct octets key,
                                          int64_t revision)
{
    size_t at = position(store, key);

    if (at == store->entry_count || !octets_are_same(store->entries[at]->key, key))
        return NULL;
    return version_at(store->entries[at], revision);
}

const char *etcd_store_value(const struct etcd_store *store, const char *key)
{
    const struct etcd_version *version = etcd_store_get(store, octets_of(key), store->revision + 1);

    return version == NULL ? NULL : (const char *)version->value.start;
}

/* ---- changes ---- */

/* The revision of the changes to come: the one that is begun, or the next. */
static int64_t next_revision(const struct etcd_store *store)
{
    return store->revision + 1;
}

static void add_version(struct etcd_store *store, struct etcd_entry *entry,
                        struct etcd_version version)
{
    if (entry->count > 0 && entry->versions[entry->count - 1].mod_revision == version.mod_revision)
        abort(); /* etcd refuses a key twice in one transaction */
    entry->versions = must(realloc(entry->versions, (entry->count + 1) * sizeof version));
    entry->versions[entry->count++] = version;
    store->changes =
        must(realloc(store->changes, (store->change_count + 1) * sizeof *store->changes));
    store->changes[store->change_count++] = (struct etcd_change){
        .revision = version.mod_revision, .entry = entry, .mod_revision = version.mod_revision};
}

void etcd_store_begin(struct etcd_store *store)
{
    store->is_committing = true;
}

int64_t etcd_store_commit(struct etcd_store *store)
{
    store->is_committing = false;
    if (store->change_count > 0 &&
        store->changes[store->change_count - 1].revision == next_revision(store))
        store->revision++;
    return store->revision;
}

int64_t etcd_store_put_octets(struct etcd_store *store, struct octets key, struct octets value,
                              int64_t lease)
{
    struct etcd_entry *entry = find_or_add(store, key);
    const struct etcd_version *before = version_at(entry, store->revision);
    int64_t revision = next_revision(store);

    add_version(store, entry,
                (struct etcd_version){
                    .mod_revision = revision,
                    .create_revision = before != NULL ? before->create_revision : revision,
                    .version = before != NULL ? before->version + 1 : 1,
                    .lease = lease,
                    .value = copy(value),
                });
    return store->is_committing ? revision : etcd_store_commit(store);
}

int64_t etcd_store_put(struct etcd_store *store, const char *key, const char *value)
{
    return etcd_store_put_octets(store, octets_of(key), octets_of(value), 0);
}

static bool delete_entry(struct etcd_store *store, struct etcd_entry *entry)
{
    if (version_at(entry, store->revision) == NULL)
        return false;
    add_version(store, entry,
                (struct etcd_version){.mod_revision = next_revision(store),
                                      .is_delete = true,
                                      .value = copy(octets_of(""))});
    return true;
}

int64_t etcd_store_delete_octets(struct etcd_store *store, struct octets key, struct octets end)
{
    int64_t deleted = 0;

    for (size_t i = position(store, key); i < store->entry_count; i++)
        if (etcd_store_is_within(store->entries[i]->key, key, end))
            deleted += delete_entry(store, store->entries[i]);
    if (!store->is_committing)
        etcd_store_commit(store);
    return deleted;
}

int64_t etcd_store_delete(struct etcd_store *store, const char *key, const char *end)
{
    return etcd_store_delete_octets(store, octets_of(key), octets_of(end == NULL ? "" : end));
}

void etcd_store_expire_lease(struct etcd_store *store, int64_t lease)
{
    for (size_t i = 0; i < store->entry_count; i++) {
        const struct etcd_version *version = version_at(store->entries[i], store->revision);
        if (version != NULL && version->lease == lease)
            delete_entry(store, store->entries[i]);
    }
    etcd_store_commit(store);
}

/* ---- history ---- */

/* Of a key: its version at that revision stays unless it is a deletion, and all later ones. */
static void compact_entry(struct etcd_entry *entry, int64_t revision)
{
    size_t first = 0;

    while (first < entry->count && entry->versions[first].mod_revision <= revision)
        first++;
    if (first > 0 && !entry->versions[first - 1].is_delete)
        first--;
    for (size_t i = 0; i < first; i++)
        drop(entry->versions[i].value);
    memmove(entry->versions, entry->versions + first,
            (entry->count - first) * sizeof *entry->versions);
    entry->count -= first;
}

static bool has_version(const struct etcd_entry *entry, int64_t mod_revision)
{
    for (size_t i = 0; i < entry->count; i++)
        if (entry->versions[i].mod_revision == mod_revision)
            return true;
    return false;
}

void etcd_store_compact(struct etcd_store *store, int64_t revision)
{
    size_t kept = 0;

    store->compacted = revision;
    for (size_t i = 0; i < store->entry_count; i++)
        compact_entry(store->entries[i], revision);
    for (size_t i = 0; i < store->change_count; i++)
        if (has_version(store->changes[i].entry, store->changes[i].mod_revision))
            store->changes[kept++] = store->changes[i];
    store->change_count = kept;
}

static void copy_contents(struct etcd_store *to, const struct etcd_store *from)
{
    to->revision = from->revision;
    to->compacted = from->compacted;
    for (size_t i = 0; i < from->change_count; i++) {
        const struct etcd_change *change = &from->changes[i];
        for (size_t j = 0; j < change->entry->count; j++) {
            struct etcd_version version = change->entry->versions[j];
            if (version.mod_revision != change->mod_revision)
                continue;
            version.value = copy(version.value);
            add_version(to, find_or_add(to, change->entry->key), version);
        }
    }
}

struct etcd_store *etcd_store_backup(const struct etcd_store *store)
{
    struct etcd_store *backup = etcd_store_new();

    copy_contents(backup, store);
    return backup;
}

void etcd_store_restore(struct etcd_store *store, const struct etcd_store *backup)
{
    clear(store);
    copy_contents(store, backup);
}

/* ---- faults ---- */

void etcd_store_fail(struct etcd_store *store, enum etcd_method method, enum etcd_status status,
                     const char *text, unsigned times)
{
    store->faults[method] = (struct etcd_fault){.status = status, .text = text, .left = times};
}

void etcd_store_silence(struct etcd_store *store, enum etcd_method method)
{
    store->faults[method].is_silent = true;
}

void etcd_store_repeat(struct etcd_store *store, enum etcd_method method, unsigned copies)
{
    store->faults[method].repeats = true;
    store->faults[method].copies = copies;
}

void etcd_store_heal(struct etcd_store *store)
{
    memset(store->faults, 0, sizeof store->faults);
    store->has_no_leader = false;
}

void etcd_store_expire_tokens(struct etcd_store *store)
{
    store->token++;
}
