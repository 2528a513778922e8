#pragma once
/**
 * Text about servers and cache entries, for _why, the log and EDE.
 *
 * Sources: RFC 1035 section 3.3 (a string of a TXT record has at most 255 octets).
 * Threads: pure.  Memory: never allocates.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "forward/cache.h"
#include "forward/fetch_table.h"
#include "forward/resolver.h"

enum { FORMAT_OCTETS_MOST = 255 };

/**
 * Appends "upstreams=10.0.0.2 up 3ms, 1.1.1.1 failing", at most FORMAT_OCTETS_MOST octets; servers
 * that do not fit become "and 3 more".
 */
void format_servers(const struct resolver *servers, const struct resolver_set *set, uint64_t now_ms,
                    struct text *text);

/** From the best to the worst. */
enum resolver_state {
    RESOLVER_UNTRIED,    /* never asked */
    RESOLVER_UNANSWERED, /* asked in vain, not often enough to doubt it */
    RESOLVER_UP,
    RESOLVER_IN_DOUBT,
    RESOLVER_FAILING,
};

enum resolver_state resolver_state_of(const struct resolver *server);

/** "untried", "no reply yet", "up", "in doubt", "failing". */
const char *resolver_state_text(enum resolver_state state);

enum cached { CACHED_NOTHING, CACHED_FRESH, CACHED_STALE, CACHED_FAILED };

/** The state of a question's cache entry. */
struct cached_state {
    enum cached kept;
    uint32_t seconds; /* fresh: TTL left; stale: age; else 0 */
};

/** "no", "fresh", "stale", "failed". */
const char *cached_text(enum cached kept);

/** The state of an entry, which may be NULL. */
struct cached_state cached_state_of(const struct cache_entry *entry, uint32_t now_s);

/**
 * Appends "cached=fresh ttl=23", "cached=stale age=120", "cached=failed no reply from 10.0.0.2" or,
 * for NULL, "cached=no". `server` is the text of the server that failed.
 */
void format_entry(const struct cache_entry *entry, uint32_t now_s, const char *server,
                  struct text *text);

/** A phrase that the server's text completes: "no reply from". */
const char *failure_text(enum forward_failure failure);
