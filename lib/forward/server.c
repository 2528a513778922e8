#include "forward/server.h"

enum { US_PER_MS = 1000, LATE_SHARE = 8, REST_SHARE = 64 };

void server_init(struct server *server, const struct upstream *upstream)
{
    *server = (struct server){
        .upstream = upstream,
        .srtt_us = SERVER_FIRST_RTT_MS * US_PER_MS,
        .rttvar_us = SERVER_FIRST_RTT_MS * US_PER_MS / 2,
        .rank_us = SERVER_FIRST_RTT_MS * US_PER_MS,
    };
}

/* Moves a smoothed value by one share of the way to a new one. */
static uint32_t approach(uint32_t smoothed, uint32_t value, int64_t share)
{
    return (uint32_t)(smoothed + ((int64_t)value - smoothed) / share);
}

/* RFC 6298 section 2: the first measurement counts whole, later ones by an eighth. */
static void measure(struct server *server, uint32_t rtt_us)
{
    if (server->last_reply_ms == 0) {
        server->srtt_us = server->rank_us = rtt_us;
        server->rttvar_us = rtt_us / 2;
        return;
    }
    uint32_t apart = rtt_us > server->srtt_us ? rtt_us - server->srtt_us : server->srtt_us - rtt_us;
    server->rttvar_us = approach(server->rttvar_us, apart, 4);
    server->srtt_us = approach(server->srtt_us, rtt_us, 8);
    server->rank_us = approach(server->rank_us, rtt_us, 8);
}

bool server_on_reply(struct server *server, uint32_t rtt_us, uint64_t now_ms)
{
    bool was_failing = server->is_failing;

    measure(server, rtt_us);
    server->last_reply_ms = now_ms;
    server->silent = 0;
    server->is_failing = false;
    return was_failing;
}

bool server_on_silence(struct server *server, uint64_t now_ms)
{
    if (server->is_failing || ++server->silent < SERVER_SILENT_MOST)
        return false;
    server->is_failing = true;
    server->probe_ms = now_ms;
    return true;
}

void server_defer(struct server *server)
{
    server->rank_us = approach(server->rank_us, server_wait_ms(server) * US_PER_MS, LATE_SHARE);
}

uint32_t server_wait_ms(const struct server *server)
{
    uint64_t wait_ms = (server->srtt_us + 4 * (uint64_t)server->rttvar_us) / US_PER_MS;

    if (wait_ms < SERVER_WAIT_LEAST_MS)
        return SERVER_WAIT_LEAST_MS;
    return wait_ms < SERVER_WAIT_MOST_MS ? (uint32_t)wait_ms : SERVER_WAIT_MOST_MS;
}

static bool is_in(uint32_t bits, uint8_t place)
{
    return (bits >> place & 1) != 0;
}

/* The place of a failing server that may be asked again, to see whether it is back. */
static uint8_t find_due_probe(const struct server *servers, const struct server_set *set,
                              uint32_t tried, uint64_t now_ms)
{
    for (uint8_t place = 0; place < set->count; place++) {
        const struct server *server = &servers[set->numbers[place]];
        if (server->is_failing && now_ms >= server->probe_ms && !is_in(tried, place))
            return place;
    }
    return SERVER_NONE;
}

static uint8_t find_best(const struct server *servers, const struct server_set *set,
                         uint32_t left_out)
{
    uint8_t best = SERVER_NONE;
    uint32_t least = UINT32_MAX;

    for (uint8_t place = 0; place < set->count; place++) {
        const struct server *server = &servers[set->numbers[place]];
        if (server->is_failing || is_in(left_out, place) || server->rank_us >= least)
            continue;
        least = server->rank_us;
        best = place;
    }
    return best;
}

/* Those who are not asked come a little nearer to their turn. */
static void rest_others(struct server *servers, const struct server_set *set, uint8_t chosen)
{
    for (uint8_t place = 0; place < set->count; place++) {
        struct server *server = &servers[set->numbers[place]];
        if (place != chosen)
            server->rank_us -= server->rank_us / REST_SHARE;
    }
}

uint8_t server_choose(struct server *servers, const struct server_set *set, uint32_t tried,
                      uint64_t now_ms)
{
    uint8_t chosen = find_due_probe(servers, set, tried, now_ms);

    if (chosen != SERVER_NONE) {
        servers[set->numbers[chosen]].probe_ms = now_ms + SERVER_PROBE_MS;
        return chosen;
    }
    chosen = find_best(servers, set, tried);
    if (chosen == SERVER_NONE)
        chosen = find_best(servers, set, 0);
    if (chosen != SERVER_NONE)
        rest_others(servers, set, chosen);
    return chosen;
}

bool server_set_is_failing(const struct server *servers, const struct server_set *set)
{
    for (uint8_t place = 0; place < set->count; place++)
        if (!servers[set->numbers[place]].is_failing)
            return false;
    return true;
}

bool server_set_can_be_asked(const struct server *servers, const struct server_set *set,
                             uint64_t now_ms)
{
    return !server_set_is_failing(servers, set) ||
           find_due_probe(servers, set, 0, now_ms) != SERVER_NONE;
}
