#pragma once
/**
 * How fresh an answer is that comes from a registry, as a step of explain and _why.
 *
 * Threads: pure.  Memory: none.
 */
#include "answer/freshness.h"
#include "answer/segment.h"
#include "base/text.h"

/**
 * Writes "space test-space: document of revision 8123400, dynos of 8123455, told 2 s ago by
 * http://10.1.0.3:2379"; the dynos' revision is that of the newest key, if there is one.
 */
void explain_freshness_write(const struct freshness *freshness, const struct segment *segment,
                             struct text *text);
