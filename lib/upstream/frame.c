#include "upstream/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* The size of the frame that begins here; 0: its length field is incomplete. */
static size_t frame_octets(const uint8_t *octets, size_t length)
{
    return length < FRAME_LENGTH_OCTETS ? 0 : FRAME_LENGTH_OCTETS + (size_t)load16(octets);
}

static void hand_out(uint8_t *frame, size_t octets, frames_on_message *on_message, void *context)
{
    on_message(context, frame + FRAME_LENGTH_OCTETS, octets - FRAME_LENGTH_OCTETS);
}

/* Appends octets to those held until the frame is complete. Returns how many. */
static size_t complete(struct frames *frames, const uint8_t *octets, size_t length)
{
    size_t taken = 0;

    while (taken < length) {
        size_t whole = frame_octets(frames->held, frames->length);
        size_t missing = (whole > 0 ? whole : FRAME_LENGTH_OCTETS) - frames->length;
        size_t next = missing < length - taken ? missing : length - taken;
        if (missing == 0)
            break;
        assert(frames->length + next <= FRAME_OCTETS_MOST);
        memcpy(frames->held + frames->length, octets + taken, next);
        frames->length += next;
        taken += next;
    }
    return taken;
}

static bool hold(struct frames *frames, const uint8_t *octets, size_t length)
{
    if (frames->held == NULL)
        frames->held = malloc(FRAME_OCTETS_MOST);
    if (frames->held == NULL)
        return false;
    assert(length < FRAME_OCTETS_MOST);
    memcpy(frames->held, octets, length);
    frames->length = length;
    return true;
}

bool frames_take(struct frames *frames, uint8_t *octets, size_t length,
                 frames_on_message *on_message, void *context)
{
    if (frames->length > 0) {
        size_t taken = complete(frames, octets, length);
        octets += taken;
        length -= taken;
        if (frame_octets(frames->held, frames->length) != frames->length)
            return true;
        hand_out(frames->held, frames->length, on_message, context);
        frames->length = 0;
    }
    /* Each turn takes a whole frame off. */
    size_t whole = frame_octets(octets, length);
    while (whole > 0 && whole <= length) {
        hand_out(octets, whole, on_message, context);
        octets += whole;
        length -= whole;
        whole = frame_octets(octets, length);
    }
    return length == 0 || hold(frames, octets, length);
}

void frames_close(struct frames *frames)
{
    free(frames->held);
    *frames = (struct frames){.length = 0};
}
