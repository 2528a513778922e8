#pragma once
/**
 * The names for which another resolver needs a forwarding rule: those of a space one by one, or the
 * suffixes below which the server answers every name for the clients that the rules are for.
 *
 *     recursion_for: {peered: [example.com, herokuapp.com, herokuspace.com]}
 *
 *     names                                  rules by name      rules by suffix
 *     frozen-oasis-70544.herokuapp.com       itself             herokuapp.com
 *     api.example.com                        itself             example.com
 *     example.com                            as a comment       example.com
 *
 * A class that may ask for everything has no suffixes of its own: its rules are for the platform's
 * suffixes and the domain above each custom domain and static record.
 *
 * Threads: pure.  Memory: everything is in the arena.
 */
#include <stdbool.h>
#include <stddef.h>

#include "answer/snapshot.h"
#include "base/arena.h"

struct name_list {
    const char **items;
    size_t count;
    size_t capacity;
};

enum snippet_by { SNIPPET_BY_DEFAULT, SNIPPET_BY_NAME, SNIPPET_BY_SUFFIX };

struct snippet_rules {
    struct arena *arena;
    const struct policy *policy;
    const struct segment *segment;
    unsigned classes;        /* of the clients behind the resolver, bit per client_class */
    bool by_suffix;          /* false with SNIPPET_BY_SUFFIX: the classes have no suffixes */
    struct name_list rules;  /* sorted, unique */
    struct name_list apexes; /* names whose other records the server does not have */
    size_t alone;            /* names that lie below no suffix and have rules of their own */
    const char *setting;     /* of recursion_for with which suffixes are enough; NULL: they are */
    const char *class_names; /* "peered", "peered and vpn" */
    bool lacks_discovery;    /* the classes may not ask for discovery names */
    size_t skipped;          /* names left out */
    bool lacks_memory;       /* what was found is not complete */
};

/**
 * Finds the rules.
 *
 * rules    with arena, policy, segment and classes; classes 0: those of the space's connections
 */
void snippet_find_rules(struct snippet_rules *rules, enum snippet_by by);
