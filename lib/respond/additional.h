#pragma once
/**
 * The additional section: addresses of the targets of SRV and MX records, where these are ours.
 *
 * A client that follows such a record asks for the target's addresses next, so they are added when
 * they fit (RFC 2782, RFC 1035 section 3.3.9): as this client would get them, whole sets only, and
 * never setting TC. A target that is an alias, or not ours, gets none.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "respond/respond.h"
#include "wire/reply.h"

enum { ADDITIONAL_TARGETS_MOST = 16 };

/** Offsets of the targets in a reply. */
struct additional {
    unsigned count;
    uint16_t offsets[ADDITIONAL_TARGETS_MOST];
};

/** Notes the target of a record whose data was written there. Types without targets are ignored. */
void additional_note(struct additional *additional, const struct reply *reply, uint16_t type,
                     const uint8_t *data);

/** Writes the addresses of all targets, each once. */
void additional_write(const struct additional *additional, const struct snapshot *snapshot,
                      const struct exchange *exchange, struct reply *reply);
