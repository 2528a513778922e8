#pragma once
/**
 * The first octets that a member sends: whether HTTP/2 begins there, and what it is if not.
 *
 * Sources: RFC 9113 section 3.4 (a server begins with SETTINGS), section 4.1 (frames); RFC 8446
 * section 5.1 (records); RFC 9112 section 4 (status lines).
 * Threads: one thread's.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { GREETING_OCTETS = 9 };

struct greeting {
    uint8_t octets[GREETING_OCTETS];
    size_t length;
};

/**
 * Adds octets until they are all there. Returns false with a sentence in *err once they cannot be
 * those of HTTP/2.
 */
bool greeting_add(struct greeting *greeting, uint8_t octet, struct err *err);
