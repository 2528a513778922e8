#include "decide/explain_freshness.h"

#include <string.h>

#include "base/escape.h"

static uint64_t find_newest(const struct segment *segment)
{
    uint64_t newest = 0;

    for (size_t i = 0; segment->revisions != NULL && i < segment->formation_count; i++)
        if (segment->revisions[i] > newest)
            newest = segment->revisions[i];
    return newest;
}

static void add_age(const struct freshness *freshness, struct text *text)
{
    uint32_t age_s = freshness_age_s(freshness);

    if (age_s == FRESHNESS_NEVER) {
        text_add_string(text, ", from an earlier run; the registry was not reached since");
        return;
    }
    text_add_string(text, ", told ");
    text_add_number(text, age_s);
    text_add_string(text, " s ago by ");
    text_add_string(text, freshness_member(freshness));
}

void explain_freshness_write(const struct freshness *freshness, const struct segment *segment,
                             struct text *text)
{
    uint64_t newest = find_newest(segment);

    text_add_string(text, "space ");
    escape_add(text, segment->name, strlen(segment->name));
    text_add_string(text, ": document of revision ");
    text_add_number(text, segment->identity.stamp.words[0]);
    if (newest > 0) {
        text_add_string(text, ", dynos of ");
        text_add_number(text, newest);
    }
    add_age(freshness, text);
}
