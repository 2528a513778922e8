#pragma once
/**
 * The parts of an archive for a bug report: support.def, and zone files on request.
 *
 *     support.def ──► made one by one, last the list ──► secrets blanked out ──► listed, written
 *
 * A part that cannot be made has the problem instead; the others are made all the same. Wherever a
 * secret of the settings (settings.def) stands in a part, it is overwritten, although none should
 * come there. A zone file that has a pre_shared_key is left out.
 *
 * Threads: one.  Memory: support_parts_close.
 */
#include "spacedns/session.h"

enum { SUPPORT_OCTETS_MOST = 32 << 20 }; /* of a part; the rest is cut */

struct support_part {
    const char *name; /* in the archive */
    const char *holds;
    char *octets; /* NULL: there is a problem instead */
    size_t length;
    struct err problem;
};

struct support_parts {
    struct session *session;
    struct support_part *items;
    size_t count;
    size_t capacity;
    size_t blanked; /* secrets overwritten */
};

/** Makes all parts. Returns false without memory. */
bool support_parts_make(struct support_parts *parts, struct session *session);

/** Prints the part's line of the list: name, octets, what it holds, or why it is left out. */
void support_part_print(const struct support_part *part, FILE *out);

void support_parts_close(struct support_parts *parts);
