#pragma once
/**
 * Tables of flows (traffic/flows.h) from scripted replies, which the fixture's snapshot decides on.
 */
#include "traffic/flows.h"

struct flowing {
    struct flows *flows;
    const struct snapshot *snapshot;
};

void flowing_init(struct flowing *flowing, const struct snapshot *snapshot);
void flowing_close(struct flowing *flowing);

/** Sets the time of the replies that follow. */
void flowing_at(struct flowing *flowing, uint64_t now_ms);

/** So many replies with a TTL of 30 to a client that asks at 10.0.0.2. */
void flowing_reply(struct flowing *flowing, const char *from, const char *name, uint16_t type,
                   unsigned count);

/** A reply about a name that no space has, with this code; NOERROR has a record. */
void flowing_foreign(struct flowing *flowing, const char *from, const char *name, uint8_t rcode);

/** The table; NULL: nothing was asked. Call flows_return once it is read. */
const struct flow_table *flowing_take(struct flowing *flowing);
