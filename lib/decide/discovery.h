#pragma once
/**
 * Names below the discovery suffix: dynos, process types, services, routers, introspection.
 *
 *     [n.]TYPE.APP.app.localspace               A of dynos
 *     _PORT._tcp.TYPE.APP.app.localspace        SRV of a declared port
 *     router-N.SPACE.space.localspace           A of one router
 *
 * and the names of names.def that stand below the suffix or below APP.app.
 *
 * Names are parsed label by label; they are not stored in the index. Declared but empty is NODATA,
 * undeclared is NXDOMAIN, and names between are empty non-terminals (RFC 8020).
 *
 * Sources: RFC 2782 (SRV).
 * Threads: pure.  Memory: never allocates.
 */
#include <string.h>

#include "decide/verdict.h"

/** Decides a name within the suffix, for a client that is inside some space. */
void discovery_decide(const struct snapshot *snapshot, const struct client *client,
                      const struct query *query, struct verdict *verdict);

/** True when the label is the text. */
static inline bool label_reads(const uint8_t *label, const char *text)
{
    size_t length = strlen(text);

    return *label == length && memcmp(label + 1, text, length) == 0;
}

/** Reads a number above zero (base/number.h) from a label; returns false for anything else. */
bool label_read_number(const uint8_t *label, uint32_t *number);
