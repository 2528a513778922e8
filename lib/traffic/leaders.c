#include "traffic/leaders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "decide/reason.h"

struct leaders {
    const struct parties *parties;
    struct busiest *lists[LEADER_LISTS];
};

static const size_t label_octets[LEADER_LISTS] = {
    [LEADER_APPS] = sizeof(struct leader_app),
    [LEADER_CLIENTS] = sizeof(struct leader_client),
    [LEADER_NAMES] = sizeof(struct leader_name),
};

struct leaders *leaders_new(const struct parties *parties)
{
    struct leaders *leaders = calloc(1, sizeof *leaders);
    bool is_whole = leaders != NULL;

    for (size_t i = 0; is_whole && i < LEADER_LISTS; i++) {
        leaders->lists[i] = busiest_new(label_octets[i]);
        is_whole = leaders->lists[i] != NULL;
    }
    if (!is_whole) {
        leaders_free(leaders);
        return NULL;
    }
    leaders->parties = parties;
    return leaders;
}

void leaders_free(struct leaders *leaders)
{
    for (size_t i = 0; leaders != NULL && i < LEADER_LISTS; i++)
        busiest_free(leaders->lists[i]);
    free(leaders);
}

static uint32_t failed_of(const struct flow *flow)
{
    return reason_is_failure((enum reason)flow->reason, flow->rcode) ? flow->count : 0;
}

/* Returns the room for the label of what is new. */
static void *raise(struct leaders *leaders, enum leader_list list, uint64_t key,
                   const struct leader_flow *seen)
{
    return busiest_raise(leaders->lists[list], key, seen->at_s, seen->flow->count,
                         failed_of(seen->flow));
}

static void raise_app(struct leaders *leaders, const struct leader_flow *seen)
{
    const struct party *app = parties_at(leaders->parties, seen->app);
    struct leader_app *label = raise(leaders, LEADER_APPS, app->hash, seen);

    if (label == NULL)
        return;
    snprintf(label->space, sizeof label->space, "%s", app->space);
    snprintf(label->name, sizeof label->name, "%s", app->name);
}

/* An address may be in use in several spaces, so the party is a part of the key. */
static void raise_client(struct leaders *leaders, const struct leader_flow *seen)
{
    const struct party *client = parties_at(leaders->parties, seen->client);
    uint32_t address = seen->flow->source;
    struct leader_client *label =
        raise(leaders, LEADER_CLIENTS, hash_mix(client->hash ^ address, 0x9e3779b97f4a7c15), seen);

    if (label == NULL)
        return;
    label->address = address;
    label->kind = client->kind;
    snprintf(label->space, sizeof label->space, "%s", client->space);
    snprintf(label->name, sizeof label->name, "%s", client->name);
}

static void raise_name(struct leaders *leaders, const struct leader_flow *seen)
{
    struct leader_name *label = raise(leaders, LEADER_NAMES, seen->flow->name_hash, seen);
    struct name name;

    if (label == NULL)
        return;
    flow_name(seen->table, seen->flow, &name);
    memset(label->octets, 0, sizeof label->octets);
    memcpy(label->octets, name.octets, name.length);
}

void leaders_add(struct leaders *leaders, const struct leader_flow *seen)
{
    if (seen->app != PARTY_NONE)
        raise_app(leaders, seen);
    if (seen->client != PARTY_NONE)
        raise_client(leaders, seen);
    if (!seen->flow->is_coarse)
        raise_name(leaders, seen);
}

const struct busiest *leaders_busiest(const struct leaders *leaders, enum leader_list list)
{
    return leaders->lists[list];
}
