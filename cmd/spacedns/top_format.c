#include "spacedns/top_format.h"

#include <stdio.h>

enum {
    PLAIN_MOST = 1000000,
    MEGA = 1000000,
    GIGA = 1000000000,
    US_PER_MS = 1000,
    US_PER_SECOND = 1000000,
    MINUTE = 60,
    HOUR = 3600,
    DAY = 86400,
    TWO_MINUTES = 2 * MINUTE, /* one is not much of a figure */
    TWO_HOURS = 2 * HOUR,
    TWO_DAYS = 2 * DAY,
};

const char *top_format_number(uint64_t number, char text[TOP_NUMBER_OCTETS])
{
    char digits[TOP_NUMBER_OCTETS], *to = text;

    if (number >= PLAIN_MOST) {
        uint64_t unit = number >= 10 * (uint64_t)GIGA ? GIGA : MEGA;
        snprintf(text, TOP_NUMBER_OCTETS, "%llu.%llu%c", (unsigned long long)(number / unit),
                 (unsigned long long)(number % unit * 10 / unit), unit == MEGA ? 'M' : 'G');
        return text;
    }
    size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

const char *top_format_age(uint64_t seconds, char text[TOP_NUMBER_OCTETS])
{
    unsigned long long age = seconds;

    if (age < TWO_MINUTES)
        snprintf(text, TOP_NUMBER_OCTETS, "%llu s", age);
    else if (age < TWO_HOURS)
        snprintf(text, TOP_NUMBER_OCTETS, "%llu min", age / MINUTE);
    else if (age < TWO_DAYS)
        snprintf(text, TOP_NUMBER_OCTETS, "%llu h", age / HOUR);
    else
        snprintf(text, TOP_NUMBER_OCTETS, "%llu d", age / DAY);
    return text;
}

const char *top_format_latency(uint32_t us, char text[TOP_NUMBER_OCTETS])
{
    if (us == UINT32_MAX)
        snprintf(text, TOP_NUMBER_OCTETS, ">5s");
    else if (us < US_PER_MS)
        snprintf(text, TOP_NUMBER_OCTETS, "<%uus", us);
    else if (us < US_PER_SECOND)
        snprintf(text, TOP_NUMBER_OCTETS, "<%gms", (double)us / US_PER_MS);
    else
        snprintf(text, TOP_NUMBER_OCTETS, "<%gs", (double)us / US_PER_SECOND);
    return text;
}
