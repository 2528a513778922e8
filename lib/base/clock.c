#include "base/clock.h"

#include <stddef.h>
#include <time.h>

uint64_t clock_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int64_t clock_wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_format(int64_t seconds, char text[CLOCK_TEXT_OCTETS])
{
    time_t time = (time_t)seconds;
    struct tm utc;

    if (gmtime_r(&time, &utc) == NULL ||
        strftime(text, CLOCK_TEXT_OCTETS, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        text[0] = '\0';
}

static int64_t machine_wall_us(void *context)
{
    (void)context;
    return clock_wall_us();
}

static void machine_wait_ms(void *context, unsigned ms)
{
    const struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)context;
    nanosleep(&span, NULL);
}

const struct waiting_clock clock_machine = {.wall_us = machine_wall_us, .wait_ms = machine_wait_ms};
