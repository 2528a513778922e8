#pragma once
/**
 * The files of the page, as octets; page_files.cmake makes the table from page/.
 *
 * Threads: read-only.  Memory: static.
 */
#include <stddef.h>

struct page_file {
    const char *name; /* index.html */
    const char *type; /* Content-Type */
    const unsigned char *octets;
    size_t length;
};

/** Sorted by name; the one behind the last has no name. */
extern const struct page_file page_files[];
