#pragma once
/**
 * Splits a stream of octets into messages: two octets of length, then the message (RFC 1035 section
 * 4.2.2), however the network has segmented it.
 *
 * Threads: one worker's.  Memory: room for one message of any length, allocated when the first one
 * comes in pieces.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_LENGTH_OCTETS = 2, FRAME_OCTETS_MOST = FRAME_LENGTH_OCTETS + 65535 };

/** Starts as all zeros. */
struct frames {
    uint8_t *held; /* the beginning of a frame; NULL: not allocated yet */
    size_t length;
};

/** Called with one message, which the listener may change. */
typedef void frames_on_message(void *context, uint8_t *octets, size_t length);

/** Calls on_message for each complete message, and keeps the rest. Returns false without memory. */
bool frames_take(struct frames *frames, uint8_t *octets, size_t length,
                 frames_on_message *on_message, void *context);

/** Drops an incomplete message and frees the room. */
void frames_close(struct frames *frames);
