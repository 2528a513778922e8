#include "etcd/buffer.h"

#include <assert.h>
#include <stdlib.h>

enum { LEAST_OCTETS = 1024, KEPT_OCTETS = 1 << 20 };

void buffer_close(struct buffer *buffer)
{
    free(buffer->block);
    *buffer = (struct buffer){.block = NULL};
}

/* Moves what waits to the front when that makes room enough, else into a larger block. */
uint8_t *buffer_room(struct buffer *buffer, size_t length)
{
    size_t waiting = buffer_length(buffer);

    assert(buffer->block != NULL || buffer->capacity + waiting == 0);
    if (length <= buffer->capacity - buffer->end && buffer->block != NULL)
        return buffer->block + buffer->end;
    if (length > SIZE_MAX / 4 || waiting > SIZE_MAX / 4)
        return NULL;
    size_t wanted = waiting + length < LEAST_OCTETS ? LEAST_OCTETS : waiting + length;
    if (buffer->block == NULL || wanted > buffer->capacity / 2) {
        size_t capacity = wanted * 2;
        uint8_t *block = malloc(capacity);
        if (block == NULL)
            return NULL;
        if (waiting > 0)
            memcpy(block, buffer->block + buffer->first, waiting);
        free(buffer->block);
        buffer->block = block;
        buffer->capacity = capacity;
    } else {
        memmove(buffer->block, buffer->block + buffer->first, waiting);
    }
    buffer->first = 0;
    buffer->end = waiting;
    return buffer->block + waiting;
}

void buffer_commit(struct buffer *buffer, size_t length)
{
    assert(length <= buffer->capacity - buffer->end);
    buffer->end += length;
}

bool buffer_add(struct buffer *buffer, const void *octets, size_t length)
{
    uint8_t *room = length == 0 ? NULL : buffer_room(buffer, length);

    if (length == 0)
        return true;
    if (room == NULL)
        return false;
    memcpy(room, octets, length);
    buffer_commit(buffer, length);
    return true;
}

void buffer_take(struct buffer *buffer, size_t length)
{
    assert(length <= buffer_length(buffer));
    buffer->first += length;
    if (buffer->first < buffer->end)
        return;
    buffer->first = buffer->end = 0;
    if (buffer->capacity > KEPT_OCTETS)
        buffer_close(buffer);
}
