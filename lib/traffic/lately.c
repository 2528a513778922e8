#include "traffic/lately.h"

#include <string.h>

enum { SECONDS_PER_MINUTE = 60 };

static void add(uint32_t ring[LATELY_SLOTS], uint32_t *newest, uint32_t slot, uint32_t count)
{
    if (slot >= *newest + LATELY_SLOTS || slot + LATELY_SLOTS <= *newest) {
        memset(ring, 0, LATELY_SLOTS * sizeof *ring);
        *newest = slot;
    }
    while (*newest < slot)
        ring[++*newest % LATELY_SLOTS] = 0;
    uint32_t *sum = &ring[slot % LATELY_SLOTS];
    *sum = *sum > UINT32_MAX - count ? UINT32_MAX : *sum + count;
}

/* The count of a slot; 0 when the ring has forgotten it, or not reached it. */
static uint32_t at(const uint32_t ring[LATELY_SLOTS], uint32_t newest, uint32_t slot)
{
    return slot <= newest && newest - slot < LATELY_SLOTS ? ring[slot % LATELY_SLOTS] : 0;
}

void lately_add(struct lately *lately, uint32_t at_s, uint32_t count)
{
    add(lately->seconds, &lately->second, at_s, count);
    lately_add_minute(lately, at_s / SECONDS_PER_MINUTE, count);
}

void lately_add_minute(struct lately *lately, uint32_t minute, uint32_t count)
{
    add(lately->minutes, &lately->minute, minute, count);
}

uint64_t lately_last_minute(const struct lately *lately, uint32_t now_s)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < LATELY_SLOTS; i++)
        sum += at(lately->seconds, lately->second, now_s - i);
    return sum;
}

void lately_last_hour(const struct lately *lately, uint32_t now_s, uint32_t counts[LATELY_SLOTS])
{
    uint32_t now = now_s / SECONDS_PER_MINUTE;

    for (uint32_t i = 0; i < LATELY_SLOTS; i++)
        counts[LATELY_SLOTS - 1 - i] = at(lately->minutes, lately->minute, now - i);
}
