#pragma once
/**
 * Writes parts as one archive: a tar file of format ustar, compressed by the program gzip.
 *
 *     parts ──► header, octets, padding to 512 ... two empty blocks ──► gzip ──► file
 *
 * Nothing is ever on the disk but the archive, which only its owner can read.
 *
 * Sources: IEEE Std 1003.1 pax, "ustar Interchange Format".
 * Threads: one.  Memory: none is kept.
 */
#include "spacedns/support_parts.h"

enum { USTAR_BLOCK_OCTETS = 512, USTAR_NAME_MOST = 100 };

/** Fills in the header of a file of the archive. Names of more than USTAR_NAME_MOST are cut. */
void support_archive_header(const char *name, size_t length, long long at_s,
                            unsigned char block[USTAR_BLOCK_OCTETS]);

/**
 * Makes the file, which must not exist. On failure returns false with *err, a sentence to be
 * printed after the path, and leaves no file behind.
 *
 * folder  the name of the folder that the archive's files are in
 */
bool support_archive_write(const struct support_parts *parts, const char *path, const char *folder,
                           struct err *err);
