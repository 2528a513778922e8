#include "traffic/handed_out.h"

#include <string.h>

#include "base/hash.h"
#include "traffic/static_addresses.h"

void handed_out_begin(struct handed_out *handed_out)
{
    memset(handed_out->applied, 0, sizeof handed_out->applied);
}

/* The clock of a flow is of its batch, which may have begun in the second before the reply. */
static uint32_t expires_at(uint32_t now_s, uint32_t ttl_seconds)
{
    uint64_t until_s = (uint64_t)now_s + 1 + ttl_seconds;

    return until_s > UINT32_MAX ? UINT32_MAX : (uint32_t)until_s;
}

/* ---- of apps ---- */

static void raise_dyno(struct handed_out *handed_out, const struct asked *asked,
                       const struct formation_entry *formation, const struct dyno_entry *dyno,
                       uint32_t until_s, uint32_t now_s)
{
    const struct expiry expiry = {
        .app = asked->app_party,
        .type = asking_type(handed_out->asking, asked->segment, formation),
        .number = dyno->number,
        .ip = dyno->ip,
        .until_s = until_s,
    };

    expiries_raise(handed_out->expiries, &expiry, now_s);
}

/* Replies of a formation have its dynos that are up; its SRV records name the starting ones too. */
static void raise_formation(struct handed_out *handed_out, const struct asked *asked,
                            const struct formation_entry *formation, uint32_t until_s,
                            uint32_t now_s)
{
    uint64_t hash = hash_mix((uint64_t)(uintptr_t)formation, 0x9e3779b97f4a7c15);
    size_t at = hash % HANDED_OUT_APPLIED;

    if (handed_out->applied[at].formation == formation &&
        handed_out->applied[at].until_s >= until_s)
        return;
    handed_out->applied[at].formation = formation;
    handed_out->applied[at].until_s = until_s;
    for (uint32_t i = 0; i < formation->dyno_count; i++) {
        const struct dyno_entry *dyno = &asked->segment->dynos[formation->dynos + i];
        if (dyno_is_named(dyno))
            raise_dyno(handed_out, asked, formation, dyno, until_s, now_s);
    }
}

void handed_out_add(struct handed_out *handed_out, const struct flow *flow,
                    const struct asked *asked, uint32_t now_s)
{
    const struct segment *segment = asked->segment;
    uint32_t until_s = expires_at(now_s, flow->ttl_seconds);

    if (!flow->is_answered)
        return;
    if (flow->is_coarse) /* whichever of the app's */
        for (uint32_t i = 0; i < asked->app->formation_count; i++)
            raise_formation(handed_out, asked, &segment->formations[asked->app->formations + i],
                            until_s, now_s);
    else if (flow->owner == FLOW_FORMATION)
        raise_formation(handed_out, asked, &segment->formations[flow->number], until_s, now_s);
    else if (flow->owner == FLOW_DYNO)
        raise_dyno(handed_out, asked, segment_formation_of(segment, flow->number),
                   &segment->dynos[flow->number], until_s, now_s);
}

/* ---- of static records ---- */

static void raise_address(struct handed_out *handed_out, uint32_t ip, uint32_t until_s,
                          uint32_t now_s)
{
    uint32_t party = parties_add(handed_out->parties,
                                 &(struct party_key){.kind = PARTY_WORD,
                                                     .name = HANDED_OUT_BY_RECORD,
                                                     .name_length = strlen(HANDED_OUT_BY_RECORD)});
    const struct expiry expiry = {.app = party, .type = party, .ip = ip, .until_s = until_s};

    expiries_raise(handed_out->expiries, &expiry, now_s);
}

void handed_out_add_records(struct handed_out *handed_out, const struct snapshot *snapshot,
                            const struct flow *flow, uint32_t now_s)
{
    const struct segment *segment = flow->segment;
    uint32_t ip;

    if (!flow->is_answered || flow->owner != FLOW_HOST || !static_has_type(flow->type))
        return;
    const struct host *host = &segment->hosts[flow->number];
    for (unsigned i = 0; i < host->record_count && host->kind == HOST_RECORDS; i++) {
        const struct record_entry *record = &segment->records[host->owner + i];
        if (static_address(snapshot, segment, record, &ip))
            raise_address(handed_out, ip, expires_at(now_s, record->ttl_seconds), now_s);
    }
}

bool handed_out_by_record(const struct parties *parties, const struct expiry *expiry)
{
    return parties_at(parties, expiry->app)->kind == PARTY_WORD;
}
