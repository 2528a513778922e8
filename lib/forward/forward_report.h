#pragma once
/**
 * What a forwarder knows of its servers and its cache, for people.
 *
 * Threads, time: forward.h.  Memory: never allocates.
 */
#include "base/text.h"
#include "forward/format.h"
#include "forward/forward.h"
#include "forward/resolver.h"

/** Text for _why: each upstream with its state, and the cache's entry ("cached=fresh ttl=23"). */
void forward_format_servers(const struct forward *forward, uint8_t route, struct text *text);
void forward_format_cached(const struct forward *forward, const struct question *question,
                           struct text *text);

/** The state of the cache's entry. */
struct cached_state forward_cached(const struct forward *forward, const struct question *question);

/** The upstream at an index of a route, in the order of the settings; NULL beyond the last. */
const struct resolver *forward_server(const struct forward *forward, uint8_t route, uint8_t index);

/** How it was used for that route since the forward was made. */
struct resolver_use forward_server_use(const struct forward *forward, uint8_t route, uint8_t index);

/** What is in the cache. */
struct cache_use forward_cache_use(const struct forward *forward);
