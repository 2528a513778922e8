#pragma once
/**
 * What is known about servers and kept responses, in words for _why, the log and EDE.
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
 * Appends "upstreams=10.0.0.2 up 3ms, 1.1.1.1 failing", at most FORMAT_OCTETS_MOST octets; what has
 * no room is "and 3 more".
 */
void format_servers(const struct resolver *servers, const struct resolver_set *set, uint64_t now_ms,
                    struct text *text);

/** "up", "in doubt", "failing", "untried" (never asked), "no reply yet" (asked in vain). */
const char *resolver_state_text(const struct resolver *server);

enum kept { KEPT_NOTHING, KEPT_FRESH, KEPT_STALE, KEPT_FAILED };

/** What is kept for a question. */
struct kept_state {
    enum kept kept;
    uint32_t seconds; /* fresh: to its end; stale: since it came; else 0 */
};

/** "no", "fresh", "stale", "failed". */
const char *kept_text(enum kept kept);

/** `entry` may be NULL. */
struct kept_state tell_kept(const struct cache_entry *entry, uint32_t now_s);

/**
 * Appends "cached=fresh ttl=23", "cached=stale age=120", "cached=failed no reply from 10.0.0.2" or,
 * for NULL, "cached=no". `server` is the text of the server that failed.
 */
void format_entry(const struct cache_entry *entry, uint32_t now_s, const char *server,
                  struct text *text);

/** The beginning of a sentence that a server's text ends: "no reply from". */
const char *failure_text(enum forward_failure failure);
