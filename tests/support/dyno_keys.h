#pragma once
/**
 * Keys of the registry for tests, and what a segment has of them.
 *
 *     const struct key_text texts[] = {{"one-space/shop/web", 7, "1 up 10.0.130.1\n"}};
 *     struct keys keys = keys_of(texts, 1);
 *
 * A value with errors ends the program.
 */
#include "answer/restate.h"

struct key_text {
    const char *name; /* SPACE/APP/TYPE */
    uint64_t revision;
    const char *value; /* NULL: the key is gone */
};

struct keys {
    struct dyno_key **items; /* in the order of dyno_key_compare */
    size_t count;
};

struct keys keys_of(const struct key_text *texts, size_t count);

void keys_close(struct keys *keys);

/**
 * What a segment has of dynos, one line for each app, then one for each reverse name:
 *
 *     shop web=2/1/0 web@7[1 up 10.0.130.1, 2 down] run@0+1[]        count/up/crashed; +ports
 *     10.0.130.1 shop.web.1
 *
 * Free it.
 */
char *segment_describe(const struct segment *segment);
