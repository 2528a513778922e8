#pragma once
/**
 * From a cached response to a reply for one client.
 *
 * The client gets its own id and question, in the case it sent; the records with their TTLs counted
 * down; the upstream's EDE options and ours; an OPT of ours if it sent one. A reply that is too
 * large for the client holds as many whole records as fit, and TC. AD is passed on if the client
 * set AD or DO (RFC 6840 section 5.8). RA is always set, since only clients that may recurse get
 * here; AA never: these are not our names. A client without OPT gets SERVFAIL for codes above 15,
 * which do not fit into its header.
 *
 * Most replies have no option and fit, so they are copied in one go.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include <stddef.h>
#include <stdint.h>

#include "forward/response.h"
#include "wire/reply.h"

enum { RELAY_STALE_TTL_SECONDS = 30 }; /* RFC 8767 section 4 */

struct relay {
    const struct response *response;
    uint32_t age_seconds; /* since the upstream sent it */
    bool is_stale;        /* every TTL becomes 30 */
    const uint8_t *request;
    const struct query *query;
    struct reply_options *options; /* our own EDE, NSID, keepalive; the upstream's EDE is added;
                                      not looked at by relay_write_usual */

    /* Set by relay_write, for the log. */
    uint16_t answer_count;
    uint32_t ttl_seconds; /* the least TTL sent; 0 without records */
};

/** True when a response has no options to pass on, and a code that every header has room for. */
static inline bool relay_is_usual(const struct response *response)
{
    return response->ede_octets == 0 && response->rcode <= 15;
}

/**
 * As relay_write, for a usual response and a client that gets no option of ours. Returns 0, with
 * nothing written, when the reply does not fit.
 */
size_t relay_write_usual(struct relay *relay, uint8_t *buffer, size_t most);

/**
 * Writes the reply into `most` octets of room, 512 or more. The query's question is the one that
 * the response answers. Returns the reply's length.
 */
size_t relay_write(struct relay *relay, uint8_t *buffer, size_t most);
