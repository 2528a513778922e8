#include "spacedns/replica_list.h"

#include <stdio.h>
#include <string.h>

#include "registry/lines.h"
#include "spacedns/registry_view.h"

static bool fail_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
}

/* ---- an announcement ---- */

/* "bench-7 E-DOM-NAME", or with `held` the space alone. */
static bool add_kept(struct arena *arena, struct replica *replica, const struct line *line)
{
    const struct line_text value = line->value;
    const char *blank = memchr(value.octets, ' ', value.length);
    size_t length = blank == NULL ? value.length : (size_t)(blank - value.octets);
    size_t rest = blank == NULL ? 0 : value.length - length - 1;
    struct replica_kept *kept = arena_grow(arena, replica->kept, replica->kept_count,
                                           &replica->kept_capacity, sizeof *kept);
    const struct replica_kept added = {.space = arena_text(arena, value.octets, length),
                                       .code =
                                           arena_text(arena, blank == NULL ? "" : blank + 1, rest),
                                       .is_held = line_is(line, "held")};

    if (kept == NULL || added.space == NULL || added.code == NULL)
        return false;
    replica->kept = kept;
    kept[replica->kept_count++] = added;
    return true;
}

static bool read_replica(struct arena *arena, struct replica *replica, const struct keys *keys,
                         const struct etcd_pair *pair)
{
    const char *value = (const char *)pair->value.start;
    size_t length = pair->value.length, skipped = strlen(keys->replicas);
    struct lines lines = lines_over(value, length);
    struct line line;
    bool is_read = true;

    *replica = (struct replica){.revision = lines_number(value, length, "revision"),
                                .written = (uint64_t)pair->mod_revision,
                                .format = lines_number(value, length, "format"),
                                .known = lines_number(value, length, "known"),
                                .waits_ms = (int64_t)lines_number(value, length, "waits_ms"),
                                .held_apps = lines_number(value, length, "held_apps"),
                                .at_ms = (int64_t)lines_number(value, length, "at_ms")};
    if (pair->key.length > skipped)
        snprintf(replica->name, sizeof replica->name, "%.*s", (int)(pair->key.length - skipped),
                 (const char *)pair->key.start + skipped);
    lines_copy(value, length, "version", replica->version, sizeof replica->version);
    lines_copy(value, length, "channel", replica->channel, sizeof replica->channel);
    while (is_read && lines_next(&lines, &line))
        if (line_is(&line, "kept") || line_is(&line, "held"))
            is_read = add_kept(arena, replica, &line);
    return is_read;
}

bool replica_list_add(struct replica_list *list, const struct keys *keys,
                      const struct etcd_pair *pair)
{
    struct replica *items =
        arena_grow(list->arena, list->items, list->count, &list->capacity, sizeof *items);

    if (items == NULL)
        return false;
    list->items = items;
    return read_replica(list->arena, &items[list->count++], keys, pair);
}

bool replica_keeps(const struct replica *replica, const char *space)
{
    for (size_t i = 0; i < replica->kept_count; i++)
        if (strcmp(replica->kept[i].space, space) == 0)
            return true;
    return false;
}

/* ---- reading ---- */

static bool call_range(struct replica_list *list, struct etcd_client *client,
                       const struct etcd_range *wanted, struct etcd_range_response *response,
                       struct err *err)
{
    struct octets octets;

    return etcd_client_call(client, ETCD_RANGE, etcd_encode_range(list->arena, wanted), &octets,
                            err) &&
           etcd_decode_range(list->arena, octets.start, octets.length, response, err);
}

static struct octets octets_over(const struct key_text *text)
{
    return (struct octets){(const uint8_t *)text->octets, text->length};
}

bool replica_list_read(struct replica_list *list, struct etcd_client *client,
                       const struct keys *keys, struct err *err)
{
    struct etcd_range_response response;
    struct key_range range;

    *list = (struct replica_list){.arena = arena_new()};
    if (list->arena == NULL)
        return fail_memory(err);
    keys_range_replicas(keys, &range);
    const struct etcd_range wanted = {.key = octets_over(&range.begin),
                                      .end = octets_over(&range.end)};
    if (!call_range(list, client, &wanted, &response, err))
        return false;
    for (size_t i = 0; i < response.count; i++)
        if (!replica_list_add(list, keys, &response.pairs[i]))
            return fail_memory(err);
    return true;
}

void replica_list_close(struct replica_list *list)
{
    arena_free(list->arena);
    *list = (struct replica_list){.arena = NULL};
}

/* ---- the cell ---- */

struct mark {
    struct line_text text;
    uint64_t modified; /* 0: it is not there */
};

struct cell_reading {
    struct replica_list *list;
    struct etcd_client *client;
    const struct keys *keys;
    struct replica_cell *cell;
    struct err *err;
};

static bool read_mark(const struct cell_reading *reading, enum key_kind kind, struct mark *mark)
{
    struct etcd_range_response response;
    struct key_text key;

    keys_write(reading->keys, kind, NULL, &key);
    const struct etcd_range wanted = {.key = octets_over(&key)};
    *mark = (struct mark){.modified = 0};
    if (!call_range(reading->list, reading->client, &wanted, &response, reading->err))
        return false;
    if (response.count == 0)
        return true;
    const struct octets value = response.pairs[0].value; /* the client's, until its next call */
    mark->text.octets = arena_text(reading->list->arena, value.start, value.length);
    mark->text.length = value.length;
    mark->modified = (uint64_t)response.pairs[0].mod_revision;
    return mark->text.octets != NULL || fail_memory(reading->err);
}

static bool read_documents(const struct cell_reading *reading)
{
    struct replica_cell *cell = reading->cell;
    struct etcd_range_response response;
    struct key_range range;

    keys_range_kind(reading->keys, KEY_DOCUMENT, &range);
    const struct etcd_range wanted = {
        .key = octets_over(&range.begin), .end = octets_over(&range.end), .keys_only = true};
    if (!call_range(reading->list, reading->client, &wanted, &response, reading->err))
        return false;
    for (size_t i = 0; i < response.count; i++)
        cell->changed = registry_newer(cell->changed, (uint64_t)response.pairs[i].mod_revision);
    return true;
}

static void copy(const struct mark *mark, const char *key, char *out, size_t size)
{
    if (mark->modified != 0)
        lines_copy(mark->text.octets, mark->text.length, key, out, size);
}

bool replica_cell_read(struct replica_cell *cell, struct replica_list *list,
                       struct etcd_client *client, const struct keys *keys, struct err *err)
{
    const struct cell_reading reading = {
        .list = list, .client = client, .keys = keys, .cell = cell, .err = err};
    struct mark config, pause;

    *cell = (struct replica_cell){.changed = 0};
    if (!read_documents(&reading) || !read_mark(&reading, KEY_CONFIG, &config) ||
        !read_mark(&reading, KEY_PAUSE, &pause))
        return false;
    cell->changed =
        registry_newer(cell->changed, config.modified); /* it may have removed a document */
    if (config.modified == cell->changed)
        copy(&config, "at", cell->changed_at, sizeof cell->changed_at);
    cell->is_paused = pause.modified != 0;
    copy(&pause, "by", cell->paused_by, sizeof cell->paused_by);
    copy(&pause, "why", cell->why, sizeof cell->why);
    if (cell->paused_by[0] == '\0')
        snprintf(cell->paused_by, sizeof cell->paused_by, "somebody");
    if (cell->why[0] == '\0')
        snprintf(cell->why, sizeof cell->why, "no reason given");
    return true;
}
