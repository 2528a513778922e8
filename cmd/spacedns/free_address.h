#pragma once
/** A free address for a new dyno. */
#include "spacedns/spaces.h"

/**
 * Finds the first address of the dyno CIDRs above `after` that no dyno has, whatever its state; 0
 * when none is left. A subnet's first four addresses and its last are reserved. The CIDRs are taken
 * in the order of the zone file; `after` is 0, or an address that this function returned.
 */
uint32_t free_address_find(const struct space *space, uint32_t after);

/** Prints that none is left. Returns the exit code. */
int free_address_fail(struct session *session, const struct space *space);
