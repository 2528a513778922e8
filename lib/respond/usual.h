#pragma once
/**
 * The usual reply: the addresses of all routers, and nothing to be said about them.
 *
 *     header │ question │ CNAME of a custom domain │ A records, from one in turn on │ plain OPT
 *
 * Nearly all queries for names that are ours get it, so it is copied in one go: the records are
 * ready in the segment (answer/segment.h), and nothing is reserved, counted or cut. It is octet by
 * octet what render.h and wire/reply.h would write.
 *
 * Sources: RFC 1035 section 4.1; RFC 6891 section 6.1.
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "respond/respond.h"

/** True when the verdict is all routers of a space and its reply has no option. */
static inline bool usual_fits(const struct exchange *exchange)
{
    const struct verdict *verdict = &exchange->verdict;

    return verdict->answer == ANSWER_ROUTERS && verdict->reason == REASON_NONE &&
           verdict->az == NULL && !exchange->query.has_options;
}

/** Writes the reply. Returns its length; 0, with nothing written, where it may be too long. */
size_t usual_write(struct exchange *exchange);
