#pragma once
/**
 * Domain names that an operator writes: suffixes, zones, names in certificates.
 *
 * Sources: RFC 952, RFC 1123 section 2.1 (host names); RFC 8552 (names that begin with "_").
 * Threads: pure.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { DOMAIN_MOST = 253 }; /* octets of the longest name, without its closing dot */

enum domain_kind {
    DOMAIN_HOST, /* labels of 1 to 63 letters, digits and inner hyphens */
    DOMAIN_ZONE, /* and underscores, as in _tcp.example.com */
};

/**
 * Folds a name to lower case and drops its closing dot.
 *
 * folded  room for `most` octets; a closing zero octet is not written
 *
 * Returns the length; 0 if the text is not such a name or is longer than `most`.
 */
size_t domain_fold(enum domain_kind kind, const char *text, char *folded, size_t most);

/** True when a folded name is `suffix` or lies below it. */
bool domain_is_within(const char *domain, const char *suffix);

/** Returns the number of labels of a folded name; 0 for ".". */
unsigned domain_label_count(const char *domain);

/** Returns false with *err, which says what to write, for a name that no client asks for. */
bool domain_is_ascii(const char *name, struct err *err);
