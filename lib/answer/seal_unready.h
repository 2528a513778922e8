#pragma once
/**
 * Seals what is known of a space whose text has errors and that has nothing else to be served from
 * (load.h, keeps_spaces).
 *
 *     unready segment   who its clients are: cidr, listen, peerings, VPNs. No apps and no records;
 *                       it is in the snapshot, so that its clients get SERVFAIL (Q30)
 *     names             apps, domains and owners of records, as far as the text shows them; never
 *                       in a snapshot, but kept back (fallen.h), so that nobody's question for
 *                       them leaves the platform
 *
 * The model may have any error that parsing and the rules report; what an error makes useless is
 * left out.
 *
 * Threads: one for each segment.  Memory: the caller's segments; nothing is borrowed.
 */
#include "answer/segment.h"
#include "findings/report.h"
#include "space/fixed.h"

struct unready_space {
    const char *file;                /* the text's name in its source */
    const char *name;                /* of the space */
    const struct space *model;       /* as far as it could be read; NULL: not at all */
    const struct fixed_space *fixed; /* NULL: nothing is known */
};

/**
 * Seals an unready segment, with one hold. Its CIDR is the one fixed, else the model's; without a
 * sound one 0.0.0.0/32, which has no client. Returns NULL with *err without memory.
 *
 * code, at  the first error of the text; line 0: of no line
 */
struct segment *segment_seal_unready(const struct unready_space *space, enum finding_code code,
                                     struct location at, const struct suffixes *suffixes,
                                     struct err *err);

/**
 * Seals the names of the model. An app is internal if it was fixed so, or if the model says so.
 * Returns NULL if there is no model, no readable name, or no memory; then *err has a code.
 */
struct segment *segment_seal_names(const struct unready_space *space,
                                   const struct suffixes *suffixes, struct err *err);
