#pragma once
/**
 * A line of a template, and what is printed in its place.
 */
#include <stdio.h>

typedef void filling(FILE *out);

struct marker {
    const char *name; /* with the line's end */
    filling *fill;
};
