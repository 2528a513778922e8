#pragma once
/**
 * An upstream resolver as one worker sees it, and the choice of the next one to ask.
 *
 * Its health (well, in doubt, failing) is shared by all workers: standing.h. A failing resolver
 * gets only probes and trials. Among the others the one of the lowest rank is asked. The rank
 * follows the smoothed round trip (RFC 6298, initially RESOLVER_FIRST_RTT_MS), grows with each late
 * or useless reply, and shrinks slowly while others are asked, so that each gets a turn. Of equal
 * ranks, the first listed is asked. Ranks are per worker: each learns them with its first
 * questions, and no cache line is shared for each question.
 *
 * A resolver that is asked for several zones has one state: equal addresses are one resolver.
 *
 * Sources: RFC 5452 section 9; RFC 6298; RFC 6891 section 6.2.2 (resolvers that do not know EDNS);
 * RFC 9520 section 3.
 * Threads: one worker's, but for the standing.  Memory: never allocates.  Time: milliseconds of a
 * monotonic clock.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/upstream.h"
#include "forward/standing.h"
#include "wire/name.h"

enum {
    RESOLVERS_MOST = UPSTREAMS_IN_ALL_MOST, /* of all routes together */
    RESOLVER_NONE = 255,
    RESOLVER_FIRST_RTT_MS = 100,
    RESOLVER_WAIT_LEAST_MS = 250, /* before another is asked, too */
    RESOLVER_WAIT_MOST_MS = 800,
    RESOLVER_SILENCE_LEAST_MS = 1000, /* before a question counts as unanswered */
    RESOLVER_SILENCE_MOST_MS = 3000,
    RESOLVER_PROBE_LEAST_MS = 500, /* the same for a probe */
};

struct resolver {
    const struct upstream *upstream;
    struct standing *standing;
    struct name probe_name;
    uint16_t probe_type;
    bool has_rtt;       /* a reply was measured */
    uint32_t srtt_us;   /* smoothed round trip */
    uint32_t rttvar_us; /* its variation */
    uint32_t rank_us;   /* the lowest is chosen */
};

/** How often a resolver was asked for one zone, without probes, and how often it did not respond.
 */
struct resolver_use {
    uint64_t queries;
    uint64_t failures;
};

/** The resolvers that are asked for one zone, by number. */
struct resolver_set {
    uint8_t numbers[UPSTREAMS_MOST];
    uint8_t count;
};

/** Borrows both; the probe is for the name servers of the root. */
void resolver_init(struct resolver *resolver, const struct upstream *upstream,
                   struct standing *standing);

/** Sets the probe to the SOA of the one zone that the resolver is asked for. */
void resolver_set_probe_zone(struct resolver *resolver, const struct name *zone);

/**
 * Counts a reply to a probe or a client's question, `rtt_us` after it was sent. Returns true if the
 * resolver was failing.
 */
bool resolver_on_reply(struct resolver *resolver, bool to_probe, uint32_t rtt_us, uint64_t now_ms);

/** Raises the rank of a resolver that is late or of no use: others are preferred for a while. */
void resolver_defer(struct resolver *resolver);

/** How long to wait for a reply before another resolver is asked, too. */
uint32_t resolver_wait_ms(const struct resolver *resolver);

/** How long to wait for a reply, or for that of a probe, before it counts as silence. */
uint32_t resolver_silence_ms(const struct resolver *resolver);
uint32_t resolver_probe_silence_ms(const struct resolver *resolver);

static inline bool resolver_is_failing(const struct resolver *resolver)
{
    return standing_state(resolver->standing) == STANDING_FAILING;
}

/**
 * Chooses the resolver to ask next, and returns its index in the set: the best that is not failing;
 * one whose bit (by index) in `tried` is set only when there is no other. Returns RESOLVER_NONE
 * when all are failing.
 */
uint8_t resolver_choose(struct resolver *resolvers, const struct resolver_set *set, uint32_t tried);

/**
 * Chooses the failing resolver to try a question on now, and returns its index in the set;
 * RESOLVER_NONE when no trial is due.
 */
uint8_t resolver_choose_trial(const struct resolver *resolvers, const struct resolver_set *set,
                              uint64_t now_ms);

/** True when every resolver of the set is failing. */
bool resolver_set_is_failing(const struct resolver *resolvers, const struct resolver_set *set);
