#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "registry/lines.h"
#include "registry/registry_state.h"

/* ---- a state folder of another root ---- */

/* Only now what the file has is in the mirror, which was empty: nobody could take it before. */
static bool serve_foreign(struct registry *registry)
{
    struct follow_position position;
    struct disk_fit fit;
    struct err err;

    if (!disk_read(registry->state_path, &registry->mirror, &position, &fit, &err)) {
        mirror_close(&registry->mirror);
        return registry_init_mirror(registry, &err);
    }
    follow_adopt(&registry->follow, &position);
    registry->follow.is_doubted = true;
    registry->follow.has_data = true;
    registry->in_force = position;
    registry->is_known = true;
    registry->is_partial = true;
    registry_finish(registry);
    return true;
}

static void name_foreign(struct registry *registry, const char *id)
{
    char shown[2 * FOLLOW_ID_OCTETS];

    escape_string(shown, sizeof shown, id);
    registry_notify(registry, REGISTRY_OTHER, true,
                    DISK_FILE " in the state folder is of %s with the id %s, and the registry has "
                              "%s with the id %s: that is another cell, and nothing of the file is "
                              "served",
                    registry->disk_fit.prefix,
                    registry->foreign_id[0] == '\0' ? "none" : registry->foreign_id,
                    registry->keys.prefix, shown);
}

/* A cell whose id is missing is no other cell: the name of its root may be wrong. */
static void judge_foreign(struct registry *registry, const char *id)
{
    registry->is_foreign = false;
    if (id[0] != '\0' && strcmp(id, registry->foreign_id) != 0)
        name_foreign(registry, id);
    else if (!serve_foreign(registry))
        follow_on_lost(&registry->follow, "out of memory for what is on disk", registry->now_ms);
}

/* ---- meta ---- */

/* The id as it is known here: one word, for it is one of a line on disk. */
static void read_id(struct octets value, char id[FOLLOW_ID_OCTETS])
{
    lines_copy(value.start, value.length, "id", id, FOLLOW_ID_OCTETS);
    for (char *at = id; *at != '\0'; at++)
        if (*at == ' ' || (*at >= '\t' && *at <= '\r'))
            *at = '_';
}

void registry_on_meta(struct registry *registry, const struct etcd_range_response *response)
{
    const struct etcd_pair *pair = response->count == 1 ? &response->pairs[0] : NULL;
    char id[FOLLOW_ID_OCTETS] = "";
    uint64_t format = 0;

    if (pair != NULL) {
        read_id(pair->value, id);
        format = lines_number(pair->value.start, pair->value.length, "format");
    }
    if (registry->is_foreign && format <= FOLLOW_FORMAT)
        judge_foreign(registry, id);
    follow_on_meta(&registry->follow, &response->header, format, id, registry->now_ms);
}

static bool is_meta(const struct registry *registry, const struct etcd_event *event)
{
    struct key key;

    keys_read(&registry->keys, event->pair.key.start, event->pair.key.length, &key);
    return key.kind == KEY_META;
}

void registry_look_for_meta(struct registry *registry, const struct etcd_event *events,
                            size_t count)
{
    char id[FOLLOW_ID_OCTETS];

    while (count > 0 && (events[count - 1].is_delete || !is_meta(registry, &events[count - 1])))
        count--;
    if (count == 0)
        return;
    const struct octets *value = &events[count - 1].pair.value;
    read_id(*value, id);
    follow_on_meta_change(&registry->follow, lines_number(value->start, value->length, "format"),
                          id, registry->now_ms);
}

bool registry_loses_meta(struct registry *registry, const struct etcd_watch_response *response)
{
    for (size_t i = 0; i < response->count; i++)
        if (response->events[i].is_delete && is_meta(registry, &response->events[i]))
            return follow_on_meta_gone(&registry->follow, &response->events[i], registry->now_ms);
    return false;
}

/* ---- what is told of it ---- */

void registry_write_partial(struct registry *registry)
{
    bool is_other_root = registry->disk_fit.kind == DISK_OTHER_ROOT;

    snprintf(
        registry->text, sizeof registry->text,
        DISK_FILE " in the state folder is of %s%s: what of it is selected now is served as it "
                  "was at revision %" PRIu64 " until the registry has been read",
        is_other_root ? registry->disk_fit.prefix : "another selection or channel of this cell",
        is_other_root ? ", another root" : "", registry->in_force.revision);
}

void registry_write_foreign(struct registry *registry)
{
    snprintf(registry->text, sizeof registry->text,
             DISK_FILE " in the state folder is of %s, and the settings name %s: it is not served "
                       "before the registry has been asked whether that is the same cell",
             registry->disk_fit.prefix, registry->keys.prefix);
}
