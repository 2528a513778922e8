#pragma once
/**
 * A segment as octets that can be stored, and be used again by the same program.
 *
 *     struct segment │ its arrays and texts, one after the other
 *       every pointer in them is an offset from the first octet; 0: NULL
 *
 * Octets have the layout of this program (segment_image_layout), and no other can use them. Whoever
 * stores them has to detect damage: an image is checked only as far as its offsets go.
 *
 * Threads: any; the segment is only read.  Memory: the caller frees images.
 */
#include <stddef.h>
#include <stdint.h>

#include "answer/segment.h"

/** The alignment of an image in memory. */
enum { SEGMENT_IMAGE_ALIGNMENT = APP_ENTRY_OCTETS };

/** A number that changes with the form of segments. */
uint64_t segment_image_layout(void);

/**
 * Returns the malloc'ed octets of a segment, or NULL without memory.
 *
 * identity  of the segment, as its owner's thread has read it
 */
uint8_t *segment_image_make(const struct segment *segment, const struct text_identity *identity,
                            size_t *length);

/**
 * Makes a segment of an image that lies in the arena, aligned; the arena is taken over with the
 * segment. Returns NULL, and leaves the arena, when an offset is wrong or memory runs out.
 */
struct segment *segment_image_use(struct arena *arena, uint8_t *octets, size_t length);
