#pragma once
/**
 * A segment as octets that can be stored, and be used again by the same program.
 *
 *     struct segment │ arrays of the dyno half │ arrays and texts of the document half
 *       every pointer in them is an offset from the first octet; 0: NULL
 *
 * It is the segment as its file declares it, whatever keys of the registry are in force: those are
 * the registry's to keep.
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
 * Makes a segment of an image, which is aligned, and overwritten. Returns it with one hold; NULL
 * when an offset is wrong or memory runs out.
 */
struct segment *segment_image_use(uint8_t *octets, size_t length);
