#pragma once
/**
 * Unpredictable random octets, cheap enough for every query.
 *
 * They come from the kernel's generator (getrandom, through glibc's arc4random_buf), a buffer at a
 * time, so that an id of two octets takes no system call. Known octets reveal nothing about the
 * next ones: the generator is cryptographic, each octet is used once, and the buffer's copy is
 * erased. Nothing is seeded from time, addresses or process ids.
 *
 * Sources: RFC 5452 section 4.5; RFC 4086 section 7; arc4random_buf(3), in glibc since 2.36.
 * Threads: a source belongs to one thread.  Memory: never allocates.
 */
#include <stddef.h>
#include <stdint.h>

enum { RANDOM_BUFFER_OCTETS = 512 };

/** Starts as all zeros. */
struct random_source {
    size_t left; /* unused octets, at the end */
    uint8_t octets[RANDOM_BUFFER_OCTETS];
};

/** Fills `length` octets, RANDOM_BUFFER_OCTETS at most. */
void random_fill(struct random_source *source, void *out, size_t length);

/** Returns 16 random bits: an id. */
uint16_t random_16(struct random_source *source);
