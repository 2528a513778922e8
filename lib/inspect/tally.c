#include "inspect/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The segments of one snapshot that the other does not share, sorted by name. */
struct fresh {
    const struct segment **segments;
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct segment *const *)a)->name,
                  (*(const struct segment *const *)b)->name);
}

static bool list_fresh(const struct snapshot *snapshot, const struct snapshot *other,
                       struct fresh *fresh)
{
    fresh->count = 0;
    fresh->segments = calloc(snapshot->segment_count + 1, sizeof(const struct segment *));
    if (fresh->segments == NULL)
        return false;
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct segment *segment = snapshot->segments[i];
        bool is_shared = i < other->segment_count && other->segments[i] == segment;
        if (segment != NULL && !is_shared)
            fresh->segments[fresh->count++] = segment;
    }
    qsort(fresh->segments, fresh->count, sizeof(const struct segment *), by_name);
    return true;
}

/* ---- apps ---- */

static bool is_same_text(const struct segment *a, uint32_t at_a, size_t length_a,
                         const struct segment *b, uint32_t at_b, size_t length_b)
{
    return length_a == length_b &&
           memcmp(segment_text(a, at_a), segment_text(b, at_b), length_a) == 0;
}

static bool is_same_formation(const struct segment *a, const struct formation_entry *one,
                              const struct segment *b, const struct formation_entry *other)
{
    bool is_same = one->dyno_count == other->dyno_count && one->port_count == other->port_count &&
                   one->type_length == other->type_length &&
                   memcmp(segment_type(a, one), segment_type(b, other), one->type_length) == 0;

    for (size_t i = 0; is_same && i < one->dyno_count; i++) {
        const struct dyno_entry *dyno = &a->dynos[one->dynos + i];
        const struct dyno_entry *peer = &b->dynos[other->dynos + i];
        is_same =
            dyno->ip == peer->ip && dyno->number == peer->number && dyno->state == peer->state;
    }
    for (size_t i = 0; is_same && i < one->port_count; i++) {
        const struct port_entry *port = &a->ports[one->ports + i];
        const struct port_entry *peer = &b->ports[other->ports + i];
        is_same = port->number == peer->number && port->udp == peer->udp;
    }
    return is_same;
}

static bool is_same_app(const struct segment *a, const struct app_entry *one,
                        const struct segment *b, const struct app_entry *other)
{
    bool is_same = one->flags == other->flags && one->formation_count == other->formation_count &&
                   one->host_count == other->host_count;

    for (size_t i = 0; is_same && i < one->formation_count; i++)
        is_same = is_same_formation(a, &a->formations[one->formations + i], b,
                                    &b->formations[other->formations + i]);
    for (size_t i = 0; is_same && i < one->host_count; i++) {
        const struct host *host = &a->hosts[one->hosts + i];
        const struct host *peer = &b->hosts[other->hosts + i];
        is_same = host->kind == peer->kind &&
                  is_same_text(a, host->octets, host->length, b, peer->octets, peer->length);
    }
    return is_same;
}

/* Finds an app of another snapshot by its name. Returns its segment, or NULL. */
static const struct segment *find_app(const struct snapshot *snapshot,
                                      const struct segment *segment, const struct app_entry *app,
                                      const struct app_entry **found)
{
    struct index_entry entry;

    if (!snapshot_find_app(snapshot, segment_text(segment, app->name), app->name_length, &entry) ||
        entry.kind == INDEX_HOST)
        return NULL;
    const struct segment *home = snapshot->segments[entry.segment];
    *found = &home->apps[entry.number];
    return home;
}

static void count_apps(const struct fresh *old, const struct fresh *new,
                       const struct snapshot *before, const struct snapshot *after,
                       struct tally_counts *counts)
{
    const struct app_entry *found;

    for (size_t i = 0; i < new->count; i++)
        for (size_t j = 0; j < new->segments[i]->app_count; j++) {
            const struct app_entry *app = &new->segments[i]->apps[j];
            const struct segment *home = find_app(before, new->segments[i], app, &found);
            counts->added += home == NULL;
            counts->changed += home != NULL && !is_same_app(home, found, new->segments[i], app);
        }
    for (size_t i = 0; i < old->count; i++)
        for (size_t j = 0; j < old->segments[i]->app_count; j++)
            counts->removed +=
                find_app(after, old->segments[i], &old->segments[i]->apps[j], &found) == NULL;
}

/* ---- connections ---- */

static const struct connection *find_connection(const struct segment *segment,
                                                const struct connection *connection)
{
    for (size_t i = 0; segment != NULL && i < segment->connection_count; i++)
        if (segment->connections[i].kind == connection->kind &&
            strcmp(segment->connections[i].name, connection->name) == 0)
            return &segment->connections[i];
    return NULL;
}

static bool is_same_connection(const struct connection *one, const struct connection *other)
{
    bool is_same =
        one->grants == other->grants && one->block_count == other->block_count &&
        (one->device == NULL || other->device == NULL ? one->device == other->device
                                                      : strcmp(one->device, other->device) == 0);

    for (size_t i = 0; is_same && i < one->block_count; i++)
        is_same = one->blocks[i].address == other->blocks[i].address &&
                  one->blocks[i].bits == other->blocks[i].bits;
    return is_same;
}

/* Of one space; NULL: it is not there. */
static void count_connections(const struct segment *old, const struct segment *new,
                              struct tally_counts *counts)
{
    for (size_t i = 0; new != NULL &&i < new->connection_count; i++) {
        const struct connection *known = find_connection(old, &new->connections[i]);
        counts->added += known == NULL;
        counts->changed += known != NULL && !is_same_connection(known, &new->connections[i]);
    }
    for (size_t i = 0; old != NULL && i < old->connection_count; i++)
        counts->removed += find_connection(new, &old->connections[i]) == NULL;
}

/* ---- spaces ---- */

static void count_space(const struct segment *old, const struct segment *new, struct tally *tally)
{
    tally->spaces.added += old == NULL;
    tally->spaces.removed += new == NULL;
    tally->spaces.changed += old != NULL && new != NULL;
    count_connections(old, new, &tally->connections);
}

static void count_spaces(const struct fresh *old, const struct fresh *new, struct tally *tally)
{
    size_t i = 0, j = 0;

    while (i < old->count || j < new->count) {
        int order = i == old->count   ? 1
                    : j == new->count ? -1
                                      : strcmp(old->segments[i]->name, new->segments[j]->name);
        count_space(order <= 0 ? old->segments[i] : NULL, order >= 0 ? new->segments[j] : NULL,
                    tally);
        i += order <= 0;
        j += order >= 0;
    }
}

bool tally_compare(const struct snapshot *before, const struct snapshot *after, struct tally *tally)
{
    struct fresh old, new = {.segments = NULL};
    bool has_room = list_fresh(before, after, &old) && list_fresh(after, before, &new);

    *tally = (struct tally){.spaces = {0}};
    if (has_room) {
        count_spaces(&old, &new, tally);
        count_apps(&old, &new, before, after, &tally->apps);
    }
    free(old.segments);
    free(new.segments);
    return has_room;
}

/* ---- the line ---- */

static void add_count(struct text *text, size_t count, const char *thing, const char *what)
{
    if (count == 0)
        return;
    text_add_string(text, text_length(text) == 0 ? "" : ", ");
    text_add_number(text, count);
    text_add_string(text, " ");
    text_add_string(text, thing);
    text_add_string(text, count == 1 ? " " : "s ");
    text_add_string(text, what);
}

static void add_counts(struct text *text, const struct tally_counts *counts, const char *thing)
{
    add_count(text, counts->added, thing, "added");
    add_count(text, counts->removed, thing, "removed");
    add_count(text, counts->changed, thing, "changed");
}

size_t tally_format(const struct tally *tally, char out[TALLY_TEXT_MOST])
{
    struct text text = text_over(out, TALLY_TEXT_MOST - 1);

    add_counts(&text, &tally->spaces, "space");
    add_counts(&text, &tally->apps, "app");
    add_counts(&text, &tally->connections, "connection");
    *text.next = '\0';
    return text_length(&text);
}
