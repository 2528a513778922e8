#pragma once
/**
 * Messages out of a stream of octets: two octets of length, then the message (RFC 1035 section
 * 4.2.2), however the network has cut it.
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
    uint8_t *held; /* the beginning of a frame; NULL: no room yet */
    size_t length;
};

/** One message, which the listener may change. */
typedef void frames_on_message(void *context, uint8_t *octets, size_t length);

/** Hands out each message that is whole now, and keeps the rest. Returns false without memory. */
bool frames_take(struct frames *frames, uint8_t *octets, size_t length,
                 frames_on_message *on_message, void *context);

/** Forgets what is held, and frees its room. */
void frames_close(struct frames *frames);
