#pragma once
/**
 * Octets that wait: added at the end, taken from the front.
 *
 * Threads: one thread's.  Memory: one block that doubles as it fills; what became large for one
 * message is given back once it is empty.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/octets.h"

struct buffer {
    uint8_t *block;
    size_t first; /* octet that has not been taken */
    size_t end;
    size_t capacity;
};

/** Zeroed memory is an empty buffer, too. */
void buffer_close(struct buffer *buffer);

static inline struct octets buffer_octets(const struct buffer *buffer)
{
    if (buffer->block == NULL)
        return (struct octets){.start = NULL};
    return (struct octets){.start = buffer->block + buffer->first,
                           .length = buffer->end - buffer->first};
}

static inline size_t buffer_length(const struct buffer *buffer)
{
    return buffer->end - buffer->first;
}

/** Appends octets. Returns false without memory; the buffer is then as before. */
bool buffer_add(struct buffer *buffer, const void *octets, size_t length);

/** Makes room for `length` more and returns it, or NULL without memory. Then buffer_commit. */
uint8_t *buffer_room(struct buffer *buffer, size_t length);
void buffer_commit(struct buffer *buffer, size_t length);

/** Takes off the first `length`. */
void buffer_take(struct buffer *buffer, size_t length);
