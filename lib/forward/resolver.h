#pragma once
/**
 * An upstream resolver as one worker asks it, and which one to ask next.
 *
 * How it stands (well, in doubt, failing) is known to all workers together: standing.h. A failing
 * resolver is left alone but for probes and trials. Among the others the one of the least rank is
 * asked. Ranks follow the smoothed round trip (RFC 6298, with a first guess of
 * RESOLVER_FIRST_RTT_MS), grow with what a resolver owes or spoils, and shrink slowly while others
 * are asked, so that each gets a turn. Of equal ranks, the first listed is asked. They are this
 * worker's own: each finds them out with its first questions, and no line of memory goes back and
 * forth for each question.
 *
 * One resolver is asked for several zones under one state: equal addresses are one resolver.
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
    RESOLVER_WAIT_LEAST_MS = 250, /* before another is asked too */
    RESOLVER_WAIT_MOST_MS = 800,
    RESOLVER_SILENCE_LEAST_MS = 1000, /* before a question counts as left without a reply */
    RESOLVER_SILENCE_MOST_MS = 3000,
    RESOLVER_PROBE_LEAST_MS = 500, /* the same of a probe */
};

struct resolver {
    const struct upstream *upstream;
    struct standing *standing;
    struct name probe_name;
    uint16_t probe_type;
    bool has_rtt;       /* some reply was measured */
    uint32_t srtt_us;   /* smoothed round trip */
    uint32_t rttvar_us; /* its variation */
    uint32_t rank_us;   /* what it is chosen by */
};

/** The resolvers that are asked for one zone, by number. */
struct resolver_set {
    uint8_t numbers[UPSTREAMS_MOST];
    uint8_t count;
};

/** Borrows both; it is probed with the name servers of the root. */
void resolver_init(struct resolver *resolver, const struct upstream *upstream,
                   struct standing *standing);

/** Has it probed with the SOA of the one zone that it is asked for. */
void resolver_set_probe_zone(struct resolver *resolver, const struct name *zone);

/**
 * A reply came, to a probe or a client's question, `rtt_us` after it was sent. Returns true when
 * the resolver had been failing.
 */
bool resolver_on_reply(struct resolver *resolver, bool to_probe, uint32_t rtt_us, uint64_t now_ms);

/** It is late, or what came is of no use: others are asked first, for a while. */
void resolver_defer(struct resolver *resolver);

/** How long to wait for it before another is asked too. */
uint32_t resolver_wait_ms(const struct resolver *resolver);

/** How long a question, or a probe, may be without a reply before it counts as silence. */
uint32_t resolver_silence_ms(const struct resolver *resolver);
uint32_t resolver_probe_silence_ms(const struct resolver *resolver);

static inline bool resolver_is_failing(const struct resolver *resolver)
{
    return standing_state(resolver->standing) == STANDING_FAILING;
}

/**
 * Chooses whom to ask next, as a place in the set: the best that is not failing, leaving out those
 * whose bit (by place) in `tried` is set while there is another; RESOLVER_NONE when all are
 * failing.
 */
uint8_t resolver_choose(struct resolver *resolvers, const struct resolver_set *set, uint32_t tried);

/**
 * Chooses the failing resolver of the set that a question is to be tried on now, as a place in the
 * set; RESOLVER_NONE when none is due.
 */
uint8_t resolver_choose_trial(const struct resolver *resolvers, const struct resolver_set *set,
                              uint64_t now_ms);

/** True when every resolver of the set is failing. */
bool resolver_set_is_failing(const struct resolver *resolvers, const struct resolver_set *set);
