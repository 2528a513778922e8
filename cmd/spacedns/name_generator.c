#include "spacedns/name_generator.h"

#include <stdio.h>

#include "base/random.h"

enum { WORDS = 32 };

static const char *const adjectives[WORDS] = {
    "amber",  "ancient", "autumn", "bold",    "bright", "calm",   "clear",  "cool",
    "crisp",  "dry",     "early",  "floral",  "frozen", "gentle", "golden", "hidden",
    "lively", "long",    "misty",  "morning", "open",   "polar",  "quiet",  "rapid",
    "silent", "sleepy",  "small",  "snowy",   "still",  "warm",   "wild",   "young",
};
static const char *const nouns[WORDS] = {
    "bay",   "bird",  "breeze", "brook",  "cliff", "cloud", "dawn",  "dune",
    "field", "fjord", "forest", "garden", "glade", "haiku", "hill",  "island",
    "lake",  "leaf",  "meadow", "moon",   "oasis", "plain", "pond",  "rain",
    "reef",  "ridge", "river",  "shore",  "snow",  "star",  "stone", "valley",
};

void name_generator_next(char *out, size_t size, unsigned digits)
{
    static const unsigned firsts[] = {1, 1, 10, 100, 1000, 10000};
    struct random_source source = {.left = 0};
    unsigned first = firsts[digits];
    uint32_t drawn = (uint32_t)random_16(&source) << 16 | random_16(&source);

    snprintf(out, size, "%s-%s-%u", adjectives[random_16(&source) % WORDS],
             nouns[random_16(&source) % WORDS], (unsigned)(first + drawn % (9 * first)));
}
