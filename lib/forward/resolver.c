#include "forward/resolver.h"

#include "wire/types.h"

enum { US_PER_MS = 1000, LATE_SHARE = 8, REST_SHARE = 64 };

void resolver_init(struct resolver *resolver, const struct upstream *upstream,
                   struct standing *standing)
{
    *resolver = (struct resolver){
        .upstream = upstream,
        .standing = standing,
        .probe_name = {.length = 1},
        .probe_type = TYPE_NS,
        .srtt_us = RESOLVER_FIRST_RTT_MS * US_PER_MS,
        .rttvar_us = RESOLVER_FIRST_RTT_MS * US_PER_MS / 2,
        .rank_us = RESOLVER_FIRST_RTT_MS * US_PER_MS,
    };
}

void resolver_set_probe_zone(struct resolver *resolver, const struct name *zone)
{
    resolver->probe_name = *zone;
    resolver->probe_type = TYPE_SOA;
}

/* Moves a smoothed value towards a new one by a fraction of the difference. */
static uint32_t approach(uint32_t smoothed, uint32_t value, int64_t share)
{
    return (uint32_t)(smoothed + ((int64_t)value - smoothed) / share);
}

/* RFC 6298 section 2: the first measurement counts in full, later ones by an eighth. */
static void measure(struct resolver *resolver, uint32_t rtt_us)
{
    if (!resolver->has_rtt) {
        resolver->has_rtt = true;
        resolver->srtt_us = resolver->rank_us = rtt_us;
        resolver->rttvar_us = rtt_us / 2;
        return;
    }
    uint32_t apart =
        rtt_us > resolver->srtt_us ? rtt_us - resolver->srtt_us : resolver->srtt_us - rtt_us;
    resolver->rttvar_us = approach(resolver->rttvar_us, apart, 4);
    resolver->srtt_us = approach(resolver->srtt_us, rtt_us, 8);
    resolver->rank_us = approach(resolver->rank_us, rtt_us, 8);
}

bool resolver_on_reply(struct resolver *resolver, bool to_probe, uint32_t rtt_us, uint64_t now_ms)
{
    measure(resolver, rtt_us);
    return standing_on_reply(resolver->standing, to_probe, now_ms);
}

void resolver_defer(struct resolver *resolver)
{
    resolver->rank_us =
        approach(resolver->rank_us, resolver_wait_ms(resolver) * US_PER_MS, LATE_SHARE);
}

/* RFC 6298 section 2.3, within bounds. */
static uint32_t timeout_ms(const struct resolver *resolver, uint32_t least_ms, uint32_t most_ms)
{
    uint64_t wait_ms = (resolver->srtt_us + 4 * (uint64_t)resolver->rttvar_us) / US_PER_MS;

    if (wait_ms < least_ms)
        return least_ms;
    return wait_ms < most_ms ? (uint32_t)wait_ms : most_ms;
}

uint32_t resolver_wait_ms(const struct resolver *resolver)
{
    return timeout_ms(resolver, RESOLVER_WAIT_LEAST_MS, RESOLVER_WAIT_MOST_MS);
}

uint32_t resolver_silence_ms(const struct resolver *resolver)
{
    return timeout_ms(resolver, RESOLVER_SILENCE_LEAST_MS, RESOLVER_SILENCE_MOST_MS);
}

uint32_t resolver_probe_silence_ms(const struct resolver *resolver)
{
    return timeout_ms(resolver, RESOLVER_PROBE_LEAST_MS, RESOLVER_SILENCE_MOST_MS);
}

static bool is_in(uint32_t bits, uint8_t index)
{
    return (bits >> index & 1) != 0;
}

static uint8_t find_best(const struct resolver *resolvers, const struct resolver_set *set,
                         uint32_t left_out)
{
    uint8_t best = RESOLVER_NONE;
    uint32_t least = UINT32_MAX;

    for (uint8_t index = 0; index < set->count; index++) {
        const struct resolver *resolver = &resolvers[set->numbers[index]];
        if (is_in(left_out, index) || resolver->rank_us >= least || resolver_is_failing(resolver))
            continue;
        least = resolver->rank_us;
        best = index;
    }
    return best;
}

/* Lowers the rank of those that are not asked. */
static void rest_others(struct resolver *resolvers, const struct resolver_set *set, uint8_t chosen)
{
    for (uint8_t index = 0; index < set->count; index++) {
        struct resolver *resolver = &resolvers[set->numbers[index]];
        if (index != chosen)
            resolver->rank_us -= resolver->rank_us / REST_SHARE;
    }
}

uint8_t resolver_choose(struct resolver *resolvers, const struct resolver_set *set, uint32_t tried)
{
    uint8_t chosen = find_best(resolvers, set, tried);

    if (chosen == RESOLVER_NONE)
        chosen = find_best(resolvers, set, 0);
    if (chosen != RESOLVER_NONE)
        rest_others(resolvers, set, chosen);
    return chosen;
}

uint8_t resolver_choose_trial(const struct resolver *resolvers, const struct resolver_set *set,
                              uint64_t now_ms)
{
    for (uint8_t index = 0; index < set->count; index++)
        if (standing_claim_trial(resolvers[set->numbers[index]].standing, now_ms))
            return index;
    return RESOLVER_NONE;
}

bool resolver_set_is_failing(const struct resolver *resolvers, const struct resolver_set *set)
{
    for (uint8_t index = 0; index < set->count; index++)
        if (!resolver_is_failing(&resolvers[set->numbers[index]]))
            return false;
    return true;
}
