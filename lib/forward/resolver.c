#include "forward/resolver.h"

enum { US_PER_MS = 1000, LATE_SHARE = 8, REST_SHARE = 64 };

void resolver_init(struct resolver *resolver, const struct upstream *upstream)
{
    *resolver = (struct resolver){
        .upstream = upstream,
        .srtt_us = RESOLVER_FIRST_RTT_MS * US_PER_MS,
        .rttvar_us = RESOLVER_FIRST_RTT_MS * US_PER_MS / 2,
        .rank_us = RESOLVER_FIRST_RTT_MS * US_PER_MS,
    };
}

/* Moves a smoothed value by one share of the way to a new one. */
static uint32_t approach(uint32_t smoothed, uint32_t value, int64_t share)
{
    return (uint32_t)(smoothed + ((int64_t)value - smoothed) / share);
}

/* RFC 6298 section 2: the first measurement counts whole, later ones by an eighth. */
static void measure(struct resolver *resolver, uint32_t rtt_us)
{
    if (resolver->last_reply_ms == 0) {
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

bool resolver_on_reply(struct resolver *resolver, uint32_t rtt_us, uint64_t now_ms)
{
    bool was_failing = resolver->is_failing;

    measure(resolver, rtt_us);
    resolver->last_reply_ms = now_ms;
    resolver->silent = 0;
    resolver->is_failing = false;
    return was_failing;
}

bool resolver_on_silence(struct resolver *resolver, uint64_t now_ms)
{
    if (resolver->is_failing || ++resolver->silent < RESOLVER_SILENT_MOST)
        return false;
    resolver->is_failing = true;
    resolver->probe_ms = now_ms;
    return true;
}

void resolver_defer(struct resolver *resolver)
{
    resolver->rank_us =
        approach(resolver->rank_us, resolver_wait_ms(resolver) * US_PER_MS, LATE_SHARE);
}

uint32_t resolver_wait_ms(const struct resolver *resolver)
{
    uint64_t wait_ms = (resolver->srtt_us + 4 * (uint64_t)resolver->rttvar_us) / US_PER_MS;

    if (wait_ms < RESOLVER_WAIT_LEAST_MS)
        return RESOLVER_WAIT_LEAST_MS;
    return wait_ms < RESOLVER_WAIT_MOST_MS ? (uint32_t)wait_ms : RESOLVER_WAIT_MOST_MS;
}

static bool is_in(uint32_t bits, uint8_t place)
{
    return (bits >> place & 1) != 0;
}

/* The place of a failing resolver that may be asked again, to see whether it is back. */
static uint8_t find_due_probe(const struct resolver *resolvers, const struct resolver_set *set,
                              uint32_t tried, uint64_t now_ms)
{
    for (uint8_t place = 0; place < set->count; place++) {
        const struct resolver *resolver = &resolvers[set->numbers[place]];
        if (resolver->is_failing && now_ms >= resolver->probe_ms && !is_in(tried, place))
            return place;
    }
    return RESOLVER_NONE;
}

static uint8_t find_best(const struct resolver *resolvers, const struct resolver_set *set,
                         uint32_t left_out)
{
    uint8_t best = RESOLVER_NONE;
    uint32_t least = UINT32_MAX;

    for (uint8_t place = 0; place < set->count; place++) {
        const struct resolver *resolver = &resolvers[set->numbers[place]];
        if (resolver->is_failing || is_in(left_out, place) || resolver->rank_us >= least)
            continue;
        least = resolver->rank_us;
        best = place;
    }
    return best;
}

/* Those who are not asked come a little nearer to their turn. */
static void rest_others(struct resolver *resolvers, const struct resolver_set *set, uint8_t chosen)
{
    for (uint8_t place = 0; place < set->count; place++) {
        struct resolver *resolver = &resolvers[set->numbers[place]];
        if (place != chosen)
            resolver->rank_us -= resolver->rank_us / REST_SHARE;
    }
}

uint8_t resolver_choose(struct resolver *resolvers, const struct resolver_set *set, uint32_t tried,
                        uint64_t now_ms)
{
    uint8_t chosen = find_due_probe(resolvers, set, tried, now_ms);

    if (chosen != RESOLVER_NONE) {
        resolvers[set->numbers[chosen]].probe_ms = now_ms + RESOLVER_PROBE_MS;
        return chosen;
    }
    chosen = find_best(resolvers, set, tried);
    if (chosen == RESOLVER_NONE)
        chosen = find_best(resolvers, set, 0);
    if (chosen != RESOLVER_NONE)
        rest_others(resolvers, set, chosen);
    return chosen;
}

bool resolver_set_is_failing(const struct resolver *resolvers, const struct resolver_set *set)
{
    for (uint8_t place = 0; place < set->count; place++)
        if (!resolvers[set->numbers[place]].is_failing)
            return false;
    return true;
}

bool resolver_set_can_be_asked(const struct resolver *resolvers, const struct resolver_set *set,
                               uint64_t now_ms)
{
    return !resolver_set_is_failing(resolvers, set) ||
           find_due_probe(resolvers, set, 0, now_ms) != RESOLVER_NONE;
}
