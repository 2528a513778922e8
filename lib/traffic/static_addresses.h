#pragma once
/**
 * Addresses in static A records that may be a dyno's: those within the CIDR of a space here, not
 * only of the record's own, as spaces are peered.
 *
 * Threads: pure functions; workers, too.  Memory: never allocates.
 */
#include "answer/snapshot.h"

/** Reads the address of such a record; false for any other record. */
bool static_address(const struct snapshot *snapshot, const struct segment *segment,
                    const struct record_entry *record, uint32_t *ip);

/** True when a host has such records and answers the type with them. */
bool static_has_address(const struct snapshot *snapshot, const struct segment *segment,
                        const struct host *host, uint16_t type);

/** True when a question of the type is answered with A records. */
bool static_has_type(uint16_t type);
