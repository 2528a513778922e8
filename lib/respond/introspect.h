#pragma once
/**
 * TXT answers about the server and the client: _whoami, _why, _apps, _dynos, version.
 *
 * Strings are key=value (RFC 1464), at most 255 octets each; TTL 0.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "respond/respond.h"
#include "wire/reply.h"

/** Writes the TXT records of the verdict's answer kind, owned by the name at `owner`. */
void introspect(const struct snapshot *snapshot, const struct exchange *exchange,
                struct reply *reply, uint16_t owner);
