#pragma once
/**
 * The setting recursion_for: which classes of clients may ask for names that are not ours.
 *
 * A class may ask for every name, for names at or below some suffixes, or for none:
 *
 *     recursion_for: [space, peered]
 *     recursion_for: {space: all, peered: [herokuapp.com, example.com]}
 *
 * With suffixes, another resolver needs one forwarding rule for each, whatever apps and domains are
 * added: our names below it get our answers, all others what the world says.
 *
 * Threads: constant once read.  Memory: the settings'.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/setting_origin.h"
#include "wire/name.h"

enum {
    RECURSION_CLASSES = 3,        /* space, peered, vpn: the bits of the masks, the first lowest */
    RECURSION_SUFFIXES_MOST = 64, /* of all classes together */
};

struct recursion_suffix {
    const char *text; /* lower case, no closing dot */
    struct name name;
    unsigned class;
    struct setting_origin origin;
};

struct recursion {
    unsigned all;                      /* classes that may ask for every name */
    struct recursion_suffix *suffixes; /* of the others; by class, then as written */
    size_t count;
    size_t capacity;
};

/** The name of a class in the setting: "space", "peered", "vpn". */
extern const char *const recursion_class_names[RECURSION_CLASSES];

/** The first suffix of one of these classes that holds the name, or NULL. */
const struct recursion_suffix *recursion_find(const struct recursion *recursion, unsigned classes,
                                              const struct name *name);

/** The classes that may ask for some name. */
unsigned recursion_classes(const struct recursion *recursion);

/** Prints "space,peered", or with suffixes "space: all, peered: [herokuapp.com, example.com]". */
void recursion_print(const struct recursion *recursion, FILE *out);

/** Prints what one class may ask for: "all", "none", or "herokuapp.com, example.com". */
void recursion_print_class(const struct recursion *recursion, unsigned class, FILE *out);
