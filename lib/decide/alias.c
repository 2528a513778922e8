#include "decide/alias.h"

#include <assert.h>

#include "wire/types.h"

const struct record_entry *alias_record(const struct verdict *verdict)
{
    const struct host *host = verdict->host;
    const struct record_entry *records = verdict->segment->records + host->owner;
    unsigned number = 0;

    while (number < host->record_count && records[number].type != TYPE_CNAME)
        number++;
    assert(number < host->record_count); /* or it would be no alias */
    return &records[number];
}

void alias_target(const struct verdict *verdict, struct name *target)
{
    const struct record_entry *record = alias_record(verdict);
    struct reader in = reader_over(verdict->segment->texts + record->rdata, record->rdata_length);
    bool is_read = name_read(&in, target);

    assert(is_read); /* checked when the zone file was read */
    (void)is_read;
}

static bool has_met(const struct alias_chain *chain, const struct name *name)
{
    for (unsigned i = 0; i < chain->count; i++)
        if (name_equals(&chain->names[i], name->octets, name->length))
            return true;
    return false;
}

static bool leave(struct alias_chain *chain, const struct query *query, const struct name *target)
{
    if (chain->count == ALIAS_LINKS_MOST)
        return false;
    chain->names[chain->count++] = query->name;
    return !has_met(chain, target);
}

void alias_give_up(struct verdict *verdict)
{
    bool may_recurse = verdict->may_recurse;

    *verdict = (struct verdict){.may_recurse = may_recurse};
    verdict_set(verdict, SITUATION_ALIAS_ENDLESS, RCODE_SERVFAIL, REASON_ALIAS_ENDLESS);
}

void alias_follow(struct alias_chain *chain, const struct name *target, struct query *query,
                  uint64_t *hash, struct verdict *verdict)
{
    if (!leave(chain, query, target)) {
        alias_give_up(verdict);
        return;
    }
    query->name = *target;
    *hash = index_hash(&chain->snapshot->index, target);
    decide(chain->snapshot, chain->client, query, *hash, verdict);
    verdict->is_alias_target = true;
    if (verdict->rcode == RCODE_REFUSED)
        verdict->rcode = RCODE_NOERROR;
}

bool alias_next(const struct verdict *verdict, const struct alias_hops *hops, unsigned *taken,
                struct name *target)
{
    if (verdict->situation == SITUATION_ALIAS) {
        alias_target(verdict, target);
        return true;
    }
    if (verdict->situation != SITUATION_FORWARD || hops == NULL || *taken == hops->count)
        return false;
    *target = hops->targets[(*taken)++];
    return true;
}

void alias_resolve(const struct snapshot *snapshot, const struct client *client,
                   const struct alias_hops *hops, struct query *query, uint64_t *hash,
                   struct verdict *verdict)
{
    struct alias_chain chain;
    struct name target;
    unsigned taken = 0;

    alias_begin(&chain, snapshot, client);
    while (alias_next(verdict, hops, &taken, &target)) /* ALIAS_LINKS_MOST at most */
        alias_follow(&chain, &target, query, hash, verdict);
}
