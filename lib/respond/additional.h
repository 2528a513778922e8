#pragma once
/**
 * The additional section: addresses of the names of ours that SRV and MX records lead to.
 *
 * Whoever follows such a record asks for the target's addresses next, so they come along when they
 * fit (RFC 2782, RFC 1035 section 3.3.9): as this very client gets them, whole sets only, and never
 * at the price of TC. A target that is an alias, or not ours, has none here.
 *
 * Threads: pure.  Memory: never allocates.
 */
#include "respond/respond.h"
#include "wire/reply.h"

enum { BESIDE_TARGETS_MOST = 16 };

/** Where the targets stand in a reply. */
struct beside {
    unsigned count;
    uint16_t offsets[BESIDE_TARGETS_MOST];
};

/** Takes in the target of a record whose data was written there. Types without targets are none. */
void beside_note(struct beside *beside, const struct reply *reply, uint16_t type,
                 const uint8_t *data);

/** Writes the addresses of all targets, each once. */
void beside_write(const struct beside *beside, const struct snapshot *snapshot,
                  const struct exchange *exchange, struct reply *reply);
