#include "base/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void random_fill(struct random_source *source, void *out, size_t length)
{
    assert(length <= sizeof source->octets);
    if (source->left < length) {
        arc4random_buf(source->octets, sizeof source->octets);
        source->left = sizeof source->octets;
    }
    uint8_t *next = source->octets + sizeof source->octets - source->left;
    memcpy(out, next, length);
    memset(next, 0, length);
    source->left -= length;
}

uint16_t random_16(struct random_source *source)
{
    uint16_t value;

    random_fill(source, &value, sizeof value);
    return value;
}
