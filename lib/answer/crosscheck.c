#include "answer/crosscheck.h"

#include <stdlib.h>
#include <string.h>

/* A space visible at one address; two at the same address may not share a CIDR. */
struct visible_space {
    const struct segment *segment;
    uint32_t address; /* 0: all addresses that no space lists */
    uint32_t number;
};

static int compare_visible_spaces(const void *a, const void *b)
{
    const struct visible_space *left = a, *right = b;
    if (left->address != right->address)
        return left->address < right->address ? -1 : 1;
    if (left->segment->cidr.address != right->segment->cidr.address)
        return left->segment->cidr.address < right->segment->cidr.address ? -1 : 1;
    return strcmp(left->segment->file, right->segment->file);
}

static uint64_t created(const struct candidates *candidates, uint32_t number)
{
    return candidates->segments[number]->identity.stamp.words[1];
}

bool crosscheck_is_first(const struct candidates *candidates, uint32_t one, uint32_t other)
{
    uint64_t one_created = created(candidates, one), other_created = created(candidates, other);

    return one_created != other_created
               ? one_created < other_created
               : strcmp(candidates->segments[one]->file, candidates->segments[other]->file) < 0;
}

/* True when of two segments the first is what changed; with on_charge, or was created later. */
static bool is_newer(const struct candidates *candidates, uint32_t one, uint32_t other)
{
    if (candidates->newer[one] != candidates->newer[other])
        return candidates->newer[one];
    return candidates->on_charge != NULL && crosscheck_is_first(candidates, other, one);
}

static void charge(const struct candidates *candidates, uint32_t charged, uint32_t other)
{
    if (candidates->on_charge != NULL)
        candidates->on_charge(candidates->context, charged, other);
}

/* Orders a pair so that the finding is about the changed space, or the later one of two. */
static void order_pair(const struct candidates *candidates, const struct visible_space **newer,
                       const struct visible_space **older)
{
    if (is_newer(candidates, (*older)->number, (*newer)->number)) {
        const struct visible_space *swap = *newer;
        *newer = *older;
        *older = swap;
    }
}

static void report_overlap(const struct visible_space *newer, const struct visible_space *older,
                           struct report *report)
{
    char block[CIDR_TEXT_MAX];

    cidr_write(newer->segment->cidr, block);
    report_add(report, FINDING_SPACE_OVERLAP, newer->segment->file, newer->segment->at,
               "space %s has cidr %s, and so has space %s (%s:%u); give each its own `listen` "
               "addresses, so that the address asked tells them apart",
               newer->segment->name, block, older->segment->name, older->segment->file,
               (unsigned)older->segment->at.line);
}

/* All spaces, once for each address at which they are visible. */
static struct visible_space *list_visible_spaces(const struct candidates *candidates, size_t *count)
{
    size_t total = 0;
    for (size_t i = 0; i < candidates->count; i++)
        if (candidates->segments[i] != NULL)
            total += 1 + candidates->segments[i]->listen_count;
    struct visible_space *spaces = malloc((total + 1) * sizeof *spaces);
    if (spaces == NULL)
        return NULL;
    *count = 0;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct segment *segment = candidates->segments[i];
        bool is_ready = segment != NULL && !segment->is_unready;
        size_t seen = is_ready ? segment->listen_count : 0;
        for (size_t j = 0; j < seen; j++)
            spaces[(*count)++] = (struct visible_space){segment, segment->listen[j], (uint32_t)i};
        if (is_ready && seen == 0)
            spaces[(*count)++] = (struct visible_space){segment, 0, (uint32_t)i};
    }
    return spaces;
}

void crosscheck_spaces(const struct candidates *candidates, struct report *report)
{
    size_t count;
    struct visible_space *spaces = list_visible_spaces(candidates, &count);

    if (spaces == NULL) {
        report_add(report, FINDING_MEMORY, "", (struct location){.line = 0},
                   "out of memory while comparing spaces");
        return;
    }
    qsort(spaces, count, sizeof *spaces, compare_visible_spaces);
    for (size_t i = 1; i < count; i++) {
        const struct visible_space *newer = &spaces[i], *older = &spaces[i - 1];
        if (newer->address != older->address || newer->segment == older->segment ||
            !cidr_overlaps(newer->segment->cidr, older->segment->cidr))
            continue;
        order_pair(candidates, &newer, &older);
        report_overlap(newer, older, report);
        charge(candidates, newer->number, older->number);
    }
    free(spaces);
}

/* A space's CIDR, sorted by its first address. */
struct space_block {
    uint32_t first;
    uint32_t number;
};

static int compare_blocks(const void *a, const void *b)
{
    const struct space_block *left = a, *right = b;
    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

/* All of them, sorted. */
struct space_blocks {
    struct space_block *items;
    size_t count;
};

static struct space_block *list_blocks(const struct candidates *candidates, size_t *count)
{
    struct space_block *blocks = malloc((candidates->count + 1) * sizeof *blocks);

    *count = 0;
    for (size_t i = 0; i < candidates->count && blocks != NULL; i++)
        if (candidates->segments[i] != NULL)
            blocks[(*count)++] =
                (struct space_block){cidr_first(candidates->segments[i]->cidr), (uint32_t)i};
    if (blocks != NULL)
        qsort(blocks, *count, sizeof *blocks, compare_blocks);
    return blocks;
}

static void report_covered(const struct segment *segment, const struct connection *connection,
                           struct cidr covered, const struct segment *other, struct report *report)
{
    char block[CIDR_TEXT_MAX];

    cidr_write(covered, block);
    report_add(
        report, FINDING_CONN_SPACE, segment->file, connection->at,
        "%s %.80s lets in %s, where space %s is (%s:%u): its dynos resolve the internal names "
        "of space %s; if that is not meant, list narrower blocks",
        connection->kind == CONNECTION_PEERING ? "peering" : "VPN", connection->name, block,
        other->name, other->file, (unsigned)other->at.line, segment->name);
}

/* Checks the other spaces inside the block or around it; few, because a space is a /16. */
static void check_block(const struct candidates *candidates, uint32_t number,
                        const struct connection *connection, struct cidr block,
                        const struct space_blocks *spaces, struct report *report)
{
    const struct space_block *blocks = spaces->items;
    size_t low = 0, high = spaces->count;
    uint32_t from = cidr_first(block) & 0xffff0000;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (blocks[middle].first < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < spaces->count; low++) {
        const struct segment *other = candidates->segments[blocks[low].number];
        if (!cidr_overlaps(other->cidr, block))
            return;
        if (blocks[low].number == number ||
            (!candidates->added[number] && !candidates->added[blocks[low].number]))
            continue;
        report_covered(candidates->segments[number], connection, block, other, report);
        return;
    }
}

void crosscheck_connections(const struct candidates *candidates, struct report *report)
{
    struct space_blocks spaces;

    spaces.items = list_blocks(candidates, &spaces.count);
    if (spaces.items == NULL) {
        report_add(report, FINDING_MEMORY, "", (struct location){.line = 0},
                   "out of memory while comparing connections");
        return;
    }
    for (size_t i = 0; i < candidates->count; i++) {
        const struct segment *segment = candidates->segments[i];
        for (size_t j = 0; segment != NULL && j < segment->connection_count; j++) {
            const struct connection *connection = &segment->connections[j];
            /* Dynos do not come by a connection's device. */
            bool is_open = connection->grants && connection->device == NULL;
            for (size_t k = 0; k < connection->block_count && is_open; k++)
                check_block(candidates, (uint32_t)i, connection, connection->blocks[k], &spaces,
                            report);
        }
    }
    free(spaces.items);
}

struct device_names {
    const char *items[DEVICES_MOST];
    size_t count;
};

/* Returns false when there are too many. */
static bool add_device(struct device_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    if (names->count == DEVICES_MOST)
        return false;
    names->items[names->count++] = name;
    return true;
}

static void check_devices(const struct candidates *candidates, uint32_t number,
                          struct device_names *names, struct report *report)
{
    const struct segment *segment = candidates->segments[number];

    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        if (connection->device == NULL || add_device(names, connection->device))
            continue;
        charge(candidates, number, ENTRY_NONE);
        report_add(report, FINDING_DEVICE, segment->file, connection->at,
                   "device %s is one more than the %d that the server can tell apart; let "
                   "connections share a device, or leave it out",
                   connection->device, DEVICES_MOST);
    }
}

static bool has_device(const struct segment *segment)
{
    if (segment == NULL || segment->is_unready)
        return false;
    for (size_t i = 0; i < segment->connection_count; i++)
        if (segment->connections[i].device != NULL)
            return true;
    return false;
}

/* Newer ones last. */
static int compare_candidates(const void *a, const void *b, void *context)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    if (is_newer(context, left, right))
        return 1;
    if (is_newer(context, right, left))
        return -1;
    return left < right ? -1 : left > right;
}

void crosscheck_devices(const struct candidates *candidates, struct report *report)
{
    struct device_names names = {.count = 0};
    uint32_t *numbers = malloc((candidates->count + 1) * sizeof *numbers);
    size_t count = 0;

    if (numbers == NULL) {
        report_add(report, FINDING_MEMORY, "", (struct location){.line = 0},
                   "out of memory while comparing devices");
        return;
    }
    for (size_t i = 0; i < candidates->count; i++)
        if (has_device(candidates->segments[i]))
            numbers[count++] = (uint32_t)i;
    qsort_r(numbers, count, sizeof *numbers, compare_candidates, (void *)candidates);
    for (size_t i = 0; i < count; i++)
        check_devices(candidates, numbers[i], &names, report);
    free(numbers);
}

/* One side of a clash, as text and with its location. */
struct side {
    const struct segment *segment;
    const struct host *host; /* NULL: an app under its plain name */
    struct location at;
    const char *app; /* "" for static records */
};

static struct side side_of(const struct candidates *candidates, struct index_entry entry, char *app,
                           size_t room)
{
    const struct segment *segment = candidates->segments[entry.segment];
    struct side side = {.segment = segment, .app = app};
    const struct app_entry *owner = NULL;

    app[0] = '\0';
    if (entry.kind == INDEX_HOST) {
        side.host = &segment->hosts[entry.number];
        side.at = side.host->at;
        if (side.host->kind != HOST_RECORDS)
            owner = &segment->apps[side.host->owner];
    } else if (entry.kind == INDEX_APP || entry.kind == INDEX_APP_ID) {
        owner = &segment->apps[entry.number];
        side.at = owner->at;
    } else {
        side.at = segment->at;
    }
    if (owner != NULL) {
        struct text text = text_over(app, room - 1);
        text_add(&text, segment_text(segment, owner->name), owner->name_length);
        *text.next = '\0';
    }
    return side;
}

static enum finding_code clash_code(const struct side *newer, const struct side *older)
{
    if (newer->host == NULL && older->host == NULL)
        return FINDING_DUP;
    if (newer->host != NULL && newer->host->kind == HOST_RECORDS)
        return FINDING_REC_NAME;
    if (newer->host != NULL && newer->host->kind == HOST_TARGET)
        return FINDING_DOM_TARGET;
    return FINDING_DOM_TAKEN;
}

static void report_same_id(const struct side *newer, const struct side *older, const char *id,
                           struct report *report)
{
    report_add(report, FINDING_DUP, newer->segment->file, newer->at,
               "id %.80s is used in %s:%u already; an id is one app's or one space's for ever, so "
               "give this one its own",
               id, older->segment->file, (unsigned)older->at.line);
}

static void report_same_space(const struct side *newer, const struct side *older,
                              struct report *report)
{
    report_add(
        report, FINDING_DUP, newer->segment->file, newer->at,
        "space %s is defined in %s:%u already; one file holds one space, so rename or remove "
        "one of them",
        newer->segment->name, older->segment->file, (unsigned)older->at.line);
}

static void report_same_name(const struct side *newer, const struct side *older,
                             struct report *report)
{
    enum finding_code code = clash_code(newer, older);
    char host[4 * NAME_MAX_OCTETS + 1];
    struct text text = text_over(host, sizeof host - 1);

    if (newer->host != NULL)
        name_add(&text, newer->segment->texts + newer->host->octets);
    *text.next = '\0';
    if (code == FINDING_DUP)
        report_add(report, code, newer->segment->file, newer->at,
                   "app %s is defined in %s:%u already; app names are unique across spaces",
                   newer->app, older->segment->file, (unsigned)older->at.line);
    else if (newer->host == NULL)
        report_add(report, code, newer->segment->file, newer->at,
                   "the default domain of app %s is currently in use by another app, %s (%s:%u); "
                   "rename one of them",
                   newer->app, older->app, older->segment->file, (unsigned)older->at.line);
    else
        report_add(report, code, newer->segment->file, newer->at,
                   "%.255s is currently in use by %s %s (%s:%u); remove it from one of them", host,
                   older->host != NULL && older->host->kind == HOST_RECORDS ? "static records"
                                                                            : "another app,",
                   older->app, older->segment->file, (unsigned)older->at.line);
}

void crosscheck_report_waiting(const struct candidates *candidates, struct index_entry entry,
                               struct index_entry owner, struct report *report)
{
    char newer_app[64], older_app[64];
    struct side newer = side_of(candidates, entry, newer_app, sizeof newer_app);
    struct side older = side_of(candidates, owner, older_app, sizeof older_app);

    if (entry.kind == INDEX_SPACE)
        report_same_space(&newer, &older, report);
    else if (entry.kind == INDEX_SPACE_ID)
        report_same_id(&newer, &older, newer.segment->id, report);
    else if (entry.kind == INDEX_APP_ID)
        report_same_id(&newer, &older, newer.segment->app_ids[entry.number], report);
    else
        report_same_name(&newer, &older, report);
}

void crosscheck_report_clash(const struct candidates *candidates, const struct index_clash *clash,
                             struct report *report)
{
    bool is_swapped = is_newer(candidates, clash->older.segment, clash->newer.segment);

    crosscheck_report_waiting(candidates, is_swapped ? clash->older : clash->newer,
                              is_swapped ? clash->newer : clash->older, report);
}
