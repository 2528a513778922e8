#pragma once
/**
 * Writes the records of a message anew, with valid compression pointers.
 *
 * The output is the body of a message after a question whose name is at offset 12. Names are
 * compressed against that name and against names written before, octet for octet, so that the case
 * of each is kept; in data only for types that every reader decompresses. A pointer leads only to
 * the beginning of a label that was written here or of the question's name, so that no name depends
 * on octets that change, such as a TTL.
 *
 * The whole name and its suffixes of at most RR_WRITER_LABELS_MOST labels are searched for among
 * the first RR_WRITER_NAMES_MOST names, so that the time for an untrusted message is bounded.
 *
 * Sources: RFC 1035 section 4.1.4; RFC 3597 section 4.
 * Threads: one writer, one thread.  Memory: borrows question and room.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "forward/rr.h"

enum { RR_WRITER_NAMES_MOST = 64, RR_WRITER_LABELS_MOST = 16 };

struct rr_writer {
    struct writer out; /* the body; failed when a record did not fit */
    const uint8_t *question;
    uint16_t base; /* offset in the message at which the body begins */
    uint64_t seed;
    uint16_t known_count;
    struct {
        uint32_t hash;
        uint16_t offset; /* in the message */
    } known[RR_WRITER_NAMES_MOST];
};

/**
 * question  the question's name as the message has it, uncompressed
 * seed      a secret, so that collisions cannot be prepared
 * body      room for the rest of a message of 65535 octets after its question
 */
void rr_writer_start(struct rr_writer *writer, const uint8_t *question, uint64_t seed,
                     uint8_t *body);

/**
 * Writes a record that rr_read has read and whose data is well-formed. Returns the offset of its
 * TTL in the body; of no meaning once the writer has failed.
 */
uint16_t rr_writer_add(struct rr_writer *writer, const uint8_t *message, const struct rr *record);
