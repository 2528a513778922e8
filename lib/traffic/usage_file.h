#pragma once
/**
 * What is known about who uses what, as octets that outlive the process.
 *
 *     "spacedns usage\0\0"  version  length  checksum │ body
 *
 * The body has the sums with the longest TTL, the parties, and each table with its oldest entry
 * first, all numbers in little-endian order. Parties are numbered anew. What a search list wastes
 * within a window, and the counts of the last minute, are not stored.
 *
 * Octets are taken only as a whole: if any of them is not as it was written, none is used.
 *
 * Threads: the control thread.  Memory: the octets are the caller's; USAGE_FILE_MOST of them.
 */
#include "base/err.h"
#include "traffic/usage.h"

enum { USAGE_FILE_VERSION = 2, USAGE_FILE_MOST = 256 << 20 };

/**
 * Writes everything. Returns malloc'ed octets, or NULL without memory.
 *
 * is_last  this server answers no more, so no expiry is missing
 */
uint8_t *usage_file_write(const struct usage *usage, bool is_last, size_t *length);

/**
 * Adds what was written to what is known. Returns false with *err, a sentence without the file's
 * name, and nothing added, when the octets are of another version or damaged.
 *
 * was_last  set as it was written; NULL is allowed
 */
bool usage_file_read(struct usage *usage, const uint8_t *octets, size_t length, bool *was_last,
                     struct err *err);
