#include "traffic/longest_ttl.h"

#include "traffic/static_addresses.h"

static uint32_t greater(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* TTLs have 31 bits, so a clock of 32 bits may end first. */
static uint32_t later(uint32_t now_s, uint32_t ttl_s)
{
    uint64_t until_s = (uint64_t)now_s + 1 + ttl_s;

    return until_s > UINT32_MAX ? UINT32_MAX : (uint32_t)until_s;
}

/* Only records that would be the longest are looked at closely. */
static uint32_t longest_of_records(const struct snapshot *snapshot, const struct segment *segment,
                                   uint32_t longest)
{
    uint32_t ip;

    for (size_t i = 0; i < segment->record_count; i++)
        if (segment->records[i].ttl_seconds > longest &&
            static_address(snapshot, segment, &segment->records[i], &ip))
            longest = segment->records[i].ttl_seconds;
    return longest;
}

uint32_t longest_ttl_of(const struct snapshot *snapshot)
{
    uint32_t longest = 0;

    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct segment *segment = snapshot->segments[i];
        if (segment == NULL)
            continue;
        longest = greater(longest, segment->dyno_ttl_seconds);
        longest = longest_of_records(snapshot, segment, longest);
    }
    return longest;
}

bool longest_ttl_raise(struct longest_ttl *longest, uint32_t ttl_s)
{
    if (ttl_s <= longest->ttl_s)
        return false;
    longest->ttl_s = ttl_s;
    return true;
}

void longest_ttl_set(struct longest_ttl *longest, uint32_t ttl_s, uint32_t now_s)
{
    if (longest->until_s <= now_s)
        longest->most_s = 0;
    if (ttl_s < longest->ttl_s) {
        longest->until_s = greater(longest->until_s, later(now_s, longest->ttl_s));
        longest->most_s = greater(longest->most_s, longest->ttl_s);
    }
    longest->ttl_s = ttl_s;
}

void longest_ttl_add(struct longest_ttl *longest, const struct longest_ttl *more)
{
    longest->ttl_s = greater(longest->ttl_s, more->ttl_s);
    longest->until_s = greater(longest->until_s, more->until_s);
    longest->most_s = greater(longest->most_s, more->most_s);
}

uint32_t longest_ttl_until(const struct longest_ttl *longest, uint32_t now_s)
{
    return greater(longest->until_s, later(now_s, longest->ttl_s));
}

uint32_t longest_ttl_set_back(struct longest_ttl *longest, uint32_t now_s)
{
    uint32_t ttl_s = greater(LONGEST_TTL_USUAL_S, greater(longest->ttl_s, longest->most_s));
    uint32_t until_s = later(now_s, ttl_s);

    if (longest->until_s > until_s)
        longest->until_s = until_s;
    return until_s;
}
