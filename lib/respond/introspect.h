#pragma once
/**
 * Answers about the server and the client: one printer for each line of decide/names.def.
 *
 * Strings of TXT are key=value (RFC 1464), at most 255 octets each; TTL 0.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "respond/respond.h"
#include "wire/reply.h"

/** Writes the records of the verdict's kind of answer, one of names.def, owned by the name at
 * `owner`. */
void introspect(const struct snapshot *snapshot, const struct exchange *exchange,
                struct reply *reply, uint16_t owner);
