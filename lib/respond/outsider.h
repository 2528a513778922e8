#pragma once
/**
 * The reply to outsiders, who all get the same whatever they ask: their header and question back,
 * with a code, and OPT with the reason if they sent OPT.
 *
 *     header │ question │ OPT, EDE 18 "Q18 client is outside ..."
 *
 * Nobody bounds how many outsiders ask, so theirs is the cheapest reply there is: copied, with
 * nothing looked up, no list of options and no sentence made. It is octet by octet what render.h
 * and wire/reply.h would write.
 *
 * Sources: RFC 1035 section 4.1; RFC 6891 section 6.1; RFC 8914 section 4.19 (EDE 18).
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "respond/respond.h"

/** True when the verdict is an outsider's and its reply has no option but the reason. */
static inline bool outsider_fits(const struct exchange *exchange)
{
    return exchange->client.count == 0 && exchange->verdict.reason == REASON_OUTSIDE &&
           exchange->status == QUERY_READ && exchange->verdict.answer == ANSWER_NONE &&
           !exchange->query.has_options;
}

/** Writes the reply. Returns its length, which is below UDP_OCTETS_PLAIN. */
size_t outsider_write(struct exchange *exchange);
