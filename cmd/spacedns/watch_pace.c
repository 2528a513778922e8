#include "spacedns/watch_pace.h"

void pace_succeed(struct pace *pace)
{
    pace->failures = 0;
}

bool pace_fail(struct pace *pace, uint64_t sentence_hash, uint64_t now_ms)
{
    bool is_new = pace->failures++ == 0 || pace->told != sentence_hash ||
                  now_ms - pace->told_ms >= PACE_REMIND_MS;

    if (is_new) {
        pace->told = sentence_hash;
        pace->told_ms = now_ms;
    }
    return is_new;
}

uint64_t pace_next_ms(const struct pace *pace)
{
    uint64_t next_ms = pace->first_ms;

    if (pace->failures == 0)
        return pace->every_ms;
    for (uint64_t i = 1; i < pace->failures && next_ms < pace->most_ms; i++)
        next_ms *= 2;
    return next_ms < pace->most_ms ? next_ms : pace->most_ms;
}
