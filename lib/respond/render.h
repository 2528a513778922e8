#pragma once
/**
 * Writes a verdict's records into a reply.
 *
 * It knows the form of each kind of answer and no policy. Addresses of routers are copied from the
 * segment's prepared records; all other records are built from names and numbers.
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
 * asked  offset of the query's name in the reply: in the question, or as an alias's target
 */
void render(const struct snapshot *snapshot, struct exchange *exchange, struct reply *reply,
            uint16_t asked);

/**
 * Writes the CNAME of SITUATION_ALIAS. Returns the offset of its target in the reply, 0 when it
 * does not fit.
 */
uint16_t render_alias(const struct snapshot *snapshot, struct exchange *exchange,
                      struct reply *reply, uint16_t asked);
