#include "answer/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "base/bytes.h"
#include "base/suggest.h"

enum { SOA_REFRESH_SECONDS = 3600, SOA_RETRY_SECONDS = 600, SOA_EXPIRE_SECONDS = 86400 };
enum { BLOCK_NONE = 320 };

bool snapshot_find_wildcard(const struct snapshot *snapshot, const struct name *name,
                            struct index_entry *found)
{
    const uint64_t *depths = snapshot->wildcard_depths;
    const uint8_t *label = name->octets;

    if ((depths[0] | depths[1]) == 0)
        return false;
    /* From the longest candidate down: the first label is replaced by "*". */
    for (unsigned depth = name->label_count; depth > 1; depth--) {
        const uint8_t *suffix = label + 1 + *label;
        struct name wildcard __attribute__((uninitialized));
        if (label[1] == '_')
            return false;
        label = suffix;
        if ((depths[depth / 64] >> depth % 64 & 1) == 0)
            continue;
        if (!name_join(&wildcard, "*", 1, suffix, name_suffix_length(name, suffix)))
            continue;
        if (snapshot_find(snapshot, &wildcard, index_hash(&snapshot->index, &wildcard), found) &&
            snapshot_is_served(snapshot, found))
            return true;
    }
    return false;
}

bool snapshot_find_app(const struct snapshot *snapshot, const void *label, size_t length,
                       struct index_entry *found)
{
    const struct name *suffix = &snapshot->index.apps_suffix;
    struct name name;

    return name_join(&name, label, length, suffix->octets, suffix->length) &&
           snapshot_find(snapshot, &name, index_hash(&snapshot->index, &name), found) &&
           found->kind == INDEX_APP;
}

bool snapshot_find_app_of(const struct snapshot *snapshot, const char *space, const char *app,
                          struct index_entry *found)
{
    if (snapshot_find_app(snapshot, app, strlen(app), found) &&
        strcmp(snapshot->segments[found->segment]->name, space) == 0)
        return true;
    if (snapshot->index.waiting == NULL ||
        !index_find_space(&snapshot->index, snapshot->segments, space, found))
        return false;
    found->kind = INDEX_APP;
    found->number = restate_find_app(snapshot->segments[found->segment], app);
    return found->number != ENTRY_NONE;
}

/*
 * A space's CIDR is a /16 within RFC 1918, of which there are 273: 10.0 to 10.255, 172.16 to
 * 172.31, 192.168. Returns BLOCK_NONE for other addresses.
 */
static unsigned block_number(uint32_t address)
{
    if (address >> 24 == 10)
        return address >> 16 & 255;
    if (address >> 20 == (172U << 4 | 1))
        return 256 + (address >> 16 & 15);
    return address >> 16 == (192U << 8 | 168) ? 272 : BLOCK_NONE;
}

bool snapshot_has_space(const struct snapshot *snapshot, uint32_t address)
{
    unsigned number = block_number(address);
    return number != BLOCK_NONE && (snapshot->blocks[number / 64] >> number % 64 & 1) != 0;
}

/* The same for /20s, of which a data CIDR has one to sixteen: 4096 in 10/8, 256, and 16. */
static unsigned data_block_number(uint32_t address)
{
    if (address >> 24 == 10)
        return address >> 12 & 4095;
    if (address >> 20 == (172U << 4 | 1))
        return 4096 + (address >> 12 & 255);
    return address >> 16 == (192U << 8 | 168) ? 4096 + 256 + (address >> 12 & 15) : BLOCK_NONE;
}

bool snapshot_has_address(const struct snapshot *snapshot, uint32_t address)
{
    unsigned number = data_block_number(address);

    return snapshot_has_space(snapshot, address) ||
           (number != BLOCK_NONE && (snapshot->data_blocks[number / 64] >> number % 64 & 1) != 0);
}

static void survey_data(struct snapshot *snapshot, struct cidr data)
{
    if (data.bits == 0)
        return;
    unsigned first = data_block_number(cidr_first(data));
    unsigned last = data_block_number(cidr_last(data));

    assert(data.bits >= 16 && data.bits <= 20 && first != BLOCK_NONE);
    for (unsigned block = first; block <= last; block++)
        snapshot->data_blocks[block / 64] |= (uint64_t)1 << block % 64;
}

/* MNAME is the discovery suffix, RNAME hostmaster below it, written without compression. */
static void write_soa(struct snapshot *snapshot)
{
    const struct name *suffix = &snapshot->discovery_suffix;
    struct name mailbox = *suffix;
    name_join(&mailbox, "hostmaster", 10, suffix->octets, suffix->length);

    struct writer out = writer_over(snapshot->soa_data, sizeof snapshot->soa_data);
    write_octets(&out, suffix->octets, suffix->length);
    write_octets(&out, mailbox.octets, mailbox.length);
    write32(&out, (uint32_t)snapshot->generation);
    write32(&out, SOA_REFRESH_SECONDS);
    write32(&out, SOA_RETRY_SECONDS);
    write32(&out, SOA_EXPIRE_SECONDS);
    write32(&out, SOA_NEGATIVE_TTL_SECONDS);
    snapshot->soa_length = (uint16_t)writer_length(&out);
}

static void survey_segment(struct snapshot *snapshot, const struct segment *segment)
{
    unsigned block = block_number(cidr_first(segment->cidr));

    assert(segment->is_unready || (segment->cidr.bits == 16 && block != BLOCK_NONE));
    if (block != BLOCK_NONE) /* the CIDR of an unready space need not be known */
        snapshot->blocks[block / 64] |= (uint64_t)1 << block % 64;
    survey_data(snapshot, segment->data_cidr);
    snapshot->unready_count += segment->is_unready;
    snapshot->app_count += segment->app_count;
    snapshot->host_count += segment->host_count;
    snapshot->empty_depths[0] |= segment->empty_depths[0];
    snapshot->empty_depths[1] |= segment->empty_depths[1];
    for (size_t i = 0; i < segment->host_count; i++) {
        const struct host *host = &segment->hosts[i];
        if ((host->flags & HOST_WILDCARD) == 0)
            continue;
        unsigned depth = 0;
        for (const uint8_t *at = segment->texts + host->octets; *at != 0; at += *at + 1U)
            depth++;
        snapshot->wildcard_depths[depth / 64] |= (uint64_t)1 << depth % 64;
    }
}

/* Releases the parts; their segments with the set, if there is one. */
static void release_parts(struct snapshot_parts *parts, struct segment_set *set)
{
    for (size_t i = 0; i < parts->segment_count && set == NULL; i++)
        segment_release((struct segment *)parts->segments[i]);
    if (set == NULL)
        free(parts->segments);
    segment_set_release(set);
    index_close(&parts->index);
}

struct snapshot *snapshot_seal(struct snapshot_parts *parts)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    struct segment_set *set = segment_set_new(parts->segments, parts->segment_count);

    if (snapshot == NULL || set == NULL) {
        release_parts(parts, set);
        free(snapshot);
        return NULL;
    }
    snapshot->set = set;
    snapshot->generation = snapshot->turn = parts->generation;
    snapshot->policy = *parts->policy;
    arena_hold(snapshot->policy.arena);
    snapshot->segments = parts->segments;
    snapshot->segment_count = parts->segment_count;
    snapshot->index = parts->index;
    if (!name_from_text(parts->policy->suffixes.discovery, &snapshot->discovery_suffix) ||
        !access_build(&snapshot->access, snapshot->segments, snapshot->segment_count,
                      &snapshot->policy.local)) {
        snapshot_free(snapshot);
        return NULL;
    }
    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            survey_segment(snapshot, snapshot->segments[i]);
    write_soa(snapshot);
    return snapshot;
}

struct snapshot *snapshot_renew(const struct snapshot *before, uint64_t generation,
                                struct kept_back *kept)
{
    struct snapshot_parts parts = {
        .policy = &before->policy,
        .generation = generation,
        .segments = calloc(before->segment_count + 1, sizeof(struct segment *)),
        .segment_count = before->segment_count,
    };

    if (parts.segments == NULL) {
        kept_back_release(kept);
        return NULL;
    }
    for (size_t i = 0; i < before->segment_count; i++)
        if (before->segments[i] != NULL)
            parts.segments[i] = segment_hold((struct segment *)before->segments[i]);
    index_share(&parts.index, &before->index);
    struct snapshot *snapshot = snapshot_seal(&parts);
    if (snapshot == NULL)
        kept_back_release(kept);
    else
        snapshot->kept_back = kept;
    return snapshot;
}

struct snapshot *snapshot_replace(const struct snapshot *before, struct segment_set *set,
                                  uint64_t generation)
{
    struct snapshot *snapshot = malloc(sizeof *snapshot);

    if (snapshot == NULL)
        return NULL;
    *snapshot = *before;
    snapshot->generation = snapshot->turn = generation;
    snapshot->set = set;
    snapshot->segments = set->segments;
    snapshot->standings = NULL;
    snapshot->older = NULL;
    arena_hold(snapshot->policy.arena);
    index_share(&snapshot->index, &before->index);
    access_share(&snapshot->access, &before->access);
    kept_back_hold(snapshot->kept_back);
    write_soa(snapshot);
    return snapshot;
}

size_t snapshot_count_spaces(const struct snapshot *snapshot)
{
    size_t count = 0;

    for (size_t i = 0; i < snapshot->segment_count; i++)
        count += snapshot->segments[i] != NULL;
    return count;
}

const struct segment *snapshot_find_space(const struct snapshot *snapshot, const char *name)
{
    struct index_entry found;

    return index_find_space(&snapshot->index, snapshot->segments, name, &found)
               ? snapshot->segments[found.segment]
               : NULL;
}

const char *snapshot_suggest_space(const struct snapshot *snapshot, const char *name)
{
    const char *nearest = NULL;

    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            nearest = suggest_nearer(name, nearest, snapshot->segments[i]->name);
    return nearest;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    segment_set_release(snapshot->set);
    index_close(&snapshot->index);
    access_close(&snapshot->access);
    kept_back_release(snapshot->kept_back);
    arena_release(snapshot->policy.arena);
    free(snapshot);
}

size_t snapshot_octets(const struct snapshot *snapshot)
{
    size_t octets = sizeof *snapshot + snapshot->segment_count * sizeof *snapshot->segments +
                    index_octets(&snapshot->index) + arena_used(snapshot->access.arena);

    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            octets += snapshot->segments[i]->octets;
    return octets + (snapshot->kept_back == NULL ? 0 : kept_back_octets(snapshot->kept_back));
}
