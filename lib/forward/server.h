#pragma once
/**
 * An upstream server as one worker knows it, and which one to ask next.
 *
 * A server answers fast, slowly, or not at all:
 *
 *     good ──(SERVER_SILENT_MOST questions in a row without any reply)──► failing
 *       ▲                                                                   │
 *       └───────────────────────────(any reply)─────────────────────────────┘
 *
 * A failing server is left alone but for one question every SERVER_PROBE_MS, so that its return is
 * seen. Among good ones the one of the least rank is asked. Ranks follow the smoothed round trip
 * (RFC 6298, with a first guess of SERVER_FIRST_RTT_MS), grow with what a server owes or spoils,
 * and shrink slowly while others are asked, so that each gets a turn. Of equal ranks, the first
 * listed is asked.
 *
 * One server is asked for several zones under one state: equal addresses are one server.
 *
 * Sources: RFC 5452 section 9; RFC 6298; RFC 6891 section 6.2.2 (servers that do not know EDNS);
 * RFC 9520 section 3.
 * Threads: one worker's.  Memory: never allocates.  Time: milliseconds of a monotonic clock.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/upstream.h"

enum {
    SERVERS_MOST = 128, /* of all routes together */
    SERVER_NONE = 255,
    SERVER_FIRST_RTT_MS = 100,
    SERVER_WAIT_LEAST_MS = 250, /* before another is asked too */
    SERVER_WAIT_MOST_MS = 800,
    SERVER_SILENT_MOST = 5,
    SERVER_PROBE_MS = 500,
    SERVER_PLAIN_MS = 600000, /* how long a server that refused EDNS is asked without */
};

struct server {
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

/** The servers that are asked for one zone, by number. */
struct server_set {
    uint8_t numbers[UPSTREAMS_MOST];
    uint8_t count;
};

void server_init(struct server *server, const struct upstream *upstream);

/** A reply came, `rtt_us` after its question. Returns true when the server had been failing. */
bool server_on_reply(struct server *server, uint32_t rtt_us, uint64_t now_ms);

/**
 * A question ended without a reply from this server, and nothing else has come from it since it was
 * asked. Returns true when this made the server failing; its first probe is due at once.
 */
bool server_on_silence(struct server *server, uint64_t now_ms);

/** It is late, or what came is of no use: others are asked first, for a while. */
void server_defer(struct server *server);

/** How long to wait for it before another is asked too. */
uint32_t server_wait_ms(const struct server *server);

/** True when it must be asked without EDNS. */
static inline bool server_is_plain(const struct server *server, uint64_t now_ms)
{
    return now_ms < server->plain_until_ms;
}

/**
 * Chooses whom to ask next, as a place in the set: a failing server whose probe is due and whose
 * bit in `tried` is clear, else the best good one, leaving out those whose bit (by place) is set
 * while there is another; SERVER_NONE when there is nobody. Marks the probe as under way.
 */
uint8_t server_choose(struct server *servers, const struct server_set *set, uint32_t tried,
                      uint64_t now_ms);

/** True when every server of the set is failing. */
bool server_set_is_failing(const struct server *servers, const struct server_set *set);

/** True when some server of the set is good, or its probe is due. */
bool server_set_can_be_asked(const struct server *servers, const struct server_set *set,
                             uint64_t now_ms);
