#pragma once
/**
 * Queries for names in a file, as the clients of the benchmarks send them: type A, RD, EDNS with
 * 1232 octets, without the cost of making each anew.
 *
 * A name that begins with `*.` stands for new names: each query has another label of sixteen digits
 * in place of the wildcard.
 *
 * Threads: one.  Memory: queries_read allocates until the process ends.
 */
#include <stddef.h>
#include <stdint.h>

enum { QUERY_OCTETS_MOST = 300 };

struct query_octets {
    uint16_t length;
    uint8_t digits; /* offset of the label that changes; 0: none */
    uint8_t octets[QUERY_OCTETS_MOST];
};

struct queries {
    struct query_octets *items;
    size_t count;
    size_t next;
    uint64_t serial; /* of the next new name */
};

/** Reads one name a line. A file without one ends the program. */
void queries_read(struct queries *queries, const char *path);

/**
 * Writes the next query with this id, round robin.
 *
 * out  room for QUERY_OCTETS_MOST octets
 *
 * Returns its length.
 */
size_t queries_write(struct queries *queries, uint16_t id, uint8_t *out);
