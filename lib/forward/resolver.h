#pragma once
/**
 * An upstream resolver as one worker knows it, and which one to ask next.
 *
 * A resolver answers fast, slowly, or not at all:
 *
 *     good ──(RESOLVER_SILENT_MOST questions in a row without any reply)──► failing
 *       ▲                                                                   │
 *       └───────────────────────────(any reply)─────────────────────────────┘
 *
 * A failing resolver is left alone but for one question every RESOLVER_PROBE_MS, so that its return
 * is seen. Among good ones the one of the least rank is asked. Ranks follow the smoothed round trip
 * (RFC 6298, with a first guess of RESOLVER_FIRST_RTT_MS), grow with what a resolver owes or
 * spoils, and shrink slowly while others are asked, so that each gets a turn. Of equal ranks, the
 * first listed is asked.
 *
 * One resolver is asked for several zones under one state: equal addresses are one resolver.
 *
 * Sources: RFC 5452 section 9; RFC 6298; RFC 6891 section 6.2.2 (resolvers that do not know EDNS);
 * RFC 9520 section 3.
 * Threads: one worker's.  Memory: never allocates.  Time: milliseconds of a monotonic clock.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/upstream.h"

enum {
    RESOLVERS_MOST = 128, /* of all routes together */
    RESOLVER_NONE = 255,
    RESOLVER_FIRST_RTT_MS = 100,
    RESOLVER_WAIT_LEAST_MS = 250, /* before another is asked too */
    RESOLVER_WAIT_MOST_MS = 800,
    RESOLVER_SILENT_MOST = 5,
    RESOLVER_PROBE_MS = 500,
    RESOLVER_PLAIN_MS = 600000, /* how long a resolver that refused EDNS is asked without */
};

struct resolver {
    const struct upstream *upstream;
    uint32_t srtt_us;   /* smoothed round trip */
    uint32_t rttvar_us; /* its variation */
    uint32_t rank_us;   /* what it is chosen by */
    unsigned silent;    /* questions in a row without any reply */
    bool is_failing;
    uint64_t probe_ms;       /* failing: not asked before */
    uint64_t plain_until_ms; /* asked without EDNS until then */
    uint64_t last_reply_ms;  /* 0: never */
};

/** The resolvers that are asked for one zone, by number. */
struct resolver_set {
    uint8_t numbers[UPSTREAMS_MOST];
    uint8_t count;
};

void resolver_init(struct resolver *resolver, const struct upstream *upstream);

/** A reply came, `rtt_us` after its question. Returns true when the resolver had been failing. */
bool resolver_on_reply(struct resolver *resolver, uint32_t rtt_us, uint64_t now_ms);

/**
 * A question ended without a reply from this resolver, and nothing else has come from it since it
 * was asked. Returns true when this made the resolver failing; its first probe is due at once.
 */
bool resolver_on_silence(struct resolver *resolver, uint64_t now_ms);

/** It is late, or what came is of no use: others are asked first, for a while. */
void resolver_defer(struct resolver *resolver);

/** How long to wait for it before another is asked too. */
uint32_t resolver_wait_ms(const struct resolver *resolver);

/** True when it must be asked without EDNS. */
static inline bool resolver_is_plain(const struct resolver *resolver, uint64_t now_ms)
{
    return now_ms < resolver->plain_until_ms;
}

/**
 * Chooses whom to ask next, as a place in the set: a failing resolver whose probe is due and whose
 * bit in `tried` is clear, else the best good one, leaving out those whose bit (by place) is set
 * while there is another; RESOLVER_NONE when there is nobody. Marks the probe as under way.
 */
uint8_t resolver_choose(struct resolver *resolvers, const struct resolver_set *set, uint32_t tried,
                        uint64_t now_ms);

/** True when every resolver of the set is failing. */
bool resolver_set_is_failing(const struct resolver *resolvers, const struct resolver_set *set);

/** True when some resolver of the set is good, or its probe is due. */
bool resolver_set_can_be_asked(const struct resolver *resolvers, const struct resolver_set *set,
                               uint64_t now_ms);
