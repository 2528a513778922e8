#pragma once
/**
 * Shared by the files that seal a segment: the space without its apps, and the names above its
 * static records.
 *
 * Threads: one for each segment.  Memory: everything goes into the segment's arena.
 */
#include "answer/segment.h"

/** Seals the space itself: name, blocks, routers, connections. Returns false without memory. */
bool seal_space(struct segment *segment, const struct space *space);

/**
 * Seals affinity and availability zones. Returns the zones, whose routers are still to be counted;
 * NULL without memory.
 */
struct az_entry *seal_azs(struct segment *segment, const struct space *space);

/** Finds a zone of the segment by name, which may be NULL; ENTRY_NONE: there is none. */
uint32_t seal_find_az(const struct segment *segment, const char *name);

/** Lists the empty names above the segment's static records, whose hosts and texts are set. */
bool seal_empty_names(struct segment *segment);

/** Returns a copy of a text; NULL for NULL or without memory. */
const char *seal_text(struct segment *segment, const char *text);
