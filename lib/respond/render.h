#pragma once
/**
 * A verdict's records, written into a reply.
 *
 * Knows the form of each kind of answer and nothing of policy. Addresses of routers are copied from
 * the segment's ready-made records; everything else is put together from names and numbers.
 *
 * Sources: RFC 1035 section 3.3, RFC 2782 (SRV targets are not compressed), RFC 2308 section 3 (SOA
 * in negative answers), RFC 1464 (key=value in TXT).
 * Threads: pure.  Memory: never allocates.
 */
#include "respond/respond.h"
#include "wire/reply.h"

/**
 * Writes all sections of the answer for the exchange's query. Sets the exchange's ttl_seconds.
 *
 * asked  offset in the reply at which the query's name stands: of the question, or of an alias's
 *        target
 */
void render(const struct snapshot *snapshot, struct exchange *exchange, struct reply *reply,
            uint16_t asked);

/**
 * Writes the CNAME of SITUATION_ALIAS. Returns the offset of its target in the reply, 0 when it
 * does not fit.
 */
uint16_t render_alias(const struct snapshot *snapshot, struct exchange *exchange,
                      struct reply *reply, uint16_t asked);
