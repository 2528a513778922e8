#include "support/packets.h"

#include <string.h>

enum { HEADER = 12, LONG_MOST = 1500, SHORT_MOST = 80 };

/* xorshift64*. */
uint32_t dice_roll(struct dice *dice, uint32_t below)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return (uint32_t)((dice->state * 0x2545f4914f6cdd1d) >> 32) % below;
}

size_t packet_make_random(struct dice *dice, uint8_t out[PACKET_OCTETS_MOST])
{
    size_t length = dice_roll(dice, dice_roll(dice, 4) == 0 ? LONG_MOST : SHORT_MOST);

    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)dice_roll(dice, 256);
    /* Without such a header most would be rejected early. */
    if (length >= HEADER && dice_roll(dice, 2) == 0)
        memcpy(out + 2, "\1\0\0\1\0\0\0\0\0\0", 10);
    return length;
}

static size_t mutate_once(struct dice *dice, uint8_t *octets, size_t length)
{
    size_t at = dice_roll(dice, (uint32_t)length);

    switch (dice_roll(dice, 6)) {
    case 0:
        octets[at] = (uint8_t)dice_roll(dice, 256);
        return length;
    case 1:
        octets[at] ^= (uint8_t)(1U << dice_roll(dice, 8));
        return length;
    case 2:
        return at;
    case 3:
        memmove(octets + at, octets + at + 1, length - at - 1);
        return length - 1;
    case 4:
        memmove(octets + at + 1, octets + at, length - at);
        return length + 1;
    default:
        octets[at < HEADER ? at : at % HEADER] = (uint8_t)dice_roll(dice, 3);
        return length;
    }
}

size_t packet_mutate(struct dice *dice, uint8_t octets[PACKET_OCTETS_MOST], size_t length)
{
    for (uint32_t times = 1 + dice_roll(dice, 4); times > 0 && length > 0; times--)
        length = mutate_once(dice, octets, length);
    return length;
}
